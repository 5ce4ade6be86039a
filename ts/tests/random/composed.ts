/** Random queries of several operators. Each reads tables, or other such queries, nested to some depth. */
import { Expressions } from './expression.js'
import type { Scalar } from './expression.js'
import type { Rng } from './rng.js'
import { DOCUMENT } from './schema.js'
import type { Column, Table, Type } from './schema.js'

export interface Composed {
  sql: string
  columns: Column[]
}

/** An item in FROM. */
interface Input {
  sql: string
  scope: Scalar[]
}

/** Types that can be ordered, compared and grouped, and whose equal values have the same text. */
const PLAIN: readonly Type[] = ['int', 'small', 'big', 'dec', 'text', 'date', 'bool']

export class Composer {
  readonly #ctes: Composed[] = []
  readonly #names: string[] = []
  #aliases = 0
  /** How many more inputs may be joined. This keeps results small. */
  #joins: number

  constructor(
    private readonly rng: Rng,
    private readonly tables: readonly Table[],
  ) {
    this.#joins = rng.int(1, 4)
  }

  /** A query with up to `depth` nested operators. */
  query(depth: number): Composed {
    const { sql, columns } = this.#select(depth)
    const list = this.#ctes.map(
      (cte, i) => `${this.#names[i]} AS ${this.rng.pick(['', '', 'MATERIALIZED ', 'NOT MATERIALIZED '])}(${cte.sql})`,
    )
    return { sql: `${list.length > 0 ? `WITH ${list.join(', ')} ` : ''}${sql}`, columns }
  }

  #select(depth: number): Composed {
    const make = this.rng.pick([
      ...[this.#project, this.#join, this.#join, this.#semiJoin, this.#group, this.#group, this.#distinct],
      ...[
        this.#distinctOn,
        this.#setOperation,
        this.#scalar,
        this.#lateral,
        this.#window,
        this.#firsts,
        this.#top,
        this.#elements,
      ],
      ...[this.#groupingSets, this.#collect, this.#single, this.#ordered, this.#rowsAsKeys, this.#dependents],
    ])
    return make.call(this, depth - 1)
  }

  /** A table, a subquery or a CTE, under a new name. */
  #input(depth: number): Input {
    const alias = `a${++this.#aliases}`
    if (this.rng.chance(0.06)) return this.#constant(alias)
    if (depth <= 0 || this.rng.chance(0.15)) {
      const table = this.rng.pick(this.tables)
      return { sql: `${table.name} ${alias}`, scope: scopeOf(alias, table.columns) }
    }
    const known = this.rng.int(0, this.#ctes.length)
    const cte = this.#ctes[known]
    if (cte !== undefined && this.rng.chance(0.5))
      return { sql: `${this.#names[known]} ${alias}`, scope: scopeOf(alias, cte.columns) }
    const made = this.#select(depth)
    if (!this.rng.chance(0.2)) return { sql: `(${made.sql}) ${alias}`, scope: scopeOf(alias, made.columns) }
    this.#ctes.push(made)
    this.#names.push(`q${this.#ctes.length}`)
    return { sql: `${this.#names.at(-1)} ${alias}`, scope: scopeOf(alias, made.columns) }
  }

  /** A relation that reads no table. */
  #constant(alias: string): Input {
    const [sql, columns] = this.rng.pick<[string, Column[]]>([
      [`generate_series(0, ${this.rng.int(0, 4)}) ${alias}(x)`, [{ name: 'x', type: 'int' }]],
      [
        `(VALUES (1, 'a'), (2, NULL), (2, 'b')) ${alias}(x, y)`,
        [
          { name: 'x', type: 'int' },
          { name: 'y', type: 'text' },
        ],
      ],
      [`(SELECT ${this.rng.int(1, 3)} AS x) ${alias}`, [{ name: 'x', type: 'int' }]],
      [`(SELECT 1 AS x UNION SELECT 3) ${alias}`, [{ name: 'x', type: 'int' }]],
    ])
    return { sql, scope: scopeOf(alias, columns) }
  }

  /** What depends on the order of a subquery and has none of its own. The subquery is ordered by all that it selects. */
  #ordered(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const items = this.rng.times(1, 2, () => this.#plain(expressions))
    const list = items.map((item, i) => `${item.sql} AS o${i + 1}`).join(', ')
    const order = items.map((_, i) => `${i + 1}${this.rng.pick(['', ' DESC', ' NULLS FIRST'])}`).join(', ')
    const name = `a${++this.#aliases}`
    let from = `(SELECT ${list} FROM ${sql}${this.#where(expressions, 0.2)} ORDER BY ${order}) ${name}`
    if (this.rng.chance(0.3)) from = `(SELECT * FROM ${from} WHERE ${name}.o1 IS NOT NULL) ${name}`
    const shown = items.map((item, i) => ({ sql: `${name}.o${i + 1}`, type: item.type }))
    const first = shown[0] ?? { sql: '1', type: 'int' as const }
    const number: Scalar = { sql: 'row_number() OVER ()', type: 'big' }
    const text = `string_agg(${first.sql}::text, ',')`
    return this.rng.pick<() => Composed>([
      () => this.#list(shown, `FROM ${from} LIMIT ${this.rng.int(0, 4)}`),
      () => this.#list(shown, `FROM ${from} OFFSET ${this.rng.int(0, 3)}`),
      () => this.#list([...shown, number], `FROM ${from}`),
      () => this.#list([{ sql: text, type: 'text' }], `FROM ${from}`),
      () => this.#list([{ sql: `${text} OVER ()`, type: 'text' }, first], `FROM ${from}`),
      () => this.#list([{ sql: `first_value(${first.sql}) OVER ()`, type: first.type }], `FROM ${from}`),
    ])()
  }

  /** Functions that return rows, as what is grouped by. */
  #rowsAsKeys(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const key: Scalar = this.rng.pick<Scalar>([
      { sql: `unnest(${expressions.of('list', 0)})`, type: 'int' },
      { sql: `generate_series(1, ${expressions.of('small', 0)})`, type: 'int' },
    ])
    const other = this.#plain(expressions)
    const [shown, by] = this.rng.pick<[Scalar[], string]>([
      [[key], '1'],
      [[key, other], '1, 2'],
      [[key], `ROLLUP (${key.sql})`],
    ])
    return this.#list([...shown, this.#call(expressions)], `FROM ${sql} GROUP BY ${by}`)
  }

  /** Columns that a grouped primary key determines, above an outer join. */
  #dependents(depth: number): Composed {
    const keyed = this.tables.filter((each) => each.keyed)
    if (keyed.length === 0) return this.#group(depth)
    const table = this.rng.pick(keyed)
    const alias = `a${++this.#aliases}`
    const outer = scopeOf(alias, table.columns)
    const inner = this.#input(Math.min(depth, 1))
    const calls = this.rng.times(1, 2, () => this.#call(new Expressions(this.rng, inner.scope)))
    const on = this.#equal(outer, inner.scope)
    const shown = this.rng.times(1, 2, () => new Expressions(this.rng, outer).any(0))
    const grouping: Scalar[] = this.rng.chance(0.3) ? [{ sql: `grouping(${alias}.id)`, type: 'int' }] : []
    const kind = this.rng.pick(['', 'LEFT ', 'LEFT '])
    const documents: Scalar[] = this.rng.chance(0.4) ? [{ sql: `${alias}.${DOCUMENT}::text`, type: 'text' }] : []
    return this.#list(
      [...shown, ...documents, ...grouping, ...calls],
      `FROM ${table.name} ${alias} ${kind}JOIN ${inner.sql} ON ${on} GROUP BY ${alias}.id`,
    )
  }

  #project(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    return this.#list(
      this.rng.times(1, 4, () => expressions.any(1)),
      `FROM ${sql}${this.#where(expressions)}`,
    )
  }

  #join(depth: number): Composed {
    const left = this.#input(depth)
    if (this.#joins <= 0) return this.#list(left.scope.slice(0, 4), `FROM ${left.sql}`)
    this.#joins--
    const right = this.#input(Math.min(depth, 1))
    const kind = this.rng.pick(['', 'LEFT ', 'RIGHT ', 'FULL '])
    const extra =
      kind !== 'FULL ' && this.rng.chance(0.2)
        ? ` AND ${new Expressions(this.rng, [...left.scope, ...right.scope]).condition(1)}`
        : ''
    const on = this.#equal(left.scope, right.scope) + extra
    const expressions = new Expressions(this.rng, [...left.scope, ...right.scope])
    return this.#list(
      this.rng.times(2, 4, () => expressions.any(1)),
      `FROM ${left.sql} ${kind}JOIN ${right.sql} ON ${on}${this.#where(expressions, 0.2)}`,
    )
  }

  #semiJoin(depth: number): Composed {
    const outer = this.#input(depth)
    const inner = this.#input(Math.min(depth, 2))
    const on = this.#equal(outer.scope, inner.scope)
    const pair = this.#pair(outer.scope, inner.scope)
    const [probe, target] = pair ?? ['1', '1']
    const condition = this.rng.pick([
      `EXISTS (SELECT FROM ${inner.sql} WHERE ${on})`,
      `NOT EXISTS (SELECT FROM ${inner.sql} WHERE ${on})`,
      `${this.rng.pick(['', 'NOT '])}EXISTS (SELECT FROM ${inner.sql}${this.#where(new Expressions(this.rng, inner.scope))})`,
      `${probe} IN (SELECT ${target} FROM ${inner.sql})`,
      `${probe} NOT IN (SELECT ${target} FROM ${inner.sql})`,
      `${probe} ${this.rng.pick(['<>', '>=', '<'])} ALL (SELECT ${target} FROM ${inner.sql} WHERE ${on})`,
      `${probe} ${this.rng.pick(['=', '>'])} ANY (SELECT ${target} FROM ${inner.sql})`,
    ])
    const expressions = new Expressions(this.rng, outer.scope)
    const or = this.rng.chance(0.2) ? ` OR ${expressions.condition(1)}` : ''
    return this.#list(
      this.rng.times(1, 3, () => expressions.any(0)),
      `FROM ${outer.sql} WHERE ${condition}${or}`,
    )
  }

  #group(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const keys = this.rng.times(1, 2, () => expressions.any(0))
    const calls = this.rng.times(1, 3, () => this.#call(expressions))
    const having = this.rng.chance(0.2) ? ` HAVING count(*) > ${this.rng.int(0, 2)}` : ''
    const by = keys.map((key) => key.sql).join(', ')
    return this.#list([...keys, ...calls], `FROM ${sql}${this.#where(expressions, 0.3)} GROUP BY ${by}${having}`)
  }

  #groupingSets(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const [a, b] = [expressions.any(0), expressions.any(0)]
    const sets = this.rng.pick([`ROLLUP (${a.sql}, ${b.sql})`, `CUBE (${a.sql})`, `GROUPING SETS ((${b.sql}), ())`])
    const shown = sets.startsWith('ROLLUP') ? [a, b] : [sets.startsWith('CUBE') ? a : b]
    return this.#list([...shown, this.#call(expressions)], `FROM ${sql} GROUP BY ${sets}`)
  }

  /** Exactly one row. */
  #single(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const calls = this.rng.times(1, 3, () => this.#call(expressions))
    return this.#list(calls, `FROM ${sql}${this.#where(expressions)}`)
  }

  #call(expressions: Expressions): Scalar {
    const filter = this.rng.chance(0.15) ? ` FILTER (WHERE ${expressions.condition(1)})` : ''
    const number = this.rng.pick<Type>(['int', 'small', 'dec', 'float'])
    const plain = this.rng.pick(PLAIN.filter((type) => type !== 'bool'))
    const distinct = this.rng.chance(0.2) ? 'DISTINCT ' : ''
    return this.rng.pick<() => Scalar>([
      () => ({ sql: `count(*)${filter}`, type: 'big' }),
      () => ({ sql: `count(${distinct}${expressions.of(plain, 0)})${filter}`, type: 'big' }),
      () => ({ sql: `sum(${distinct}${expressions.of('int', 1)})${filter}`, type: 'big' }),
      () => ({ sql: `sum(${distinct}${expressions.of('dec', 0)})${filter}`, type: 'num' }),
      () => ({ sql: `sum(${expressions.of('float', 0)})${filter}`, type: 'float' }),
      () => ({ sql: `avg(${expressions.of(number, 0)})${filter}`, type: number === 'float' ? 'float' : 'num' }),
      () => ({ sql: `${this.rng.pick(['min', 'max'])}(${expressions.of(plain, 0)})${filter}`, type: plain }),
      () => ({ sql: `bool_${this.rng.pick(['and', 'or'])}(${expressions.of('bool', 0)})${filter}`, type: 'bool' }),
      () => ({ sql: `bit_${this.rng.pick(['and', 'or', 'xor'])}(${expressions.of('int', 0)})${filter}`, type: 'int' }),
    ])()
  }

  /** Aggregates whose value contains the whole group. */
  #collect(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const key = expressions.any(0)
    const [number, text] = [expressions.of('int', 0), expressions.of('text', 0)]
    const call = this.rng.pick<Scalar>([
      { sql: `string_agg(${text}, ',' ORDER BY ${text})`, type: 'text' },
      { sql: `array_agg(${number} ORDER BY ${number})`, type: 'list' },
      { sql: `jsonb_agg(${number} ORDER BY ${number})`, type: 'json' },
      { sql: `percentile_disc(0.5) WITHIN GROUP (ORDER BY ${number})`, type: 'int' },
      { sql: `mode() WITHIN GROUP (ORDER BY ${text})`, type: 'text' },
    ])
    return this.rng.chance(0.8)
      ? this.#list([key, call], `FROM ${sql} GROUP BY ${key.sql}`)
      : this.#list([call], `FROM ${sql}${this.#where(expressions)}`)
  }

  #distinct(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const items = this.rng.times(1, 3, () => expressions.any(0))
    return this.#list(items, `FROM ${sql}${this.#where(expressions)}`, 'DISTINCT ')
  }

  /** Ordered by all selected columns, so that there is one result. */
  #distinctOn(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const items = this.rng.times(2, 3, () => this.#plain(expressions))
    const order = items.map((_, i) => `${i + 1}${this.rng.pick(['', ' DESC', ' NULLS FIRST'])}`).join(', ')
    return this.#list(
      items,
      `FROM ${sql}${this.#where(expressions, 0.2)} ORDER BY ${order}`,
      `DISTINCT ON (${items[0]?.sql}) `,
    )
  }

  #setOperation(depth: number): Composed {
    const types = this.rng.times<Type>(1, 3, () => this.rng.pick(PLAIN))
    const branch = (branchDepth: number) => {
      const { sql, scope } = this.#input(branchDepth)
      const expressions = new Expressions(this.rng, scope)
      const items = types.map((type) => ({ sql: expressions.of(type, 0), type }))
      return this.#list(items, `FROM ${sql}${this.#where(expressions)}`)
    }
    const operator = this.rng.pick(['UNION', 'UNION ALL', 'INTERSECT', 'INTERSECT ALL', 'EXCEPT', 'EXCEPT ALL'])
    const first = branch(depth)
    return { sql: `(${first.sql}) ${operator} (${branch(Math.min(depth, 1)).sql})`, columns: first.columns }
  }

  #scalar(depth: number): Composed {
    const outer = this.#input(depth)
    const inner = this.#input(Math.min(depth, 1))
    const on = this.rng.chance(0.8) ? ` WHERE ${this.#equal(outer.scope, inner.scope)}` : ''
    const call = this.#call(new Expressions(this.rng, inner.scope))
    const value: Scalar = { sql: `(SELECT ${call.sql} FROM ${inner.sql}${on})`, type: call.type }
    const shown = new Expressions(this.rng, outer.scope).any(0)
    if (call.type === 'big' && this.rng.chance(0.4))
      return this.#list([shown], `FROM ${outer.sql} WHERE ${value.sql} ${this.rng.pick(['>', '=', '<='])} 2`)
    return this.#list([shown, value], `FROM ${outer.sql}`)
  }

  #lateral(depth: number): Composed {
    const outer = this.#input(depth)
    const inner = this.#input(Math.min(depth, 1))
    const on = this.#equal(outer.scope, inner.scope)
    const expressions = new Expressions(this.rng, inner.scope)
    const [x, y] = [this.#plain(expressions), this.#plain(expressions)]
    const call = this.#call(expressions)
    const name = `a${++this.#aliases}`
    const body = this.rng.pick([
      `SELECT ${x.sql} AS x, ${y.sql} AS y FROM ${inner.sql} WHERE ${on} ORDER BY 1, 2 LIMIT ${this.rng.int(1, 2)}`,
      `SELECT DISTINCT ${x.sql} AS x, ${y.sql} AS y FROM ${inner.sql} WHERE ${on}`,
      `SELECT ${x.sql} AS x, ${y.sql} AS y FROM ${inner.sql} WHERE ${on}`,
    ])
    const shown = this.rng.times(1, 2, () => new Expressions(this.rng, outer.scope).any(0))
    const [kind, condition] = this.rng.pick([
      ['CROSS', ''],
      ['LEFT', ' ON true'],
    ] as const)
    if (this.rng.chance(0.3))
      return this.#list(
        [...shown, { sql: `${name}.n`, type: call.type }],
        `FROM ${outer.sql} ${kind} JOIN LATERAL (SELECT ${call.sql} AS n FROM ${inner.sql} WHERE ${on}) ${name}${condition}`,
      )
    return this.#list(
      [...shown, { sql: `${name}.x`, type: x.type }, { sql: `${name}.y`, type: y.type }],
      `FROM ${outer.sql} ${kind} JOIN LATERAL (${body}) ${name}${condition}`,
    )
  }

  /** Only functions that do not depend on the order of peers. */
  #window(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const all = scope.map((column) => column.sql).join(', ')
    const windows = this.rng.times(1, 2, (i) => {
      const partition = this.rng.chance(0.75) ? `PARTITION BY ${this.#plain(expressions).sql} ` : ''
      const order = this.#plain(expressions).sql
      const number = expressions.of('int', 0)
      return this.rng.pick<Scalar>([
        { sql: `rank() OVER (${partition}ORDER BY ${order})`, type: 'big' },
        { sql: `dense_rank() OVER (${partition}ORDER BY ${order} DESC)`, type: 'big' },
        { sql: `count(*) OVER (${partition})`, type: 'big' },
        { sql: `sum(${number}) OVER (${partition}ORDER BY ${order})`, type: 'big' },
        {
          sql: `max(${number}) OVER (${partition}ORDER BY ${order} RANGE UNBOUNDED PRECEDING EXCLUDE GROUP)`,
          type: 'int',
        },
        // Either of two equal rows may come first, and in another window the other one.
        i === 0
          ? { sql: `lag(${number}) OVER (${partition}ORDER BY ${all})`, type: 'int' }
          : { sql: `min(${number}) OVER (${partition})`, type: 'int' },
      ])
    })
    const shown = this.rng.times(1, 2, () => expressions.any(0))
    return this.#list([...shown, ...windows], `FROM ${sql}${this.#where(expressions, 0.3)}`)
  }

  /** The first rows of each partition; equal rows may come in any order. */
  #firsts(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const partition = this.rng.chance(0.75) ? `PARTITION BY ${this.#plain(expressions).sql} ` : ''
    const call = this.rng.chance(0.5)
      ? `rank() OVER (${partition}ORDER BY ${this.#plain(expressions).sql} DESC)`
      : `row_number() OVER (${partition}ORDER BY ${scope.map((column) => column.sql).join(', ')})`
    const shown = this.rng.times(1, 2, () => expressions.any(0))
    const inner = this.#list([...shown, { sql: call, type: 'big' }], `FROM ${sql}${this.#where(expressions, 0.3)}`)
    const name = `a${++this.#aliases}`
    const columns = inner.columns.map((column) => ({ sql: `${name}.${column.name}`, type: column.type }))
    const number = columns[columns.length - 1]?.sql
    return this.#list(columns, `FROM (${inner.sql}) ${name} WHERE ${number} <= ${this.rng.int(1, 3)}`)
  }

  #top(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const items = this.rng.times(1, 3, () => this.#plain(expressions))
    const order = items.map((_, i) => `${i + 1}${this.rng.pick(['', ' DESC', ' NULLS FIRST'])}`).join(', ')
    const limit = this.rng.pick([
      `LIMIT ${this.rng.int(0, 5)}`,
      `OFFSET ${this.rng.int(0, 2)} LIMIT 3`,
      'FETCH FIRST 2 ROWS WITH TIES',
    ])
    return this.#list(items, `FROM ${sql}${this.#where(expressions, 0.3)} ORDER BY ${order} ${limit}`)
  }

  /** Set-returning functions. */
  #elements(depth: number): Composed {
    const { sql, scope } = this.#input(depth)
    const expressions = new Expressions(this.rng, scope)
    const name = `a${++this.#aliases}`
    const shown = expressions.any(0)
    const [call, columns] = this.rng.pick<[string, Scalar[]]>([
      [`unnest(${expressions.of('list', 0)}) AS ${name}(e)`, [{ sql: `${name}.e`, type: 'int' }]],
      [
        `unnest(${expressions.of('list', 0)}) WITH ORDINALITY AS ${name}(e, n)`,
        [
          { sql: `${name}.e`, type: 'int' },
          { sql: `${name}.n`, type: 'big' },
        ],
      ],
      [`generate_series(1, ${expressions.of('small', 0)}) AS ${name}(e)`, [{ sql: `${name}.e`, type: 'int' }]],
      [`jsonb_path_query(${expressions.of('json', 0)}, '$.*') AS ${name}(e)`, [{ sql: `${name}.e`, type: 'json' }]],
    ])
    const join = this.rng.pick([', ', ' CROSS JOIN LATERAL ', ' LEFT JOIN '])
    return this.#list([shown, ...columns], `FROM ${sql}${join}${call}${join.startsWith(' LEFT') ? ' ON true' : ''}`)
  }

  #where(expressions: Expressions, chance = 0.5): string {
    return this.rng.chance(chance) ? ` WHERE ${expressions.condition(1)}` : ''
  }

  /** An expression of a type that can be ordered and whose equal values have the same text. */
  #plain(expressions: Expressions): Scalar {
    const type = this.rng.pick(PLAIN)
    return { sql: expressions.of(type, this.rng.chance(0.7) ? 0 : 1), type }
  }

  #pair(left: readonly Scalar[], right: readonly Scalar[]): [string, string] | undefined {
    const pairs = left.flatMap((a) =>
      right.filter((b) => a.type === b.type && a.type !== 'json').map((b): [string, string] => [a.sql, b.sql]),
    )
    return pairs.length > 0 ? this.rng.pick(pairs) : undefined
  }

  #equal(left: readonly Scalar[], right: readonly Scalar[]): string {
    const pair = this.#pair(left, right)
    return pair === undefined ? '1 = 2' : `${pair[0]} = ${pair[1]}`
  }

  #list(items: readonly Scalar[], rest: string, distinct = ''): Composed {
    const list = items.map(({ sql }, i) => `${sql} AS c${i + 1}`).join(', ')
    return {
      sql: `SELECT ${distinct}${list} ${rest}`,
      columns: items.map(({ type }, i) => ({ name: `c${i + 1}`, type })),
    }
  }
}

function scopeOf(alias: string, columns: readonly Column[]): Scalar[] {
  return columns.map(({ name, type }) => ({ sql: `${alias}.${name}`, type }))
}
