/** Changes to the flights. Each is one statement, and returns a description of what it did. */
import type { Database } from './database/open'

interface Flight {
  id: number
  origin: string
  destination: string
  delay: number
}

const RETURNING = 'RETURNING id, origin, destination, delay'

/** Chooses the id of a flight by a number from 0 to 1. */
const SOME_FLIGHT = `(
  SELECT id FROM flights
  WHERE id >= ($1::float8 * (SELECT max(id) FROM flights))::int
  ORDER BY id LIMIT 1)`

/** Adds a flight at the time of the last one, between the airports of a random one. */
export async function addFlight(pg: Database): Promise<string> {
  const sql = `
    INSERT INTO flights
    SELECT last.id + 1, last.date, $2, model.distance, model.origin, model.destination
    FROM (SELECT id, date FROM flights ORDER BY id DESC LIMIT 1) last, flights model
    WHERE model.id = ${SOME_FLIGHT}
    ${RETURNING}`
  return describe('Added', await one(pg, sql, [Math.random(), Math.floor(Math.random() * 120) - 10]))
}

/** Delays a random flight by half an hour. */
export async function delayFlight(pg: Database): Promise<string> {
  const sql = `UPDATE flights SET delay = delay + 30 WHERE id = ${SOME_FLIGHT} ${RETURNING}`
  return describe('Delayed', await one(pg, sql, [Math.random()]))
}

/** Cancels a random flight. */
export async function cancelFlight(pg: Database): Promise<string> {
  return describe(
    'Cancelled',
    await one(pg, `DELETE FROM flights WHERE id = ${SOME_FLIGHT} ${RETURNING}`, [Math.random()]),
  )
}

/**
 * Gives several flights another delay, in one statement: random ones, and some of those that are given. Returns how many
 * rows it has changed.
 */
export async function changeSome(
  pg: Database,
  count: number,
  among: readonly number[],
  ofThese: number,
): Promise<number> {
  const some = Array.from({ length: Math.min(ofThese, among.length) }, () => among[randomBelow(among.length)])
  const sql = `
    UPDATE flights SET delay = (random() * 150)::int - 15
    WHERE id = ANY ($1::int[] || ARRAY(
      SELECT (random() * (SELECT max(id) FROM flights))::int FROM generate_series(1, $2)))`
  return (await pg.query(sql, [some, count - some.length])).affectedRows ?? 0
}

const randomBelow = (count: number) => Math.floor(Math.random() * count)

/** All kinds of changes, to be made in turn. */
export const CHANGES = [addFlight, delayFlight, cancelFlight]

async function one(pg: Database, sql: string, params: unknown[]): Promise<Flight | undefined> {
  return (await pg.query<Flight>(sql, params)).rows[0]
}

function describe(what: string, flight: Flight | undefined): string {
  if (!flight) return 'There are no flights left. Start over to get them back.'
  const { id, origin, destination, delay } = flight
  return `${what} flight ${id.toLocaleString('en')} from ${origin} to ${destination}, ${lateness(delay)}`
}

/** A delay in words. */
export function lateness(minutes: number): string {
  const hours = Math.floor(Math.abs(minutes) / 60)
  const time = [hours && `${hours} h`, minutes % 60 && `${Math.abs(minutes % 60)} min`].filter(Boolean).join(' ')
  return time === '' ? 'on time' : `${time} ${minutes < 0 ? 'early' : 'late'}`
}
