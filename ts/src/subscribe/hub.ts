/** The feeds of one database. */
import { TrickleError } from '../errors.js'
import { extensionQuery } from '../extension.js'
import { internalQuery } from '../internal-query.js'
import type { Database } from '../types.js'
import { Feed } from './feed.js'
import type { Parsers, Subscriber } from './feed.js'
import { readRecords } from './records.js'
import type { StreamRecord } from './records.js'
import { Leader, Tab } from './relay.js'
import { isTransactionAborted, retryWhileAborted } from './retry.js'
import { disposable } from './signal.js'
import type { ChangeCallback, SubscribeOptions, Unsubscribe } from './types.js'

/** The part of PGlite's Emscripten module that is used here. */
interface HostModule {
  HEAPU8: Uint8Array
  addFunction(body: (address: number, length: number) => number, signature: string): number
}

/** PGlite, or a tab of its worker, with what only subscriptions need of it. */
interface Host extends Database {
  readonly parsers?: Parsers
  readonly Module?: HostModule
  onLeaderChange?(callback: () => void): () => void
}

const FIND = "SELECT pgtrickle.command('readable', $1) AS id"
const OPEN = "SELECT pgtrickle.command('open', $1, $2)"
const CLOSE = "SELECT pgtrickle.command('close', $1)"
const LISTEN = "SELECT pgtrickle.command('listen', $1, $2)"
const CHANNEL = "SELECT pgtrickle.command('channel', $1) AS channel"

/** SQLSTATE `insufficient_privilege`. */
const INSUFFICIENT_PRIVILEGE = '42501'

const hubs = new WeakMap<object, Hub>()

/** The hub of a database. There is one, even when the database has several instances of the plugin. */
export function hubOf(db: Database): Hub {
  let hub = hubs.get(db)
  if (hub === undefined) hubs.set(db, (hub = new Hub(db)))
  return hub
}

/** A feed with the statement that starts it. */
interface OpenFeed {
  feed: Feed
  started: Promise<void>
  /** The statement has returned: its snapshot has arrived, or arrives when the transaction commits. */
  isStarted: boolean
}

/** Opens feeds and delivers records to them. */
export class Hub {
  readonly #db: Host
  readonly #name = `pg_trickle:${uniqueName()}`
  /** By stream table and key. Subscribers with the same two share a feed. */
  readonly #feeds = new Map<string, OpenFeed>()
  #leader: Leader | undefined
  #tab: Tab | undefined
  /** Counts the changes of leader, and the losses of all records. */
  #term = 0

  constructor(db: Database) {
    this.#db = db as Host
  }

  /** In the process that runs PGlite: gives the extension a function that takes the changes. */
  async listen(): Promise<void> {
    const mod = this.#db.Module
    if (mod === undefined) return
    this.#leader = new Leader(this.#name, (reader) => void this.#close(reader))
    const receive = (address: number, length: number): number => {
      const start = address >>> 0
      const bytes = mod.HEAPU8.slice(start, start + (length >>> 0))
      // PostgreSQL is in the middle of its commit, so nothing that could use the database may run now.
      queueMicrotask(() => {
        try {
          const records = readRecords(bytes)
          this.#leader?.relay(bytes, records)
          this.#receive(records)
        } catch (error) {
          // Records that cannot be parsed may belong to any feed.
          for (const open of [...this.#feeds.values()]) this.#fail(open, error)
        }
      })
      return 0
    }
    await internalQuery(this.#db, LISTEN, [String(mod.addFunction(receive, 'iii')), this.#name])
  }

  /** In a tab of the multi-tab worker: receives the changes from the leader. */
  join(): void {
    this.#tab = new Tab(this.#name, {
      findChannel: async (id) => {
        const [answer] = await this.#query<{ channel: string }>(CHANNEL, [String(id)])
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

  /** Call this when the database closes. */
  close(): void {
    this.#leader?.close()
  }

  /** Subscribes to a stream table. */
  async subscribe(name: string, callback: ChangeCallback, options: SubscribeOptions): Promise<Unsubscribe> {
    try {
      const subscriber: Subscriber = { callback, options, isStarted: false, isSubscribing: true }
      const open = await this.#join(name, subscriber)
      await open.started
      if (open.feed.failure) throw open.feed.failure
      subscriber.isSubscribing = false
      let ended: Promise<void> | undefined
      return disposable(() => (ended ??= this.#leave(open, subscriber)))
    } catch (error) {
      throw TrickleError.from(error, name)
    }
  }

  /** Finds or opens the feed. Adds the subscriber without awaiting anything in between, so that the feed stays open. */
  async #join(name: string, subscriber: Subscriber): Promise<OpenFeed> {
    const [found] = await this.#query<{ id: string }>(FIND, [name])
    const id = Number(found?.id)
    const key = columnsOf(subscriber.options.key)
    const feedKey = JSON.stringify([id, key])
    let open = this.#feeds.get(feedKey)
    if (open === undefined) {
      const feed = new Feed(id, `${this.#name}/${uniqueName()}`, name, key, () => this.#db.parsers ?? {})
      open = { feed, started: Promise.resolve(), isStarted: false }
      this.#feeds.set(feedKey, open)
      open.started = this.#start(open)
    }
    open.feed.add(subscriber)
    return open
  }

  /** Requests a snapshot, and all changes after it. Without `run`, in the current transaction, if there is one. */
  async #start(open: OpenFeed, run = (request: () => Promise<void>) => request()): Promise<void> {
    const { feed } = open
    open.isStarted = false
    feed.isStale = true
    const request = async () => {
      let term
      do {
        term = this.#term
        await this.#tab?.join(feed.id)
        await this.#query(OPEN, [String(feed.id), feed.reader])
      } while (term !== this.#term)
    }
    try {
      await run(request)
      open.isStarted = true
    } catch (error) {
      this.#end(open, TrickleError.from(error, feed.name))
      // The extension may have begun to follow for it.
      void this.#close(feed.reader)
      throw error
    }
  }

  async #leave(open: OpenFeed, subscriber: Subscriber): Promise<void> {
    open.feed.subscribers.delete(subscriber)
    if (open.feed.subscribers.size === 0 && this.#remove(open)) await this.#close(open.feed.reader)
  }

  #remove(open: OpenFeed): boolean {
    for (const [feedKey, other] of this.#feeds) if (other === open) return this.#feeds.delete(feedKey)
    return false
  }

  /**
   * Removes a reader from the extension. The caller does not wait for a failed transaction to end. A reader that cannot
   * be removed now goes the next time that PGlite opens the database.
   */
  async #close(reader: string): Promise<void> {
    const close = () => internalQuery(this.#db, CLOSE, [reader])
    await close().catch((error: unknown) => {
      if (isTransactionAborted(error)) retryWhileAborted(close, () => true).catch(() => undefined)
    })
  }

  /** Runs a query, and again if the leader changed before it answered. */
  async #query<T>(sql: string, params: string[]): Promise<T[]> {
    for (;;) {
      const term = this.#term
      try {
        return await extensionQuery<T>(this.#db, sql, params)
      } catch (error) {
        if (term === this.#term) throw error
      }
    }
  }

  #end(open: OpenFeed, error: TrickleError): void {
    this.#remove(open)
    open.feed.end(error)
  }

  /** Delivers the records of one transaction. */
  #receive(records: StreamRecord[]): void {
    if (records.some(({ kind }) => kind === 'allLost')) {
      this.#term += 1
      this.#restartAll()
    }
    for (const open of [...this.#feeds.values()]) {
      const own = records.filter((record) => record.streamTable === open.feed.id)
      if (own.length > 0) this.#deliver(open, own)
    }
  }

  #deliver(open: OpenFeed, records: StreamRecord[]): void {
    const { feed } = open
    const ending = endOf(feed, records)
    if (ending) {
      this.#end(open, ending)
      if (ending.code === INSUFFICIENT_PRIVILEGE) void this.#close(feed.reader)
      return
    }
    try {
      const isComplete = feed.apply(records)
      const isLost = records.some(({ kind, keyOrReader }) => kind === 'snapshotLost' && keyOrReader === feed.reader)
      if (!isComplete || (isLost && open.isStarted)) this.#restart(open)
    } catch (error) {
      this.#fail(open, error)
    }
  }

  #fail(open: OpenFeed, error: unknown): void {
    this.#end(open, TrickleError.from(error, open.feed.name))
    void this.#close(open.feed.reader)
  }

  #restartAll(): void {
    for (const open of this.#feeds.values()) if (open.isStarted) this.#restart(open)
  }

  #restart(open: OpenFeed): void {
    const isWanted = () => [...this.#feeds.values()].includes(open)
    this.#start(open, (request) => retryWhileAborted(request, isWanted)).catch(() => undefined)
  }
}

/** Why these records end a feed, unless they do not. One that ends at the request of this hub is no longer there. */
function endOf({ name, reader }: Feed, records: readonly StreamRecord[]): TrickleError | undefined {
  const ended = (code: string, message: string) =>
    new TrickleError(message, { code, streamTable: name, hint: 'The subscription has ended.' })
  for (const { kind, keyOrReader } of records) {
    // Final, because no other stream table ever gets the same number.
    if (kind === 'dropped') return ended('42P01', `stream table ${name} was dropped`)
    if (keyOrReader !== reader) continue
    if (kind === 'denied') return ended(INSUFFICIENT_PRIVILEGE, `permission denied for stream table ${name}`)
    if (kind === 'closed') return ended('57014', `the subscription to ${name} was closed by another statement`)
  }
  return undefined
}

/** The columns of a given key. An empty list counts as no key. */
function columnsOf(key: SubscribeOptions['key']): readonly string[] | undefined {
  const columns = [key ?? []].flat()
  return columns.length > 0 ? columns : undefined
}

/** Not `crypto.randomUUID`, which pages outside a secure context do not have. */
function uniqueName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
