// The stream tables of the demo, and the changes that are made to their sources.

/** `key` names the columns that identify a row of the result, so that the demo can show the effect of a change. */
export const STREAM_TABLES = [
  {
    name: 'routes',
    about: 'joins with aggregates',
    key: ['from_state', 'to_state'],
    query: `SELECT o.state AS from_state, d.state AS to_state, count(*) AS flights,
       sum(f.distance) AS miles, avg(f.delay) AS avg_delay
FROM flights f
JOIN airports o ON o.iata = f.origin
JOIN airports d ON d.iata = f.destination
GROUP BY o.state, d.state`,
  },
  {
    name: 'very_late',
    about: 'a filter',
    key: ['id'],
    query: `SELECT id, date, origin, destination, delay, round(delay / 60.0, 1) AS hours
FROM flights
WHERE delay >= 180`,
  },
  {
    name: 'overall',
    about: 'aggregates over the whole table',
    key: [],
    query: `SELECT count(*) AS flights, sum(distance) AS miles, avg(delay) AS avg_delay,
       min(delay) AS earliest, max(delay) AS latest
FROM flights`,
  },
  {
    name: 'unused_airports',
    about: 'NOT EXISTS',
    key: ['iata'],
    query: `SELECT iata, city, state
FROM airports a
WHERE NOT EXISTS (SELECT FROM flights f WHERE f.origin = a.iata)`,
  },
  {
    name: 'worst_delays',
    about: 'a window function',
    key: ['id'],
    query: `SELECT id, origin, delay,
       rank() OVER (PARTITION BY origin ORDER BY delay DESC) AS place
FROM flights
WHERE delay >= 60`,
  },
  {
    name: 'top_airports',
    about: 'the first 10 groups',
    key: ['destination'],
    query: `SELECT destination, count(*) AS arrivals
FROM flights
GROUP BY destination
ORDER BY arrivals DESC, destination
LIMIT 10`,
  },
  {
    name: 'ways_to_chicago',
    about: 'WITH RECURSIVE',
    key: ['iata'],
    query: `WITH RECURSIVE ways (iata) AS (
  SELECT 'ORD'
  UNION
  SELECT f.origin FROM ways w JOIN flights f ON f.destination = w.iata)
SELECT iata FROM ways`,
  },
]

/** The changes for `rows` loaded flights, each with its table. In this order they undo each other. */
export function changesFor(rows) {
  const id = rows + 1
  return [
    {
      name: 'insert 1 flight',
      table: 'flights',
      sql: `INSERT INTO flights VALUES (${id}, '2001-01-13 18:05', 1600, 1680, 'TVL', 'ORD')`,
    },
    { name: 'correct its delay', table: 'flights', sql: `UPDATE flights SET delay = 16 WHERE id = ${id}` },
    { name: 'delete it', table: 'flights', sql: `DELETE FROM flights WHERE id = ${id}` },
    {
      name: 'insert 1,000',
      table: 'flights',
      sql: `INSERT INTO flights
            SELECT id + ${rows}, date + interval '1 year', delay, distance, origin, destination
            FROM flights WHERE id BETWEEN 1 AND 1000`,
    },
    { name: 'correct 1,000', table: 'flights', sql: `UPDATE flights SET delay = delay + 30 WHERE id > ${rows}` },
    { name: 'delete 1,000', table: 'flights', sql: `DELETE FROM flights WHERE id > ${rows}` },
    {
      name: 'move 1 airport',
      table: 'airports',
      sql: `UPDATE airports SET city = 'Truckee', state = 'CA' WHERE iata = 'RNO'`,
    },
    {
      name: 'move it back',
      table: 'airports',
      sql: `UPDATE airports SET city = 'Reno', state = 'NV' WHERE iata = 'RNO'`,
    },
  ]
}
