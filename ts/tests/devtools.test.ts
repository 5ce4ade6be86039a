/** What the developer tools count. `browser/dashboard.test.ts` uses the panel itself. */
import { expect, test } from 'vitest'
import { Counters } from '../dist/devtools.js'
import type { Activity } from '../dist/devtools.js'
import { openDatabase } from './support/pglite.js'
import { useLab } from './support/use-lab.js'

const lab = useLab(`
  CREATE TABLE item (id int PRIMARY KEY, k int, v int);
  SELECT pgtrickle.create_stream_table('sums', 'SELECT k, sum(v) AS v FROM item GROUP BY k');
  INSERT INTO item SELECT i, i % 3, i FROM generate_series(1, 30) i`)

const setting = async () => (await lab.exec('SHOW track_functions'))[0]?.track_functions

const of = (streamTables: Activity[], wanted: string) => {
  const found = streamTables.find(({ name }) => name === wanted)
  if (found === undefined) throw new Error(`${wanted} is not counted`)
  const { inserted, updated, deleted, last, changedAt } = found
  return { all: [inserted, updated, deleted], last: [last.inserted, last.updated, last.deleted], changedAt }
}

test('rows are counted from when it is opened, and time is measured until it is closed', async () => {
  const counters = new Counters(lab.pg)
  const first = await counters.read()
  expect(of(first.streamTables, 'sums')).toEqual({ all: [0, 0, 0], last: [0, 0, 0], changedAt: undefined })
  expect(first.maintenance).toBe(0)
  expect(await setting()).toBe('all')

  await lab.exec('UPDATE item SET v = 0 WHERE k < 2; INSERT INTO item VALUES (40, 7, 7)')
  const second = await counters.read()
  expect(of(second.streamTables, 'sums')).toMatchObject({ all: [1, 2, 0], last: [1, 2, 0] })
  expect(second.maintenance).toBeGreaterThan(0)
  expect(second.lastMaintenance).toBe(second.maintenance)

  await lab.exec('DELETE FROM item WHERE k = 7')
  const third = await counters.read()
  expect(of(third.streamTables, 'sums')).toMatchObject({ all: [1, 2, 1], last: [0, 0, 1] })
  expect(third.maintenance).toBeGreaterThan(second.maintenance ?? Infinity)
  const changedAt = of(third.streamTables, 'sums').changedAt

  const quiet = await counters.read()
  expect(of(quiet.streamTables, 'sums')).toEqual({ all: [1, 2, 1], last: [0, 0, 1], changedAt })
  expect(quiet.lastMaintenance).toBe(0)
  await counters.close()
  expect(await setting()).toBe('none')
})

test('a stream table that is made in the meantime is counted from its first row', async () => {
  const counters = new Counters(lab.pg)
  await counters.read()
  await lab.exec(`SELECT pgtrickle.create_stream_table('"Later"', 'SELECT id FROM item WHERE v > 0')`)
  await lab.exec('INSERT INTO item VALUES (50, 1, 1)')
  const { rows } = await lab.pg.query<{ n: number }>('SELECT count(*)::int AS n FROM "Later"')
  expect(of((await counters.read()).streamTables, 'Later').all).toEqual([rows[0]?.n, 0, 0])
  await lab.exec('DROP VIEW "Later"')
  expect((await counters.read()).streamTables.map(({ name }) => name)).toEqual(['sums'])
  await counters.close()
})

test('it goes on after transactions that are rolled back, and says so inside of one that has failed', async () => {
  const counters = new Counters(lab.pg)
  await lab.exec('BEGIN')
  await counters.read()
  await lab.exec('ROLLBACK')
  await lab.exec('UPDATE item SET v = v + 1')
  await counters.read()
  await lab.exec('UPDATE item SET v = v + 1')
  expect((await counters.read()).lastMaintenance).toBeGreaterThan(0)
  await lab.exec('BEGIN')
  await lab.fails('SELECT 1 / 0')
  await expect(counters.read()).rejects.toMatchObject({ code: '25P02' })
  await lab.exec('ROLLBACK')
  await counters.read()
  await counters.close()
  expect(await setting()).toBe('none')
})

test('a role that is no superuser sees counts without times', async () => {
  const pg = await openDatabase()
  await pg.exec('CREATE ROLE plain; GRANT CREATE ON SCHEMA public TO plain; SET ROLE plain; CREATE TABLE own (id int)')
  await pg.trickle.createStreamTable('copies', 'SELECT id FROM own')
  const counters = new Counters(pg)
  await counters.read()
  await pg.exec('INSERT INTO own VALUES (1)')
  const { streamTables, maintenance } = await counters.read()
  expect(of(streamTables, 'copies').all).toEqual([1, 0, 0])
  expect(maintenance).toBeUndefined()
  await counters.close()
  await pg.close()
})
