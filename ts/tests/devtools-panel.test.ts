/** The panel for developers over a real database, in a document without a browser. `browser/dashboard.test.ts` looks at it. */
import './support/dom.js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defineDevtools, openDevtools } from '../dist/devtools.js'
import type { DevtoolsElement } from '../dist/devtools.js'
import { useFreshLab } from './support/use-lab.js'

const { customElements, HTMLElement, CSSStyleSheet } = window
Object.assign(globalThis, { customElements, HTMLElement, CSSStyleSheet })

const POLL = { timeout: 20_000 }

const lab = useFreshLab(`
  CREATE TABLE item (id int PRIMARY KEY, k int, v int);
  INSERT INTO item SELECT i, i % 3, i FROM generate_series(1, 30) i;
  SELECT pgtrickle.create_stream_table('sums', 'SELECT k, sum(v) AS v FROM item GROUP BY k');
  SELECT pgtrickle.create_stream_table('"It''s"', 'SELECT id, now() - ''2026-01-01'' AS age FROM item')`)

let panel: DevtoolsElement
beforeEach(() => {
  panel = openDevtools(lab.pg)
})
afterEach(() => panel.remove())

const text = () => panel.shadowRoot?.textContent ?? ''
const shows = (wanted: string | RegExp) => expect.poll(text, POLL).toMatch(wanted)

/** The picture of the plan, as SVG. */
const drawing = () => decodeURIComponent(panel.shadowRoot?.querySelector<HTMLImageElement>('.drawing img')?.src ?? '')

function press(name: string): void {
  const button = [...(panel.shadowRoot?.querySelectorAll('button') ?? [])].find(
    ({ textContent }) => textContent === name,
  )
  if (button === undefined) throw new Error(`there is no button ${name}`)
  button.click()
}

test('it lists stream tables with their ways, rows and changes', async () => {
  await shows(/test\.It'srebuild30/)
  await shows(/test\.sumsfold3/)
  await shows('No change since this was opened')
  await lab.exec('UPDATE item SET v = 0 WHERE k = 1; INSERT INTO item VALUES (40, 9, 9)')
  await shows(/test\.sumsfold4\+1 ~1\d\d:\d\d:\d\d \+1 ~1/)
  await shows(/Maintenance took [\d.]+ m?s/)
  await shows(/Memory [\d.]+ MB of 2\.0 GB/)
})

test('it shows one in detail, verifies it, and follows its changes', async () => {
  await shows(/test\.sumsfold3/)
  press('test.sums')
  await shows('SELECT k, sum(v) AS v FROM item GROUP BY k')
  await shows(/A change of test\.item costs .+\.Key: k/)
  expect(drawing()).toContain('>test.sums<')
  press('Verify')
  await shows(/It equals its query \([\d.]+ ms\)\./)
  press('Follow changes')
  await shows('Waiting for changes.')
  await lab.exec('UPDATE item SET v = v + 5 WHERE id = 3')
  await shows(/~ k 0, v 165 → 170/)
  await lab.exec('INSERT INTO item SELECT i, i, i FROM generate_series(101, 108) i')
  await shows(/\+ k 10(\d), v 10\1/)
  await shows('and 3 more rows')
  await lab.exec('DELETE FROM item WHERE k = 1')
  await shows(/− k 1, v 145/)
  press('Follow changes')
  press("test.It's")
  await shows('Not incremental: stable function now()')
  await shows('Exact as of 20')
})

test('it says when a stream table differs from its query', async () => {
  await shows(/test\.sumsfold3/)
  press('test.sums')
  await lab.exec('SET session_replication_role = replica; DELETE FROM item WHERE k = 1; RESET session_replication_role')
  press('Verify')
  await shows(/It differs: 0 rows are missing, 1 too many/)
})

test('it follows what is made, altered and dropped', async () => {
  await shows(/test\.sumsfold3/)
  press('test.sums')
  await shows('Key: k')
  await lab.pg.trickle.alterStreamTable('sums', 'SELECT k, sum(v) AS v, max(v) AS m FROM item GROUP BY k')
  await shows('Choose a stream table.')
  await lab.exec(`DROP VIEW "It's", sums`)
  await shows('There are none yet.')
  await lab.pg.trickle.createStreamTable('again', 'SELECT id FROM item')
  await shows(/test\.againfold30/)
})

test('it says what fails, and goes on', async () => {
  await shows(/test\.sumsfold3/)
  await lab.exec('BEGIN')
  await lab.exec('SELECT 1 / 0').catch(() => undefined)
  const alert = () => {
    const element = panel.shadowRoot?.querySelector('[role=alert]')
    return element?.hasAttribute('hidden') ? '' : element?.textContent
  }
  await expect.poll(alert, POLL).toContain('current transaction is aborted')
  await lab.exec('ROLLBACK')
  await expect.poll(alert, POLL).toBe('')
})

test('it shows the database that it is given, until it leaves the page', async () => {
  defineDevtools()
  const other = document.createElement('pgtrickle-devtools') as DevtoolsElement
  document.body.append(other)
  expect(other.shadowRoot).toBeNull()
  other.db = lab.pg
  expect(other.db).toBe(lab.pg)
  await expect.poll(() => other.shadowRoot?.textContent, POLL).toContain('test.sums')
  expect(other.shadowRoot?.textContent).not.toContain('Close')
  other.remove()
  await shows('Close')
  press('Close')
  expect(panel.isConnected).toBe(false)
  await expect.poll(async () => (await lab.exec('SHOW track_functions'))[0]?.track_functions, POLL).toBe('none')
})
