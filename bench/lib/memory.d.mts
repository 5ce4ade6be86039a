import type { Database } from '../../ts/tests/support/modules.js'

/** A kind of stream table: its sources, the query of the m-th one over the n-th sources, and changes of these. */
export interface Kind {
  name: string
  tables(n: number | string): string
  query(n: number | string, m: number): string
  changes(n: number | string): string[]
}

export const KINDS: readonly Kind[]

/** How many stream tables there were when the guard fired. */
export interface Filled {
  limit: number
  isFull: boolean
  ceiling: number
  /** After half of them were dropped and made again. */
  again: number
  /** After all of them were. */
  afterAll: number
}

export function fill(
  pg: Database,
  kind: Kind,
  options: {
    left: number
    log?: (made: number) => void
    within?: (bytes: number, body: () => Promise<void>) => Promise<unknown>
  },
): Promise<Filled>
