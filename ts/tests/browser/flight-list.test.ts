/** The list of all flights in the example `react-dashboard`: 100,000 rows, of which the page draws those on the screen. */
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/browser.js'
import { isAccessible, look } from './support/look.js'
import { useSite } from './support/use-site.js'

const ROWS = 100_000
const site = useSite(fileURLToPath(new URL('../../../examples/react-dashboard', import.meta.url)))

/** The page offers its database to whoever opens the console. */
declare const db: { query<T>(sql: string, params?: unknown[]): Promise<{ rows: T[] }> }

/** The rows that are drawn, by their place in the list. */
const drawn = (page: Page) =>
  page.locator('.all .line').evaluateAll((lines) =>
    lines.map((line) => ({
      index: Number(line.getAttribute('aria-rowindex')) - 2,
      cells: Array.from(line.children, (cell) => cell.textContent.trim()),
    })),
  )

/** The rows that belong there. */
const wanted = (page: Page, order: string, offset: number, limit: number) =>
  page.evaluate(
    async ({ order, offset, limit }) => {
      const { rows } = await db.query<Record<string, string>>(
        `SELECT f.origin || ' ' || o.city AS "from", f.destination || ' ' || d.city AS "to",
          to_char(f.distance, 'FM999,999') AS distance,
          CASE WHEN delay = 0 THEN 'on time' ELSE
            concat_ws(' ', nullif(abs(delay) / 60, 0) || ' h', nullif(abs(delay) % 60, 0) || ' min') ||
            CASE WHEN delay < 0 THEN ' early' ELSE ' late' END END AS lateness
        FROM flights f JOIN airports o ON o.iata = f.origin JOIN airports d ON d.iata = f.destination
        ORDER BY ${order} OFFSET ${offset} LIMIT ${limit}`,
      )
      return rows.map((row) => [row.from, row.to, row.distance, row.lateness])
    },
    { order, offset, limit },
  )

/** What is drawn is what the query gives at these places, and fills the window. */
async function showsItsRows(page: Page, order: string): Promise<void> {
  await expect
    .poll(
      async () => {
        const rows = await drawn(page)
        rows.sort((a, b) => a.index - b.index)
        const { height, top } = await page
          .locator('.window')
          .evaluate((list) => ({ height: list.clientHeight, top: list.scrollTop }))
        const first = rows[0]?.index ?? 0
        const isFull = first * 36 <= top && (first + rows.length) * 36 >= top + height
        const right = await wanted(page, order, first, rows.length)
        return isFull && JSON.stringify(rows.map(({ cells }) => cells.slice(1))) === JSON.stringify(right)
      },
      { timeout: 30_000 },
    )
    .toBe(true)
}

test('a list of 100,000 rows scrolls while rows change, and shows the right ones', async ({ page }) => {
  await page.goto(`${site.url}?rows=${ROWS}#flights`)
  await page.getByRole('heading', { name: '100,000 flights' }).waitFor({ timeout: 150_000 })
  await page.locator('.all .line').first().waitFor()
  await page.getByRole('button', { name: 'Scroll for 10 s' }).click()
  const result = page.locator('.list-controls [role=status]')
  await result.filter({ hasText: 'frames a second' }).waitFor({ timeout: 60_000 })
  const text = await result.innerText()
  const [, changed = '0'] =
    /^\d+ frames a second while ([\d,]+) rows changed: median [\d.]+ ms, p99 [\d.]+ ms, (?:none|\d+) longer than 50 ms$/.exec(
      text,
    ) ?? []
  expect(Number(changed.replace(',', ''))).toBeGreaterThan(0)
  console.log(`list of ${ROWS} rows: ${text}`)
  // Only those near the window are in the page.
  expect(await page.locator('.all .line').count()).toBeLessThan(60)
  await look(page, 'dashboard-list')

  await page.getByRole('switch').uncheck()
  const scrollTo = (top: number) => page.locator('.window').evaluate((list, top) => void (list.scrollTop = top), top)
  for (const top of [0, 500_007, 3_599_000, 36 * ROWS]) {
    await scrollTo(top)
    await showsItsRows(page, 'f.date, f.id')
  }
  await page.getByLabel('Sort by').selectOption('Delay')
  for (const top of [0, 1_234_567]) {
    await scrollTo(top)
    await showsItsRows(page, 'delay DESC, f.id')
  }
  // A row that gets the greatest delay is the first, and the others move down.
  await scrollTo(0)
  await page.evaluate(async () => {
    await db.query('UPDATE flights SET delay = 9999 WHERE id = 50000')
    await db.query('DELETE FROM flights WHERE id = 50001')
  })
  await page.locator('.all .line').first().filter({ hasText: '166 h 39 min late' }).waitFor()
  await page.getByRole('heading', { name: '99,999 flights' }).waitFor()
  await showsItsRows(page, 'delay DESC, f.id')
  // By the keyboard.
  await page.locator('.window').focus()
  await page.keyboard.press('End')
  await expect.poll(async () => (await drawn(page)).at(-1)?.index).toBe(ROWS - 2)
  await showsItsRows(page, 'delay DESC, f.id')

  await page.locator('summary').click()
  await page.locator('.definition li').first().waitFor()
  await isAccessible(page, 'list', [
    [1280, 'light'],
    [390, 'dark'],
  ])
})
