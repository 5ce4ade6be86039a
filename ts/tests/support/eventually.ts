import { vi } from 'vitest'

/** Repeats what fails until it does not: for half a minute, because a busy machine takes its time. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 30_000, interval: 20 })
}
