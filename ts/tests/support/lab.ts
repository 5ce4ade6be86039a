/**
 * A database under the oracle: after every statement, every stream table equals its query over the database as it
 * now is, as a multiset. The comparison is SQL written here: of the extension it trusts nothing but the stream
 * table's name.
 */
import { expect } from 'vitest'
import { openDatabase } from './pglite.js'
import type { Database } from './pglite.js'

/** How a stream table is compared with its query. */
export interface Comparison {
  /** A select list that stands for the row on both sides, where the query leaves something open. */
  compare?: string
  /**
   * Values are equal as their type says, and need not be spelled alike (1.0 and 1.00). Otherwise the text of whole
   * rows is compared, which is stricter and works for types without equality.
   */
  freeSpelling?: boolean
  /** The order of the rows counts too. */
  ordered?: boolean
  /** The truth is a view made with the stream table, for tests that later change what the text would mean. */
  frozen?: boolean
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

/** An SQL string literal. */
export function literal(text: string): string {
  const quoted = text.replaceAll("'", "''")
  return text.includes('\\') ? `E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`
}

export class Lab {
  readonly watched = new Map<string, Watched>()
  readonly notices: string[] = []
  /** What ran, to print as a script when something differs. */
  readonly script: string[] = []
  #frozen = 0

  private constructor(readonly pg: Database) {}

  /** Over a new database, or over one that is there. */
  static async open(pg?: Database): Promise<Lab> {
    return new Lab(pg ?? (await openDatabase()))
  }

  close(): Promise<void> {
    return this.pg.close()
  }

  /** Runs SQL without looking at the stream tables. Gives the rows of the last statement. */
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

  /** Runs SQL that must fail, then the oracle, unless the transaction is aborted. Gives the error. */
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

  /** Creates a stream table through SQL, so that its notices are seen, and watches it. */
  async create(name: string, query: string, comparison: Comparison = {}): Promise<void> {
    await this.exec(`SELECT pgtrickle.create_stream_table(${literal(name)}, ${literal(query)})`)
    await this.watch(name, query, comparison)
    expect(await this.#shape(name), `columns of ${name}`).toEqual(await this.#shapeOfQuery(query))
    await this.check(`creating ${name}`)
  }

  /** Nothing is compared or remembered any more, and the schema `test` is the current one and empty. */
  async fresh(): Promise<void> {
    this.watched.clear()
    this.notices.length = 0
    this.script.length = 0
    await this.exec('ROLLBACK')
    await this.exec('DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test; SET search_path = test, public')
  }

  /** Adds a stream table to those compared after each statement. */
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

  /** The oracle. */
  async check(after: string): Promise<void> {
    if (this.watched.size === 0) return
    // PGlite works in microtasks: without a pause the test runner would hear nothing for minutes.
    await new Promise(setImmediate)
    const parts = [...this.watched].map(([name, watched]) => difference(name, watched))
    type Difference = { name: string; missing: string[] | null; extra: string[] | null }
    const { rows } = await this.pg.query<Difference>(parts.join('\nUNION ALL\n'))
    for (const { name, missing, extra } of rows) {
      if (missing === null && extra === null) continue
      // Told in the message, because some reporters show nothing else.
      expect.fail(`missing: ${missing ?? 'none'}\nextra: ${extra ?? 'none'}\n${this.#report(name, after)}`)
    }
    for (const [name, { query, ordered }] of this.watched) {
      if (ordered)
        expect(await this.#list(`SELECT * FROM ${name}`), this.#report(name, after)).toEqual(await this.#list(query))
    }
  }

  /**
   * The stream tables agree with the extension's own oracle, and a refresh has nothing to do. Where values may be
   * spelled in several ways it may choose another one, unless `sameSpelling` asks for more than the oracle does.
   */
  async checkRefresh(sameSpelling = true): Promise<void> {
    for (const [name, { freeSpelling }] of this.watched) {
      const verified = await this.pg.trickle.verifyStreamTable(name)
      const seen = this.#report(name, `verify: ${JSON.stringify(verified)}`)
      expect(verified, seen).toEqual({ ok: true, missing: 0, extra: 0 })
      const changed = await this.pg.trickle.refreshStreamTable(name)
      const done = this.#report(name, `refresh: ${JSON.stringify(changed)}`)
      if (sameSpelling || !freeSpelling) expect(changed, done).toEqual({ inserted: 0, deleted: 0, updated: 0 })
    }
    await this.check('refresh')
  }

  #report(name: string, after: string): string {
    const shown = this.script.length > 400 ? this.script.slice(-400) : this.script
    return `${name} after: ${after}\nquery: ${this.watched.get(name)?.query}\nscript:\n${shown.join(';\n')};\n`
  }

  async #list(query: string): Promise<unknown[][]> {
    return (await this.pg.query(query, [], { rowMode: 'array' })).rows as unknown[][]
  }

  /** Names, types with their modifiers, and collations of the columns of a relation. */
  #shape(relation: string): Promise<unknown[]> {
    return this.#list(`SELECT attname, format_type(atttypid, atttypmod), attcollation::regcollation::text
      FROM pg_attribute WHERE attrelid = ${literal(relation)}::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`)
  }

  async #shapeOfQuery(query: string): Promise<unknown[]> {
    await this.pg.exec(`CREATE TEMP VIEW shape_of_query AS ${query}`)
    const shape = await this.#shape('pg_temp.shape_of_query')
    await this.pg.exec('DROP VIEW pg_temp.shape_of_query')
    return shape
  }

  /** What is in the catalogs, to see that nothing was left behind. */
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

/** A query for the rows that one side has more often than the other: NULL and NULL when they are equal. */
function difference(name: string, { query, compare, freeSpelling }: Watched): string {
  // A record is equal to another as the types of its columns say.
  const row = compare !== undefined ? `ROW(${compare})` : freeSpelling ? 'ROW(q.*)' : 'q::text'
  return `SELECT ${literal(name)} AS name,
    array_agg(d.r::text) FILTER (WHERE d.w > 0) AS missing, array_agg(d.r::text) FILTER (WHERE d.w < 0) AS extra
  FROM (SELECT b.r, sum(b.w) AS w FROM (
      SELECT ${row} AS r, 1 AS w FROM (${query}\n) AS q UNION ALL SELECT ${row}, -1 FROM ${name} AS q
    ) AS b GROUP BY b.r HAVING sum(b.w) <> 0) AS d`
}
