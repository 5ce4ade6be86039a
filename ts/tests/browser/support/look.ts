import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { violations } from './axe.js'

/** Where the pictures go. */
export const SCREENS = fileURLToPath(new URL('../../../../build/browser/screens', import.meta.url))

/** A page on a desk and on a phone: pictures of it, for those who look at them, and nothing that overflows. */
export async function look(page: Page, name: string): Promise<void> {
  await mkdir(SCREENS, { recursive: true })
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 })
    // A chart takes a moment to get its new size.
    const contentWidth = () => page.evaluate(() => document.documentElement.scrollWidth)
    await expect.poll(contentWidth, { timeout: 30_000, message: `${name} ${width}` }).toBeLessThanOrEqual(width)
    await page.screenshot({ path: `${SCREENS}/${name}-${width}.png`, fullPage: true })
  }
}

/**
 * A page in these widths and colours: a picture of each, and nothing that axe objects to. With a selector, only what is on the
 * screen is pictured, and axe looks at that element alone.
 */
export async function isAccessible(
  page: Page,
  name: string,
  views: readonly (readonly [width: number, colorScheme: 'light' | 'dark'])[],
  selector?: string,
): Promise<void> {
  for (const [width, colorScheme] of views) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 900 })
    await page.screenshot({ path: `${SCREENS}/${name}-${colorScheme}-${width}.png`, fullPage: selector === undefined })
    expect(await violations(page, selector), `${colorScheme} ${width}`).toEqual([])
  }
}
