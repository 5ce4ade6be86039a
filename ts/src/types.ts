/** The part of PGlite and PGliteWorker that the plugin uses. */
export interface Database {
  query<T>(sql: string, params?: unknown[], options?: QueryOptions): Promise<{ rows: T[] }>
}

/** The options of PGlite's `query` that the plugin uses. */
export interface QueryOptions {
  onNotice?: (notice: Notice) => void
  /** Convert the text of values to JavaScript values, by type OID. */
  parsers?: Record<number, (text: string) => unknown>
  /** Convert parameters to text, by type OID. */
  serializers?: Record<number, (value: unknown) => string>
  /** Whether rows are arrays. */
  rowMode?: 'array' | 'object'
}

/** A notice from PostgreSQL. */
export interface Notice {
  severity?: string | undefined
  message?: string | undefined
  detail?: string | undefined
  hint?: string | undefined
}

/** PostgreSQL major versions for which the package has a bundle. */
export type PostgresMajor = 17 | 18

/** A column name of a row type. */
export type ColumnOf<Row> = Extract<keyof Row, string>

/** A row of a stream table whose columns are not declared. */
export type AnyRow = Record<string, unknown>

/** A stream table as the catalog describes it. */
export interface StreamTable<Row = AnyRow> {
  /** Its name, unquoted. */
  name: string
  /** Its schema, unquoted. */
  schema: string
  /** The defining query. */
  query: string
  /** How it is kept up to date. PGlite has one mode: inside the statement that changes a source. */
  refreshMode: 'IMMEDIATE'
  /** `ACTIVE` when it is maintained; any other value says why it is not. */
  status: string
  /** The columns of the defining query, in order. */
  columns: ColumnOf<Row>[]
  /** The columns that identify a row; empty when there can be duplicate rows. */
  key: string[]
  /** The tables it is computed from, as qualified names. */
  sources: string[]
  /** When it was created. */
  createdAt: Date
}

/**
 * The query of a stream table: its text, or what a query builder makes of it, with the values of `$1`, `$2` and so on.
 * Drizzle's `toSQL()` calls the values `params`, Kysely's `compile()` calls them `parameters`.
 */
export type StreamTableQuery =
  | string
  | { readonly sql: string; readonly params?: readonly unknown[] }
  | { readonly sql: string; readonly parameters: readonly unknown[] }

/** Options of `alterStreamTable`. */
export interface AlterStreamTableOptions {
  /** The values of `$1`, `$2` and so on. They become constants of the query. */
  params?: readonly unknown[]
  /**
   * Where the results of window functions are kept: `'stored'`, or `'onRead'`, which computes them whenever the stream table is
   * read. A new stream table stores them, an altered one keeps to what it did. See "Windows on read" in docs/OPERATORS.md.
   */
  windows?: 'stored' | 'onRead'
  /**
   * Whether the rows of a table are added up by the key of another one before they are joined to it and grouped. Then a change
   * of a row of the other table reads one sum and not all the rows that it has. Without it, the sizes of the tables decide when
   * the stream table is made. See "Facts added up first" in docs/OPERATORS.md.
   */
  preAggregate?: boolean
  /** Receives the notices: why a query can only be maintained by running it again, for example. Not in a worker's tab. */
  onNotice?: (notice: Notice) => void
}

/** Options of `createStreamTable`. */
export type CreateStreamTableOptions = AlterStreamTableOptions & {
  /**
   * Fill it now (the default). When false, it stays empty until `refreshStreamTable`. If `orReplace` replaces a stream
   * table that is filled, the new one is filled in any case.
   */
  withData?: boolean
} & (
    | {
        /** Keep a stream table that already has this name. */
        ifNotExists?: boolean
        orReplace?: false
      }
    | {
        ifNotExists?: false
        /** Replace a stream table that already has this name. */
        orReplace?: boolean
      }
  )

/** Options of `dropStreamTable`. */
export interface DropStreamTableOptions {
  /** Do not fail when there is no such stream table. */
  ifExists?: boolean
  /** Also drop what depends on it: views, and stream tables over it. */
  cascade?: boolean
}

/** What a refresh had to change. All zero when the stream table was correct. */
export interface RefreshResult {
  /** Rows that were missing. */
  inserted: number
  /** Rows that should not have been there. */
  deleted: number
  /** Rows that had wrong values. */
  updated: number
}

/** What `advance` has changed. */
export interface AdvanceResult {
  /** How many stream tables. */
  streamTables: number
  /** How many of their rows. */
  rows: number
}

/** How much memory may be used and is used, in bytes. */
export interface MemoryUse {
  /** How much PGlite may use: its maximum of 2 GB, or less by `memoryLimit` or by the setting `pgtrickle.memory_limit`. */
  limit: number
  /** How much is in use, by PostgreSQL and all of its extensions. */
  used: number
  /** How much of it the plans of stream tables take. */
  plans: number
  /** How much they may take: the setting `pgtrickle.plan_memory`, or an eighth of the limit. */
  planLimit: number
  /** What each stream table takes for plans and its compiled query; nothing until it is used. The largest come first. */
  streamTables: { schema: string; name: string; bytes: number }[]
}

/** How a stream table compares with its defining query. */
export interface VerifyResult {
  ok: boolean
  /** Rows of the query that are not in the stream table. */
  missing: number
  /** Rows of the stream table that are not in the query's result. */
  extra: number
}

/** How a change to a source reaches the stored rows. */
export type Way = 'fold' | 'rekey' | 'rebuild'

/** How a change to one source is applied to one stage. */
export interface SourcePlan {
  /** The table, as a qualified name. */
  name: string
  /** How many times the query reads it: more than once in a self-join. */
  occurrences: number
  way: Way
  /** What the cost of a change is proportional to. */
  cost: string
  /** Which changes run with plans that are kept, and which run the whole query. */
  choice: string
  /** The statements that run for each event. */
  insert: string[]
  delete: string[]
  update: string[]
  truncate: string[]
}

/** One stored result and how it is maintained. */
export interface StagePlan {
  name: string
  way: Way
  /** Why it is not maintained in a better way. */
  reason: string | null
  /** The stored columns that identify a row; empty when there can be duplicate rows. */
  key: string[]
  /** The operators of the stage, outermost first. */
  operators: string[]
  sources: SourcePlan[]
}

/** How a stream table is maintained. */
export interface StreamTablePlan {
  name: string
  schema: string
  way: Way
  reason: string | null
  /** The moment up to which it is exact, if its query reads the clock. */
  asOf: Date | null
  columns: string[]
  key: string[]
  stages: StagePlan[]
  /** What would make a change cheaper: a missing index, for example. */
  advice: string[]
}
