/** Random recursive CTEs that terminate: UNION selects only columns, which have few values; UNION ALL counts its steps. */
import { Expressions } from './expression.js'
import type { Scalar } from './expression.js'
import type { Rng } from './rng.js'
import type { Table, Type } from './schema.js'

function scopeOf(table: Table, alias: string): Scalar[] {
  return table.columns.map(({ name, type }) => ({ sql: `${alias}.${name}`, type }))
}

export function recursive(rng: Rng, tables: readonly Table[]): string {
  const [base, step] = [rng.pick(tables), rng.pick(tables)]
  const [outer, inner] = [scopeOf(base, 'x'), scopeOf(step, 'y')]
  const ofType = (scope: readonly Scalar[], type: Type) => scope.filter((column) => column.type === type)
  const shared = outer.map(({ type }) => type).filter((type) => ofType(inner, type).length > 0)
  if (shared.length === 0) return `SELECT count(*) AS c1 FROM ${base.name}`
  const types = [rng.pick(shared), ...rng.times(0, 1, () => rng.pick(shared))]
  const all = rng.chance(0.5)
  const counted = all || rng.chance(0.3)

  const first = types.map((type) => rng.pick(ofType(outer, type)).sql)
  const own = types.map((type, i) => ({ sql: `r.c${i + 1}`, type }))
  const next = types.map((type, i) => rng.pick([...ofType(inner, type), ...(i > 0 ? ofType(own, type) : [])]).sql)
  const key = rng.pick(ofType(inner, types[0] ?? 'int')).sql
  const conditions = [`${key} = r.c1`]
  if (counted) conditions.push('r.d < 2')
  if (rng.chance(0.3)) conditions.push(new Expressions(rng, [...own, ...inner]).condition(1))
  let tablesOfStep = `r JOIN ${step.name} y ON ${conditions.join(' AND ')}`
  if (!all && rng.chance(0.25)) {
    const third = rng.pick(tables)
    const pairs = inner.flatMap((a) => ofType(scopeOf(third, 'z'), a.type).map((b) => `${a.sql} = ${b.sql}`))
    tablesOfStep += ` JOIN ${third.name} z ON ${pairs.length > 0 ? rng.pick(pairs) : 'false'}`
  }
  const names = [...types.map((_, i) => `c${i + 1}`), ...(counted ? ['d'] : [])]
  const where = rng.chance(0.6) ? ` WHERE ${new Expressions(rng, outer).condition(1)}` : ''
  const cte = `WITH RECURSIVE r(${names.join(', ')}) AS (
    SELECT ${[...first, ...(counted ? ['0'] : [])].join(', ')} FROM ${base.name} x${where}
    UNION${all ? ' ALL' : ''} SELECT ${[...next, ...(counted ? ['r.d + 1'] : [])].join(', ')} FROM ${tablesOfStep})`

  const back = rng.pick(tables)
  const pairs = own.flatMap((a) => ofType(scopeOf(back, 'q'), a.type).map((b) => `${a.sql} = ${b.sql}`))
  return rng.pick([
    `${cte} SELECT ${names.join(', ')} FROM r`,
    `${cte} SELECT c1, count(*) AS n FROM r GROUP BY c1`,
    `${cte} SELECT r.c1 FROM r WHERE ${new Expressions(rng, own).condition(1)}`,
    ...(pairs.length > 0
      ? [`${cte} SELECT r.c1, q.${back.columns[0]?.name} AS c2 FROM ${back.name} q LEFT JOIN r ON ${rng.pick(pairs)}`]
      : []),
  ])
}
