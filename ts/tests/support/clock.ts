/** The time that PGlite reads: it comes from JavaScript, so tests can set it. */
import { vi } from 'vitest'
import { IS_NATIVE } from './modules.js'
import type { Database } from './pglite.js'

/** The query with constants in place of the clock on a server, whose clock goes on: it would give another result each time. */
export function withoutClock(query: string): string {
  if (!IS_NATIVE) return query
  return query
    .replace(/\bcurrent_date\b/g, "date '2026-01-01'")
    .replace(/\bnow\(\)/g, "timestamptz '2026-01-01 09:00Z'")
    .replace(/\blocaltimestamp\b/g, "timestamp '2026-01-01 09:00'")
}

/** Stops the clock of the process at a time, until `vi.restoreAllMocks`. */
export function setClock(time: number | string): void {
  vi.spyOn(Date, 'now').mockReturnValue(new Date(time).getTime())
}

/**
 * A clock that stands still, for one database: a query gives the same result in every statement. The test runner keeps
 * its own time, so that a jump does not upset its timers.
 */
export class Clock {
  #time: number | undefined

  constructor(pg: Database) {
    const real = Date.now.bind(Date)
    for (const method of ['query', 'exec'] as const) {
      const run = pg[method].bind(pg) as (...args: unknown[]) => Promise<never>
      // PGlite works in microtasks, so nothing else runs in the meantime.
      pg[method] = async (...args: unknown[]) => {
        Date.now = () => this.#time ?? real()
        try {
          return await run(...args)
        } finally {
          Date.now = real
        }
      }
    }
  }

  /** Stops the clock at a time. Without one, it goes again. */
  set(time?: number | string): void {
    this.#time = time === undefined ? undefined : new Date(time).getTime()
  }
}
