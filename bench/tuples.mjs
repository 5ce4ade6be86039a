// The tuples that the maintenance of a one-row change reads, by operator, in small and large tables. The number does not
// grow if the operator is maintained incrementally.
//
//   node bench/tuples.mjs [--small 10000] [--large 160000] [--only 'left join'] [--all] [--json]

import { parseArgs } from 'node:util'
import { open } from './lib/database.mjs'
import { OPERATORS, tables } from './lib/operators.mjs'
import { grown, measure } from './lib/tuples.mjs'

const { values: options } = parseArgs({
  options: {
    small: { type: 'string', default: '10000' },
    large: { type: 'string', default: '160000' },
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
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
      const { ways, reads } = await measure(pg, result.query)
      result.ways = ways
      result.reads[size] = reads
    } catch (error) {
      result.error = error.message
    }
  }
  await pg.close()
}
const [small, large] = sizes
const growing = ({ reads }) => grown(reads[small] ?? {}, reads[large] ?? {})
const offenders = results.filter((result) => result.error || growing(result).length)
if (options.json) console.log(JSON.stringify(results, null, 2))
else print()
if (offenders.length) process.exitCode = 1

function print() {
  for (const result of results) {
    const { number, name, ways, reads, error } = result
    const bad = growing(result)
    const most = reads[large] ?? {}
    const worst = Math.max(0, ...Object.values(most).map(({ tuples }) => tuples))
    console.log(
      `${String(number).padStart(2)} ${name.padEnd(20)} ${(ways ?? []).join(' ').padEnd(24)} ${String(worst).padStart(8)} ` +
        (error ? `ERROR ${error}` : bad.length ? 'GROWS' : 'ok'),
    )
    for (const [what, { tuples, scans }] of Object.entries(most)) {
      if (!options.all && !bad.includes(what)) continue
      const sequential = scans.length ? `  sequential: ${scans.join(', ')}` : ''
      console.log(`     ${what.padEnd(12)} ${reads[small]?.[what]?.tuples} -> ${tuples}${sequential}`)
    }
  }
  console.log(
    `\nTuples read by a one-row change: the maximum at ${large} rows; "a -> b": at ${small} and at ${large} rows.`,
  )
  console.log(`${results.length - offenders.length} of ${results.length} queries do not grow`)
}
