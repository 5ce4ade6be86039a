/** Solid: the rows of stream tables, live. */
import { createEffect, createMemo, createSignal, onCleanup } from 'solid-js'
import type { Accessor } from 'solid-js'
import type { AnyRow } from '../types.js'
import { filtered, LOADING, viewOf } from '../view/options.js'
import type { StreamTableOptions } from '../view/options.js'
import type { StreamTableState } from '../view/store.js'

export type { OrderBy, OrderTerm } from '../view/order.js'
export type { StreamTableOptions } from '../view/options.js'
export type { StreamTableState } from '../view/store.js'
export type { StreamTableDatabase } from '../subscribe/database.js'

/**
 * The rows of a stream table, updated after every committed change. Name and options may be accessors. The properties of
 * the result are reactive, like props, so do not destructure it. All components share one subscription per database and
 * stream table.
 */
export function useStreamTable<Row extends object = AnyRow>(
  name: string | Accessor<string>,
  options: StreamTableOptions<Row> | Accessor<StreamTableOptions<Row>>,
): StreamTableState<Row> {
  const given = () => (typeof options === 'function' ? options() : options)
  const view = createMemo(() => viewOf(typeof name === 'function' ? name() : name, given()))
  const [state, setState] = createSignal<StreamTableState<Row>>(LOADING)
  createEffect(() => {
    const followed = view()
    const update = () => setState(() => (followed?.getSnapshot() ?? LOADING) as StreamTableState<Row>)
    if (followed) onCleanup(followed.subscribe(update))
    update()
  })
  const shown = createMemo(() => filtered(state(), given()))
  return {
    get rows() {
      return shown().rows
    },
    get count() {
      return shown().count
    },
    get loading() {
      return state().loading
    },
    get error() {
      return state().error
    },
    retry: () => state().retry(),
  }
}
