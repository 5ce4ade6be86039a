/** The plugin option `advanceEvery`: moves stream tables that depend on the clock to the present, again and again. */
import { TrickleError } from './errors.js'
import { internalQuery } from './internal-query.js'
import { isTransactionAborted } from './subscribe/retry.js'
import type { Database } from './types.js'

/** Does nothing in a transaction that the app has opened, and writes nothing while nothing is due. */
const ADVANCE = "SELECT pgtrickle.command('advance', 'idle')"

/** Advances a database until it is stopped. */
export class AdvanceTimer {
  readonly #db: Database
  readonly #every: number
  #timer: unknown
  #isStopped = false
  #lastError = ''

  /** `every` is in milliseconds. */
  constructor(db: Database, every: number) {
    this.#db = db
    this.#every = every
  }

  /** Advances at once, for the time during which the database was closed. */
  start(): void {
    this.#schedule(0)
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer as Parameters<typeof clearTimeout>[0])
  }

  #schedule(delay: number): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => void this.#tick(), delay)
    // The timer must not keep a Node process alive.
    ;(this.#timer as { unref?: () => void }).unref?.()
  }

  /** Waits for a transaction of `pg.transaction` to end, because PGlite does. */
  async #tick(): Promise<void> {
    try {
      await internalQuery(this.#db, ADVANCE)
      this.#lastError = ''
    } catch (error) {
      this.#report(error)
    }
    this.#schedule(this.#every)
  }

  /** Reports an error once, however often it occurs. */
  #report(error: unknown): void {
    if (this.#isStopped || isTransactionAborted(error)) return
    const failure = TrickleError.from(error)
    if (failure.message !== this.#lastError) console.error('pg_trickle: advanceEvery failed', failure)
    this.#lastError = failure.message
  }
}
