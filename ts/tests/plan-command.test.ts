/** `pgtrickle plan`, as a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'

const TS = join(dirname(fileURLToPath(import.meta.url)), '..')

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgtrickle-plan-'))
  write('2_totals.sql', CREATE('totals', 'SELECT customer, sum(amount) AS total FROM orders GROUP BY customer'))
  // Sorted as numbers, this one is the last.
  write('10_top.sql', CREATE('top', 'SELECT customer, total FROM totals ORDER BY total DESC LIMIT 3'))
  write('1_orders.sql', 'CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric(10, 2));')
  write('10_top.down.sql', 'this is no SQL')
})

afterEach(() => rmSync(folder, { recursive: true }))

const CREATE = (name: string, query: string) => `SELECT pgtrickle.create_stream_table('${name}', $$${query}$$);`

function write(file: string, text: string): void {
  writeFileSync(join(folder, file), text)
}

interface Ended {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs the command. PGlite is found from its folder, as in an app. */
async function run(...options: string[]): Promise<Ended> {
  const args = [
    join(TS, 'dist/pgtrickle.js'),
    'plan',
    folder,
    '--pglite',
    './tests/support/prepared-pglite.mjs',
    ...options,
  ]
  const env = { ...process.env, EMPTY_DATA_DIR: inject('dataDir') }
  const child = spawn(process.execPath, args, { cwd: TS, env })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, stdout, stderr }
}

test('plans are printed, in the order of the migrations', async () => {
  const { status, stdout, stderr } = await run()
  expect(stderr).toBe('')
  expect(status).toBe(0)
  expect(stdout).toContain(
    'totals: fold\n  stage 1 of 1: fold, stores rows by customer\n    a change of public.orders costs: ',
  )
  expect(stdout).toMatch(/^top: \w+$/m)
})

test('a committed file tells what a change does to costs', async () => {
  expect((await run('--check')).status).toBe(0) // there is no file yet
  expect((await run('--write')).status).toBe(0)
  expect(readFileSync(join(folder, 'pgtrickle.plan'), 'utf8')).toContain('totals: fold')
  expect((await run('--check')).status).toBe(0)
  write('11_count.sql', CREATE('counts', 'SELECT customer, count(*) AS n FROM orders GROUP BY customer'))
  const { status, stderr } = await run('--check')
  expect(status).toBe(1)
  expect(stderr).toContain('the plans differ from ')
  expect(stderr).toContain('+ counts: fold')
  expect(stderr).not.toContain('totals')
})

test('a rebuild fails the check, unless it is allowed', async () => {
  write('11_clock.sql', CREATE('ages', 'SELECT id, age(now()) AS a FROM orders'))
  expect((await run()).status).toBe(0)
  const { status, stderr } = await run('--check')
  expect(status).toBe(1)
  expect(stderr).toContain('ages runs its query again after every change: ')
  expect((await run('--check', '--allow-rebuild', 'ages')).status).toBe(0)
})

test('a missing index, and pictures', async () => {
  write(
    '11_list.sql',
    CREATE('lists', "SELECT customer, string_agg(id::text, ',') AS ids FROM orders GROUP BY customer"),
  )
  const { stdout } = await run('--pictures', join(folder, 'plans'))
  expect(stdout).toContain('missing index: CREATE INDEX ON public.orders (customer)')
  expect(readFileSync(join(folder, 'plans/lists.svg'), 'utf8')).toMatch(/^<svg /)
})

test('errors name the file', async () => {
  write('3_wrong.sql', 'SELECT * FROM nowhere')
  const { status, stderr } = await run()
  expect(status).toBe(1)
  expect(stderr).toContain('3_wrong.sql: relation "nowhere" does not exist')
  mkdirSync(join(folder, 'empty'))
  folder = join(folder, 'empty')
  expect((await run()).stderr).toContain('holds no .sql file')
  folder = dirname(folder)
})
