/** The plugin's `live`, and PGlite's live queries and other features over stream tables. */
import type { LiveQuery } from '@electric-sql/pglite/live'
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import { trickle } from '../dist/index.js'
import type { LiveResults, LiveTable, TrickleExtension } from '../dist/index.js'
import { Mirror } from './support/mirror.js'
import { MODULE_NAME, openWith } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { SALES, TOTALS } from './support/sales.js'
import { eventually } from './support/eventually.js'

type Live = typeof import('@electric-sql/pglite/live')
type LiveDatabase = Database & { live: import('@electric-sql/pglite/live').LiveNamespace }

interface Total {
  shop: number
  total: string
}

const LIVE: Record<string, () => Promise<unknown>> = {
  'pglite-0.4': () => import('pglite-0.4/live'),
  'pglite-0.5': () => import('pglite-0.5/live'),
}

let pg: LiveDatabase
beforeAll(async () => {
  const { live } = (await LIVE[MODULE_NAME]?.()) as Live
  pg = (await openWith({ trickle, live: live as unknown as TrickleExtension })) as LiveDatabase
})
afterAll(() => pg.close())
beforeEach(async () => {
  await pg.exec('DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test; SET search_path = test, public')
  await pg.exec(SALES)
  await pg.trickle.createStreamTable('totals', TOTALS)
})

async function rows(): Promise<Total[]> {
  return (await pg.query<Total>('SELECT * FROM totals ORDER BY shop')).rows
}

const byShop = { compare: (a: Total, b: Total) => a.shop - b.shop }

describe('live', () => {
  it('has the shape of a live query', () => {
    expectTypeOf<LiveTable<Total>>().toExtend<LiveQuery<Total>>()
  })

  it('reports all rows, and all rows again after each change', async () => {
    const live = await pg.trickle.live<Total>('totals', byShop)
    const { rows: first, fields } = await pg.query<Total>('SELECT * FROM totals ORDER BY shop')
    expect(live.initialResults).toEqual({ rows: first, fields })
    const seen: LiveResults<Total>[] = []
    live.subscribe((results) => seen.push(results))
    await pg.exec('UPDATE sale SET amount = 1 WHERE id = 3')
    expect(seen.map((results) => results.rows)).toEqual([await rows()])
    expect(live.initialResults).toBe(seen[0])
    await pg.exec('INSERT INTO sale VALUES (4, 0, 1); DELETE FROM sale WHERE shop = 2')
    expect(seen[1]?.rows).toEqual(await rows())
    expect(seen[1]?.rows[1], 'a row that has not changed').toBe(seen[0]?.rows[0])
    await live.refresh()
    expect(seen[2]).toBe(seen[1])
    await live.unsubscribe()
    await pg.exec('DELETE FROM sale')
    expect(seen).toHaveLength(3)
  })

  it('ends with its last callback and starts again with the next', async () => {
    const live = await pg.trickle.live<Total>('totals', byShop)
    const [one, two] = [vi.fn(), vi.fn()]
    live.subscribe(one)
    // React's StrictMode does this.
    const ending = live.unsubscribe(one)
    live.subscribe(two)
    await ending
    await pg.exec('UPDATE sale SET amount = 1 WHERE id = 3')
    expect(one).not.toHaveBeenCalled()
    expect(two).toHaveBeenCalledTimes(1)
    await live.unsubscribe(two)
    await pg.exec('UPDATE sale SET amount = 2 WHERE id = 3')
    expect(two).toHaveBeenCalledTimes(1)
    live.subscribe(one)
    await eventually(() => expect(one).toHaveBeenCalledTimes(1))
    expect(one).toHaveBeenLastCalledWith(expect.objectContaining({ rows: await rows() }))
    await live.unsubscribe()
  })

  it('goes on after an error in a callback, and still calls the other callbacks', async () => {
    const onError = vi.fn()
    const live = await pg.trickle.live<Total>('totals', { ...byShop, onError })
    const broken = vi.fn(() => {
      throw new Error('from the callback')
    })
    const other = vi.fn()
    live.subscribe(broken)
    live.subscribe(other)
    await pg.exec('UPDATE sale SET amount = 1 WHERE id = 3')
    expect(other).toHaveBeenCalledExactlyOnceWith(live.initialResults)
    expect(onError).toHaveBeenCalledTimes(1)
    expect(onError.mock.lastCall?.[0]).toMatchObject({ streamTable: 'totals', cause: new Error('from the callback') })
    await live.refresh()
    expect(other).toHaveBeenCalledTimes(2)
    await live.unsubscribe(broken)
    await pg.exec('UPDATE sale SET amount = 2 WHERE id = 3')
    expect([broken, other, onError].map((called) => called.mock.calls.length)).toEqual([2, 3, 2])
    await live.unsubscribe()
  })

  it('can be subscribed to again when its stream table was dropped and created again', async () => {
    const query = 'SELECT shop, sum(amount) AS total FROM sale GROUP BY shop'
    const onError = vi.fn()
    const live = await pg.trickle.live<Total>('totals', { ...byShop, onError })
    const seen = vi.fn()
    live.subscribe(seen)
    await pg.trickle.dropStreamTable('totals')
    await eventually(() => expect(onError).toHaveBeenCalledTimes(1))
    live.subscribe(seen)
    await eventually(() => expect(onError).toHaveBeenCalledTimes(2))
    expect(onError.mock.calls).toMatchObject([[{ code: '42P01' }], [{ code: '42P01' }]])
    await live.unsubscribe()
    expect(seen).not.toHaveBeenCalled()

    await pg.trickle.createStreamTable('totals', query)
    await pg.exec('DELETE FROM sale WHERE shop = 1')
    live.subscribe(seen)
    await eventually(() => expect(seen).toHaveBeenCalledTimes(1))
    expect(live.initialResults.rows).toEqual(await rows())
    await pg.exec('INSERT INTO sale VALUES (4, 4, 4)')
    expect(seen).toHaveBeenCalledTimes(2)
    expect(live.initialResults.rows).toEqual(await rows())
    await live.unsubscribe()
  })

  it('refuses anything but a stream table', async () => {
    await expect(pg.trickle.live('sale')).rejects.toMatchObject({ code: '42809' })
  })
})

describe('over a stream table', () => {
  it('live.query, live.incrementalQuery and live.changes see every change', async () => {
    const query = 'SELECT shop, total FROM totals ORDER BY shop'
    const seen = { query: [] as unknown[], incremental: [] as unknown[], changes: [] as unknown[] }
    const live = await pg.live.query(query, [], (results) => seen.query.push(results.rows))
    const incremental = await pg.live.incrementalQuery(query, [], 'shop', (results) =>
      seen.incremental.push(results.rows),
    )
    const changes = await pg.live.changes(query, [], 'shop', (results) => seen.changes.push(results))
    expect(live.initialResults.rows).toEqual(await rows())
    const mirror = await Mirror.open(pg, 'totals')
    await pg.exec('UPDATE sale SET amount = 1 WHERE id = 3')
    const after = await rows()
    await eventually(() => {
      expect(seen.query.at(-1)).toEqual(after)
      expect(seen.incremental.at(-1)).toEqual(after)
      expect(seen.changes.at(-1)).toMatchObject([{ __op__: 'UPDATE', shop: 2, total: '1.00' }])
    })
    await mirror.check()
    for (const one of [live, incremental, changes]) await one.unsubscribe()
    await pg.exec('DELETE FROM sale WHERE id = 3')
    await mirror.check()
    await mirror.end()
  })

  it('changes made through pg.sql and pg.transaction are reported', async () => {
    const mirror = await Mirror.open(pg, 'totals')
    await pg.sql`INSERT INTO sale VALUES (${4}, ${3}, ${2})`
    await mirror.check()
    expect(mirror.rows.size).toBe(3)
    mirror.takeChanges()
    await pg.transaction(async (tx) => {
      await tx.query('UPDATE sale SET amount = 9 WHERE id = 4')
      await tx.sql`DELETE FROM sale WHERE shop = ${1}`
      expect(mirror.calls).toEqual([])
    })
    expect(mirror.calls).toHaveLength(1)
    await mirror.check()
    await pg
      .transaction(async (tx) => {
        await tx.exec('DELETE FROM sale')
        throw new Error('no')
      })
      .catch(() => undefined)
    await pg.transaction(async (tx) => {
      await tx.exec('DELETE FROM sale')
      await tx.rollback()
    })
    expect(mirror.calls).toHaveLength(1)
    await mirror.check()
    await mirror.end()
  })

  it('pg.listen receives the notifications of a transaction with changes', async () => {
    const payloads: string[] = []
    const stop = await pg.listen('news', (payload) => payloads.push(payload))
    const mirror = await Mirror.open(pg, 'totals')
    await pg.exec("BEGIN; DELETE FROM sale WHERE id = 3; NOTIFY news, 'gone'; COMMIT")
    await eventually(() => expect(payloads).toEqual(['gone']))
    await mirror.check()
    await mirror.end()
    await stop()
  })
})
