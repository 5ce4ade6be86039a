// Real data from npm's `vega-datasets`: three million flights in the United States from January 2001 on (U.S. Bureau
// of Transportation Statistics, `flights-3m.parquet`, in order of departure) and the airports they connect
// (`airports.csv`). The flights have no key of their own, so their place in the file becomes one.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decompress } from 'fzstd'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'

export const AVAILABLE_FLIGHTS = 3_000_000

/** Flights decoded and copied at a time. */
const BATCH = 10_000

export const SCHEMA = `
  CREATE TABLE airports (
    iata text PRIMARY KEY, name text, city text, state text, country text,
    latitude double precision, longitude double precision);
  CREATE TABLE flights (
    id int PRIMARY KEY, date timestamp NOT NULL, delay int NOT NULL, distance int NOT NULL,
    origin text NOT NULL, destination text NOT NULL);`

/** By these the changes find the rows they touch: flights of an airport, the greatest delay. */
export const INDEXES = `
  CREATE INDEX ON flights (origin, delay);
  CREATE INDEX ON flights (destination);
  CREATE INDEX ON flights (delay);`

/** The package exports its entry build/index.js only; the data lies in the folder beside it. */
const folder = fileURLToPath(new URL('../data/', import.meta.resolve('vega-datasets')))

/** The airports, with a header line and NA for what is not known. */
export function airportsCsv() {
  return readFileSync(join(folder, 'airports.csv'), 'utf8')
}

/** The first `rows` flights as CSV of the table's columns, a batch at a time. */
export async function* flightBatches(rows) {
  const file = await asyncBufferFromFile(join(folder, 'flights-3m.parquet'))
  const compressors = { ZSTD: (input, length) => decompress(input, new Uint8Array(length)) }
  // Decoding starts at a row group, so whole ones are read and then cut.
  const group = Math.ceil(AVAILABLE_FLIGHTS / 11)
  for (let start = 0; start < rows; start += group) {
    const flights = await parquetReadObjects({
      file,
      compressors,
      rowStart: start,
      rowEnd: Math.min(start + group, rows),
    })
    for (let first = 0; first < flights.length; first += BATCH) {
      const lines = flights
        .slice(first, first + BATCH)
        .map(({ date, delay, distance, origin, destination }, index) =>
          [start + first + index + 1, date.toISOString().slice(0, 19), delay, distance, origin, destination].join(','),
        )
      yield { csv: lines.join('\n') + '\n', count: lines.length }
    }
  }
}
