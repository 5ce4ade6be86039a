/** The part of PGlite and PGliteWorker that the plugin needs. */
export interface Database {
  query<T>(sql: string, params?: unknown[], options?: QueryOptions): Promise<{ rows: T[] }>
}

/** The options of PGlite's `query` that the plugin uses. */
export interface QueryOptions {
  onNotice?: (notice: Notice) => void
  /** How values become JavaScript's, by the OIDs of their types. */
  parsers?: Record<number, (text: string) => unknown>
  /** How parameters become text. */
  serializers?: Record<number, (value: unknown) => string>
}

/** A notice of PostgreSQL. */
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
  /** The schema it is in, unquoted. */
  schema: string
  /** The defining query. */
  query: string
  /** How it is kept fresh. PGlite has one mode: maintenance inside the statement that changes a source. */
  refreshMode: 'IMMEDIATE'
  /** `ACTIVE` when it is maintained; anything else says why it is not. */
  status: string
  /** The columns of the defining query, in order. */
  columns: ColumnOf<Row>[]
  /** The columns that identify a row; empty when rows can be duplicates of each other. */
  key: string[]
  /** The tables it is computed from, as qualified names. */
  sources: string[]
  /** When it was created. */
  createdAt: Date
}

/** Options of `alterStreamTable`. */
export interface AlterStreamTableOptions {
  /** Gets the notices, such as why a query can only be maintained by running it again. Not in a tab of the worker. */
  onNotice?: (notice: Notice) => void
}

/** Options of `createStreamTable`. */
export type CreateStreamTableOptions = AlterStreamTableOptions & {
  /**
   * Fill it now (the default). When false it stays empty until `refreshStreamTable`; one that `orReplace` finds filled is
   * filled again whatever this says.
   */
  withData?: boolean
} & (
    | {
        /** Do nothing when the name is already a stream table. */
        ifNotExists?: boolean
        orReplace?: false
      }
    | {
        ifNotExists?: false
        /** Take the place of a stream table of the same name. */
        orReplace?: boolean
      }
  )

/** Options of `dropStreamTable`. */
export interface DropStreamTableOptions {
  /** Do nothing when there is no such stream table. */
  ifExists?: boolean
  /** Drop what depends on it too: views, and stream tables over it. */
  cascade?: boolean
}

/** What a refresh had to change. All zero when the stream table was right already. */
export interface RefreshResult {
  /** Rows that were missing. */
  inserted: number
  /** Rows that should not have been there. */
  deleted: number
  /** Rows that had other values. */
  updated: number
}

/** How a stream table compares with its defining query. */
export interface VerifyResult {
  ok: boolean
  /** Rows of the query that the stream table lacks. */
  missing: number
  /** Rows of the stream table that the query does not give. */
  extra: number
}

/** How the change of a source reaches the stored rows. */
export type Way = 'fold' | 'rekey' | 'rebuild'

/** What a change of one source does to one stage. */
export interface SourcePlan {
  /** The table, as a qualified name. */
  name: string
  /** How often the query reads it: more than once in a self-join. */
  occurrences: number
  way: Way
  /** What the cost of a change is proportional to. */
  cost: string
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
  /** Why the way is not a better one. */
  reason: string | null
  /** The stored columns that identify a row; empty where rows can repeat. */
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
  columns: string[]
  key: string[]
  stages: StagePlan[]
  /** What would make it cheaper, such as a missing index. */
  advice: string[]
}
