/**
 * A copy of a stream table that is kept by `subscribe` alone, to be compared with what a query gives. Changes must fit:
 * what comes was not there, what goes or is updated was, and is the very object that was told before.
 */
import { expect } from 'vitest'
import type { Change, ChangeInfo, SubscribeOptions, TrickleError, Unsubscribe } from '../../dist/index.js'
import type { Row } from './lab.js'
import type { Database } from './pglite.js'

export class Mirror {
  readonly rows = new Map<string, Row>()
  /** The changes of each call, the first one included. */
  readonly calls: Change[][] = []
  readonly errors: TrickleError[] = []
  #begun = false
  end: Unsubscribe = () => Promise.resolve()

  private constructor(
    readonly pg: Database,
    readonly name: string,
  ) {}

  static async open(pg: Database, name: string, options: SubscribeOptions = {}): Promise<Mirror> {
    const mirror = new Mirror(pg, name)
    const onError = (error: TrickleError) => mirror.errors.push(error)
    mirror.end = await pg.trickle.subscribe(name, (changes, info) => mirror.#take(changes, info), {
      onError,
      ...options,
    })
    return mirror
  }

  #take(changes: Change[], info: ChangeInfo): void {
    this.calls.push(changes)
    if (info.initial === this.#begun) throw new Error('rows that were there come first, and once')
    this.#begun = true
    for (const change of changes) {
      const { op, id, row, key, old } = change
      const before = this.rows.get(id)
      if (key.__pgt_id === undefined && Object.entries(key).some(([name, value]) => row[name] !== value))
        throw new Error(`${id} has another key than ${JSON.stringify(key)}`)
      if (op === 'insert' ? before !== undefined : before === undefined || before !== (op === 'update' ? old : row))
        throw new Error(`${op} of ${id}: not what was told before`)
      if (op === 'delete') this.rows.delete(id)
      else this.rows.set(id, row)
    }
  }

  /** The changes since the last time that this was asked, short. */
  news(): unknown[][] {
    return this.calls
      .splice(0)
      .map((changes) =>
        changes.map(({ op, row, old }) => [op, ...(old ? [Object.values(old)] : []), Object.values(row)]),
      )
  }

  /** It holds what a query gives. */
  async check(): Promise<void> {
    expect(this.errors).toEqual([])
    const { rows } = await this.pg.query<Row>(`SELECT * FROM ${this.name}`)
    expect(sorted([...this.rows.values()]), this.name).toEqual(sorted(rows))
  }
}

function sorted(rows: Row[]): Row[] {
  const text = (row: Row) =>
    JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
  return rows
    .map((row) => [text(row), row] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, row]) => row)
}
