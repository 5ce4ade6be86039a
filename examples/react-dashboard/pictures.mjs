// Takes the pictures of the dashboard that the README shows, light and dark: docs/pictures/dashboard-*.webp.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { change, loaded, ROOT, withDashboard } from './site.mjs'

await withDashboard(async (url, browser) => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 }, deviceScaleFactor: 1.5 })
  await page.goto(url)
  await loaded(page)
  // One change at a time, so that both sides of the comparison have the time of each.
  for (let n = 1; n <= 20; n++) await change(page, 'Add a flight', n, ['stream', 'live'])
  await page.waitForTimeout(1500) // until what flashed has faded
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
})
