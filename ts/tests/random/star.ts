/** Random groupings of facts by columns of their dimensions. A third of the rounds adds up the facts first. */
import type { Query } from './query.js'
import type { Rng } from './rng.js'
import type { Table, Type } from './schema.js'

const NUMBERS: readonly Type[] = ['int', 'small', 'big', 'num', 'dec']
const VALUES: readonly Type[] = ['int', 'small', 'text', 'date', 'dec', 'bool']

/** A query over facts, any table, and dimensions, tables with a key: nothing if there is none. */
export function star(rng: Rng, tables: readonly Table[]): Query | undefined {
  const usable = tables.filter(({ columns }) => columns.some(({ type }) => type === 'int'))
  const keyed = usable.filter((table) => table.keyed)
  if (keyed.length === 0) return undefined
  const [facts, dimension] = [rng.pick(usable), rng.pick(keyed)]
  const column = (of: Table, alias: string, types: readonly Type[]) =>
    `${alias}.${rng.pick(of.columns.filter(({ type }) => types.includes(type))).name}`
  const fact = (types: readonly Type[]) => column(facts, 'f', types)
  const condition = (alias: string) => {
    const number = column(alias === 'f' ? facts : dimension, alias, NUMBERS)
    return rng.pick([`${number} > 1`, `${number} <> 2`, `${number} IS NULL`, `${number} BETWEEN 0 AND 2`])
  }
  const aggregate = () => {
    const filter = rng.chance(0.2) ? ` FILTER (WHERE ${condition('f')})` : ''
    const call = rng.pick([
      () => 'count(*)',
      () => `count(${fact(VALUES)})`,
      () => `sum(${fact(NUMBERS)}${rng.pick(['', '', ' + 1', ' * 2'])})`,
      () => `avg(${fact(NUMBERS)})`,
      () => `${rng.pick(['min', 'max'])}(${fact(['int', 'text', 'date', 'dec'])})`,
      () => `${rng.pick(['bool_and', 'bool_or'])}(${condition('f')})`,
      () => `max(${column(dimension, 'd', ['int', 'text'])})`,
    ])()
    return `${call}${filter}`
  }
  const keys = rng.times(1, 2, () => column(dimension, 'd', VALUES))
  const calls = rng.times(1, 4, aggregate)
  let from = `${facts.name} f JOIN ${dimension.name} d ON d.id = ${fact(['int'])}`
  if (rng.chance(0.3)) {
    const other = rng.pick(keyed)
    const by = rng.chance(0.5) ? fact(['int']) : column(dimension, 'd', ['int'])
    from += ` JOIN ${other.name} e ON e.id = ${by}`
    keys.push(column(other, 'e', VALUES))
  }
  const where = rng.chance(0.4) ? ` WHERE ${condition(rng.pick(['f', 'd']))}` : ''
  const having = rng.chance(0.2) ? ` HAVING ${rng.pick(calls)} IS NOT NULL AND count(*) > 1` : ''
  const list = [...keys, ...calls].map((sql, i) => `${sql} AS c${i + 1}`).join(', ')
  return {
    sql: `SELECT ${list} FROM ${from}${where} GROUP BY ${keys.join(', ')}${having}`,
    freeSpelling: false,
  }
}
