/** Two tables of a random query: `x`, which it reads, and `y`, which its subqueries and joins read. */
import { Expressions } from './expression.js'
import type { Scalar } from './expression.js'
import type { Rng } from './rng.js'
import type { Table, Type } from './schema.js'

export interface Pair {
  outer: Table
  inner: Table
  /** The columns of `x`. */
  own: Scalar[]
  /** Expressions over `x`. */
  expressions: Expressions
  /** Expressions over `y`. */
  inside: Expressions
  /** A condition that joins them. */
  on: string
  /** The FROM clause of `x`. */
  from: string
  /** A column of the type, or a literal where there is none: of `x`, or in other expressions. */
  of: (type: Type, scope?: Expressions) => string
}

function scopeOf(table: Table, alias: string): Scalar[] {
  return table.columns.map(({ name, type }) => ({ sql: `${alias}.${name}`, type }))
}

export function pair(rng: Rng, tables: readonly Table[]): Pair {
  const [outer, inner] = [rng.pick(tables), rng.pick(tables)]
  const [own, others] = [scopeOf(outer, 'x'), scopeOf(inner, 'y')]
  const [expressions, inside] = [new Expressions(rng, own), new Expressions(rng, others)]
  const pairs = own.flatMap((a) => others.filter((b) => a.type === b.type).map((b) => `${a.sql} = ${b.sql}`))
  const on = pairs.length > 0 ? rng.pick(pairs) : 'false'
  const of = (type: Type, scope = expressions) => scope.of(type, 0)
  return { outer, inner, own, expressions, inside, on, from: `FROM ${outer.name} x`, of }
}
