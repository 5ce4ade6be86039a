import { beforeAll, describe, expect, test } from 'vitest'
import { useFreshLab } from './support/use-lab.js'

/** SQLSTATE `dependent_objects_still_exist`. */
const IN_USE = '2BP01'

const lab = useFreshLab([
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int, unused text)',
  'INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, NULL)',
])
let empty: Record<string, number>
beforeAll(async () => {
  empty = await lab.inventory()
})

async function names(): Promise<string[]> {
  return (await lab.pg.trickle.listStreamTables()).map(({ name }) => name)
}

describe('an object that a stream table depends on', () => {
  test('cannot be dropped', async () => {
    await lab.exec('CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT $1 + 1 $$')
    await lab.exec('CREATE VIEW w AS SELECT id, f(v) AS v FROM t')
    await lab.create('st', 'SELECT k, sum(v) FROM t GROUP BY k')
    await lab.create('over_view', 'SELECT * FROM w')
    for (const sql of [
      'DROP TABLE t',
      'ALTER TABLE t DROP COLUMN v',
      'DROP FUNCTION f',
      'DROP VIEW w',
      'DROP SCHEMA test',
    ]) {
      expect(await lab.fails(sql), sql).toMatchObject({ code: IN_USE })
    }
    await lab.run('INSERT INTO t VALUES (4, 1, 4)')
  })

  test('cannot change the type of a column', async () => {
    await lab.create('st', 'SELECT k, sum(v) FROM t GROUP BY k')
    expect(await lab.fails('ALTER TABLE t ALTER COLUMN v TYPE bigint')).toMatchObject({ code: '0A000' })
    await lab.run('UPDATE t SET v = v + 1')
    await lab.run('ALTER TABLE t ALTER COLUMN unused TYPE varchar(10)')
    await lab.run("INSERT INTO t VALUES (4, 1, 4, 'x')")
  })

  test('takes the stream table with it when it is dropped with CASCADE', async () => {
    const before = await lab.inventory()
    await lab.exec('CREATE TABLE u (id int)')
    await lab.create('st', 'SELECT k, sum(v) FROM t GROUP BY k')
    await lab.create('joined', 'SELECT t.id FROM t JOIN u USING (id)')
    await lab.create('only_t', 'SELECT id FROM t')
    lab.watched.clear()
    await lab.exec('DROP TABLE u CASCADE')
    expect(await names()).toEqual(['only_t', 'st'])
    await lab.exec('INSERT INTO t VALUES (4, 4, 4)')
    await lab.exec('ALTER TABLE t DROP COLUMN v CASCADE')
    expect(await names()).toEqual(['only_t'])
    await lab.watch('only_t', 'SELECT id FROM t')
    await lab.run('INSERT INTO t VALUES (5, 5)')
    lab.watched.clear()
    await lab.exec('DROP TABLE t CASCADE')
    expect(await names()).toEqual([])
    await lab.exec('CREATE TABLE t (id int PRIMARY KEY, k int, v int, unused text)')
    expect(await lab.inventory()).toEqual(before)
  })

  test('leaves nothing behind when the whole schema is dropped', async () => {
    await lab.create('st', 'SELECT k, sum(v) FROM t GROUP BY k')
    await lab.create('over_st', 'SELECT sum FROM st')
    await lab.create('top', 'SELECT sum FROM st ORDER BY 1 LIMIT 1')
    lab.watched.clear()
    await lab.exec('DROP SCHEMA test CASCADE')
    expect(await lab.inventory()).toEqual(empty)
  })

  test('can be dropped after the stream table', async () => {
    await lab.create('st', 'SELECT k, sum(v) FROM t GROUP BY k')
    lab.watched.clear()
    await lab.pg.trickle.dropStreamTable('st')
    await lab.exec('DROP TABLE t')
  })

  test('can be renamed and moved', async () => {
    await lab.create('st', 'SELECT k, sum(v) FROM t GROUP BY k', { frozen: true })
    await lab.create('joined', 'SELECT x.id, y.v FROM t x JOIN t y ON x.id = y.k', { frozen: true })
    await lab.create('outer_join', 'SELECT x.id, y.v FROM t x LEFT JOIN t y ON x.id = y.k', { frozen: true })
    await lab.run('ALTER TABLE t RENAME TO renamed')
    await lab.run('INSERT INTO renamed VALUES (4, 1, 4)')
    await lab.run('ALTER TABLE renamed RENAME COLUMN v TO "The Value"')
    await lab.run('UPDATE renamed SET "The Value" = 7 WHERE id = 1')
    await lab.run('CREATE SCHEMA "Else where"')
    await lab.run('ALTER TABLE renamed SET SCHEMA "Else where"')
    await lab.run('DELETE FROM "Else where".renamed WHERE id = 1')
    await lab.run('ALTER SCHEMA "Else where" RENAME TO test2')
    await lab.run('TRUNCATE test2.renamed')
    await lab.run('INSERT INTO test2.renamed VALUES (1, 1, 1)')
    lab.watched.clear()
    await lab.exec('DROP SCHEMA test2 CASCADE')
  })

  test('the stream table itself can be renamed and moved', async () => {
    await lab.create('st', 'SELECT k, sum(v) FROM t GROUP BY k')
    lab.watched.clear()
    await lab.exec('ALTER VIEW st RENAME TO other; CREATE SCHEMA test2; ALTER VIEW other SET SCHEMA test2')
    await lab.watch('test2.other', 'SELECT k, sum(v) FROM t GROUP BY k')
    await lab.run('INSERT INTO t VALUES (4, 1, 4)')
    expect(await lab.pg.trickle.listStreamTables()).toMatchObject([{ name: 'other', schema: 'test2' }])
    expect(await lab.pg.trickle.refreshStreamTable('test2.other')).toEqual({
      inserted: 0,
      deleted: 0,
      updated: 0,
    })
    await lab.pg.trickle.dropStreamTable('test2.other')
    lab.watched.clear()
    await lab.exec('DROP SCHEMA test2')
  })

  test('a plain DROP VIEW of a stream table drops all of it, or is refused with a hint', async () => {
    const before = await lab.inventory()
    await lab.create('st', 'SELECT k, sum(v) FROM t GROUP BY k')
    lab.watched.clear()
    await lab.exec('DROP VIEW st CASCADE').catch(async (error: { hint?: string }) => {
      expect(error.hint).toContain('drop_stream_table')
      await lab.pg.trickle.dropStreamTable('st')
    })
    expect(await lab.inventory()).toEqual(before)
    await lab.exec('INSERT INTO t VALUES (9, 9, 9)')
  })

  test('a view and a function can be replaced', async () => {
    await lab.exec('CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT $1 + 1 $$')
    await lab.exec('CREATE VIEW w AS SELECT id, v FROM t')
    await lab.create('st', 'SELECT id, v FROM w')
    // Either the stream table follows or the change is refused, but the result is never silently wrong.
    await lab.exec('CREATE OR REPLACE VIEW w AS SELECT id, v FROM t WHERE id > 1').catch(() => undefined)
    await lab.check('the view was replaced')
    await lab.run('INSERT INTO t VALUES (4, 1, 4)')
  })
})

describe('indexes and privileges', () => {
  test('an index on the stream table is used', async () => {
    await lab.create('st', 'SELECT id, v FROM t WHERE v IS NOT NULL')
    await lab.run('CREATE INDEX ON st (v)')
    await lab.run('INSERT INTO t SELECT i, i, i FROM generate_series(10, 2000) i')
    await lab.exec('SET enable_seqscan = off')
    const plan = JSON.stringify(await lab.exec('EXPLAIN SELECT * FROM st WHERE v = 77'))
    await lab.exec('RESET enable_seqscan')
    expect(plan).toContain('Index')
  })

  test('a role may write to the source without the right to read the stream table', async () => {
    await lab.create('st', 'SELECT k, sum(v) FROM t GROUP BY k')
    await lab.create('rebuilt', 'SELECT DISTINCT k FROM t')
    await lab.exec(
      'CREATE ROLE writer; GRANT USAGE ON SCHEMA test TO writer; GRANT INSERT, UPDATE, DELETE, SELECT ON t TO writer',
    )
    try {
      await lab.exec('SET ROLE writer')
      await lab.exec('INSERT INTO t VALUES (10, 1, 10)')
      await lab.exec('UPDATE t SET v = 5 WHERE id = 1')
      await lab.exec('DELETE FROM t WHERE id = 2')
      await expect(lab.exec('SELECT * FROM st')).rejects.toMatchObject({ code: '42501' })
      await lab.exec('RESET ROLE')
      await lab.check('writes by another role')
      await lab.exec('GRANT SELECT ON st TO writer; SET ROLE writer')
      expect(await lab.exec('SELECT k FROM st')).toHaveLength(2)
    } finally {
      await lab.exec('RESET ROLE; DROP OWNED BY writer; DROP ROLE writer')
    }
  })
})
