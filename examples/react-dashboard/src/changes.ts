/** Changes of the flights, each one a statement of its own. */
import type { Database } from './database/open'

interface Flight {
  id: number
  origin: string
  destination: string
  delay: number
}

/** What was done, for the person who asked for it. */
type Done = string

const RETURNING = 'RETURNING id, origin, destination, delay'

/** The id of some flight, by a number from 0 to 1. */
const SOME_FLIGHT = `(
  SELECT id FROM flights
  WHERE id >= ($1::float8 * (SELECT max(id) FROM flights))::int
  ORDER BY id LIMIT 1)`

/** A flight between two airports that have some, in the last hour. */
export async function addFlight(pg: Database): Promise<Done> {
  const sql = `
    INSERT INTO flights
    SELECT last.id + 1, last.date, $2, model.distance, model.origin, model.destination
    FROM (SELECT id, date FROM flights ORDER BY id DESC LIMIT 1) last, flights model
    WHERE model.id = ${SOME_FLIGHT}
    ${RETURNING}`
  return told('Added', await one(pg, sql, [Math.random(), Math.floor(Math.random() * 120) - 10]))
}

/** Half an hour more for some flight. */
export async function delayFlight(pg: Database): Promise<Done> {
  const sql = `UPDATE flights SET delay = delay + 30 WHERE id = ${SOME_FLIGHT} ${RETURNING}`
  return told('Delayed', await one(pg, sql, [Math.random()]))
}

/** Some flight is no more. */
export async function cancelFlight(pg: Database): Promise<Done> {
  return told('Cancelled', await one(pg, `DELETE FROM flights WHERE id = ${SOME_FLIGHT} ${RETURNING}`, [Math.random()]))
}

/** Of each kind in turn. */
export const CHANGES = [addFlight, delayFlight, cancelFlight]

async function one(pg: Database, sql: string, params: unknown[]): Promise<Flight | undefined> {
  return (await pg.query<Flight>(sql, params)).rows[0]
}

function told(what: string, flight: Flight | undefined): Done {
  if (!flight) return 'There are no flights left'
  const { id, origin, destination, delay } = flight
  return `${what} flight ${id.toLocaleString('en')} from ${origin} to ${destination}, ${lateness(delay)}`
}

/** A delay in words. */
export function lateness(minutes: number): string {
  const hours = Math.floor(Math.abs(minutes) / 60)
  const time = [hours && `${hours} h`, minutes % 60 && `${Math.abs(minutes % 60)} min`].filter(Boolean).join(' ')
  return time === '' ? 'on time' : `${time} ${minutes < 0 ? 'early' : 'late'}`
}
