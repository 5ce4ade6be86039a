import { ask } from './ask.js'
import { TrickleError } from './errors.js'
import { hubOf } from './subscribe/hub.js'
import { LiveTable } from './subscribe/live.js'
import type { LiveOptions } from './subscribe/live.js'
import type { ChangeCallback, SubscribeOptions, Unsubscribe } from './subscribe/types.js'
import type {
  AlterStreamTableOptions,
  AnyRow,
  ColumnOf,
  CreateStreamTableOptions,
  Database,
  DropStreamTableOptions,
  Notice,
  RefreshResult,
  StreamTable,
  StreamTablePlan,
  VerifyResult,
} from './types.js'

/** A row of the view `pgtrickle.stream_tables`. */
interface CatalogRow {
  name: string
  schema: string
  query: string
  refresh_mode: 'IMMEDIATE'
  status: string
  columns: string[]
  key: string[] | null
  sources: string[] | null
  created_at: string
}

interface Json {
  json: string
}

// What the SQL functions of these names do, without them: a function in SQL is planned when it is first called.
const CREATE = "SELECT pgtrickle.command('create', $1::text, $2::text, NULL, 'IMMEDIATE', $3::text, $4::text)"
const ALTER = 'SELECT pgtrickle.alter_stream_table(name => $1::text, query => $2::text)'
const DROP = 'SELECT pgtrickle.drop_stream_table(name => $1::text, cascade => $2::boolean)'
const REFRESH = 'SELECT inserted, deleted, updated FROM pgtrickle.refresh_stream_table($1::text)'
const VERIFY = 'SELECT ok, missing, extra FROM pgtrickle.verify_stream_table($1::text)'
const RESTORE = 'SELECT pgtrickle.restore_stream_tables()'
const EXPLAIN = 'SELECT pgtrickle.explain_st_json($1::text)::text AS json'

// JSON as text: the same on every host.
const LIST = 'SELECT to_json(s)::text AS json FROM pgtrickle.stream_tables s ORDER BY s.schema, s.name'

/** The stream table that a name means: in its schema, else in the first schema of the search path that has one. */
const FIND = `
SELECT to_json(s)::text AS json
FROM (SELECT parse_ident($1::text)::name[] AS part) i, pgtrickle.stream_tables s
WHERE s.name = i.part[cardinality(i.part)]
  AND CASE WHEN cardinality(i.part) > 1 THEN s.schema = i.part[cardinality(i.part) - 1]
      ELSE s.schema = ANY (current_schemas(true)) END
ORDER BY array_position(current_schemas(false), s.schema::name)
LIMIT 1`

/** SQLSTATE `undefined_table`. */
const UNDEFINED_TABLE = '42P01'

/** The methods of `pg.trickle`. In JavaScript null may stand for options that are not given. */
export class Trickle {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Makes a stream table: a table that always equals its query. */
  async createStreamTable<Row = AnyRow>(
    name: string,
    query: string,
    options: CreateStreamTableOptions = {},
  ): Promise<StreamTable<Row>> {
    const { ifNotExists = false, orReplace = false, withData = true, onNotice } = options ?? {}
    if (ifNotExists && orReplace) {
      throw new TrickleError('ifNotExists and orReplace exclude each other', {
        code: '22023',
        streamTable: name,
        hint: 'Give one of them.',
      })
    }
    const exists = ifNotExists ? 'skip' : orReplace ? 'replace' : 'fail'
    await this.#rows(name, CREATE, [name, query, String(withData), exists], onNotice)
    return this.#find<Row>(name)
  }

  /** Gives a stream table another query. Name, indexes, grants and dependents stay where the columns allow it. */
  async alterStreamTable<Row = AnyRow>(
    name: string,
    query: string,
    options: AlterStreamTableOptions = {},
  ): Promise<StreamTable<Row>> {
    await this.#rows(name, ALTER, [name, query], options?.onNotice)
    return this.#find<Row>(name)
  }

  /** Drops a stream table with its storage and its triggers. */
  async dropStreamTable(name: string, options: DropStreamTableOptions = {}): Promise<void> {
    const { ifExists = false, cascade = false } = options ?? {}
    if (ifExists && (await this.#rows(name, FIND, [name])).length === 0) return
    await this.#rows(name, DROP, [name, cascade])
  }

  /** Computes a stream table anew and says what had to be changed: nothing, when all is well. */
  async refreshStreamTable(name: string): Promise<RefreshResult> {
    const row = await this.#one<Record<keyof RefreshResult, number | bigint>>(name, REFRESH, [name])
    return { inserted: Number(row.inserted), deleted: Number(row.deleted), updated: Number(row.updated) }
  }

  /** All stream tables, by schema and name. */
  async listStreamTables(): Promise<StreamTable[]> {
    const rows = await this.#rows<Json>(undefined, LIST, [])
    return rows.map(({ json }) => streamTable<AnyRow>(JSON.parse(json) as CatalogRow))
  }

  /** Makes the stream tables that a restored `pg_dump` brought whole again. Does nothing where all of them are. */
  async restoreStreamTables(): Promise<void> {
    await this.#rows(undefined, RESTORE, [])
  }

  /** How a stream table is maintained, and what a change of each source costs. */
  async explainStreamTable(name: string): Promise<StreamTablePlan> {
    const { json } = await this.#one<Json>(name, EXPLAIN, [name])
    return JSON.parse(json) as StreamTablePlan
  }

  /** Compares a stream table with its defining query and changes nothing. */
  async verifyStreamTable(name: string): Promise<VerifyResult> {
    type Row = { ok: boolean; missing: number | bigint; extra: number | bigint }
    const row = await this.#one<Row>(name, VERIFY, [name])
    return { ok: row.ok, missing: Number(row.missing), extra: Number(row.extra) }
  }

  /**
   * Calls back with the rows of a stream table, and then with what each committed transaction changes of them. In a
   * transaction of the caller's the rows come when it commits.
   */
  async subscribe<Row = AnyRow>(
    name: string,
    callback: ChangeCallback<Row>,
    options: SubscribeOptions<Row> = {},
  ): Promise<Unsubscribe> {
    return hubOf(this.#db).subscribe(name, callback as ChangeCallback, (options ?? {}) as SubscribeOptions)
  }

  /** The rows of a stream table, kept up to date: what `live.query` of PGlite gives, without its query. */
  async live<Row = AnyRow>(name: string, options: LiveOptions<Row> = {}): Promise<LiveTable<Row>> {
    return LiveTable.open(name, (callback, given) => hubOf(this.#db).subscribe(name, callback, given), options ?? {})
  }

  async #find<Row>(name: string): Promise<StreamTable<Row>> {
    const { json } = await this.#one<Json>(name, FIND, [name])
    return streamTable<Row>(JSON.parse(json) as CatalogRow)
  }

  async #one<T>(name: string, sql: string, params: unknown[]): Promise<T> {
    const [row] = await this.#rows<T>(name, sql, params)
    if (row === undefined) {
      throw new TrickleError(`stream table ${name} does not exist`, {
        code: UNDEFINED_TABLE,
        streamTable: name,
        hint: 'listStreamTables() shows those that do.',
      })
    }
    return row
  }

  async #rows<T>(
    name: string | undefined,
    sql: string,
    params: unknown[],
    onNotice?: (notice: Notice) => void,
  ): Promise<T[]> {
    try {
      return await ask<T>(this.#db, sql, params, onNotice)
    } catch (error) {
      throw TrickleError.from(error, name)
    }
  }
}

function streamTable<Row>(row: CatalogRow): StreamTable<Row> {
  return {
    name: row.name,
    schema: row.schema,
    query: row.query,
    refreshMode: row.refresh_mode,
    status: row.status,
    columns: row.columns as ColumnOf<Row>[],
    key: row.key ?? [],
    sources: row.sources ?? [],
    createdAt: new Date(row.created_at),
  }
}
