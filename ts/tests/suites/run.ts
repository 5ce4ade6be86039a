/**
 * Runs the scripts of a suite, each in its own process, and reports what became of their queries as stream tables.
 *
 *   PGLITE=pglite-0.5 vite-node tests/suites/run.ts DIR [--only NAME,..] [--seed N] [--changes N] [--rows N] [--limit SECONDS] [--jobs N] [--json FILE]
 *
 * DIR has `sql/*.sql`, as PostgreSQL's `src/test/regress` has. `sql/test_setup.sql` runs first, once for all.
 */
import { fork } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { MODULE_NAME } from '../support/modules.js'
import { report } from './report.js'
import type { Message, Result, Task } from './worker.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    changes: { type: 'string', default: '6' },
    rows: { type: 'string', default: '200' },
    limit: { type: 'string', default: '60' },
    jobs: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
})
const [folder] = positionals
if (folder === undefined) {
  console.error('name the folder of the suite: the one that has sql/')
  process.exit(2)
}

/** What became of a script. */
export interface Outcome {
  name: string
  results: Result[]
  /** Queries that are none of their own: PostgreSQL refuses them as a view, or they have too many rows. */
  skipped: number
}

const VITE_NODE = join(createRequire(import.meta.url).resolve('vite-node/package.json'), '../vite-node.mjs')
const scratch = await mkdtemp(join(tmpdir(), 'suite-'))
const root = resolve(folder)
const dataDir = join(scratch, 'data.tar')

function task(file: string): Task {
  const path = join(root, 'sql', file)
  return {
    file: path,
    folder: root,
    dataDir,
    seed: Number(values.seed),
    changes: Number(values.changes),
    rows: Number(values.rows),
    from: 0,
    without: [],
  }
}

/** Runs a script. After a crash, or a statement that takes too long, it goes on behind it in a new process. */
async function run(name: string): Promise<Outcome> {
  const outcome: Outcome = { name, results: [], skipped: 0 }
  let next: Task | undefined = task(`${name}.sql`)
  while (next !== undefined) next = await runOnce(next, outcome)
  const wrong = outcome.results.filter(({ kind }) => kind === 'wrong').length
  console.error(`${name}: ${outcome.results.length} views${wrong > 0 ? `, ${wrong} wrong` : ''}`)
  return outcome
}

function runOnce(given: Task, outcome: Outcome): Promise<Task | undefined> {
  const worker = fork(join(import.meta.dirname, 'worker.ts'), {
    execPath: process.execPath,
    execArgv: [VITE_NODE],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return new Promise((done, failed) => {
    let last = { begin: -1, what: 'start' }
    let timer: NodeJS.Timeout | undefined
    let ended = false
    const end = (kind?: Result['kind']) => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      worker.kill('SIGKILL')
      if (kind === undefined) return done(undefined)
      const { begin, what } = last
      if (begin < 0 || given.setup) return failed(new Error(`${outcome.name} ended the process`))
      if (what === 'query' && kind === 'crash') {
        // Only PGlite has run since the statement before. 0.4 ends like this after several errors.
        outcome.skipped++
        return done({ ...given, from: begin + 1 })
      }
      if (what === 'statement') return done({ ...given, from: begin, without: [...given.without, begin] })
      outcome.results.push({ at: begin, sql: '', kind, reason: what, comparisons: 0 })
      done({ ...given, from: begin + 1 })
    }
    worker.on('message', (message: Message) => {
      if ('done' in message) end()
      else if ('result' in message) outcome.results.push(message.result)
      else if ('skipped' in message) outcome.skipped++
      else {
        last = message
        clearTimeout(timer)
        timer = setTimeout(() => end('timeout'), Number(values.limit) * 1000)
      }
    })
    worker.on('exit', () => end('crash'))
    worker.send(given)
  })
}

try {
  const files = (await readdir(join(root, 'sql')))
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -4))
  if (files.includes('test_setup'))
    await runOnce({ ...task('test_setup.sql'), setup: true }, { name: 'test_setup', results: [], skipped: 0 })
  const wanted = values.only?.split(',')
  const left = files.filter((name) => name !== 'test_setup' && (wanted?.includes(name) ?? true))
  const outcomes: Outcome[] = []
  const work = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      outcomes.push(await run(name))
      if (values.json !== undefined) await writeFile(values.json, JSON.stringify(outcomes, null, 1))
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
  console.log(report(MODULE_NAME, outcomes))
  const failures = outcomes
    .flatMap(({ results }) => results)
    .filter(({ kind }) => ['wrong', 'failed change', 'crash'].includes(kind))
  process.exitCode = failures.length > 0 ? 1 : 0
} finally {
  await rm(scratch, { recursive: true })
}
