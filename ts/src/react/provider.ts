import { createContext, useContext, useSyncExternalStore } from 'react'
import type { StreamTableDatabase } from '../subscribe/database.js'

/** The hook of the ecosystem's package that gives what its `PGliteProvider` was given, or `db` if that is there. */
type UsePGlite = (db?: unknown) => unknown

let usePGlite: UsePGlite | undefined
let state: 'unknown' | 'loading' | 'loaded' | 'missing' = 'unknown'
const waiting = new Set<() => void>()

const Nothing = createContext<unknown>(undefined)

/** In place of the ecosystem's hook until it is there. It calls the same hooks of React, which must not change. */
const useNothing: UsePGlite = (db) => {
  const nothing = useContext(Nothing)
  return db ?? nothing
}

/**
 * The database of a component: the given one, else that of the `PGliteProvider` around it. Undefined until the
 * provider's package is there: it is loaded when it is first needed and may be missing, for it asks for one exact
 * release of PGlite, which not every app can have.
 */
export function useDatabase(given: StreamTableDatabase | undefined): StreamTableDatabase | undefined {
  const known = useSyncExternalStore(given === undefined ? load : wait, current, current)
  const db = (usePGlite ?? useNothing)(given) as StreamTableDatabase | undefined
  if (db === undefined && known === 'missing') {
    throw new Error(
      'useStreamTable has no database: pass it one as its option db, ' +
        'or install @electric-sql/pglite-react and render inside its PGliteProvider',
    )
  }
  if (db !== undefined && typeof db.trickle?.subscribe !== 'function') {
    throw new Error("useStreamTable's database has no plugin: open it with PGlite.create({ extensions: { trickle } })")
  }
  return db
}

const current = () => state

function wait(listener: () => void): () => void {
  waiting.add(listener)
  return () => waiting.delete(listener)
}

function load(listener: () => void): () => void {
  if (state === 'unknown') {
    state = 'loading'
    void find()
  }
  return wait(listener)
}

async function find(): Promise<void> {
  // In this form bundlers take a missing package for what it is here, no error.
  try {
    usePGlite = (await import('@electric-sql/pglite-react')).usePGlite as UsePGlite
    state = 'loaded'
  } catch {
    state = 'missing'
  }
  for (const listener of waiting) listener()
}
