import { fingerprint, sameValue } from './equal.js'
import { comparison } from './order.js'
import type { Compare, OrderBy, Shape } from './order.js'
import type { Delta } from './rows.js'
import type { AnyRow, ColumnOf } from '../types.js'

/** Which rows of a stream table a component wants, and in which order. */
export interface SelectionOptions<Row = AnyRow> {
  /**
   * The column or columns that identify a row, for stream tables that have no key of their own (`key` of
   * `listStreamTables` is empty): a changed row then keeps its place, and an unchanged one its object.
   */
  key?: ColumnOf<Row> | readonly ColumnOf<Row>[]
  /** Only rows with these values. */
  where?: Partial<Row>
  /** The order of the rows. */
  orderBy?: OrderBy<Row>
}

/** Some rows of a stream table in some order, kept by the changes. */
export class Selection<Row> {
  /** A new array whenever they change. */
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

  /** Takes all rows anew. */
  reset(all: Iterable<Row>, shape: Shape): void {
    this.#compare = comparison(this.#orderBy, shape)
    const rows = [...all].filter(this.#matches)
    this.rows = this.#compare ? rows.sort(this.#compare) : rows
  }

  /** Applies changes. Says whether they concerned these rows. The cost: one pass over the rows, sorting only new ones. */
  apply(delta: Delta<Row>): boolean {
    const { replaced, added } = this.#identify ? pair(delta, this.#identify) : delta
    const compare = this.#compare
    const fresh = [...added].filter(this.#matches)
    const inPlace = new Map<Row, Row | undefined>()
    for (const [old, now] of replaced) {
      const matched = this.#matches(old)
      const matches = now !== undefined && this.#matches(now)
      const stays = matched && matches && !(compare && compare(old, now) !== 0)
      if (matched && now !== old) inPlace.set(old, stays ? now : undefined)
      if (matches && !stays) fresh.push(now)
    }
    if (fresh.length === 0 && inPlace.size === 0) return false
    const kept = inPlace.size === 0 ? this.rows : keep(this.rows, inPlace)
    this.rows = compare ? merge(kept, fresh.sort(compare), compare) : kept.concat(fresh)
    return true
  }
}

function matcher<Row>(where: SelectionOptions<Row>['where']): (row: Row) => boolean {
  if (where === undefined) return () => true
  const wanted = Object.entries(where)
  return (row) => wanted.every(([column, value]) => sameValue((row as AnyRow)[column], value))
}

/** Rows that went and rows that came with the same key are one row that changed, or did not. */
function pair<Row>(delta: Delta<Row>, identify: (row: Row) => string): Delta<Row> {
  const gone = new Map<string, Row[]>()
  for (const [old, now] of delta.replaced) {
    if (now !== undefined) continue
    const key = identify(old)
    gone.set(key, [...(gone.get(key) ?? []), old])
  }
  const replaced = new Map(delta.replaced)
  const added = [...delta.added].filter((row) => {
    const old = gone.get(identify(row))?.shift()
    if (old === undefined) return true
    replaced.set(old, sameValue(old, row) ? old : row)
    return false
  })
  return { replaced, added }
}

function keep<Row>(rows: readonly Row[], inPlace: Map<Row, Row | undefined>): Row[] {
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

function merge<Row>(kept: readonly Row[], fresh: Row[], compare: Compare<Row>): readonly Row[] {
  if (fresh.length === 0) return kept
  const merged: Row[] = []
  let from = 0
  for (const row of fresh) {
    const at = upperBound(kept, row, compare, from)
    while (from < at) merged.push(kept[from++] as Row)
    merged.push(row)
  }
  while (from < kept.length) merged.push(kept[from++] as Row)
  return merged
}

/** The first place at or after `from` whose row comes after the given one. */
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
