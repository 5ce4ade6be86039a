import type { TrickleError } from '../errors.js'
import type { AnyRow, ColumnOf } from '../types.js'

/** What identifies a row. */
interface Identity<Row> {
  /** The key columns and their values. Where the stream table has no key to be seen, `{ __pgt_id: id }`. */
  key: Partial<Row> & AnyRow
  /** The same as one text, which no other row has: for `Map`, and for lists of components. */
  id: string
}

/** A row came. */
export interface Inserted<Row = AnyRow> extends Identity<Row> {
  op: 'insert'
  row: Row
  old?: undefined
}

/** A row has other values. */
export interface Updated<Row = AnyRow> extends Identity<Row> {
  op: 'update'
  row: Row
  /** The row as it was: the same object that was given as `row` before. */
  old: Row
}

/** A row went. */
export interface Deleted<Row = AnyRow> extends Identity<Row> {
  op: 'delete'
  /** The row as it was: the same object that was given before. */
  row: Row
  old?: undefined
}

/** One changed row of a stream table. */
export type Change<Row = AnyRow> = Inserted<Row> | Updated<Row> | Deleted<Row>

/** What a callback is told beside the changes. */
export interface ChangeInfo {
  /** These are the rows that were there, each as an insert. */
  initial: boolean
  /** The columns, in order, with the OIDs of their types. */
  fields: readonly Field[]
}

/** A column, in the shape of PGlite's results. */
export interface Field {
  name: string
  dataTypeID: number
}

/** Gets what has changed. What it throws goes to `onError`, and so does what its promise is rejected with. */
export type ChangeCallback<Row = AnyRow> = (changes: Change<Row>[], info: ChangeInfo) => unknown

/** Options of `subscribe`. */
export interface SubscribeOptions<Row = AnyRow> {
  /**
   * Begin with the rows that are there (the default). When false only what changes from now on is told; where others
   * follow the stream table already, a transaction that has begun before is told whole.
   */
  initial?: boolean
  /**
   * Columns that together no two rows share. A stream table often knows by itself; where it does not (windows, outer
   * joins), a changed row is told as a delete and an insert, and with this as an update. A list of none is no key.
   */
  key?: ColumnOf<Row> | readonly ColumnOf<Row>[]
  /**
   * Gets what went wrong: an error thrown by the callback, after which the subscription goes on; or, with code `42P01`,
   * that the stream table was dropped, after which nothing more comes. Without it errors go to `console.error`.
   */
  onError?: (error: TrickleError) => void
}

/** Ends a subscription. Calling it again does nothing more. */
export type Unsubscribe = () => Promise<void>
