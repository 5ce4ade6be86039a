/** The rows of a stream table as they are, in the shape of PGlite's live queries. */
import type { AnyRow } from '../types.js'
import type { ChangeCallback, Field, SubscribeOptions, Unsubscribe } from './types.js'

/** Options of `live`. */
export interface LiveOptions<Row = AnyRow> extends Omit<SubscribeOptions, 'initial'> {
  /** Orders the rows. Without it they come as the stream table gave them at first, and new ones after them. */
  compare?: (a: Row, b: Row) => number
}

/** All rows at one moment: a new array for each change, of which unchanged rows are the same objects. */
export interface LiveResults<Row = AnyRow> {
  rows: Row[]
  fields: Field[]
}

/** Gets all rows. */
export type LiveCallback<Row = AnyRow> = (results: LiveResults<Row>) => void

type Subscribe = (callback: ChangeCallback, options: SubscribeOptions) => Promise<Unsubscribe>

/** What `live.query` of PGlite gives too, so that what takes a live query takes this: React's `useLiveQuery`. */
export class LiveTable<Row = AnyRow> {
  readonly #open: Subscribe
  readonly #options: LiveOptions<Row>
  readonly #callbacks = new Set<LiveCallback<Row>>()
  readonly #rows = new Map<string, Row>()
  #fields: Field[] = []
  #results: LiveResults<Row> | undefined
  #running: Promise<Unsubscribe> | undefined

  /** Use `live` of the plugin. */
  private constructor(open: Subscribe, options: LiveOptions<Row>) {
    this.#open = open
    this.#options = options
  }

  static async open<Row>(open: Subscribe, options: LiveOptions<Row>): Promise<LiveTable<Row>> {
    const table = new LiveTable(open, options)
    await table.#start()
    return table
  }

  /** The rows as they are now. */
  get initialResults(): LiveResults<Row> {
    if (this.#results === undefined) {
      const rows = [...this.#rows.values()]
      if (this.#options.compare) rows.sort(this.#options.compare)
      this.#results = { rows, fields: this.#fields }
    }
    return this.#results
  }

  /** Calls back with all rows when any have changed. Begins again where `unsubscribe` had ended it. */
  readonly subscribe = (callback: LiveCallback<Row>): void => {
    this.#callbacks.add(callback)
    // A failure has gone to `onError`.
    this.#start().catch(() => undefined)
  }

  /** Calls this callback no more; with the last one, or without one named, nothing is followed any more. */
  readonly unsubscribe = async (callback?: LiveCallback<Row>): Promise<void> => {
    if (callback) this.#callbacks.delete(callback)
    else this.#callbacks.clear()
    // Who goes only to come back, as a component in React's StrictMode, does so before this goes on.
    await Promise.resolve()
    if (this.#callbacks.size > 0) return
    const running = this.#running
    this.#running = undefined
    await running?.then((end) => end())
  }

  /** Calls back with the rows as they are, which no query has to find out. */
  readonly refresh = (): Promise<void> => {
    this.#notify()
    return Promise.resolve()
  }

  #start(): Promise<Unsubscribe> {
    this.#running ??= this.#open((changes, { initial, fields }) => {
      if (initial) this.#rows.clear()
      this.#fields = [...fields]
      for (const { op, id, row } of changes) {
        if (op === 'delete') this.#rows.delete(id)
        else this.#rows.set(id, row as Row)
      }
      this.#results = undefined
      this.#notify()
    }, this.#options)
    return this.#running
  }

  #notify(): void {
    for (const callback of [...this.#callbacks]) callback(this.initialResults)
  }
}
