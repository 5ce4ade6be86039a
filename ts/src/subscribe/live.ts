/** The rows of a stream table as they are, in the shape of PGlite's live queries. */
import type { TrickleError } from '../errors.js'
import type { AnyRow } from '../types.js'
import { contain, report } from './contain.js'
import type { ChangeCallback, Field, SubscribeOptions, Unsubscribe } from './types.js'

/** Options of `live`. */
export interface LiveOptions<Row = AnyRow> extends Omit<SubscribeOptions<Row>, 'initial'> {
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
  readonly #name: string
  readonly #open: Subscribe
  readonly #options: LiveOptions<Row>
  readonly #callbacks = new Set<LiveCallback<Row>>()
  readonly #rows = new Map<string, Row>()
  #fields: Field[] = []
  #results: LiveResults<Row> | undefined
  #running: Promise<Unsubscribe> | undefined

  /** Use `live` of the plugin. */
  private constructor(name: string, open: Subscribe, options: LiveOptions<Row>) {
    this.#name = name
    this.#open = open
    this.#options = options
  }

  /** `open` subscribes to the stream table of this name. */
  static async open<Row>(name: string, open: Subscribe, options: LiveOptions<Row>): Promise<LiveTable<Row>> {
    const table = new LiveTable(name, open, options)
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

  /** Calls back with all rows when any have changed. Begins again where `unsubscribe` or an error had ended it. */
  readonly subscribe = (callback: LiveCallback<Row>): void => {
    this.#callbacks.add(callback)
    if (this.#running === undefined) this.#start().catch((error: TrickleError) => report(error, this.#options))
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
    // Who began it was told if that failed.
    await running?.then(
      (end) => end(),
      () => undefined,
    )
  }

  /** Calls back with the rows as they are, which no query has to find out. */
  readonly refresh = (): Promise<void> => {
    this.#notify()
    return Promise.resolve()
  }

  #start(): Promise<Unsubscribe> {
    const isCurrent = () => this.#running === running
    const ended = () => {
      if (isCurrent()) this.#running = undefined
    }
    const take: ChangeCallback = (changes, { initial, fields }) => {
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
    // Only what ends it comes here: callbacks are contained below.
    const onError = (error: TrickleError) => {
      ended()
      report(error, this.#options)
    }
    const running = this.#open(take, { ...this.#options, onError })
    running.catch(ended)
    this.#running = running
    return running
  }

  #notify(): void {
    for (const callback of [...this.#callbacks]) {
      if (this.#callbacks.has(callback)) contain(this.#name, this.#options, () => callback(this.initialResults))
    }
  }
}
