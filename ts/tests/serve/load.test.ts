/**
 * Clients that write, read, fail and die at random, all at once. Nothing that was committed is lost, nothing that was not
 * is there, nobody hangs, and every stream table equals its query.
 *
 * MINUTES=10 CLIENTS=20 SEED=7 make it longer: `just serve-load`.
 */
import { Client, Pool } from 'pg'
import { expect, test } from 'vitest'
import { Rng } from '../random/rng.js'
import { addressOf, served } from './support/served.js'

const SECONDS = Number(process.env.MINUTES ?? 0.15) * 60
const CLIENTS = Number(process.env.CLIENTS ?? 20)
const SEED = Number(process.env.SEED ?? 1)

/** Milliseconds after which an answer that has not come is taken for lost. */
const PATIENCE = 30_000

const SCHEMA = `
  CREATE TABLE account (id int PRIMARY KEY, branch int NOT NULL, balance int NOT NULL DEFAULT 0);
  CREATE TABLE history (id bigserial PRIMARY KEY, worker int NOT NULL, step int NOT NULL, account int NOT NULL, amount int NOT NULL);
  INSERT INTO account SELECT n, n % 10 FROM generate_series(0, 199) n;`

const STREAM_TABLES = {
  branches: 'SELECT branch, count(*) AS accounts, sum(balance) AS balance FROM account GROUP BY branch',
  movements:
    'SELECT a.branch, count(*) AS n, sum(h.amount) AS amount FROM history h JOIN account a ON a.id = h.account GROUP BY a.branch',
  top: 'SELECT id, balance FROM account ORDER BY balance DESC, id LIMIT 10',
}

/** What a worker knows: the steps that were certainly committed, and those whose answer it did not get. */
interface Worker {
  committed: Set<number>
  unknown: Set<number>
  counts: Record<string, number>
}

test(`${CLIENTS} clients for ${SECONDS} seconds`, { timeout: (SECONDS + 120) * 1000 }, async () => {
  const { pg, server } = await served({ maxConnections: CLIENTS + 10, idleInTransactionTimeout: 5000 })
  await pg.exec(SCHEMA)
  for (const [name, query] of Object.entries(STREAM_TABLES)) await pg.trickle.createStreamTable(name, query)
  const told = new Map<unknown, unknown>()
  const unsubscribe = await pg.trickle.subscribe('branches', (changes) => {
    for (const { op, row, old } of changes) {
      if (op === 'delete') told.delete((old as unknown as { branch: number }).branch)
      else told.set((row as unknown as { branch: number }).branch, row)
    }
  })
  const heard = { count: 0 }
  const listener = new Client(addressOf(server))
  await listener.connect()
  listener.on('notification', () => (heard.count += 1))
  await listener.query('LISTEN moved')

  const until = performance.now() + SECONDS * 1000
  const workers = await Promise.all(Array.from({ length: CLIENTS }, (_, n) => work(n, until, addressOf(server))))

  // The listener has heard of every transaction that was committed, in one session that never slept.
  const committed = workers.reduce((sum, { committed }) => sum + committed.size, 0)
  const unknown = workers.reduce((sum, { unknown }) => sum + unknown.size, 0)
  await listener.query('SELECT 1')
  expect(heard.count).toBeGreaterThanOrEqual(committed)
  expect(heard.count).toBeLessThanOrEqual(committed + unknown)
  await listener.end()

  const rows = (await pg.query<{ worker: number; step: number }>('SELECT worker, step FROM history')).rows
  for (const [n, { committed, unknown }] of workers.entries()) {
    const stored = new Set(rows.filter(({ worker }) => worker === n).map(({ step }) => step))
    expect([...committed].filter((step) => !stored.has(step))).toEqual([])
    expect([...stored].filter((step) => !committed.has(step) && !unknown.has(step))).toEqual([])
  }
  // Each transfer has two rows that cancel out, so the balances say whether one was stored in part.
  expect((await pg.query('SELECT sum(balance)::int AS sum FROM account')).rows).toEqual([{ sum: 0 }])
  const byHistory = `
    SELECT a.id FROM account a LEFT JOIN history h ON h.account = a.id
    GROUP BY a.id, a.balance HAVING a.balance <> coalesce(sum(h.amount), 0)`
  expect((await pg.query(byHistory)).rows).toEqual([])
  for (const name of Object.keys(STREAM_TABLES)) {
    expect(await pg.trickle.verifyStreamTable(name)).toEqual({ ok: true, missing: 0, extra: 0 })
  }
  await unsubscribe()
  const branches = (await pg.query<{ branch: number }>('SELECT * FROM branches ORDER BY branch')).rows
  expect(branches.map(({ branch }) => told.get(branch))).toEqual(branches)
  await expect.poll(() => server.connections).toBe(0)
  const left = "SELECT count(*)::int AS n FROM pg_prepared_statements WHERE NOT starts_with(name, 'pgtrickle-serve')"
  expect((await pg.query(left)).rows).toEqual([{ n: 0 }])
  const counts = workers.map(({ counts }) => counts)
  const total = (kind: string) => counts.reduce((sum, each) => sum + (each[kind] ?? 0), 0)
  console.log(
    `seed ${SEED}: ${['transfer', 'read', 'temporary', 'error', 'killed'].map((k) => `${total(k)} ${k}`).join(', ')}`,
  )
  expect(total('killed')).toBeGreaterThan(0)
})

async function work(n: number, until: number, address: object): Promise<Worker> {
  const rng = new Rng(SEED * 1000 + n)
  const worker: Worker = { committed: new Set(), unknown: new Set(), counts: {} }
  const count = (kind: string) => (worker.counts[kind] = (worker.counts[kind] ?? 0) + 1)
  const pool = new Pool({ ...address, max: 1, query_timeout: PATIENCE, connectionTimeoutMillis: PATIENCE })
  pool.on('error', () => {})
  let step = 0
  while (performance.now() < until) {
    const client = await pool.connect()
    if (client.listenerCount('error') < 3) client.on('error', () => {})
    let isBroken = false
    const kill = () => {
      count('killed')
      isBroken = true
      ;(client as unknown as { connection: { stream: import('node:net').Socket } }).connection.stream.destroy()
    }
    const what = rng.next()
    try {
      if (what < 0.6) {
        step += 1
        const [from, to, amount] = [rng.int(0, 199), rng.int(0, 199), rng.int(1, 100)]
        const dies = rng.chance(0.1) ? rng.int(0, 3) : -1
        let isCommitting = false
        try {
          await client.query('BEGIN')
          for (const [place, account, by] of [
            [0, from, -amount],
            [1, to, amount],
          ] as const) {
            if (dies === place) kill()
            await client.query({
              name: 'move',
              text: 'UPDATE account SET balance = balance + $1 WHERE id = $2',
              values: [by, account],
            })
            await client.query('INSERT INTO history (worker, step, account, amount) VALUES ($1, $2, $3, $4)', [
              n,
              step,
              account,
              by,
            ])
          }
          await client.query("SELECT pg_notify('moved', $1)", [`${n}.${step}`])
          if (dies === 2) kill()
          isCommitting = true
          const committed = client.query('COMMIT')
          if (dies === 3) kill()
          await committed
          worker.committed.add(step)
          count('transfer')
        } catch (error) {
          if (isCommitting) worker.unknown.add(step)
          if (!isBroken) throw error
        }
      } else if (what < 0.8) {
        const { rows } = await client.query({ name: 'read', text: 'SELECT sum(balance)::int AS sum FROM branches' })
        expect(rows).toEqual([{ sum: 0 }])
        count('read')
      } else if (what < 0.9) {
        await client.query(`SET app.worker = '${n}'; CREATE TEMP TABLE IF NOT EXISTS mine (n int)`)
        await client.query('INSERT INTO mine VALUES ($1)', [n])
        const { rows } = await client.query("SELECT DISTINCT n, current_setting('app.worker') AS setting FROM mine")
        expect(rows).toEqual([{ n, setting: String(n) }])
        count('temporary')
      } else {
        await client.query('BEGIN')
        await expect(client.query('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' })
        if (rng.chance(0.5)) kill()
        else await client.query('ROLLBACK')
        count('error')
      }
    } finally {
      client.release(isBroken)
    }
  }
  await pool.end()
  return worker
}
