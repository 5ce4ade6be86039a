/** Vue: refs with the rows of stream tables, live. */
import { computed, shallowRef, toRaw, toValue, watch } from 'vue'
import type { ComputedRef, MaybeRefOrGetter } from 'vue'
import type { TrickleError } from '../errors.js'
import type { AnyRow } from '../types.js'
import { filtered, LOADING, viewOf } from '../view/options.js'
import type { StreamTableOptions } from '../view/options.js'
import type { StreamTableState } from '../view/store.js'

export type { OrderBy, OrderTerm } from '../view/order.js'
export type { StreamTableOptions } from '../view/options.js'
export type { StreamTableDatabase } from '../subscribe/database.js'

/** What `useStreamTable` returns. */
export interface StreamTableRefs<Row = AnyRow> {
  /** The rows. A change makes a new array, in which unchanged rows are the same objects. */
  rows: ComputedRef<readonly Row[]>
  /** How many rows there are without `limit` and `offset`. */
  count: ComputedRef<number>
  /** True until the first rows have arrived. */
  loading: ComputedRef<boolean>
  /** Why there are no rows, or why they are no longer updated: because the stream table was dropped, for example. */
  error: ComputedRef<TrickleError | undefined>
  /** Subscribes again after an error. */
  retry: () => void
}

/**
 * The rows of a stream table, updated after every committed change. Name and options may be refs or getters. All
 * components share one subscription per database and stream table.
 */
export function useStreamTable<Row extends object = AnyRow>(
  name: MaybeRefOrGetter<string>,
  options: MaybeRefOrGetter<StreamTableOptions<Row>>,
): StreamTableRefs<Row> {
  const state = shallowRef<StreamTableState<Row>>(LOADING)
  const current = () => {
    const { db, ...rest } = toValue(options)
    // Private fields of PGlite are out of reach for a reactive proxy.
    return viewOf(toValue(name), { ...rest, db: toRaw(db) })
  }
  watch(
    current,
    (view, _, onCleanup) => {
      const update = () => (state.value = (view?.getSnapshot() ?? LOADING) as StreamTableState<Row>)
      if (view) onCleanup(view.subscribe(update))
      update()
    },
    { immediate: true },
  )
  const shown = computed(() => filtered(state.value, toValue(options)))
  return {
    rows: computed(() => shown.value.rows),
    count: computed(() => shown.value.count),
    loading: computed(() => state.value.loading),
    error: computed(() => state.value.error),
    retry: () => state.value.retry(),
  }
}
