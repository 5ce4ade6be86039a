import { sameValue } from './equal.js'
import type { Change } from '../subscribe/types.js'

/** What changes did to the rows: what each row of before is now, if it still is, and the new ones. */
export interface Delta<Row> {
  replaced: Map<Row, Row | undefined>
  added: Iterable<Row>
}

/**
 * All rows of a stream table, in the order in which they came. A row that did not change stays the same object, also when
 * it is sent again.
 */
export class Rows<Row> {
  #byId = new Map<string, Row>()

  /** Applies changes, in order, and says what they come to. */
  apply(changes: readonly Change<Row>[]): Delta<Row> {
    return this.#apply(changes, new Map())
  }

  /** Puts other rows in the place of all rows. */
  replace(changes: readonly Change<Row>[]): Delta<Row> {
    const gone = this.#byId
    this.#byId = new Map()
    return this.#apply(changes, gone)
  }

  clear(): void {
    this.#byId.clear()
  }

  [Symbol.iterator](): IterableIterator<Row> {
    return this.#byId.values()
  }

  /** `gone` are rows of before that left: one that comes back is a change of it. */
  #apply(changes: readonly Change<Row>[], gone: Map<string, Row>): Delta<Row> {
    const before = new Map<Row, Row>()
    const replaced = new Map<Row, Row | undefined>()
    const added = new Set<Row>()
    for (const { op, row, id } of changes) {
      const held = this.#byId.get(id)
      const isNew = held !== undefined && added.delete(held)
      const origin = held === undefined ? gone.get(id) : isNew ? undefined : (before.get(held) ?? held)
      if (op === 'delete') {
        this.#byId.delete(id)
        if (origin === undefined) continue
        replaced.set(origin, undefined)
        gone.set(id, origin)
      } else if (origin === undefined) {
        this.#byId.set(id, row)
        added.add(row)
      } else {
        const now = sameValue(origin, row) ? origin : row
        this.#byId.set(id, now)
        before.set(now, origin)
        gone.delete(id)
        if (now === origin) replaced.delete(origin)
        else replaced.set(origin, now)
      }
    }
    for (const row of gone.values()) replaced.set(row, undefined)
    return { replaced, added }
  }
}
