import { useState } from 'react'
import type { Database } from '../database/open'
import { Stopwatch } from '../stopwatch'
import { Airports } from './Airports'
import { Comparison } from './Comparison'
import { Controls } from './Controls'
import { Devtools } from './Devtools'
import { HourChart } from './HourChart'
import { LatestFlights } from './LatestFlights'
import { Totals } from './Totals'

/** The whole page, once the data is loaded. */
export function Dashboard({ db, onStartOver }: { db: Database; onStartOver: () => void }) {
  const [stopwatch] = useState(() => new Stopwatch())
  const [withLive, setWithLive] = useState(true)
  return (
    <div className="page">
      <header>
        <h1>Flights, live</h1>
        <p className="quiet">
          PostgreSQL runs in this browser, is stored in IndexedDB, and is shared by all tabs. Every number comes from a
          stream table, which each change updates.
        </p>
        <Devtools db={db} />
      </header>
      <main>
        <Totals db={db} />
        <Controls
          db={db}
          stopwatch={stopwatch}
          withLive={withLive}
          onWithLive={setWithLive}
          onStartOver={onStartOver}
        />
        <Comparison stopwatch={stopwatch} withLive={withLive} />
        <HourChart db={db} />
        <LatestFlights db={db} />
        <Airports db={db} />
      </main>
    </div>
  )
}
