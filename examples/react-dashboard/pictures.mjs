// Takes the pictures of the dashboard that the README shows, light and dark: docs/pictures/dashboard-*.webp.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { build, preview } from 'vite'

const HERE = dirname(fileURLToPath(import.meta.url))
const ROOT = join(HERE, '../..')
const OUT = join(ROOT, 'build/pictures')

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
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 }, deviceScaleFactor: 1.5 })
  await page.goto(server.resolvedUrls.local[0])
  await page.locator('.airports tbody tr').first().waitFor({ timeout: 300_000 })
  // One change at a time, so that both sides of the comparison have the time of each.
  for (let n = 1; n <= 20; n++) {
    await page.getByRole('button', { name: 'Add a flight' }).click()
    for (const side of ['stream', 'live'])
      await page
        .locator(`[data-testid=${side}]`)
        .filter({ hasText: `of ${n}` })
        .waitFor()
  }
  await page.waitForTimeout(1000) // until what flashed has faded
  await page.evaluate('document.activeElement.blur()')
  const devtools = await page.context().newCDPSession(page)
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.waitForTimeout(500)
    const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: 70 })
    const picture = Buffer.from(data, 'base64')
    writeFileSync(join(ROOT, `docs/pictures/dashboard-${colorScheme}.webp`), picture)
    console.log(`dashboard-${colorScheme}.webp: ${(picture.length / 1024).toFixed(0)} KB`)
  }
} finally {
  await browser.close()
  await server.close()
}
