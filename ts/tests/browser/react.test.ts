/** `useStreamTable` in a browser, with the real React and the real PGlite. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/browser.js'
import { testApp } from './support/site.js'
import { useSite } from './support/use-site.js'
import type {} from './apps/react/main.js'

const site = useSite(testApp('react'))

/** A list on the page: its rows, and the numbers of their objects. */
interface ListState {
  state: string
  count: number
  rows: Record<string, unknown>[]
  objects: number[]
}

const readList = (page: Page, id: string): Promise<ListState> =>
  page.locator(`#${id}`).evaluate((list) => ({
    state: list.dataset.state ?? '',
    count: Number(list.dataset.count),
    rows: Array.from(list.children, (row) => JSON.parse(row.textContent ?? '') as Record<string, unknown>),
    objects: Array.from(list.children, (row) => Number((row as HTMLElement).dataset.object)),
  }))

/** Waits until a list has this number of rows. */
async function until(page: Page, id: string, count: number): Promise<ListState> {
  await page.locator(`#${id}[data-state=live][data-count="${count}"]`).waitFor({ state: 'attached' })
  return readList(page, id)
}

async function open(page: Page): Promise<void> {
  await page.goto(site.url)
  await page.evaluate(async () => {
    await openDatabase()
    await pg.exec(`
      CREATE TABLE product (id int PRIMARY KEY, name text);
      CREATE TABLE sale (id int PRIMARY KEY, product_id int, price numeric(8,2));
      INSERT INTO product VALUES (1, 'Tea'), (2, 'Cup'), (3, 'Pot');
      INSERT INTO sale VALUES (1, 1, 4.00), (2, 1, 3.50), (3, 2, 9.00), (4, 3, 20.00);`)
    await pg.trickle.createStreamTable(
      'revenue',
      `SELECT p.name, sum(s.price) AS total FROM sale s JOIN product p ON p.id = s.product_id
       GROUP BY p.name ORDER BY total DESC, p.name`,
    )
    await pg.trickle.createStreamTable(
      'places',
      'SELECT id, rank() OVER (PARTITION BY product_id ORDER BY price) AS place FROM sale',
    )
  })
}

test('rows follow the changes in the order of the stream table, and unchanged rows stay the same objects', async ({
  page,
}) => {
  await open(page)
  await page.evaluate(() => show({ revenue: { name: 'revenue' } }))
  const before = await until(page, 'revenue', 3)
  expect(before.rows).toEqual([
    { name: 'Pot', total: '20.00' },
    { name: 'Cup', total: '9.00' },
    { name: 'Tea', total: '7.50' },
  ])
  await page.evaluate(() => pg.exec("INSERT INTO product VALUES (4, 'Jug'); INSERT INTO sale VALUES (5, 4, 8.00)"))
  await page.evaluate(() => pg.query('UPDATE sale SET price = 30 WHERE id = 1'))
  await page.locator('#revenue p').first().filter({ hasText: 'Tea' }).waitFor()
  const after = await until(page, 'revenue', 4)
  expect(after.rows.map(({ name }) => name)).toEqual(['Tea', 'Pot', 'Cup', 'Jug'])
  expect([after.objects[1], after.objects[2]]).toEqual([before.objects[0], before.objects[1]])
  expect(before.objects).not.toContain(after.objects[0])
})

test('a rolled-back transaction renders nothing', async ({ page }) => {
  await open(page)
  await page.evaluate(() => show({ revenue: { name: 'revenue' } }))
  await until(page, 'revenue', 3)
  const drawn = await page.evaluate(() => globalThis.drawn)
  await page.evaluate(async () => {
    await pg.transaction(async (tx) => {
      await tx.query('DELETE FROM sale')
      await tx.rollback()
    })
    await pg.query('INSERT INTO product VALUES (9, $1)', ['Unsold'])
  })
  await page.evaluate(() => new Promise((done) => setTimeout(done, 100)))
  expect(await page.evaluate(() => globalThis.drawn)).toEqual(drawn)
})

test('a list that mounts again has its rows at once, and two lists share a subscription', async ({ page }) => {
  await open(page)
  await page.evaluate(() => show({ one: { name: 'revenue' }, two: { name: 'revenue', where: { name: 'Tea' } } }))
  await until(page, 'one', 3)
  const before = await until(page, 'two', 1)
  await page.evaluate(() => show({}))
  await page.locator('#one').waitFor({ state: 'detached' })
  await page.evaluate(() => pg.query('UPDATE sale SET price = 5 WHERE id = 3'))
  const states = await page.evaluate(async () => {
    const seen: string[] = []
    new MutationObserver(() => {
      const list = document.getElementById('one')
      if (list) seen.push(`${list.dataset.state} ${list.dataset.count}`)
    }).observe(document.body, { childList: true, subtree: true, attributes: true })
    show({ one: { name: 'revenue' }, two: { name: 'revenue', where: { name: 'Tea' } } })
    while (!document.body.textContent.includes('5.00')) await new Promise((done) => setTimeout(done, 20))
    return seen
  })
  expect(new Set(states)).toEqual(new Set(['live 3']))
  const one = await until(page, 'one', 3)
  expect(one.rows.find(({ name }) => name === 'Cup')).toEqual({ name: 'Cup', total: '5.00' })
  expect((await until(page, 'two', 1)).objects).toEqual(before.objects)
})

test('a missing stream table is an error until it is created', async ({ page }) => {
  await open(page)
  await page.evaluate(() => show({ later: { name: 'later' }, revenue: { name: 'revenue' } }))
  await page.locator('#later[data-state="42P01"]').waitFor({ state: 'attached' })
  await page.evaluate(() => pg.trickle.createStreamTable('later', 'SELECT id FROM sale'))
  await page.locator('#later').dispatchEvent('click')
  await until(page, 'later', 4)
  await page.evaluate(() => pg.trickle.dropStreamTable('later'))
  await page.locator('#later[data-state="42P01"]').waitFor({ state: 'attached' })
  expect((await readList(page, 'later')).count).toBe(4)
  expect((await readList(page, 'revenue')).state).toBe('live')
})

test('the stream table gets another query', async ({ page }) => {
  await open(page)
  await page.evaluate(() => show({ revenue: { name: 'revenue' } }))
  await until(page, 'revenue', 3)
  await page.evaluate(() =>
    pg.trickle.createStreamTable('revenue', 'SELECT id, price FROM sale WHERE price < 10 ORDER BY price', {
      orReplace: true,
    }),
  )
  await page.locator('#revenue p').first().filter({ hasText: '"id":2' }).waitFor()
  await page.evaluate(() => pg.query('INSERT INTO sale VALUES (7, 1, 3.75)'))
  const { rows } = await until(page, 'revenue', 4)
  expect(rows.map(({ id }) => id)).toEqual([2, 7, 1, 3])
})

test('a stream table with a window function: with a key, a changed row keeps its place', async ({ page }) => {
  await open(page)
  await page.evaluate(() => show({ places: { name: 'places', key: 'id' } }))
  const before = await until(page, 'places', 4)
  expect(before.rows).toContainEqual({ id: 1, place: 2 })
  await page.evaluate(() => pg.query('UPDATE sale SET price = 1 WHERE id = 1'))
  await page.locator('#places p').filter({ hasText: '{"id":1,"place":1}' }).waitFor()
  const after = await readList(page, 'places')
  expect(after.rows.map(({ id }) => id)).toEqual(before.rows.map(({ id }) => id))
  const object = ({ rows, objects }: ListState, wanted: number) => objects[rows.findIndex(({ id }) => id === wanted)]
  expect(object(after, 3)).toBe(object(before, 3))
  expect(object(after, 1)).not.toBe(object(before, 1))
})

test('10,000 rows changed by one statement', async ({ page }) => {
  await open(page)
  await page.evaluate(() => show({ places: { name: 'places', orderBy: ['id'] } }))
  await until(page, 'places', 4)
  await page.evaluate(() => pg.query('INSERT INTO sale SELECT i, i % 500, i FROM generate_series(10, 10009) i'))
  await until(page, 'places', 10_004)
  await page.evaluate(() => pg.query('UPDATE sale SET price = -price'))
  await page.locator('#places p').nth(4).filter({ hasText: '"place":20' }).waitFor()
  const truth = await page.evaluate(async () => (await pg.query('SELECT * FROM places ORDER BY id LIMIT 100')).rows)
  expect((await until(page, 'places', 10_004)).rows).toEqual(truth)
  const drawn = await page.evaluate(() => globalThis.drawn.places)
  await page.evaluate(() => pg.query('DELETE FROM sale WHERE id >= 10'))
  await until(page, 'places', 4)
  expect(await page.evaluate(() => globalThis.drawn.places)).toBe((drawn as number) + 1)
})
