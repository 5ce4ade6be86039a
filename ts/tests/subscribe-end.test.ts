/** The ends of subscriptions: by an AbortSignal, and with the block that `await using` is in. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LiveTable, Unsubscribe } from '../dist/index.js'
import { openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { countChangeTriggers, SALES, TOTALS } from './support/sales.js'
import { eventually } from './support/eventually.js'

let pg: Database
beforeAll(async () => {
  pg = await openDatabase()
})
afterAll(() => pg.close())
beforeEach(async () => {
  await pg.exec('DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test; SET search_path = test, public')
  await pg.exec(SALES)
  await pg.trickle.createStreamTable('totals', TOTALS)
})

const isOver = () => eventually(async () => expect(await countChangeTriggers(pg)).toBe(0))
const change = () => pg.query('UPDATE sale SET amount = amount + 1')

describe('an AbortSignal', () => {
  it('ends a subscription', async () => {
    const controller = new AbortController()
    const callback = vi.fn()
    const unsubscribe = await pg.trickle.subscribe('totals', callback, { signal: controller.signal })
    await change()
    expect(callback).toHaveBeenCalledTimes(2)
    controller.abort()
    await change()
    expect(callback).toHaveBeenCalledTimes(2)
    await isOver()
    await unsubscribe()
  })

  it('refuses one when it is aborted already', async () => {
    const reason = new Error('left the page')
    const subscribing = pg.trickle.subscribe('totals', () => {}, { signal: AbortSignal.abort(reason) })
    await expect(subscribing).rejects.toMatchObject({
      code: '57014',
      message: 'the subscription to totals was aborted',
      streamTable: 'totals',
      cause: reason,
    })
  })

  it('ends one that is about to start', async () => {
    const controller = new AbortController()
    const callback = vi.fn()
    const subscribing = pg.trickle.subscribe('totals', callback, { signal: controller.signal })
    controller.abort()
    await expect(subscribing).rejects.toMatchObject({ code: '57014' })
    await isOver()
    expect(callback).not.toHaveBeenCalled()
  })

  it('does no harm after the subscription, or where it fails', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const remove = vi.spyOn(signal, 'removeEventListener')
    const unsubscribe = await pg.trickle.subscribe('totals', () => {}, { signal })
    await unsubscribe()
    await expect(pg.trickle.subscribe('nope', () => {}, { signal })).rejects.toMatchObject({ code: '42P01' })
    expect(remove).toHaveBeenCalledTimes(2)
    controller.abort()
  })

  it('ends live', async () => {
    const controller = new AbortController()
    const callback = vi.fn()
    const live = await pg.trickle.live('totals', { signal: controller.signal })
    live.subscribe(callback)
    await change()
    expect(callback).toHaveBeenCalledTimes(1)
    controller.abort()
    await change()
    expect(callback).toHaveBeenCalledTimes(1)
    await isOver()
  })

  it('must be one', async () => {
    const signal = 'abort' as unknown as AbortSignal
    await expect(pg.trickle.subscribe('totals', () => {}, { signal })).rejects.toThrow(
      "the option signal of subscribe must be an AbortSignal, not 'abort'",
    )
  })
})

it.each<[string, () => Promise<Unsubscribe | LiveTable>]>([
  ['subscribe', () => pg.trickle.subscribe('totals', () => {})],
  ['subscribe with a signal', () => pg.trickle.subscribe('totals', () => {}, { signal: new AbortController().signal })],
  ['live', () => pg.trickle.live('totals')],
])('`await using` ends %s', async (_, start) => {
  {
    await using subscription = await start()
    expect(subscription).toBeDefined()
    expect(await countChangeTriggers(pg)).toBeGreaterThan(0)
  }
  expect(await countChangeTriggers(pg)).toBe(0)
})
