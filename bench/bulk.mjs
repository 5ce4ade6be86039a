// What a bulk load costs under a stream table: loading many rows in one statement with the stream table there, against
// loading them and then creating it. Both from an empty table, beside full ones.
//
//   node bench/bulk.mjs [--rows 100000] [--only 'left join'] [--json]
//
// Times are processor time of the whole process, which other load on the machine disturbs less than the clock.

import { parseArgs } from 'node:util'
import { open } from './lib/database.mjs'
import { OPERATORS, tables } from './lib/operators.mjs'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
/** A load is to cost at most this times loading and creating. */
const LIMIT = 1.5
const rows = Number(options.rows)
const cases = OPERATORS.filter(([, name]) => !options.only || name === options.only)

const results = []
const pg = await open()
await pg.exec(tables(rows))
for (const name of ['t', 'u', 'v', 'edge']) {
  await pg.exec(`CREATE TABLE all_${name} AS TABLE ${name}; ANALYZE all_${name}`)
}
for (const [number, name, query] of cases) {
  const result = { number, name }
  try {
    // The table that is loaded is the first that the query reads; the others are full.
    const [, loaded] = /\bFROM (t|u|v|edge)\b/.exec(query) ?? [null, 't']
    Object.assign(result, { loaded, ...(await measure(loaded, query)) })
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
    `\nMilliseconds of processor time: loading ${rows} rows, creating the stream table after that, and loading under it.`,
  )
  console.log(`${results.length - slow.length} of ${results.length} cost at most ${LIMIT} times load + create`)
}
if (slow.length) process.exitCode = 1

async function measure(loaded, query) {
  const fill = `INSERT INTO ${loaded} SELECT * FROM all_${loaded}`
  const create = () => pg.trickle.createStreamTable('st', query)
  await emptied(loaded)
  // The first run of each statement warms code and memory.
  await pg.exec(fill)
  await emptied(loaded)
  const load = await time(() => pg.exec(fill))
  const created = await time(create)
  const ways = (await pg.trickle.explainStreamTable('st')).stages.map((stage) => stage.way).join(' ')
  await pg.trickle.dropStreamTable('st')
  await emptied(loaded)
  await create()
  const under = await time(() => pg.exec(fill))
  const { ok } = await pg.trickle.verifyStreamTable('st')
  await pg.trickle.dropStreamTable('st')
  if (!ok) throw new Error('not equal to its query')
  return { ways, load, create: created, under, ratio: under / (load + created) }
}

async function emptied(table) {
  await pg.exec(`TRUNCATE ${table}`)
}

async function time(run) {
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function line({ number, name, loaded, ways, load, create, under, ratio, error }) {
  const head = `${String(number).padStart(2)} ${name.padEnd(20)}`
  if (error) return `${head} ERROR ${error}`
  const [a, b, c] = [load, create, under].map((ms) => ms.toFixed(0).padStart(6))
  return `${head} ${loaded.padEnd(4)} ${a} ${b} ${c} ${ratio.toFixed(2).padStart(6)} ${ratio > LIMIT ? 'SLOW' : 'ok  '} ${ways}`
}
