/** The session that faults are tried in. */
import type { Lab } from '../support/lab.js'
import { setUp } from './scenarios.js'

/** PGlite 0.4 loses some of its stack with every error, and breaks down after 7,500 to 12,500 of them, also without us. */
const MOST_ERRORS = 2_000

export class Session {
  readonly #opened: () => Promise<Lab>
  #lab: Lab | undefined
  #errors = 0

  constructor(opened: () => Promise<Lab>) {
    this.#opened = opened
  }

  async open(): Promise<Lab> {
    this.#errors = 0
    this.#lab = await this.#opened()
    await setUp(this.#lab)
    return this.#lab
  }

  async close(): Promise<void> {
    await this.#lab?.close()
  }

  /** A statement has failed. */
  failed(): void {
    this.#errors += 1
  }

  /** Its database: a new one, where the last has seen as many errors as it may. */
  async next(lab: Lab): Promise<Lab> {
    if (this.#errors < MOST_ERRORS) return lab
    await this.close()
    return this.open()
  }
}
