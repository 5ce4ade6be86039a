import { PGliteProvider } from '@electric-sql/pglite-react'
import { StreamTableProvider } from '@pgtrickle/pglite/react'
import { useCallback, useEffect, useState } from 'react'
import { Dashboard } from './components/Dashboard'
import { Failure } from './components/Failure'
import { Setup } from './components/Setup'
import { open, whereToKeep } from './database/open'
import type { Database } from './database/open'
import { setUp, startOver } from './database/setup'
import type { Progress } from './database/setup'

/** `?rows=20000` loads fewer flights, `?db=other` uses another database. */
const parameters = new URLSearchParams(location.search)
const ROWS = Math.min(wholeNumber(parameters.get('rows')) ?? 100_000, MOST_FLIGHTS)
const DATABASE = whereToKeep(parameters.get('db') ?? 'pg_trickle-flights', ROWS)

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined
}

type State = { is: 'setup'; what: string; part: number } | { is: 'ready' } | { is: 'failed'; message: string }

/** One connection for the lifetime of the page. */
let opened: Promise<Database> | undefined

export function App() {
  const [db, setDb] = useState<Database>()
  const [state, setState] = useState<State>({ is: 'setup', what: 'Starting PostgreSQL in this browser', part: 0 })

  const work = useCallback((make: (db: Database, progress: Progress) => Promise<void>) => {
    const run = async () => {
      const db = await (opened ??= open(DATABASE))
      await make(db, (what, part) => setState({ is: 'setup', what, part }))
      // For whoever wants to ask it something in the browser's console.
      Object.assign(globalThis, { db })
      setDb(db)
      setState({ is: 'ready' })
    }
    run().catch((error: Error) => setState({ is: 'failed', message: error.message }))
  }, [])

  useEffect(() => work((db, progress) => setUp(db, DATABASE, ROWS, progress)), [work])

  if (state.is === 'failed') {
    return <Failure message={state.message} />
  }
  if (state.is === 'setup' || db === undefined) return <Setup {...(state.is === 'setup' ? state : {})} />
  return (
    <PGliteProvider db={db}>
      <StreamTableProvider db={db}>
        <Dashboard
          db={db}
          rows={ROWS}
          onStartOver={() => work((db, progress) => startOver(db, DATABASE, ROWS, progress))}
        />
      </StreamTableProvider>
    </PGliteProvider>
  )
}
