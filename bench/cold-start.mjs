// From process start to the first stream table, in Node. Each sample runs in its own process.
//
//   node bench/cold-start.mjs [--samples 9] [--json]
//
// The same in Chromium: `npx vitest run --project browser tests/browser/cold-start`, in ts/.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { coldStart } from './lib/cold-start.mjs'
import { open } from './lib/database.mjs'
import { environment } from './lib/environment.mjs'
import { printEnvironment } from './lib/report.mjs'
import { summary } from './lib/stats.mjs'

const { values: options } = parseArgs({
  options: {
    samples: { type: 'string', default: '9' },
    json: { type: 'boolean', default: false },
    one: { type: 'boolean', default: false },
  },
})

/** The part that this package adds. */
const OWN = 'extension + streamTable'
const STEPS = ['total', 'create', 'extension', 'streamTable', OWN, 'change']

if (options.one) {
  const { PGlite } = await import('@electric-sql/pglite')
  const { trickle } = await import('@pgtrickle/pglite')
  console.log(JSON.stringify(await coldStart(PGlite, trickle)))
} else {
  const samples = []
  for (let i = 0; i < Number(options.samples); i++) {
    const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--one'], { encoding: 'utf8' })
    const steps = JSON.parse(output)
    samples.push({ ...steps, [OWN]: steps.extension + steps.streamTable })
    process.stderr.write(`${i + 1} of ${options.samples}\n`)
  }
  await report(samples)
}

async function report(samples) {
  const figures = Object.fromEntries(STEPS.map((step) => [step, summary(samples.map((sample) => sample[step]))]))
  const pg = await open()
  const machine = await environment(pg)
  await pg.close()
  if (options.json) {
    console.log(JSON.stringify({ environment: machine, figures }, null, 2))
    return
  }
  printEnvironment(machine)
  console.log(`\n${'ms'.padEnd(26)}${'median'.padStart(8)}${'quartiles'.padStart(18)}`)
  for (const [step, { median, low, high }] of Object.entries(figures)) {
    const range = `${low.toFixed(1)} - ${high.toFixed(1)}`
    console.log(`${step.padEnd(26)}${median.toFixed(1).padStart(8)}${range.padStart(18)}`)
  }
}
