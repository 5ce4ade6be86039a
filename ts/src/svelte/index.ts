/** Svelte: stores with the rows of stream tables, live. */
import type { Readable } from 'svelte/store'
import type { AnyRow } from '../types.js'
import { filtered, LOADING, viewOf } from '../view/options.js'
import type { StreamTableOptions } from '../view/options.js'
import type { StreamTableState } from '../view/store.js'

export type { OrderBy, OrderTerm } from '../view/order.js'
export type { StreamTableOptions } from '../view/options.js'
export type { StreamTableState } from '../view/store.js'
export type { StreamTableDatabase } from '../subscribe/database.js'

/**
 * The rows of a stream table as a store, updated after every committed change: `$totals.rows` in a component. All stores
 * share one subscription per database and stream table, which starts with the first subscriber of a store.
 */
export function useStreamTable<Row extends object = AnyRow>(
  name: string,
  options: StreamTableOptions<Row>,
): Readable<StreamTableState<Row>> {
  return {
    subscribe(run) {
      const view = viewOf(name, options)
      const update = () => {
        const state = (view?.getSnapshot() ?? LOADING) as StreamTableState<Row>
        run(filtered(state, options))
      }
      const end = view?.subscribe(update)
      update()
      return () => end?.()
    },
  }
}
