import { createContext, createElement, useContext } from 'react'
import type { ReactNode } from 'react'
import type { StreamTableDatabase } from '../subscribe/database.js'

/** What a provider gives. An object, so that a database that is not open yet differs from no provider. */
const Context = createContext<{ db: StreamTableDatabase | undefined } | undefined>(undefined)

/** Props of `StreamTableProvider`. */
export interface StreamTableProviderProps {
  /** A PGlite with the plugin, or a tab's PGliteWorker. Until there is one, the rows are loading. */
  db: StreamTableDatabase | undefined
  children?: ReactNode
}

/** Gives its database to every `useStreamTable` below it that has no option `db`. */
export function StreamTableProvider({ db, children }: StreamTableProviderProps): ReactNode {
  return createElement(Context.Provider, { value: { db } }, children)
}

/** The database of a component: the one in its options, or else that of the provider around it. */
export function useDatabase(options: { db?: StreamTableDatabase | undefined }): StreamTableDatabase | undefined {
  const provided = useContext(Context)
  const db = options.db ?? provided?.db
  if (db === undefined && provided === undefined && !('db' in options)) {
    throw new Error(
      'useStreamTable has no database: pass one in its option db, or render inside a StreamTableProvider of @pgtrickle/pglite/react',
    )
  }
  if (db !== undefined && typeof db.trickle?.subscribe !== 'function') {
    throw new Error("useStreamTable's database has no plugin: open it with PGlite.create({ extensions: { trickle } })")
  }
  return db
}
