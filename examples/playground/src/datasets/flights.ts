import { TABLES } from '@pgtrickle/demo/lib/schema.mjs'
import type { Dataset } from '.'
import type { Database } from '../database'

const SOME_FLIGHT = '(SELECT floor(random() * 30000)::int)'

async function load(pg: Database): Promise<void> {
  const [airports, flights] = await Promise.all([fetchBlob('data/airports.csv'), fetchBlob('data/flights.csv')])
  await pg.exec(TABLES)
  await pg.query("COPY airports FROM '/dev/blob' WITH (FORMAT csv, HEADER, NULL 'NA')", [], { blob: airports })
  await pg.query("COPY flights FROM '/dev/blob' WITH (FORMAT csv)", [], { blob: flights })
  await pg.exec('CREATE INDEX ON flights (origin); CREATE INDEX ON flights (delay DESC, id)')
}

async function fetchBlob(path: string): Promise<Blob> {
  const response = await fetch(new URL(path, document.baseURI))
  if (!response.ok) throw new Error(`The file ${path} cannot be loaded: ${response.status} ${response.statusText}`)
  return response.blob()
}

export const flights: Dataset = {
  title: 'Flights',
  load,
  queries: [
    {
      title: 'Delays by airport',
      sql: `SELECT a.iata, a.city, count(*) AS flights, round(avg(f.delay), 2) AS delay,
  count(*) FILTER (WHERE f.delay > 15) AS late
FROM flights f
JOIN airports a ON a.iata = f.origin
GROUP BY a.iata, a.city
ORDER BY flights DESC, a.iata`,
    },
    {
      title: 'Longest delays',
      sql: `SELECT id, date, origin, destination, delay
FROM flights
ORDER BY delay DESC, id
LIMIT 15`,
    },
    {
      title: 'Later than the average',
      sql: `SELECT origin, count(*) AS flights, max(delay) AS longest
FROM flights
WHERE delay > (SELECT avg(delay) FROM flights)
GROUP BY origin
ORDER BY flights DESC, origin`,
    },
    {
      title: 'By hour, with a total',
      sql: `SELECT date_trunc('hour', date) AS hour, count(*) AS flights, round(avg(delay), 1) AS delay
FROM flights
GROUP BY ROLLUP (date_trunc('hour', date))
ORDER BY hour`,
    },
  ],
  changes: [
    {
      title: 'Delay a flight',
      sql: `UPDATE flights SET delay = delay + 30
WHERE id = ${SOME_FLIGHT}`,
    },
    {
      title: 'Add a flight',
      sql: `INSERT INTO flights
SELECT (SELECT max(id) + 1 FROM flights), date, 45, distance, origin, destination
FROM flights WHERE id = ${SOME_FLIGHT}`,
    },
    { title: 'Cancel a flight', sql: `DELETE FROM flights\nWHERE id = ${SOME_FLIGHT}` },
    { title: 'Snow in Chicago', sql: "UPDATE flights SET delay = delay + 60\nWHERE origin = 'ORD'" },
  ],
}
