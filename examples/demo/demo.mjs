// Stream tables over real flights: the cost of a change with them, without them, and when the query runs again.
//
//   npm run demo                  print everything as text
//   npm run demo -- --rows 20000  use fewer flights
//   npm run demo -- --json        print the figures as JSON on stdout (progress goes to stderr)
//
// Two databases in memory get the same flights and the same changes. One has stream tables; the other is a plain PGlite.
// After each kind of change, the demo's own SQL compares the stream table with its query.

import { parseArgs } from 'node:util'
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import { environment } from '@pgtrickle/bench/lib/environment.mjs'
import { AVAILABLE_FLIGHTS, airportsCsv, flightBatches } from './lib/data.mjs'
import { createStreamTable, measureStreamTable, measureTogether } from './lib/measure.mjs'
import { progressBar } from './lib/progress.mjs'
import { printChanges, printEnd, printHeader, printStreamTable, printTogether } from './lib/report.mjs'
import { changesFor, STREAM_TABLES } from './lib/scenario.mjs'
import { INDEXES, TABLES } from './lib/schema.mjs'

const HELP = `Usage: npm run demo -- [options]
  --rows N    flights to load, 2000 to ${AVAILABLE_FLIGHTS} (200000)
  --rounds N  maximum of timed rounds (15); after 1.5 s none starts, except the first 3
  --json      print the figures as JSON on stdout
  --help`

const start = performance.now()
const options = readOptions()
const { rounds } = options
const withTables = await PGlite.create({ extensions: { trickle } })
const without = await PGlite.create()

const airports = await load([withTables, without])
const about = { ...(await environment(withTables)), flights: options.rows, airports }
if (!options.json) printHeader(about)

const changes = changesFor(options.rows)
const streamTables = []
for (const streamTable of STREAM_TABLES) {
  const created = await createStreamTable({ withTables, streamTable })
  if (options.json) console.error(`Measuring ${created.name}`)
  else printStreamTable(created)
  const relevant = changes.filter(({ table }) => created.sources.includes(`public.${table}`))
  const measured = await measureStreamTable({ withTables, without, streamTable, changes: relevant, rounds })
  streamTables.push({ ...created, ...measured })
  if (!options.json) printChanges(measured)
  await withTables.trickle.dropStreamTable(created.name)
}

const incremental = STREAM_TABLES.filter((_, index) => streamTables[index].way !== 'rebuild')
if (options.json) console.error(`Measuring ${incremental.length} at once`)
const together = await measureTogether({ withTables, without, streamTables: incremental, changes, rounds })
const seconds = (performance.now() - start) / 1000
const lines = [...streamTables.flatMap((result) => result.changes), ...together.changes]
const equal = lines.every((line) => line.equal)
const comparisons = lines.length + together.changes.length * (incremental.length - 1)
if (options.json) {
  console.log(JSON.stringify({ environment: about, streamTables, together, equal, seconds }, null, 2))
} else {
  printTogether(together)
  printEnd({ equal, comparisons, seconds })
}

await withTables.close()
await without.close()
process.exitCode = equal ? 0 : 1

/** Creates the same tables in every database and fills them. Returns the number of airports. */
async function load(databases) {
  const bar = progressBar('Loading flights', options.rows)
  const csv = new Blob([airportsCsv()])
  for (const pg of databases) {
    await pg.exec(TABLES)
    await pg.query("COPY airports FROM '/dev/blob' WITH (FORMAT csv, HEADER, NULL 'NA')", [], { blob: csv })
  }
  for await (const { csv, count } of flightBatches(options.rows)) {
    const blob = new Blob([csv])
    for (const pg of databases) await pg.query("COPY flights FROM '/dev/blob' WITH (FORMAT csv)", [], { blob })
    bar.advance(count)
  }
  for (const pg of databases) {
    await pg.exec(INDEXES)
    await pg.exec('VACUUM ANALYZE')
  }
  bar.stop()
  const { rows } = await without.query('SELECT count(*)::int AS count FROM airports')
  return rows[0].count
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        rows: { type: 'string', default: '200000' },
        rounds: { type: 'string', default: '15' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(HELP)
      process.exit(0)
    }
    return {
      rows: wholeNumber('rows', values.rows, 2000, AVAILABLE_FLIGHTS),
      rounds: wholeNumber('rounds', values.rounds, 1, 1000),
      json: values.json,
    }
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`)
    process.exit(2)
  }
}

function wholeNumber(name, text, least, most) {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`--${name}: "${text}" is not a whole number from ${least} to ${most}`)
  }
  return value
}
