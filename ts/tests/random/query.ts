/** Random queries: mostly inner joins and groups, with a share of everything else. */
import { Composer } from './composed.js'
import { Expressions } from './expression.js'
import type { Scalar } from './expression.js'
import { recursive } from './recursion.js'
import { places } from './places.js'
import { raising } from './raising.js'
import { star } from './star.js'
import type { Rng } from './rng.js'
import type { Column, Table, Type } from './schema.js'

export interface Query {
  sql: string
  /** Equal rows may have different text, as 1.0 and 1.00 in one group. */
  freeSpelling: boolean
  /** The columns that another query can read, if they are known. */
  columns?: Column[]
}

/** Types whose equal values can have different text. */
const SPELLED = new Set<Type>(['num', 'float'])

/** A query over some of the tables. */
export function query(rng: Rng, tables: readonly Table[]): Query {
  if (rng.chance(0.35)) {
    const { sql, columns } = new Composer(rng, tables).query(rng.int(1, 4))
    return { sql, columns, freeSpelling: true }
  }
  const made = rng.chance(0.12) ? star(rng, tables) : undefined
  if (made !== undefined) return made
  // Compared by value, as below.
  if (rng.chance(0.2)) return { sql: places(rng, tables), freeSpelling: true }
  if (rng.chance(0.15)) return { sql: raising(rng, tables), freeSpelling: true }
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

/** One to four inputs, joined by one of the forms of inner join. */
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

/** A table, or a subquery or CTE that filters it. */
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

/** A join condition: an equality of two columns of the same type, if there are any, and sometimes more. */
function link(rng: Rng, left: readonly Scalar[], right: readonly Scalar[]): string {
  const pairs = left.flatMap((a) => right.filter((b) => a.type === b.type).map((b) => `${a.sql} = ${b.sql}`))
  const equal = pairs.length > 0 ? rng.pick(pairs) : 'false'
  if (rng.chance(0.8)) return equal
  return `${equal} AND ${new Expressions(rng, [...left, ...right]).condition(1)}`
}

function where(rng: Rng, expressions: Expressions): string {
  return rng.chance(0.5) ? ` WHERE ${expressions.condition()}` : ''
}

/** A select list with the names c1, c2, .. */
function listOf(items: readonly Scalar[]): string {
  return items.map(({ sql }, i) => `${sql} AS c${i + 1}`).join(', ')
}

function columnsOf(items: readonly Scalar[]): Column[] {
  return items.map(({ type }, i) => ({ name: `c${i + 1}`, type }))
}

function flat(rng: Rng, tables: readonly Table[], most = 4): Query {
  const { ctes, sql, scope } = from(rng, tables, most)
  const expressions = new Expressions(rng, scope)
  const items = rng.times(1, 4, () => expressions.any())
  return {
    sql: `${ctes}SELECT ${listOf(items)} FROM ${sql}${where(rng, expressions)}`,
    freeSpelling: false,
    columns: columnsOf(items),
  }
}

/** An aggregate over an exact type. */
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

  const items = keys.filter(() => rng.chance(0.85))
  for (const { sql: call, type } of aggregates) {
    const over = new Expressions(rng, [{ sql: call, type }])
    items.push({ sql: rng.chance(0.2) ? over.of(type, 1) : call, type })
  }
  const group = keys.length > 0 ? ` GROUP BY ${keys.map((key) => `(${key.sql})`).join(', ')}` : ''
  const outputs = [...keys, ...aggregates].map((item) => ({ sql: item.sql, type: item.type }))
  const having = rng.chance(0.25) ? ` HAVING ${new Expressions(rng, outputs).condition(1)}` : ''
  return {
    sql: `${ctes}SELECT ${listOf(items)} FROM ${sql}${where(rng, expressions)}${group}${having}`,
    freeSpelling: spelled,
    columns: columnsOf(items),
  }
}

/** Beyond folds of inner joins. Compared by value, because either of two equal values may remain. */
function other(rng: Rng, tables: readonly Table[]): Query {
  const make = rng.pick([
    ...[
      distinct,
      distinctOn,
      setOperation,
      outerJoin,
      outerJoin,
      outerGroup,
      sublink,
      sublink,
      scalarSubquery,
      lateral,
    ],
    ...[
      windowed,
      ordered,
      ordered,
      ordered,
      firsts,
      firsts,
      limited,
      otherAggregate,
      groupingSets,
      nested,
      recursive,
      recursive,
    ],
  ])
  return { sql: make(rng, tables), freeSpelling: true }
}

function distinct(rng: Rng, tables: readonly Table[]): string {
  return flat(rng, tables, 2).sql.replace('SELECT ', 'SELECT DISTINCT ')
}

/** One row for each key, ordered by all selected columns, so that there is one result. */
function distinctOn(rng: Rng, tables: readonly Table[]): string {
  const { ctes, sql, scope } = from(rng, tables, 2)
  const expressions = new Expressions(rng, scope)
  const items = rng.times(2, 4, () => expressions.any(1))
  const order = items.map(({ sql: item }) => `${item}${rng.pick(['', ' DESC', ' NULLS FIRST'])}`)
  return `${ctes}SELECT DISTINCT ON (${items[0]?.sql}) ${listOf(items)} FROM ${sql}${where(rng, expressions)} ORDER BY ${order.join(', ')}`
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

/** Queries whose change is small however many rows of a key there are. Few joins, because keys have many rows. */
export function skewed(rng: Rng, tables: readonly Table[]): Query {
  const keyed = tables.filter((table) => table.keyed)
  if (keyed.length > 0 && rng.chance(0.3))
    return { sql: rng.pick([firstRows, lists, modes])(rng, keyed), freeSpelling: true }
  const make = rng.pick([outerJoin, outerJoin, outerGroup, outerGroup, sublink, sublink, scalarSubquery])
  return { sql: make(rng, tables, make === outerJoin || make === outerGroup ? 2 : 1), freeSpelling: true }
}

/** The first rows in an order that the key makes total. */
function firstRows(rng: Rng, keyed: readonly Table[]): string {
  const table = rng.pick(keyed)
  const scope = table.columns.map(({ name, type }) => ({ sql: `x1.${name}`, type }))
  const expressions = new Expressions(rng, scope)
  const order = rng.times(1, 2, () => `${rng.pick(scope.filter(({ type }) => type !== 'json')).sql}${direction(rng)}`)
  return `SELECT ${expressions.any(1).sql} AS c1, x1.id AS c2 FROM ${table.name} x1${where(rng, expressions)}
    ORDER BY ${order.join(', ')}, x1.id${direction(rng)} LIMIT ${rng.pick([1, 3, 20, 60, 600])}`
}

const direction = (rng: Rng) => rng.pick(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'])

/** Lists that grow at their end. */
function lists(rng: Rng, keyed: readonly Table[]): string {
  const table = rng.pick(keyed)
  const scope = table.columns.map(({ name, type }) => ({ sql: `x1.${name}`, type }))
  const expressions = new Expressions(rng, scope)
  const calls = rng.times(1, 3, () =>
    rng.pick([
      () => `string_agg(${expressions.of('text', 1)}, ',' ORDER BY x1.id${rng.pick(['', ' DESC'])})`,
      () => `array_agg(${expressions.of('int', 1)} ORDER BY x1.id, 1)`,
      () => `jsonb_agg(${expressions.of('num', 0)} ORDER BY x1.id) FILTER (WHERE ${expressions.condition(1)})`,
      () => rng.pick(['count(*)', `sum(${expressions.of('int', 0)})`, `max(${expressions.of('date', 0)})`]),
    ])(),
  )
  const listed = calls.map((call, i) => `${call} AS c${i + 2}`).join(', ')
  return `SELECT x1.id / ${rng.pick([10, 200, 100000])} AS c1, ${listed} FROM ${table.name} x1${where(rng, expressions)} GROUP BY 1`
}

/** The most frequent value of each group. */
function modes(rng: Rng, keyed: readonly Table[]): string {
  const table = rng.pick(keyed)
  const scope = table.columns.map(({ name, type }) => ({ sql: `x1.${name}`, type }))
  const expressions = new Expressions(rng, scope)
  const mode = `mode() WITHIN GROUP (ORDER BY ${expressions.of(rng.pick(['int', 'text', 'date']), 0)}${direction(rng)})`
  return `SELECT x1.id / ${rng.pick([10, 200, 100000])} AS c1, ${mode} AS c2 FROM ${table.name} x1${where(rng, expressions)} GROUP BY 1`
}

/** Two or more tables, some of them outer-joined. */
function outerFrom(rng: Rng, tables: readonly Table[], most: number): { sql: string; scope: Scalar[] } {
  const inputs = rng.times(2, most, (i) => ({ table: rng.pick(tables), alias: `x${i + 1}` }))
  let sql = ''
  const scope: Scalar[] = []
  for (const { table, alias } of inputs) {
    const columns = table.columns.map(({ name, type }) => ({ sql: `${alias}.${name}`, type }))
    // FULL JOIN supports only simple equalities.
    const kind = rng.pick(['LEFT', 'RIGHT', 'FULL', 'INNER'])
    const pairs = scope.flatMap((a) => columns.filter((b) => a.type === b.type).map((b) => `${a.sql} = ${b.sql}`))
    sql +=
      scope.length === 0
        ? `${table.name} ${alias}`
        : ` ${kind} JOIN ${table.name} ${alias} ON ${pairs.length > 0 ? rng.pick(pairs) : 'false'}`
    scope.push(...columns)
  }
  return { sql, scope }
}

function outerJoin(rng: Rng, tables: readonly Table[], most = 3): string {
  const { sql, scope } = outerFrom(rng, tables, most)
  const expressions = new Expressions(rng, scope)
  const items = rng.times(1, 4, (i) => `${expressions.any(1).sql} AS c${i + 1}`)
  return `SELECT ${items.join(', ')} FROM ${sql}${where(rng, expressions)}`
}

function outerGroup(rng: Rng, tables: readonly Table[], most = 3): string {
  const { sql, scope } = outerFrom(rng, tables, most)
  const expressions = new Expressions(rng, scope)
  const key = expressions.of(rng.pick(['int', 'text', 'date']), 0)
  const calls = ['count(*)', ...rng.times(1, 2, () => aggregate(rng, expressions).sql)]
  const listed = calls.map((call, i) => `${call} AS c${i + 2}`).join(', ')
  const having = rng.chance(0.2) ? ` HAVING count(*) > 1` : ''
  return `SELECT ${key} AS c1, ${listed} FROM ${sql}${where(rng, expressions)} GROUP BY ${key}${having}`
}

function sublink(rng: Rng, tables: readonly Table[], most = 2): string {
  const { ctes, sql, scope } = from(rng, tables, most)
  const inner = rng.pick(tables)
  const columns = inner.columns.map(({ name, type }) => ({ sql: `y.${name}`, type }))
  const on = link(rng, scope, columns)
  const expressions = new Expressions(rng, scope)
  const shared = scope.filter((column) => columns.some((other) => other.type === column.type))
  if (shared.length === 0) return `${ctes}SELECT 1 AS c1 FROM ${sql} WHERE EXISTS (SELECT FROM ${inner.name} y)`
  const { type, sql: probe } = rng.pick(shared)
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

/** A correlated aggregate in the select list or the condition. */
function scalarSubquery(rng: Rng, tables: readonly Table[], most = 2): string {
  const { ctes, sql, scope } = from(rng, tables, most)
  const inner = rng.pick(tables)
  const columns = inner.columns.map(({ name, type }) => ({ sql: `y.${name}`, type }))
  const item = new Expressions(rng, columns)
  const call = rng.pick(['count(*)', `sum(${item.of('int', 1)})`, `max(${item.of('big', 1)})`])
  const subquery = `(SELECT ${call} FROM ${inner.name} y WHERE ${link(rng, scope, columns)})`
  const expressions = new Expressions(rng, scope)
  const shown = expressions.any(1).sql
  if (rng.chance(0.5)) return `${ctes}SELECT ${shown} AS c1, ${subquery} AS c2 FROM ${sql}${where(rng, expressions)}`
  return `${ctes}SELECT ${shown} AS c1 FROM ${sql} WHERE ${expressions.of('int', 1)} ${rng.pick(['<', '=', '>='])} ${subquery}`
}

function lateral(rng: Rng, tables: readonly Table[]): string {
  const { ctes, sql, scope } = from(rng, tables, 2)
  const inner = rng.pick(tables)
  const columns = inner.columns.map(({ name, type }) => ({ sql: `y.${name}`, type }))
  const item = new Expressions(rng, columns)
  const condition = link(rng, scope, columns)
  const body = rng.pick([
    `SELECT count(*) AS a, max(${item.of('int', 1)}) AS b FROM ${inner.name} y WHERE ${condition}`,
    `SELECT ${item.of('int', 1)} AS a, ${item.of('text', 1)} AS b FROM ${inner.name} y WHERE ${condition}`,
    `SELECT DISTINCT ${item.of('int', 1)} AS a, 1 AS b FROM ${inner.name} y WHERE ${condition}`,
    `SELECT ${item.of('int', 1)} AS a, 1 AS b FROM ${inner.name} y WHERE ${condition} ORDER BY 1 LIMIT 2`,
  ])
  const join = rng.pick(['CROSS JOIN LATERAL (', 'LEFT JOIN LATERAL (']) + `${body}) l`
  const on = join.startsWith('LEFT') ? ' ON true' : ''
  return `${ctes}SELECT ${new Expressions(rng, scope).any(1).sql} AS c1, l.a AS c2, l.b AS c3 FROM ${sql} ${join}${on}`
}

function groupingSets(rng: Rng, tables: readonly Table[]): string {
  const { ctes, sql, scope } = from(rng, tables, 2)
  const expressions = new Expressions(rng, scope)
  const [a, b] = [expressions.any(0).sql, expressions.any(0).sql]
  const sets = rng.pick([`ROLLUP (${a}, ${b})`, `CUBE (${a}, ${b})`, `GROUPING SETS ((${a}), (${b}), ())`])
  const call = aggregate(rng, expressions).sql
  return `${ctes}SELECT ${a} AS c1, ${b} AS c2, grouping(${a}) AS c3, ${call} AS c4 FROM ${sql} GROUP BY ${sets}`
}

function windowed(rng: Rng, tables: readonly Table[]): string {
  const { ctes, sql, scope } = from(rng, tables, 2)
  const expressions = new Expressions(rng, scope)
  const partitions = rng.times(1, 2, () => `PARTITION BY ${expressions.any(0).sql} `)
  // Only functions that do not depend on the order of peers.
  const calls = rng.times(1, 3, (i) => {
    const partition = rng.chance(0.8) ? rng.pick(partitions) : ''
    const order = `ORDER BY ${expressions.any(0).sql}${rng.pick(['', ' DESC', ' NULLS FIRST'])}`
    const frame = rng.pick(['', '', ' GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING', ' GROUPS 2 PRECEDING EXCLUDE TIES'])
    const call = rng.pick([
      'rank()',
      'dense_rank()',
      'cume_dist()',
      'count(*)',
      `sum(${expressions.of('int', 1)})`,
      `max(${expressions.of('date', 0)})`,
      `count(*) FILTER (WHERE ${expressions.condition(1)})`,
    ])
    return `${call} OVER (${partition}${order}${frame}) AS c${i + 2}`
  })
  return `${ctes}SELECT ${expressions.any(1).sql} AS c1, ${calls.join(', ')} FROM ${sql}${where(rng, expressions)}`
}

/** Functions of bounded reach and prefixes, in one order. It is total in a table with a key; then all of them may be used. */
function ordered(rng: Rng, tables: readonly Table[]): string {
  const table = rng.pick(tables)
  const scope = table.columns.map(({ name, type }) => ({ sql: `x.${name}`, type }))
  const expressions = new Expressions(rng, scope)
  const partition = rng.chance(0.8) ? `PARTITION BY ${expressions.any(0).sql} ` : ''
  const direction = () => rng.pick(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'])
  const total = table.keyed ? `, x.id${rng.pick(['', ' DESC'])}` : ''
  const order = `ORDER BY ${expressions.any(0).sql}${direction()}${total}`
  const anyOrder = [
    'rank()',
    'dense_rank()',
    `sum(${expressions.of('int', 1)})`,
    `count(${expressions.any(0).sql})`,
    `max(${expressions.of('int', 0)}) FILTER (WHERE ${expressions.condition(1)})`,
  ]
  const value = expressions.any(0).sql
  const inTotal = [
    'row_number()',
    `lag(${value})`,
    `lead(${value}, ${rng.int(0, 3)})`,
    `lag(${expressions.of('int', 1)}, 2, 7)`,
    `first_value(${value})`,
  ]
  const framed = [
    `count(${value})`,
    `sum(${expressions.of('num', 1)})`,
    `last_value(${value})`,
    `nth_value(${value}, 2)`,
  ]
  const frames = [
    'ROWS 2 PRECEDING',
    'ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING',
    'ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING',
    'ROWS UNBOUNDED PRECEDING',
  ]
  const near = table.keyed && rng.chance(0.4)
  const calls = rng.times(1, 3, (i) => {
    if (table.keyed && rng.chance(0.4))
      return `${rng.pick(framed)} OVER (${partition}${order} ${rng.pick(frames)}) AS c${i + 2}`
    return `${rng.pick(near ? inTotal : anyOrder)} OVER (${partition}${order}) AS c${i + 2}`
  })
  return `SELECT ${expressions.any(1).sql} AS c1, ${calls.join(', ')} FROM ${table.name} x${where(rng, expressions)}`
}

/** The first rows of each partition. Rows that tie in all columns are equal, so it does not matter which come first. */
function firsts(rng: Rng, tables: readonly Table[]): string {
  const { ctes, sql, scope } = from(rng, tables, 2)
  const expressions = new Expressions(rng, scope)
  const partition = rng.chance(0.8) ? `PARTITION BY ${expressions.any(0).sql} ` : ''
  const all = scope.map((column) => `${column.sql}${rng.pick(['', ' DESC', ' NULLS FIRST'])}`).join(', ')
  const call = rng.pick([
    `row_number() OVER (${partition}ORDER BY ${all})`,
    `rank() OVER (${partition}ORDER BY ${expressions.any(0).sql})`,
    `dense_rank() OVER (${partition}ORDER BY ${expressions.any(0).sql} DESC)`,
  ])
  const inner = `SELECT ${expressions.any(1).sql} AS c1, ${call} AS n FROM ${sql}${where(rng, expressions)}`
  return `${ctes}SELECT c1, n FROM (${inner}) x WHERE ${rng.pick(['n <= 2', 'n = 1', 'n < 4 AND n > 1', 'n IN (1, 3)'])}`
}

function limited(rng: Rng, tables: readonly Table[]): string {
  const { ctes, sql, scope } = from(rng, tables, 2)
  const expressions = new Expressions(rng, scope)
  const items = rng.times(1, 3, () => expressions.any(1).sql)
  // Ordered by all selected columns, so that the order of equal rows does not matter.
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
    `sum(${number}::float8 / 4)`,
    `avg(${number}::real / 8)`,
    `var_samp(${expressions.of(rng.pick(NUMBERS), 1)})`,
    `stddev_pop(${number})`,
    `round(regr_slope(${number}, ${expressions.of('big', 0)})::numeric, 6)`,
    `count(DISTINCT ${text})`,
    `count(DISTINCT ${number}) + count(*)`,
    `sum(DISTINCT ${number}) FILTER (WHERE ${expressions.condition(1)})`,
    `percentile_disc(0.5) WITHIN GROUP (ORDER BY ${number})`,
    `mode() WITHIN GROUP (ORDER BY ${rng.pick([number, text])}${direction(rng)})`,
    `bool_or(${expressions.condition(1)})`,
    `bool_and(${expressions.condition(1)})`,
    `bit_xor(${number})`,
    `bit_or(${number})`,
    `bit_and(${number}) FILTER (WHERE ${expressions.condition(1)})`,
  ])
  if (rng.chance(0.2)) return `${ctes}SELECT ${call} AS c1, count(*) AS c2 FROM ${sql}${where(rng, expressions)}`
  return `${ctes}SELECT ${key} AS c1, ${call} AS c2 FROM ${sql} GROUP BY ${rng.pick([key, `ROLLUP (${key})`])}`
}

function nested(rng: Rng, tables: readonly Table[]): string {
  const inner = rng.chance(0.5) ? grouped(rng, tables).sql : flat(rng, tables, 2).sql
  return `SELECT count(*) AS n, q.c1 FROM (${inner}) q GROUP BY q.c1`
}
