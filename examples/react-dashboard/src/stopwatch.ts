/** Who shows a change: the stream table, or the live query beside it. */
export type Runner = 'stream' | 'live'

/** Milliseconds from asking for a change until it was on the page, the newest last. */
export type Times = Record<Runner, readonly number[]>

/** How many are kept. */
const KEPT = 50

/** Takes the time from a change until each runner has shown it. Made for React's `useSyncExternalStore`. */
export class Stopwatch {
  #times: Times = { stream: [], live: [] }
  #started: Partial<Record<Runner, number>> = {}
  readonly #listeners = new Set<() => void>()

  /** A change is about to be made. */
  start(): void {
    const now = performance.now()
    this.#started = { stream: now, live: now }
  }

  /** Changes that come now are not timed one by one. */
  stop(): void {
    this.#started = {}
  }

  /** A runner has shown a change. */
  readonly seen = (runner: Runner): void => {
    const started = this.#started[runner]
    if (started === undefined) return
    delete this.#started[runner]
    const taken = [...this.#times[runner], performance.now() - started].slice(-KEPT)
    this.#times = { ...this.#times, [runner]: taken }
    for (const listener of this.#listeners) listener()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly times = (): Times => this.#times
}

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2) return sorted[middle]
  return sorted.length === 0 ? undefined : (sorted[middle - 1]! + sorted[middle]!) / 2
}
