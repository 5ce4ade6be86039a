/** One suite for the adapters of all frameworks, each in its real runtime. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/browser.js'
import { testApp } from './support/site.js'
import { useSite } from './support/use-site.js'
import type {} from './apps/adapters/main.js'

const site = useSite(testApp('adapters'))
const POLL = { timeout: 20_000, interval: 20 }

/** The list on the page: its state, its rows, and the numbers of their objects. */
const list = (page: Page) =>
  page.locator('section').evaluate((section) => ({
    state: section.dataset.state,
    count: Number(section.dataset.count),
    rows: Array.from(section.children, (row) => JSON.parse(row.textContent ?? '') as { id: number; n: number }),
    objects: Array.from(section.children, (row) => row.id),
  }))
const ids = async (page: Page) => (await list(page)).rows.map(({ id }) => id)
const run = (page: Page, sql: string) => page.evaluate((sql) => pg.exec(sql).then(() => undefined), sql)

const FRAMEWORKS = ['react', 'vue', 'svelte', 'solid', 'tanstack']

/** In one page, because opening the database takes longer than all that follows. */
test('every framework shows the rows of a stream table and follows their changes', async ({ page }) => {
  await page.goto(site.url)
  await page.evaluate(async () => {
    await openDatabase()
    await pg.exec('CREATE TABLE t (id int PRIMARY KEY, n int)')
    await pg.trickle.createStreamTable('st', 'SELECT id, n FROM t WHERE n < 100 ORDER BY id')
    await pg.trickle.createStreamTable('other', 'SELECT id, n FROM t WHERE n > 15 ORDER BY id')
  })
  for (const framework of FRAMEWORKS) {
    await run(page, 'TRUNCATE t; INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)')
    await conforms(page, framework)
  }
})

async function conforms(page: Page, framework: string): Promise<void> {
  const mount = (name: string, options = {}) =>
    page.evaluate(([framework, name, options]) => globalThis.mount(framework, name, options), [
      framework,
      name,
      options,
    ] as const)

  await mount('st')
  await expect.poll(() => list(page), { ...POLL, message: framework }).toMatchObject({ state: 'live', count: 3 })
  const before = await list(page)
  expect(before.rows, framework).toEqual([1, 2, 3].map((id) => ({ id, n: 10 * id })))

  await run(page, 'INSERT INTO t VALUES (4, 40); UPDATE t SET n = 21 WHERE id = 2; DELETE FROM t WHERE id = 1')
  await expect
    .poll(async () => (await list(page)).rows, { ...POLL, message: framework })
    .toEqual([
      { id: 2, n: 21 },
      { id: 3, n: 30 },
      { id: 4, n: 40 },
    ])
  // The row that has not changed is the same object, so its element need not change.
  expect((await list(page)).objects[1], framework).toBe(before.objects[2])

  await page.evaluate(() => mounted.show('other'))
  await run(page, 'INSERT INTO t VALUES (5, 500)')
  await expect.poll(() => ids(page), { ...POLL, message: framework }).toEqual([2, 3, 4, 5])
  await page.evaluate(() => mounted.unmount())
  expect(await page.locator('section').count()).toBe(0)
  await run(page, 'DELETE FROM t WHERE id = 5')
  if (framework === 'tanstack') return

  await mount('other', { orderBy: [['n', 'desc']], atLeast: 30 })
  await expect.poll(() => ids(page), { ...POLL, message: framework }).toEqual([4, 3])
  await run(page, 'UPDATE t SET n = n + 50 WHERE id <= 3')
  await expect.poll(() => ids(page), { ...POLL, message: framework }).toEqual([3, 2, 4])
  await page.evaluate(() => mounted.unmount())

  await mount('other', { orderBy: 'id', offset: 1, limit: 1 })
  await expect.poll(() => ids(page), { ...POLL, message: framework }).toEqual([3])
  expect((await list(page)).count, framework).toBe(3)
  await run(page, 'DELETE FROM t WHERE id = 2')
  await expect.poll(() => ids(page), { ...POLL, message: framework }).toEqual([4])
  await run(page, 'INSERT INTO t VALUES (2, 71)')
  await expect.poll(() => ids(page), { ...POLL, message: framework }).toEqual([3])
  await page.evaluate(() => mounted.unmount())

  await mount('other', { where: { id: 4 } })
  await expect.poll(() => ids(page), { ...POLL, message: framework }).toEqual([4])
  await page.evaluate(() => mounted.unmount())

  await mount('later')
  await expect.poll(() => list(page), { ...POLL, message: framework }).toMatchObject({ state: '42P01', count: 0 })
  await page.evaluate(() => pg.trickle.createStreamTable('later', 'SELECT id FROM t ORDER BY id').then(() => {}))
  await page.locator('section').dispatchEvent('click')
  await expect.poll(() => ids(page), { ...POLL, message: framework }).toEqual([2, 3, 4])
  await page.evaluate(() => pg.trickle.dropStreamTable('later'))
  await expect.poll(() => list(page), { ...POLL, message: framework }).toMatchObject({ state: '42P01', count: 3 })
  await page.evaluate(() => mounted.unmount())
}
