/** The methods of `pg.trickle` and `tx.trickle` inside `pg.transaction`. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TransactionTrickle, TrickleError } from '../dist/index.js'
import { openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'

let pg: Database
beforeAll(async () => {
  pg = await openDatabase()
})
afterAll(() => pg.close())
beforeEach(async () => {
  await pg.exec('DROP TABLE IF EXISTS t CASCADE; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)')
})

const QUERY = 'SELECT id FROM t WHERE id > 1'
/** PGlite under test may have the types of an older release, which the plugin's types do not extend. */
const trickleOf = (tx: object) => (tx as { trickle: TransactionTrickle }).trickle
const names = async () => (await pg.trickle.listStreamTables()).map(({ name }) => name)
const refused = (method: string) => ({
  code: '25001',
  message: `pg.trickle.${method} was called inside pg.transaction`,
})

describe('tx.trickle', () => {
  it('creates, lists and drops inside the transaction', async () => {
    await pg.transaction(async (tx) => {
      const trickle = trickleOf(tx)
      await trickle.createStreamTable('st', QUERY)
      await tx.query('INSERT INTO t VALUES (3)')
      expect((await tx.query('SELECT * FROM st ORDER BY id')).rows).toEqual([{ id: 2 }, { id: 3 }])
      expect(await trickle.verifyStreamTable('st')).toEqual({ ok: true, missing: 0, extra: 0 })
      expect((await trickle.listStreamTables()).map(({ name }) => name)).toEqual(['st'])
      await trickle.alterStreamTable('st', 'SELECT id FROM t')
    })
    expect((await pg.query('SELECT * FROM st')).rows).toHaveLength(3)
    await pg.transaction((tx) => trickleOf(tx).dropStreamTable('st'))
    expect(await names()).toEqual([])
  })

  it('is undone by a rollback', async () => {
    await pg.transaction(async (tx) => {
      await trickleOf(tx).createStreamTable('st', QUERY)
      await tx.rollback()
    })
    expect(await names()).toEqual([])
  })

  it('is of no use after the transaction', async () => {
    let kept: TransactionTrickle | undefined
    await pg.transaction((tx) => Promise.resolve((kept = trickleOf(tx))))
    await expect(kept?.listStreamTables()).rejects.toThrow('Transaction is closed')
  })

  it('does not subscribe', async () => {
    await pg.trickle.createStreamTable('st', QUERY)
    const trickle = await pg.transaction((tx) =>
      Promise.resolve({ trickle: tx as unknown as { trickle: typeof pg.trickle } }),
    )
    await expect(trickle.trickle.trickle.subscribe('st', () => {})).rejects.toMatchObject({
      code: '25001',
      streamTable: 'st',
      hint: 'Call it before or after the transaction.',
    })
    await expect(trickle.trickle.trickle.live('st')).rejects.toMatchObject({ code: '25001' })
  })
})

describe('pg.trickle inside the callback', () => {
  it.each([
    ['at once', () => Promise.resolve()],
    ['after a query', (tx: { query(sql: string): Promise<unknown> }) => tx.query('SELECT 1')],
    ['after a failed query', (tx: { query(sql: string): Promise<unknown> }) => tx.query('SELECT nope').catch(() => {})],
    ['after exec', (tx: { exec(sql: string): Promise<unknown> }) => tx.exec('SELECT 1; SELECT 2')],
    ['after a method of tx.trickle', (tx: object) => trickleOf(tx).listStreamTables()],
  ])('fails, %s', async (when, before) => {
    const run = pg.transaction(async (tx) => {
      if (when === 'after a failed query') {
        try {
          await tx.query('SELECT nope')
        } catch {
          await pg.trickle.listStreamTables()
        }
      }
      if (when !== 'at once') await before(tx)
      await pg.trickle.createStreamTable('st', QUERY)
    })
    const method = when === 'after a failed query' ? 'listStreamTables' : 'createStreamTable'
    await expect(run).rejects.toMatchObject({
      ...refused(method),
      hint: expect.stringContaining(`call tx.trickle.${method}`) as string,
    })
    expect(await names()).toEqual([])
  })

  it('fails for subscribe and live too', async () => {
    await pg.trickle.createStreamTable('st', QUERY)
    const subscribe = pg.transaction(async (tx) => {
      await tx.query('SELECT 1')
      await pg.trickle.subscribe('st', () => {})
    })
    await expect(subscribe).rejects.toMatchObject({ ...refused('subscribe'), streamTable: 'st' })
    await expect(pg.transaction(() => pg.trickle.live('st'))).rejects.toMatchObject(refused('live'))
  })

  it('fails after a while where nothing tells that it comes from the callback', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
    try {
      const run = pg.transaction(async (tx) => {
        await Promise.all([tx.query('SELECT 1'), Promise.resolve()])
        await new Promise((resolve) => setTimeout(resolve, 10))
        await pg.trickle.createStreamTable('st', QUERY)
      })
      let ended = false
      const failure = run.catch((error: TrickleError) => error).finally(() => (ended = true))
      while (!ended) {
        await new Promise((resolve) => setImmediate(resolve))
        await vi.advanceTimersByTimeAsync(100)
      }
      expect(await failure).toMatchObject({
        code: '25001',
        message: 'pg.trickle.createStreamTable waited for a transaction that has run no statement for 5 seconds',
      })
    } finally {
      vi.useRealTimers()
    }
    expect(await names()).toEqual([])
  })
})

describe('pg.trickle beside a transaction', () => {
  it('waits on where all stood still for longer than it has patience', async () => {
    let opened = () => {}
    const isOpen = new Promise<void>((resolve) => (opened = resolve))
    const run = pg.transaction(async (tx) => {
      opened()
      await new Promise((resolve) => setTimeout(resolve, 10))
      const end = performance.now() + 6000
      while (performance.now() < end);
      await new Promise((resolve) => setTimeout(resolve, 10))
      await tx.query('SELECT 1')
    })
    await isOpen
    await pg.trickle.createStreamTable('st', QUERY)
    await run
    expect(await names()).toEqual(['st'])
  })

  it('waits for its end', async () => {
    const done: string[] = []
    let opened = () => {}
    const isOpen = new Promise<void>((resolve) => (opened = resolve))
    const run = pg.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (3)')
      opened()
      await new Promise((resolve) => setTimeout(resolve, 50))
      await tx.query('INSERT INTO t VALUES (4)')
      done.push('transaction')
    })
    await isOpen
    await pg.trickle.createStreamTable('st', QUERY)
    done.push('create')
    await run
    expect(done).toEqual(['transaction', 'create'])
    expect((await pg.query('SELECT * FROM st')).rows).toHaveLength(3)
  })

  it('waits for one that fails, and then for none', async () => {
    const run = pg.transaction(async (tx) => {
      await tx.query('SELECT 1')
      throw new Error('given up')
    })
    await Promise.resolve()
    const created = pg.trickle.createStreamTable('st', QUERY)
    await expect(run).rejects.toThrow('given up')
    await created
    expect(await names()).toEqual(['st'])
  })

  it('leaves what a transaction returns and its statements as they are', async () => {
    const result = await pg.transaction(async (tx) => {
      expect(tx.closed).toBe(false)
      const { rows } = await tx.sql`SELECT ${7}::int AS n`
      await expect(tx.query('SELECT 1/0')).rejects.toThrow('division by zero')
      await tx.rollback()
      expect(tx.closed).toBe(true)
      return rows
    })
    expect(result).toEqual([{ n: 7 }])
  })
})
