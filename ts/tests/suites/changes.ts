/** Random changes of any table, made of the values that it has. */
import type { Rng } from '../random/rng.js'

export interface Source {
  name: string
  columns: { name: string; type: string; isNullable: boolean }[]
  rows: number
}

/** One statement that changes one or two of the tables. */
export function change(rng: Rng, sources: readonly Source[]): string {
  const source = rng.pick(sources)
  if (rng.chance(0.05)) return `TRUNCATE ${source.name} CASCADE`
  if (!rng.chance(0.25)) return one(rng, source)
  return `WITH w AS (${one(rng, rng.pick(sources))}) ${one(rng, source)}`
}

function one(rng: Rng, source: Source): string {
  return rng.pick([
    () => insert(rng, source),
    () => insert(rng, source),
    () => update(rng, source),
    () => update(rng, source),
    () => `DELETE FROM ${source.name} WHERE ${some(rng, source)}`,
  ])()
}

/** Copies of some rows, in which some columns have other values. */
function insert(rng: Rng, source: Source): string {
  const names = source.columns.map(({ name }) => name).join(', ')
  const values = source.columns.map((column) => (rng.chance(0.6) ? `q.${column.name}` : other(rng, source, column)))
  return `INSERT INTO ${source.name} (${names}) SELECT ${values.join(', ')} FROM ${source.name} q WHERE ${some(rng, source)} ON CONFLICT DO NOTHING`
}

function update(rng: Rng, source: Source): string {
  const chosen = new Set(rng.times(1, 2, () => rng.pick(source.columns)))
  const set = [...chosen].map((column) => `${column.name} = ${other(rng, source, column, source.name)}`)
  return `UPDATE ${source.name} SET ${set.join(', ')} WHERE ${some(rng, source)}`
}

/** Another value of a column: that of another row, one near it, or NULL. */
function other(rng: Rng, source: Source, column: Source['columns'][number], alias = 'q'): string {
  const { name, type } = column
  if (column.isNullable && rng.chance(0.15)) return 'NULL'
  if (/^(smallint|integer|bigint|numeric|real|double)/.test(type) && rng.chance(0.4))
    return `${alias}.${name} ${rng.pick(['+ 1', '- 1', '* 0'])}`
  return `(SELECT v.${name} FROM ${source.name} v OFFSET ${rng.int(0, Math.max(0, source.rows - 1))} LIMIT 1)`
}

/** A condition for a few of the rows. */
function some(rng: Rng, source: Source): string {
  const most = Math.min(source.rows, rng.pick([1, 1, 2, 3, 20]))
  const first = rng.int(0, Math.max(0, source.rows - most))
  return `(tableoid, ctid) IN (SELECT tableoid, ctid FROM ${source.name} OFFSET ${first} LIMIT ${most})`
}
