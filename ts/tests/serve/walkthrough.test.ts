/**
 * The walk-through of docs/SERVER.md, word by word: the blocks of its section run as they stand there, in shells of their
 * own. Only the port is another one, because tests run side by side.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isOnPath } from '../drivers/run.mjs'
import { firstSeed, Rng } from '../random/rng.js'
import { readDocument } from '../support/documents.js'
import { blocksIn } from '../support/markdown.js'
import { MODULE_NAME } from '../support/modules.js'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const HEADING = '## Print each change as it commits\n'
const MISSING = ['psql', 'python3'].filter((program) => !isOnPath(program))

let folder: string
let port: number
const shells: Shell[] = []
/** The first shell. */
let server: Shell

/** A terminal in which one command runs. */
interface Shell {
  output: string
  errors: string
  /** The lines that the command printed. */
  lines(): string[]
  closed: Promise<unknown>
  /** As Ctrl-C does, to the command and all that it has started. */
  end(signal?: 'SIGINT' | 'SIGKILL'): Promise<void>
}

function shell(code: string): Shell {
  const child = spawn('sh', ['-c', code], { cwd: folder, detached: true })
  const closed = once(child, 'close')
  const opened: Shell = {
    output: '',
    errors: '',
    closed,
    lines: () => opened.output.split('\n').slice(0, -1),
    end: async (signal = 'SIGINT') => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, signal)
      await closed
    },
  }
  child.stdout.on('data', (chunk) => (opened.output += chunk))
  child.stderr.on('data', (chunk) => (opened.errors += chunk))
  shells.push(opened)
  return opened
}

/** Runs a command to its end, with what somebody types into it. */
async function typed(code: string, input = ''): Promise<string> {
  const running = promisify(execFile)('sh', ['-c', code], { cwd: folder, env: { ...process.env, PSQLRC: '/dev/null' } })
  running.child.stdin!.end(input)
  const { stdout, stderr } = await running
  expect(stderr).toBe('')
  return stdout
}

/** The blocks of the section, in order. */
function blocks() {
  const [, after = ''] = readDocument('docs/SERVER.md').split(HEADING)
  const [section = ''] = after.split(/^## /m)
  const all = blocksIn(section)
  expect(all.map(({ language }) => language).join(' ')).toBe('sh sh sql sh python sh sql text sql text sql text')
  expect(all.every(({ runBy }) => runBy === 'serve/walkthrough.test.ts')).toBe(true)
  const code = all.map(({ code }) => code.replaceAll('127.0.0.1:5432', `127.0.0.1:${port}`))
  const at = (index: number) => code[index] ?? ''
  return {
    ...{
      serve: `${at(0).trim()} --port ${port}`,
      psql: at(1),
      create: at(2),
      install: at(3),
      program: at(4),
      follow: at(5),
    },
    ...{ change: at(6), printed: at(7), changeAfterRestart: at(8), printedAfterRestart: at(9) },
    ...{ changeWhileAway: at(10), printedLater: at(11) },
  }
}

async function served(serve: string): Promise<Shell> {
  const server = shell(serve)
  await expect.poll(() => server.output, { timeout: 60_000 }).toContain('listening on')
  return server
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgtrickle-walkthrough-'))
  // As npm installs the packages, which are not on npm yet.
  const modules = join(folder, 'node_modules')
  for (const inside of ['.bin', '@pgtrickle', '@electric-sql']) await mkdir(join(modules, inside), { recursive: true })
  await symlink(join(ROOT, 'ts'), join(modules, '@pgtrickle/pglite'))
  await symlink(join(ROOT, 'node_modules', MODULE_NAME), join(modules, '@electric-sql/pglite'))
  await symlink('../@pgtrickle/pglite/dist/pgtrickle.js', join(modules, '.bin/pgtrickle'))
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  port = (free.address() as AddressInfo).port
  free.close()
})

afterAll(async () => {
  for (const opened of shells) await opened.end('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

/** Shells are quick, but not on a busy machine. */
const PATIENCE = { timeout: 30_000 }

test('each change is printed as it commits, also after restarts', { timeout: 180_000 }, async () => {
  if (MISSING.length > 0) return console.log(`${MISSING.join(' and ')} not on PATH: the walk-through was not run`)
  const { serve, psql, create, install, program, follow, ...rows } = blocks()
  server = await served(serve)
  await typed(psql, create)
  await typed(install)
  await writeFile(join(folder, 'follow.py'), program)
  const follower = shell(follow)
  await expect.poll(() => follower.output, PATIENCE).toContain('snapshot')
  await typed(psql, rows.change)
  await expect.poll(() => follower.output, PATIENCE).toBe(rows.printed)

  await server.end()
  server = await served(serve)
  await typed(psql, rows.changeAfterRestart)
  await expect.poll(() => follower.output, PATIENCE).toBe(rows.printed + rows.printedAfterRestart)
  await follower.end()
  expect(follower.output).toBe(rows.printed + rows.printedAfterRestart)

  await typed(psql, rows.changeWhileAway)
  const later = shell(follow)
  await expect.poll(() => later.output, PATIENCE).toBe(rows.printedLater)
  await later.end()
})

/** Goes on where the test before has ended, with its server, its rows and the copy of its program. */
test('a program and a server that are killed lose and repeat nothing', { timeout: 180_000 }, async () => {
  if (MISSING.length > 0) return
  const { serve, psql, follow } = blocks()
  const seed = firstSeed()
  const rng = new Rng(seed)
  const followers = [shell(follow)]
  for (let round = 0; round < 12; round += 1) {
    const inserts = rng.times(1, 20, (n) => {
      const id = 100 + round * 20 + n
      return `INSERT INTO orders VALUES (${id}, ${rng.int(1, 5)}, ${rng.int(1, 99)});`
    })
    const writing = typed(psql, `${inserts.join('\n')}\nDELETE FROM orders WHERE customer = ${rng.int(1, 5)};\n`)
    await sleep(rng.int(0, 400))
    await followers.at(-1)!.end('SIGKILL')
    await writing
    if (round === 5) {
      // The process itself, so that npx takes note of its end.
      process.kill(Number(await readFile(join(folder, 'data/pgtrickle-serve.pid'), 'utf8')), 'SIGKILL')
      await server.closed
      server = await served(serve)
    }
    followers.push(shell(follow))
    await sleep(rng.int(0, 600))
  }
  const ask = (sql: string) => typed(`${psql.trim()} -At`, sql)
  const last = Number(await ask("SELECT last FROM pgtrickle.feeds WHERE name = 'totals'"))
  // The copy has what the stream table has, and the number of the last change.
  const dump =
    "import sqlite3; c = sqlite3.connect('copy.db'); print(*(r[0] for r in c.execute('SELECT row FROM totals ORDER BY key')), *c.execute('SELECT seq FROM position').fetchone(), sep='\\n')"
  const expected = await ask(
    'SELECT to_jsonb(t) FROM totals t ORDER BY jsonb_build_object(\'customer\', customer)::text COLLATE "C"',
  )
  await expect
    .poll(() => typed(`python3 -c "${dump}"`), { ...PATIENCE, message: `SEED=${seed}` })
    .toBe(`${expected}${last}\n`)
  await followers.at(-1)!.end('SIGKILL')
  expect(followers.map(({ errors }) => errors).join(''), `SEED=${seed}`).toBe('')
  const printed = followers.flatMap((follower) => follower.lines()).map((line) => Number(line.split(' ')[0]))
  // No number was left out. A line is repeated only by a program whose predecessor was killed before it stored it.
  expect([...new Set(printed)], `SEED=${seed}`).toEqual(Array.from({ length: last - 4 }, (_, n) => n + 5))
  for (const follower of followers) {
    const numbers = follower.lines().map((line) => Number(line.split(' ')[0]))
    expect(numbers, `SEED=${seed}`).toEqual(numbers.map((_, n) => numbers[0]! + n))
  }
})
