// Runs the suites one after the other, shows their output as it comes, and adds up what they counted.
//
//   run-tests.mjs            all suites
//   run-tests.mjs SUITE...   only these: gates, gate-tests, rust, ts, tpch, native, browser, package, site
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  cargoCounts,
  gateCounts,
  judged,
  nodeCounts,
  siteCounts,
  tpchCounts,
  vitestCounts,
  vitestFailures,
} from './counts.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
/** A suite of vitest's: its report goes to a file, and what it prints is for people. */
function vitest(title, id, options) {
  const report = `build/vitest-${id}.json`
  return {
    title,
    report,
    command: [
      ...['npm', 'exec', '--workspace', 'ts', '--', 'vitest', 'run', ...options],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=../${report}`],
    ],
    counts: () => {
      const read = JSON.parse(readFileSync(resolve(root, report), 'utf8'))
      return { ...vitestCounts(read), failures: vitestFailures(read) }
    },
  }
}

/** The same with the native extension, which is built for it: that takes seconds after the Rust tests. */
function onServers(suite) {
  const script = 'ci/build-native.sh --dev && exec env NATIVE=1 PG_TRICKLE_NATIVE=build/native-dev MINUTES=0.05 "$@"'
  return { ...suite, command: ['bash', '-c', script, 'bash', ...suite.command] }
}

const SUITES = {
  gates: {
    title: 'Gates',
    command: ['node', 'ci/gates.mjs'],
    counts: gateCounts,
  },
  'gate-tests': {
    title: 'Tests of the gates',
    command: ['node', '--test', '--test-reporter=spec', 'ci/gates.test.mjs', 'ci/build.test.mjs'],
    counts: nodeCounts,
  },
  rust: {
    title: 'Rust',
    command: [
      'ci/toolchain.sh',
      'env',
      'CARGO_TARGET_DIR=target/native',
      'cargo',
      'test',
      '--workspace',
      '--no-fail-fast',
    ],
    counts: cargoCounts,
  },
  ts: vitest('The package on PGlite 0.4 and 0.5', 'ts', ['--project=unit', '--project=pg*', '--coverage']),
  tpch: {
    title: 'TPC-H under changes of all tables',
    command: ['node', 'bench/tpch/run.mjs', '--scale', '0.01', '--no-time'],
    counts: tpchCounts,
  },
  native: onServers(
    vitest('Native servers, with several sessions', 'native', [
      ...['--project=native*', 'tests/native', 'tests/smoke.test.ts'],
    ]),
  ),
  // One file at a time: each has a browser of its own, which takes both cores.
  browser: vitest('The package in Chromium', 'browser', ['--project=browser', '--no-file-parallelism']),
  package: vitest('The packed package, and bundlers', 'package', ['--project=package', '--no-file-parallelism']),
  site: {
    title: 'The documentation as a site',
    command: ['node', 'docs/site/build.mjs'],
    counts: siteCounts,
  },
}

/** Runs a program with its output shown, both streams as one in their order; resolves to `{ status, output }`. */
function run(command) {
  return new Promise((done) => {
    const child = spawn('bash', ['-c', 'exec "$@" 2>&1', 'bash', ...command], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (data) => {
      output += data
      process.stdout.write(data)
    })
    child.on('error', (error) => done({ status: -1, output: error.message }))
    child.on('close', (status) => done({ status: status ?? -1, output }))
  })
}

async function runSuite({ title, command, counts, report }) {
  if (report) rmSync(resolve(root, report), { force: true })
  console.log(`\n==> ${title}`)
  const start = performance.now()
  const { status, output } = await run(command)
  let counted = { passed: 0, failed: 0, failures: [] }
  try {
    counted = counts(output)
  } catch (error) {
    console.log(`no counts: ${error.message}`)
  }
  return { title, seconds: (performance.now() - start) / 1000, ...judged(title, counted, status, output) }
}

/** Whether there are PostgreSQL servers, or can be: docs/NATIVE.md. */
function hasServers() {
  const found = spawnSync('ci/native.sh', ['true'], { cwd: root, stdio: 'ignore' }).status === 0
  if (!found) console.log('There are no PostgreSQL servers here, so the suite native is left out: docs/NATIVE.md')
  return found
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((each) => !(each in SUITES))
if (unknown.length) {
  console.error(`no suite named ${unknown.join(', ')}; there are: ${Object.keys(SUITES).join(', ')}`)
  process.exit(2)
}

mkdirSync(resolve(root, 'build'), { recursive: true })
const results = []
const all = () => Object.keys(SUITES).filter((id) => id !== 'native' || hasServers())
for (const id of wanted.length ? wanted : all()) results.push(await runSuite(SUITES[id]))

console.log('')
for (const { title, seconds, passed, failed } of results) {
  console.log(
    `${title.padEnd(36)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed ${seconds.toFixed(0).padStart(5)} s`,
  )
}
// Once more, where whoever sees only the end finds it.
for (const failure of results.flatMap(({ failures }) => failures ?? [])) console.log(`FAILED ${failure}`)
const total = (key) => results.reduce((sum, each) => sum + each[key], 0)
console.log(`${total('passed')} passed, ${total('failed')} failed`)
process.exit(total('failed') ? 1 : 0)
