// Tuples that the maintenance of a one-row change reads, by operator, for small and large tables: where an operator is
// maintained incrementally the number does not grow.
//
//   node bench/tuples.mjs [--small 10000] [--large 160000] [--only 'left join'] [--all] [--json]

import { parseArgs } from 'node:util'
import { open } from './lib/database.mjs'
import { CHANGES, OPERATORS, tables } from './lib/operators.mjs'

const { values: options } = parseArgs({
  options: {
    small: { type: 'string', default: '10000' },
    large: { type: 'string', default: '160000' },
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
/** Growth that a deeper index or a spread of values explains. */
const SLACK = 1.5
const SPARE = 40

// The counters are those of the transaction; what a session does not send they still hold.
const READ = `SELECT relname::text AS name, seq_tup_read::int AS seq, coalesce(idx_tup_fetch, 0)::int AS idx
  FROM pg_stat_xact_user_tables
  WHERE NOT (schemaname = 'pgtrickle' AND relname IN ('stream_table', 'source', 'stage'))`

const sizes = [Number(options.small), Number(options.large)]
const cases = OPERATORS.filter(([, name]) => !options.only || name === options.only)
const results = cases.map(([number, name, query]) => ({ number, name, query, reads: {} }))
for (const size of sizes) {
  process.stderr.write(`${size} rows\n`)
  const pg = await open()
  await pg.exec(tables(size))
  await pg.exec('VACUUM ANALYZE').catch(() => {})
  for (const result of results) {
    try {
      await measure(pg, result, size)
    } catch (error) {
      result.error = error.message
    }
  }
  await pg.close()
}
const offenders = results.filter((result) => result.error || grown(result).length)
if (options.json) console.log(JSON.stringify(results, null, 2))
else print()
if (offenders.length) process.exitCode = 1

async function measure(pg, result, size) {
  await pg.trickle.createStreamTable('st', result.query)
  try {
    const plan = await pg.trickle.explainStreamTable('st')
    result.ways = plan.stages.map((stage) => stage.way)
    for (const [what, sql] of CHANGES) {
      const table = what.split(/[ .]/)[1]
      if (
        !new RegExp(`\\b${table}\\b`).test(plan.stages.flatMap((stage) => stage.sources.map((s) => s.name)).join(' '))
      )
        continue
      // The first time compiles.
      await undone(pg, sql)
      const { seq, idx, scans } = await undone(pg, sql)
      const reads = (result.reads[what] ??= {})
      reads[size] = { tuples: seq + idx, scans }
    }
    if (!(await pg.trickle.verifyStreamTable('st')).ok) throw new Error('not equal to its query')
  } finally {
    await pg.trickle.dropStreamTable('st')
  }
}

/** Runs one statement, counts, rolls back. */
async function undone(pg, sql) {
  let counts
  await pg.transaction(async (tx) => {
    const before = new Map((await tx.query(READ)).rows.map((row) => [row.name, row]))
    await tx.query(sql)
    const after = (await tx.query(READ)).rows
    counts = { seq: 0, idx: 0, scans: [] }
    for (const { name, seq, idx } of after) {
      const was = before.get(name) ?? { seq: 0, idx: 0 }
      counts.seq += seq - was.seq
      counts.idx += idx - was.idx
      if (seq > was.seq) counts.scans.push(`${name} ${seq - was.seq}`)
    }
    await tx.rollback()
  })
  return counts
}

function grown({ reads }) {
  const [small, large] = sizes
  return Object.entries(reads).filter(
    ([, read]) => read[small] && read[large] && read[large].tuples > SLACK * read[small].tuples + SPARE,
  )
}

function print() {
  const [small, large] = sizes
  for (const result of results) {
    const { number, name, ways, reads, error } = result
    const bad = new Map(grown(result))
    const worst = Math.max(0, ...Object.values(reads).map((read) => read[large]?.tuples ?? 0))
    console.log(
      `${String(number).padStart(2)} ${name.padEnd(20)} ${(ways ?? []).join(' ').padEnd(24)} ${String(worst).padStart(8)} ` +
        (error ? `ERROR ${error}` : bad.size ? 'GROWS' : 'ok'),
    )
    for (const [what, read] of Object.entries(reads)) {
      if (!options.all && !bad.has(what)) continue
      const scans = read[large]?.scans.length ? `  sequential: ${read[large].scans.join(', ')}` : ''
      console.log(`     ${what.padEnd(12)} ${read[small]?.tuples} -> ${read[large]?.tuples}${scans}`)
    }
  }
  console.log(
    `\nTuples read by a one-row change: the most at ${large} rows; "a -> b": at ${small} and at ${large} rows.`,
  )
  console.log(`${results.length - offenders.length} of ${results.length} queries do not grow`)
}
