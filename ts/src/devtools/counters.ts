/**
 * What stream tables do, as PostgreSQL itself counts it: rows written to their storage, and the time that maintenance
 * takes. The time is measured only while these counters are open (`track_functions`), and nothing else is.
 */
import { internalQuery } from '../internal-query.js'
import type { Database } from '../types.js'

/** Rows of a stream table written since the counters were opened. */
export interface RowCounts {
  inserted: number
  updated: number
  deleted: number
}

/** The counts of one stream table. */
export interface Activity extends RowCounts {
  schema: string
  name: string
  /** When a change was last seen: a moment of this computer's clock. */
  changedAt: Date | undefined
  /** The rows that this change wrote, with all others since the counts were read before. */
  last: RowCounts
}

/** All counts at a moment. */
export interface Reading {
  streamTables: Activity[]
  /** Milliseconds that the maintenance of all stream tables has taken since then; undefined where the role may not know. */
  maintenance: number | undefined
  /** Milliseconds between this reading and the one before. */
  lastMaintenance: number | undefined
}

interface CountRow {
  schema: string
  name: string
  id: number
  inserted: number
  updated: number
  deleted: number
}

const FLUSH = 'SELECT pg_catalog.pg_stat_force_next_flush()'
const TRACK = "SELECT pg_catalog.set_config('track_functions', $1, false)"
const TRACKED = `SELECT pg_catalog.current_setting('track_functions') AS setting,
  pg_catalog.current_setting('is_superuser') AS superuser`

/** As JSON, which does not depend on the parsers that the app has configured. */
const COUNTS = `
SELECT pg_catalog.to_json(c)::pg_catalog.text AS json
FROM (
  SELECT n.nspname AS schema, r.relname AS name, t.id, pg_catalog.pg_stat_get_tuples_inserted(t.storage) AS inserted,
    pg_catalog.pg_stat_get_tuples_updated(t.storage) AS updated, pg_catalog.pg_stat_get_tuples_deleted(t.storage) AS deleted
  FROM pgtrickle.stream_table t JOIN pg_catalog.pg_class r ON r.oid OPERATOR(pg_catalog.=) t.relid
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
) c ORDER BY c.schema, c.name`

const MAINTENANCE = `
SELECT pg_catalog.pg_stat_get_function_total_time(p.oid)::pg_catalog.text AS time
FROM pg_catalog.pg_proc p
WHERE p.proname OPERATOR(pg_catalog.=) 'maintain' AND p.pronamespace OPERATOR(pg_catalog.=) 'pgtrickle'::pg_catalog.regnamespace`

const NONE: RowCounts = { inserted: 0, updated: 0, deleted: 0 }

/** Reads the counters of a database, each time `read` is called. */
export class Counters {
  readonly #db: Database
  /** What they were when they were opened, by the number of the stream table, which is never used again. */
  readonly #first = new Map<number, RowCounts>()
  readonly #before = new Map<number, Activity>()
  /** The setting to go back to. */
  #setting: string | undefined
  #mayTrack = false
  #firstTime: number | undefined
  #time = 0

  constructor(db: Database) {
    this.#db = db
  }

  async read(): Promise<Reading> {
    await this.#track()
    await internalQuery(this.#db, FLUSH)
    const rows = await internalQuery<{ json: string }>(this.#db, COUNTS)
    const isFirst = this.#first.size === 0 && this.#before.size === 0
    const streamTables = rows.map(({ json }) => this.#activity(JSON.parse(json) as CountRow, isFirst))
    return { streamTables, ...(await this.#maintenance()) }
  }

  /** Ends the measurement of time. */
  async close(): Promise<void> {
    if (this.#setting !== undefined) await internalQuery(this.#db, TRACK, [this.#setting])
    this.#setting = undefined
  }

  /**
   * With each reading, because a transaction that is rolled back takes the setting with it. A role that may not set it
   * is not tried, because the error would end a transaction of the app.
   */
  async #track(): Promise<void> {
    const [found] = await internalQuery<{ setting: string; superuser: string }>(this.#db, TRACKED)
    this.#mayTrack = found?.superuser === 'on'
    if (!this.#mayTrack) return
    this.#setting ??= found?.setting
    await internalQuery(this.#db, TRACK, ['all'])
  }

  #activity({ schema, name, id, ...counts }: CountRow, isFirst: boolean): Activity {
    const before = this.#before.get(id)
    let first = this.#first.get(id)
    // A stream table that was made in the meantime starts at 0, and one that was truncated starts again.
    if (first === undefined) this.#first.set(id, (first = isFirst ? counts : NONE))
    const since = difference(counts, first)
    const last = difference(since, before ?? NONE)
    const isChanged = last.inserted + last.updated + last.deleted > 0
    const activity: Activity = {
      schema,
      name,
      ...since,
      changedAt: isChanged ? new Date() : before?.changedAt,
      last: isChanged ? last : (before?.last ?? NONE),
    }
    this.#before.set(id, activity)
    return activity
  }

  async #maintenance(): Promise<Pick<Reading, 'maintenance' | 'lastMaintenance'>> {
    if (!this.#mayTrack) return { maintenance: undefined, lastMaintenance: undefined }
    const [row] = await internalQuery<{ time: string | null }>(this.#db, MAINTENANCE)
    const time = Number(row?.time ?? 0)
    this.#firstTime ??= time
    const lastMaintenance = time - this.#firstTime - this.#time
    this.#time = time - this.#firstTime
    return { maintenance: this.#time, lastMaintenance }
  }
}

const difference = (one: RowCounts, other: RowCounts): RowCounts => ({
  inserted: Math.max(one.inserted - other.inserted, 0),
  updated: Math.max(one.updated - other.updated, 0),
  deleted: Math.max(one.deleted - other.deleted, 0),
})
