/**
 * `test` with a Chromium: each test gets a `page`, in a `context` of its own (storage, workers, tabs). What a page
 * throws, or writes as an error to its console, fails the test, unless the test takes it out of `complaints`.
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
    // eslint-disable-next-line no-empty-pattern -- the runner wants a pattern, and there is nothing to take
    async ({}, use) => {
      // Root, as in CI, has no sandbox; playwright starts it without one.
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
