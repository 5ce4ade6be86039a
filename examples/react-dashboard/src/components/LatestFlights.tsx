import { useStreamTable } from '@pgtrickle/pglite/react'
import { lateness } from '../changes'
import type { Database } from '../database/open'
import type { Latest } from '../database/stream-tables'
import { dateAndTime } from '../format'
import { Definition } from './Definition'
import { Flash } from './Flash'

/** A stream table with ORDER BY and LIMIT: the longest delays. */
export function LatestFlights({ db }: { db: Database }) {
  const { rows, loading } = useStreamTable<Latest>('latest_flights', { key: 'id', orderBy: [['delay', 'desc'], 'id'] })
  return (
    <section className="card latest" aria-labelledby="latest">
      <h2 id="latest">Longest delays</h2>
      <ol>
        {rows.map(({ id, date, origin, destination, delay }) => (
          <li key={id}>
            <span>
              <b>
                {origin} → {destination}
              </b>
              <span className="quiet">{dateAndTime(date)}</span>
            </span>
            <Flash>{lateness(delay)}</Flash>
          </li>
        ))}
      </ol>
      {!loading && rows.length === 0 && <p className="quiet">There are no flights.</p>}
      <Definition db={db} name="latest_flights" />
    </section>
  )
}
