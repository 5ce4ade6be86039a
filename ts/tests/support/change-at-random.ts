/** Random changes of whatever tables there are in the schema public, under the oracle. */
import type { Rng } from '../random/rng.js'
import type { Lab } from './lab.js'
import { literal } from './literal.js'

interface Column {
  name: string
  type: string
  /** The table and column that it refers to, as SQL. */
  target: [table: string, column: string] | null
}

interface Table {
  name: string
  columns: Column[]
}

const TABLES = `
SELECT c.oid::regclass::text AS name, json_agg(json_build_object(
    'name', quote_ident(a.attname), 'type', format_type(a.atttypid, NULL),
    'target', (SELECT json_build_array(f.confrelid::regclass::text, quote_ident(t.attname))
      FROM pg_constraint f JOIN pg_attribute t ON t.attrelid = f.confrelid AND t.attnum = f.confkey[1]
      WHERE f.contype = 'f' AND f.conrelid = c.oid AND f.conkey[1] = a.attnum LIMIT 1)) ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.oid ORDER BY c.oid::regclass::text`

const WORDS = ['green', 'tea', 'cup', 'Ada', 'blue tea', 'quick brown fox', '', 'a "b"', "it's"]

/** Makes changes, each followed by the oracle. Some fail, for a constraint: they must change nothing. */
export async function changeAtRandom(lab: Lab, rng: Rng, count: number): Promise<{ done: number; failed: number }> {
  const tables = (await lab.pg.query<Table>(TABLES)).rows
  let failed = 0
  let inTransaction = false
  for (let n = 0; n < count; n++) {
    const change = rng.chance(0.03) ? `TRUNCATE ${rng.pick(tables).name} CASCADE` : statement(rng, rng.pick(tables))
    // A savepoint, so that a statement that fails does not end the transaction.
    const sql = inTransaction ? `SAVEPOINT s; ${change}` : change
    try {
      await lab.exec(sql)
    } catch {
      failed++
      if (inTransaction) await lab.exec('ROLLBACK TO s')
    }
    await lab.check(change)
    if (rng.chance(0.15)) {
      const end = inTransaction ? rng.pick(['COMMIT', 'ROLLBACK']) : 'BEGIN'
      await lab.run(end)
      inTransaction = !inTransaction
    }
  }
  if (inTransaction) await lab.run('COMMIT')
  return { done: count, failed }
}

function statement(rng: Rng, table: Table): string {
  const { name, columns } = table
  switch (rng.pick(['insert', 'insert', 'update', 'update', 'delete'])) {
    case 'insert': {
      const values = columns.map((column) => value(rng, table, column))
      const list = columns.map((column) => column.name).join(', ')
      return `INSERT INTO ${name} (${list}) SELECT ${values.join(', ')} FROM generate_series(1, ${rng.int(1, 3)}) n ON CONFLICT DO NOTHING`
    }
    case 'update': {
      const column = rng.pick(columns)
      return `UPDATE ${name} SET ${column.name} = ${value(rng, table, column)} WHERE ${someRows(rng, name)}`
    }
    default:
      return `DELETE FROM ${name} WHERE ${someRows(rng, name)}`
  }
}

/** One to three rows in the order in which they are stored, which depends on nothing but the statements before. */
function someRows(rng: Rng, table: string): string {
  const offset = `${rng.int(0, 1000)} % greatest((SELECT count(*) FROM ${table}), 1)`
  return `ctid = ANY (ARRAY(SELECT ctid FROM ${table} ORDER BY ctid OFFSET ${offset} LIMIT ${rng.int(1, 3)}))`
}

/** A value of some row, or near to one: `n` numbers the rows of an INSERT. */
function value(rng: Rng, table: Table, { name, type, target }: Column): string {
  if (rng.chance(0.04)) return 'NULL'
  const [from, column] = target ?? [table.name, name]
  const offset = `${rng.int(0, 1000)} % greatest((SELECT count(*) FROM ${from}), 1)`
  const known = `(SELECT ${column} FROM ${from} ORDER BY ctid OFFSET ${offset} LIMIT 1)`
  if (target !== null && rng.chance(0.95)) return known
  if (/int|numeric|double|real/.test(type)) return `coalesce(${known}, 1) + ${rng.pick([0, 0, 1, 2, -1, 7, 100])}`
  if (/^(date|timestamp)/.test(type))
    return `coalesce(${known}, '2026-01-01')::timestamp + ${rng.int(-3, 3)} * interval '${rng.pick(['10 minutes', '1 day'])}'`
  if (type === 'boolean') return rng.pick(['true', 'false'])
  if (/text|char/.test(type)) return rng.chance(0.5) ? literal(rng.pick(WORDS)) : known
  return known
}
