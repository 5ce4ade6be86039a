import type { Trickle } from '../../ts/src/index.js'

interface Read {
  tuples: number
  /** Sequentially scanned tables, each with the number of rows read. */
  scans: string[]
}
export type Reads = Record<string, Read>

export function measure(
  pg: { trickle: Pick<Trickle, 'createStreamTable' | 'explainStreamTable' | 'verifyStreamTable' | 'dropStreamTable'> },
  query: string,
  once?: boolean,
  changes?: [what: string, sql: string][],
): Promise<{ ways: string[]; advice: string[]; reads: Reads }>
export function grown(small: Reads, large: Reads): string[]
