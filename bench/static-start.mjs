// How long PGlite starts as @pgtrickle/pglite/static gives it, beside PGlite as it is: one process, taken in turn. Both get
// their main module compiled and a data directory that initdb has made.
//
//   node bench/static-start.mjs [--samples 9] [--json]

import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import { createStatic } from '@pgtrickle/pglite/static'
import { environment } from './lib/environment.mjs'
import { printEnvironment } from './lib/report.mjs'
import { summary } from './lib/stats.mjs'
import { cpuTime } from './lib/time.mjs'

const { values: options } = parseArgs({
  options: { samples: { type: 'string', default: '9' }, json: { type: 'boolean', default: false } },
})
const { resolve } = createRequire(import.meta.url)

const folder = await mkdtemp(join(tmpdir(), 'pgtrickle-static-'))
const tool = join(dirname(resolve('@pgtrickle/pglite')), 'pgtrickle-static.js')
execFileSync(process.execPath, [tool, 'prepare', folder])
const { loadModules } = await import(pathToFileURL(join(folder, 'load.js')).href)
const modules = await loadModules()
await rm(folder, { recursive: true })

const first = await PGlite.create({ extensions: { trickle } })
const loadDataDir = await first.dumpDataDir('none')
const machine = await environment(first)
await first.close()
const pglite = await readFile(join(dirname(resolve('@electric-sql/pglite')), 'pglite.wasm'))
const pgliteWasmModule = await WebAssembly.compile(pglite)

const STARTS = {
  static: async () => PGlite.create(await createStatic({ modules, extensions: { trickle } })),
  'PGlite alone': () => PGlite.create({ loadDataDir, pgliteWasmModule }),
  'PGlite with pg_trickle': () => PGlite.create({ loadDataDir, pgliteWasmModule, extensions: { trickle } }),
}

const samples = Object.fromEntries(Object.keys(STARTS).map((name) => [name, { wall: [], cpu: [] }]))
for (let i = 0; i < Number(options.samples); i++) {
  for (const [name, start] of Object.entries(STARTS)) {
    const used = cpuTime()
    const begun = performance.now()
    const pg = await start()
    await pg.query('SELECT 1')
    samples[name].wall.push(performance.now() - begun)
    samples[name].cpu.push(cpuTime() - used)
    await pg.close()
  }
}

const figures = Object.entries(samples).map(([name, { wall, cpu }]) => ({
  name,
  wall: summary(wall),
  cpu: summary(cpu),
}))
if (options.json) console.log(JSON.stringify({ environment: machine, figures }, null, 2))
else {
  printEnvironment(machine)
  console.log(`\n${'ms, medians'.padEnd(26)}${'wall'.padStart(8)}${'CPU'.padStart(8)}`)
  for (const { name, wall, cpu } of figures) {
    console.log(name.padEnd(26) + wall.median.toFixed(0).padStart(8) + cpu.median.toFixed(0).padStart(8))
  }
}
