// Measures the dashboard: how long it takes to open, how long changes take to the screen and where that time goes, and the
// frames of the list. `--flights 1000000` for the other size.
import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { change, loaded, withDashboard } from './site.mjs'

const { values } = parseArgs({ options: { flights: { type: 'string', default: '100000' } } })
const BUTTONS = ['Add a flight', 'Delay a flight', 'Cancel a flight']
const CHANGES = 60

const say = (what, value) => console.log(`${what.padEnd(44)} ${value}`)
const ms = (value) => `${value.toFixed(1)} ms`
const quantile = (all, share) => all.toSorted((a, b) => a - b)[Math.ceil(all.length * share) - 1]
const spread = (all) => `median ${ms(quantile(all, 0.5))}, p99 ${ms(quantile(all, 0.99))}`

/* global db, document, MutationObserver, requestAnimationFrame -- what `evaluate` gets runs in the page */

/** Where the time of a change goes, step by step, measured in the page. */
function takeApart(count) {
  const painted = () =>
    new Promise((done) =>
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = () => done(performance.now())
        port2.postMessage(0)
      }),
    )
  const one = async () => {
    const start = performance.now()
    const told = new Promise((done) => (globalThis.told = () => done(performance.now())))
    const shown = new Promise((done) => {
      const observer = new MutationObserver(() => (observer.disconnect(), done(performance.now())))
      observer.observe(document.querySelector('.totals'), { subtree: true, childList: true })
    })
    await db.query(
      'INSERT INTO flights SELECT id + 1, date, 10, distance, origin, destination FROM flights ORDER BY id DESC LIMIT 1',
    )
    const times = { answered: performance.now() - start, told: (await told) - start, shown: (await shown) - start }
    return { ...times, painted: (await painted()) - start }
  }
  return (async () => {
    await db.trickle.subscribe('totals', () => globalThis.told?.(), { initial: false })
    const all = []
    for (let n = 0; n < count; n++) {
      all.push(await one())
      await new Promise((done) => setTimeout(done, 30 + Math.random() * 20))
    }
    return all
  })()
}

/** Resident memory of the browser's largest process, in MB. */
function resident() {
  const lines = execFileSync('ps', ['-eo', 'rss,args'], { encoding: 'utf8' }).split('\n')
  const sizes = lines.filter((line) => line.includes('--type=renderer')).map((line) => parseInt(line, 10))
  return `${(Math.max(...sizes) / 1024).toFixed(0)} MB`
}

await withDashboard(async (url, browser) => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  say('Load of the machine, one minute', loadavg()[0].toFixed(2))
  const start = performance.now()
  await page.goto(`${url}?rows=${values.flights}`)
  await loaded(page)
  say(
    `Opened with ${Number(values.flights).toLocaleString('en')} flights`,
    `${((performance.now() - start) / 1000).toFixed(1)} s`,
  )
  say('Memory of the page', resident())
  const { used } = await page.evaluate(() => db.trickle.memory())
  say('Memory of PostgreSQL in it', `${(used / 1e6).toFixed(0)} MB`)

  for (let n = 1; n <= CHANGES; n++) {
    await change(page, BUTTONS[n % 3], n, ['stream', 'live'])
    await page.waitForTimeout(50)
  }
  const [stream, live] = await page.locator('.latency').allInnerTexts()
  say('From a change to the screen, stream table', stream.split('\n')[1])
  say('The same, live.incrementalQuery', live.split('\n')[1])

  await page.getByRole('switch').click()
  for (let n = CHANGES + 1; n <= 2 * CHANGES; n++) {
    await change(page, BUTTONS[n % 3], n, ['stream'])
    await page.waitForTimeout(50)
  }
  say('Stream table, without the live query', (await page.locator('.latency').innerText()).split('\n')[1])
  await page.getByRole('button', { name: '10 s of changes' }).click()
  const status = page.locator('.controls [role=status]')
  await status.filter({ hasText: 'own transaction' }).waitFor({ timeout: 60_000 })
  say('10 s of changes', await status.innerText())

  const steps = await page.evaluate(takeApart, CHANGES)
  say('Steps of a change: the statement is answered', spread(steps.map(({ answered }) => answered)))
  say('  the page is told the changed rows', spread(steps.map(({ told }) => told)))
  say('  React has put them into the document', spread(steps.map(({ shown }) => shown)))
  say('  the frame is painted', spread(steps.map(({ painted }) => painted)))

  if (Number(values.flights) <= 200_000) {
    await page.getByRole('link', { name: 'All flights' }).click()
    await page.locator('.all .line').first().waitFor({ timeout: 120_000 })
    await page.waitForTimeout(2000)
    await page.getByRole('button', { name: 'Scroll for' }).click()
    const result = page.locator('.list-controls [role=status]')
    await result.filter({ hasText: 'frames a second' }).waitFor({ timeout: 60_000 })
    say('The list', await result.innerText())
  }
  say('Load of the machine, one minute', loadavg()[0].toFixed(2))
})
