// Runs the scripts of the drivers, each against a server of its own on an empty database in memory, for PostgreSQL 17 and 18.
//
//   run.mjs                all of them that can be had here
//   run.mjs NAME...        only these: psql, psycopg, pgx, ...
//   run.mjs --record       also writes the table of docs/HOSTS.md
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../../..')
const work = join(root, 'build/drivers')
const COMMAND = join(root, 'ts/dist/pgtrickle.js')
const LINES = { 17: 'pglite-0.4', 18: 'pglite-0.5' }
const JDBC = '42.7.8'

/** In what order the table shows what the scripts have done. */
const STEPS = [
  ...['create', 'change', 'error with hint', 'parameters', 'prepared', 'batch', 'transaction', 'savepoint', 'cursor'],
  ...['COPY in', 'COPY out', 'LISTEN', 'feed'],
]

/** Each with what it needs on PATH, how it is made ready, and how it runs. */
export const DRIVERS = {
  psql: { needs: ['psql'], command: () => ['bash', [join(here, 'psql/conformance.sh')]] },
  'node-postgres': { needs: [], command: () => [process.execPath, [join(here, 'node-postgres/conformance.mjs')]] },
  psycopg: {
    needs: ['python3'],
    command: () => [pythonWith('psycopg/requirements.txt'), [join(here, 'psycopg/conformance.py')]],
  },
  pgx: {
    needs: ['go'],
    prepare: () => run('go', ['build', '-o', join(work, 'pgx'), '.'], { cwd: join(here, 'pgx') }),
    command: () => [join(work, 'pgx'), []],
  },
  JDBC: {
    needs: ['java', 'mvn'],
    prepare: () =>
      run('mvn', [
        '-q',
        'dependency:copy',
        `-Dartifact=org.postgresql:postgresql:${JDBC}`,
        `-DoutputDirectory=${work}`,
      ]),
    command: () => ['java', ['-cp', join(work, `postgresql-${JDBC}.jar`), join(here, 'jdbc/Conformance.java')]],
  },
  'tokio-postgres': {
    needs: ['cargo'],
    prepare: () =>
      run('cargo', ['build', '-q', '--target-dir', join(work, 'cargo')], { cwd: join(here, 'tokio-postgres') }),
    command: () => [join(work, 'cargo/debug/conformance'), []],
  },
  'php-pdo': {
    needs: ['php'],
    command: () => ['php', [join(here, 'php-pdo/conformance.php')]],
  },
  elixir: {
    needs: ['elixir'],
    command: () => ['elixir', [join(here, 'elixir/conformance.exs')]],
  },
  'examples/elixir': {
    needs: ['elixir', 'mix'],
    isExample: true,
    command: (major) => {
      const serve = `${process.execPath} ${COMMAND} --pglite ${LINES[major]}`
      const env = [`PGTRICKLE=${serve}`, 'MIX_ENV=test', `MIX_BUILD_PATH=${join(work, 'mix')}`]
      return ['env', ['-C', join(root, 'examples/elixir'), ...env, 'mix', 'test']]
    },
  },
  pg_dump: {
    needs: [],
    isDump: true,
    command: (major, env) =>
      canDump(major)
        ? ['bash', [join(here, 'dump/conformance.sh')]]
        : [
            join(root, 'ci/toolchain.sh'),
            [
              'env',
              ...Object.entries(env).map((pair) => pair.join('=')),
              'ts/tests/drivers/dump/in-toolchain.sh',
              String(major),
            ],
          ],
  },
}

/** Runs one driver against one PostgreSQL. The result has a line for each of its steps. */
export async function runDriver(name, major) {
  const driver = DRIVERS[name]
  driver.prepare?.()
  const server = driver.isExample ? undefined : await startServer(LINES[major])
  const empty = driver.isDump ? await startServer(LINES[18]) : undefined
  try {
    const env = { PGHOST: '127.0.0.1', PGPORT: server?.port ?? '', PGUSER: 'postgres', PGDATABASE: 'postgres' }
    if (empty) env.RESTORE_PORT = empty.port
    const [program, args] = driver.command(major, env)
    const child = spawn(program, args, { env: { ...process.env, ...env }, timeout: 120_000 })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    const [status] = await once(child, 'close')
    return { name, major, status, output, ...readOutput(output) }
  } finally {
    server?.stop()
    empty?.stop()
  }
}

/** A Python of its own that has what a file of requirements asks for. */
export function pythonWith(requirements) {
  const file = resolve(here, requirements)
  // Tests of both lines make theirs at the same time.
  const folder = join(work, `python-${file.split('/').at(-2)}-${process.env.PGLITE ?? 'any'}`)
  const python = join(folder, 'bin/python')
  if (!existsSync(python)) run('python3', ['-m', 'venv', folder])
  run(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', file])
  return python
}

function readOutput(output) {
  const find = (word) => output.match(new RegExp(`^${word} (.*)$`, 'm'))?.[1]
  const all = (word) => [...output.matchAll(new RegExp(`^${word} (.*)$`, 'gm'))].map(([, rest]) => rest)
  return { driver: find('driver'), settings: find('settings'), passed: all('ok'), failed: all('failed') }
}

async function startServer(pglite) {
  const child = spawn(process.execPath, [COMMAND, 'serve', '--port', '0', '--pglite', pglite], {
    cwd: join(root, 'ts'),
  })
  let output = ''
  child.stderr.on('data', (chunk) => (output += chunk))
  const port = new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk
      const found = /listening on \S+:(\d+)\//.exec(output)
      if (found) resolve(found[1])
    })
    child.once('close', () => reject(new Error(output)))
  })
  return { port: await port, stop: () => child.kill('SIGTERM') }
}

function run(program, args, options) {
  mkdirSync(work, { recursive: true })
  execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options })
}

export function isOnPath(program) {
  const found = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)))
  // Debian's Python without further packages makes no virtual environments.
  return found && (program !== 'python3' || spawnSync(program, ['-c', 'import venv, ensurepip']).status === 0)
}

/** pg_dump refuses a server that is newer than itself. */
function canDump(major) {
  return isOnPath('pg_dump') && Number(/(\d+)/.exec(execFileSync('pg_dump', ['--version']).toString())[1]) >= major
}

function tableOf(results) {
  const cell = (result, step) =>
    result.passed.includes(step) ? 'yes' : result.failed.some((f) => f.startsWith(step)) ? '**no**' : ''
  const both = (name, show) => {
    const shown = results.filter((result) => result.name === name).map(show)
    return shown.every((each) => each === shown[0]) ? shown[0] : shown.join(' / ')
  }
  const names = [...new Set(results.map(({ name }) => name))].filter((name) => !DRIVERS[name].isDump)
  const header = ['', ...names.map((name) => both(name, ({ driver }) => driver))]
  const rows = STEPS.map((step) => [step, ...names.map((name) => both(name, (result) => cell(result, step)))])
  const settings = ['has to be set', ...names.map((name) => both(name, ({ settings }) => settings))]
  return [header, header.map(() => '---'), ...rows, settings].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** Those of earlier runs that were not repeated are in the table, too. */
function keep(result) {
  mkdirSync(work, { recursive: true })
  writeFileSync(join(work, `${result.name}-${result.major}.json`), JSON.stringify(result))
}

function kept() {
  const files = Object.keys(DRIVERS).flatMap((name) => [17, 18].map((major) => join(work, `${name}-${major}.json`)))
  return files.filter((file) => existsSync(file)).map((file) => JSON.parse(readFileSync(file, 'utf8')))
}

function record(results) {
  const file = join(root, 'docs/HOSTS.md')
  const [start, end] = ['<!-- drivers: written by `just drivers --record` -->', '<!-- /drivers -->']
  const text = readFileSync(file, 'utf8')
  const [before, rest] = text.split(start)
  const after = rest.split(end)[1]
  writeFileSync(file, `${before}${start}\n\n${tableOf(results)}\n\n${end}${after}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'))
  for (const name of wanted.length > 0 ? wanted : Object.keys(DRIVERS)) {
    const missing = DRIVERS[name].needs.filter((program) => !isOnPath(program))
    if (missing.length > 0) {
      console.log(`${name}: skipped, ${missing.join(' and ')} not on PATH`)
      continue
    }
    for (const major of [17, 18]) {
      const result = await runDriver(name, major)
      if (!DRIVERS[name].isExample) keep(result)
      console.log(
        DRIVERS[name].isExample
          ? `${name} with PostgreSQL ${major}: ${result.status === 0 ? 'passed' : 'failed'}`
          : `${result.driver} with PostgreSQL ${major}: ${result.passed.length} passed, ${result.failed.length} failed`,
      )
      if (result.status !== 0) {
        process.exitCode = 1
        console.log(result.output)
      }
    }
  }
  if (process.argv.includes('--record')) record(kept())
}
