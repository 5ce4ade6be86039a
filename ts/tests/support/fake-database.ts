/** A stand-in for PGlite with the plugin, whose stream tables do what a test says, when it says it. */
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
  /** What subscribing, and asking for the shape, wait for. */
  gate: Promise<void> = Promise.resolve()
  /** What subscribing gives: rows by their key, or an error. */
  initial: FakeChange[] | TrickleError = []
  shape: { definition?: string; kinds?: Record<string, string> } = {}
  /** Its columns: another array when it gets another query. */
  fields: object[] = []
  /** How often somebody subscribed. */
  subscribed = 0
  /** The subscriptions that have not ended. */
  readonly open = new Set<{ callback: Callback; onError: (error: TrickleError) => void }>()

  async query<T>(): Promise<{ rows: T[] }> {
    await this.gate
    return { rows: [{ json: JSON.stringify(this.shape) } as T] }
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

  /** A committed transaction. */
  commit(...changes: FakeChange[]): void {
    for (const { callback } of [...this.open]) callback(changes, { initial: false, fields: this.fields })
  }

  /** The stream table goes, and with it what follows it. */
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
