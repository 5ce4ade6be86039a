/** The stream tables of the dashboard, and the types of their rows. A later one may read an earlier one. */

/** A join with aggregates: how punctual the flights of each airport are. */
export interface Airport {
  iata: string
  name: string
  state: string
  flights: number
  late: number
  delay: number
}

export const AIRPORTS_QUERY = `SELECT a.iata, a.name || ', ' || a.city AS name, a.state, count(*)::int AS flights,
  count(*) FILTER (WHERE f.delay > 15)::int AS late, avg(f.delay)::float8 AS delay
FROM flights f JOIN airports a ON a.iata = f.origin
GROUP BY a.iata, a.name, a.city, a.state`

/** A window function over that: the rank of each airport within its state. */
export interface Place {
  iata: string
  state: string
  place: number
  among: number
}

/** ORDER BY with LIMIT: the longest delays. */
export interface Latest {
  id: number
  date: Date
  origin: string
  destination: string
  delay: number
}

/** Aggregates by hour: all flights, and the late ones. */
export interface Hour {
  hour: Date
  flights: number
  late: number
}

/** Aggregates over the whole table: always one row. Sums and averages of no flights are NULL. */
export interface Total {
  flights: number
  late: number
  miles: string | null
  delay: number | null
}

/** A join that keeps all rows: the flights with the cities. It is made when its list is first opened. */
export interface Listed {
  id: number
  date: Date
  origin: string
  origin_city: string
  destination: string
  destination_city: string
  distance: number
  delay: number
}

export const FLIGHT_LIST = `SELECT f.id, f.date, f.origin, o.city AS origin_city, f.destination, d.city AS destination_city,
  f.distance, f.delay
FROM flights f JOIN airports o ON o.iata = f.origin JOIN airports d ON d.iata = f.destination`

export const STREAM_TABLES: Record<string, string> = {
  airport_delays: AIRPORTS_QUERY,
  airport_places: `SELECT iata, state, rank() OVER (PARTITION BY state ORDER BY delay)::int AS place,
    count(*) OVER (PARTITION BY state)::int AS among
  FROM airport_delays`,
  latest_flights: `SELECT id, date, origin, destination, delay FROM flights ORDER BY delay DESC, id LIMIT 8`,
  hours: `SELECT date_trunc('hour', date) AS hour, count(*)::int AS flights,
    count(*) FILTER (WHERE delay > 15)::int AS late
  FROM flights GROUP BY 1`,
  totals: `SELECT count(*)::int AS flights, count(*) FILTER (WHERE delay > 15)::int AS late,
    sum(distance) AS miles, avg(delay)::float8 AS delay
  FROM flights`,
}
