/** Random queries: mostly inner joins and groups, and a share of everything else. */
import { Expressions } from './expression.js'
import type { Scalar } from './expression.js'
import type { Rng } from './rng.js'
import type { Table, Type } from './schema.js'

export interface Query {
  sql: string
  /** Rows may be spelled differently, as 1.0 and 1.00 in one group. */
  freeSpelling: boolean
}

/** Types whose equal values can look different. */
const SPELLED = new Set<Type>(['num'])

/** A query over some of the tables. */
export function query(rng: Rng, tables: readonly Table[]): Query {
  if (rng.chance(0.4)) return other(rng, tables)
  return rng.chance(0.55) ? grouped(rng, tables) : flat(rng, tables)
}

interface From {
  /** A WITH clause, or nothing. */
  ctes: string
  sql: string
  scope: Scalar[]
}

const NUMBERS: readonly Type[] = ['int', 'small', 'big', 'num', 'dec']

/** One to four inputs, joined in one of the ways of inner joins. */
function from(rng: Rng, tables: readonly Table[], most = 4): From {
  const count = rng.pick([1, 1, 2, 2, 2, 3, 4].filter((n) => n <= most))
  const ctes: string[] = []
  let sql = ''
  let scope: Scalar[] = []
  let crossed = false
  for (let i = 0; i < count; i++) {
    const alias = `x${i + 1}`
    const table = rng.pick(tables)
    const columns = table.columns.map(({ name, type }) => ({ sql: `${alias}.${name}`, type }))
    const input = source(rng, table, alias, ctes)
    if (i === 0) {
      sql = input
    } else if (!crossed && rng.chance(0.1)) {
      crossed = true
      sql += rng.chance(0.5) ? ` CROSS JOIN ${input}` : ` JOIN ${input} ON true`
    } else {
      const condition = link(rng, scope, columns)
      sql += ` JOIN ${input} ON ${condition}`
    }
    scope = [...scope, ...columns]
  }
  return { ctes: ctes.length > 0 ? `WITH ${ctes.join(', ')} ` : '', sql, scope }
}

/** A table, by itself or in a subquery or CTE that filters it. */
function source(rng: Rng, table: Table, alias: string, ctes: string[]): string {
  if (rng.chance(0.75)) return `${table.name} ${alias}`
  const expressions = new Expressions(
    rng,
    table.columns.map(({ name, type }) => ({ sql: name, type })),
  )
  const names = table.columns.map(({ name }) => name).join(', ')
  const filtered = `SELECT ${names} FROM ${table.name} WHERE ${expressions.condition(1)}`
  if (rng.chance(0.5)) return `(${filtered}) ${alias}`
  ctes.push(`cte_${alias} AS (${filtered})`)
  return `cte_${alias} ${alias}`
}

/** A join condition: an equality of columns of one type where there are such, and now and then more. */
function link(rng: Rng, left: readonly Scalar[], right: readonly Scalar[]): string {
  const pairs = left.flatMap((a) => right.filter((b) => a.type === b.type).map((b) => `${a.sql} = ${b.sql}`))
  const equal = pairs.length > 0 ? rng.pick(pairs) : 'false'
  if (rng.chance(0.8)) return equal
  return `${equal} AND ${new Expressions(rng, [...left, ...right]).condition(1)}`
}

function where(rng: Rng, expressions: Expressions): string {
  return rng.chance(0.5) ? ` WHERE ${expressions.condition()}` : ''
}

function flat(rng: Rng, tables: readonly Table[], most = 4): Query {
  const { ctes, sql, scope } = from(rng, tables, most)
  const expressions = new Expressions(rng, scope)
  const items = rng.times(1, 4, (i) => `${expressions.any().sql} AS c${i + 1}`)
  return { sql: `${ctes}SELECT ${items.join(', ')} FROM ${sql}${where(rng, expressions)}`, freeSpelling: false }
}

/** An aggregate of an exact type, its argument and its result. */
function aggregate(rng: Rng, expressions: Expressions): { sql: string; type: Type; spelled: boolean } {
  const filter = rng.chance(0.15) ? ` FILTER (WHERE ${expressions.condition(1)})` : ''
  const kind = rng.pick(['count', 'count', 'sum', 'sum', 'avg', 'min', 'max'] as const)
  if (kind === 'count') {
    const argument = rng.chance(0.5) ? '*' : expressions.any(1).sql
    return { sql: `count(${argument})${filter}`, type: 'big', spelled: false }
  }
  const extremum = kind === 'min' || kind === 'max'
  const type = rng.pick<Type>(extremum ? [...NUMBERS, 'text', 'date'] : NUMBERS)
  const sql = `${kind}(${expressions.of(type, 1)})${filter}`
  return { sql, type: extremum ? type : 'num', spelled: extremum && SPELLED.has(type) }
}

function grouped(rng: Rng, tables: readonly Table[]): Query {
  const { ctes, sql, scope } = from(rng, tables)
  const expressions = new Expressions(rng, scope)
  const keys = rng.chance(0.2) ? [] : rng.times(1, 3, () => expressions.any(1))
  const aggregates = rng.times(1, 4, () => aggregate(rng, expressions))
  const spelled = keys.some(({ type }) => SPELLED.has(type)) || aggregates.some((item) => item.spelled)

  const items = keys.filter(() => rng.chance(0.85)).map((key) => key.sql)
  for (const item of aggregates) {
    const over = new Expressions(rng, [{ sql: item.sql, type: item.type }])
    items.push(rng.chance(0.2) ? over.of(item.type, 1) : item.sql)
  }
  const list = items.map((item, i) => `${item} AS c${i + 1}`).join(', ')
  const group = keys.length > 0 ? ` GROUP BY ${keys.map((key) => `(${key.sql})`).join(', ')}` : ''
  const outputs = [...keys, ...aggregates].map((item) => ({ sql: item.sql, type: item.type }))
  const having = rng.chance(0.25) ? ` HAVING ${new Expressions(rng, outputs).condition(1)}` : ''
  return { sql: `${ctes}SELECT ${list} FROM ${sql}${where(rng, expressions)}${group}${having}`, freeSpelling: spelled }
}

/** What is more than folds of inner joins. Compared by value: duplicates go, and with them one spelling or the other. */
function other(rng: Rng, tables: readonly Table[]): Query {
  const make = rng.pick([distinct, setOperation, outerJoin, sublink, windowed, limited, otherAggregate, nested])
  return { sql: make(rng, tables), freeSpelling: true }
}

function distinct(rng: Rng, tables: readonly Table[]): string {
  return flat(rng, tables, 2).sql.replace('SELECT ', 'SELECT DISTINCT ')
}

function setOperation(rng: Rng, tables: readonly Table[]): string {
  const types = rng.times<Type>(1, 3, () => rng.pick(['int', 'text', 'num', 'date', 'bool']))
  const branch = () => {
    const { ctes, sql, scope } = from(rng, tables, 2)
    const expressions = new Expressions(rng, scope)
    const list = types.map((type, i) => `${expressions.of(type, 1)} AS c${i + 1}`)
    return `(${ctes}SELECT ${list.join(', ')} FROM ${sql}${where(rng, expressions)})`
  }
  const operator = rng.pick(['UNION', 'UNION ALL', 'INTERSECT', 'INTERSECT ALL', 'EXCEPT', 'EXCEPT ALL'])
  return `${branch()} ${operator} ${branch()}`
}

function outerJoin(rng: Rng, tables: readonly Table[]): string {
  const inputs = rng.times(2, 3, (i) => ({ table: rng.pick(tables), alias: `x${i + 1}` }))
  let sql = ''
  const scope: Scalar[] = []
  for (const { table, alias } of inputs) {
    const columns = table.columns.map(({ name, type }) => ({ sql: `${alias}.${name}`, type }))
    // FULL JOIN takes plain equalities only, so the condition is one.
    const kind = rng.pick(['LEFT', 'RIGHT', 'FULL', 'INNER'])
    const pairs = scope.flatMap((a) => columns.filter((b) => a.type === b.type).map((b) => `${a.sql} = ${b.sql}`))
    sql += scope.length === 0 ? `${table.name} ${alias}` : ` ${kind} JOIN ${table.name} ${alias} ON ${rng.pick(pairs)}`
    scope.push(...columns)
  }
  const expressions = new Expressions(rng, scope)
  const items = rng.times(1, 4, (i) => `${expressions.any(1).sql} AS c${i + 1}`)
  return `SELECT ${items.join(', ')} FROM ${sql}${where(rng, expressions)}`
}

function sublink(rng: Rng, tables: readonly Table[]): string {
  const { ctes, sql, scope } = from(rng, tables, 2)
  const inner = rng.pick(tables)
  const columns = inner.columns.map(({ name, type }) => ({ sql: `y.${name}`, type }))
  const on = link(rng, scope, columns)
  const expressions = new Expressions(rng, scope)
  const { type, sql: probe } = rng.pick(scope.filter((column) => columns.some((other) => other.type === column.type)))
  const target = rng.pick(columns.filter((column) => column.type === type)).sql
  const condition = rng.pick([
    `EXISTS (SELECT FROM ${inner.name} y WHERE ${on})`,
    `NOT EXISTS (SELECT FROM ${inner.name} y WHERE ${on})`,
    `${probe} IN (SELECT ${target} FROM ${inner.name} y)`,
    `${probe} NOT IN (SELECT ${target} FROM ${inner.name} y)`,
    `${probe} > ALL (SELECT ${target} FROM ${inner.name} y WHERE ${on})`,
    `${probe} = (SELECT max(${target}::text) FROM ${inner.name} y)`.replace(probe, `${probe}::text`),
  ])
  const shown = rng.chance(0.3) ? `, (SELECT count(*) FROM ${inner.name} y WHERE ${on}) AS n` : ''
  return `${ctes}SELECT ${expressions.any(1).sql} AS c1${shown} FROM ${sql} WHERE ${condition}`
}

function windowed(rng: Rng, tables: readonly Table[]): string {
  const { ctes, sql, scope } = from(rng, tables, 2)
  const expressions = new Expressions(rng, scope)
  const partition = rng.chance(0.7) ? `PARTITION BY ${expressions.any(0).sql} ` : ''
  const order = expressions.any(0).sql
  // Only what does not depend on the order of peers.
  const call = rng.pick([
    'rank()',
    'dense_rank()',
    'count(*)',
    `sum(${expressions.of('int', 1)})`,
    `max(${expressions.of('date', 0)})`,
  ])
  return `${ctes}SELECT ${expressions.any(1).sql} AS c1, ${call} OVER (${partition}ORDER BY ${order}) AS c2 FROM ${sql}`
}

function limited(rng: Rng, tables: readonly Table[]): string {
  const { ctes, sql, scope } = from(rng, tables, 2)
  const expressions = new Expressions(rng, scope)
  const items = rng.times(1, 3, () => expressions.any(1).sql)
  // Ordered by all that is shown: whichever of equal rows comes first, the result is the same.
  const list = items.map((item, i) => `${item} AS c${i + 1}`).join(', ')
  const order = items.map((_, i) => `${i + 1}${rng.pick(['', ' DESC', ' NULLS FIRST'])}`).join(', ')
  const offset = rng.chance(0.3) ? ` OFFSET ${rng.int(0, 3)}` : ''
  return `${ctes}SELECT ${list} FROM ${sql} ORDER BY ${order} LIMIT ${rng.int(0, 5)}${offset}`
}

function otherAggregate(rng: Rng, tables: readonly Table[]): string {
  const { ctes, sql, scope } = from(rng, tables, 2)
  const expressions = new Expressions(rng, scope)
  const key = expressions.any(0).sql
  const text = expressions.of('text', 1)
  const number = expressions.of('int', 1)
  const call = rng.pick([
    `string_agg(${text}, ',' ORDER BY ${text})`,
    `array_agg(${number} ORDER BY ${number})`,
    `sum(${number}::float8)`,
    `count(DISTINCT ${text})`,
    `percentile_disc(0.5) WITHIN GROUP (ORDER BY ${number})`,
    `bool_or(${expressions.condition(1)})`,
    `bit_xor(${number})`,
  ])
  return `${ctes}SELECT ${key} AS c1, ${call} AS c2 FROM ${sql} GROUP BY ${rng.pick([key, `ROLLUP (${key})`])}`
}

function nested(rng: Rng, tables: readonly Table[]): string {
  const inner = rng.chance(0.5) ? grouped(rng, tables).sql : flat(rng, tables, 2).sql
  return `SELECT count(*) AS n, q.c1 FROM (${inner}) q GROUP BY q.c1`
}
