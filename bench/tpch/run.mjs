// TPC-H: checks that stream tables over all 22 queries are correct after every statement, and compares the time of a
// one-row change with running the query again.
//
//   node bench/tpch/run.mjs [--scale 0.1] [--only q3,q18] [--no-verify] [--no-time] [--json]

import { parseArgs } from 'node:util'
import { differences } from '../lib/compare.mjs'
import { open } from '../lib/database.mjs'
import { CHANGES } from './changes.mjs'
import { QUERIES } from './queries.mjs'
import { printChanges, printQueries } from './report.mjs'
import { load } from './schema.mjs'
import { timeQuery } from './time.mjs'

const { values: options } = parseArgs({
  options: {
    scale: { type: 'string', default: '0.01' },
    only: { type: 'string' },
    verify: { type: 'boolean', default: true },
    time: { type: 'boolean', default: true },
    json: { type: 'boolean', default: false },
  },
  allowNegative: true,
})
const wanted = options.only?.split(',')
const queries = QUERIES.filter((query) => wanted?.includes(query.name) ?? true)
const progress = (text) => process.stderr.write(`${text}\n`)

const pg = await open()
await load(pg, Number(options.scale), progress)
const timed = options.time ? await time() : []
const checked = options.verify ? await verify() : []
if (options.json) console.log(JSON.stringify({ scale: options.scale, queries: timed, changes: checked }, null, 2))
const wrong = [
  ...timed.filter((query) => query.error || query.equal === false),
  ...checked.flatMap((change) => change.wrong),
]
if (wrong.length) process.exitCode = 1
await pg.close()

/** Times each query separately. */
async function time() {
  const results = []
  for (const query of queries) {
    progress(`timing ${query.name}`)
    const result = { name: query.name, table: query.table }
    try {
      Object.assign(result, await timeQuery(pg, query))
    } catch (error) {
      result.error = error.message
      await pg.exec('ROLLBACK').catch(() => {})
    }
    results.push(result)
  }
  if (!options.json) printQueries(results)
  return results
}

/** Checks all queries at once, while all tables change. */
async function verify() {
  const created = []
  const results = []
  for (const query of queries) {
    const start = performance.now()
    const failed = await attempt(() => pg.trickle.createStreamTable(query.name, query.sql))
    progress(`creating ${query.name}: ${failed ?? `${Math.round(performance.now() - start)} ms`}`)
    const rebuilt = failed ? null : await rebuilds(query.name)
    const wrong = failed ?? rebuilt
    results.push({ what: `create ${query.name}`, wrong: wrong ? [{ query: query.name, error: wrong }] : [] })
    if (!failed) created.push(query)
  }
  for (const [what, sql] of CHANGES) {
    const start = performance.now()
    const error = await attempt(() => pg.query(sql))
    const ms = performance.now() - start
    const wrong = error ? [{ query: 'statement', error }] : await wrongQueries(created)
    // An error must not be counted again after the next statement.
    for (const { query } of wrong) await attempt(() => pg.trickle.refreshStreamTable(query))
    progress(`${what}: ${ms.toFixed(0)} ms${wrong.map(({ query, error }) => `\n  ${query}: ${error}`).join('')}`)
    results.push({ what, ms, wrong })
  }
  if (!options.json) printChanges(results)
  return results
}

/** Returns the reason if a stage is rebuilt after each change. */
async function rebuilds(name) {
  const { stages } = await pg.trickle.explainStreamTable(name)
  return stages.find((stage) => stage.way === 'rebuild')?.reason ?? null
}

async function wrongQueries(list) {
  const wrong = []
  for (const { name, sql } of list) {
    const error = await attempt(async () => {
      const { missing, extra } = await differences(pg, name, sql)
      if (missing || extra) throw new Error(`${missing} missing, ${extra} extra`)
    })
    if (error) wrong.push({ query: name, error })
  }
  return wrong
}

async function attempt(work) {
  try {
    await work()
    return null
  } catch (error) {
    return error.message
  }
}
