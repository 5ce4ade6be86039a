import type { TrickleError } from '../errors.js'
import type { AnyRow, ColumnOf } from '../types.js'

/** How a row is identified. */
interface Identity<Row> {
  /** The key columns and their values, or `{ __pgt_id: id }` where the stream table has no visible key. */
  key: Partial<Row> & AnyRow
  /** The same as a string that is unique among the rows. Use it as a key of a `Map`, or in a list of components. */
  id: string
}

/** A row was added. */
export interface Inserted<Row = AnyRow> extends Identity<Row> {
  op: 'insert'
  row: Row
  old?: undefined
}

/** Values of a row have changed. */
export interface Updated<Row = AnyRow> extends Identity<Row> {
  op: 'update'
  row: Row
  /** The row before the change: the object that an earlier change had as `row`. */
  old: Row
}

/** A row was removed. */
export interface Deleted<Row = AnyRow> extends Identity<Row> {
  op: 'delete'
  /** The removed row: the object that an earlier change had as `row`. */
  row: Row
  old?: undefined
}

/** One changed row of a stream table. */
export type Change<Row = AnyRow> = Inserted<Row> | Updated<Row> | Deleted<Row>

/** What a callback receives besides the changes. */
export interface ChangeInfo {
  /** The changes are the initial rows, each as an insert. */
  initial: boolean
  /** The columns, in order, with the OIDs of their types. */
  fields: readonly Field[]
}

/** A column, in the shape of PGlite's results. */
export interface Field {
  name: string
  dataTypeID: number
}

/** Receives the changes. If it throws, or returns a promise that rejects, the error goes to `onError`. */
export type ChangeCallback<Row = AnyRow> = (changes: Change<Row>[], info: ChangeInfo) => unknown

/** Options of `subscribe`. */
export interface SubscribeOptions<Row = AnyRow> {
  /**
   * Start with the existing rows (the default). When false, only later changes are reported; if the stream table already
   * has other subscribers, that includes every change of a transaction that is still open.
   */
  initial?: boolean
  /**
   * Columns whose values together are unique. Many stream tables know their key. Where one does not (windows, outer
   * joins), a changed row is reported as a delete and an insert; with this option, as an update. An empty list is the
   * same as none.
   */
  key?: ColumnOf<Row> | readonly ColumnOf<Row>[]
  /** Ends the subscription when it is aborted. */
  signal?: AbortSignal
  /**
   * Receives errors. One thrown by the callback does not end the subscription. One with code `42P01` says that the
   * stream table was dropped, and no changes follow it. Without this option errors go to `console.error`.
   */
  onError?: (error: TrickleError) => void
}

/** Ends a subscription. Further calls have no effect. `await using` calls it at the end of the block. */
export interface Unsubscribe {
  (): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
