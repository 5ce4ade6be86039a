import { TABLES } from '@pgtrickle/demo/lib/schema.mjs'
import type { Database } from './open'
import { STREAM_TABLES } from './stream-tables'

/** The number of flights to copy at once. Progress is shown after each batch. */
const BATCH = 10_000

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

/** Creates everything again. */
export async function startOver(pg: Database, name: string, rows: number, progress: Progress): Promise<void> {
  await navigator.locks.request(`set up ${name}`, () => load(pg, rows, progress))
}

/** The stream tables are created last, so everything exists when they do. */
async function isComplete(pg: Database): Promise<boolean> {
  const existing = (await pg.trickle.listStreamTables()).map((table) => table.name)
  return Object.keys(STREAM_TABLES).every((name) => existing.includes(name))
}

async function load(pg: Database, rows: number, progress: Progress): Promise<void> {
  progress('Fetching the flights', 0)
  const [airports, flights] = await Promise.all(['data/airports.csv', 'data/flights.csv'].map(fetchText))
  await pg.exec(`DROP TABLE IF EXISTS flights, airports CASCADE; ${TABLES}`)
  const copy = (table: string, options: string, csv: string) =>
    pg.query(`COPY ${table} FROM '/dev/blob' WITH (FORMAT csv${options})`, [], { blob: new Blob([csv]) })
  await copy('airports', ", HEADER, NULL 'NA'", airports ?? '')
  const lines = (flights ?? '').split('\n').slice(0, rows)
  for (let first = 0; first < lines.length; first += BATCH) {
    progress('Loading the flights', first / lines.length)
    await copy('flights', '', lines.slice(first, first + BATCH).join('\n') + '\n')
  }
  progress('Building indexes', 0.9)
  await pg.exec(INDEXES)
  await pg.exec('ANALYZE')
  for (const [name, query] of Object.entries(STREAM_TABLES)) {
    progress(`Creating the stream table ${name}`, 0.95)
    await pg.trickle.createStreamTable(name, query)
  }
}

async function fetchText(path: string): Promise<string> {
  const response = await fetch(new URL(path, document.baseURI))
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`)
  return response.text()
}
