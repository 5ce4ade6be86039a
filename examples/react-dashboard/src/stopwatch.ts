/** What shows a change: the stream table, or the live query next to it. */
export type Runner = 'stream' | 'live'

/** Milliseconds from the start of a change until it was painted, most recent last. */
export type Times = Record<Runner, readonly number[]>

/** The number of times to keep. */
const MAX_TIMES = 500

/** Resolves with the time at which the next frame has been painted. */
export const painted = (): Promise<number> =>
  new Promise((done) => {
    // The frame is painted between its animation callbacks and the next task.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => done(performance.now())
      port2.postMessage(undefined)
    })
  })

/** Measures the time from a change until each runner has it on the screen, in the form of React's `useSyncExternalStore`. */
export class Stopwatch {
  #times: Times = { stream: [], live: [] }
  /** When the changes started that a runner has yet to show. */
  #waiting: Record<Runner, number[]> = { stream: [], live: [] }
  #burst: number[] | undefined
  readonly #listeners = new Set<() => void>()

  /** Call this before a single change. */
  start(): void {
    const now = performance.now()
    this.#waiting = { stream: [now], live: [now] }
  }

  /** Starts measuring a stream of changes, for the stream table. A live query skips some, so its times would say little. */
  startBurst(): void {
    this.#waiting = { stream: [], live: [] }
    this.#burst = []
  }

  /** A change of the stream, which started at this time, is committed. It counts with the next picture, never with an earlier one. */
  committed(started: number): void {
    this.#waiting.stream.push(started)
  }

  /** The times of the stream of changes. */
  endBurst(): readonly number[] {
    const times = this.#burst ?? []
    this.#burst = undefined
    this.#waiting = { stream: [], live: [] }
    return times
  }

  /** A runner has given a change to the browser. It is on the screen with the next frame. */
  readonly recordRender = (runner: Runner): void => {
    const started = this.#waiting[runner]
    if (started.length === 0) return
    this.#waiting[runner] = []
    const burst = this.#burst
    void painted().then((now) => {
      const taken = started.map((then) => now - then)
      if (burst) return void burst.push(...taken)
      this.#times = { ...this.#times, [runner]: [...this.#times[runner], ...taken].slice(-MAX_TIMES) }
      for (const listener of this.#listeners) listener()
    })
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly times = (): Times => this.#times
}
