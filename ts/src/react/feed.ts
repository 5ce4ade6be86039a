import { fingerprint } from './equal.js'
import { describe } from './order.js'
import type { Shape } from './order.js'
import { Rows } from './rows.js'
import type { Delta } from './rows.js'
import { Selection } from './selection.js'
import type { SelectionOptions } from './selection.js'
import type { TrickleError } from '../errors.js'
import type { StreamTableDatabase } from '../subscribe/database.js'
import type { Change, ChangeCallback } from '../subscribe/types.js'
import type { AnyRow } from '../types.js'

/** What a component shows of a stream table. A new object whenever something of it changes. */
export interface StreamTableState<Row = AnyRow> {
  /** The rows, as an array that never changes: a change makes a new one, in which unchanged rows are the same objects. */
  readonly rows: readonly Row[]
  /** True until the first rows are there. */
  readonly loading: boolean
  /** Why there are no rows, or why they no longer follow: the stream table was dropped, for example. */
  readonly error: TrickleError | undefined
  /** Subscribes again after an error. */
  readonly retry: () => void
}

/** Milliseconds for which a subscription outlives the last component that used it. */
export const LINGER = 5000

/** Milliseconds between two renderings at least: no screen shows more. */
const FRAME = 16

const UNKNOWN: Shape = { kinds: {}, order: [] }

/**
 * The rows of one stream table for all components that show them: one subscription, which starts with the first component
 * and outlives the last one for a moment, so that a component that comes back has its rows at once.
 *
 * Changes are told at once, and then at most once a frame.
 */
export class Feed {
  readonly #db: StreamTableDatabase
  readonly #name: string
  readonly #rows = new Rows<AnyRow>()
  /** By their options. */
  readonly #views = new Map<string, View>()
  /** Those that somebody looks at. The others are brought up to date when somebody does. */
  readonly #shown = new Set<View>()
  #shape = UNKNOWN
  /** Counts what happens to the rows. */
  #version = 0
  #loading = true
  #error: TrickleError | undefined
  /** Ends the subscription, if there is one. */
  #end: (() => void) | undefined
  #pending: Change<AnyRow>[] = []
  #frame: Timer | undefined
  #lastTold = -Infinity
  #linger: Timer | undefined

  constructor(db: StreamTableDatabase, name: string) {
    this.#db = db
    this.#name = name
  }

  /** The view of these options, the same one for all who look at it. */
  view(options: SelectionOptions): View {
    const id = fingerprint([options.key, options.where, options.orderBy])
    let view = this.#views.get(id)
    if (view === undefined) {
      view = new View(this, id, options)
      this.#views.set(id, view)
    }
    this.#refresh(view)
    return view
  }

  /** Somebody more looks at a view. After an error that is a reason to try again. */
  show(view: View): void {
    clearTimeout(this.#linger)
    this.#shown.add(view)
    this.#views.set(view.id, view)
    if (this.#end === undefined) this.restart()
    else this.#refresh(view)
  }

  /** Nobody does any more. */
  hide(view: View): void {
    this.#shown.delete(view)
    if (this.#views.get(view.id) === view) this.#views.delete(view.id)
    if (this.#shown.size > 0) return
    this.#linger = setTimeout(() => this.#stop(), LINGER)
    // In Node, a component that might come back is no reason to live on.
    if (typeof this.#linger === 'object') this.#linger.unref?.()
  }

  /** Subscribes, anew if need be. */
  readonly restart = (): void => {
    this.#end?.()
    this.#loading = true
    this.#error = undefined
    this.#tell()
    let ended = false
    let filled = false
    let unsubscribe: (() => Promise<void>) | undefined
    const end = () => {
      ended = true
      // A database that was closed has ended it already.
      unsubscribe?.().catch(() => {})
    }
    let fields: unknown
    const receive: ChangeCallback = (changes, info) => {
      if (ended) return
      if (filled) this.#add(changes)
      else this.#fill(changes)
      // Another query, under the same name, may have another order.
      if (filled && info.fields !== fields) void shape()
      filled = true
      fields = info.fields
    }
    const shape = async () => {
      const found = await describe(this.#db, this.#name)
      if (ended) return
      this.#shape = found
      this.#version++
      this.#tell()
    }
    const fail = (error: TrickleError) => {
      if (ended) return
      end()
      this.#end = undefined
      this.#flush()
      this.#loading = false
      this.#error = error
      this.#tell()
    }
    const subscribe = async () => {
      await shape()
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
    clearTimeout(this.#frame)
    this.#frame = undefined
    this.#pending = []
    this.#rows.clear()
    this.#views.clear()
    this.#version++
    this.#loading = true
    this.#error = undefined
  }

  /** The first rows of a subscription, in the place of those of the one before. */
  #fill(changes: Change<AnyRow>[]): void {
    this.#rows.replace(changes)
    this.#version++
    this.#loading = false
    this.#tell()
  }

  #add(changes: Change<AnyRow>[]): void {
    for (const change of changes) this.#pending.push(change)
    if (this.#frame !== undefined) return
    const wait = this.#shown.size === 0 ? 0 : this.#lastTold + FRAME - performance.now()
    if (wait <= 0) this.#flush()
    else this.#frame = setTimeout(() => this.#flush(), wait)
  }

  #flush(): void {
    clearTimeout(this.#frame)
    this.#frame = undefined
    if (this.#pending.length === 0) return
    const delta = this.#rows.apply(this.#pending)
    this.#pending = []
    this.#version++
    for (const view of this.#shown) view.apply(delta, this.#version)
    this.#tell()
  }

  #tell(): void {
    this.#lastTold = performance.now()
    for (const view of this.#shown) this.#refresh(view)
  }

  #refresh(view: View): void {
    if (view.version !== this.#version) view.reset(this.#rows, this.#shape, this.#version)
    view.tell(this.#loading, this.#error)
  }
}

type Timer = ReturnType<typeof setTimeout>

/** One selection of a feed's rows, in the shape that React's `useSyncExternalStore` takes. */
export class View {
  /** The version of the feed's rows that it shows. */
  version = -1
  readonly #feed: Feed
  readonly #selection: Selection<AnyRow>
  readonly #listeners = new Set<() => void>()
  #state: StreamTableState

  constructor(
    feed: Feed,
    readonly id: string,
    options: SelectionOptions,
  ) {
    this.#feed = feed
    this.#selection = new Selection(options)
    this.#state = { rows: this.#selection.rows, loading: true, error: undefined, retry: feed.restart }
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    this.#feed.show(this)
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#feed.hide(this)
    }
  }

  readonly snapshot = (): StreamTableState => this.#state

  reset(rows: Iterable<AnyRow>, shape: Shape, version: number): void {
    this.#selection.reset(rows, shape)
    this.version = version
  }

  apply(delta: Delta<AnyRow>, version: number): void {
    this.#selection.apply(delta)
    this.version = version
  }

  tell(loading: boolean, error: TrickleError | undefined): void {
    const { rows } = this.#selection
    const state = this.#state
    if (state.rows === rows && state.loading === loading && state.error === error) return
    this.#state = { rows, loading, error, retry: state.retry }
    for (const listener of this.#listeners) listener()
  }
}

/** The feeds of each database, by the name of the stream table. */
const feeds = new WeakMap<StreamTableDatabase, Map<string, Feed>>()

/** The feed that all components share. */
export function feedOf(db: StreamTableDatabase, name: string): Feed {
  let ofDatabase = feeds.get(db)
  if (ofDatabase === undefined) feeds.set(db, (ofDatabase = new Map()))
  let feed = ofDatabase.get(name)
  if (feed === undefined) ofDatabase.set(name, (feed = new Feed(db, name)))
  return feed
}
