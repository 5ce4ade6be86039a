import { useLiveIncrementalQuery } from '@electric-sql/pglite-react'
import { useStreamTable } from '@pgtrickle/pglite/react'
import { useLayoutEffect, useSyncExternalStore } from 'react'
import { AIRPORTS_QUERY } from '../database/stream-tables'
import type { Airport } from '../database/stream-tables'
import { milliseconds, minutes, whole } from '../format'
import { quantile } from '../frames'
import type { Runner, Stopwatch } from '../stopwatch'
import { Flash } from './Flash'

/** The number of airports to show. */
const SHOWN = 5

/** The same result from a stream table and a live query, with the time from a change until it is on the page. */
export function Comparison({ stopwatch, withLive }: { stopwatch: Stopwatch; withLive: boolean }) {
  return (
    <section className="card comparison" aria-labelledby="latency">
      <h2 id="latency">From change to screen</h2>
      <div className="sides">
        <ByStreamTable stopwatch={stopwatch} />
        {withLive ? (
          <ByLiveQuery stopwatch={stopwatch} />
        ) : (
          <p className="quiet empty">
            Turn on the comparison to see the same result from a live query, which runs again after each change.
          </p>
        )}
      </div>
    </section>
  )
}

function ByStreamTable({ stopwatch }: { stopwatch: Stopwatch }) {
  const { rows } = useStreamTable<Airport>('airport_delays', { orderBy: [['flights', 'desc'], 'iata'] })
  return <Side runner="stream" title="Stream table" rows={rows} stopwatch={stopwatch} />
}

const LIVE_QUERY = `SELECT * FROM (${AIRPORTS_QUERY}) AS airports ORDER BY flights DESC, iata`

function ByLiveQuery({ stopwatch }: { stopwatch: Stopwatch }) {
  const results = useLiveIncrementalQuery<Airport & Record<string, unknown>>(LIVE_QUERY, [], 'iata')
  return <Side runner="live" title="live.incrementalQuery" rows={results?.rows ?? []} stopwatch={stopwatch} />
}

interface SideProps {
  runner: Runner
  title: string
  rows: readonly Airport[]
  stopwatch: Stopwatch
}

function Side({ runner, title, rows, stopwatch }: SideProps) {
  const times = useSyncExternalStore(stopwatch.subscribe, stopwatch.times)[runner]
  useLayoutEffect(() => stopwatch.recordRender(runner), [rows, runner, stopwatch])
  return (
    <div data-testid={runner}>
      <h3>{title}</h3>
      <p className="latency">
        <strong data-testid={`${runner}-last`}>{milliseconds(times.at(-1))}</strong>
        <span className="quiet">
          {times.length
            ? `median ${milliseconds(quantile(times, 0.5))}, p99 ${milliseconds(quantile(times, 0.99))} of ${times.length}`
            : 'no change yet'}
        </span>
      </p>
      <table>
        <caption className="hidden">The busiest airports from {title}</caption>
        <thead>
          <tr>
            <th scope="col">Busiest airports</th>
            <th scope="col" className="number">
              Flights
            </th>
            <th scope="col" className="number">
              Delay
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, SHOWN).map(({ iata, flights, delay }) => (
            <tr key={iata}>
              <th scope="row">{iata}</th>
              <td className="number">
                <Flash>{whole(flights)}</Flash>
              </td>
              <td className="number">
                <Flash>{minutes(delay)}</Flash>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
