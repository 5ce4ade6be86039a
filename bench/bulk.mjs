// The cost of a bulk load under a stream table: one statement loads many rows while the stream table exists, compared with
// loading them first and creating it afterwards. The table starts empty or with a share of its rows; the others are full.
//
//   node bench/bulk.mjs [--rows 100000] [--held 0.5] [--load u] [--only 'left join'] [--rounds 3] [--json]
//
// The loaded table is the first one that the query reads. With --load it is the named one, and only queries over it run.
//
// Times are CPU time of the whole process, on which other load on the machine has less influence than on elapsed time.

import { parseArgs } from 'node:util'
import { open } from './lib/database.mjs'
import { OPERATORS, tables } from './lib/operators.mjs'
import { cpuMilliseconds } from './lib/time.mjs'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    held: { type: 'string', default: '0' },
    load: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
/** A load may cost at most this many times as much as loading and creating. */
const LIMIT = 1.5
const rows = Number(options.rows)
const share = Number(options.held)
const rounds = Number(options.rounds)
const reads = (query, table) => new RegExp(`\\b(FROM|JOIN|,) ?${table}\\b`).test(query)
const cases = OPERATORS.filter(
  ([, name, query]) => (!options.only || name === options.only) && (!options.load || reads(query, options.load)),
)

const results = []
const counts = {}
const pg = await open()
await pg.exec(tables(rows))
for (const name of ['t', 'u', 'v', 'edge']) {
  await pg.exec(`CREATE TABLE all_${name} AS TABLE ${name}; ANALYZE all_${name}`)
  counts[name] = (await pg.query(`SELECT count(*)::int AS n FROM ${name}`)).rows[0].n
}
for (const [number, name, query] of cases) {
  const result = { number, name }
  try {
    // The other tables keep all of their rows.
    const loaded = options.load ?? /\bFROM (t|u|v|edge)\b/.exec(query)?.[1] ?? 't'
    const measured = []
    for (let round = 0; round < rounds; round++) measured.push(await measure(loaded, query))
    measured.sort((a, b) => a.ratio - b.ratio)
    Object.assign(result, { loaded, ...measured[rounds >> 1] })
  } catch (error) {
    result.error = error.message
  }
  results.push(result)
  if (!options.json) console.log(line(result))
}
await pg.close()
const slow = results.filter((result) => result.error || result.ratio > LIMIT)
if (options.json) console.log(JSON.stringify(results, null, 2))
else {
  console.log(
    `\nMilliseconds of CPU time: loading ${rows} rows${share ? `, ${share * 100} % of which exist before` : ''}, then creating the stream table, and loading under it.`,
  )
  console.log(`${results.length - slow.length} of ${results.length} cost at most ${LIMIT} times load + create`)
}
if (slow.length) process.exitCode = 1

async function measure(loaded, query) {
  const held = Math.round(counts[loaded] * share)
  const fill = `INSERT INTO ${loaded} SELECT * FROM all_${loaded} OFFSET ${held}`
  const create = () => pg.trickle.createStreamTable('st', query)
  await reset(loaded, held)
  // The first run only warms up code and memory.
  await pg.exec(fill)
  await reset(loaded, held)
  const load = await cpuMilliseconds(() => pg.exec(fill))
  const created = await cpuMilliseconds(create)
  const ways = (await pg.trickle.explainStreamTable('st')).stages.map((stage) => stage.way).join(' ')
  await pg.trickle.dropStreamTable('st')
  await reset(loaded, held)
  await create()
  const under = await cpuMilliseconds(() => pg.exec(fill))
  const { ok } = await pg.trickle.verifyStreamTable('st')
  await pg.trickle.dropStreamTable('st')
  if (!ok) throw new Error('the stream table does not equal its query')
  return { ways, load, create: created, under, ratio: under / (load + created) }
}

async function reset(table, held) {
  await pg.exec(`TRUNCATE ${table}; INSERT INTO ${table} SELECT * FROM all_${table} LIMIT ${held}`)
}

function line({ number, name, loaded, ways, load, create, under, ratio, error }) {
  const head = `${String(number).padStart(2)} ${name.padEnd(20)}`
  if (error) return `${head} ERROR ${error}`
  const [a, b, c] = [load, create, under].map((ms) => ms.toFixed(0).padStart(6))
  return `${head} ${loaded.padEnd(4)} ${a} ${b} ${c} ${ratio.toFixed(2).padStart(6)} ${ratio > LIMIT ? 'SLOW' : 'ok  '} ${ways}`
}
