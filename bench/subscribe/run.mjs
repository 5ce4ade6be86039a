// From a one-row change to the callback that tells it: `subscribe`, PGlite's `live.incrementalQuery` and `live.changes`, and
// TanStack DB in memory. The same view everywhere: count and sum by group, of tables of several sizes.
//
//   node bench/subscribe.mjs [--sizes 1000,10000,100000,1000000] [--rounds 9] [--groups 100] [--json]
//
// All of them are open at the same time, on tables of their own, and take turns: what slows the machine slows all.

import { parseArgs } from 'node:util'
import { count, createCollection, createLiveQueryCollection, localOnlyCollectionOptions, sum } from '@tanstack/db'
import { open } from './lib/database.mjs'
import { environment } from './lib/environment.mjs'
import { median, summary } from './lib/stats.mjs'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000,100000,1000000' },
    rounds: { type: 'string', default: '9' },
    groups: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
})
const sizes = values.sizes.split(',').map(Number)
const rounds = Number(values.rounds)
const groups = Number(values.groups)

/** Changes of one row in a round, by how long one may take. */
const SAMPLES = { subscribe: 20, 'live.incrementalQuery': 3, 'live.changes': 3, '@tanstack/db': 20 }
/** The most rows, where more take many minutes to be loaded. */
const MOST = { '@tanstack/db': 100_000 }
const WARMUP = 2
const GOAL = { ratio: 50, at: 100_000, growth: 1.3 }

const query = (table) => `SELECT shop, count(*) AS n, sum(amount) AS total FROM ${table} GROUP BY shop`

/** Waits for callbacks: `next()` is the time at which the next one comes. */
function ear() {
  let heard = () => {}
  return {
    hear: () => heard(performance.now()),
    next: () => new Promise((resolve) => (heard = resolve)),
  }
}

/** A table with `size` rows, and how a row of it is changed. */
async function table(pg, name, size) {
  await pg.exec(`
    CREATE TABLE ${name} (id int PRIMARY KEY, shop int NOT NULL, amount int NOT NULL);
    INSERT INTO ${name} SELECT g, g % ${groups}, g % 97 FROM generate_series(1, ${size}) AS g;`)
  return (n) => pg.query(`UPDATE ${name} SET amount = amount + 1 WHERE id = $1`, [1 + ((n * 997) % size)])
}

/** The contenders: each opens what it follows `size` rows with, and gives `change`, which makes one. */
const CONTENDERS = {
  async subscribe(pg, size) {
    const change = await table(pg, `s${size}`, size)
    await pg.trickle.createStreamTable(`t${size}`, query(`s${size}`))
    const { hear, next } = ear()
    await pg.trickle.subscribe(`t${size}`, hear)
    return { change, next }
  },
  async 'live.incrementalQuery'(pg, size) {
    const change = await table(pg, `i${size}`, size)
    const { hear, next } = ear()
    await pg.live.incrementalQuery(query(`i${size}`), [], 'shop', hear)
    return { change, next }
  },
  async 'live.changes'(pg, size) {
    const change = await table(pg, `c${size}`, size)
    const { hear, next } = ear()
    await pg.live.changes(query(`c${size}`), [], 'shop', hear)
    return { change, next }
  },
  async '@tanstack/db'(_, size) {
    const initialData = Array.from({ length: size }, (_, g) => ({ id: g + 1, shop: (g + 1) % groups, amount: g % 97 }))
    const rows = createCollection(localOnlyCollectionOptions({ getKey: (row) => row.id, initialData }))
    const totals = createLiveQueryCollection((q) =>
      q
        .from({ row: rows })
        .groupBy(({ row }) => row.shop)
        .select(({ row }) => ({ shop: row.shop, n: count(row.id), total: sum(row.amount) })),
    )
    await totals.preload()
    const { hear, next } = ear()
    totals.subscribeChanges(hear)
    const change = (n) => {
      rows.update(1 + ((n * 997) % size), (row) => {
        row.amount += 1
      })
    }
    return { change, next }
  },
}

function progress(text) {
  process.stderr.write(`${text}\n`)
}

const pg = await open()
const lines = []
for (const size of sizes) {
  for (const [name, start] of Object.entries(CONTENDERS)) {
    if (size > (MOST[name] ?? Infinity)) continue
    progress(`${name}: ${size.toLocaleString('en-US')} rows`)
    lines.push({ name, size, ...(await start(pg, size)), times: [], cpu: [], made: 0 })
  }
}
await pg.exec('VACUUM ANALYZE')
for (let round = -WARMUP; round < rounds; round++) {
  progress(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`)
  for (const line of lines) {
    for (let sample = 0; sample < SAMPLES[line.name]; sample++) {
      const heard = line.next()
      const cpu = process.cpuUsage()
      const start = performance.now()
      await line.change(++line.made)
      const time = (await heard) - start
      const { user, system } = process.cpuUsage(cpu)
      if (round < 0) continue
      line.times.push(time)
      line.cpu.push((user + system) / 1000)
    }
  }
}
const wrong = await wrongResults(pg)
const result = {
  environment: { ...(await environment(pg)), groups, rounds },
  lines: lines.map(({ name, size, times, cpu }) => ({ name, size, ...summary(times), cpu: median(cpu) })),
}
const of = (name, size) => result.lines.find((line) => line.name === name && line.size === size)?.median
result.ratios = Object.fromEntries(
  Object.keys(CONTENDERS)
    .filter((name) => name !== 'subscribe')
    .map((name) => [name, ratiosOf(name)]),
)
/** How many times as long as `subscribe` it takes, by size. */
function ratiosOf(name) {
  const measured = sizes.filter((size) => of(name, size) !== undefined)
  return Object.fromEntries(measured.map((size) => [size, of(name, size) / of('subscribe', size)]))
}
result.growth = of('subscribe', Math.max(...sizes)) / of('subscribe', Math.min(...sizes))
await pg.close()
if (values.json) console.log(JSON.stringify(result, null, 2))
else print(result)
if (wrong.length > 0) {
  console.error(`not equal to its query: ${wrong.join(', ')}`)
  process.exitCode = 1
}

/** The stream tables that are not right after all this. */
async function wrongResults(pg) {
  const wrong = []
  for (const size of sizes) {
    const { ok } = await pg.trickle.verifyStreamTable(`t${size}`)
    if (!ok) wrong.push(`t${size}`)
  }
  return wrong
}

function print({ environment: on, lines, ratios, growth }) {
  console.log(
    `PGlite ${on.pglite}, Node ${on.node}, ${on.cpu}, ${on.cores} cores; medians, ms from change to callback (CPU)\n`,
  )
  const cell = (text) => String(text).padStart(20)
  console.log(['rows'.padEnd(24), ...sizes.map((size) => cell(size.toLocaleString('en-US')))].join(''))
  for (const name of Object.keys(CONTENDERS)) {
    const cells = lines
      .filter((line) => line.name === name)
      .map(({ median, cpu }) => cell(`${median.toFixed(2)} (${cpu.toFixed(2)})`))
    console.log([name.padEnd(24), ...cells].join(''))
  }
  for (const [name, bySize] of Object.entries(ratios)) {
    console.log(
      [
        `${name} : subscribe`.padEnd(24),
        ...sizes.map((size) => cell(bySize[size] === undefined ? '' : `${bySize[size].toFixed(1)} x`)),
      ].join(''),
    )
  }
  const reached = ratios['live.incrementalQuery'][GOAL.at]
  if (reached !== undefined) {
    console.log(`\ngoal: live.incrementalQuery at ${GOAL.at} rows at least ${GOAL.ratio} x: ${reached.toFixed(1)} x`)
  }
  console.log(`goal: largest to smallest at most ${GOAL.growth} x: ${growth.toFixed(2)} x`)
}
