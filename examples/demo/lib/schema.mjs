// The tables of the demo and of the dashboard.

export const TABLES = `
  CREATE TABLE airports (
    iata text PRIMARY KEY, name text, city text, state text, country text,
    latitude double precision, longitude double precision);
  CREATE TABLE flights (
    id int PRIMARY KEY, date timestamp NOT NULL, delay int NOT NULL, distance int NOT NULL,
    origin text NOT NULL, destination text NOT NULL);`

/** Maintenance uses these: to find the flights of an airport, and the longest delay. */
export const INDEXES = `
  CREATE INDEX ON flights (origin, delay);
  CREATE INDEX ON flights (destination);
  CREATE INDEX ON flights (delay);`
