/** The example `playground`, built and served as a user gets it. */
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { violations } from './support/axe.js'
import { test } from './support/browser.js'
import { isAccessible, look } from './support/look.js'
import { useSite } from './support/use-site.js'

const site = useSite(fileURLToPath(new URL('../../../examples/playground', import.meta.url)))
const POLL = { timeout: 30_000 }

async function open(page: Page, fragment = ''): Promise<void> {
  await page.goto(site.url + fragment)
  await ready(page)
}

const ready = (page: Page) => page.locator('.page[data-waiting=false]').waitFor({ timeout: 120_000 })
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const editor = (page: Page, name: 'Query' | 'Change') => page.getByRole('textbox', { name })
const verdict = (page: Page) => page.locator('.verdict')
const status = (page: Page) => page.locator('.change [role=status]')
/** The rows of the stream table, each as the texts of its cells. */
const rows = (page: Page) =>
  page
    .locator('.result tbody tr')
    .evaluateAll((lines) => lines.map((line) => Array.from(line.children, (cell) => cell.textContent)))

/** Waits until the stream table has such columns. */
const shows = (page: Page, columns: string[]) =>
  expect.poll(() => page.locator('.result thead th').allInnerTexts(), POLL).toEqual(columns)

async function isRight(page: Page): Promise<void> {
  await press(page, 'Verify')
  await page.locator('.result [role=status]').filter({ hasText: 'equals its query' }).waitFor()
}

test('a query becomes a plan while it is typed, then a stream table that follows every change', async ({ page }) => {
  await open(page)
  await shows(page, ['category', 'sales', 'revenue'])
  await page.locator('.plan').filter({ hasText: 'sale' }).waitFor()
  const sales = async () => (await rows(page)).reduce((sum, [, count]) => sum + Number(count), 0)
  expect(await sales()).toBe(40_000)
  await press(page, 'Sell something')
  await status(page)
    .filter({ hasText: /^1 row changed in [\d.]+ ms · stream table ~1$/ })
    .waitFor()
  expect(await sales()).toBe(40_001)
  // The cells that have changed flash: the count and the sum of one category.
  expect(await page.locator('.result .flash').count()).toBe(2)
  await press(page, 'Sell something')
  await page
    .locator('.cost')
    .filter({ hasText: /Stream table\s*[\d.]+ ms\s*Query, run again\s*[\d.]+ ms/ })
    .waitFor(POLL)

  // Typing shows errors where they are, and plans, and leaves the stream table alone.
  await editor(page, 'Query').fill('SELECT categry, count(*) FROM product GROUP BY 1')
  await verdict(page).filter({ hasText: 'column "categry" does not exist' }).waitFor()
  await verdict(page).filter({ hasText: 'Perhaps you meant' }).waitFor()
  expect(await page.locator('.query .wrong').innerText()).toBe('categry')
  await look(page, 'playground-wrong')
  await editor(page, 'Query').fill('SELECT random() FROM product')
  await verdict(page).filter({ hasText: 'volatile function random()' }).waitFor()
  expect(await page.locator('.query .wrong').innerText()).toBe('random()')
  await editor(page, 'Query').fill(
    'SELECT city, rank() OVER (ORDER BY count(*) DESC) AS place FROM customer GROUP BY city ORDER BY place;',
  )
  await verdict(page).filter({ hasText: 'rekey' }).waitFor()
  await page.locator('.plan').filter({ hasText: 'customer' }).waitFor()
  await shows(page, ['category', 'sales', 'revenue'])
  await editor(page, 'Query').press('Control+Enter')
  await shows(page, ['city', 'place'])

  await editor(page, 'Change').fill("INSERT INTO customer SELECT g, 'New', 'Davos' FROM generate_series(1001, 3000) g")
  await editor(page, 'Change').press('Control+Enter')
  await expect.poll(async () => (await rows(page))[0], POLL).toEqual(['Davos', '1'])
  await isRight(page)
  await editor(page, 'Change').fill('DELETE FROM nothing')
  await press(page, 'Run')
  await status(page).filter({ hasText: 'relation "nothing" does not exist' }).waitFor()
  // A change that drops what the query reads is refused, and the page goes on.
  await editor(page, 'Change').fill('DROP TABLE customer')
  await press(page, 'Run')
  await status(page).filter({ hasText: 'cannot drop table customer' }).waitFor()
  await isRight(page)
})

test('a link leads others to the same query, and a broken one to the start', async ({ page, context }) => {
  await open(page)
  await press(page, 'Graph')
  await ready(page)
  await shows(page, ['id', 'name', 'people'])
  await editor(page, 'Query').fill("SELECT count(*) AS größe -- 'Zürich' → #1\nFROM town WHERE people > 5000")
  await editor(page, 'Query').press('Control+Enter')
  await shows(page, ['größe'])
  const [[count] = []] = await rows(page)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await press(page, 'Share')
  await page.getByText('Link copied').waitFor()
  const link = await page.evaluate(() => navigator.clipboard.readText())
  expect(link).toMatch(/#[\w-]+$/)

  const other = await context.newPage()
  await other.goto(link)
  await ready(other)
  await shows(other, ['größe'])
  expect(await rows(other)).toEqual([[count]])
  // The address of a page that is open may change, too.
  await other.goto(`${site.url}#broken`)
  await other.goto(link.replace(/#.*/, ''))
  await ready(other)
  await shows(other, ['category', 'sales', 'revenue'])
})

test('every query of every data set is right after every change', async ({ page }) => {
  await open(page)
  for (const data of ['Shop', 'Flights', 'Graph', 'Board']) {
    await press(page, data)
    await ready(page)
    for (const chip of await page.locator('.chips button').all()) {
      const title = await chip.innerText()
      await chip.click()
      await expect.poll(() => chip.getAttribute('aria-pressed'), POLL).toBe('true')
      await page.getByText('This is the stream table').waitFor(POLL)
      expect(await page.locator('.bad').count(), title).toBe(0)
      for (const change of await page.locator('.buttons button').all()) {
        await change.click()
        await status(page).filter({ hasText: 'changed in' }).waitFor(POLL)
      }
      await isRight(page)
    }
    await look(page, `playground-${data.toLowerCase()}`)
  }
})

test('changes go on by themselves until they are stopped, and the panel for developers sees them', async ({ page }) => {
  await open(page)
  await press(page, 'Keep changing')
  await page
    .locator('.cost')
    .filter({ hasText: /Medians of [3-9] measurements/ })
    .waitFor({ timeout: 60_000 })
  await press(page, 'Developer tools')
  await page.getByRole('complementary', { name: 'Stream tables' }).getByRole('button', { name: 'result' }).waitFor()
  await press(page, 'Stop')
  await isRight(page)
})

test('is accessible, light and dark, on a desk and on a phone, and says why it does not start', async ({
  page,
  complaints,
}) => {
  await open(page)
  await page.locator('summary').click()
  await isAccessible(page, 'playground', [
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ])
  // No answer, so that the page stays as it is.
  await page.route('**/*.wasm', () => {})
  await page.reload()
  await page.locator('.waiting').filter({ hasText: 'Starting PostgreSQL' }).waitFor()
  expect(await violations(page)).toEqual([])
  await look(page, 'playground-waiting')
  await page.route('**/*.wasm', (route) => route.abort())
  await page.reload()
  await page.getByRole('heading', { name: 'Something went wrong' }).waitFor(POLL)
  await look(page, 'playground-failed')
  complaints.splice(0)
})
