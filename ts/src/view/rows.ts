import { isSameValue } from './equal.js'
import type { Change } from '../subscribe/types.js'

/** The effect of changes on the rows. */
export interface RowChanges<Row> {
  /** Each changed row with its new object, or undefined when it was removed. */
  replaced: Map<Row, Row | undefined>
  added: Iterable<Row>
}

/**
 * All rows of a stream table, in the order in which they arrived. An unchanged row stays the same object, even when it is
 * sent again.
 */
export class RowSet<Row> {
  #byId = new Map<string, Row>()

  /** Applies changes in order and returns their combined effect. */
  apply(changes: readonly Change<Row>[]): RowChanges<Row> {
    return this.#apply(changes, new Map())
  }

  /** Replaces all rows. */
  replace(changes: readonly Change<Row>[]): RowChanges<Row> {
    const removed = this.#byId
    this.#byId = new Map()
    return this.#apply(changes, removed)
  }

  clear(): void {
    this.#byId.clear()
  }

  [Symbol.iterator](): IterableIterator<Row> {
    return this.#byId.values()
  }

  /** `removed` are earlier rows that are no longer stored. One that is inserted again counts as changed. */
  #apply(changes: readonly Change<Row>[], removed: Map<string, Row>): RowChanges<Row> {
    const before = new Map<Row, Row>()
    const replaced = new Map<Row, Row | undefined>()
    const added = new Set<Row>()
    for (const { op, row, id } of changes) {
      const stored = this.#byId.get(id)
      const isNew = stored !== undefined && added.delete(stored)
      const origin = stored === undefined ? removed.get(id) : isNew ? undefined : (before.get(stored) ?? stored)
      if (op === 'delete') {
        this.#byId.delete(id)
        if (origin === undefined) continue
        replaced.set(origin, undefined)
        removed.set(id, origin)
      } else if (origin === undefined) {
        this.#byId.set(id, row)
        added.add(row)
      } else {
        const current = isSameValue(origin, row) ? origin : row
        this.#byId.set(id, current)
        before.set(current, origin)
        removed.delete(id)
        if (current === origin) replaced.delete(origin)
        else replaced.set(origin, current)
      }
    }
    for (const row of removed.values()) replaced.set(row, undefined)
    return { replaced, added }
  }
}
