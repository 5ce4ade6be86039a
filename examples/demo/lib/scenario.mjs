// What the demo shows: the stream tables, and the changes that all of them are put through.

/** `key` names the columns that tell one row of the result from another, for showing what a change did. */
export const STREAM_TABLES = [
  {
    name: 'routes',
    about: 'a join of three tables with aggregates',
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
    about: 'a global aggregate',
    key: [],
    query: `SELECT count(*) AS flights, sum(distance) AS miles, avg(delay) AS avg_delay,
       min(delay) AS earliest, max(delay) AS latest
FROM flights`,
  },
  {
    name: 'busy_airports',
    about: 'a join with GROUP BY and HAVING',
    key: ['iata'],
    query: `SELECT a.iata, a.city, count(*) AS departures, avg(f.delay) AS avg_delay
FROM flights f JOIN airports a ON a.iata = f.origin
GROUP BY a.iata, a.city
HAVING count(*) >= 100`,
  },
  {
    name: 'ranking',
    about: 'a window over an aggregate',
    key: ['origin'],
    query: `SELECT origin, count(*) AS departures,
       rank() OVER (ORDER BY count(*) DESC) AS place
FROM flights
GROUP BY origin`,
  },
]

/** The changes, for `rows` loaded flights. One after the other they leave the tables as they were. */
export function changesFor(rows) {
  const id = rows + 1
  return [
    {
      name: 'insert 1 flight',
      sql: `INSERT INTO flights VALUES (${id}, '2001-01-31 18:05', 1600, 2704, 'SFO', 'BOS')`,
    },
    { name: 'correct its delay', sql: `UPDATE flights SET delay = 16 WHERE id = ${id}` },
    { name: 'delete it', sql: `DELETE FROM flights WHERE id = ${id}` },
    {
      name: 'insert 1,000 flights',
      sql: `INSERT INTO flights
            SELECT id + ${rows}, date + interval '1 year', delay, distance, origin, destination
            FROM flights WHERE id BETWEEN 1 AND 1000`,
    },
    { name: 'correct 1,000 delays', sql: `UPDATE flights SET delay = delay + 30 WHERE id > ${rows}` },
    { name: 'delete 1,000 flights', sql: `DELETE FROM flights WHERE id > ${rows}` },
    { name: 'move 1 airport', sql: `UPDATE airports SET state = 'NV', city = 'Reno' WHERE iata = 'ACV'` },
    { name: 'and back', sql: `UPDATE airports SET state = 'CA', city = 'Arcata/Eureka' WHERE iata = 'ACV'` },
  ]
}
