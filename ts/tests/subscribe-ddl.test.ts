/** `subscribe` inside a transaction of the caller, and the effect of DDL on subscriptions. */
import { describe, expect, it } from 'vitest'
import { Mirror } from './support/mirror.js'
import { openDatabase } from './support/pglite.js'
import { countChangeTriggers, openTotals, SALES, TOTALS } from './support/sales.js'
import { useFreshLab } from './support/use-lab.js'
import { eventually } from './support/eventually.js'

const lab = useFreshLab(SALES)

describe('in a transaction of the caller', () => {
  it('the rows arrive when it commits', async () => {
    await lab.create('totals', TOTALS)
    await lab.exec('BEGIN; UPDATE sale SET amount = 1 WHERE id = 3')
    const mirror = await Mirror.open(lab.pg, 'totals')
    expect(mirror.calls).toEqual([])
    await lab.exec('UPDATE sale SET amount = 2 WHERE id = 1')
    await lab.exec('COMMIT')
    expect(mirror.calls).toHaveLength(1)
    await mirror.check()
    await lab.run('DELETE FROM sale WHERE id = 3')
    await mirror.check()
    await mirror.end()
  })

  it.each([
    ['rolled back', 'ROLLBACK'],
    ['rolled back to a savepoint', 'ROLLBACK TO a; COMMIT'],
  ])('the rows arrive after it was %s, as they are then', async (_, end) => {
    await lab.create('totals', TOTALS)
    await lab.exec('BEGIN; SAVEPOINT a; UPDATE sale SET amount = 1 WHERE id = 3')
    const mirror = await Mirror.open(lab.pg, 'totals')
    await lab.exec(end)
    await eventually(() => expect(mirror.calls).toHaveLength(1))
    await mirror.check()
    await lab.run('DELETE FROM sale WHERE id = 3')
    await mirror.check()
    await mirror.end()
    expect(await countChangeTriggers(lab.pg)).toBe(0)
  })

  it('a failed or read-only one refuses the first subscriber', async () => {
    await lab.create('totals', TOTALS)
    await lab.exec('BEGIN READ ONLY')
    await expect(Mirror.open(lab.pg, 'totals')).rejects.toMatchObject({ code: '25006' })
    await expect(Mirror.open(lab.pg, 'totals')).rejects.toMatchObject({ code: '25P02' })
    await lab.exec('ROLLBACK')
    const mirror = await Mirror.open(lab.pg, 'totals')
    await lab.exec('BEGIN READ ONLY')
    const reading = await Mirror.open(lab.pg, 'totals')
    await reading.check()
    await lab.exec('COMMIT')
    await lab.run('DELETE FROM sale WHERE id = 3')
    await reading.check()
    await mirror.end()
    await reading.end()
  })

  it('unsubscribing in a failed one is not an error', async () => {
    const mirror = await openTotals(lab)
    await lab.exec('BEGIN')
    await lab.exec('SELECT 1 / 0').catch(() => undefined)
    await mirror.end()
    await lab.exec('ROLLBACK')
    const again = await Mirror.open(lab.pg, 'totals')
    await lab.run('DELETE FROM sale WHERE id = 3')
    await again.check()
    expect(mirror.calls).toHaveLength(1)
    await again.end()
  })
})

describe('a session that ends', () => {
  it('leaves nothing behind once the database is opened again', async () => {
    const mirror = await openTotals(lab)
    await lab.exec("SELECT pgtrickle.create_stream_table('public.kept', 'SELECT id FROM test.sale')")
    await lab.create('large', 'SELECT shop FROM totals WHERE total > 10')
    const kept = await Mirror.open(lab.pg, 'public.kept')
    const loadDataDir = await lab.pg.dumpDataDir('none')
    const pg = await openDatabase({ loadDataDir })
    const { rows } = await pg.query(`SELECT t.relid::text AS name, count(*)::int AS n
      FROM pgtrickle.stream_table t JOIN pg_trigger ON tgrelid = t.storage AND tgname LIKE '\\_\\_pgt%' GROUP BY 1`)
    expect(rows).toEqual([{ name: 'test.totals', n: 5 }])
    const again = await Mirror.open(pg, 'public.kept')
    await pg.exec('DELETE FROM test.sale WHERE id = 1')
    await again.check()
    await pg.close()
    await mirror.end()
    await kept.end()
    await lab.exec('DROP VIEW public.kept')
  })
})

describe('DDL', () => {
  it('dropping the stream table ends the subscription with an error', async () => {
    const mirror = await openTotals(lab)
    await lab.exec('BEGIN; DROP VIEW totals; ROLLBACK')
    expect(mirror.errors).toEqual([])
    await lab.run('UPDATE sale SET amount = 1 WHERE id = 3')
    await mirror.check()
    lab.forget('totals')
    await lab.pg.trickle.dropStreamTable('totals')
    expect(mirror.errors).toMatchObject([{ code: '42P01', streamTable: 'totals' }])
    await lab.create('totals', TOTALS)
    await lab.run('UPDATE sale SET amount = 2 WHERE id = 3')
    expect(mirror.calls).toHaveLength(2)
    await mirror.end()
    const again = await Mirror.open(lab.pg, 'totals')
    await again.check()
    await again.end()
  })

  it.each([
    ['with the same columns', 'SELECT shop, sum(amount) AS total FROM sale WHERE id <> 1 GROUP BY shop'],
    ['with a HAVING', 'SELECT shop, sum(amount) AS total FROM sale GROUP BY shop HAVING sum(amount) > 8'],
    ['that is maintained in another way', 'SELECT shop, max(amount) OVER (PARTITION BY shop) AS total FROM sale'],
    ['with more columns', 'SELECT shop, sum(amount) AS total, count(*) AS n FROM sale GROUP BY shop'],
    ['with other columns', 'SELECT id, amount FROM sale'],
  ])('altering the query to one %s reports the changes', async (_, query) => {
    const mirror = await openTotals(lab)
    lab.forget('totals')
    await lab.pg.query('BEGIN')
    await lab.pg.trickle.alterStreamTable('totals', query)
    await lab.pg.query('ROLLBACK')
    await mirror.check()
    expect(mirror.calls).toHaveLength(1)
    await lab.pg.trickle.alterStreamTable('totals', query)
    await mirror.check()
    expect(mirror.calls).toHaveLength(2)
    await lab.exec('UPDATE sale SET amount = amount + 1; INSERT INTO sale VALUES (8, 8, 8)')
    await mirror.check()
    await lab.pg.trickle.createStreamTable('totals', TOTALS, { orReplace: true })
    await mirror.check()
    await lab.exec('UPDATE sale SET amount = amount + 1; INSERT INTO sale VALUES (9, 8, 8)')
    await mirror.check()
    await mirror.end()
    expect(await countChangeTriggers(lab.pg)).toBe(0)
  })

  it('renaming the stream table has no effect', async () => {
    await lab.pg.trickle.createStreamTable('totals', TOTALS)
    const mirror = await Mirror.open(lab.pg, 'totals')
    await lab.exec('BEGIN')
    const late = await Mirror.open(lab.pg, 'totals', { key: ['shop'] })
    await lab.exec('ALTER VIEW totals RENAME TO sums; CREATE TABLE totals (); UPDATE sale SET amount = 1')
    await lab.exec('ROLLBACK')
    await eventually(() => expect(late.calls).toHaveLength(1))
    await lab.exec('ALTER VIEW totals RENAME TO sums; CREATE VIEW totals AS TABLE sums; UPDATE sale SET amount = 2')
    for (const one of [mirror, late]) {
      await one.check()
      await one.end()
    }
    expect(mirror.calls).toHaveLength(2)
  })

  it('altering a source reports the rows that differ', async () => {
    const mirror = await openTotals(lab)
    await lab.run('ALTER TABLE sale ADD COLUMN more int')
    await lab.run('CREATE TABLE part () INHERITS (sale); INSERT INTO part VALUES (11, 5, 5, 5)')
    await mirror.check()
    await lab.run('DROP TABLE part')
    await mirror.check()
    await mirror.end()
  })

  it('filling the stream table reports its rows', async () => {
    await lab.pg.trickle.createStreamTable('totals', TOTALS, { withData: false })
    const mirror = await Mirror.open(lab.pg, 'totals')
    expect(mirror.takeChanges()).toEqual([[]])
    await lab.pg.trickle.refreshStreamTable('totals')
    await mirror.check()
    expect(mirror.rows.size).toBe(2)
    await mirror.end()
  })
})
