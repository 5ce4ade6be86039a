/** What every framework shows: one element with the state of a stream table, and one in it for each row. */
import type { StreamTableDatabase, StreamTableOptions, StreamTableState } from '@pgtrickle/pglite/solid'

export type Row = Record<string, unknown>

export type Options = StreamTableOptions<Row> & { db: StreamTableDatabase }

/** A mounted list. */
export interface Mounted {
  /** Shows another stream table in the same component. */
  show(name: string): void
  unmount(): void
}

export type Mount = (root: HTMLElement, name: string, options: Options) => Mounted

/** The attributes of the element. */
export function attributes({ count, loading, error }: Pick<StreamTableState, 'count' | 'loading' | 'error'>) {
  return { 'data-count': String(count), 'data-state': loading ? 'loading' : error ? error.code : 'live' }
}

/** Numbers the objects, so that a test can tell whether a row is still the same object. */
export function numberOf(row: object): number {
  let number = numbers.get(row)
  if (number === undefined) numbers.set(row, (number = ++last))
  return number
}

const numbers = new WeakMap<object, number>()
let last = 0
