/** Random expressions of a given type over the columns in scope. None can fail for any value in the tables. */
import type { Rng } from './rng.js'
import { TYPES, value } from './schema.js'
import type { Type } from './schema.js'

/** A column or grouping expression that can be used at this place of the query. */
export interface Scalar {
  sql: string
  type: Type
}

export class Expressions {
  constructor(
    private readonly rng: Rng,
    private readonly scope: readonly Scalar[],
  ) {}

  /** Any expression, mostly a plain column. */
  any(depth = 2): Scalar {
    const type = this.rng.pick(this.scope).type
    return { type, sql: this.of(type, this.rng.chance(0.6) ? 0 : depth) }
  }

  /** An expression of this type. */
  of(type: Type, depth = 2): string {
    const columns = this.scope.filter((column) => column.type === type)
    if (columns.length > 0 && (depth <= 0 || this.rng.chance(0.4))) return this.rng.pick(columns).sql
    if (depth <= 0) return this.#literal(type)
    return this.rng.chance(0.3) ? this.#generic(type, depth - 1) : this.#special(type, depth - 1)
  }

  /** A condition. */
  condition(depth = 2): string {
    const d = depth - 1
    if (depth > 0 && this.rng.chance(0.3)) {
      const other = () => this.condition(d)
      return this.rng.pick([
        () => `(${other()} AND ${other()})`,
        () => `(${other()} OR ${other()})`,
        () => `(NOT ${other()})`,
      ])()
    }
    const { type, sql } = this.any(d)
    return this.rng.pick([
      () => `${sql} ${this.rng.pick(['=', '<>', '<', '<=', '>', '>='])} ${this.#literal(type)}`,
      () => `${sql} ${this.rng.pick(['=', '<>', '<', '>='])} ${this.of(type, d)}`,
      () => `${sql} IS ${this.rng.pick(['', 'NOT '])}NULL`,
      () => `${sql} IS ${this.rng.pick(['', 'NOT '])}DISTINCT FROM ${this.of(type, d)}`,
      () => `${sql} ${this.rng.pick(['', 'NOT '])}IN (${this.rng.times(1, 3, () => this.#literal(type)).join(', ')})`,
      () => `${sql} BETWEEN ${this.#literal(type)} AND ${this.#literal(type)}`,
      () => this.#clock(d),
    ])()
  }

  /** A comparison with the clock. */
  #clock(depth: number): string {
    const bound = () =>
      this.rng.pick([
        'current_date',
        'current_date - 1',
        'now()',
        "now() - interval '1 day'",
        "date_trunc('month', now())",
        'localtimestamp',
        "(now() + interval '50 days')::date",
      ])
    const value = this.of('date', depth)
    return this.rng.pick([
      () => `${value} ${this.rng.pick(['=', '<', '<=', '>', '>='])} ${bound()}`,
      () => `${bound()} ${this.rng.pick(['<', '>='])} ${value}`,
      () => `${value} BETWEEN ${bound()} AND ${bound()}`,
    ])()
  }

  #literal(type: Type): string {
    const text = value(this.rng, type, 0.1)
    return type === 'int' && text !== 'NULL' ? `(${text})` : `(${text})::${TYPES[type]}`
  }

  #generic(type: Type, depth: number): string {
    const some = () => this.of(type, depth)
    return this.rng.pick([
      () => `CASE WHEN ${this.condition(depth)} THEN ${some()} ELSE ${some()} END`,
      () => `CASE WHEN ${this.condition(depth)} THEN ${some()} END`,
      () => `coalesce(${some()}, ${some()})`,
      () => `nullif(${some()}, ${this.#literal(type)})`,
      () => `${this.rng.pick(['greatest', 'least'])}(${some()}, ${some()})`,
    ])()
  }

  #special(type: Type, depth: number): string {
    const of = (wanted: Type) => this.of(wanted, depth)
    switch (type) {
      case 'int':
        return this.rng.pick([
          () => `(${of('int')} ${this.rng.pick(['+', '-'])} ${of('int')})`,
          // Keys grow, so a product of two of them could overflow.
          () => `(${of('int')} * ${this.rng.int(-2, 3)})`,
          () => `(${of('int')} % nullif(${of('int')}, 0))`,
          () => `abs(${of('int')})`,
          () => `(- ${of('int')})`,
          () => `length(${of('text')})`,
          () => `${of('small')}::int`,
          () => `(${of('bool')})::int`,
          () => `extract(month FROM ${of('date')})::int`,
          () => `cardinality(${of('list')})`,
          () => `pg_column_size(${of('small')})`,
        ])()
      case 'small':
        return `(${of('small')} & 3::smallint)`
      case 'big':
        return this.rng.pick([() => `(${of('big')} - ${of('int')})`, () => `${of('int')}::bigint`])()
      case 'num':
        return this.rng.pick([
          () => `(${of('num')} ${this.rng.pick(['+', '-', '*'])} ${of('dec')})`,
          () => `(${of('dec')} / nullif(${of('int')}, 0))`,
          () => `round(${of('num')}, 1)`,
          () => `(${of('num')} * ${of('int')})`,
        ])()
      case 'dec':
        return this.rng.pick([() => `${of('small')}::numeric(8,2)`, () => `trunc(${of('dec')})::numeric(8,2)`])()
      case 'text':
        return this.rng.pick([
          () => `(${of('text')} || ${of('text')})`,
          () => `upper(${of('text')})`,
          () => `substr(${of('text')}, 1, 1)`,
          () => `${of('int')}::text`,
          () => `${of('date')}::text`,
          // STABLE ones. None of them writes a number that can be spelled in two ways.
          () => `concat_ws('-', ${of('int')}, ${of('text')}, ${of('date')})`,
          () => `format('%s/%L', ${of('bool')}, ${of('text')})`,
          () => `array_to_string(${of('list')}, ',', '*')`,
          () => `to_char(${of('date')}, 'YYMMDD')`,
          () => `pg_typeof(${of('num')})::text`,
        ])()
      case 'date':
        return `(${of('date')} + ${of('small')}::int)`
      case 'bool':
        return `(${this.condition(depth)})`
      case 'float':
        return this.rng.pick([
          () => `(${of('float')} ${this.rng.pick(['+', '-'])} ${of('float')})`,
          () => `(${of('float')} * 2)`,
          () => `${of('int')}::float8`,
        ])()
      case 'list':
        return this.rng.pick([() => `ARRAY[${of('int')}, 2]`, () => `(${of('list')} || ${of('int')})`])()
      case 'json':
        return this.rng.pick([
          () => `jsonb_build_object('a', ${of('int')}, 'b', ${of('text')})`,
          () => `(${of('json')} -> 'a')`,
          () => `to_jsonb(${of('list')})`,
          () => `to_jsonb(${of('date')})`,
          () => `jsonb_build_array()`,
        ])()
    }
  }
}
