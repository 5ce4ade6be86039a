/** PGliteWorker: one database in a worker, shared by tabs. */
import type { BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/browser.js'
import { testApp } from './support/site.js'
import { useSite } from './support/use-site.js'
import './apps/database.js'

const TOTALS = 'SELECT customer_id, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer_id'

const site = useSite(testApp('worker'))

async function openTab(context: BrowserContext): Promise<Page> {
  const tab = await context.newPage()
  await tab.goto(site.url)
  await tab.evaluate(() => openDatabase('idb://shared'))
  return tab
}

test('a stream table created in one tab follows changes made in the other', async ({ context }) => {
  const first = await openTab(context)
  await first.evaluate(async (query) => {
    await pg.exec('CREATE TABLE orders (id int PRIMARY KEY, customer_id int, amount numeric(10,2))')
    await pg.trickle.createStreamTable('totals', query)
  }, TOTALS)
  const second = await openTab(context)
  expect(await second.evaluate(async () => (await pg.trickle.listStreamTables()).map(({ name }) => name))).toEqual([
    'totals',
  ])
  await second.evaluate(() => pg.exec('INSERT INTO orders VALUES (1, 7, 10.50), (2, 7, 4.00), (3, 8, 1.00)'))
  expect(await first.evaluate(async () => (await pg.query('SELECT * FROM totals ORDER BY 1')).rows)).toEqual([
    { customer_id: 7, orders: 2, total: '14.50' },
    { customer_id: 8, orders: 1, total: '1.00' },
  ])
  await first.evaluate(() => pg.exec('DELETE FROM orders WHERE id = 3'))
  expect(await second.evaluate((query) => difference('totals', query), TOTALS)).toEqual([])
  await second.evaluate(() => pg.trickle.createStreamTable('big', 'SELECT id FROM orders WHERE amount > 5'))
  await first.evaluate(() => pg.exec('UPDATE orders SET amount = amount + 3'))
  expect(await first.evaluate(() => difference('big', 'SELECT id FROM orders WHERE amount > 5'))).toEqual([])
  expect(await second.evaluate(async () => (await pg.query('SELECT count(*)::int AS n FROM big')).rows)).toEqual([
    { n: 2 },
  ])
})

test('the leading tab is closed, and the other goes on', async ({ context }) => {
  const leader = await openTab(context)
  await leader.evaluate(async (query) => {
    await pg.exec('CREATE TABLE orders (id int PRIMARY KEY, customer_id int, amount numeric(10,2))')
    await pg.trickle.createStreamTable('totals', query)
    await pg.exec('INSERT INTO orders VALUES (1, 7, 10.50)')
  }, TOTALS)
  const other = await openTab(context)
  await other.evaluate(() => pg.exec('INSERT INTO orders VALUES (2, 7, 4.00)'))
  await leader.close()
  // PGlite rejects queries that are pending when the leader changes, and leaves it to the app to retry them.
  await other.evaluate(async () => {
    for (;;) {
      try {
        return await pg.exec('INSERT INTO orders VALUES (3, 9, 2.00) ON CONFLICT DO NOTHING')
      } catch (error) {
        if (!String(error).includes('Leader changed')) throw error
      }
    }
  })
  expect(await other.evaluate((query) => difference('totals', query), TOTALS)).toEqual([])
  expect(await other.evaluate(async () => (await pg.query('SELECT * FROM totals ORDER BY 1')).rows)).toEqual([
    { customer_id: 7, orders: 2, total: '14.50' },
    { customer_id: 9, orders: 1, total: '2.00' },
  ])
})
