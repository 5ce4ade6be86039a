'use client'

/** React: components that show the rows of stream tables, live. */
import { useMemo, useSyncExternalStore } from 'react'
import { feedOf } from './feed.js'
import type { StreamTableState } from './feed.js'
import { useDatabase } from './provider.js'
import type { SelectionOptions } from './selection.js'
import type { StreamTableDatabase } from '../subscribe/database.js'
import type { AnyRow } from '../types.js'

export type { StreamTableState } from './feed.js'
export type { OrderBy, OrderTerm } from './order.js'
export type { StreamTableDatabase } from '../subscribe/database.js'

/** Options of `useStreamTable`. */
export interface UseStreamTableOptions<Row = AnyRow> extends SelectionOptions<Row> {
  /** The database. Without it, that of the `PGliteProvider` of `@electric-sql/pglite-react` around the component. */
  db?: StreamTableDatabase | undefined
  /** Only rows for which this is true. */
  filter?: (row: Row) => boolean
}

/**
 * The rows of a stream table, which follow each committed change.
 *
 * All components share one subscription per database and stream table. No query is run again: the changes are applied to
 * the rows at hand. The rows are in the order of `orderBy`, else in the order of the stream table's ORDER BY if that
 * names columns of it, else in the order in which they came.
 */
export function useStreamTable<Row extends object = AnyRow>(
  name: string,
  options: UseStreamTableOptions<Row> = {},
): StreamTableState<Row> {
  const db = useDatabase(options.db)
  const view = db === undefined ? NO_VIEW : feedOf(db, name).view(options as SelectionOptions)
  const state = useSyncExternalStore(view.subscribe, view.snapshot, initial) as unknown as StreamTableState<Row>
  const { filter } = options
  return useMemo(() => (filter === undefined ? state : { ...state, rows: state.rows.filter(filter) }), [state, filter])
}

const LOADING: StreamTableState = { rows: [], loading: true, error: undefined, retry: () => {} }
const initial = () => LOADING
const NO_VIEW = { subscribe: () => () => {}, snapshot: initial }
