/** What shows a change: the stream table, or the live query next to it. */
export type Runner = 'stream' | 'live'

/** Milliseconds from the start of a change until it was on the page, most recent last. */
export type Times = Record<Runner, readonly number[]>

/** The number of times to keep. */
const MAX_TIMES = 50

/** Measures the time from a change until each runner has shown it, in the form of React's `useSyncExternalStore`. */
export class Stopwatch {
  #times: Times = { stream: [], live: [] }
  #started: Partial<Record<Runner, number>> = {}
  readonly #listeners = new Set<() => void>()

  /** Call this before a change. */
  start(): void {
    const now = performance.now()
    this.#started = { stream: now, live: now }
  }

  /** Stops timing, for a stream of changes. */
  stop(): void {
    this.#started = {}
  }

  /** Records that a runner has rendered a change. */
  readonly recordRender = (runner: Runner): void => {
    const started = this.#started[runner]
    if (started === undefined) return
    delete this.#started[runner]
    const taken = [...this.#times[runner], performance.now() - started].slice(-MAX_TIMES)
    this.#times = { ...this.#times, [runner]: taken }
    for (const listener of this.#listeners) listener()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly times = (): Times => this.#times
}
