/** Subscriptions that start or end inside transactions that commit, roll back or fail. */
import { describe, expect, it } from 'vitest'
import type { Change, SubscribeOptions, TrickleError } from '../dist/index.js'
import type { Lab } from './support/lab.js'
import { Mirror } from './support/mirror.js'
import { countChangeTriggers } from './support/sales.js'
import { useFreshLab } from './support/use-lab.js'
import { eventually } from './support/eventually.js'

const lab: Lab = useFreshLab(async () => {
  await lab.exec('CREATE TABLE sale (id int PRIMARY KEY, amount int); INSERT INTO sale VALUES (1, 10)')
  await lab.create('sales', 'SELECT id, amount FROM sale')
})

async function fail(): Promise<void> {
  await expect(lab.exec('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' })
}

describe('without initial rows, inside a transaction', () => {
  type Sale = { id: number; amount: number }

  /** Subscribes in the middle of a transaction. Returns what is reported, one list for each call. */
  async function reported(earlier: string, later: string, options: SubscribeOptions<Sale> = {}): Promise<string[][]> {
    const calls: string[][] = []
    const record = (changes: Change<Sale>[]) =>
      void calls.push(changes.map(({ op, row }) => `${op} ${row.id}: ${row.amount}`))
    await lab.exec(`BEGIN; ${earlier}`)
    const end = await lab.pg.trickle.subscribe<Sale>('sales', record, { initial: false, ...options })
    await lab.exec(`${later}; COMMIT`)
    await lab.exec('INSERT INTO sale VALUES (9, 9)')
    await end()
    return calls
  }

  it('only later changes are reported', async () => {
    expect(await reported('INSERT INTO sale VALUES (2, 20)', 'INSERT INTO sale VALUES (3, 30)')).toEqual([
      ['insert 3: 30'],
      ['insert 9: 9'],
    ])
  })

  it('also when all rows are sent again before it commits', async () => {
    const later = 'INSERT INTO sale VALUES (3, 30); TRUNCATE sale; INSERT INTO sale VALUES (2, 21), (4, 40)'
    expect(await reported('INSERT INTO sale VALUES (2, 20)', later, { key: ['id'] })).toEqual([
      ['delete 1: 10', 'update 2: 21', 'insert 4: 40'],
      ['insert 9: 9'],
    ])
  })

  it('nothing is reported when there are no later changes', async () => {
    expect(await reported('INSERT INTO sale VALUES (2, 20)', 'SELECT 1')).toEqual([['insert 9: 9']])
  })
})

describe('a transaction that has failed', () => {
  it('does not end a subscription that was requested in an earlier, rolled-back one', async () => {
    await lab.exec('BEGIN')
    const mirror = await Mirror.open(lab.pg, 'sales')
    await expect(lab.exec('ROLLBACK; BEGIN; SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' })
    await new Promise((done) => setTimeout(done, 50))
    expect(mirror.calls).toEqual([])
    await lab.exec('ROLLBACK')
    await eventually(() => expect(mirror.calls).toHaveLength(1))
    await lab.run('INSERT INTO sale VALUES (2, 20)')
    await mirror.check()
    await mirror.end()
  })

  it('refuses a new subscription', async () => {
    await lab.exec('BEGIN')
    await fail()
    await expect(Mirror.open(lab.pg, 'sales')).rejects.toMatchObject({ code: '25P02', streamTable: 'sales' })
    await lab.exec('ROLLBACK')
  })

  it('leaves no triggers behind when a subscription ends in it', async () => {
    const mirror = await Mirror.open(lab.pg, 'sales')
    await lab.exec('BEGIN')
    await fail()
    await mirror.end()
    await lab.exec('ROLLBACK')
    await eventually(async () => expect(await countChangeTriggers(lab.pg)).toBe(0))
  })

  it('leaves nothing behind when a subscription ends while it is being requested again', async () => {
    const errors: TrickleError[] = []
    await lab.exec('BEGIN')
    const end = await lab.pg.trickle.subscribe('sales', () => undefined, { onError: (error) => errors.push(error) })
    await expect(lab.exec('ROLLBACK; BEGIN; SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' })
    await new Promise((done) => setTimeout(done, 20))
    await end()
    await lab.exec('ROLLBACK')
    await new Promise((done) => setTimeout(done, 300))
    expect(errors).toEqual([])
    expect(await countChangeTriggers(lab.pg)).toBe(0)
  })
})
