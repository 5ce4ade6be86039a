/** Stream tables for PGlite: tables that always equal their defining query. */
export { Trickle } from './api.js'
export type { Bundles, BundleSource } from './bundle.js'
export type { FeedChange, FeedOptions, KeepOptions } from './changes.js'
export type { CatalogAnswer, Definition } from './definition.js'
export { TrickleError } from './errors.js'
export type { TrickleErrorDetails } from './errors.js'
export type { ExportedStreamTable, ExportOptions, ExportTarget, StreamTableExport } from './outgrow.js'
export type { LiveCallback, LiveOptions, LiveResults, LiveTable } from './subscribe/live.js'
export type {
  Change,
  ChangeCallback,
  ChangeInfo,
  Deleted,
  Field,
  Inserted,
  SubscribeOptions,
  Unsubscribe,
  Updated,
} from './subscribe/types.js'
export type { TransactionTrickle } from './transactions.js'
export { createTrickle, trickle } from './plugin.js'
export type { TrickleExtension, TrickleOptions, TrickleSetup } from './plugin.js'
export type {
  AdvanceResult,
  AlterStreamTableOptions,
  AnyRow,
  ColumnOf,
  CreateStreamTableOptions,
  Database,
  DropStreamTableOptions,
  MemoryUse,
  Notice,
  PostgresMajor,
  QueryOptions,
  RefreshResult,
  SourcePlan,
  StagePlan,
  StreamTable,
  StreamTablePlan,
  StreamTableQuery,
  VerifyResult,
  Way,
} from './types.js'
