// Real data from the npm package `vega-datasets`: three million flights in the United States, starting in January 2001
// (U.S. Bureau of Transportation Statistics, `flights-3m.parquet`, in order of departure), and the airports that they
// connect (`airports.csv`). The flights have no key, so their position in the file becomes one.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decompress } from 'fzstd'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'

export const AVAILABLE_FLIGHTS = 3_000_000

/** The number of flights to decode and copy at once. */
const BATCH = 10_000

/** The package exports only build/index.js. The data is in the folder next to that one. */
const folder = fileURLToPath(new URL('../data/', import.meta.resolve('vega-datasets')))

/** The airports as CSV, with a header line, and NA for unknown values. */
export function airportsCsv() {
  return readFileSync(join(folder, 'airports.csv'), 'utf8')
}

/** The first `rows` flights as CSV, in batches. */
export async function* flightBatches(rows) {
  const file = await asyncBufferFromFile(join(folder, 'flights-3m.parquet'))
  const compressors = { ZSTD: (input, length) => decompress(input, new Uint8Array(length)) }
  // Decoding starts at a row group, so a whole group is read and then split.
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
