/** The database of the page. It is in memory, and every tab has its own. */
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import type { StreamTable, StreamTablePlan } from '@pgtrickle/pglite'
import { Counters } from '@pgtrickle/pglite/devtools'
import { DATASETS } from './datasets'
import type { DatasetName } from './datasets'

export type Database = Awaited<ReturnType<typeof create>>

/** The name of the stream table. */
export const RESULT = 'result'

const create = () => PGlite.create({ extensions: { trickle } })

/** Opens the database. */
export async function open(): Promise<Database> {
  // When one of its files cannot be loaded, PGlite rejects a promise of its own, and `create` waits for ever.
  const waiting = new AbortController()
  const failed = new Promise<never>((_, reject) => {
    addEventListener(
      'unhandledrejection',
      (event) => {
        event.preventDefault()
        reject(new Error(`PostgreSQL does not start. ${String(event.reason)}`))
      },
      { signal: waiting.signal },
    )
  })
  try {
    return await Promise.race([create(), failed])
  } finally {
    waiting.abort()
  }
}

/** A table, for people and for completion. */
export interface Table {
  name: string
  columns: string[]
  rows: number
}

const LIST_TABLES = `
  SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
  GROUP BY c.oid, c.relname ORDER BY c.oid`

/** Replaces everything in the database by the tables of a data set. */
export async function load(pg: Database, dataset: DatasetName): Promise<Table[]> {
  await pg.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  await DATASETS[dataset].load(pg)
  await pg.exec('ANALYZE')
  const { rows: tables } = await pg.query<Omit<Table, 'rows'>>(LIST_TABLES)
  const count = async (name: string) =>
    (await pg.query<{ n: number }>(`SELECT count(*)::int AS n FROM "${name}"`)).rows[0]!.n
  return Promise.all(tables.map(async (table) => ({ ...table, rows: await count(table.name) })))
}

/** How a query would be maintained. Nothing of it stays in the database. */
export async function planOf(pg: Database, query: string): Promise<StreamTablePlan> {
  const plan = await pg.transaction(async (tx) => {
    await tx.trickle.createStreamTable('planned', query, { withData: false })
    const plan = await tx.trickle.explainStreamTable('planned')
    await tx.rollback()
    return plan
  })
  return plan as StreamTablePlan
}

/** Makes a query the stream table of the page. */
export const maintain = (pg: Database, query: string): Promise<StreamTable> =>
  pg.trickle.createStreamTable(RESULT, query, { orReplace: true })

/** What changes have cost, in milliseconds. */
export interface Cost {
  /** Of the stream table's maintenance, for one change. */
  maintenance: number
  /** Of the query, when it is run again. */
  query: number
}

let counters: Counters | undefined

/** Starts measuring. */
export async function startMeasuring(pg: Database): Promise<void> {
  counters = new Counters(pg)
  await counters.read()
}

/** What each of the changes since the last measurement has cost, and what the query costs now. */
export async function measure(pg: Database, query: string, changes: number): Promise<Cost> {
  const { lastMaintenance = 0 } = (await counters?.read()) ?? {}
  const { rows } = await pg.query<{ 'QUERY PLAN': { 'Planning Time': number; 'Execution Time': number }[] }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT json) ${query}`,
  )
  const [{ 'Planning Time': planning, 'Execution Time': execution }] = rows[0]!['QUERY PLAN'] as [
    { 'Planning Time': number; 'Execution Time': number },
  ]
  return { maintenance: lastMaintenance / changes, query: planning + execution }
}
