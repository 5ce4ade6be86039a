import { TABLES } from '@pgtrickle/demo/lib/schema.mjs'
import type { Database } from './open'
import { STREAM_TABLES } from './stream-tables'

/** The number of flights to copy at once. Progress is shown after each batch. */
const BATCH = 10_000

/** The part of the work that is done when all flights are loaded. */
const LOADED = 0.7

/** Maintenance uses these: to find the flights of an airport, and the longest delays. */
const INDEXES = `
  CREATE INDEX ON flights (origin);
  CREATE INDEX ON flights (delay DESC, id);`

/** Reports the current step, and the completed part of it from 0 to 1. */
export type Progress = (what: string, part: number) => void

/** Creates tables and stream tables and loads the flights, unless that is done. One tab does it while others wait. */
export async function setUp(pg: Database, name: string, rows: number, progress: Progress): Promise<void> {
  await navigator.locks.request(`set up ${name}`, async () => {
    progress('Opening the database', 0)
    if (await isComplete(pg)) return
    await load(pg, rows, progress)
  })
}

/**
 * Replaces the flights by those of the start. The stream tables stay, in all tabs, and follow: one transaction is one
 * change.
 */
export async function startOver(pg: Database, name: string, rows: number, progress: Progress): Promise<void> {
  await navigator.locks.request(`set up ${name}`, async () => {
    progress('Fetching the flights', 0.1)
    const files = await Promise.all(fileNumbers(rows).map((n) => fetchFlights(n, rows)))
    progress('Loading the flights', 0.3)
    await pg.transaction(async (tx) => {
      await tx.exec('TRUNCATE flights')
      for (const lines of files) await copy(tx, 'flights', '', lines)
    })
  })
}

/** The stream tables are created last, so everything exists when they do. */
async function isComplete(pg: Database): Promise<boolean> {
  const existing = (await pg.trickle.listStreamTables()).map((table) => table.name)
  return Object.keys(STREAM_TABLES).every((name) => existing.includes(name))
}

async function load(pg: Database, rows: number, progress: Progress): Promise<void> {
  progress('Fetching the flights', 0)
  const airports = await fetchText('data/airports.csv')
  await pg.exec(`DROP TABLE IF EXISTS flights, airports CASCADE; ${TABLES}`)
  await copy(pg, 'airports', ", HEADER, NULL 'NA'", [airports])
  for (const n of fileNumbers(rows)) {
    const lines = await fetchFlights(n, rows)
    for (let first = 0; first < lines.length; first += BATCH) {
      progress('Loading the flights', (LOADED * (n * FLIGHTS_IN_FILE + first)) / rows)
      await copy(pg, 'flights', '', lines.slice(first, first + BATCH))
    }
  }
  progress('Building indexes', LOADED)
  await pg.exec(INDEXES)
  await pg.exec('ANALYZE')
  const names = Object.entries(STREAM_TABLES)
  for (const [n, [name, query]] of names.entries()) {
    progress(`Creating the stream table ${name}`, LOADED + ((1 - LOADED) * (n + 1)) / (names.length + 1))
    await pg.trickle.createStreamTable(name, query)
  }
}

async function copy(pg: Pick<Database, 'query'>, table: string, options: string, lines: string[]): Promise<void> {
  const blob = new Blob([lines.join('\n')])
  await pg.query(`COPY ${table} FROM '/dev/blob' WITH (FORMAT csv${options})`, [], { blob })
}

/** The files that have the first flights. */
const fileNumbers = (rows: number) => Array.from({ length: Math.ceil(rows / FLIGHTS_IN_FILE) }, (_, n) => n)

/** Those of the first flights that are in one file. */
async function fetchFlights(file: number, rows: number): Promise<string[]> {
  const wanted = Math.min(rows - file * FLIGHTS_IN_FILE, FLIGHTS_IN_FILE)
  return wanted <= 0 ? [] : (await fetchText(`data/flights-${file}.csv`)).split('\n').slice(0, wanted)
}

async function fetchText(path: string): Promise<string> {
  try {
    const response = await fetch(new URL(path, document.baseURI))
    if (response.ok) return await response.text()
    throw new Error(`${response.status} ${response.statusText}`)
  } catch (error) {
    throw new Error(`The file ${path} cannot be loaded. ${String(error)}`, { cause: error })
  }
}
