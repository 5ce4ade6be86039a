/** Stream tables in IndexedDB survive a reload, together with their maintenance. */
import { expect } from 'vitest'
import { test } from './support/browser.js'
import { testApp } from './support/site.js'
import { useSite } from './support/use-site.js'
import './apps/database.js'

const BY_CATEGORY =
  'SELECT p.category, count(*) AS sales, max(s.price) AS dearest FROM sale s JOIN product p ON p.id = s.product_id GROUP BY p.category'
const RANKED = 'SELECT id, rank() OVER (PARTITION BY product_id ORDER BY price DESC) AS place FROM sale'

const site = useSite(testApp('plain'))

test('stream tables survive a reload and are maintained after it', async ({ page }) => {
  await page.goto(site.url)
  const open = () => page.evaluate(() => openDatabase('idb://shop'))
  const check = async (when: string) => {
    expect(await page.evaluate((query) => difference('by_category', query), BY_CATEGORY), when).toEqual([])
    expect(await page.evaluate((query) => difference('ranked', query), RANKED), when).toEqual([])
  }
  await open()
  await page.evaluate(
    async ([byCategory, ranked]) => {
      await pg.exec(`
        CREATE TABLE product (id int PRIMARY KEY, category text);
        CREATE TABLE sale (id int PRIMARY KEY, product_id int REFERENCES product, price numeric(8,2));
        INSERT INTO product SELECT i, 'category ' || i % 3 FROM generate_series(1, 9) i;
        INSERT INTO sale SELECT i, 1 + i % 9, i % 100 FROM generate_series(1, 500) i;`)
      await pg.trickle.createStreamTable('by_category', byCategory)
      await pg.trickle.createStreamTable('ranked', ranked)
    },
    [BY_CATEGORY, RANKED] as const,
  )
  await page.evaluate(() => pg.exec('DELETE FROM sale WHERE id % 10 = 0'))
  await check('before the reload')

  await page.reload()
  await open()
  const names = await page.evaluate(async () => (await pg.trickle.listStreamTables()).map(({ name }) => name).sort())
  expect(names).toEqual(['by_category', 'ranked'])
  expect(await page.evaluate(async () => (await pg.query('SELECT count(*)::int AS n FROM ranked')).rows)).toEqual([
    { n: 450 },
  ])
  await check('after the reload')
  for (const sql of [
    'INSERT INTO sale VALUES (1000, 4, 1000), (1001, 5, 0.01)',
    "UPDATE product SET category = 'category 9' WHERE id < 3",
    'DELETE FROM sale WHERE product_id = 3',
  ]) {
    await page.evaluate((sql) => pg.exec(sql), sql)
    await check(sql)
  }

  await page.reload()
  await open()
  await check('after a second reload')
  const dearest = await page.evaluate(async () => (await pg.query('SELECT max(dearest)::int FROM by_category')).rows)
  expect(dearest).toEqual([{ max: 1000 }])
})
