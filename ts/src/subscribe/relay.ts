/**
 * Tabs of PGlite's multi-tab worker. One of them, the leader, runs PGlite. It relays the records of each transaction over
 * a broadcast channel. The other tabs learn the channel's name by a query.
 */
import type { StreamRecord } from './records.js'

/** The records of one transaction. Messages are numbered consecutively, so a gap means that some were lost. */
interface Message {
  number: number
  bytes: Uint8Array
}

/** The leader's side. */
export class Leader {
  readonly #name: string
  readonly #closeReader: (reader: string) => void
  /** The readers in other tabs, by the name of their tab. */
  readonly #readers = new Map<string, Set<string>>()
  #channel: BroadcastChannel | undefined
  #number = 0

  /** Calls `closeReader` for each reader of a tab that has closed. */
  constructor(name: string, closeReader: (reader: string) => void) {
    this.#name = name
    this.#closeReader = closeReader
  }

  /** Passes the records of a transaction to other tabs, if any of them has readers. */
  relay(bytes: Uint8Array, records: readonly StreamRecord[]): void {
    for (const { kind, keyOrReader: reader } of records) {
      if (kind === 'snapshotStart' && reader !== '' && tabOf(reader) !== this.#name) this.#addReader(reader)
    }
    if (this.#readers.size === 0) return
    this.#channel ??= unreferenced(new BroadcastChannel(this.#name))
    this.#channel.postMessage({ number: ++this.#number, bytes } satisfies Message)
    for (const { kind, keyOrReader: reader } of records) if (kind === 'closed') this.#removeReader(reader)
  }

  close(): void {
    this.#channel?.close()
    this.#channel = undefined
    this.#readers.clear()
  }

  #addReader(reader: string): void {
    const tab = tabOf(reader)
    const readers = this.#readers.get(tab)
    if (readers) readers.add(reader)
    else {
      this.#readers.set(tab, new Set([reader]))
      // A tab holds the lock of its name for as long as it lives, so this lock is granted when the tab has closed.
      void lockManager()?.request(tab, () => {
        for (const orphan of this.#readers.get(tab) ?? []) this.#closeReader(orphan)
        this.#readers.delete(tab)
      })
    }
  }

  /** Keeps the entry of the tab, because a request for its lock is pending. */
  #removeReader(reader: string): void {
    this.#readers.get(tabOf(reader))?.delete(reader)
  }
}

/** How a tab uses its connection to the leader. */
export interface TabHandlers {
  /** Asks the leader for the name of its channel, as a reader of a stream table. */
  findChannel: (streamTable: number) => Promise<string>
  /** Takes the records of one transaction. */
  receive: (bytes: Uint8Array) => void
  /** Called after messages were lost. */
  missed: () => void
}

/** A tab's side. */
export class Tab {
  readonly #handlers: TabHandlers
  #channel: Promise<BroadcastChannel> | undefined
  #locked: Promise<void> | undefined

  constructor(
    readonly name: string,
    handlers: TabHandlers,
  ) {
    this.#handlers = handlers
  }

  /** Starts to receive the messages of the leader. */
  async join(streamTable: number): Promise<void> {
    await (this.#locked ??= this.#holdLock())
    const channel = (this.#channel ??= this.#listen(streamTable))
    await channel.catch((error: unknown) => {
      // By now this may be the channel of another leader.
      if (this.#channel === channel) this.#channel = undefined
      throw error
    })
  }

  /** Stops receiving, because another tab has become the leader. */
  leave(): void {
    this.#channel?.then(
      (channel) => channel.close(),
      () => undefined,
    )
    this.#channel = undefined
  }

  async #listen(streamTable: number): Promise<BroadcastChannel> {
    const channel = unreferenced(new BroadcastChannel(await this.#handlers.findChannel(streamTable)))
    let last: number | undefined
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      const isGap = last !== undefined && data.number !== last + 1
      last = data.number
      this.#handlers.receive(data.bytes)
      if (isGap) this.#handlers.missed()
    }
    return channel
  }

  /** Holds a lock for as long as the tab lives. Its release tells the leader that the tab has closed. */
  async #holdLock(): Promise<void> {
    const manager = lockManager()
    if (manager === undefined) return
    await new Promise<void>((resolve) => {
      void manager.request(this.name, () => {
        resolve()
        return new Promise(() => undefined)
      })
    })
  }
}

/** The name of the tab that a reader belongs to. */
function tabOf(reader: string): string {
  return reader.slice(0, reader.lastIndexOf('/'))
}

function lockManager(): Pick<LockManager, 'request'> | undefined {
  return (globalThis.navigator as Navigator | undefined)?.locks
}

/** In Node, keeps the channel from holding the process open. */
function unreferenced(channel: BroadcastChannel): BroadcastChannel {
  ;(channel as { unref?: () => void }).unref?.()
  return channel
}
