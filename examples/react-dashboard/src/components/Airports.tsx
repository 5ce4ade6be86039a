import { useStreamTable } from '@pgtrickle/pglite/react'
import { memo, useDeferredValue, useMemo, useState } from 'react'
import type { Database } from '../database/open'
import type { Airport, Place } from '../database/stream-tables'
import { minutes, percent, whole } from '../format'
import { Definition } from './Definition'
import { Flash } from './Flash'

const COLUMNS = [
  { column: 'name', label: 'Airport' },
  { column: 'state', label: 'State' },
  { column: 'flights', label: 'Flights', number: true },
  { column: 'late', label: 'Late', number: true },
  { column: 'delay', label: 'Average delay', number: true },
] as const

type Column = (typeof COLUMNS)[number]['column']

/** A join with aggregates, and a window function over it: all airports, sortable by column. */
export function Airports({ db }: { db: Database }) {
  const [[column, direction], setOrder] = useState<[Column, 'asc' | 'desc']>(['flights', 'desc'])
  const [search, setSearch] = useState('')
  const wanted = useDeferredValue(search.trim().toLowerCase())
  const { rows, loading } = useStreamTable<Airport>('airport_delays', { orderBy: [[column, direction], 'iata'] })
  const { rows: places } = useStreamTable<Place>('airport_places', { key: 'iata' })
  const placeOf = useMemo(() => new Map(places.map((place) => [place.iata, place])), [places])
  const shown = useMemo(
    () => rows.filter(({ iata, name, state }) => `${iata} ${name} ${state}`.toLowerCase().includes(wanted)),
    [rows, wanted],
  )
  const sortBy = (next: Column) =>
    setOrder([
      next,
      next === column ? (direction === 'asc' ? 'desc' : 'asc') : next === 'name' || next === 'state' ? 'asc' : 'desc',
    ])
  return (
    <section className="card airports" aria-labelledby="airports">
      <div className="heading">
        <h2 id="airports">Airports</h2>
        <label>
          <span className="hidden">Search airports</span>
          <input
            type="search"
            placeholder="Search airports"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </label>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Table of airports">
        <table>
          <caption className="hidden">{whole(shown.length)} airports</caption>
          <thead>
            <tr>
              {COLUMNS.map(({ column: each, label, ...rest }) => (
                <th
                  key={each}
                  scope="col"
                  className={'number' in rest ? 'number' : undefined}
                  aria-sort={each === column ? (direction === 'asc' ? 'ascending' : 'descending') : undefined}
                >
                  <button type="button" onClick={() => sortBy(each)}>
                    {label}
                    <span aria-hidden="true">{each === column ? (direction === 'asc' ? ' ↑' : ' ↓') : ''}</span>
                  </button>
                </th>
              ))}
              <th scope="col" className="number">
                Rank in state
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((airport) => (
              <Row key={airport.iata} airport={airport} place={placeOf.get(airport.iata)} />
            ))}
          </tbody>
        </table>
        {!loading && shown.length === 0 && (
          <p className="quiet">{wanted === '' ? 'There are no flights.' : `No airport matches “${search.trim()}”.`}</p>
        )}
      </div>
      <Definition db={db} name="airport_delays" />
      <Definition db={db} name="airport_places" />
    </section>
  )
}

/** Renders again only when a row has changed, because an unchanged row stays the same object. */
const Row = memo(function Row({ airport, place }: { airport: Airport; place: Place | undefined }) {
  const { iata, name, state, flights, late, delay } = airport
  return (
    <tr>
      <th scope="row">
        <b>{iata}</b> <span className="quiet">{name}</span>
      </th>
      <td>{state}</td>
      <td className="number">
        <Flash>{whole(flights)}</Flash>
      </td>
      <td className="number">
        <Flash>{percent(late, flights)}</Flash>
      </td>
      <td className="number">
        <Flash>{minutes(delay)}</Flash>
      </td>
      <td className="number">{place && <Flash>{`${place.place} of ${place.among}`}</Flash>}</td>
    </tr>
  )
})
