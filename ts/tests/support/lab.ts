/**
 * A database under the oracle: after every statement, every stream table equals its query over the database as it
 * now is, as a multiset of values. Compared twice: by the extension itself and by SQL written here, which trusts
 * nothing of it but the stream table's name.
 */
import { expect } from 'vitest'
import { openDatabase } from './pglite.js'
import type { Database } from './pglite.js'

/** Types without an equality operator: their values are compared by text. */
const WITHOUT_EQUALITY = new Set([114, 142, 199, 143, 600, 601, 602, 603, 604, 628, 718, 1017])

export interface Watched {
  name: string
  query: string
  /** The select lists of both sides, with the casts that a comparison needs. */
  columns: string
}

export class Lab {
  readonly watched = new Map<string, Watched>()
  readonly notices: string[] = []
  /** What ran, to print as a script when something differs. */
  readonly script: string[] = []

  private constructor(readonly pg: Database) {}

  static async open(): Promise<Lab> {
    return new Lab(await openDatabase())
  }

  close(): Promise<void> {
    return this.pg.close()
  }

  /** Runs SQL without looking at the stream tables. */
  async exec(sql: string): Promise<Record<string, unknown>[]> {
    this.script.push(sql)
    const results = await this.pg.exec(sql, { onNotice: (notice) => this.notices.push(notice.message ?? '') })
    return (results.at(-1)?.rows ?? []) as Record<string, unknown>[]
  }

  /** Runs one statement, then the oracle. */
  async run(sql: string): Promise<void> {
    await this.exec(sql)
    await this.check(sql)
  }

  /** Runs one statement that must fail, then the oracle. Gives the error. */
  async fails(sql: string): Promise<{ code?: string; message: string; hint?: string }> {
    let error: unknown
    try {
      await this.exec(sql)
    } catch (thrown) {
      error = thrown
    }
    expect(error, `should fail: ${sql}`).toBeInstanceOf(Error)
    await this.check(sql)
    return error as Error & { code?: string; hint?: string }
  }

  /** Creates a stream table through SQL, so that its notices are seen, and watches it. */
  async create(name: string, query: string): Promise<void> {
    const quote = (text: string) => `'${text.replaceAll("'", "''")}'`
    await this.exec(`SELECT pgtrickle.create_stream_table(${quote(name)}, ${quote(query)})`)
    await this.watch(name, query)
    await this.check(`creating ${name}`)
  }

  /** Adds a stream table to those compared after each statement. */
  async watch(name: string, query: string): Promise<void> {
    const { fields } = await this.pg.query(`SELECT * FROM ${name} LIMIT 0`)
    const columns = fields.map(({ name: column, dataTypeID }) => {
      const quoted = `"${column.replaceAll('"', '""')}"`
      return WITHOUT_EQUALITY.has(dataTypeID) ? `${quoted}::text` : quoted
    })
    this.watched.set(name, { name, query, columns: columns.join(', ') })
  }

  forget(name: string): void {
    this.watched.delete(name)
  }

  /** The oracle. */
  async check(after: string): Promise<void> {
    for (const { name, query, columns } of this.watched.values()) {
      const seen = `SELECT ${columns} FROM ${name}`
      const truth = `SELECT ${columns} FROM (${query}\n) AS truth`
      const { rows } = await this.pg.query<{ missing: unknown; extra: unknown }>(`SELECT
        (SELECT json_agg(m) FROM (${truth} EXCEPT ALL ${seen}) m) AS missing,
        (SELECT json_agg(e) FROM (${seen} EXCEPT ALL ${truth}) e) AS extra`)
      const difference = rows[0] ?? {}
      const told = () => `${name} after: ${after}\nquery: ${query}\nscript:\n${this.script.join(';\n')};`
      expect(difference, told()).toEqual({ missing: null, extra: null })
      expect(await this.pg.trickle.verifyStreamTable(name), told()).toEqual({ ok: true, missing: 0, extra: 0 })
    }
  }

  /** How many rows each catalog holds, to see that nothing was left behind. */
  async inventory(): Promise<Record<string, number>> {
    const { rows } = await this.pg.query<Record<string, number>>(`SELECT
      (SELECT count(*)::int FROM pg_class) AS classes,
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
