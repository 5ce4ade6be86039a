/** TanStack DB: collections that hold the rows of stream tables. */
import type { CollectionConfig, SyncConfig } from '@tanstack/db'
import type { StreamTableDatabase } from '../subscribe/database.js'
import type { Change } from '../subscribe/types.js'
import type { AnyRow, ColumnOf } from '../types.js'

/** What a collection of a stream table needs to know. */
export interface StreamTableCollectionConfig<Row extends object, Key extends string | number> extends Omit<
  CollectionConfig<Row, Key>,
  'getKey' | 'sync' | 'syncMode' | 'schema'
> {
  /** A PGlite with the plugin, or a tab's PGliteWorker. */
  db: StreamTableDatabase
  /** The name of the stream table. */
  name: string
  /** The column that identifies a row, or a function that gives its identity. No two rows may have the same one. */
  key: KeyColumn<Row, Key> | ((row: Row) => Key)
}

/** The columns whose values are keys; all of them where their types are not declared. */
export type KeyColumn<Row, Key> = {
  [Column in ColumnOf<Row>]-?: unknown extends Row[Column] ? Column : Row[Column] extends Key ? Column : never
}[ColumnOf<Row>]

/**
 * Options for `createCollection` of `@tanstack/db`: a collection that holds the rows of a stream table and follows its
 * changes, one transaction of the collection for each transaction of the database.
 *
 * The collection is written to by handlers of yours (`onInsert`, `onUpdate`, `onDelete`), which change the tables that
 * the stream table is computed from.
 */
export function streamTableCollectionOptions<
  Row extends object = AnyRow,
  Key extends string | number = string | number,
>(config: StreamTableCollectionConfig<Row, Key>): CollectionConfig<Row, Key> & { schema?: never } {
  const { db, name, key, ...rest } = config
  const getKey = typeof key === 'function' ? key : (row: Row) => row[key] as unknown as Key
  return { id: `stream-table:${name}:${++made}`, ...rest, getKey, sync: syncFrom(db, name, getKey) }
}

/** Collections so far: those of one stream table may be of several databases, or by several keys. */
let made = 0

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
        // A database that was closed has ended it already.
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
          for (const message of byKey(changes, getKey)) write(message)
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
 * The changes as the collection takes them: at most one for each of its keys. A row that went and one that came under the
 * same key are an update, whatever the stream table's own key is.
 */
function byKey<Row extends object, Key extends string | number>(
  changes: Change<Row>[],
  getKey: (row: Row) => Key,
): Parameters<Parameters<SyncConfig<Row, Key>['sync']>[0]['write']>[0][] {
  const gone = new Map<Key, Row>()
  for (const { op, row, old } of changes) {
    if (op === 'delete') gone.set(getKey(row), row)
    else if (op === 'update' && old !== undefined && getKey(old) !== getKey(row)) gone.set(getKey(old), old)
  }
  const messages: ReturnType<typeof byKey<Row, Key>> = []
  for (const { op, row, old } of changes) {
    if (op === 'delete') continue
    const key = getKey(row)
    const wasThere = gone.delete(key) || (op === 'update' && (old === undefined || getKey(old) === key))
    messages.push({ type: wasThere ? 'update' : 'insert', value: row })
  }
  return [...Array.from(gone.values(), (value) => ({ type: 'delete' as const, value })), ...messages]
}
