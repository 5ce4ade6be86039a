/** The current rows of a stream table, in the shape of PGlite's live queries. */
import type { TrickleError } from '../errors.js'
import type { AnyRow } from '../types.js'
import { reportError, runCallback } from './callbacks.js'
import type { ChangeCallback, Field, SubscribeOptions, Unsubscribe } from './types.js'

/** Options of `live`. */
export interface LiveOptions<Row = AnyRow> extends Omit<SubscribeOptions<Row>, 'initial'> {
  /** Sorts the rows. Without it the initial rows keep their order, and new rows follow them. */
  compare?: (a: Row, b: Row) => number
}

/** All rows at one moment. Each change makes a new array, in which unchanged rows are the same objects. */
export interface LiveResults<Row = AnyRow> {
  rows: Row[]
  fields: Field[]
}

/** Receives all rows. */
export type LiveCallback<Row = AnyRow> = (results: LiveResults<Row>) => void

type Subscribe = (callback: ChangeCallback, options: SubscribeOptions) => Promise<Unsubscribe>

/** What PGlite's `live.query` returns too, so code written for a live query accepts it: React's `useLiveQuery`, say. */
export class LiveTable<Row = AnyRow> {
  readonly #name: string
  readonly #subscribe: Subscribe
  readonly #options: LiveOptions<Row>
  readonly #callbacks = new Set<LiveCallback<Row>>()
  readonly #rows = new Map<string, Row>()
  #fields: Field[] = []
  #results: LiveResults<Row> | undefined
  #subscription: Promise<Unsubscribe> | undefined

  /** Created by the plugin's `live`. */
  private constructor(name: string, subscribe: Subscribe, options: LiveOptions<Row>) {
    this.#name = name
    this.#subscribe = subscribe
    this.#options = options
  }

  /** `subscribe` subscribes to the stream table of this name. */
  static async open<Row>(name: string, subscribe: Subscribe, options: LiveOptions<Row>): Promise<LiveTable<Row>> {
    const table = new LiveTable(name, subscribe, options)
    await table.#start()
    return table
  }

  /** The current rows. */
  get initialResults(): LiveResults<Row> {
    if (this.#results === undefined) {
      const rows = [...this.#rows.values()]
      if (this.#options.compare) rows.sort(this.#options.compare)
      this.#results = { rows, fields: this.#fields }
    }
    return this.#results
  }

  /** Calls back with all rows after each change. Starts again if `unsubscribe` or an error had ended the subscription. */
  readonly subscribe = (callback: LiveCallback<Row>): void => {
    this.#callbacks.add(callback)
    if (this.#subscription === undefined) {
      this.#start().catch((error: TrickleError) => reportError(error, this.#options))
    }
  }

  /** Removes a callback, or all of them when none is given. Without callbacks the subscription ends. */
  readonly unsubscribe = async (callback?: LiveCallback<Row>): Promise<void> => {
    if (callback) this.#callbacks.delete(callback)
    else this.#callbacks.clear()
    // A component in React's StrictMode unsubscribes and subscribes again at once; let it do so first.
    await Promise.resolve()
    if (this.#callbacks.size > 0) return
    const subscription = this.#subscription
    this.#subscription = undefined
    // Whoever started the subscription has already received its error.
    await subscription?.then(
      (end) => end(),
      () => undefined,
    )
  };

  /** Ends it with the block that `await using` is in. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe()
  }

  /** Calls back with the current rows. They are up to date, so this runs no query. */
  readonly refresh = (): Promise<void> => {
    this.#notify()
    return Promise.resolve()
  }

  #start(): Promise<Unsubscribe> {
    const isCurrent = () => this.#subscription === subscription
    const clear = () => {
      if (isCurrent()) this.#subscription = undefined
    }
    const receive: ChangeCallback = (changes, { initial, fields }) => {
      if (!isCurrent()) return
      if (initial) this.#rows.clear()
      this.#fields = [...fields]
      for (const { op, id, row } of changes) {
        if (op === 'delete') this.#rows.delete(id)
        else this.#rows.set(id, row as Row)
      }
      this.#results = undefined
      this.#notify()
    }
    // Called only for an error that ends the subscription: `#notify` handles the errors of callbacks.
    const onError = (error: TrickleError) => {
      clear()
      reportError(error, this.#options)
    }
    const subscription = this.#subscribe(receive, { ...this.#options, onError })
    subscription.catch(clear)
    this.#subscription = subscription
    return subscription
  }

  #notify(): void {
    for (const callback of [...this.#callbacks]) {
      if (this.#callbacks.has(callback)) runCallback(this.#name, this.#options, () => callback(this.initialResults))
    }
  }
}
