/** Resets of a database, as tests and migration tools do them: everything works afterwards. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TrickleError } from '../dist/index.js'
import { openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'

const SUMS = 'SELECT k, sum(v) AS s FROM t GROUP BY k'
const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)'

let pg: Database
let empty: unknown
beforeEach(async () => {
  pg = await openDatabase()
  empty = await leftovers()
  await pg.exec(`${TABLE}; CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE lone (m mood)`)
  await pg.trickle.createStreamTable('sums', SUMS)
  await pg.trickle.createStreamTable('over', 'SELECT s, count(*) AS n FROM (SELECT max(s) AS s FROM sums) q GROUP BY s')
  await pg.trickle.createStreamTable('moods', 'SELECT m, count(*) AS n FROM lone GROUP BY m')
})
afterEach(() => pg.close())

/** What is in the schema of the extension, and the triggers on tables. */
async function leftovers(): Promise<unknown> {
  const { rows } = await pg.query(`SELECT
    (SELECT array_agg(relname ORDER BY relname) FROM pg_class WHERE relnamespace = 'pgtrickle'::regnamespace) AS relations,
    (SELECT count(*)::int FROM pg_trigger WHERE tgfoid = 'pgtrickle.maintain()'::regprocedure) AS triggers,
    (SELECT count(*)::int FROM pgtrickle.source) AS sources, (SELECT count(*)::int FROM pgtrickle.stage) AS stages`)
  return rows
}

/** Every method works, on a table made anew. */
async function everythingWorks(): Promise<void> {
  const { trickle } = pg
  expect(await leftovers()).toEqual(empty)
  expect(await trickle.listStreamTables()).toEqual([])
  await expect(trickle.refreshStreamTable('sums')).rejects.toMatchObject({ code: '42P01' })
  await pg.exec(TABLE)
  await trickle.createStreamTable('sums', SUMS)
  const seen: unknown[] = []
  const stop = await trickle.subscribe('sums', (changes) => void seen.push(...changes.map(({ row }) => row)))
  await pg.exec('UPDATE t SET v = v + 1 WHERE k = 2')
  await pg.query('SELECT 1')
  expect(seen).toContainEqual({ k: 2, s: 4 })
  await stop()
  await trickle.alterStreamTable('sums', `${SUMS} HAVING sum(v) > 3`)
  await pg.exec('INSERT INTO t VALUES (4, 1, 5)')
  expect((await pg.query('SELECT * FROM sums ORDER BY k')).rows).toEqual([
    { k: 1, s: 8 },
    { k: 2, s: 4 },
  ])
  expect(await trickle.verifyStreamTable('sums')).toMatchObject({ ok: true })
  expect((await trickle.explainStreamTable('sums')).way).toBe('fold')
  await trickle.restoreStreamTables()
  expect((await pg.query('SELECT * FROM pgtrickle.health_check()')).rows).toEqual([
    { stream_table: 'public.sums', ok: true, problem: null },
  ])
  await trickle.dropStreamTable('sums')
  await pg.exec('DROP TABLE t')
  expect(await leftovers()).toEqual(empty)
}

/** Drops each of these, as tools do that list what there is. */
const dropEach = (list: string, what: string) =>
  `DO $$ DECLARE n text; BEGIN FOR n IN ${list} LOOP
    EXECUTE format('DROP ${what} IF EXISTS %s CASCADE', n); END LOOP; END $$`

describe('the extension stays', () => {
  test.each([
    ['DROP SCHEMA public CASCADE', 'DROP SCHEMA public CASCADE; CREATE SCHEMA public'],
    [
      'DROP SCHEMA public CASCADE with a schema of the tool',
      `CREATE SCHEMA drizzle; CREATE TABLE drizzle.done (id int);
      DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS drizzle CASCADE`,
    ],
    [
      'DROP TABLE of every table in public',
      dropEach("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'", 'TABLE'),
    ],
    [
      'DROP of views, then tables, then types',
      [
        dropEach("SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = 'public'", 'VIEW'),
        dropEach("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'", 'TABLE'),
        'DROP TYPE mood CASCADE',
      ].join('; '),
    ],
    ['DROP TABLE of several tables', 'DROP TABLE t, lone CASCADE'],
    [
      'DROP of the hidden storage',
      dropEach(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'pgtrickle' AND tablename LIKE 'st\\_%'",
        'TABLE',
      ).concat('; DROP TABLE t, lone'),
    ],
    ['all in one transaction', 'BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public; COMMIT'],
  ])('%s', async (_name, sql) => {
    await pg.exec(sql)
    await everythingWorks()
  })

  test('DROP OWNED', async () => {
    await pg.exec(`CREATE ROLE app; GRANT ALL ON SCHEMA public TO app; ALTER TABLE t OWNER TO app;
      ALTER VIEW sums OWNER TO app; ALTER TABLE lone OWNER TO app; ALTER TYPE mood OWNER TO app`)
    await pg.exec('DROP OWNED BY app CASCADE')
    await everythingWorks()
  })

  test('a rolled back reset undoes nothing else', async () => {
    await pg.exec('BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public; ROLLBACK')
    await pg.exec('INSERT INTO t VALUES (4, 2, 4)')
    expect((await pg.query('SELECT * FROM sums ORDER BY k')).rows).toEqual([
      { k: 1, s: 3 },
      { k: 2, s: 7 },
    ])
  })

  test('stream tables in other schemas go with what they read, and only those', async () => {
    await pg.exec('CREATE SCHEMA app; CREATE TABLE app.own (a int)')
    await pg.trickle.createStreamTable('app.reads_public', SUMS)
    await pg.trickle.createStreamTable('app.kept', 'SELECT a, count(*) AS n FROM app.own GROUP BY a')
    await pg.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    expect((await pg.trickle.listStreamTables()).map(({ name }) => name)).toEqual(['kept'])
    await pg.exec('INSERT INTO app.own VALUES (1), (1)')
    expect((await pg.query('SELECT * FROM app.kept')).rows).toEqual([{ a: 1, n: 2 }])
  })

  test('the schema of the extension cannot be dropped without it', async () => {
    await expect(pg.exec('DROP SCHEMA pgtrickle CASCADE')).rejects.toMatchObject({ code: '2BP01' })
  })
})

describe('where the extension has been dropped', () => {
  test('the next call of the plugin creates it again', async () => {
    await pg.exec('DROP EXTENSION pg_trickle CASCADE; DROP TABLE t, lone')
    expect(await pg.trickle.listStreamTables()).toEqual([])
    await everythingWorks()
  })

  test.each(['createStreamTable', 'subscribe', 'verifyStreamTable', 'restoreStreamTables'] as const)(
    '%s creates it again',
    async (method) => {
      await pg.exec('DROP EXTENSION pg_trickle CASCADE')
      const calls = {
        createStreamTable: () => pg.trickle.createStreamTable('sums', SUMS),
        subscribe: () => pg.trickle.subscribe('sums', () => {}),
        verifyStreamTable: () => pg.trickle.verifyStreamTable('sums'),
        restoreStreamTables: () => pg.trickle.restoreStreamTables(),
      }
      await calls[method]().catch((error: unknown) => expect(error).toMatchObject({ code: '42P01' }))
      expect((await pg.query("SELECT FROM pg_extension WHERE extname = 'pg_trickle'")).rows).toHaveLength(1)
    },
  )

  test('a call in a transaction says what to do', async () => {
    await pg.exec('BEGIN; DROP EXTENSION pg_trickle CASCADE')
    const error: unknown = await pg.trickle.listStreamTables().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TrickleError)
    expect(error).toMatchObject({ code: '55000', hint: expect.stringContaining('Roll the transaction back') as string })
    await pg.exec('ROLLBACK')
    expect(await pg.trickle.listStreamTables()).toHaveLength(3)
  })

  test('a role that may not create it is told who may', async () => {
    await pg.exec('CREATE ROLE joe; GRANT ALL ON SCHEMA public TO joe; DROP EXTENSION pg_trickle CASCADE; SET ROLE joe')
    await expect(pg.trickle.listStreamTables()).rejects.toMatchObject({
      code: '42501',
      hint: expect.stringContaining('as a superuser') as string,
    })
    await pg.exec('RESET ROLE')
    expect(await pg.trickle.listStreamTables()).toEqual([])
  })

  test('any other error is passed on', async () => {
    await expect(pg.trickle.createStreamTable('a', 'SELECT * FROM pgtrickle.nowhere')).rejects.toMatchObject({
      code: '42P01',
      streamTable: 'a',
    })
    expect(await pg.trickle.listStreamTables()).toHaveLength(3)
  })
})
