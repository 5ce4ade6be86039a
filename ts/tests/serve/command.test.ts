/** `pgtrickle serve`, as a process of its own. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { MODULE_NAME } from '../support/modules.js'
import { clientOf, codeOf } from './support/served.js'

const TS = join(dirname(fileURLToPath(import.meta.url)), '../..')
const COMMAND = join(TS, 'dist/pgtrickle.js')

let folder: string
const processes: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgtrickle-serve-'))
})

afterEach(async () => {
  for (const process of processes.splice(0)) if (process.exitCode === null) process.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

interface Ended {
  status: number | null
  output: string
  errors: string
}

/** Starts the command. PGlite is found from its folder, as in an app. */
function start(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [COMMAND, ...args, '--pglite', './tests/support/prepared-pglite.mjs'], {
    cwd: TS,
    env: { ...process.env, EMPTY_DATA_DIR: inject('dataDir'), ...env },
  })
  processes.push(child)
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (errors += chunk))
  const ended: Promise<Ended> = once(child, 'close').then(([status]) => ({ status, output, errors }))
  const url = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const [, found] = /listening on (\S+),/.exec(output) ?? []
      if (found) resolve(found)
    })
    void ended.then(() => reject(new Error(errors)))
  })
  url.catch(() => {})
  return { child, url, ended }
}

test('serves a folder, stops at SIGTERM, and finds everything again', async () => {
  const db = join(folder, 'data')
  const first = start(['serve', '--db', db, '--port', '0'])
  const client = await clientOf({ connectionString: await first.url })
  await client.query('CREATE TABLE t (a int PRIMARY KEY)')
  await client.query("SELECT pgtrickle.create_stream_table('s', 'SELECT count(*)::int AS n FROM t')")
  await client.query('INSERT INTO t VALUES (1), (2)')
  await client.query('BEGIN')
  await client.query('INSERT INTO t VALUES (3)')
  // Two servers would destroy the data.
  const second = await start(['serve', '--db', db, '--port', '0']).ended
  expect([second.status, second.errors]).toEqual([
    1,
    expect.stringContaining(`process ${first.child.pid} serves ${db}`),
  ])
  first.child.kill('SIGTERM')
  expect(await first.ended).toMatchObject({ status: 0, errors: '' })
  expect(await readdir(db)).not.toContain('pgtrickle-serve.pid')

  const again = start(['serve', '--db', db, '--port', '0'])
  const later = await clientOf({ connectionString: await again.url })
  expect((await later.query('SELECT n FROM s')).rows).toEqual([{ n: 2 }])
  // After a kill, what was committed is there, and the lock of the dead is not in the way.
  await later.query('INSERT INTO t VALUES (4)')
  again.child.kill('SIGKILL')
  await again.ended
  const last = start(['serve', '--db', db, '--port', '0'])
  const client3 = await clientOf({ connectionString: await last.url })
  expect((await client3.query('SELECT n FROM s')).rows).toEqual([{ n: 3 }])
  last.child.kill('SIGINT')
  expect((await last.ended).status).toBe(0)

  if (process.platform !== 'linux') return
  // One whose number is still taken, because nobody has asked how it ended.
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 600'])
  processes.push(parent)
  const [zombie] = (await once(parent.stdout, 'data')) as [Buffer]
  await writeFile(join(db, 'pgtrickle-serve.pid'), zombie.toString().trim())
  const after = start(['serve', '--db', db, '--port', '0'])
  expect(await after.url).toContain('postgresql://')
  after.child.kill('SIGINT')
  expect((await after.ended).status).toBe(0)
})

test('in memory, with another extension, a password and a socket', async () => {
  const file = join(folder, 'password')
  await writeFile(file, 'secret\n')
  const extension = `${MODULE_NAME}/contrib/pg_trgm#pg_trgm`
  const args = ['--socket', folder, '--auth', 'scram', '--password-file', file, '--extension', extension]
  const { url, child, ended } = start(['serve', ...args])
  expect(await url).toBe(`postgresql:///postgres?host=${join(folder, '.s.PGSQL.5432')}`)
  const address = { host: folder, port: 5432, user: 'postgres', database: 'postgres' }
  expect(await codeOf(clientOf({ ...address, password: 'wrong' }))).toBe('28P01')
  const client = await clientOf({ ...address, password: 'secret' })
  await client.query('CREATE EXTENSION pg_trgm')
  expect((await client.query("SELECT similarity('a', 'a') AS s")).rows).toEqual([{ s: 1 }])
  child.kill('SIGTERM')
  expect((await ended).status).toBe(0)
})

test('a password in the environment', async () => {
  const { url } = start(['serve', '--port', '0', '--host', '0.0.0.0'], { PGTRICKLE_PASSWORD: 'secret' })
  const address = { host: '127.0.0.1', port: Number(new URL(await url).port), user: 'postgres', database: 'postgres' }
  expect(await codeOf(clientOf({ ...address, password: 'no' }))).toBe('28P01')
  expect(await codeOf(clientOf({ ...address, password: 'secret' }))).toBe('no error')
})

test.each<[string, string[], RegExp]>([
  ['another command', ['dump'], /^pgtrickle: no such command\n\npgtrickle serve/],
  ['another option', ['serve', '--prt', '1'], /--prt/],
  ['no number', ['serve', '--port', 'x'], /^pgtrickle: --port x: give a whole number/],
  ['no password for the network', ['serve', '--port', '0', '--host', '0.0.0.0'], /needs a password[^]*--password-file/],
  ['no such extension', ['serve', '--extension', 'nowhere#x'], /cannot find nowhere from .*: install it there/],
])('refuses %s', async (_name, args, message) => {
  const { status, errors } = await start(args).ended
  expect([status, errors]).toEqual([1, expect.stringMatching(message)])
})

test('prints how it is used', async () => {
  const { status, output } = await start(['--help']).ended
  expect([status, output]).toEqual([0, expect.stringMatching(/^pgtrickle serve\n/)])
  const pages = ['SERVER', 'API'].map((page) => readFile(join(TS, `../docs/${page}.md`), 'utf8'))
  const documented = (await Promise.all(pages)).join('\n')
  for (const [option] of output.matchAll(/--[a-z-]+/g)) expect(documented).toContain(option)
})
