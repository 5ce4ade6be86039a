import { useState, useSyncExternalStore } from 'react'
import type { Database } from '../database/open'
import { FlightList } from '../flights/FlightList'
import { Stopwatch } from '../stopwatch'
import { Airports } from './Airports'
import { Comparison } from './Comparison'
import { Controls } from './Controls'
import { Devtools } from './Devtools'
import { HourChart } from './HourChart'
import { LatestFlights } from './LatestFlights'
import { Totals } from './Totals'

/** The screens, by the fragment of their address. */
const SCREENS = { '': 'Dashboard', '#flights': 'All flights' }

interface Props {
  db: Database
  /** The flights to start with. */
  rows: number
  onStartOver: () => void
}

/** The whole page, once the data is loaded. */
export function Dashboard(props: Props) {
  const { db } = props
  const screen = useSyncExternalStore(onFragment, () => location.hash)
  return (
    <div className="page">
      <header>
        <h1>Flights, live</h1>
        <p className="quiet">
          PostgreSQL runs in this browser and is shared by all tabs. Every number comes from a stream table, which each
          change updates.
        </p>
        <nav aria-label="Screens">
          {Object.entries(SCREENS).map(([fragment, label]) => (
            <a key={label} href={fragment || '#'} aria-current={isShown(fragment, screen) ? 'page' : undefined}>
              {label}
            </a>
          ))}
          <Devtools db={db} />
        </nav>
      </header>
      {screen === '#flights' ? <FlightList db={db} /> : <Overview {...props} />}
    </div>
  )
}

const isShown = (fragment: string, screen: string) =>
  fragment === '' ? !(screen in SCREENS) || screen === '' : fragment === screen

function onFragment(listener: () => void): () => void {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

/** What is known of all flights, and buttons that change them. */
function Overview({ db, rows, onStartOver }: Props) {
  const [stopwatch] = useState(() => new Stopwatch())
  const [withLive, setWithLive] = useState(true)
  return (
    <main>
      <Totals db={db} />
      <Controls
        db={db}
        rows={rows}
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
  )
}
