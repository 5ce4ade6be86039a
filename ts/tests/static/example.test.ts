/** The example with the Durable Object, in the real workerd: it keeps what was acknowledged, and pages get what changed. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleWorker } from '../../../examples/cloudflare-durable-object/lib/build.mjs'
import type { Bundle } from '../../../examples/cloudflare-durable-object/lib/build.mjs'
import { order, watch } from '../../../examples/cloudflare-durable-object/lib/client.mjs'
import { EXAMPLE, prepareModules } from '../../../examples/cloudflare-durable-object/lib/prepare.mjs'
import { startWorkerd } from '../../../examples/cloudflare-durable-object/lib/workerd.mjs'
import type { Workerd } from '../../../examples/cloudflare-durable-object/lib/workerd.mjs'
import { MAJOR } from '../support/modules.js'

interface State {
  orders: number
  isVerified: boolean
  codeGenerations: number
  memory: number
}

// The example uses the newest PGlite, so once is enough.
describe.runIf(MAJOR === 18)('the board', () => {
  let bundle: Bundle
  let folder: string
  let server: Workerd

  beforeAll(async () => {
    prepareModules()
    bundle = await bundleWorker(join(EXAMPLE, 'src/worker.ts'))
    folder = await mkdtemp(join(tmpdir(), 'board-'))
    await start()
  })
  afterAll(async () => {
    await server?.stop()
    await rm(folder, { recursive: true })
  })

  async function start(): Promise<void> {
    server = await startWorkerd({ bundle, folder, durableObject: 'Board' })
  }

  async function state(): Promise<State> {
    return (await (await fetch(`${server.url}/state`)).json()) as State
  }

  test('serves its page', async () => {
    expect(await (await fetch(server.url)).text()).toContain('<title>Sales, live</title>')
  })

  test('sends all rows once, and then to each page the rows that changed', async () => {
    const [one, two] = [await watch(server.url), await watch(server.url)]
    for (const page of [one, two]) {
      await page.until(({ snapshots }) => snapshots === 1)
      expect(page.tables).toEqual({ sales_by_city: {}, sales_by_product: {}, largest_orders: {} })
    }
    expect(await order(server.url, { product: 1, city: 'Lisbon', quantity: 2 })).toMatchObject({ status: 201 })
    for (const page of [one, two]) {
      await page.until(({ messages }) => messages.length === 3)
      const told = page.messages.flatMap(({ table, changes }) => changes.map(({ op, row }) => ({ table, op, row })))
      expect(told.sort((a, b) => (a.table < b.table ? -1 : 1))).toEqual([
        { table: 'largest_orders', op: 'insert', row: expect.objectContaining({ city: 'Lisbon', quantity: 2 }) },
        { table: 'sales_by_city', op: 'insert', row: { city: 'Lisbon', orders: 1, revenue: 6 } },
        { table: 'sales_by_product', op: 'insert', row: { id: 1, name: 'espresso', sold: 2 } },
      ])
    }
    await Promise.all([one.close(), two.close()])
  })

  test('answers what is wrong, and tells nobody', async () => {
    const page = await watch(server.url)
    await page.until(({ snapshots }) => snapshots === 1)
    expect(await order(server.url, { product: 1, city: 'Lisbon', quantity: 0 })).toMatchObject({
      status: 400,
      answer: { code: '23514' },
    })
    expect(await order(server.url, { product: 99, city: 'Lisbon', quantity: 1 })).toMatchObject({
      status: 400,
      answer: { code: '23503' },
    })
    await order(server.url, { product: 2, city: 'Faro', quantity: 1 })
    await page.until(({ messages }) => messages.length === 3)
    expect(page.messages.flatMap(({ changes }) => changes).map(({ row }) => row.city ?? row.name)).toContain('Faro')
    await page.close()
  })

  test('a page that comes back gets what it has missed', async () => {
    const page = await watch(server.url)
    await page.until(({ snapshots }) => snapshots === 1)
    await page.close()
    await order(server.url, { product: 3, city: 'Porto', quantity: 10 })
    const other = await watch(server.url)
    await other.until(({ snapshots }) => snapshots === 1)
    const again = await watch(server.url, page)
    await again.until(({ messages }) => messages.length === 3)
    expect(again.snapshots).toBe(0)
    expect(again.tables).toEqual(other.tables)
    await Promise.all([again.close(), other.close()])
  })

  test('keeps what it acknowledged when it is killed, and a page that comes back is up to date', async () => {
    const page = await watch(server.url)
    await page.until(({ snapshots }) => snapshots === 1)
    const cities = Array.from({ length: 20 }, (_, n) => `city ${n}`)
    for (const city of cities) expect((await order(server.url, { product: 2, city, quantity: 1 })).status).toBe(201)
    // These are not waited for: each of them is there afterwards, or it is not.
    const unanswered = cities.map((city) => order(server.url, { product: 1, city, quantity: 1 }).catch(() => undefined))
    const { orders } = await state()
    await server.stop('SIGKILL')
    const answered = (await Promise.all(unanswered)).filter((each) => each?.status === 201).length
    await page.close()
    await start()

    const after = await state()
    expect(after).toMatchObject({ isVerified: true, codeGenerations: 0 })
    expect(after.orders).toBeGreaterThanOrEqual(orders)
    expect(after.orders).toBeGreaterThanOrEqual(23 + answered)
    const again = await watch(server.url, page)
    await again.until(({ snapshots }) => snapshots === 1)
    expect(Object.values(again.tables.sales_by_city ?? {})).toHaveLength(cities.length + 3)
    expect((await order(server.url, { product: 1, city: 'Lisbon', quantity: 1 })).status).toBe(201)
    await again.until(({ messages }) => messages.length >= 2)
    await again.close()
    expect((await state()).memory).toBeLessThan(64 * 1024 * 1024)
  })

  test('is the same after it was stopped', async () => {
    const before = await state()
    await server.stop()
    await start()
    expect(await state()).toMatchObject({ orders: before.orders, isVerified: true, codeGenerations: 0 })
  })
})
