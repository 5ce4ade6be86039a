import { readFeed } from './changes.js'
import type { FeedChange, FeedOptions, KeepOptions } from './changes.js'
import { definitionOf, isName } from './definition.js'
import type { Definition } from './definition.js'
import { TrickleError } from './errors.js'
import { exportTo } from './outgrow.js'
import type { ExportOptions, StreamTableExport } from './outgrow.js'
import { extensionQuery } from './extension.js'
import { checkOptions } from './options.js'
import { queryText } from './query-text.js'
import { hubOf } from './subscribe/hub.js'
import { LiveTable } from './subscribe/live.js'
import type { LiveOptions } from './subscribe/live.js'
import { abortable } from './subscribe/signal.js'
import type { ChangeCallback, SubscribeOptions, Unsubscribe } from './subscribe/types.js'
import { stayOutside } from './transactions.js'
import type {
  AdvanceResult,
  AlterStreamTableOptions,
  AnyRow,
  ColumnOf,
  CreateStreamTableOptions,
  Database,
  DropStreamTableOptions,
  MemoryUse,
  Notice,
  RefreshResult,
  StreamTable,
  StreamTablePlan,
  StreamTableQuery,
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

interface JsonRow {
  json: string
}

// Calls the command behind `pgtrickle.create_stream_table` directly, which saves planning that SQL function.
const CREATE = "SELECT pgtrickle.command('create_json', $1, $2, NULL, 'IMMEDIATE', $3, $4, $5, $6) AS json"
const ALTER = "SELECT pgtrickle.command('alter_json', $1, $2, $3, $4) AS json"
const DROP = 'SELECT pgtrickle.drop_stream_table(name => $1, cascade => $2)'
const REFRESH = 'SELECT inserted, deleted, updated FROM pgtrickle.refresh_stream_table($1)'
const KEEP =
  'SELECT pgtrickle.keep_changes($1, $2::pg_catalog.text::pg_catalog.int8, $3::pg_catalog.text::pg_catalog.interval) AS last'
const VERIFY = 'SELECT ok, missing, extra FROM pgtrickle.verify_stream_table($1)'
const ADVANCE = 'SELECT stream_tables, rows FROM pgtrickle.advance()'
const MEMORY = 'SELECT pg_catalog.to_json(m)::pg_catalog.text AS json FROM pgtrickle.memory() m'
const RESTORE = 'SELECT pgtrickle.restore_stream_tables()'
const STREAM_TABLE_ID = "SELECT pgtrickle.command('find', $1) AS id"
const FALLBACK =
  'SELECT t.fallback FROM pgtrickle.stream_table t WHERE t.id OPERATOR(pg_catalog.=) $1::pg_catalog.text::pg_catalog.int4'
const EXPORT = "SELECT pgtrickle.command('export', $1, $2, $3) AS json"
const EXPLAIN = 'SELECT pgtrickle.explain_st_json($1)::pg_catalog.text AS json'

// As the text of JSON, which does not depend on the parsers that the app has configured.
const LIST =
  'SELECT pg_catalog.to_json(s)::pg_catalog.text AS json FROM pgtrickle.stream_tables s ORDER BY s.schema, s.name'

/** Looks a name up: in its schema, or else in the first schema of the search path that has such a stream table. */
const FIND = `
SELECT pg_catalog.to_json(s)::pg_catalog.text AS json
FROM (SELECT pg_catalog.parse_ident($1)::pg_catalog.name[] AS part) i,
  LATERAL (SELECT pg_catalog.cardinality(i.part) AS parts) n, pgtrickle.stream_tables s
WHERE s.name OPERATOR(pg_catalog.=) i.part[n.parts]
  AND CASE WHEN n.parts OPERATOR(pg_catalog.>) 1 THEN s.schema OPERATOR(pg_catalog.=) i.part[n.parts OPERATOR(pg_catalog.-) 1]
      ELSE s.schema OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(true)) END
ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(false), s.schema::pg_catalog.name)
LIMIT 1`

/** How many changes are kept if the caller does not say. */
const DEFAULT_RETAIN = 10_000

/** How many queries have been exported: several can be under way. */
let exported = 0

/** SQLSTATE `undefined_table`. */
const UNDEFINED_TABLE = '42P01'

/** The methods of `pg.trickle`. Callers in JavaScript may pass null instead of omitting the options. */
export class Trickle {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Creates a stream table: a table that always equals its query. */
  async createStreamTable<Row = AnyRow>(
    name: string,
    query: StreamTableQuery,
    options: CreateStreamTableOptions = {},
  ): Promise<StreamTable<Row>> {
    checkOptions('createStreamTable', options, name)
    const {
      ifNotExists = false,
      orReplace = false,
      withData = true,
      params,
      windows,
      preAggregate,
      onNotice,
    } = options ?? {}
    if (ifNotExists && orReplace) {
      throw new TrickleError('ifNotExists and orReplace exclude each other', {
        code: '22023',
        streamTable: name,
        hint: 'Give one of them.',
      })
    }
    const exists = ifNotExists ? 'skip' : orReplace ? 'replace' : 'fail'
    const sql = queryText(query, params, name)
    const values = [name, sql, String(withData), exists, windows ?? null, preAggregate?.toString() ?? null]
    const row = await this.#queryOne<JsonRow>('createStreamTable', name, CREATE, values, onNotice)
    return streamTable<Row>(JSON.parse(row.json) as CatalogRow)
  }

  /** Changes the query of a stream table. Name, indexes, grants and dependents stay where the columns allow it. */
  async alterStreamTable<Row = AnyRow>(
    name: string,
    query: StreamTableQuery,
    options: AlterStreamTableOptions = {},
  ): Promise<StreamTable<Row>> {
    checkOptions('alterStreamTable', options, name)
    const sql = queryText(query, options?.params, name)
    const values = [name, sql, options?.windows ?? null, options?.preAggregate?.toString() ?? null]
    const row = await this.#queryOne<JsonRow>('alterStreamTable', name, ALTER, values, options?.onNotice)
    return streamTable<Row>(JSON.parse(row.json) as CatalogRow)
  }

  /** Drops a stream table, its storage and its triggers. */
  async dropStreamTable(name: string, options: DropStreamTableOptions = {}): Promise<void> {
    checkOptions('dropStreamTable', options, name)
    const { ifExists = false, cascade = false } = options ?? {}
    if (ifExists && (await this.#query('dropStreamTable', name, FIND, [name])).length === 0) return
    await this.#query('dropStreamTable', name, DROP, [name, cascade])
  }

  /** Recomputes a stream table and returns what had to be changed: nothing, when all is well. */
  async refreshStreamTable(name: string): Promise<RefreshResult> {
    type Row = Record<keyof RefreshResult, number | bigint>
    const row = await this.#queryOne<Row>('refreshStreamTable', name, REFRESH, [name])
    return { inserted: Number(row.inserted), deleted: Number(row.deleted), updated: Number(row.updated) }
  }

  /** Lists all stream tables, sorted by schema and name. */
  async listStreamTables(): Promise<StreamTable[]> {
    const rows = await this.#query<JsonRow>('listStreamTables', undefined, LIST, [])
    return rows.map(({ json }) => streamTable<AnyRow>(JSON.parse(json) as CatalogRow))
  }

  /** Repairs the stream tables of a restored `pg_dump`. Has no effect when none of them needs it. */
  async restoreStreamTables(): Promise<void> {
    await this.#query('restoreStreamTables', undefined, RESTORE, [])
  }

  /**
   * Moves the stream tables that depend on the clock to the present, in one transaction and at the cost of what changes.
   * Returns how many stream tables have changed, and how many of their rows.
   */
  async advance(): Promise<AdvanceResult> {
    type Row = Record<'stream_tables' | 'rows', number | bigint>
    const [row] = await this.#query<Row>('advance', undefined, ADVANCE, [])
    return { streamTables: Number(row?.stream_tables ?? 0), rows: Number(row?.rows ?? 0) }
  }

  /** Says how much memory may be used, how much is in use, and by which stream table. */
  async memory(): Promise<MemoryUse> {
    type Answer = Omit<MemoryUse, 'planLimit' | 'streamTables'> & {
      plan_limit: number
      stream_tables: MemoryUse['streamTables']
    }
    const [row] = await this.#query<JsonRow>('memory', undefined, MEMORY, [])
    const {
      limit,
      used,
      plans,
      plan_limit: planLimit,
      stream_tables: streamTables,
    } = JSON.parse(row?.json ?? '{}') as Answer
    return { limit, used, plans, planLimit, streamTables }
  }

  /** Describes how a stream table is maintained, and what a change to each source costs. */
  async explainStreamTable(name: string): Promise<StreamTablePlan> {
    const { json } = await this.#queryOne<JsonRow>('explainStreamTable', name, EXPLAIN, [name])
    const plan = JSON.parse(json) as StreamTablePlan & { asOf: string | null }
    return { ...plan, asOf: plan.asOf === null ? null : new Date(plan.asOf) }
  }

  /**
   * The definition of a stream table, or of a query that is none yet, with what the catalog says of it: `plan` of
   * `@pgtrickle/pglite/planner` plans it without a database. A text that is no name is a query.
   */
  async exportDefinition(nameOrQuery: StreamTableQuery): Promise<Definition> {
    const method = 'exportDefinition'
    if (typeof nameOrQuery === 'string' && isName(nameOrQuery)) return this.#exportStreamTable(method, nameOrQuery)
    const sql = queryText(nameOrQuery, undefined, '')
    const view = `pg_temp.__pgt_export_${(exported += 1)}`
    await this.#query(method, undefined, `CREATE TEMP VIEW ${view} AS ${sql}`, [])
    const parts = { name: null, schema: null, definition: 'pgtrickle.def_0', storage: 'st_0', fallback: null }
    try {
      const { json } = await this.#queryOne<JsonRow>(method, '', EXPORT, [view, parts.storage, null])
      return definitionOf(parts, json)
    } finally {
      // In a transaction that has failed, this fails too, and the view goes with the transaction.
      await this.#query(method, undefined, `DROP VIEW ${view}`, []).catch(() => undefined)
    }
  }

  async #exportStreamTable(method: string, given: string): Promise<Definition> {
    const found = await this.#queryOne<JsonRow>(method, given, FIND, [given])
    const { name, schema } = JSON.parse(found.json) as CatalogRow
    const { id } = await this.#queryOne<{ id: string }>(method, given, STREAM_TABLE_ID, [given])
    const { fallback } = await this.#queryOne<{ fallback: string | null }>(method, given, FALLBACK, [id])
    const parts = { name, schema, definition: `pgtrickle.def_${id}`, storage: `st_${id}`, fallback }
    const { json } = await this.#queryOne<JsonRow>(method, given, EXPORT, [parts.definition, parts.storage, fallback])
    return definitionOf(parts, json)
  }

  /**
   * All stream tables as DDL for another engine, each after those that it reads: for a PostgreSQL with pg_trickle, or for an
   * engine that maintains views of its own. Says for each what the target cannot do.
   */
  async exportStreamTables(options: ExportOptions): Promise<StreamTableExport> {
    checkOptions('exportStreamTables', options)
    const ask = async <T>(sql: string): Promise<T[]> => {
      const rows = await this.#query<JsonRow>('exportStreamTables', undefined, sql, [])
      return rows.map(({ json }) => JSON.parse(json) as T)
    }
    return exportTo(options.to, ask)
  }

  /** Compares a stream table with its defining query and changes nothing. */
  async verifyStreamTable(name: string): Promise<VerifyResult> {
    type Row = { ok: boolean; missing: number | bigint; extra: number | bigint }
    const row = await this.#queryOne<Row>('verifyStreamTable', name, VERIFY, [name])
    return { ok: row.ok, missing: Number(row.missing), extra: Number(row.extra) }
  }

  /**
   * Calls back with the rows of a stream table, and then with the changes of each committed transaction. Inside a
   * transaction of the caller, the first call comes when that transaction commits.
   */
  async subscribe<Row = AnyRow>(
    name: string,
    callback: ChangeCallback<Row>,
    options: SubscribeOptions<Row> = {},
  ): Promise<Unsubscribe> {
    checkOptions('subscribe', options, name)
    await stayOutside(this.#db, 'subscribe', name)
    return this.#subscribe(name, callback as ChangeCallback, (options ?? {}) as SubscribeOptions)
  }

  /**
   * Keeps the changes of a stream table from now on, for readers that must not miss any: `changes`, also after a restart, and
   * `pgtrickle.changes()` in SQL. Returns the number after which they go on, or null when `retain` is 0, which ends it.
   */
  async keepChanges(name: string, options: KeepOptions = {}): Promise<number | null> {
    checkOptions('keepChanges', options, name)
    const retain = options?.retain === undefined ? DEFAULT_RETAIN : options.retain
    const values = [name, retain === null ? null : String(retain), options?.maxAge ?? null]
    const { last } = await this.#queryOne<{ last: number | null }>('keepChanges', name, KEEP, values)
    return last
  }

  /**
   * Iterates over the kept changes of a stream table: first over those after a number, and then over each as it is committed.
   * Store the `seq` of a change together with what you do about it, and go on after it whenever you start again.
   */
  changes<Row = AnyRow>(name: string, options: FeedOptions = {}): AsyncGenerator<FeedChange<Row>, void, undefined> {
    checkOptions('changes', options, name)
    return readFeed<Row>(this.#db, name, options ?? {})
  }

  /** The rows of a stream table, kept up to date, in the shape of PGlite's `live.query` but without running a query. */
  async live<Row = AnyRow>(name: string, options: LiveOptions<Row> = {}): Promise<LiveTable<Row>> {
    checkOptions('live', options, name)
    await stayOutside(this.#db, 'live', name)
    return LiveTable.open(name, (callback, rest) => this.#subscribe(name, callback, rest), options ?? {})
  }

  #subscribe(name: string, callback: ChangeCallback, options: SubscribeOptions): Promise<Unsubscribe> {
    const subscribe = (receive: ChangeCallback) => hubOf(this.#db).subscribe(name, receive, options)
    return abortable(name, options.signal ?? undefined, callback, subscribe)
  }

  async #queryOne<T>(
    method: string,
    name: string,
    sql: string,
    params: unknown[],
    onNotice?: (notice: Notice) => void,
  ): Promise<T> {
    const [row] = await this.#query<T>(method, name, sql, params, onNotice)
    if (row === undefined) {
      throw new TrickleError(`stream table ${name} does not exist`, {
        code: UNDEFINED_TABLE,
        streamTable: name,
        hint: 'listStreamTables() lists the existing ones.',
      })
    }
    return row
  }

  async #query<T>(
    method: string,
    name: string | undefined,
    sql: string,
    params: unknown[],
    onNotice?: (notice: Notice) => void,
  ): Promise<T[]> {
    await stayOutside(this.#db, method, name)
    try {
      return await extensionQuery<T>(this.#db, sql, params, onNotice)
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
