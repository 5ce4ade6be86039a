/**
 * Time: stream tables that compare columns with the clock follow it, with every change and by `advance()`.
 *
 * The tests stop the clock, so the oracle can compare as it always does.
 */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Clock } from './support/clock.js'
import { useLab } from './support/use-lab.js'

const lab = useLab()
const START = Date.UTC(2026, 2, 28, 11, 0, 0)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let clock: Clock
let present = START

/** Sets the clock. */
function at(time: number): void {
  present = time
  clock.set(time)
}

beforeAll(() => {
  clock = new Clock(lab.pg)
})

const SETUP = [
  "SET timezone = 'Europe/Berlin'",
  `CREATE TABLE ev (id int PRIMARY KEY, k int, v int, ts timestamptz, ends timestamptz, at timestamp, day date)`,
  'CREATE TABLE bare (k int, ts timestamptz)',
  'CREATE TABLE kind (k int PRIMARY KEY, name text, lasts interval)',
  "INSERT INTO kind VALUES (0, 'none', '1 hour'), (1, 'one', '30 minutes'), (2, 'two', '1 day'), (3, 'three', NULL)",
  ...[0, 1].map(
    (n) => `INSERT INTO ev SELECT n * 2 + ${n}, n % 4, n, t, t + n % 5 * interval '40 minutes', t, t::date
    FROM (SELECT n, now() + (n - 60) * interval '35 minutes' AS t FROM generate_series(1, 120) n)`,
  ),
  'INSERT INTO ev (id, k) VALUES (1000, 1), (1001, NULL)',
  'INSERT INTO bare SELECT k, ts FROM ev UNION ALL SELECT k, ts FROM ev',
  "CREATE VIEW recent AS SELECT * FROM ev WHERE ts > now() - interval '3 hours'",
]

/** The rows that the steps write are around the present. */
const STEPS: (string | number)[] = [
  10 * MINUTE,
  "INSERT INTO ev VALUES (2000, 1, 7, now(), now() + interval '1 hour', now(), current_date)",
  0,
  "INSERT INTO ev SELECT n, n % 4, n, now() - n % 7 * interval '30 minutes', now(), now() + n * interval '1 hour', current_date + n % 3 - 1 FROM generate_series(3000, 3020) n",
  35 * MINUTE,
  "INSERT INTO bare SELECT 2, now() - n * interval '20 minutes' FROM generate_series(-3, 6) n",
  45 * MINUTE,
  "UPDATE ev SET ts = ts + interval '50 minutes', ends = ends - interval '1 hour' WHERE id % 3 = 0",
  2 * HOUR,
  'UPDATE ev SET v = v + 1, k = 3 - k WHERE id % 5 = 0',
  5 * MINUTE,
  "DELETE FROM ev WHERE ts BETWEEN now() - interval '90 minutes' AND now() + interval '1 hour' AND id % 2 = 0",
  'DELETE FROM bare WHERE ctid IN (SELECT min(ctid) FROM bare GROUP BY ts)',
  1 * HOUR,
  "UPDATE kind SET lasts = lasts * 2, name = name || 's'",
  'UPDATE ev SET id = -id WHERE id % 4 = 1',
  // The clock goes back.
  -3 * HOUR,
  "UPDATE ev SET ts = ts - interval '10 minutes' WHERE id % 6 = 1",
  9 * HOUR,
  'DELETE FROM kind WHERE k = 2',
  "INSERT INTO kind VALUES (2, 'back', '2 hours')",
  // Into summer time: on 29 March the clocks in Berlin go from 2:00 to 3:00.
  12 * HOUR,
  "WITH e AS (UPDATE ev SET v = 0, ts = now() WHERE id % 11 = 0) UPDATE bare SET ts = ts + interval '3 hours'",
  "SET timezone = 'Pacific/Kiritimati'",
  1,
  "SET timezone = 'Pacific/Pago_Pago'",
  1,
  3 * DAY,
  "INSERT INTO ev SELECT n, n % 4, n, now() - n % 7 * interval '30 minutes', now(), now(), current_date FROM generate_series(4000, 4010) n",
  'TRUNCATE bare',
  1 * HOUR,
]

interface Case {
  name: string
  query: string
  way?: 'incremental' | 'rebuild'
  /** Further stream tables, over the first one, which is called `s`. */
  above?: string[]
}

const HOURS = "now() - interval '1 hour'"
const CASES: Case[] = [
  { name: 'a bound from below', query: `SELECT id, ts FROM ev WHERE ts > ${HOURS}` },
  { name: 'a bound from above', query: `SELECT id, k FROM ev WHERE ts <= ${HOURS}` },
  { name: 'the bound on the left', query: `SELECT v FROM ev WHERE current_timestamp < ts AND ${HOURS} >= ends` },
  { name: 'BETWEEN', query: `SELECT id, v FROM ev WHERE ts BETWEEN ${HOURS} AND now() + interval '1 hour'` },
  { name: 'several columns', query: `SELECT * FROM ev WHERE ts <= now() AND ends > now() AND v > 3` },
  { name: 'without a key', query: `SELECT k, ts FROM bare WHERE ts >= ${HOURS}` },
  { name: 'without a key, from above', query: `SELECT k FROM bare WHERE ts < now()` },
  { name: 'without a key, both', query: `SELECT k FROM bare WHERE ts < now() AND ts > now() - interval '2 hours'` },
  { name: 'today', query: `SELECT id, day FROM ev WHERE day = current_date` },
  { name: 'the day', query: `SELECT id FROM ev WHERE day >= current_date - 1 AND day < current_date + 2` },
  {
    name: 'date_trunc',
    query: `SELECT id FROM ev WHERE ts >= date_trunc('day', now()) AND ts < date_trunc('day', now()) + interval '1 day'`,
  },
  { name: 'local time', query: `SELECT id FROM ev WHERE at > localtimestamp - interval '2 hours'` },
  {
    name: 'an expression of columns',
    query: `SELECT id FROM ev WHERE ts + v * interval '1 minute' > transaction_timestamp()`,
  },
  { name: 'the year', query: `SELECT id FROM ev WHERE extract(hour FROM now()) < v` },
  { name: 'groups', query: `SELECT k, count(*), sum(v), max(v) FROM ev WHERE ts > ${HOURS} GROUP BY k` },
  {
    name: 'groups between',
    query: `SELECT k, count(*), array_agg(v ORDER BY v) FROM ev WHERE ts > ${HOURS} AND ts <= now() GROUP BY k`,
  },
  { name: 'one group', query: `SELECT count(*), min(ts) FROM bare WHERE ts > ${HOURS}` },
  { name: 'HAVING', query: `SELECT k, count(*) FROM bare WHERE ts > ${HOURS} GROUP BY k HAVING count(*) > 2` },
  { name: 'FILTER', query: `SELECT k, count(*) FILTER (WHERE ts > ${HOURS}) AS recent, count(*) FROM ev GROUP BY k` },
  {
    name: 'FILTER of a join',
    query: `SELECT name, count(*) FILTER (WHERE ts + lasts > now()) FROM ev JOIN kind USING (k) GROUP BY name`,
  },
  { name: 'OR', query: `SELECT id FROM ev WHERE ts > ${HOURS} OR v < 5` },
  { name: 'NOT', query: `SELECT id FROM ev WHERE NOT (ts > ${HOURS})` },
  {
    name: 'CASE',
    query: `SELECT id, CASE WHEN ends < now() THEN 'over' WHEN ts <= now() THEN 'on' ELSE 'soon' END FROM ev`,
  },
  { name: 'a selected comparison', query: `SELECT id, ts > now() AS is_next, day = current_date AS is_today FROM ev` },
  { name: 'a join', query: `SELECT id, name FROM ev JOIN kind USING (k) WHERE ts > ${HOURS}` },
  {
    name: 'a join with an expression of both',
    query: `SELECT id, name FROM ev JOIN kind ON kind.k = ev.k WHERE ts + lasts > now() AND ts <= now()`,
  },
  {
    name: 'a grouped join with an expression of both',
    query: `SELECT name, count(*) FROM ev JOIN kind ON kind.k = ev.k WHERE ts + lasts > now() GROUP BY name`,
  },
  {
    name: 'a self-join',
    query: `SELECT a.id, b.id AS other FROM ev a JOIN ev b ON a.k = b.k AND a.id < b.id WHERE a.ts > ${HOURS} AND b.ts > ${HOURS} AND a.ts < now()`,
  },
  { name: 'the preserved side', query: `SELECT id, name FROM ev LEFT JOIN kind USING (k) WHERE ts > ${HOURS}` },
  {
    name: 'the nullable side, in ON',
    query: `SELECT kind.k, id FROM kind LEFT JOIN ev ON ev.k = kind.k AND ev.ts > ${HOURS} AND ev.ts < now()`,
  },
  {
    name: 'the nullable side, in WHERE',
    query: `SELECT kind.k, id FROM kind LEFT JOIN ev ON ev.k = kind.k WHERE ev.ts > ${HOURS} OR ev.id IS NULL`,
  },
  {
    name: 'the nullable side, a conjunct',
    query: `SELECT kind.k, id FROM kind LEFT JOIN ev ON ev.k = kind.k WHERE ev.ts > ${HOURS}`,
  },
  {
    name: 'the nullable side, an expression',
    query: `SELECT kind.k, id FROM kind LEFT JOIN ev ON ev.k = kind.k AND ev.v < 30 WHERE coalesce(ev.ts, 'infinity') > now()`,
  },
  {
    name: 'an expression of the nullable side',
    query: `SELECT kind.k, id FROM kind LEFT JOIN ev ON ev.k = kind.k AND ev.ts + interval '1 hour' > ${HOURS}`,
  },
  {
    name: 'an expression in a subquery on the nullable side',
    query: `SELECT kind.k, q.id FROM kind LEFT JOIN (SELECT * FROM ev WHERE ts - interval '1 hour' < now()) q ON q.k = kind.k`,
  },
  {
    name: 'an expression of the nullable side above the join',
    query: `SELECT kind.k, id, ev.ts + interval '1 hour' > now() AS is_new FROM kind LEFT JOIN ev ON ev.k = kind.k`,
  },
  {
    name: 'an expression of a join on the nullable side',
    query: `SELECT a.k, ev.id FROM kind a LEFT JOIN (ev JOIN kind b ON b.k = ev.k) ON ev.k = a.k AND ev.ts + interval '1 hour' > now()`,
  },
  {
    name: 'the preserved side, in ON',
    query: `SELECT ev.id, name FROM ev LEFT JOIN kind ON kind.k = ev.k AND ev.ts > ${HOURS}`,
  },
  { name: 'RIGHT JOIN', query: `SELECT id, name FROM ev RIGHT JOIN kind ON kind.k = ev.k AND ev.ts > ${HOURS}` },
  {
    name: 'FULL JOIN',
    query: `SELECT id, name FROM (SELECT * FROM ev WHERE ts > ${HOURS}) e FULL JOIN kind ON kind.k = e.k`,
  },
  { name: 'above FULL JOIN', query: `SELECT id, name FROM ev FULL JOIN kind ON kind.k = ev.k WHERE ts > ${HOURS}` },
  {
    name: 'EXISTS',
    query: `SELECT name FROM kind WHERE EXISTS (SELECT FROM ev WHERE ev.k = kind.k AND ts > ${HOURS} AND ts < now())`,
  },
  {
    name: 'NOT EXISTS',
    query: `SELECT name FROM kind WHERE NOT EXISTS (SELECT FROM ev WHERE ev.k = kind.k AND ts > ${HOURS} AND v > 0)`,
  },
  {
    name: 'NOT IN',
    query: `SELECT name FROM kind WHERE k NOT IN (SELECT k FROM ev WHERE ts > now() + interval '1 hour')`,
  },
  {
    name: 'a scalar subquery',
    query: `SELECT name, (SELECT count(*) FROM ev WHERE ev.k = kind.k AND ts > ${HOURS}) AS n, (SELECT count(*) FROM bare WHERE ts > now()) AS m FROM kind`,
  },
  {
    name: 'LATERAL',
    query: `SELECT name, l.id FROM kind, LATERAL (SELECT id FROM ev WHERE ev.k = kind.k AND ts <= now() ORDER BY ts DESC, id LIMIT 2) l`,
  },
  { name: 'DISTINCT', query: `SELECT DISTINCT k FROM ev WHERE ts > ${HOURS}` },
  { name: 'DISTINCT ON', query: `SELECT DISTINCT ON (k) k, id FROM ev WHERE ts <= now() ORDER BY k, ts DESC, id` },
  { name: 'LIMIT', query: `SELECT id, ts FROM ev WHERE ts <= now() ORDER BY ts DESC NULLS LAST, id LIMIT 5` },
  { name: 'the next', query: `SELECT id, ts FROM ev WHERE ts > now() ORDER BY ts, id LIMIT 3` },
  {
    name: 'windows',
    query: `SELECT id, rank() OVER (PARTITION BY k ORDER BY v, id), sum(v) OVER (PARTITION BY k) FROM ev WHERE ts > ${HOURS}`,
  },
  { name: 'UNION ALL', query: `SELECT id FROM ev WHERE ts > ${HOURS} UNION ALL SELECT v FROM ev WHERE ends < now()` },
  { name: 'EXCEPT', query: `SELECT k FROM ev WHERE ts > ${HOURS} EXCEPT SELECT k FROM bare WHERE ts > now()` },
  { name: 'ROLLUP', query: `SELECT k, v % 2 AS odd, count(*) FROM ev WHERE ts > ${HOURS} GROUP BY ROLLUP (k, 2)` },
  { name: 'a view', query: `SELECT k, count(*) FROM recent WHERE ts < now() GROUP BY k` },
  {
    name: 'a CTE, twice',
    query: `WITH r AS (SELECT * FROM ev WHERE ts > ${HOURS}) SELECT a.id, count(*) FROM r a JOIN r b ON a.k = b.k GROUP BY a.id`,
  },
  {
    name: 'a subquery in FROM',
    query: `SELECT k, n FROM (SELECT k, count(*) AS n FROM ev WHERE ts > ${HOURS} GROUP BY k) q WHERE n > 1`,
  },
  {
    name: 'above an aggregate',
    query: `SELECT k, last FROM (SELECT k, max(ts) AS last FROM ev GROUP BY k) q WHERE last > now()`,
  },
  {
    name: 'GROUP BY a primary key',
    query: `SELECT ev.*, count(kind.k) FROM ev LEFT JOIN kind ON kind.k < ev.k WHERE ts > ${HOURS} GROUP BY ev.id`,
  },
  { name: 'rows of a function', query: `SELECT id, n FROM ev, generate_series(1, v % 3) n WHERE ts > ${HOURS}` },
  { name: 'rows in the select list', query: `SELECT id, generate_series(1, v % 3) FROM ev WHERE ts > ${HOURS}` },
  {
    name: 'a chain',
    query: `SELECT id, k, ts FROM ev WHERE ts > now() - interval '4 hours'`,
    above: ['SELECT k, count(*) FROM s GROUP BY k', `SELECT id FROM s WHERE ts < now() - interval '1 hour'`],
  },
  {
    name: 'a chain over a rebuild',
    query: `SELECT id, now() - ts AS age FROM ev`,
    way: 'rebuild',
    above: [`SELECT count(*) FROM s WHERE age > '1 hour'`],
  },
  { name: 'the clock in the select list', query: `SELECT id, now() AS at FROM ev WHERE ts > ${HOURS}`, way: 'rebuild' },
  { name: 'the clock in a function', query: `SELECT id, age(at) FROM ev`, way: 'rebuild' },
  { name: 'the clock above groups', query: `SELECT k, now() - max(ts) AS idle FROM recent GROUP BY k` },
  { name: 'the clock in a view', query: `SELECT id, now() - ts AS idle FROM recent`, way: 'rebuild' },
]

describe('temporal filters', () => {
  for (const item of CASES) {
    test(item.name, async () => {
      at(START)
      await lab.reset()
      for (const sql of SETUP) await lab.exec(sql)
      const names = ['s', ...(item.above ?? []).map((_, n) => `s${n}`)]
      for (const [n, query] of [item.query, ...(item.above ?? [])].entries()) {
        await lab.create(names[n] ?? '', query)
      }
      const { way, reason } = await lab.pg.trickle.explainStreamTable('s')
      expect(way === 'rebuild' ? 'rebuild' : 'incremental', reason ?? '').toBe(item.way ?? 'incremental')
      for (const step of STEPS) {
        if (typeof step === 'string') {
          if (step.startsWith('SET ')) {
            await lab.exec(step)
            continue
          }
          await lab.exec(step)
          // Other stream tables are right as of their own moment.
          for (const name of names) await verified(name, step)
          await lab.run('SELECT pgtrickle.advance()')
          continue
        }
        at(present + step)
        for (const name of names) await verified(name, `${step} ms`)
        await lab.exec(`-- ${step} ms`)
        await lab.run('SELECT pgtrickle.advance()')
      }
      await lab.checkRefresh()
    })
  }
})

describe('a stream table that depends on the clock', () => {
  const RECENT = `SELECT id, k FROM ev WHERE ts > ${HOURS} AND ts <= now()`

  beforeEach(async () => {
    at(START)
    await lab.reset()
    for (const sql of SETUP) await lab.exec(sql)
  })

  test('is filled by a refresh', async () => {
    await lab.pg.trickle.createStreamTable('s', RECENT, { withData: false })
    at(START + HOUR)
    await lab.pg.trickle.refreshStreamTable('s')
    await lab.watch('s', RECENT)
    await lab.check('refresh')
    at(START + 2 * HOUR)
    await lab.run('SELECT pgtrickle.advance()')
  })

  test('is altered, and follows the new bound', async () => {
    await lab.create('s', RECENT)
    for (const query of [
      RECENT.replace('1 hour', '3 hours'),
      'SELECT id, k FROM ev WHERE ends < now()',
      'SELECT id, k FROM ev',
      RECENT,
    ]) {
      await lab.pg.trickle.alterStreamTable('s', query)
      await lab.watch('s', query)
      await lab.check('alter')
      at(present + HOUR)
      await lab.run('SELECT pgtrickle.advance()')
      await lab.run("UPDATE ev SET ts = ts + interval '10 minutes' WHERE id % 3 = 0")
    }
  })

  test('is right without a call where only HAVING reads the clock', async () => {
    await lab.create('s', `SELECT k, max(ts) FROM ev GROUP BY k HAVING max(ts) > ${HOURS}`)
    await lab.create('t', `SELECT k, count(*) FROM ev GROUP BY k HAVING max(ts) < now() AND count(*) > 1`)
    for (const hours of [1, 2, 5, 40]) {
      at(START + hours * HOUR)
      await lab.check(`${hours} hours`)
    }
    expect((await lab.pg.query('SELECT FROM t')).rows.length).toBeGreaterThan(0)
  })

  test('leaves nothing behind when it is dropped', async () => {
    const before = await lab.inventory()
    await lab.create('s', RECENT)
    await lab.create('g', `SELECT k, count(*) FROM s GROUP BY k HAVING count(*) > 1`)
    lab.watched.clear()
    await lab.pg.trickle.dropStreamTable('s', { cascade: true })
    expect(await lab.inventory()).toEqual(before)
    expect(await lab.pg.trickle.advance()).toEqual({ streamTables: 0, rows: 0 })
  })

  test('follows the changes and calls of other roles, with the rights of its owner', async () => {
    await lab.create('s', RECENT)
    await lab.exec(`DROP ROLE IF EXISTS writer; CREATE ROLE writer; GRANT USAGE ON SCHEMA test TO writer;
      GRANT INSERT ON ev TO writer`)
    at(START + 20 * MINUTE)
    await lab.exec('SET ROLE writer')
    await lab.exec('INSERT INTO ev (id, k, ts) VALUES (9000, 1, now())')
    await lab.exec('RESET ROLE')
    await lab.check('an insert by another role')
    at(START + 40 * MINUTE)
    await lab.exec('SET ROLE writer; SELECT pgtrickle.advance(); RESET ROLE')
    await lab.check('advance by another role')
    await lab.exec('DROP OWNED BY writer; DROP ROLE writer')
  })

  test('is right after a savepoint is rolled back', async () => {
    await lab.create('s', RECENT)
    at(START + 40 * MINUTE)
    await lab.exec('BEGIN; SAVEPOINT a; INSERT INTO ev (id, k, ts) VALUES (9000, 1, now()); ROLLBACK TO a')
    expect(await lab.pg.trickle.verifyStreamTable('s')).toMatchObject({ ok: true })
    await lab.run('INSERT INTO ev (id, k, ts) VALUES (9001, 1, now())')
    await lab.run('SELECT pgtrickle.advance()')
    await lab.run('COMMIT')
  })

  test('does not evaluate expressions for rows that wait, nor for those that other conditions exclude', async () => {
    await lab.exec("INSERT INTO ev (id, k, v, ts) VALUES (9000, 1, 0, now() + interval '2 hours'), (9001, 1, 0, NULL)")
    await lab.create('s', 'SELECT id, 1 / v AS q FROM ev WHERE ts <= now() AND id % 5 = 0 AND v <> 0')
    await lab.create(
      't',
      "SELECT k, sum(10 / v) FROM ev WHERE v <> 0 AND ts + interval '1 hour' / v <= now() GROUP BY k",
    )
    await lab.create('u', 'SELECT id, 1 / v AS q FROM ev WHERE ts <= now() AND id > 8000')
    await lab.run("INSERT INTO ev (id, k, v, ts) VALUES (9002, 1, 0, now() + interval '3 hours')")
    await lab.run('DELETE FROM ev WHERE id >= 9000')
    at(START + 5 * HOUR)
    await lab.run('SELECT pgtrickle.advance()')
  })
})

async function verified(name: string, after: string): Promise<void> {
  expect(await lab.pg.trickle.verifyStreamTable(name), `${name} after ${after}`).toEqual({
    ok: true,
    missing: 0,
    extra: 0,
  })
}
