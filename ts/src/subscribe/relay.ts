/**
 * Tabs of PGlite's multi-tab worker: one of them, the leader, runs PGlite. It passes the records of each transaction on
 * over a channel that it names; the others ask for that name through PGlite, like for anything else.
 */
import type { StreamRecord } from './records.js'

/** The records of one transaction, on their way to other tabs. Numbers follow each other: a gap tells of a loss. */
interface Message {
  number: number
  bytes: Uint8Array
}

/** The leader's side. */
export class Leader {
  readonly #name: string
  readonly #leave: (reader: string) => void
  /** Readers in other tabs, by the names of these. */
  readonly #readers = new Map<string, Set<string>>()
  #channel: BroadcastChannel | undefined
  #number = 0

  /** Calls `leave` for what a tab that is gone has left behind. */
  constructor(name: string, leave: (reader: string) => void) {
    this.#name = name
    this.#leave = leave
  }

  /** Passes on what other tabs may want to know. */
  take(bytes: Uint8Array, records: readonly StreamRecord[]): void {
    for (const { letter, text2: reader } of records) {
      if (letter === 'S' && reader !== '' && tabOf(reader) !== this.#name) this.#meet(reader)
    }
    if (this.#readers.size === 0) return
    this.#channel ??= quiet(new BroadcastChannel(this.#name))
    this.#channel.postMessage({ number: ++this.#number, bytes } satisfies Message)
    for (const { letter, text2: reader } of records) if (letter === 'X') this.#forget(reader)
  }

  close(): void {
    this.#channel?.close()
    this.#channel = undefined
    this.#readers.clear()
  }

  #meet(reader: string): void {
    const tab = tabOf(reader)
    const known = this.#readers.get(tab)
    if (known) known.add(reader)
    else {
      this.#readers.set(tab, new Set([reader]))
      // A tab holds the lock of its name while it is there.
      void locks()?.request(tab, () => {
        for (const left of this.#readers.get(tab) ?? []) this.#leave(left)
        this.#readers.delete(tab)
      })
    }
  }

  /** The tab stays known, for its lock is waited for. */
  #forget(reader: string): void {
    this.#readers.get(tabOf(reader))?.delete(reader)
  }
}

/** The side of a tab. */
export class Tab {
  readonly #ask: () => Promise<string>
  readonly #receive: (bytes: Uint8Array) => void
  readonly #missed: () => void
  #joined: Promise<BroadcastChannel> | undefined
  #present: Promise<void> | undefined

  constructor(
    readonly name: string,
    on: {
      /** Asks the leader for its channel. */
      ask: () => Promise<string>
      receive: (bytes: Uint8Array) => void
      /** Messages were lost. */
      missed: () => void
    },
  ) {
    this.#ask = on.ask
    this.#receive = on.receive
    this.#missed = on.missed
  }

  /** From now on messages of the leader come. */
  async join(): Promise<void> {
    await (this.#present ??= this.#stay())
    const joined = (this.#joined ??= this.#listen())
    await joined.catch((error: unknown) => {
      // Another leader may have been joined since then.
      if (this.#joined === joined) this.#joined = undefined
      throw error
    })
  }

  /** The leader is another one. */
  leave(): void {
    this.#joined?.then(
      (channel) => channel.close(),
      () => undefined,
    )
    this.#joined = undefined
  }

  async #listen(): Promise<BroadcastChannel> {
    const channel = quiet(new BroadcastChannel(await this.#ask()))
    let last: number | undefined
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      const isGap = last !== undefined && data.number !== last + 1
      last = data.number
      this.#receive(data.bytes)
      if (isGap) this.#missed()
    }
    return channel
  }

  /** Tells the leader that the tab is there, as long as it is. */
  async #stay(): Promise<void> {
    const manager = locks()
    if (manager === undefined) return
    await new Promise<void>((resolve) => {
      void manager.request(this.name, () => {
        resolve()
        return new Promise(() => undefined)
      })
    })
  }
}

/** The name of the tab that a reader is in. */
function tabOf(reader: string): string {
  return reader.slice(0, reader.lastIndexOf('/'))
}

function locks(): Pick<LockManager, 'request'> | undefined {
  return (globalThis.navigator as Navigator | undefined)?.locks
}

/** Does not keep a process alive, where that is a question. */
function quiet(channel: BroadcastChannel): BroadcastChannel {
  ;(channel as { unref?: () => void }).unref?.()
  return channel
}
