// What a feed costs: changes of one row and of many, with and without one, where nothing else follows the stream table, and
// where a subscriber does; how long a reader takes for what is kept; and what a kept change takes on disk.
//
//   node bench/feed.mjs [--rows 10000] [--rounds 40] [--json]
//
// Times are CPU time of the whole process, on which other load on the machine has less influence than on elapsed time. What is
// compared takes turns, so that it meets the same load.

import { parseArgs } from 'node:util'
import { open } from './lib/database.mjs'
import { environment } from './lib/environment.mjs'
import { printEnvironment } from './lib/report.mjs'
import { median } from './lib/stats.mjs'
import { cpuMilliseconds } from './lib/time.mjs'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
})
const rows = Number(options.rows)
const rounds = Number(options.rounds)

/** Transactions that are sent at once, so that the time is that of the database and not of the calls. */
const BATCH = 50
const WARM_UP = 20

const GROUPS = 'SELECT customer, count(*) AS n, sum(amount) AS s FROM orders GROUP BY customer'
const FILTER = 'SELECT id, customer, amount FROM orders WHERE amount > 50'

/** What a stream table has, by name. What is to be ended before the database is closed has an `end`. */
const VARIANTS = {
  'no feed': () => undefined,
  'a feed, 10,000 changes': (pg) => pg.trickle.keepChanges('followed'),
  'a subscriber': (pg) => pg.trickle.subscribe('followed', () => undefined),
  'a feed and a reader': async (pg) => {
    // The reader takes turns with the writer here, and comes late.
    await pg.trickle.keepChanges('followed', { retain: null })
    const ends = new AbortController()
    const reader = read(pg, ends.signal)
    const end = async () => {
      ends.abort()
      await reader
    }
    return { end }
  },
}

async function read(pg, signal) {
  for await (const change of pg.trickle.changes('followed', { signal })) void change
}

const queries = { 'GROUP BY': GROUPS, filter: FILTER }
const figures = { writes: [], reading: [] }
let hasPrinted = false

for (const [name, query] of Object.entries(queries)) {
  const databases = []
  for (const [variant, prepare] of Object.entries(VARIANTS)) {
    const pg = await filled(query)
    databases.push({ variant, pg, one: [], many: [], prepared: await prepare(pg) })
  }
  // The first run of each kind is planned, and V8 compiles the code again that runs often.
  for (let n = 0; n < rounds + WARM_UP; n++) {
    for (const each of turned(databases, n)) {
      each.one.push((await cpuMilliseconds(() => each.pg.exec(transactions(n)))) / BATCH)
      each.many.push(await cpuMilliseconds(() => each.pg.exec(changeOf(n, 1000))))
    }
  }
  for (const { variant, pg, one, many, prepared } of databases) {
    figures.writes.push({
      query: name,
      variant,
      one: median(one.slice(WARM_UP)),
      thousand: median(many.slice(WARM_UP)),
    })
    await prepared?.end?.()
    await pg.close()
  }
}
figures.reading = await reading()
report()

async function filled(query) {
  const pg = await open()
  if (!hasPrinted && !options.json) printEnvironment(await environment(pg))
  hasPrinted = true
  await pg.exec(`
    CREATE TABLE orders (id int PRIMARY KEY, customer int, amount int);
    CREATE INDEX ON orders (customer);
    INSERT INTO orders SELECT n, n % ${Math.max(1, rows / 10)}, n % 100 FROM generate_series(1, ${rows}) n`)
  await pg.trickle.createStreamTable('followed', query)
  return pg
}

/** The same list, but each time another one comes first. */
function turned(list, n) {
  return list.map((_, place) => list[(place + n) % list.length])
}

/** Transactions of one change each. */
function transactions(n) {
  return Array.from({ length: BATCH }, (_, place) => `BEGIN; ${changeOf(n * BATCH + place, 1)}; COMMIT`).join(';')
}

/** An UPDATE of so many rows, each of which changes the stream tables. */
function changeOf(n, count) {
  const first = 1 + ((n * 7919) % Math.max(1, rows - count))
  return `UPDATE orders SET amount = 51 + (amount + 7) % 49 WHERE id BETWEEN ${first} AND ${first + count - 1}`
}

/** Reading what is kept, in pages, and what it takes on disk. */
async function reading() {
  const pg = await filled(GROUPS)
  const after = await pg.trickle.keepChanges('followed', { retain: null })
  for (let n = 0; n < 20; n++) await pg.exec(changeOf(n * 31, 1000))
  const [{ count, bytes }] = (
    await pg.query(`SELECT count(*)::int AS count, pg_total_relation_size('pgtrickle.change')::int AS bytes
      FROM pgtrickle.change`)
  ).rows
  const times = {}
  for (const max of [100, 500, 5000]) {
    times[max] = await cpuMilliseconds(async () => {
      for (let at = after; ;) {
        const page = (
          await pg.query(`SELECT seq, op, key, old, row FROM pgtrickle.changes('followed', $1, $2)`, [at, max])
        ).rows
        if (page.length < max) return
        at = page.at(-1).seq
      }
    })
  }
  const inJavaScript = await cpuMilliseconds(async () => {
    let left = count
    for await (const change of pg.trickle.changes('followed', { after })) {
      void change
      if (--left === 0) return
    }
  })
  const snapshot = await cpuMilliseconds(() =>
    pg.query("SELECT * FROM pgtrickle.changes('followed', snapshot => true)"),
  )
  await pg.close()
  return { count, bytesPerChange: bytes / count, times, inJavaScript, snapshot }
}

function report() {
  if (options.json) {
    console.log(JSON.stringify(figures, undefined, 2))
    return
  }
  const line = (...cells) => console.log(cells.map((cell, n) => String(cell).padEnd(n < 2 ? 26 : 16)).join(''))
  line('stream table', 'has', 'µs, one row', 'ms, 1,000 rows')
  for (const { query, variant, one, thousand } of figures.writes)
    line(query, variant, (1000 * one).toFixed(0), thousand.toFixed(1))
  const { count, bytesPerChange, times, inJavaScript, snapshot } = figures.reading
  console.log(`\n${count} changes kept, ${bytesPerChange.toFixed(0)} bytes each with their index`)
  for (const [max, time] of Object.entries(times)) {
    console.log(`read in SQL, ${max} at a time: ${((1000 * time) / count).toFixed(1)} µs per change`)
  }
  console.log(`read by pg.trickle.changes: ${((1000 * inJavaScript) / count).toFixed(1)} µs per change`)
  console.log(`snapshot of ${rows / 10} rows: ${snapshot.toFixed(1)} ms`)
}
