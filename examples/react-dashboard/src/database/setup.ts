import type { Database } from './open'
import { STREAM_TABLES } from './stream-tables'

/** Flights that are copied at a time, so that progress can be shown. */
const BATCH = 10_000

const SCHEMA = `
  DROP TABLE IF EXISTS flights, airports CASCADE;
  CREATE TABLE airports (
    iata text PRIMARY KEY, name text, city text, state text, country text,
    latitude double precision, longitude double precision);
  CREATE TABLE flights (
    id int PRIMARY KEY, date timestamp NOT NULL, delay int NOT NULL, distance int NOT NULL,
    origin text NOT NULL, destination text NOT NULL);`

/** By these a change finds what it touches: flights of an airport, the greatest delay. */
const INDEXES = `
  CREATE INDEX ON flights (origin);
  CREATE INDEX ON flights (delay DESC, id);`

/** What is being done, and how much of it is done, from 0 to 1. */
export type Progress = (what: string, part: number) => void

/** Makes tables and stream tables, and loads the flights, unless that has been done. One tab does it, others wait. */
export async function setUp(pg: Database, name: string, rows: number, progress: Progress): Promise<void> {
  await navigator.locks.request(`set up ${name}`, async () => {
    progress('Opening the database', 0)
    if (await isComplete(pg)) return
    await load(pg, rows, progress)
  })
}

/** Makes everything anew. */
export async function startOver(pg: Database, name: string, rows: number, progress: Progress): Promise<void> {
  await navigator.locks.request(`set up ${name}`, () => load(pg, rows, progress))
}

/** The stream tables are made last. */
async function isComplete(pg: Database): Promise<boolean> {
  const made = (await pg.trickle.listStreamTables()).map((table) => table.name)
  return Object.keys(STREAM_TABLES).every((name) => made.includes(name))
}

async function load(pg: Database, rows: number, progress: Progress): Promise<void> {
  progress('Fetching the flights', 0)
  const [airports, flights] = await Promise.all(['data/airports.csv', 'data/flights.csv'].map(fetchText))
  await pg.exec(SCHEMA)
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
