/** A fake PGlite with the plugin. A test decides what its stream tables do, and when. */
import type { StreamTableDatabase } from '../../src/react/index.js'
import type { TrickleError } from '../../src/errors.js'

export interface FakeChange {
  op: 'insert' | 'update' | 'delete'
  row: Record<string, unknown>
  old?: Record<string, unknown>
  key: Record<string, unknown>
  id: string
}

type Callback = (changes: FakeChange[], info: { initial: boolean; fields: object[] }) => void

export class FakeDatabase implements StreamTableDatabase {
  /** `subscribe` and `query` wait for this. */
  gate: Promise<void> = Promise.resolve()
  /** The initial rows of a subscription, or its error. */
  initial: FakeChange[] | TrickleError = []
  ordering: { definition?: string; kinds?: Record<string, string> } = {}
  /** The columns. A new array stands for a new query. */
  fields: object[] = []
  /** The number of calls of `subscribe`. */
  subscribed = 0
  /** The subscriptions that have not ended. */
  readonly open = new Set<{ callback: Callback; onError: (error: TrickleError) => void }>()

  async query<T>(): Promise<{ rows: T[] }> {
    await this.gate
    return { rows: [{ json: JSON.stringify(this.ordering) } as T] }
  }

  readonly trickle = {
    subscribe: async (
      _name: string,
      callback: unknown,
      options: { onError?: (error: TrickleError) => void } = {},
    ): Promise<() => Promise<void>> => {
      this.subscribed++
      await this.gate
      if (!Array.isArray(this.initial)) throw this.initial
      const subscription = { callback: callback as Callback, onError: options.onError ?? (() => {}) }
      this.open.add(subscription)
      subscription.callback(this.initial, { initial: true, fields: this.fields })
      return async () => void this.open.delete(subscription)
    },
  }

  /** Commits a transaction with these changes. */
  commit(...changes: FakeChange[]): void {
    for (const { callback } of [...this.open]) callback(changes, { initial: false, fields: this.fields })
  }

  /** Ends all subscriptions with an error. */
  fail(error: TrickleError): void {
    for (const subscription of [...this.open]) {
      this.open.delete(subscription)
      subscription.onError(error)
    }
  }
}

type Row = Record<string, unknown>

const change = (op: FakeChange['op'], row: Row, key: Row, old?: Row): FakeChange => ({
  op,
  row,
  ...(old && { old }),
  key,
  id: JSON.stringify(key),
})

export const insert = (row: Row, key: Row = { id: row.id }) => change('insert', row, key)
export const update = (row: Row, old?: Row, key: Row = { id: row.id }) => change('update', row, key, old)
export const remove = (row: Row, key: Row = { id: row.id }) => change('delete', row, key)
