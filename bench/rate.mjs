// How many writes a stream table can follow: changes of one row in a second, and rows in one statement that takes no more
// than 100 ms, by size of the tables.
//
//   node bench/rate.mjs [--sizes 1000,10000,100000,1000000] [--only window] [--json]
//
// Times are CPU time of the whole process, on which other load on the machine has less influence than on elapsed time.

import { parseArgs } from 'node:util'
import { open } from './lib/database.mjs'
import { environment } from './lib/environment.mjs'
import { printEnvironment } from './lib/report.mjs'
import { median } from './lib/stats.mjs'
import { cpuMilliseconds } from './lib/time.mjs'

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000,100000,1000000' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})

/** What a user still takes for at once. */
const LATENCY = 100
/** Changes of one row whose median is taken. */
const CHANGES = 40

const QUERIES = {
  'no stream table': undefined,
  filter: 'SELECT id, customer, amount FROM orders WHERE amount > 50',
  'GROUP BY': 'SELECT customer, count(*) AS n, sum(amount) AS s FROM orders GROUP BY customer',
  'join with GROUP BY':
    'SELECT c.region, count(*) AS n, sum(o.amount) AS s FROM orders o JOIN customer c ON c.id = o.customer GROUP BY c.region',
  window: 'SELECT id, rank() OVER (PARTITION BY customer ORDER BY amount, id) AS r FROM orders',
  'full refresh': 'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median FROM orders',
}

const figures = []
for (const size of options.sizes.split(',').map(Number)) {
  for (const [name, query] of Object.entries(QUERIES)) {
    if (options.only === undefined || name === options.only) figures.push(await measure(size, name, query))
  }
}

async function measure(size, name, query) {
  const pg = await open()
  if (figures.length === 0) {
    const machine = await environment(pg)
    if (!options.json) printEnvironment(machine)
    row('', 'rows', 'ms, one row', 'one-row writes/s', `rows in ${LATENCY} ms`)
  }
  await pg.exec(`
    CREATE TABLE customer (id int PRIMARY KEY, region int);
    CREATE TABLE orders (id int PRIMARY KEY, customer int, amount int);
    CREATE INDEX ON orders (customer);
    INSERT INTO customer SELECT n, n % 20 FROM generate_series(0, ${size / 10} - 1) n;
    INSERT INTO orders SELECT n, n % ${size / 10}, n % 100 FROM generate_series(1, ${size}) n`)
  if (query) await pg.trickle.createStreamTable('followed', query)
  const timed = (sql) => cpuMilliseconds(() => pg.exec(sql))
  const times = []
  const began = performance.now()
  for (let n = 0; n < CHANGES + 3 && performance.now() - began < 60_000; n++) {
    times.push(await timed(`UPDATE orders SET amount = (amount + 7) % 100 WHERE id = ${1 + ((n * 7919) % size)}`))
  }
  const one = median(times.length > 6 ? times.slice(3) : times)
  let most = 0
  for (let rows = 1; most < size && one < LATENCY; rows = Math.min(2 * rows, size)) {
    const statement = `UPDATE orders SET amount = (amount + 7) % 100 WHERE id <= ${rows}`
    // The first run of its kind is planned.
    const took = Math.min(await timed(statement), await timed(statement))
    if (took > LATENCY) break
    most = rows
  }
  await pg.close()
  const figure = { name, size, one, perSecond: 1000 / one, most }
  row(name, size, one.toFixed(2), Math.floor(figure.perSecond), most)
  return figure
}

function row(name, ...cells) {
  if (!options.json) console.log(name.padEnd(22) + cells.map((cell) => String(cell).padStart(18)).join(''))
}

if (options.json) console.log(JSON.stringify({ figures }, null, 2))
