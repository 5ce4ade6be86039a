/** `subscribe` in tabs of PGlite's multi-tab worker. The workers are threads; the tabs live in this one. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest'
import { trickle } from '../dist/index.js'
import type { Trickle } from '../dist/index.js'
import { LockServer, lockManager } from './support/locks.mjs'
import { Mirror } from './support/mirror.js'
import { MODULE_NAME } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { countChangeTriggers, SALES, TOTALS } from './support/sales.js'
import { eventually } from './support/eventually.js'

type WorkerModule = typeof import('@electric-sql/pglite/worker')
type Tab = InstanceType<WorkerModule['PGliteWorker']> & { trickle: Trickle }

const WORKERS: Record<string, () => Promise<unknown>> = {
  'pglite-0.4': () => import('pglite-0.4/worker'),
  'pglite-0.5': () => import('pglite-0.5/worker'),
}

const locks = new LockServer()
const threads = new Map<Tab, Worker>()
let folder: string
let count = 0

/** A browser's `Worker`, to the extent that PGlite uses it. */
class TabWorker extends EventTarget {
  constructor(readonly thread: Worker) {
    super()
    thread.on('message', (data: unknown) => this.dispatchEvent(new MessageEvent('message', { data })))
  }

  postMessage(message: unknown): void {
    this.thread.postMessage(message)
  }

  terminate(): void {
    void this.thread.terminate()
  }
}

async function openTab(): Promise<Tab> {
  const { PGliteWorker } = (await WORKERS[MODULE_NAME]?.()) as WorkerModule
  const port = locks.port()
  const thread = new Worker(new URL('./support/tab-worker.mjs', import.meta.url), {
    workerData: {
      module: MODULE_NAME,
      dataDir: join(folder, 'data'),
      initial: count++ === 0 ? inject('dataDir') : undefined,
      lockPort: port,
    },
    transferList: [port],
  })
  const worker = new TabWorker(thread) as unknown as globalThis.Worker
  const tab = (await PGliteWorker.create(worker, { id: folder, extensions: { trickle } as never })) as unknown as Tab
  threads.set(tab, thread)
  await tab.waitReady
  return tab
}

async function closeTab(tab: Tab): Promise<void> {
  await tab.close()
  await threads.get(tab)?.terminate()
  threads.delete(tab)
}

function mirror(tab: Tab, name = 'totals'): Promise<Mirror> {
  return Mirror.open(tab as unknown as Database, name)
}

/** Waits until the changes have arrived, which is a little after the transaction. */
async function waitForRows(one: Mirror): Promise<void> {
  await eventually(() => one.check())
}

let first: Tab
let second: Tab
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabs-'))
  Object.defineProperty(globalThis, 'navigator', { value: { locks: lockManager(locks.port()) }, configurable: true })
  first = await openTab()
  second = await openTab()
  await first.exec(SALES)
  await first.trickle.createStreamTable('totals', TOTALS)
  await first.trickle.createStreamTable(
    'plain',
    'SELECT shop, array_agg(amount) AS list, now() IS NULL AS no FROM sale GROUP BY 1',
  )
})
afterAll(async () => {
  // The leader last, so that the others do not elect a new one.
  for (const tab of [...threads.keys()].reverse()) await closeTab(tab)
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  await second.exec('DELETE FROM sale; INSERT INTO sale VALUES (1, 1, 10), (2, 1, 5), (3, 2, 7)')
})

it('a change in either tab is reported in both', async () => {
  const mirrors = [await mirror(first), await mirror(second), await mirror(second, 'plain')]
  for (const one of mirrors) await waitForRows(one)
  await first.exec('UPDATE sale SET amount = 1 WHERE id = 3')
  for (const one of mirrors) await waitForRows(one)
  await second.exec('BEGIN; DELETE FROM sale WHERE shop = 1; INSERT INTO sale VALUES (4, 4, 4); COMMIT')
  for (const one of mirrors) await waitForRows(one)
  await second.exec('BEGIN; DELETE FROM sale; ROLLBACK')
  await first.exec('INSERT INTO sale VALUES (5, 2, 1)')
  for (const one of mirrors) {
    await waitForRows(one)
    expect(one.calls).toHaveLength(4)
  }
  for (const one of mirrors) await one.end()
  expect(await countChangeTriggers(first)).toBe(0)
})

it('a feed is followed in a tab, and says there too what is not kept', async () => {
  await first.trickle.keepChanges('totals')
  const abort = new AbortController()
  const ops: string[] = []
  const reading = (async () => {
    for await (const { op } of second.trickle.changes('totals', { snapshot: true, signal: abort.signal })) ops.push(op)
  })()
  await eventually(() => expect(ops).toEqual(['snapshot', 'insert', 'insert']))
  await first.exec('INSERT INTO sale VALUES (4, 4, 4)')
  await eventually(() => expect(ops).toEqual(['snapshot', 'insert', 'insert', 'insert']))
  await second.exec('DELETE FROM sale WHERE id = 4')
  await eventually(() => expect(ops.at(-1)).toBe('delete'))
  abort.abort()
  await reading
  await expect(second.trickle.changes('totals', { after: 1_000_000 }).next()).rejects.toMatchObject({ code: '72T01' })
  await first.trickle.keepChanges('totals', { retain: 0 })
})

it('a later subscriber gets the current rows, and the others are not disturbed', async () => {
  const early = await mirror(first)
  await waitForRows(early)
  await first.exec('UPDATE sale SET amount = 1 WHERE id = 3')
  const late = await mirror(second)
  await waitForRows(late)
  await waitForRows(early)
  expect(late.calls).toHaveLength(1)
  expect(early.calls).toHaveLength(2)
  await early.end()
  await second.exec('UPDATE sale SET amount = 2 WHERE id = 3')
  await waitForRows(late)
  await late.end()
})

it('dropping and altering are reported', async () => {
  await first.trickle.createStreamTable('going', 'SELECT id FROM sale')
  const one = await mirror(second, 'going')
  await waitForRows(one)
  await first.trickle.alterStreamTable('going', 'SELECT id, amount FROM sale WHERE id > 1')
  await waitForRows(one)
  await first.trickle.dropStreamTable('going')
  await eventually(() => expect(one.errors).toMatchObject([{ code: '42P01' }]))
})

it('errors are the same in a tab', async () => {
  // PGlite passes on only the message of an error.
  await expect(mirror(second, 'sale')).rejects.toMatchObject({
    message: 'public.sale is not a stream table',
    streamTable: 'sale',
  })
})

it('a lost message is noticed and its changes are recovered', async () => {
  const one = await mirror(second)
  await waitForRows(one)
  const { rows } = await second.query<{ channel: string }>("SELECT pgtrickle.command('listen', '0', '') AS channel")
  // A message that was never sent simulates a lost one, because it leaves a gap in the numbers.
  const channel = new BroadcastChannel(rows[0]?.channel ?? '')
  const calls = one.calls.length
  channel.postMessage({ number: 1000, bytes: new TextEncoder().encode('+0\0()\0\0') })
  await first.exec('UPDATE sale SET amount = 8 WHERE id = 3')
  await waitForRows(one)
  expect(one.calls.length).toBe(calls + 1)
  channel.close()
  await one.end()
})

it('a transaction of a tab has the methods, and refuses those outside of it', async () => {
  await second.transaction(async (tx) => {
    const { trickle } = tx as unknown as { trickle: Trickle }
    await trickle.createStreamTable('within', 'SELECT id FROM sale WHERE id > $1', { params: [0] })
    expect(await trickle.verifyStreamTable('within')).toEqual({ ok: true, missing: 0, extra: 0 })
    await expect(second.trickle.verifyStreamTable('within')).rejects.toMatchObject({ code: '25001' })
  })
  await first.trickle.dropStreamTable('within')
})

it('closing a tab removes its subscriptions', async () => {
  const { rows } = await second.query<{ id: string }>("SELECT pgtrickle.command('readable', 'totals') AS id")
  // The lock that a tab holds while its page is open.
  let leave: (value?: unknown) => void = () => undefined
  await new Promise<void>((resolve) => {
    void navigator.locks.request('page', () => {
      resolve()
      return new Promise((done) => (leave = done))
    })
  })
  await second.query("SELECT pgtrickle.command('open', $1, 'page/1')", [rows[0]?.id])
  expect(await countChangeTriggers(second)).toBeGreaterThan(0)
  leave()
  await eventually(async () => expect(await countChangeTriggers(second)).toBe(0))
})

it('subscriptions survive a change of leader', async () => {
  const one = await mirror(second)
  const other = await mirror(second, 'plain')
  await waitForRows(one)
  await first.exec('UPDATE sale SET amount = 3 WHERE id = 1')
  await closeTab(first)
  await second.exec('INSERT INTO sale VALUES (9, 9, 9)')
  await waitForRows(one)
  await waitForRows(other)
  first = await openTab()
  const late = await mirror(first)
  await first.exec('DELETE FROM sale WHERE id < 3')
  for (const each of [one, other, late]) {
    await waitForRows(each)
    await each.end()
  }
})
