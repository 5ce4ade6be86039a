/** TanStack DB: collections that hold the rows of stream tables. */
import type { CollectionConfig, SyncConfig } from '@tanstack/db'
import type { StreamTableDatabase } from '../subscribe/database.js'
import type { Change } from '../subscribe/types.js'
import type { AnyRow, ColumnOf } from '../types.js'

/** The configuration of a collection of a stream table. */
export interface StreamTableCollectionConfig<Row extends object, Key extends string | number> extends Omit<
  CollectionConfig<Row, Key>,
  'getKey' | 'sync' | 'syncMode' | 'schema'
> {
  /** A PGlite with the plugin, or a tab's PGliteWorker. */
  db: StreamTableDatabase
  /** The name of the stream table. */
  name: string
  /** The column that identifies a row, or a function that returns its key. No two rows may have the same key. */
  key: KeyColumn<Row, Key> | ((row: Row) => Key)
}

/** The columns whose values can be keys: all columns, where their types are not declared. */
export type KeyColumn<Row, Key> = {
  [Column in ColumnOf<Row>]-?: unknown extends Row[Column] ? Column : Row[Column] extends Key ? Column : never
}[ColumnOf<Row>]

/**
 * Options for `createCollection` of `@tanstack/db`: the collection holds the rows of a stream table and follows its
 * changes, with one transaction of the collection for each transaction of the database.
 *
 * To make the collection writable, add handlers (`onInsert`, `onUpdate`, `onDelete`) that change the sources of the
 * stream table.
 */
export function streamTableCollectionOptions<
  Row extends object = AnyRow,
  Key extends string | number = string | number,
>(config: StreamTableCollectionConfig<Row, Key>): CollectionConfig<Row, Key> & { schema?: never } {
  const { db, name, key, ...rest } = config
  const getKey = typeof key === 'function' ? key : (row: Row) => row[key] as unknown as Key
  return { id: `stream-table:${name}:${++collectionCount}`, ...rest, getKey, sync: syncFrom(db, name, getKey) }
}

/** Makes ids unique: collections of one stream table may belong to different databases, or use different keys. */
let collectionCount = 0

function syncFrom<Row extends object, Key extends string | number>(
  db: StreamTableDatabase,
  name: string,
  getKey: (row: Row) => Key,
): SyncConfig<Row, Key> {
  return {
    rowUpdateMode: 'full',
    sync({ begin, write, commit, markReady, markError }) {
      let ended = false
      let unsubscribe: (() => Promise<void>) | undefined
      const end = () => {
        ended = true
        // Unsubscribing fails when the database has been closed, which has ended the subscription anyway.
        unsubscribe?.().catch(() => {})
      }
      const fail = (error: unknown) => {
        if (ended) return
        end()
        markError(error)
      }
      const receive = (changes: Change<Row>[]) => {
        if (ended) return
        try {
          begin()
          for (const message of messagesByKey(changes, getKey)) write(message)
          commit()
          markReady()
        } catch (error) {
          fail(error)
        }
      }
      db.trickle.subscribe<Row>(name, receive, { onError: fail }).then((stop) => {
        unsubscribe = stop
        if (ended) end()
        else markReady()
      }, fail)
      return end
    },
  }
}

/**
 * Converts changes to the form that the collection takes, with at most one for each of its keys. A deleted and an inserted
 * row with the same key become an update, whatever the key of the stream table is.
 */
function messagesByKey<Row extends object, Key extends string | number>(
  changes: Change<Row>[],
  getKey: (row: Row) => Key,
): Parameters<Parameters<SyncConfig<Row, Key>['sync']>[0]['write']>[0][] {
  const removed = new Map<Key, Row>()
  for (const { op, row, old } of changes) {
    if (op === 'delete') removed.set(getKey(row), row)
    else if (op === 'update' && old !== undefined && getKey(old) !== getKey(row)) removed.set(getKey(old), old)
  }
  const messages: ReturnType<typeof messagesByKey<Row, Key>> = []
  for (const { op, row, old } of changes) {
    if (op === 'delete') continue
    const key = getKey(row)
    const wasThere = removed.delete(key) || (op === 'update' && (old === undefined || getKey(old) === key))
    messages.push({ type: wasThere ? 'update' : 'insert', value: row })
  }
  return [...Array.from(removed.values(), (value) => ({ type: 'delete' as const, value })), ...messages]
}
