/** The feeds of one database. */
import { ask } from '../ask.js'
import { TrickleError } from '../errors.js'
import type { Database } from '../types.js'
import { Feed } from './feed.js'
import type { Parsers, Subscriber } from './feed.js'
import { isAborted, patiently } from './patiently.js'
import { readRecords } from './records.js'
import type { StreamRecord } from './records.js'
import { Leader, Tab } from './relay.js'
import type { ChangeCallback, SubscribeOptions, Unsubscribe } from './types.js'

/** The part of the Emscripten module of PGlite that is used here. */
interface HostModule {
  HEAPU8: Uint8Array
  addFunction(body: (address: number, length: number) => number, signature: string): number
}

/** PGlite or a tab of its worker, beyond what the plugin's other parts need of it. */
interface Host extends Database {
  readonly parsers?: Parsers
  readonly Module?: HostModule
  onLeaderChange?(callback: () => void): () => void
}

const FIND = "SELECT pgtrickle.command('readable', $1::text) AS id"
const OPEN = "SELECT pgtrickle.command('open', $1::text, $2::text)"
const CLOSE = "SELECT pgtrickle.command('close', $1::text)"
const LISTEN = "SELECT pgtrickle.command('listen', $1::text, $2::text) AS channel"

const hubs = new WeakMap<object, Hub>()

/** The hub of a database: one, however often the plugin stands in it. */
export function hubOf(db: Database): Hub {
  let hub = hubs.get(db)
  if (hub === undefined) hubs.set(db, (hub = new Hub(db)))
  return hub
}

/** A feed and the statement that starts it. */
interface Open {
  feed: Feed
  started: Promise<void>
  /** The statement has ended, and its rows have come or will. */
  isStarted: boolean
}

/** Finds or opens feeds, and gives them the records that are theirs. */
export class Hub {
  readonly #db: Host
  readonly #name = `pg_trickle:${uniqueName()}`
  /** By stream table and key: later subscribers share them. */
  readonly #open = new Map<string, Open>()
  #readers = 0
  #leader: Leader | undefined
  #tab: Tab | undefined
  /** Of which leader this is, counted. */
  #term = 0

  constructor(db: Database) {
    this.#db = db as Host
  }

  /** Lets the extension hand over changes, in the process that runs PGlite. */
  async listen(): Promise<void> {
    const mod = this.#db.Module
    if (mod === undefined) return
    this.#leader = new Leader(this.#name, (reader) => void this.#close(reader))
    const take = (address: number, length: number): number => {
      const start = address >>> 0
      const bytes = mod.HEAPU8.slice(start, start + (length >>> 0))
      // PostgreSQL is at its commit: nothing else may happen here.
      queueMicrotask(() => {
        try {
          const records = readRecords(bytes)
          this.#leader?.take(bytes, records)
          this.#receive(records)
        } catch (error) {
          // It could not be read, so nobody knows whom it concerned.
          for (const open of [...this.#open.values()]) this.#fail(open, error)
        }
      })
      return 0
    }
    await ask(this.#db, LISTEN, [String(mod.addFunction(take, 'iii')), this.#name])
  }

  /** Takes changes from the leader, in a tab of the multi-tab worker. */
  join(): void {
    this.#tab = new Tab(this.#name, {
      ask: async () => {
        const [answer] = await this.#query<{ channel: string }>(LISTEN, ['0', ''])
        return answer?.channel ?? ''
      },
      receive: (bytes) => this.#receive(readRecords(bytes)),
      missed: () => this.#restartAll(),
    })
    this.#db.onLeaderChange?.(() => {
      this.#term += 1
      this.#tab?.leave()
      this.#restartAll()
    })
  }

  /** The database closes. */
  close(): void {
    this.#leader?.close()
  }

  /** Subscribes to a stream table. */
  async subscribe(name: string, callback: ChangeCallback, options: SubscribeOptions): Promise<Unsubscribe> {
    try {
      const subscriber: Subscriber = { callback, options, started: false, waiting: true }
      const open = await this.#join(name, subscriber)
      await open.started
      if (open.feed.failure) throw open.feed.failure
      subscriber.waiting = false
      let ended: Promise<void> | undefined
      return () => (ended ??= this.#leave(open, subscriber))
    } catch (error) {
      throw TrickleError.from(error, name)
    }
  }

  /** Finds or opens the feed, and adds to it at once: it must not be closed in between. */
  async #join(name: string, subscriber: Subscriber): Promise<Open> {
    const [found] = await this.#query<{ id: string }>(FIND, [name])
    const id = Number(found?.id)
    const key = columnsOf(subscriber.options.key)
    const place = JSON.stringify([id, key])
    let open = this.#open.get(place)
    if (open === undefined) {
      const feed = new Feed(id, `${this.#name}/${++this.#readers}`, name, key, () => this.#db.parsers ?? {})
      open = { feed, started: Promise.resolve(), isStarted: false }
      this.#open.set(place, open)
      open.started = this.#start(open)
    }
    open.feed.add(subscriber)
    return open
  }

  /** Asks for all rows, and from then on for changes, by default in the transaction that there is. */
  async #start(open: Open, run = (request: () => Promise<void>) => request()): Promise<void> {
    const { feed } = open
    open.isStarted = false
    feed.isStale = true
    const request = async () => {
      let term
      do {
        term = this.#term
        await this.#tab?.join()
        await this.#query(OPEN, [String(feed.id), feed.reader])
      } while (term !== this.#term)
    }
    try {
      await run(request)
      open.isStarted = true
    } catch (error) {
      this.#end(open, TrickleError.from(error, feed.name))
      throw error
    }
  }

  async #leave(open: Open, subscriber: Subscriber): Promise<void> {
    open.feed.subscribers.delete(subscriber)
    if (open.feed.subscribers.size === 0 && this.#forget(open)) await this.#close(open.feed.reader)
  }

  #forget(open: Open): boolean {
    for (const [place, known] of this.#open) if (known === open) return this.#open.delete(place)
    return false
  }

  /**
   * In a transaction that has failed, the one who leaves does not wait for its end. What stays behind where this fails
   * goes when PGlite is opened again.
   */
  async #close(reader: string): Promise<void> {
    const close = () => ask(this.#db, CLOSE, [reader])
    await close().catch((error: unknown) => {
      if (isAborted(error)) patiently(close, () => true).catch(() => undefined)
    })
  }

  /** A query, once more when the leader went away before it answered. */
  async #query<T>(sql: string, params: string[]): Promise<T[]> {
    for (;;) {
      const term = this.#term
      try {
        return await ask<T>(this.#db, sql, params)
      } catch (error) {
        if (term === this.#term) throw error
      }
    }
  }

  /** Nothing more comes. */
  #end(open: Open, error: TrickleError): void {
    this.#forget(open)
    open.feed.end(error)
  }

  /** The records of one transaction. */
  #receive(records: StreamRecord[]): void {
    for (const open of [...this.#open.values()]) {
      const { feed } = open
      const own = records.filter((record) => record.id === feed.id)
      if (own.length > 0) this.#give(open, own)
    }
  }

  #give(open: Open, records: StreamRecord[]): void {
    const { feed } = open
    // A number is never used again.
    if (records.some(({ letter }) => letter === 'D')) {
      const gone = { code: '42P01', streamTable: feed.name, hint: 'The subscription has ended.' }
      this.#end(open, new TrickleError(`stream table ${feed.name} was dropped`, gone))
      return
    }
    try {
      const isComplete = feed.take(records)
      const isLost = records.some(({ letter, text2 }) => letter === 'L' && text2 === feed.reader)
      if (!isComplete || (isLost && open.isStarted)) this.#restart(open)
    } catch (error) {
      this.#fail(open, error)
    }
  }

  /** Nothing more can be told. */
  #fail(open: Open, error: unknown): void {
    this.#end(open, TrickleError.from(error, open.feed.name))
    void this.#close(open.feed.reader)
  }

  #restartAll(): void {
    for (const open of this.#open.values()) if (open.isStarted) this.#restart(open)
  }

  #restart(open: Open): void {
    const isWanted = () => [...this.#open.values()].includes(open)
    this.#start(open, (request) => patiently(request, isWanted)).catch(() => undefined)
  }
}

/** No columns are no key. */
function columnsOf(key: SubscribeOptions['key']): readonly string[] | undefined {
  const columns = [key ?? []].flat()
  return columns.length > 0 ? columns : undefined
}

/** Also where the page is not a secure context, and has no `crypto.randomUUID`. */
function uniqueName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
