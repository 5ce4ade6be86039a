/** `advance()` and the option `advanceEvery`: what they return, read, write and tell subscribers. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createTrickle, TrickleError } from '../dist/index.js'
import { setClock } from './support/clock.js'
import { Mirror } from './support/mirror.js'
import { openDatabase, openWith } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { eventually } from './support/eventually.js'

const START = Date.UTC(2026, 5, 1, 12, 0, 0)
const SECOND = 1000
const MINUTE = 60 * SECOND

let pg: Database

async function list(sql: string): Promise<unknown[]> {
  return (await pg.query(sql, [], { rowMode: 'array' })).rows.map((row) => (row as unknown as unknown[])[0])
}

/** Events one second apart, from the past into the future. */
async function fill(rows: number): Promise<void> {
  await pg.exec(`CREATE TABLE ev (id int PRIMARY KEY, k int, ts timestamptz NOT NULL);
    INSERT INTO ev SELECT n, n % 7, now() + (n - ${rows / 2}) * interval '1 second' FROM generate_series(1, ${rows}) n`)
}

const RECENT = "SELECT id, k FROM ev WHERE ts > now() - interval '1 minute' AND ts <= now()"

afterEach(async () => {
  await pg.close()
  vi.restoreAllMocks()
})

describe('advance()', () => {
  beforeEach(async () => {
    setClock(START)
    pg = await openDatabase()
  })

  test('says what it has changed, in SQL and TypeScript', async () => {
    await fill(1000)
    await pg.trickle.createStreamTable('recent', RECENT)
    await pg.trickle.createStreamTable('sums', 'SELECT k, count(*) AS n FROM recent GROUP BY k')
    await pg.trickle.createStreamTable('untimed', 'SELECT k, count(*) AS n FROM ev GROUP BY k')
    expect(await pg.trickle.advance()).toEqual({ streamTables: 0, rows: 0 })
    setClock(START + 3 * SECOND)
    // Three rows leave and three enter, each in a group of its own.
    expect(await pg.trickle.advance()).toEqual({ streamTables: 2, rows: 6 + 6 })
    expect(await pg.trickle.advance()).toEqual({ streamTables: 0, rows: 0 })
    setClock(START + 4 * SECOND)
    expect((await pg.query('SELECT * FROM pgtrickle.advance()')).rows).toEqual([{ stream_tables: 2, rows: 2 + 2 }])
    expect(await list('SELECT id FROM recent ORDER BY id')).toHaveLength(60)
  })

  test('writes nothing while nothing is due', async () => {
    await fill(1000)
    await pg.trickle.createStreamTable('recent', RECENT)
    await pg.trickle.createStreamTable('today', 'SELECT id FROM ev WHERE ts::date = current_date')
    const written = async () =>
      pg.transaction(async (tx) => {
        await tx.query('SELECT pgtrickle.advance()')
        return (await tx.query<{ id: unknown }>('SELECT pg_current_xact_id_if_assigned()::text AS id')).rows[0]?.id
      })
    setClock(START + 999)
    expect(await written()).toBeNull()
    setClock(START + SECOND)
    expect(await written()).not.toBeNull()
    expect(await written()).toBeNull()
  })

  test('moves several stream tables in one transaction, or none of them', async () => {
    await fill(1000)
    await pg.exec('CREATE TABLE log (k int)')
    await pg.trickle.createStreamTable('recent', RECENT)
    await pg.trickle.createStreamTable('ratio', 'SELECT id, 1 / (id - 502) AS r FROM ev WHERE id > 490 AND ts <= now()')
    const before = await list('SELECT id FROM recent ORDER BY id')
    setClock(START + 3 * SECOND)
    await expect(pg.trickle.advance()).rejects.toMatchObject({ code: '22012', streamTable: 'public.ratio' })
    expect(await list('SELECT id FROM recent ORDER BY id')).toEqual(before)
    await pg.exec('DELETE FROM ev WHERE id = 502')
    expect(await list('SELECT max(id) FROM recent')).toEqual([503])
    await pg.transaction(async (tx) => {
      setClock(START + 9 * SECOND)
      // The transaction began before that.
      await tx.query('SELECT pgtrickle.advance()')
      await tx.rollback()
    })
    expect(await list('SELECT max(id) FROM recent')).toEqual([503])
    expect(await pg.trickle.verifyStreamTable('recent')).toMatchObject({ ok: true })
  })

  test.each([
    ['leave', "SELECT id, k FROM ev WHERE ts > now() - interval '1 minute'"],
    ['enter', 'SELECT id, k FROM ev WHERE ts <= now()'],
    ['leave and enter', RECENT],
    ['change a group', `SELECT k, count(*) FROM (${RECENT}) q GROUP BY k`],
    ['change a FILTER', 'SELECT k, count(*) FILTER (WHERE ts < now()) FROM ev GROUP BY k'],
  ])('reads only the rows that %s', async (_, query) => {
    await fill(100_000)
    await pg.exec('ANALYZE')
    await pg.trickle.createStreamTable('st', query)
    await pg.exec('DELETE FROM ev WHERE id = 7; INSERT INTO ev VALUES (7, 1, now())')
    const counts = async () =>
      Object.fromEntries(
        (
          await pg.query<{ name: string; read: number }>(`SELECT relname AS name,
            (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS read FROM pg_stat_xact_user_tables
            WHERE relname = 'ev' OR relname LIKE 'st\\_%'`)
        ).rows.map(({ name, read }) => [name, read]),
      )
    for (const due of [5, 50]) {
      setClock(Date.now() + due * SECOND)
      await pg.exec('BEGIN')
      const before = await counts()
      const [changed] = (await pg.query<{ rows: number }>('SELECT rows::int FROM pgtrickle.advance()')).rows
      const after = await counts()
      await pg.exec('COMMIT')
      const read = Object.keys(after).reduce((sum, name) => sum + (after[name] ?? 0) - (before[name] ?? 0), 0)
      expect(changed?.rows).toBeGreaterThan(0)
      expect(after.ev).toBe(before.ev)
      expect(read, `for ${due} due rows`).toBeLessThan(40 + 12 * due)
      expect(await pg.trickle.verifyStreamTable('st')).toMatchObject({ ok: true })
    }
  })

  test('tells subscribers which rows leave and enter', async () => {
    await fill(200)
    await pg.trickle.createStreamTable('recent', RECENT)
    await pg.trickle.createStreamTable('sums', 'SELECT k, count(*)::int AS n FROM recent WHERE id < 102 GROUP BY k')
    const mirrors = [await Mirror.open(pg, 'recent'), await Mirror.open(pg, 'sums')]
    for (const mirror of mirrors) mirror.takeChanges()
    setClock(START + SECOND)
    await pg.trickle.advance()
    for (const mirror of mirrors) await mirror.check()
    expect(mirrors[0]?.takeChanges()).toEqual([
      expect.arrayContaining([
        ['delete', [41, 6]],
        ['insert', [101, 3]],
      ]),
    ])
    setClock(START + 2 * SECOND)
    await pg.trickle.advance()
    for (const mirror of mirrors) await mirror.check()
    await pg.exec('DELETE FROM ev WHERE id = 60')
    for (const mirror of mirrors) {
      await mirror.check()
      await mirror.end()
    }
  })

  test('is refused where it would see half of a change', async () => {
    await fill(10)
    await pg.trickle.createStreamTable('recent', RECENT)
    await pg.exec(`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pgtrickle.advance(); RETURN NULL; END';
      CREATE TRIGGER t AFTER INSERT ON ev FOR EACH ROW EXECUTE FUNCTION f()`)
    await expect(pg.exec('INSERT INTO ev VALUES (100, 1, now())')).rejects.toMatchObject({ code: '55006' })
  })

  test('explain, the notice and health_check say that a stream table depends on the clock', async () => {
    await fill(10)
    const notices: { message?: string | undefined; hint?: string | undefined }[] = []
    const onNotice = (notice: { message?: string | undefined; hint?: string | undefined }) => notices.push(notice)
    await pg.trickle.createStreamTable('recent', RECENT, { onNotice })
    await pg.trickle.createStreamTable('ages', 'SELECT id, now() - ts AS age FROM ev', { onNotice })
    expect(notices).toMatchObject([
      { message: 'stream table public.recent depends on the clock', hint: expect.stringContaining('advance()') },
      { message: expect.stringContaining('now()'), hint: expect.stringContaining('advance()') },
    ])
    const asOf = "SELECT value FROM pgtrickle.explain_st('recent') WHERE key = 'exact as of'"
    expect(await list(asOf)).toEqual(['2026-06-01T12:00:00+00:00'])
    const plan = await pg.trickle.explainStreamTable('recent')
    expect(plan).toMatchObject({ way: 'fold', asOf: new Date(START) })
    setClock(START + MINUTE)
    expect(await list('SELECT problem FROM pgtrickle.health_check()')).toEqual([null, null])
    await pg.trickle.advance()
    expect(await list(asOf)).toEqual(['2026-06-01T12:01:00+00:00'])
    expect(await list('SELECT problem FROM pgtrickle.health_check()')).toEqual([null, null])
  })
})

describe('advanceEvery', () => {
  async function open(advanceEvery: number): Promise<Database> {
    const trickle = createTrickle({ advanceEvery })
    return (await openWith({ trickle })) as Database
  }

  test('follows the time', async () => {
    setClock(START)
    pg = await open(5)
    await fill(200)
    await pg.trickle.createStreamTable('recent', RECENT)
    const mirror = await Mirror.open(pg, 'recent')
    setClock(START + 3 * SECOND)
    await eventually(() =>
      expect(mirror.rows.size > 0 && [...mirror.rows.values()].some(({ id }) => id === 103)).toBe(true),
    )
    await mirror.check()
    await mirror.end()
  })

  test("stays out of an app's transaction", async () => {
    setClock(START)
    pg = await open(2)
    await fill(200)
    await pg.trickle.createStreamTable('recent', RECENT)
    const pause = () => new Promise((resolve) => setTimeout(resolve, 50))
    await pg.exec('BEGIN')
    setClock(START + SECOND)
    // Its own time began before that, but the row of the clock would show that it was written.
    await pause()
    expect(await list('SELECT pg_current_xact_id_if_assigned()::text')).toEqual([null])
    await expect(pg.exec('SELECT 1 / 0')).rejects.toThrow()
    await pause()
    await pg.exec('ROLLBACK')
    await eventually(async () => expect(await list('SELECT max(id) FROM recent')).toEqual([101]))
  })

  test('reports an error once and goes on', async () => {
    setClock(START)
    const errors = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    pg = await open(2)
    await fill(200)
    await pg.trickle.createStreamTable('ratio', 'SELECT id, 1 / (id - 102) AS r FROM ev WHERE id > 90 AND ts <= now()')
    setClock(START + 5 * SECOND)
    await eventually(() => expect(errors).toHaveBeenCalled())
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(errors).toHaveBeenCalledTimes(1)
    await pg.exec('DELETE FROM ev WHERE id = 102')
    setClock(START + 6 * SECOND)
    await eventually(async () => expect(await list('SELECT max(id) FROM ratio')).toEqual([106]))
  })

  test('ends when the database closes, and keeps no process alive', async () => {
    const unref = vi.spyOn(globalThis, 'setTimeout')
    pg = await open(1)
    const own = () =>
      unref.mock.calls.flatMap(([, delay], n) =>
        delay === 1 || delay === 0 ? [unref.mock.results[n]?.value as NodeJS.Timeout] : [],
      )
    await eventually(() => expect(own().length).toBeGreaterThan(1))
    expect(own().every((timer) => !timer.hasRef())).toBe(true)
    await pg.close()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const calls = unref.mock.calls.length
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(unref.mock.calls.length).toBe(calls + 1)
    pg = await openDatabase()
  })

  test.each([0, -1, Number.NaN, Infinity, '5'])('refuses %s', async (advanceEvery) => {
    pg = await openDatabase()
    expect(() => createTrickle({ advanceEvery: advanceEvery as number })).toThrow(TrickleError)
  })
})
