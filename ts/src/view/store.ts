import { fingerprint } from './equal.js'
import { loadOrdering, NO_ORDERING } from './order.js'
import { RowSet } from './rows.js'
import { Selection, windowOf } from './selection.js'
import type { SelectionOptions } from './selection.js'
import type { TrickleError } from '../errors.js'
import type { StreamTableDatabase } from '../subscribe/database.js'
import type { Change, ChangeCallback } from '../subscribe/types.js'
import type { AnyRow } from '../types.js'

/** What a component sees of a stream table. Every change makes a new object. */
export interface StreamTableState<Row = AnyRow> {
  /** The rows. The array is never modified: a change makes a new one, in which unchanged rows are the same objects. */
  readonly rows: readonly Row[]
  /** How many rows there are without `limit` and `offset`. */
  readonly count: number
  /** True until the first rows have arrived. */
  readonly loading: boolean
  /** Why there are no rows, or why they are no longer updated: because the stream table was dropped, for example. */
  readonly error: TrickleError | undefined
  /** Subscribes again after an error. */
  readonly retry: () => void
}

/** Milliseconds for which a subscription outlives the last component that used it. */
const KEEP_ALIVE = 5000

/** The shortest time between two renderings in milliseconds: one frame of a 60 Hz screen. */
const FRAME = 16

/**
 * The rows of one stream table, for all components that show them. They share one subscription. It starts with the first
 * component and outlives the last one for a moment, so that a component that is mounted again has its rows at once.
 *
 * A first change is published at once, and those that follow it at most once per frame.
 */
export class StreamTableStore {
  readonly #db: StreamTableDatabase
  readonly #name: string
  readonly #rows = new RowSet<AnyRow>()
  /** By the fingerprint of their options. */
  readonly #views = new Map<string, View>()
  /** The views that have listeners. Any other view is brought up to date when it gets one. */
  readonly #active = new Set<View>()
  /** What views show that differ in limit and offset alone: sorting is the work, a window of it is none. */
  readonly #selections = new Map<string, SharedSelection>()
  #ordering = NO_ORDERING
  /** Increases with every change to the rows or their ordering. */
  #version = 0
  #loading = true
  #error: TrickleError | undefined
  /** Ends the subscription, if there is one. */
  #end: (() => void) | undefined
  #pending: Change<AnyRow>[] = []
  #flushTimer: Timer | undefined
  #lastPublished = -Infinity
  #stopTimer: Timer | undefined

  constructor(db: StreamTableDatabase, name: string) {
    this.#db = db
    this.#name = name
  }

  /** The view with these options. Components with equal options share it. */
  view(options: SelectionOptions): View {
    const rows = fingerprint([options.key, options.where, options.orderBy])
    const id = `${rows} ${options.offset ?? 0} ${options.limit ?? ''}`
    let view = this.#views.get(id)
    if (view === undefined) {
      let selection = this.#selections.get(rows)
      if (selection === undefined) {
        selection = { id: rows, rows: new Selection(options), version: -1 }
        this.#selections.set(rows, selection)
      }
      view = new View(this, id, selection, options)
      this.#views.set(id, view)
    }
    this.#refresh(view)
    return view
  }

  /** A view has got its first listener. After an error this also subscribes again. */
  activate(view: View): void {
    clearTimeout(this.#stopTimer)
    this.#active.add(view)
    this.#views.set(view.id, view)
    this.#selections.set(view.selection.id, view.selection)
    if (this.#end === undefined) this.restart()
    else this.#refresh(view)
  }

  /** A view has lost its last listener. */
  deactivate(view: View): void {
    this.#active.delete(view)
    if (this.#views.get(view.id) === view) this.#views.delete(view.id)
    const { selection } = view
    if (![...this.#views.values()].some((other) => other.selection === selection)) this.#selections.delete(selection.id)
    if (this.#active.size > 0) return
    this.#stopTimer = setTimeout(() => this.#stop(), KEEP_ALIVE)
    // In Node, the chance that a component is mounted again must not keep the process alive.
    if (typeof this.#stopTimer === 'object') this.#stopTimer.unref?.()
  }

  /** Subscribes, and first ends the current subscription if there is one. */
  readonly restart = (): void => {
    this.#end?.()
    this.#loading = true
    this.#error = undefined
    this.#publish()
    let ended = false
    let filled = false
    let unsubscribe: (() => Promise<void>) | undefined
    const end = () => {
      ended = true
      // Unsubscribing fails when the database has been closed, which has ended the subscription anyway.
      unsubscribe?.().catch(() => {})
    }
    let fields: unknown
    const receive: ChangeCallback = (changes, info) => {
      if (ended) return
      if (filled) this.#add(changes)
      else this.#fill(changes)
      // The stream table has got another query, which may have another order.
      if (filled && info.fields !== fields) void updateOrdering()
      filled = true
      fields = info.fields
    }
    const updateOrdering = async () => {
      const ordering = await loadOrdering(this.#db, this.#name)
      if (ended) return
      this.#ordering = ordering
      this.#version++
      this.#publish()
    }
    const fail = (error: TrickleError) => {
      if (ended) return
      end()
      this.#end = undefined
      this.#flush()
      this.#loading = false
      this.#error = error
      this.#publish()
    }
    const subscribe = async () => {
      await updateOrdering()
      if (ended) return
      unsubscribe = await this.#db.trickle.subscribe<AnyRow>(this.#name, receive, { onError: fail })
      if (ended) end()
    }
    this.#end = end
    subscribe().catch(fail)
  }

  #stop(): void {
    this.#end?.()
    this.#end = undefined
    clearTimeout(this.#flushTimer)
    this.#flushTimer = undefined
    this.#pending = []
    this.#rows.clear()
    this.#views.clear()
    this.#selections.clear()
    this.#version++
    this.#loading = true
    this.#error = undefined
  }

  /** Takes the initial rows of a subscription. They replace those of an earlier one. */
  #fill(changes: Change<AnyRow>[]): void {
    this.#rows.replace(changes)
    this.#version++
    this.#loading = false
    this.#publish()
  }

  #add(changes: Change<AnyRow>[]): void {
    for (const change of changes) this.#pending.push(change)
    if (this.#flushTimer !== undefined) return
    const wait = this.#active.size === 0 ? 0 : this.#lastPublished + FRAME - performance.now()
    if (wait <= 0) this.#flush()
    else this.#flushTimer = setTimeout(() => this.#flush(), wait)
  }

  #flush(): void {
    clearTimeout(this.#flushTimer)
    this.#flushTimer = undefined
    if (this.#pending.length === 0) return
    const changes = this.#rows.apply(this.#pending)
    this.#pending = []
    this.#version++
    for (const selection of new Set([...this.#active].map(({ selection }) => selection))) {
      selection.rows.apply(changes)
      selection.version = this.#version
    }
    this.#publish()
  }

  #publish(): void {
    this.#lastPublished = performance.now()
    for (const view of this.#active) this.#refresh(view)
  }

  #refresh(view: View): void {
    const { selection } = view
    if (selection.version !== this.#version) {
      selection.rows.reset(this.#rows, this.#ordering)
      selection.version = this.#version
    }
    view.publish(this.#loading, this.#error)
  }
}

type Timer = ReturnType<typeof setTimeout>

/** Rows that are selected once, for all views of them. */
interface SharedSelection {
  id: string
  rows: Selection<AnyRow>
  /** The version of the store's rows that they are of. */
  version: number
}

/** One selection of a store's rows, or a window of it, in the form that React's `useSyncExternalStore` takes. */
export class View {
  readonly #store: StreamTableStore
  readonly #window: Pick<SelectionOptions, 'limit' | 'offset'>
  readonly #listeners = new Set<() => void>()
  #state: StreamTableState

  constructor(
    store: StreamTableStore,
    readonly id: string,
    readonly selection: SharedSelection,
    { limit, offset }: SelectionOptions,
  ) {
    this.#store = store
    this.#window = { ...(limit !== undefined && { limit }), ...(offset !== undefined && { offset }) }
    this.#state = { rows: [], count: 0, loading: true, error: undefined, retry: store.restart }
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    this.#store.activate(this)
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#store.deactivate(this)
    }
  }

  readonly getSnapshot = (): StreamTableState => this.#state

  /** Calls the listeners if anything that a component sees has changed. */
  publish(loading: boolean, error: TrickleError | undefined): void {
    const all = this.selection.rows.rows
    const count = all.length
    const state = this.#state
    const rows = sameOrNew(state.rows, windowOf(all, this.#window), all)
    if (state.rows === rows && state.count === count && state.loading === loading && state.error === error) return
    this.#state = { rows, count, loading, error, retry: state.retry }
    for (const listener of this.#listeners) listener()
  }
}

/** A window whose rows are the same objects in the same places is the same array; a change outside of it changes nothing. */
function sameOrNew(old: readonly AnyRow[], now: readonly AnyRow[], all: readonly AnyRow[]): readonly AnyRow[] {
  if (now === all) return now
  return old.length === now.length && now.every((row, n) => row === old[n]) ? old : now
}

/** The stores of each database, by the name of the stream table. */
const stores = new WeakMap<StreamTableDatabase, Map<string, StreamTableStore>>()

/** The store of a stream table, which all components share. */
export function storeOf(db: StreamTableDatabase, name: string): StreamTableStore {
  let byName = stores.get(db)
  if (byName === undefined) stores.set(db, (byName = new Map()))
  let store = byName.get(name)
  if (store === undefined) byName.set(name, (store = new StreamTableStore(db, name)))
  return store
}
