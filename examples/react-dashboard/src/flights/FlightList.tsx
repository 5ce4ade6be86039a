import { useStreamTable } from '@pgtrickle/pglite/react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useEffect, useRef, useState } from 'react'
import type { CSSProperties } from 'react'
import { lateness } from '../changes'
import { Definition } from '../components/Definition'
import { Flash } from '../components/Flash'
import type { Database } from '../database/open'
import { FLIGHT_LIST } from '../database/stream-tables'
import type { Listed } from '../database/stream-tables'
import { dateParts, whole } from '../format'
import { ListControls } from './ListControls'

/** The height of a row in pixels. All have the same, so none needs to be measured. */
const HEIGHT = 36

/** How many rows are drawn beyond the edges of the screen. */
const BEYOND = 8

/** The window moves by this many rows at once, so that scrolling by one row does not ask for another window. */
const STEP = 64

const ORDERS = {
  departure: { label: 'Departure', orderBy: ['date', 'id'] },
  delay: { label: 'Delay', orderBy: [['delay', 'desc'], 'id'] },
} as const

export type Order = keyof typeof ORDERS

/** All flights: a stream table of as many rows, of which the page draws those on the screen. */
export function FlightList({ db }: { db: Database }) {
  const [state, setState] = useState<'making' | 'made' | { failure: string }>('making')
  useEffect(() => {
    db.trickle.createStreamTable('flight_list', FLIGHT_LIST, { ifNotExists: true }).then(
      () => setState('made'),
      (error: Error) => setState({ failure: error.message }),
    )
  }, [db])
  return (
    <main className="one">
      {state === 'making' && (
        <p className="card" role="status">
          Creating the stream table flight_list …
        </p>
      )}
      {state === 'made' && <List db={db} />}
      {typeof state === 'object' && (
        <p className="card" role="alert">
          {state.failure}
        </p>
      )}
    </main>
  )
}

function List({ db }: { db: Database }) {
  const [order, setOrder] = useState<Order>('departure')
  const { orderBy } = ORDERS[order]
  const scroller = useRef<HTMLDivElement>(null)
  // The number of rows decides what is on the screen, and that decides which rows are wanted. Both hooks share the rows.
  const { count, loading, error } = useStreamTable<Listed>('flight_list', { orderBy, limit: 0 })
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => HEIGHT,
    overscan: BEYOND,
  })
  const items = virtualizer.getVirtualItems()
  const first = items[0]?.index ?? 0
  const offset = first - (first % STEP)
  const limit = Math.ceil((first - offset + items.length) / STEP) * STEP
  const { rows } = useStreamTable<Listed>('flight_list', { orderBy, offset, limit })
  const shown = items.flatMap(({ index, start }) => {
    const row = rows[index - offset]
    return row ? [{ row, index, start }] : []
  })
  return (
    <section className="card flights" aria-labelledby="flights">
      <div className="heading">
        <h2 id="flights">{loading ? 'Flights' : `${whole(count)} flights`}</h2>
        <label className="order">
          Sort by{' '}
          <select value={order} onChange={(event) => setOrder(event.target.value as Order)}>
            {Object.entries(ORDERS).map(([name, { label }]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <ListControls db={db} scroller={scroller} visible={shown.map(({ row }) => row.id)} />
      {error && <p role="alert">{error.message}</p>}
      <div className="list" role="table" aria-label="Flights" aria-rowcount={count + 1}>
        <div role="rowgroup">
          <div role="row" className="line head" aria-rowindex={1}>
            {['Departure', 'From', 'To', 'Miles', 'Delay'].map((label) => (
              <span key={label} role="columnheader" className={label === 'Miles' ? 'number' : undefined}>
                {label}
              </span>
            ))}
          </div>
        </div>
        <div ref={scroller} className="window" tabIndex={0} role="rowgroup" aria-label="Flights, scrollable">
          {loading && (
            <p className="quiet" role="status">
              Loading the rows …
            </p>
          )}
          <div className="all" style={{ height: virtualizer.getTotalSize() }}>
            {shown.map(({ row, index, start }) => (
              <Line key={row.id} flight={row} index={index} start={start} />
            ))}
          </div>
        </div>
      </div>
      <Definition db={db} name="flight_list" query={FLIGHT_LIST} />
    </section>
  )
}

/** Renders again only when its flight has changed or moved. */
const Line = memo(function Line({ flight, index, start }: { flight: Listed; index: number; start: number }) {
  const { date, origin, origin_city, destination, destination_city, distance, delay } = flight
  const [weekday, time] = dateParts(date)
  const place: CSSProperties = { transform: `translateY(${start}px)`, height: HEIGHT }
  return (
    <div role="row" className="line" aria-rowindex={index + 2} style={place}>
      <span role="cell" className="quiet">
        <span className="day">{weekday}, </span>
        {time}
      </span>
      <span role="cell">
        <b>{origin}</b> <span className="quiet city">{origin_city}</span>
      </span>
      <span role="cell">
        <b>{destination}</b> <span className="quiet city">{destination_city}</span>
      </span>
      <span role="cell" className="number">
        {whole(distance)}
      </span>
      <span role="cell">
        <Flash>{lateness(delay)}</Flash>
      </span>
    </div>
  )
})
