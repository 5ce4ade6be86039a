import { createContext, useContext, useSyncExternalStore } from 'react'
import type { StreamTableDatabase } from '../subscribe/database.js'

/** The hook of `@electric-sql/pglite-react`: returns `db` if it is given, or else the database of the `PGliteProvider`. */
type UsePGlite = (db?: unknown) => unknown

let usePGlite: UsePGlite | undefined
let packageState: 'unknown' | 'loading' | 'loaded' | 'missing' = 'unknown'
const listeners = new Set<() => void>()

const EmptyContext = createContext<unknown>(undefined)

/** Replaces that hook until it is loaded. React requires both to call the same hooks. */
const usePlaceholder: UsePGlite = (db) => {
  const none = useContext(EmptyContext)
  return db ?? none
}

/**
 * The database of a component: the given one, or else that of the `PGliteProvider` around it. Undefined while the
 * provider's package is being loaded, which happens when it is first needed. The package may be missing, because it
 * requires one exact release of PGlite, and not every app can use that one.
 */
export function useDatabase(given: StreamTableDatabase | undefined): StreamTableDatabase | undefined {
  const loaded = useSyncExternalStore(given === undefined ? loadPackage : listen, getState, getState)
  const db = (usePGlite ?? usePlaceholder)(given) as StreamTableDatabase | undefined
  if (db === undefined && loaded === 'missing') {
    throw new Error(
      'useStreamTable has no database: pass one in its option db, ' +
        'or install @electric-sql/pglite-react and render inside its PGliteProvider',
    )
  }
  if (db !== undefined && typeof db.trickle?.subscribe !== 'function') {
    throw new Error("useStreamTable's database has no plugin: open it with PGlite.create({ extensions: { trickle } })")
  }
  return db
}

const getState = () => packageState

function listen(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function loadPackage(listener: () => void): () => void {
  if (packageState === 'unknown') {
    packageState = 'loading'
    void importPackage()
  }
  return listen(listener)
}

async function importPackage(): Promise<void> {
  // Inside try and catch, bundlers do not report a missing package as an error.
  try {
    usePGlite = (await import('@electric-sql/pglite-react')).usePGlite as UsePGlite
    packageState = 'loaded'
  } catch {
    packageState = 'missing'
  }
  for (const listener of listeners) listener()
}
