import { checkOptions } from '../options.js'
import type { StreamTableDatabase } from '../subscribe/database.js'
import type { AnyRow } from '../types.js'
import { windowOf } from './selection.js'
import type { SelectionOptions } from './selection.js'
import { storeOf } from './store.js'
import type { StreamTableState, View } from './store.js'

/** Options of `useStreamTable`. */
export interface StreamTableOptions<Row = AnyRow> extends SelectionOptions<Row> {
  /** A PGlite with the plugin, or a tab's PGliteWorker. Until there is one, the rows are loading. */
  db: StreamTableDatabase | undefined
  /** Returns true for the rows to show. */
  filter?: (row: Row) => boolean
}

/** What is shown while there is no database. */
export const LOADING: StreamTableState<never> = { rows: [], count: 0, loading: true, error: undefined, retry: () => {} }

/** The view that an adapter follows, unless there is no database yet. */
export function viewOf<Row>(name: string, options: StreamTableOptions<Row>): View | undefined {
  checkOptions('useStreamTable', options, name)
  const { db } = options
  if (db === undefined || db === null) return undefined
  if (typeof db.trickle?.subscribe !== 'function') {
    throw new Error("useStreamTable's database has no plugin: open it with PGlite.create({ extensions: { trickle } })")
  }
  return storeOf(db, name).view(unfiltered(options))
}

/** The options of the view below a filter. Limit and offset count the rows that the filter lets through, so they wait. */
export function unfiltered<Row>(options: SelectionOptions<Row> & { filter?: (row: Row) => boolean }): SelectionOptions {
  const { limit, offset, filter, ...rest } = options as SelectionOptions & { filter?: unknown }
  return filter
    ? rest
    : { ...rest, ...(typeof limit === 'number' && { limit }), ...(typeof offset === 'number' && { offset }) }
}

/** What a component shows of the view's state. */
export function filtered<Row>(
  state: StreamTableState<Row>,
  options: SelectionOptions<Row> & { filter?: (row: Row) => boolean },
): StreamTableState<Row> {
  if (!options.filter) return state
  const rows = state.rows.filter(options.filter)
  return { ...state, rows: windowOf(rows, options), count: rows.length }
}
