/**
 * A copy of a stream table that only `subscribe` maintains, to be compared with a query. It checks that changes fit: an
 * inserted row must be new; a deleted or updated row must exist, and be the same object as in an earlier change.
 */
import { expect } from 'vitest'
import type { Change, ChangeInfo, SubscribeOptions, TrickleError } from '../../dist/index.js'
import type { Row } from './lab.js'
import type { Database } from './pglite.js'

export class Mirror {
  readonly rows = new Map<string, Row>()
  /** The changes of each call, including the first. */
  readonly calls: Change[][] = []
  readonly errors: TrickleError[] = []
  #isStarted = false
  end = (): Promise<void> => Promise.resolve()

  private constructor(
    readonly pg: Database,
    readonly name: string,
  ) {}

  static async open(pg: Database, name: string, options: SubscribeOptions = {}): Promise<Mirror> {
    const mirror = new Mirror(pg, name)
    const onError = (error: TrickleError) => mirror.errors.push(error)
    mirror.end = await pg.trickle.subscribe(name, (changes, info) => mirror.#receive(changes, info), {
      onError,
      ...options,
    })
    return mirror
  }

  #receive(changes: Change[], info: ChangeInfo): void {
    this.calls.push(changes)
    if (info.initial === this.#isStarted) throw new Error('the initial rows must come first, and only once')
    this.#isStarted = true
    for (const change of changes) {
      const { op, id, row, key, old } = change
      const before = this.rows.get(id)
      if (key.__pgt_id === undefined && Object.entries(key).some(([name, value]) => row[name] !== value))
        throw new Error(`${id} does not have the key ${JSON.stringify(key)}`)
      if (op === 'insert' ? before !== undefined : before === undefined || before !== (op === 'update' ? old : row))
        throw new Error(`${op} of ${id} does not fit the earlier changes`)
      if (op === 'delete') this.rows.delete(id)
      else this.rows.set(id, row)
    }
  }

  /** The changes since the last call, in short form. */
  takeChanges(): unknown[][] {
    return this.calls
      .splice(0)
      .map((changes) =>
        changes.map(({ op, row, old }) => [op, ...(old ? [Object.values(old)] : []), Object.values(row)]),
      )
  }

  /** Checks that the copy equals a query. */
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
