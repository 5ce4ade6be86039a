/** The example `react-dashboard`, built and served as a user gets it. */
import { fileURLToPath } from 'node:url'
import type { BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/browser.js'
import { isAccessible, look } from './support/look.js'
import { useSite } from './support/use-site.js'

const ROWS = 5000
const EXAMPLE = fileURLToPath(new URL('../../../examples/react-dashboard', import.meta.url))
const POLL = { timeout: 30_000 }

/** What the page says of a stream of changes. */
const BURST =
  /^([\d,]+) changes in [\d.]+ s: [\d,]+ per second, each in its own transaction\. On the screen after [\d.]+ ms \(median\), [\d.]+ ms \(p99\); (1 frame|\d+ frames) over 50 ms$/

const site = useSite(EXAMPLE)

async function openTab(context: BrowserContext, rows = ROWS): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${site.url}?rows=${rows}`)
  await page.locator('.airports tbody tr').first().waitFor({ timeout: 120_000 })
  return page
}

const flights = (page: Page) => page.locator('.totals dd').first()
const status = (page: Page) => page.locator('.controls [role=status]')
const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click()
const whole = (count: number) => count.toLocaleString('en')

/** Waits until the page shows this number of flights. */
const counts = (page: Page, count: number) =>
  flights(page)
    .filter({ hasText: whole(count) })
    .waitFor()

/** Waits until everything is in IndexedDB. A tab that is closed earlier loses its last changes. */
async function saved(page: Page): Promise<void> {
  let quiet = 0
  while (quiet < 3) {
    await page.waitForTimeout(200)
    const { held = [], pending = [] } = await page.evaluate(() => navigator.locks.query())
    quiet = [...held, ...pending].some(({ name }) => name === 'saving') ? 0 : quiet + 1
  }
}

/** Waits until two lists, of one page or of two, show the same. Each is updated in its own time. */
const same = (one: () => Promise<string[]>, other: () => Promise<string[]>) =>
  expect.poll(async () => JSON.stringify(await one()) === JSON.stringify(await other()), POLL).toBe(true)

/** The airports in the table. */
const table = (page: Page) => page.locator('.airports tbody tr').allInnerTexts()

/** The airports as one side of the comparison shows them. */
const side = (page: Page, runner: 'stream' | 'live') => page.locator(`[data-testid=${runner}] tbody tr`).allInnerTexts()

test('the page that waits for the data is one column, and says why it waits no longer', async ({
  page,
  complaints,
}) => {
  // No answer, so that the page stays as it is.
  await page.route('**/data/flights-0.csv', () => {})
  await page.goto(site.url)
  await page.locator('.setup [role=status]').filter({ hasText: 'Fetching' }).waitFor()
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 })
    const boxes = await page
      .locator('.setup > *')
      .evaluateAll((parts) =>
        parts.map((part) => part.getBoundingClientRect()).map(({ x, y, width }) => ({ x, y, width })),
      )
    expect(boxes.length).toBeGreaterThan(2)
    boxes.forEach((box, n) => {
      expect(box.y).toBeGreaterThan(boxes[n - 1]?.y ?? 0)
      expect(box.x + box.width / 2).toBeCloseTo(width / 2, 0)
    })
  }
  await look(page, 'dashboard-waiting')
  await page.route('**/data/flights-0.csv', (route) => route.abort())
  await page.reload()
  await page.getByRole('alert').filter({ hasText: 'The file data/flights-0.csv cannot be loaded.' }).waitFor()
  await page.getByRole('button', { name: 'Try again' }).waitFor()
  await look(page, 'dashboard-failed')
  expect(complaints.splice(0)).toEqual([expect.stringContaining('net::ERR_FAILED')])
})

test('without flights there is a page, and starting over asks first', async ({ page }) => {
  await page.goto(`${site.url}?rows=0`)
  await counts(page, 0)
  await page.locator('.airports').filter({ hasText: 'There are no flights.' }).waitFor()
  expect(await page.locator('.totals dd').allInnerTexts()).toEqual(['0', '–', '–', '0'])
  await look(page, 'dashboard-without-flights')
  // Another tab, which has flights to start with, fills them in.
  const other = await page.context().newPage()
  await other.goto(`${site.url}?rows=2000`)
  await counts(other, 0)
  await press(other, 'Start over with fresh data')
  await look(other, 'dashboard-start-over')
  await press(other, 'Keep them')
  await press(other, 'Use 1,000,000 flights')
  await look(other, 'dashboard-more-flights')
  await press(other, 'Not now')
  await counts(other, 0)
  await press(other, 'Start over with fresh data')
  await press(other, /^Start over$/)
  await Promise.all([counts(page, 2000), counts(other, 2000)])
  await page.getByRole('searchbox').fill('xyzzy')
  await page.locator('.airports').filter({ hasText: 'No airport matches “xyzzy”.' }).waitFor()
  await look(page, 'dashboard-nothing-found')
})

test('changes appear everywhere on the page', async ({ context }) => {
  const page = await openTab(context)
  await counts(page, ROWS)
  await press(page, 'Add a flight')
  await counts(page, ROWS + 1)
  // The stream table shows the flight before its INSERT returns, and the button reports what it did.
  await status(page).filter({ hasText: 'Added' }).waitFor()
  const [, origin = ''] = /from (\w+) to/.exec(await status(page).innerText()) ?? []
  await press(page, 'Cancel a flight')
  await counts(page, ROWS)
  await page.getByRole('searchbox').fill(`${origin} `)
  await expect
    .poll(async () => await table(page), POLL)
    .toSatisfy((rows: string[]) => rows.length > 0 && rows.every((row) => row.toUpperCase().includes(origin)))
  const chart = await page.locator('canvas').getAttribute('aria-label')
  expect(chart).toMatch(
    /^Flights on time and late in \d+ hours\. The busiest is .+ with [\d,]+ flights, [\d.]+% of them late\.$/,
  )
  // No flight can be later than this, so it moves to the top of the list, also in the other tab.
  const latest = await page.locator('.latest li').first().innerText()
  expect(latest).toMatch(/→[^]+ h .*late/)
})

test('every change of a stream arrives, until the stream is stopped', async ({ context }) => {
  const page = await openTab(context)
  await press(page, '10 s of changes')
  await status(page)
    .filter({ hasText: /^[1-9]\d+ changes, [\d,]+ per second/ })
    .waitFor({ timeout: 120_000 })
  await press(page, 'Stop')
  await status(page).filter({ hasText: 'each in its own transaction' }).waitFor()
  const text = await status(page).innerText()
  const [, done = ''] = BURST.exec(text) ?? []
  // One flight is added, one delayed and one cancelled, in turn.
  await counts(page, ROWS + (Number(done.replace(',', '')) % 3 === 0 ? 0 : 1))
  console.log(`dashboard: ${text}`)
})

test('a reload keeps the data, and changes go on', async ({ context }) => {
  const page = await openTab(context)
  await press(page, 'Add a flight')
  await counts(page, ROWS + 1)
  await press(page, 'Add a flight')
  await counts(page, ROWS + 2)
  await saved(page)
  await page.reload()
  await counts(page, ROWS + 2)
  await press(page, 'Cancel a flight')
  await counts(page, ROWS + 1)
})

test("two tabs show each other's changes, and one works on alone", async ({ context }) => {
  const first = await openTab(context)
  const second = await openTab(context)
  await press(first, 'Add a flight')
  await Promise.all([counts(first, ROWS + 1), counts(second, ROWS + 1)])
  await press(second, 'Add a flight')
  await Promise.all([counts(first, ROWS + 2), counts(second, ROWS + 2)])
  await same(
    () => side(first, 'stream'),
    () => side(second, 'stream'),
  )
  await saved(second)
  await first.close()
  await second.waitForTimeout(2000)
  await press(second, 'Add a flight')
  await counts(second, ROWS + 3)
})

test('the same result from a live query, and the time that each takes', async ({ context }) => {
  const page = await openTab(context)
  await page.getByRole('switch').check()
  await page.locator('[data-testid=live] tbody tr').first().waitFor()
  for (let n = 1; n <= 3; n++) {
    await press(page, 'Add a flight')
    for (const runner of ['stream', 'live']) {
      await page
        .locator(`[data-testid=${runner}]`)
        .filter({ hasText: `of ${n}` })
        .waitFor()
    }
  }
  await same(
    () => side(page, 'stream'),
    () => side(page, 'live'),
  )
  const latency = await page.locator('.latency').allInnerTexts()
  for (const text of latency) expect(text).toMatch(/^[\d.]+ ms\s+median [\d.]+ ms, p99 [\d.]+ ms of \d+$/)
  console.log(`dashboard, ${whole(ROWS)} flights: stream table ${latency[0]}, live query ${latency[1]}`)
})

test('everything works by keyboard', async ({ context }) => {
  const page = await openTab(context)
  const focus = async (name: string) => {
    for (let n = 0; n < 30; n++) {
      await page.keyboard.press('Tab')
      if ((await page.locator(':focus').innerText()).trim().startsWith(name)) return
    }
    throw new Error(`the keyboard does not reach ${name}`)
  }
  await focus('Add a flight')
  // The button keeps the focus.
  for (const added of [1, 2]) {
    await page.keyboard.press('Enter')
    await counts(page, ROWS + added)
    await status(page).filter({ hasText: 'Added' }).waitFor()
  }
  await focus('Late')
  await page.keyboard.press('Space')
  await page.locator('th[aria-sort=descending]').filter({ hasText: 'Late' }).waitFor()
  await page.keyboard.press('Space')
  await page.locator('th[aria-sort=ascending]').filter({ hasText: 'Late' }).waitFor()
})

test('the panel for developers shows what each change does, and is gone without a trace', async ({ context }) => {
  const page = await openTab(context, 2000)
  const panel = page.getByRole('complementary', { name: 'Stream tables' })
  const line = (name: string) => panel.getByRole('row').filter({ has: page.getByRole('button', { name, exact: true }) })
  await press(page, 'Developer tools')
  await line('totals')
    .filter({ hasText: /fold\s*1$/ })
    .waitFor(POLL)
  await press(page, 'Add a flight')
  await line('totals')
    .filter({ hasText: /~1\s*\d\d:\d\d:\d\d ~1$/ })
    .waitFor(POLL)
  await panel.getByText(/^Maintenance took [\d.]+ m?s/).waitFor(POLL)
  await panel.getByText(/^Memory [\d.]+ MB of 2\.0 GB$/).waitFor(POLL)

  await panel.getByRole('button', { name: 'airport_delays' }).click()
  await panel.getByText('public.flights', { exact: true }).waitFor(POLL)
  await panel.getByRole('button', { name: 'Verify' }).click()
  await panel.getByText(/^It equals its query/).waitFor(POLL)
  await panel.getByRole('button', { name: 'Follow changes' }).click()
  await panel.getByText('Waiting for changes.').waitFor(POLL)
  await press(page, 'Add a flight')
  await panel
    .locator('.log code')
    .filter({ hasText: /^[~+] iata "\w+"/ })
    .first()
    .waitFor(POLL)
  await look(page, 'dashboard-devtools')
  const views = [
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const
  await isAccessible(page, 'devtools', views, 'pgtrickle-devtools')
  await panel.getByRole('button', { name: 'Close' }).click()
  await panel.waitFor({ state: 'detached' })
  // It opens again, and another time it is closed by the button that opened it.
  await press(page, 'Developer tools')
  await line('hours').waitFor(POLL)
  await press(page, 'Developer tools')
  await panel.waitFor({ state: 'detached' })
})

test('is accessible on a desk, and on a phone in the dark', async ({ context }) => {
  const page = await openTab(context, 2000)
  await page.getByRole('switch').check()
  await page.locator('[data-testid=live] tbody tr').first().waitFor()
  for (const summary of await page.locator('summary').all()) await summary.click()
  await page.locator('.latest').filter({ hasText: 'A change of public.flights is a rekey' }).waitFor()
  await look(page, 'dashboard')
  await isAccessible(page, 'dashboard', [
    [1280, 'light'],
    [390, 'dark'],
  ])
})
