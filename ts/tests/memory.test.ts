/** The heap guard: a limit, what is given back and refused near it, and what is in use. */
import { afterEach, describe, expect, test } from 'vitest'
import { createTrickle } from '../dist/index.js'
import type { TrickleError } from '../dist/index.js'
import { Lab } from './support/lab.js'
import { openDatabase, openWith } from './support/pglite.js'
import type { Database } from './support/modules.js'

const MEGABYTE = 2 ** 20

let lab: Lab | undefined
afterEach(() => lab?.close())

async function open(): Promise<Lab> {
  lab = await new Lab().open(await openDatabase())
  await lab.exec(`CREATE TABLE t (id int PRIMARY KEY, k int, v int);
    INSERT INTO t SELECT n, n % 3, n FROM generate_series(1, 9) n`)
  return lab
}

/** Makes the limit such that this share of it is in use. */
async function use(opened: Lab, percent: number): Promise<void> {
  const { used } = await opened.pg.trickle.memory()
  await opened.exec(`SET pgtrickle.memory_limit = '${Math.floor((used * 100) / percent)}'`)
}

/** Makes the guard give back what it can. */
async function giveBack(): Promise<void> {
  const opened = lab as Lab
  await use(opened, 99)
  await expect(opened.pg.trickle.createStreamTable('refused', 'SELECT 1')).rejects.toMatchObject({ code: '53200' })
  await opened.exec('RESET pgtrickle.memory_limit')
}

const many = Array.from({ length: 12 }, (_, n) => n)
const query = (n: number) => `SELECT k, count(*) AS n, sum(v + ${n}) AS s FROM t GROUP BY k`

describe('what there is', () => {
  test('the limit is that of PGlite, the setting, or the option, whichever is lowest', async () => {
    const { pg } = await open()
    const limit = async () => (await pg.trickle.memory()).limit
    expect(await limit()).toBe(2048 * MEGABYTE)
    await pg.exec(`SET pgtrickle.memory_limit = '512MB'`)
    expect(await limit()).toBe(512 * MEGABYTE)
    expect((await pg.query('SHOW pgtrickle.memory_limit')).rows).toEqual([{ 'pgtrickle.memory_limit': '512MB' }])
    await pg.exec(`SET pgtrickle.memory_limit = '4GB'`)
    expect(await limit()).toBe(2048 * MEGABYTE)

    const options = { memoryLimit: 300 * MEGABYTE }
    const other = (await openWith({ trickle: createTrickle(options) })) as Database
    try {
      await other.exec('DISCARD ALL')
      expect((await other.trickle.memory()).limit).toBe(options.memoryLimit)
      await other.exec(`SET pgtrickle.memory_limit = '512MB'`)
      expect((await other.trickle.memory()).limit).toBe(options.memoryLimit)
    } finally {
      await other.close()
    }
  })

  test('what is in use lies between what contexts have and the memory', async () => {
    const { pg } = await open()
    const { used } = await pg.trickle.memory()
    const { rows } = await pg.query<{ n: number }>(
      'SELECT sum(total_bytes)::float8 AS n FROM pg_backend_memory_contexts',
    )
    expect(used).toBeGreaterThan(rows[0]?.n ?? Infinity)
    expect(used).toBeLessThanOrEqual((pg as unknown as { Module: { HEAPU8: Uint8Array } }).Module.HEAPU8.length)
  })

  test('stream tables take memory once they are used', async () => {
    const { pg, exec, run, create } = bound(await open())
    await create('used', query(1))
    await create('rests', 'SELECT id FROM t')
    const before = await pg.trickle.memory()
    expect(before.streamTables.map(({ schema, name }) => `${schema}.${name}`)).toEqual(['public.rests', 'public.used'])
    await run('UPDATE t SET v = v + 1')
    const after = await pg.trickle.memory()
    expect(after.streamTables[0]).toMatchObject({ schema: 'public', name: 'used' })
    expect(after.streamTables[0]?.bytes).toBeGreaterThan(20_000)
    expect(after.plans).toBeGreaterThan(20_000)
    expect(after.plans).toBeLessThan(after.planLimit)
    expect(await exec(`SELECT m.limit, used, plans, plan_limit, stream_tables FROM pgtrickle.memory() m`)).toHaveLength(
      1,
    )
    // Also for those who may not set the limit.
    await exec('CREATE ROLE guest; SET ROLE guest')
    expect((await pg.trickle.memory()).limit).toBe(after.limit)
    for (const sql of [`SET pgtrickle.memory_limit = '1GB'`, `SELECT pgtrickle.command('memory_limit', '1')`]) {
      await expect(pg.exec(sql)).rejects.toMatchObject({ code: '42501' })
    }
    await exec('RESET ROLE; DROP ROLE guest')
  })
})

describe('near the limit', () => {
  test('no stream table is made above 80 %, and dropping makes room', async () => {
    const { pg, run, create } = bound(await open())
    await create('first', query(1))
    await run('UPDATE t SET v = v + 1')
    await use(lab as Lab, 85)
    const error = await pg.trickle.createStreamTable('second', query(2)).then(
      () => undefined,
      (thrown: unknown) => thrown as TrickleError,
    )
    expect(error).toMatchObject({ code: '53200', streamTable: 'second' })
    expect(error?.message).toMatch(
      /^no memory for the stream table public\.second: [\d.]+ MB of [\d.]+ MB are in use, more than 80 %$/,
    )
    expect((error?.cause as { detail?: string }).detail).toMatch(
      /^PGlite itself, with shared_buffers, takes [\d.]+ MB; the caches .* pg_trickle [\d.]+ MB\./,
    )
    expect(error?.hint).toMatch(/^Drop stream tables .* memoryLimit/)
    expect(await pg.trickle.listStreamTables()).toHaveLength(1)
    // What is there goes on.
    await run('INSERT INTO t VALUES (100, 1, 1); UPDATE t SET v = v + 1; DELETE FROM t WHERE id = 100')
    await use(lab as Lab, 70)
    await create('second', query(2))
    await run('UPDATE t SET v = v + 1')
  })

  test('above 95 %, rows can be deleted and stream tables dropped, and nothing is added', async () => {
    const { pg, run, fails, create, exec } = bound(await open())
    await create('sums', query(1))
    await run('UPDATE t SET v = v + 1')
    await use(lab as Lab, 99)
    for (const sql of [`INSERT INTO t VALUES (200, 1, 1)`, 'UPDATE t SET v = 0']) {
      expect(await fails(sql), sql).toMatchObject({
        code: '53200',
        message: expect.stringMatching(/more than 95 %$/) as string,
      })
    }
    await run('DELETE FROM t WHERE id = 1')
    await exec('BEGIN; DELETE FROM t WHERE id = 2; ROLLBACK')
    await run('TRUNCATE t')
    lab?.forget('sums')
    await pg.trickle.dropStreamTable('sums')
    await exec('INSERT INTO t VALUES (200, 1, 1)')
    await exec('RESET pgtrickle.memory_limit')
    await create('sums', query(1))
    await run('UPDATE t SET v = v + 1')
  })
})

test(
  'what PostgreSQL remembers of the columns of dropped stream tables is given back',
  { timeout: 120_000 },
  async () => {
    const { pg, exec } = bound(await open())
    const columns = Array.from({ length: 200 }, (_, n) => `c${n} int DEFAULT ${n}`)
    await exec(`CREATE TABLE wide (id int PRIMARY KEY, ${columns.join(', ')}); INSERT INTO wide (id) VALUES (1)`)
    /** What the cache holds of what the guard cannot give back. */
    const cache = async () => {
      await giveBack()
      const [row] = await exec(
        "SELECT used_bytes::int AS bytes FROM pg_backend_memory_contexts WHERE name = 'CacheMemoryContext'",
      )
      return Number(row?.bytes)
    }
    const round = async () => {
      for (const n of many) await pg.trickle.createStreamTable(`wide_${n}`, 'SELECT * FROM wide')
      await exec('UPDATE wide SET c1 = c1 + 1')
      for (const n of many) await pg.trickle.dropStreamTable(`wide_${n}`)
    }
    await round()
    const before = await cache()
    await round()
    // It notes 140 bytes for each column of a table that was planned.
    expect((await cache()) - before).toBeLessThan(100_000)
  },
)

describe('plans', () => {
  test('above the budget, those that have not run for longest are given back', async () => {
    const { pg, run, create, exec } = bound(await open())
    for (const n of many) await create(`s${n}`, query(n))
    await run('UPDATE t SET v = v + 1')
    const { plans } = await pg.trickle.memory()
    await exec(`SET pgtrickle.plan_memory = '${Math.floor(plans / 3)}'`)
    await run('INSERT INTO t VALUES (300, 1, 1)')
    const trimmed = await pg.trickle.memory()
    // One program may come on top.
    expect(trimmed.plans).toBeLessThan((plans / 3) * 1.4)
    expect(trimmed.plans).toBeGreaterThan(0)
    for (const round of many) await run(`UPDATE t SET v = v + ${round} WHERE id < 4; DELETE FROM t WHERE id = ${round}`)
    expect((await pg.trickle.memory()).plans).toBeLessThan((plans / 3) * 1.4)
  })

  test.each([
    ['a join', 'SELECT u.k, count(*) AS n, sum(t.v) AS s FROM t JOIN u ON u.id = t.k GROUP BY u.k'],
    ['windows', 'SELECT id, sum(v) OVER (PARTITION BY k) AS s FROM t'],
    ['LIMIT', 'SELECT id, v FROM t ORDER BY v, id LIMIT 3'],
  ])('one serves INSERT, UPDATE and DELETE: %s', async (name, sql) => {
    const { pg, run, create, exec } = bound(await open())
    await exec('CREATE TABLE u (id int PRIMARY KEY, k int); INSERT INTO u SELECT n, n % 2 FROM generate_series(0, 2) n')
    await create('shared', sql)
    const plans = async () => (await pg.trickle.memory()).plans
    const empty = await plans()
    await run('INSERT INTO t VALUES (300, 1, 1)')
    const after = await plans()
    expect(after, name).toBeGreaterThan(empty)
    await run('UPDATE t SET v = -2 WHERE id = 300')
    await run('DELETE FROM t WHERE id = 300')
    expect(await plans()).toBe(after)
  })

  test('near the limit they are given back before anything fails', async () => {
    const { pg, exec, run, create } = bound(await open())
    for (const n of many) await create(`s${n}`, query(n))
    await run('UPDATE t SET v = v + 1')
    // Without the function's own plan.
    const [row] = await exec(`SELECT pgtrickle.command('memory') AS json`)
    const { plans, used } = JSON.parse(String(row?.json)) as { plans: number; used: number }
    // The plans are what is above 80 %.
    await exec(`SET pgtrickle.memory_limit = '${Math.floor((used - plans * 0.7) / 0.8)}'`)
    await create('another', 'SELECT id, v FROM t')
    expect((await pg.trickle.memory()).plans).toBeLessThan(plans / 2)
    await run('UPDATE t SET v = v + 1')
  })
})

const rounds = Number(process.env.ROUNDS ?? 60)
test('creating, changing and dropping takes nothing', { timeout: 60_000 + rounds * 1000 }, async () => {
  const { pg, exec, run } = bound(await open())
  const round = async (n: number) => {
    await exec(`SELECT pgtrickle.create_stream_table('again', '${query(n)}')`)
    await run(`UPDATE t SET v = v + 1; INSERT INTO t VALUES (1000, 1, 1); DELETE FROM t WHERE id = 1000`)
    await exec(`SELECT pgtrickle.drop_stream_table('again')`)
  }
  const used = async () => {
    await giveBack()
    return (await pg.trickle.memory()).used
  }
  for (let n = 0; n < 60; n++) await round(n)
  const before = await used()
  for (let n = 0; n < rounds; n++) {
    await round(n)
    // PostgreSQL deletes the files of what was dropped then, and remembers them until then.
    if (n % 50 === 0) await exec('CHECKPOINT')
  }
  const after = await used()
  console.log(`${rounds} rounds: ${after - before} bytes more`)
  expect(after - before).toBeLessThan(0.3 * MEGABYTE)
})

/** The methods of a lab, as functions. */
function bound(opened: Lab) {
  return {
    pg: opened.pg,
    exec: opened.exec.bind(opened),
    run: opened.run.bind(opened),
    fails: opened.fails.bind(opened),
    create: opened.create.bind(opened),
  }
}
