import { useStreamTable } from '@pgtrickle/pglite/react'
import type { Database } from '../database/open'
import type { Total } from '../database/stream-tables'
import { minutes, percent, short, whole } from '../format'
import { Definition } from './Definition'
import { Flash } from './Flash'

/** Aggregates over all flights. */
export function Totals({ db }: { db: Database }) {
  const { rows } = useStreamTable<Total>('totals')
  const [total] = rows
  const shown = [
    ['Flights', total && whole(total.flights)],
    ['Late by over 15 minutes', total && percent(total.late, total.flights)],
    ['Average delay', total && minutes(total.delay)],
    ['Miles flown', total && short(Number(total.miles))],
  ]
  return (
    <section aria-label="Totals" className="overview">
      <dl className="totals">
        {shown.map(([label, value]) => (
          <div key={label} className="card">
            <dt>{label}</dt>
            <dd>{value === undefined ? '–' : <Flash>{value}</Flash>}</dd>
          </div>
        ))}
      </dl>
      <Definition db={db} name="totals" />
    </section>
  )
}
