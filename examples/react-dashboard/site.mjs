// The dashboard, built and served, in a Chromium: for pictures and measurements.
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { build, preview } from 'vite'

const HERE = dirname(fileURLToPath(import.meta.url))
export const ROOT = join(HERE, '../..')
const OUT = join(ROOT, 'build/dashboard')

/** Calls `use` with the address of the dashboard and a browser. */
export async function withDashboard(use) {
  await build({ root: HERE, logLevel: 'error', build: { outDir: OUT, emptyOutDir: true } })
  const server = await preview({
    root: OUT,
    configFile: false,
    logLevel: 'error',
    build: { outDir: OUT },
    preview: { port: 0, host: '127.0.0.1', strictPort: false },
  })
  const executablePath = execFileSync('bash', [join(ROOT, 'ci/chromium.sh')], { encoding: 'utf8' }).trim()
  const browser = await chromium.launch({ executablePath })
  try {
    await use(server.resolvedUrls.local[0], browser)
  } finally {
    await browser.close()
    await server.close()
  }
}

/** Waits until the flights are on the page. The first time, they are loaded. */
export const loaded = (page) => page.locator('.airports tbody tr').first().waitFor({ timeout: 600_000 })

/** Changes one flight, and waits until both sides of the comparison have shown that they have seen so many. */
export async function change(page, button, seen, sides) {
  await page.getByRole('button', { name: button, exact: true }).click()
  for (const side of sides)
    await page
      .locator(`[data-testid=${side}]`)
      .filter({ hasText: `of ${seen}` })
      .waitFor()
}
