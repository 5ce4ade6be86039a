// The time from a one-row change to the callback that reports it, for `subscribe`, PGlite's `live.incrementalQuery` and
// `live.changes`, pg_ivm, and TanStack DB and Rindle in memory. All have the same query, a count and a sum by group, over
// tables of several sizes; Rindle has no sums, so it counts alone.
//
//   node bench/subscribe/run.mjs [--sizes 1000,10000,100000,1000000] [--rounds 9] [--groups 100] [--json]
//
//   --record       write the figures and the plot into docs/
//   --from FILE    report or record the figures that an earlier run has written to this file, without measuring
//
// All of them are open at the same time, on separate tables, and take turns, so that a slow machine slows all alike. The
// figures are written to build/subscribe.json.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { pg_ivm } from '@electric-sql/pglite-pg_ivm'
import { open } from '../lib/database.mjs'
import { environment, extensionVersion, packageVersion } from '../lib/environment.mjs'
import { summary } from '../lib/stats.mjs'
import { cpuTime } from '../lib/time.mjs'
import { CONTENDERS, streamTable } from './contenders.mjs'
import { plot } from './plot.mjs'
import { insertFigures, markdown, print } from './report.mjs'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000,100000,1000000' },
    rounds: { type: 'string', default: '9' },
    groups: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    from: { type: 'string' },
  },
})

/** If one change takes more milliseconds than this, the contender drops out. */
const LIMIT = 60_000
const WARMUP = 2
const ROOT = new URL('../../', import.meta.url)
const FIGURES = new URL('build/subscribe.json', ROOT)
const PLOT = new URL('docs/subscribe.svg', ROOT)
const PAGE = new URL('docs/COMPARISON.md', ROOT)

const progress = (text) => process.stderr.write(`${text}\n`)

const figures = values.from ? JSON.parse(readFileSync(values.from, 'utf8')) : await measure()
if (values.json) console.log(JSON.stringify(figures, null, 2))
else print(figures)
if (values.record) {
  writeFileSync(PLOT, plot(figures))
  writeFileSync(PAGE, insertFigures(readFileSync(PAGE, 'utf8'), markdown(figures)))
  progress(`wrote ${fileURLToPath(PLOT)} and ${fileURLToPath(PAGE)}`)
}

async function measure() {
  const setting = { sizes: values.sizes.split(',').map(Number), rounds: Number(values.rounds), groups: +values.groups }
  const pg = await open({ pg_ivm })
  await pg.exec('CREATE EXTENSION pg_ivm')
  const lines = await start(pg, setting)
  await pg.exec('VACUUM ANALYZE')
  for (let round = -WARMUP; round < setting.rounds; round++) {
    progress(round < 0 ? 'warming up' : `round ${round + 1} of ${setting.rounds}`)
    for (const line of lines) await play(line, round >= 0)
  }
  for (const size of setting.sizes) {
    const { ok } = await pg.trickle.verifyStreamTable(streamTable(size))
    if (!ok) throw new Error(`the stream table over ${size} rows does not equal its query`)
  }
  const packages = Object.fromEntries(['@tanstack/db', '@rindle/wasm'].map((name) => [name, packageVersion(name)]))
  const versions = { pg_ivm: await extensionVersion(pg, 'pg_ivm'), ...packages }
  const measured = {
    environment: { ...(await environment(pg)), ...versions },
    ...setting,
    lines: lines.map(({ name, size, times, cpu, cut }) => ({
      name,
      size,
      ...(cut ? { cut } : { ...summary(times), cpu: summary(cpu).median }),
    })),
  }
  await pg.close()
  mkdirSync(new URL('.', FIGURES), { recursive: true })
  writeFileSync(FIGURES, JSON.stringify(measured, null, 2) + '\n')
  return measured
}

/** Starts every contender with every size. */
async function start(pg, { sizes, groups }) {
  const lines = []
  for (const size of sizes) {
    for (const [name, contender] of Object.entries(CONTENDERS)) {
      const from = performance.now()
      const started = await contender.start(pg, { size, groups })
      lines.push({ name, size, ...started, samples: contender.samples, times: [], cpu: [], made: 0 })
      const seconds = ((performance.now() - from) / 1000).toFixed(1)
      progress(`${name}: ${size.toLocaleString('en-US')} rows, ready after ${seconds} s`)
    }
  }
  return lines
}

/** Makes the changes of one round. */
async function play(line, isCounted) {
  for (let sample = 0; sample < line.samples && !line.cut; sample++) {
    const reported = line.next()
    const before = cpuTime()
    const from = performance.now()
    await line.change(++line.made)
    const time = (await reported) - from
    const cpu = cpuTime() - before
    if (time > LIMIT) {
      line.cut = `more than ${LIMIT / 1000} s for a change`
      progress(`${line.name}, ${line.size} rows: ${line.cut}`)
    }
    if (!isCounted) continue
    line.times.push(time)
    line.cpu.push(cpu)
  }
}
