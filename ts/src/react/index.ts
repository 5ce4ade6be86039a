'use client'

/** React: components that show the rows of stream tables, live. */
import { useMemo, useSyncExternalStore } from 'react'
import { useDatabase } from './provider.js'
import { checkOptions } from '../options.js'
import { filtered, LOADING, unfiltered } from '../view/options.js'
import type { SelectionOptions } from '../view/selection.js'
import { storeOf } from '../view/store.js'
import type { StreamTableState } from '../view/store.js'
import type { StreamTableDatabase } from '../subscribe/database.js'
import type { AnyRow } from '../types.js'

export { StreamTableProvider } from './provider.js'
export type { StreamTableProviderProps } from './provider.js'
export type { StreamTableState } from '../view/store.js'
export type { OrderBy, OrderTerm } from '../view/order.js'
export type { StreamTableDatabase } from '../subscribe/database.js'

/** Options of `useStreamTable`. */
export interface UseStreamTableOptions<Row = AnyRow> extends SelectionOptions<Row> {
  /** The database. By default that of the `StreamTableProvider` around the component. While undefined, the rows are loading. */
  db?: StreamTableDatabase | undefined
  /** Returns true for the rows to show. */
  filter?: (row: Row) => boolean
}

/**
 * The rows of a stream table, updated after every committed change.
 *
 * All components share one subscription per database and stream table. No query runs again: the changes are applied to
 * the rows at hand. The rows are in the order of `orderBy`; or else in that of the stream table's ORDER BY, if it sorts
 * by columns of the stream table; or else in the order in which they arrived.
 */
export function useStreamTable<Row extends object = AnyRow>(
  name: string,
  options: UseStreamTableOptions<Row> = {},
): StreamTableState<Row> {
  checkOptions('useStreamTable', options, name)
  const db = useDatabase(options)
  const view = db === undefined ? NO_VIEW : storeOf(db, name).view(unfiltered(options))
  const state = useSyncExternalStore(
    view.subscribe,
    view.getSnapshot,
    getServerSnapshot,
  ) as unknown as StreamTableState<Row>
  const { filter, limit, offset } = options
  // The options may be a new object each time; what counts of them is listed.
  return useMemo(() => filtered(state, options), [state, filter, limit, offset])
}

const getServerSnapshot = () => LOADING
const NO_VIEW = { subscribe: () => () => {}, getSnapshot: getServerSnapshot }
