/**
 * `test` with Chromium. Each test gets a `page` in its own `context` (storage, workers, tabs). An exception in a page, or
 * an error on its console, fails the test unless the test removes it from `complaints`.
 */
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { test as base, expect, inject } from 'vitest'

interface Fixtures {
  browser: Browser
  context: BrowserContext
  page: Page
  complaints: string[]
}

export const test = base.extend<Fixtures>({
  browser: [
    // eslint-disable-next-line no-empty-pattern -- the runner requires a pattern, and nothing is needed from it
    async ({}, use) => {
      // Playwright starts Chromium without its sandbox, which does not work for root.
      const browser = await chromium.launch({ executablePath: inject('chromium') })
      await use(browser)
      await browser.close()
    },
    { scope: 'file' },
  ],
  // eslint-disable-next-line no-empty-pattern -- as above
  complaints: async ({}, use) => {
    const complaints: string[] = []
    await use(complaints)
    expect(complaints, 'errors on the page').toEqual([])
  },
  context: async ({ browser, complaints }, use) => {
    const context = await browser.newContext()
    context.on('weberror', (error) => complaints.push(String(error.error())))
    context.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`)
    })
    await use(context)
    await context.close()
  },
  page: async ({ context }, use) => {
    await use(await context.newPage())
  },
})
