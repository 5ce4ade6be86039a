/** The example `react-dashboard`, as it is built and served, from the first load on. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/browser.js'
import { useSite } from './support/use-site.js'

const ROWS = 5000
const EXAMPLE = fileURLToPath(new URL('../../../examples/react-dashboard', import.meta.url))
const POLL = { timeout: 30_000 }
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

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

/** Waits until the page counts this many flights. */
const counts = (page: Page, count: number) =>
  flights(page)
    .filter({ hasText: whole(count) })
    .waitFor()

/** Waits until everything is in IndexedDB: a tab that is closed before takes its last changes with it. */
async function saved(page: Page): Promise<void> {
  let quiet = 0
  while (quiet < 3) {
    await page.waitForTimeout(200)
    const { held = [], pending = [] } = await page.evaluate(() => navigator.locks.query())
    quiet = [...held, ...pending].some(({ name }) => name === 'saving') ? 0 : quiet + 1
  }
}

/** Waits until two lists of the page, or of two pages, show the same: each is brought up to date in its own time. */
const same = (one: () => Promise<string[]>, other: () => Promise<string[]>) =>
  expect.poll(async () => JSON.stringify(await one()) === JSON.stringify(await other()), POLL).toBe(true)

/** The airports of the table. */
const table = (page: Page) => page.locator('.airports tbody tr').allInnerTexts()

/** The airports as the side of a runner shows them. */
const side = (page: Page, runner: 'stream' | 'live') => page.locator(`[data-testid=${runner}] tbody tr`).allInnerTexts()

test('changes show everywhere on the page', async ({ context }) => {
  const page = await openTab(context)
  await counts(page, ROWS)
  await press(page, 'Add a flight')
  await counts(page, ROWS + 1)
  // The stream table shows the flight before its INSERT has been answered, and the button says what it did.
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
  // A flight cannot be later than this: it comes to the top of the list, and from the list of another tab's too.
  const latest = await page.locator('.latest li').first().innerText()
  expect(latest).toMatch(/→[^]+ h .*late/)
})

test('a stream of changes arrives, each of them, until it is stopped', async ({ context }) => {
  const page = await openTab(context)
  await press(page, 'Make 1,000 changes')
  await status(page)
    .filter({ hasText: /[1-9]\d\d of 1,000 changes/ })
    .waitFor({ timeout: 120_000 })
  await press(page, 'Stop')
  await status(page).filter({ hasText: 'a second' }).waitFor()
  const told = await status(page).innerText()
  const [, done = ''] = /^([\d,]+) changes in [\d.]+ s: [\d,]+ a second, each one a transaction$/.exec(told) ?? []
  // In turn one is added, one delayed, one cancelled.
  await counts(page, ROWS + (Number(done.replace(',', '')) % 3 === 0 ? 0 : 1))
  console.log(`dashboard: ${told}`)
})

test('a reload finds the data as it was left, and goes on', async ({ context }) => {
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

test('two tabs show the changes of either, and one goes on alone', async ({ context }) => {
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

test('the same view by a live query, and how long each took', async ({ context }) => {
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
  for (const text of latency) expect(text).toMatch(/^[\d.]+ ms\s+median [\d.]+ ms of \d+$/)
  console.log(`dashboard, ${whole(ROWS)} flights: stream table ${latency[0]}, live query ${latency[1]}`)
})

test('the keyboard is enough', async ({ context }) => {
  const page = await openTab(context)
  const focus = async (name: string) => {
    for (let n = 0; n < 30; n++) {
      await page.keyboard.press('Tab')
      if ((await page.locator(':focus').innerText()).trim().startsWith(name)) return
    }
    throw new Error(`no way to ${name} by the keyboard`)
  }
  await focus('Add a flight')
  await page.keyboard.press('Enter')
  await counts(page, ROWS + 1)
  await focus('Late')
  await page.keyboard.press('Space')
  await page.locator('th[aria-sort=descending]').filter({ hasText: 'Late' }).waitFor()
  await page.keyboard.press('Space')
  await page.locator('th[aria-sort=ascending]').filter({ hasText: 'Late' }).waitFor()
})

test.for([
  ['on a desk', 1280, 'light'],
  ['on a phone, in the dark', 390, 'dark'],
] as const)('is accessible %s', async ([, width, colorScheme], { context }) => {
  const page = await openTab(context, 2000)
  await page.emulateMedia({ colorScheme })
  await page.setViewportSize({ width, height: 900 })
  await page.getByRole('switch').check()
  await page.locator('[data-testid=live] tbody tr').first().waitFor()
  // Nothing is wider than the page.
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
  await page.evaluate(AXE)
  const problems = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  })
  expect(problems).toEqual([])
})
