/**
 * A database under the oracle: after each statement, every stream table must equal its query over the current database,
 * as a multiset. The oracle compares them with its own SQL. It trusts the extension with nothing but the names of the
 * stream tables.
 */
import { expect } from 'vitest'
import { literal } from './literal.js'
import { openDatabase } from './pglite.js'
import type { Database } from './pglite.js'

/** How a stream table is compared with its query. */
export interface Comparison {
  /** A select list to compare in place of whole rows, where several results are correct. */
  compare?: string
  /**
   * Compare values by the equality of their types, for which 1.0 and 1.00 are equal. By default the text of whole rows is
   * compared, which is stricter and works for types without equality.
   */
  freeSpelling?: boolean
  /** Also compare the order of the rows. */
  ordered?: boolean
  /** Compare with a view made now, for tests that later change what the text of the query means. */
  frozen?: boolean
  /** Whether facts are added up first. */
  preAggregate?: boolean | undefined
}

interface Watched extends Comparison {
  query: string
}

export interface Failure {
  code?: string
  message: string
  hint?: string
  detail?: string
}

export type Row = Record<string, unknown>

export class Lab {
  readonly watched = new Map<string, Watched>()
  readonly notices: string[] = []
  /** The statements so far, printed as a script when a comparison fails. */
  readonly script: string[] = []
  #frozen = 0
  #pg: Database | undefined

  /** Uses a database that is already open, or else opens a new one. */
  async open(pg?: Database): Promise<this> {
    this.#pg = pg ?? (await openDatabase())
    return this
  }

  async close(): Promise<void> {
    await this.#pg?.close()
  }

  get pg(): Database {
    if (this.#pg === undefined) throw new Error('the database is not open yet: use it in a hook or a test')
    return this.#pg
  }

  /** Runs SQL without the oracle. Returns the rows of the last statement. */
  async exec(sql: string): Promise<Row[]> {
    this.script.push(sql)
    const results = await this.pg.exec(sql, { onNotice: (notice) => this.notices.push(notice.message ?? '') })
    return (results.at(-1)?.rows ?? []) as Row[]
  }

  /** Runs SQL, then the oracle. */
  async run(sql: string): Promise<Row[]> {
    const rows = await this.exec(sql)
    await this.check(sql)
    return rows
  }

  /** Runs SQL that must fail, then the oracle, unless the transaction has failed. Returns the error. */
  async fails(sql: string): Promise<Failure> {
    const error = await this.exec(sql).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error, `should fail: ${sql}`).toBeInstanceOf(Error)
    if (!(await this.#isAborted())) await this.check(sql)
    return error as Failure
  }

  async #isAborted(): Promise<boolean> {
    try {
      await this.pg.query('SELECT 1')
      return false
    } catch (error) {
      expect((error as Failure).code).toBe('25P02')
      return true
    }
  }

  /** Creates a stream table by SQL, which records its notices, and watches it. */
  async create(name: string, query: string, comparison: Comparison = {}): Promise<void> {
    await this.createAll({ [name]: query }, comparison)
  }

  /** Creates stream tables, and compares all of them once, after the last. */
  async createAll(queries: Record<string, string>, comparison: Comparison = {}): Promise<void> {
    for (const [name, query] of Object.entries(queries)) {
      const option = comparison.preAggregate === undefined ? '' : `, pre_aggregate => ${comparison.preAggregate}`
      await this.exec(`SELECT pgtrickle.create_stream_table(${literal(name)}, ${literal(query)}${option})`)
      await this.watch(name, query, comparison)
      expect(await this.#columnsOf(name), `columns of ${name}`).toEqual(await this.#columnsOfQuery(query))
    }
    await this.check(`creating ${Object.keys(queries).join(', ')}`)
  }

  /** Forgets everything watched and recorded, and makes an empty schema `test` the current one. */
  async reset(): Promise<void> {
    this.watched.clear()
    this.notices.length = 0
    this.script.length = 0
    await this.exec('ROLLBACK')
    await this.exec('RESET ROLE')
    await this.exec('DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test; SET search_path = test, public')
  }

  /** Adds a stream table to those that the oracle compares. */
  async watch(name: string, query: string, comparison: Comparison = {}): Promise<void> {
    if (!comparison.frozen) {
      this.watched.set(name, { ...comparison, query })
      return
    }
    const [schema] = (await this.#list('SELECT current_schema()')).flat()
    const view = `${String(schema)}.truth_${++this.#frozen}`
    await this.pg.exec(`CREATE VIEW ${view} AS ${query}`)
    this.watched.set(name, { ...comparison, query: `SELECT * FROM ${view}` })
  }

  forget(name: string): void {
    this.watched.delete(name)
  }

  /** Runs the oracle. */
  async check(after: string): Promise<void> {
    if (this.watched.size === 0) return
    // PGlite works in microtasks. Without a pause the test runner would get no message for minutes.
    await new Promise(setImmediate)
    const parts = [...this.watched].map(([name, watched]) => difference(name, watched))
    type Difference = { name: string; missing: string[] | null; extra: string[] | null }
    const { rows } = await this.pg.query<Difference>(parts.join('\nUNION ALL\n'))
    for (const { name, missing, extra } of rows) {
      if (missing === null && extra === null) continue
      // In the message, because some reporters show nothing else.
      expect.fail(`missing: ${missing ?? 'none'}\nextra: ${extra ?? 'none'}\n${this.#report(name, after)}`)
    }
    for (const [name, { query, ordered }] of this.watched) {
      if (ordered)
        expect(await this.#list(`SELECT * FROM ${name}`), this.#report(name, after)).toEqual(await this.#list(query))
    }
  }

  /**
   * Checks that the extension verifies the stream tables too, and that a refresh changes nothing. A refresh may replace
   * a value with an equal one that is spelled differently, unless `sameSpelling` is true, and it gives the reserve of a LIMIT
   * its size again.
   */
  async checkRefresh(sameSpelling = true): Promise<void> {
    for (const [name, { freeSpelling }] of this.watched) {
      const verified = await this.pg.trickle.verifyStreamTable(name)
      const verifyReport = this.#report(name, `verify: ${JSON.stringify(verified)}`)
      expect(verified, verifyReport).toEqual({ ok: true, missing: 0, extra: 0 })
      if (await this.#hasReserve(name)) await this.pg.trickle.refreshStreamTable(name)
      const changed = await this.pg.trickle.refreshStreamTable(name)
      const refreshReport = this.#report(name, `refresh: ${JSON.stringify(changed)}`)
      if (sameSpelling || !freeSpelling) expect(changed, refreshReport).toEqual({ inserted: 0, deleted: 0, updated: 0 })
    }
    await this.check('refresh')
  }

  async #hasReserve(name: string): Promise<boolean> {
    return /reserve of [1-9]/.test(JSON.stringify(await this.pg.trickle.explainStreamTable(name)))
  }

  #report(name: string, after: string): string {
    const recent = this.script.length > 400 ? this.script.slice(-400) : this.script
    return `${name} after: ${after}\nquery: ${this.watched.get(name)?.query}\nscript:\n${recent.join(';\n')};\n`
  }

  async #list(query: string): Promise<unknown[][]> {
    return (await this.pg.query(query, [], { rowMode: 'array' })).rows as unknown[][]
  }

  /** The names, types with modifiers, and collations of a relation's columns. */
  #columnsOf(relation: string): Promise<unknown[]> {
    return this.#list(`SELECT attname, format_type(atttypid, atttypmod), attcollation::regcollation::text
      FROM pg_attribute WHERE attrelid = ${literal(relation)}::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`)
  }

  async #columnsOfQuery(query: string): Promise<unknown[]> {
    await this.pg.exec(`CREATE TEMP VIEW columns_of_query AS ${query}`)
    const columns = await this.#columnsOf('pg_temp.columns_of_query')
    await this.pg.exec('DROP VIEW pg_temp.columns_of_query')
    return columns
  }

  /** Counts catalog entries, so that a test can see whether anything was left behind. */
  async inventory(): Promise<Record<string, number>> {
    const { rows } = await this.pg.query<Record<string, number>>(`SELECT
      (SELECT count(*)::int FROM pg_class WHERE relpersistence <> 't') AS classes,
      (SELECT count(*)::int FROM pg_trigger) AS triggers,
      (SELECT count(*)::int FROM pg_type) AS types,
      (SELECT count(*)::int FROM pg_proc) AS functions,
      (SELECT count(*)::int FROM pg_rewrite) AS rules,
      (SELECT count(*)::int FROM pg_constraint) AS constraints,
      (SELECT count(*)::int FROM pg_depend) AS dependencies,
      (SELECT count(*)::int FROM pg_event_trigger) AS event_triggers,
      (SELECT count(*)::int FROM pgtrickle.stream_tables) AS stream_tables`)
    return rows[0] ?? {}
  }
}

/** A query for the rows that one side has more often than the other. Both columns are NULL when the sides are equal. */
function difference(name: string, { query, compare, freeSpelling }: Watched): string {
  // Records are compared by the equality of their columns' types.
  const row = compare !== undefined ? `ROW(${compare})` : freeSpelling ? 'ROW(q.*)' : 'q::text'
  return `SELECT ${literal(name)} AS name,
    array_agg(d.r::text) FILTER (WHERE d.w > 0) AS missing, array_agg(d.r::text) FILTER (WHERE d.w < 0) AS extra
  FROM (SELECT b.r, sum(b.w) AS w FROM (
      SELECT ${row} AS r, 1 AS w FROM (${query}\n) AS q UNION ALL SELECT ${row}, -1 FROM ${name} AS q
    ) AS b GROUP BY b.r HAVING sum(b.w) <> 0) AS d`
}
