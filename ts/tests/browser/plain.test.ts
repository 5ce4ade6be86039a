/** The plugin in a page built by Vite with its defaults, on the newest PGlite of both lines. */
import { describe, expect } from 'vitest'
import { test } from './support/browser.js'
import { testApp } from './support/site.js'
import { useSite } from './support/use-site.js'
import './apps/database.js'

const TOTALS = 'SELECT customer_id, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer_id'

/** PGlite 0.4 believes that it runs in Node when `process.env` exists, and Vite replaces that expression with `{}`. */
const NO_PROCESS = { 'globalThis.process.env': 'undefined' }

describe.each([
  ['pglite-0.4', '17', NO_PROCESS],
  ['pglite-0.5', '18', {}],
])('%s', (pglite, major, define) => {
  const site = useSite(testApp('plain'), { pglite, define })

  test('a stream table is created, kept up to date, and read', async ({ page }) => {
    await page.goto(site.url)
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
    await page.evaluate(() => openDatabase())
    const version = await page.evaluate(async () => (await pg.query('SHOW server_version_num')).rows)
    expect(version).toEqual([{ server_version_num: expect.stringMatching(`^${major}`) }])

    await page.evaluate(async (query) => {
      await pg.exec('CREATE TABLE orders (id int PRIMARY KEY, customer_id int, amount numeric(10,2))')
      await pg.trickle.createStreamTable('totals', query)
    }, TOTALS)
    const changes = [
      'INSERT INTO orders SELECT i, i % 7, i * 1.25 FROM generate_series(1, 1000) i',
      'UPDATE orders SET customer_id = 3, amount = amount + 1 WHERE id % 50 = 0',
      'DELETE FROM orders WHERE customer_id = 2',
    ]
    for (const sql of changes) {
      await page.evaluate((sql) => pg.exec(sql), sql)
      expect(await page.evaluate((query) => difference('totals', query), TOTALS), sql).toEqual([])
    }
    const rows = await page.evaluate(async () => (await pg.query('SELECT * FROM totals WHERE customer_id < 4')).rows)
    expect(rows).toHaveLength(3)
    expect(rows).toContainEqual({ customer_id: 0, orders: 140, total: expect.any(String) })
  })

  test('an error in maintenance aborts the statement, and the database keeps working', async ({ page }) => {
    await page.goto(site.url)
    const code = await page.evaluate(async () => {
      await openDatabase()
      await pg.exec('CREATE TABLE n (id int PRIMARY KEY, d int)')
      await pg.trickle.createStreamTable('inverse', 'SELECT id, 1 / d AS q FROM n')
      await pg.exec('INSERT INTO n VALUES (1, 1)')
      return pg.exec('INSERT INTO n VALUES (2, 0)').then(
        () => 'no error',
        (error: { code: string }) => error.code,
      )
    })
    expect(code).toBe('22012')
    await page.evaluate(() => pg.exec('INSERT INTO n VALUES (3, 1)'))
    expect(await page.evaluate(async () => (await pg.query('SELECT id FROM inverse ORDER BY id')).rows)).toEqual([
      { id: 1 },
      { id: 3 },
    ])
  })
})
