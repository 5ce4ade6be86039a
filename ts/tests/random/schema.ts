/** Random tables, with and without keys. They have few distinct values, so that rows join, groups fill and rows repeat. */
import type { Rng } from './rng.js'

/** The type of an expression. `num` has any scale, `dec` has two decimals, `list` is an array of numbers. */
export type Type = 'int' | 'small' | 'big' | 'num' | 'dec' | 'float' | 'text' | 'date' | 'bool' | 'list' | 'json'

export const TYPES: Record<Type, string> = {
  int: 'int',
  small: 'smallint',
  big: 'bigint',
  num: 'numeric',
  dec: 'numeric(8,2)',
  float: 'float8',
  text: 'text',
  date: 'date',
  bool: 'boolean',
  list: 'int[]',
  json: 'jsonb',
}

const VALUES: Record<Type, readonly string[]> = {
  int: ['-2', '0', '1', '2', '3', '4'],
  small: ['0', '1', '2', '3'],
  big: ['-1', '1', '2', '3', '9000000000'],
  num: ['0', '0.0', '1', '1.0', '1.50', '2.125', '-0.001', '100', "'NaN'", "'Infinity'", "'-Infinity'"],
  dec: ['0', '0.5', '1.25', '2', '-3.10', '999'],
  // Sums of these are exact in any order.
  float: ['0', "'-0'", '0.5', '1.25', '-2', '1024', "'NaN'", "'Infinity'"],
  text: ["''", "'a'", "'b'", "'B'", "'ü'", "'it''s'"],
  date: ["'2026-01-01'", "'2026-01-02'", "'2026-02-28'", "'1999-12-31'"],
  bool: ['true', 'false'],
  list: ["'{}'", "'{1}'", "'{1,2}'", "'{3,NULL,1}'"],
  json: ["'{}'", `'{"a": 1}'`, `'{"a": 2, "b": [1, 2]}'`, "'[3]'", "'null'"],
}

/** Domains that refuse NULL. Their columns are NULL all the same where an outer join or ROLLUP makes them so. */
export const DOMAINS: readonly string[] = [
  'CREATE DOMAIN whole AS int NOT NULL',
  'CREATE DOMAIN word AS text CHECK (VALUE IS NOT NULL)',
]

const DOMAIN_OF: Partial<Record<Type, string>> = { int: 'whole', text: 'word' }

export interface Column {
  name: string
  type: Type
  /** The column has a domain over its type, which refuses NULL. */
  domain?: string | undefined
}

export interface Table {
  name: string
  columns: Column[]
  /** The table has a primary key `id`. */
  keyed: boolean
  ddl: string[]
}

/** A literal of a type: sometimes NULL, rarely an unusual number. */
export function value(rng: Rng, type: Type, nulls = 0.2): string {
  if (rng.chance(nulls)) return 'NULL'
  const values = VALUES[type]
  const odd = type === 'num' ? 3 : type === 'float' ? 2 : 0
  return rng.pick(odd > 0 && !rng.chance(0.1) ? values.slice(0, -odd) : values)
}

/** The column that tables with a key have besides those that are listed. */
export const DOCUMENT = 'doc'

/** The columns of the table `y` that are compared: its document is not one of them. */
export function listed(table: Table): string {
  return table.columns.map(({ name }) => `y.${name}`).join(', ')
}

export function tables(rng: Rng): Table[] {
  return rng.times(2, 3, (index) => table(rng, `t${index + 1}`))
}

function table(rng: Rng, name: string): Table {
  const keyed = rng.chance(0.5)
  const kinds = Object.keys(TYPES) as Type[]
  // Each table has two columns that suit as join columns.
  const types: Type[] = ['int', rng.pick(['int', 'text', 'small'] as const), ...rng.times(1, 4, () => rng.pick(kinds))]
  const columns: Column[] = types.map((type, index) => ({
    name: `${name}_${String.fromCharCode(97 + index)}`,
    type,
    domain: rng.chance(0.1) ? DOMAIN_OF[type] : undefined,
  }))
  const parts = columns.map((column) => `${column.name} ${column.domain ?? TYPES[column.type]}`)
  // A type without equality. Only its text is a column of queries.
  if (keyed) {
    parts.unshift('id int PRIMARY KEY')
    parts.push(`${DOCUMENT} json GENERATED ALWAYS AS ((id % 3)::text::json) STORED`)
  }
  const ddl = [`CREATE TABLE ${name} (${parts.join(', ')})`]
  for (const column of columns) if (rng.chance(0.2)) ddl.push(`CREATE INDEX ON ${name} (${column.name})`)
  return { name, columns: keyed ? [{ name: 'id', type: 'int' }, ...columns] : columns, keyed, ddl }
}
