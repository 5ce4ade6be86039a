import { fingerprint, isSameValue } from './equal.js'
import { comparison } from './order.js'
import type { Compare, OrderBy, Ordering } from './order.js'
import type { RowChanges } from './rows.js'
import type { AnyRow, ColumnOf } from '../types.js'

/** Which rows of a stream table a component shows, and in which order. */
export interface SelectionOptions<Row = AnyRow> {
  /**
   * The column or columns that identify a row, for a stream table without a key of its own (its `key` in
   * `listStreamTables` is empty). A changed row then keeps its place, and an unchanged row its object.
   */
  key?: ColumnOf<Row> | readonly ColumnOf<Row>[]
  /** Only rows with these values. */
  where?: Partial<Row>
  /** How to sort the rows. */
  orderBy?: OrderBy<Row>
  /** The most rows to show. A component is notified when one of them changes, or the number of all. */
  limit?: number
  /** How many rows to skip before them. */
  offset?: number
}

/** The rows that `limit` and `offset` leave. */
export function windowOf<Row>(rows: readonly Row[], { limit, offset }: SelectionOptions<Row>): readonly Row[] {
  const first = offset ?? 0
  return first === 0 && (limit ?? Infinity) >= rows.length ? rows : rows.slice(first, first + (limit ?? rows.length))
}

/** Selected rows of a stream table, sorted, and updated by changes: all of them, whatever the limit. */
export class Selection<Row> {
  /** Each change makes a new array. */
  rows: readonly Row[] = []
  readonly #matches: (row: Row) => boolean
  readonly #identify: ((row: Row) => string) | undefined
  readonly #orderBy: OrderBy<Row> | undefined
  #compare: Compare<Row> | undefined

  constructor({ key, where, orderBy }: SelectionOptions<Row>) {
    this.#matches = matcher(where)
    this.#orderBy = orderBy
    const columns = [key ?? []].flat() as ColumnOf<Row>[]
    if (columns.length > 0) {
      this.#identify = (row) => fingerprint(columns.map((column) => row[column]))
    }
  }

  /** Selects from all rows again. */
  reset(all: Iterable<Row>, ordering: Ordering): void {
    this.#compare = comparison(this.#orderBy, ordering)
    const rows = [...all].filter(this.#matches)
    this.rows = this.#compare ? rows.sort(this.#compare) : rows
  }

  /** Applies changes. True when they affect these rows. Takes one pass over the rows and sorts only the new ones. */
  apply(changes: RowChanges<Row>): boolean {
    const { replaced, added } = this.#identify ? pairByKey(changes, this.#identify) : changes
    const compare = this.#compare
    const incoming = [...added].filter(this.#matches)
    const inPlace = new Map<Row, Row | undefined>()
    for (const [old, now] of replaced) {
      const didMatch = this.#matches(old)
      const matches = now !== undefined && this.#matches(now)
      const stays = didMatch && matches && !(compare && compare(old, now) !== 0)
      if (didMatch && now !== old) inPlace.set(old, stays ? now : undefined)
      if (matches && !stays) incoming.push(now)
    }
    if (incoming.length === 0 && inPlace.size === 0) return false
    const kept = inPlace.size === 0 ? this.rows : replaceInPlace(this.rows, inPlace)
    this.rows = compare ? mergeSorted(kept, incoming.sort(compare), compare) : kept.concat(incoming)
    return true
  }
}

function matcher<Row>(where: SelectionOptions<Row>['where']): (row: Row) => boolean {
  if (where === undefined) return () => true
  const wanted = Object.entries(where)
  return (row) => wanted.every(([column, value]) => isSameValue((row as AnyRow)[column], value))
}

/** Treats the removal and the insertion of a row with the same key as one update, or as none when the row is the same. */
function pairByKey<Row>(changes: RowChanges<Row>, identify: (row: Row) => string): RowChanges<Row> {
  const removed = new Map<string, Row[]>()
  for (const [old, now] of changes.replaced) {
    if (now !== undefined) continue
    const key = identify(old)
    removed.set(key, [...(removed.get(key) ?? []), old])
  }
  const replaced = new Map(changes.replaced)
  const added = [...changes.added].filter((row) => {
    const old = removed.get(identify(row))?.shift()
    if (old === undefined) return true
    replaced.set(old, isSameValue(old, row) ? old : row)
    return false
  })
  return { replaced, added }
}

function replaceInPlace<Row>(rows: readonly Row[], inPlace: Map<Row, Row | undefined>): Row[] {
  const kept: Row[] = []
  for (const row of rows) {
    if (!inPlace.has(row)) kept.push(row)
    else {
      const now = inPlace.get(row)
      if (now !== undefined) kept.push(now)
    }
  }
  return kept
}

function mergeSorted<Row>(kept: readonly Row[], incoming: Row[], compare: Compare<Row>): readonly Row[] {
  if (incoming.length === 0) return kept
  const merged: Row[] = []
  let from = 0
  for (const row of incoming) {
    const at = upperBound(kept, row, compare, from)
    while (from < at) merged.push(kept[from++] as Row)
    merged.push(row)
  }
  while (from < kept.length) merged.push(kept[from++] as Row)
  return merged
}

/** The first index from `from` on whose row sorts after the given one. */
function upperBound<Row>(rows: readonly Row[], row: Row, compare: Compare<Row>, from: number): number {
  let low = from
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(rows[middle] as Row, row) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
