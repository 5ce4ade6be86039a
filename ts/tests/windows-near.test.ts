/** Windows that are computed near a change: bounded reach, and prefixes that go on from the row before. */
import { expect, test } from 'vitest'
import { Rng } from './random/rng.js'
import { runCases } from './support/cases.js'
import { CHANGES, TABLES } from './support/tables.js'
import { useLab } from './support/use-lab.js'

const TOTAL = 'PARTITION BY k ORDER BY v, id'
const over = (call: string, window = TOTAL, from = 't') => `SELECT id, ${call} OVER (${window}) AS r FROM ${from}`

const NEAR = {
  lag: over('lag(v)'),
  lead: over('lead(s)', 'PARTITION BY k ORDER BY v DESC, id'),
  lag_three: over(`lag(s, 3, 'none')`, 'PARTITION BY k ORDER BY v NULLS FIRST, id DESC'),
  lead_back: over('lead(v, -2)'),
  lag_of_expression: over('lag(v * 2 + id)'),
  lag_default: over('lag(v, 2, id)'),
  lag_all: over('lag(v)', 'ORDER BY id'),
  lag_by_two: over('lag(id)', 'PARTITION BY k, v % 2 ORDER BY v DESC NULLS LAST, id DESC'),
  difference:
    'SELECT id, v - lag(v) OVER w AS d, coalesce(lead(s) OVER w, s) AS n FROM t WINDOW w AS (PARTITION BY k ORDER BY id)',
  moving: over('avg(v)', `${TOTAL} ROWS 2 PRECEDING`),
  centered: over('sum(v)', `${TOTAL} ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING`),
  ahead: over('count(v)', `${TOTAL} ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING`),
  behind: over('max(v)', `${TOTAL} ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING`),
  others_near: over('sum(v)', `${TOTAL} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW`),
  filtered:
    'SELECT id, count(*) FILTER (WHERE v > 4) OVER (PARTITION BY k ORDER BY id ROWS 2 PRECEDING) AS n FROM t WHERE v < 9',
  list: `SELECT id, string_agg(s, ',') OVER (PARTITION BY k ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS l FROM t`,
  values_near: `SELECT id, first_value(v) OVER w AS f, last_value(s) OVER w AS l, nth_value(id, 2) OVER w AS n FROM t
    WINDOW w AS (PARTITION BY k ORDER BY v, id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)`,
  several: `SELECT id, lag(v) OVER w AS a, lead(v, 2) OVER w AS b, sum(v) OVER (w ROWS 3 PRECEDING) AS c,
    s || lag(s) OVER w AS d, lag(v) OVER w + lead(v) OVER w AS e FROM t WINDOW w AS (PARTITION BY k ORDER BY v, id)`,
}

const PREFIXES = {
  numbered: over('row_number()'),
  numbered_desc: over('row_number()', 'PARTITION BY k ORDER BY v DESC, id'),
  numbered_nulls: over('row_number()', 'PARTITION BY k ORDER BY v DESC NULLS LAST, s IS NULL, id'),
  numbered_all: over('row_number()', 'ORDER BY v, id'),
  ranked: over('rank()', 'PARTITION BY k ORDER BY v'),
  ranked_desc: over('rank()', 'PARTITION BY k ORDER BY v DESC'),
  dense: over('dense_rank()', 'PARTITION BY k ORDER BY v'),
  ranked_all: over('rank()', 'ORDER BY v DESC NULLS LAST'),
  running: over('sum(v)'),
  running_rows: over('sum(v)', `${TOTAL} ROWS UNBOUNDED PRECEDING`),
  running_peers: over('sum(id)', 'PARTITION BY k ORDER BY v'),
  running_scale: over('sum(v / 4.0)'),
  counted: over('count(s)', 'PARTITION BY k ORDER BY v'),
  count_all: over('count(*)', 'PARTITION BY k ORDER BY v NULLS FIRST'),
  least: over('min(v)', 'PARTITION BY k ORDER BY id'),
  greatest: over('max(v)', 'PARTITION BY k ORDER BY id DESC'),
  only_some:
    'SELECT id, sum(v) FILTER (WHERE s IS NOT NULL) OVER (PARTITION BY k ORDER BY id) AS r FROM t WHERE v IS NOT NULL',
  prefixes: `SELECT id, row_number() OVER w AS n, rank() OVER w AS r, dense_rank() OVER w AS d, sum(v) OVER w + 1 AS s,
    count(*) OVER w AS c, min(id) OVER w AS l FROM t WINDOW w AS (PARTITION BY k ORDER BY v, id)`,
  prefixes_of_peers: `SELECT id, rank() OVER w AS r, dense_rank() OVER w AS d, sum(id) OVER w AS s, max(id) OVER w AS g FROM t
    WINDOW w AS (PARTITION BY k ORDER BY v)`,
  mixed: `SELECT id, row_number() OVER w AS n, lag(v) OVER w AS l FROM t WINDOW w AS (PARTITION BY k ORDER BY id)`,
}

const ENDS = {
  first: over('first_value(v)'),
  first_rows: over('first_value(v)', `${TOTAL} ROWS UNBOUNDED PRECEDING`),
  first_of_order: over('first_value(v)', 'PARTITION BY k ORDER BY v DESC'),
  first_all: over('first_value(id)', 'ORDER BY v NULLS FIRST, id'),
  first_desc: over('first_value(s)', 'PARTITION BY k ORDER BY v DESC, id DESC'),
  first_by_two: over('first_value(v)', 'PARTITION BY k, v % 2 ORDER BY id'),
  last: over('last_value(s)', `${TOTAL} RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING`),
  last_from_here: over('last_value(v + id)', `${TOTAL} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING`),
  second: over('nth_value(v, 2)'),
  third: over('nth_value(s, 3)', `${TOTAL} RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING`),
  first_three: `SELECT id, first_value(v) OVER w AS a, nth_value(id, 3) OVER w AS b, nth_value(v, 2) OVER (w ROWS UNBOUNDED PRECEDING) AS c
    FROM t WINDOW w AS (PARTITION BY k ORDER BY v DESC, id)`,
  itself: over('last_value(s)'),
  peers_near: over('sum(v)', `${TOTAL} GROUPS BETWEEN 2 PRECEDING AND 1 FOLLOWING`),
  ends: `SELECT id, first_value(v) OVER w AS f, last_value(v) OVER w - v AS l FROM t
    WINDOW w AS (PARTITION BY k ORDER BY v, id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)`,
  first_and_near: `SELECT id, v - first_value(v) OVER w AS f, lag(v) OVER w AS l, sum(v) OVER (w ROWS 2 PRECEDING) AS s,
    lead(v) OVER w - first_value(id) OVER w AS d FROM t WINDOW w AS (PARTITION BY k ORDER BY v, id)`,
}

const BY_VALUE = 'PARTITION BY k ORDER BY v'

const RANGES = {
  range: over('count(*)', `${BY_VALUE} RANGE 1 PRECEDING`),
  range_both: over('sum(v)', `${BY_VALUE} RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING`),
  range_desc: over('sum(id)', 'PARTITION BY k ORDER BY v DESC RANGE BETWEEN 2 PRECEDING AND CURRENT ROW'),
  range_desc_after: over(
    'max(id)',
    'PARTITION BY k ORDER BY v DESC NULLS LAST RANGE BETWEEN 1 FOLLOWING AND 3 FOLLOWING',
  ),
  range_before: over('min(id)', `${BY_VALUE} NULLS FIRST RANGE BETWEEN 3 PRECEDING AND 2 PRECEDING`),
  range_peers: over('sum(id)', `${BY_VALUE} RANGE BETWEEN CURRENT ROW AND CURRENT ROW`),
  range_all: over('count(v)', 'ORDER BY id RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING'),
  range_total: over(`string_agg(s, ',')`, 'PARTITION BY k ORDER BY id RANGE BETWEEN 2 PRECEDING AND 2 FOLLOWING'),
  range_first: `SELECT id, first_value(v) OVER w AS f, last_value(s) OVER w AS l, nth_value(id, 2) OVER w AS n FROM t
    WINDOW w AS (PARTITION BY k ORDER BY id DESC RANGE BETWEEN 4 PRECEDING AND 1 FOLLOWING)`,
  range_widest: over('sum(v)', `${BY_VALUE} RANGE BETWEEN 6000000000000000 PRECEDING AND 5 FOLLOWING`),
  range_of_expression: over('avg(v + id)', 'PARTITION BY k, v % 2 ORDER BY v + 1 RANGE 2 PRECEDING'),
  range_numeric: over('count(*)', 'PARTITION BY k ORDER BY v / 4.0 RANGE BETWEEN 0.3 PRECEDING AND 1 FOLLOWING'),
  range_bigint: over('every(v > 3)', 'PARTITION BY k ORDER BY v::bigint RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING'),
  range_without_self: over('sum(v)', `${BY_VALUE} RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW`),
  range_without_peers: over('count(*)', `${BY_VALUE} RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP`),
  range_without_ties: over('sum(id)', `${BY_VALUE} DESC RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES`),
  range_filtered: `SELECT id, count(*) FILTER (WHERE s IS NOT NULL) OVER (PARTITION BY k ORDER BY v RANGE 2 PRECEDING) AS n FROM t
    WHERE id % 5 > 0`,
  ranges: `SELECT id, count(*) OVER (w RANGE 1 PRECEDING) AS a, sum(v) OVER (w RANGE BETWEEN CURRENT ROW AND 3 FOLLOWING) AS b,
    v - min(v) OVER (w RANGE BETWEEN 2 PRECEDING AND 1 PRECEDING) AS c FROM t WINDOW w AS (PARTITION BY k ORDER BY v)`,
}

const COMBINED = {
  range_and_rows: `SELECT id, count(*) OVER (w RANGE 1 PRECEDING) AS a, lag(id) OVER w AS b, row_number() OVER w AS c FROM t
    WINDOW w AS (PARTITION BY k ORDER BY id)`,
  range_and_rank: `SELECT id, count(*) OVER (w RANGE 1 PRECEDING) AS a, rank() OVER w AS b FROM t WINDOW w AS (PARTITION BY k ORDER BY v)`,
  range_joined: `SELECT t.id, u.v, sum(t.v) OVER (PARTITION BY u.v ORDER BY t.id RANGE 3 PRECEDING) AS l FROM t
    JOIN (SELECT k, max(v) AS v FROM u GROUP BY k) AS u ON t.k = u.k`,
  range_of_groups: `SELECT k, v, n, sum(n) OVER (PARTITION BY k ORDER BY v RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS l
    FROM (SELECT k, v, count(*) AS n FROM t GROUP BY k, v) AS q`,
  range_grouped: `SELECT k, max(n) AS m FROM (SELECT id, k, count(*) OVER (PARTITION BY k ORDER BY v RANGE 1 PRECEDING) AS n FROM t)
    AS q GROUP BY k`,
  first_numbered: `SELECT id, row_number() OVER w AS n, first_value(v) OVER w AS f, first_value(s) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING
    AND UNBOUNDED FOLLOWING) AS g FROM t WINDOW w AS (PARTITION BY k ORDER BY v, id)`,
  last_numbered: `SELECT id, row_number() OVER w AS n, last_value(v) OVER (w ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS l
    FROM t WINDOW w AS (PARTITION BY k ORDER BY v, id)`,
  since_first: `SELECT k, sum(d) AS s FROM (SELECT id, k, v - first_value(v) OVER (PARTITION BY k ORDER BY id) AS d FROM t) AS q GROUP BY k`,
  by_first: `SELECT id, rank() OVER (PARTITION BY k ORDER BY f) AS r FROM (SELECT id, k, first_value(v) OVER (PARTITION BY k, s
    ORDER BY id) AS f FROM t) AS q`,
  first_joined: `SELECT t.id, first_value(t.v) OVER (PARTITION BY u.v ORDER BY t.id) AS l FROM t
    JOIN (SELECT k, max(v) AS v FROM u GROUP BY k) AS u ON t.k = u.k`,
  first_of_groups: 'SELECT k, first_value(sum(v)) OVER (ORDER BY k) AS l FROM t GROUP BY k',
  joined:
    'SELECT t.id, u.v, lag(t.v) OVER (PARTITION BY u.v ORDER BY t.id) AS l FROM t JOIN (SELECT k, max(v) AS v FROM u GROUP BY k) AS u ON t.k = u.k',
  of_groups:
    'SELECT k, s, n, lag(n) OVER (PARTITION BY k ORDER BY n, s) AS l FROM (SELECT k, s, count(*) AS n FROM t GROUP BY k, s) AS q',
  of_groups_directly:
    'SELECT k, sum(v) AS s, lag(sum(v)) OVER (ORDER BY k) AS l, rank() OVER (ORDER BY k) AS r FROM t GROUP BY k',
  islands: `SELECT id, sum(fresh) OVER (PARTITION BY k ORDER BY id) AS island FROM (SELECT id, k, CASE WHEN v > lag(v)
    OVER (PARTITION BY k ORDER BY id) THEN 0 ELSE 1 END AS fresh FROM t) AS q`,
  grouped_above: `SELECT k, sum(d) AS s, count(d) AS n FROM (SELECT k, v - lag(v) OVER (PARTITION BY k ORDER BY id) AS d FROM t) AS q GROUP BY k`,
  joined_above: `SELECT q.id, u.v FROM (SELECT id, k, lag(v) OVER (PARTITION BY k ORDER BY id) AS l FROM t) AS q JOIN u ON u.v = q.l`,
  outer_below:
    'SELECT t.id, lag(u.n) OVER (ORDER BY t.id) AS l FROM t LEFT JOIN (SELECT k, count(*) AS n FROM u GROUP BY k) AS u ON u.k = t.k',
  sorted: `SELECT id, v FROM t ORDER BY lag(v) OVER (PARTITION BY k ORDER BY id), id`,
  below_limit: 'SELECT id, lag(v) OVER (PARTITION BY k ORDER BY id) AS l FROM t ORDER BY id DESC LIMIT 3',
  two_orders:
    'SELECT id, lag(v) OVER (PARTITION BY k ORDER BY id) AS a, lag(v) OVER (PARTITION BY k ORDER BY id DESC) AS b FROM t',
  two_partitions:
    'SELECT id, lag(v) OVER (PARTITION BY k ORDER BY id) AS a, sum(v) OVER (PARTITION BY s ORDER BY id) AS b FROM t',
}

const STEPS = [
  ...CHANGES.slice(0, -2),
  'INSERT INTO t VALUES (201, 1, 9, NULL), (202, 1, 0, NULL), (203, NULL, 8, $$n$$), (204, NULL, NULL, $$n$$)',
  'UPDATE t SET k = CASE WHEN k = 1 THEN NULL ELSE 1 END WHERE k = 1 OR k IS NULL',
  'UPDATE t SET v = NULL WHERE id IN (SELECT min(id) FROM t GROUP BY k)',
  'UPDATE t SET v = v + 1, s = s || $$x$$ WHERE id % 3 = 0',
  'WITH i AS (INSERT INTO u VALUES (2, 100), (NULL, 2), (1, 1)) DELETE FROM t WHERE k = 2 AND id % 2 = 0',
  'DELETE FROM t WHERE id = (SELECT max(id) FROM t WHERE k = 1)',
  'UPDATE t SET id = -id',
  'INSERT INTO t SELECT i, i % 2, i % 5, NULL FROM generate_series(300, 340) AS i',
  'UPDATE t SET v = v + 1 WHERE id = 300',
  'UPDATE t SET v = 6 - v WHERE id BETWEEN 305 AND 308',
  'INSERT INTO t VALUES (307, 0, 0, NULL) ON CONFLICT (id) DO UPDATE SET v = 100',
  'DELETE FROM t WHERE k = 1',
  'TRUNCATE u',
  'TRUNCATE t',
  'INSERT INTO t VALUES (1, NULL, NULL, NULL), (2, 1, 2, NULL)',
  'DELETE FROM t',
]

runCases('windows near a change', [
  { name: 'functions of bounded reach', setup: TABLES, views: NEAR, steps: STEPS, way: 'incremental' },
  { name: 'first and last values', setup: TABLES, views: ENDS, steps: STEPS, way: 'incremental' },
  { name: 'ranges of values', setup: TABLES, views: RANGES, steps: STEPS, way: 'incremental' },
  { name: 'prefixes', setup: TABLES, views: PREFIXES, steps: STEPS, way: 'incremental' },
  { name: 'below and above other operators', setup: TABLES, views: COMBINED, steps: STEPS, way: 'incremental' },
  ...[NEAR, ENDS, RANGES, PREFIXES, COMBINED].map((views, n) => ({
    name: `large partitions, with triggers that change more rows: ${n + 1}`,
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int, s text)',
      'CREATE TABLE u (k int, v int)',
      `INSERT INTO t SELECT i * 2, i % 2, i * 7 % 101, 'n' || i FROM generate_series(1, 200) AS i`,
      'INSERT INTO u SELECT i % 2, i FROM generate_series(1, 4) AS i',
      `CREATE FUNCTION next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE t SET v = v + 1 WHERE id = NEW.id + 1; RETURN NULL; END $$`,
      'CREATE TRIGGER next AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION next()',
    ],
    views,
    steps: [
      'INSERT INTO t VALUES (301, 1, 50, NULL)',
      'INSERT INTO t VALUES (-1, 0, -1, NULL), (1000, 3, 0, NULL), (99, 0, 50, NULL), (100001, 1, 1000, NULL)',
      'UPDATE t SET v = v + 3 WHERE id = 100',
      'UPDATE t SET v = 200 - v WHERE id % 100 = 0',
      'UPDATE t SET v = (SELECT b.v FROM t AS b WHERE b.id = 504 - t.id) WHERE id IN (250, 254)',
      'DELETE FROM t WHERE v < 3',
      'DELETE FROM t WHERE id IN (300, 302)',
      'UPDATE t SET k = 1 - k WHERE id < 20',
      'UPDATE t SET v = v',
      'UPDATE t SET v = v + 1',
      'UPDATE t SET s = s || 1 WHERE id > 500',
      'DELETE FROM t WHERE k = 1',
    ],
    way: 'incremental' as const,
  })),
  {
    name: 'types of order and partition',
    setup: [
      `CREATE TABLE t (a int, b text, c numeric, d date, e timestamptz, f float8, g uuid DEFAULT '00000000-0000-0000-0000-000000000000',
        PRIMARY KEY (a, b))`,
      `INSERT INTO t SELECT i % 3, 'x' || i, i % 4 / 2.0, date '2026-01-01' + i % 5, '2026-01-01'::timestamptz + i * interval '7 h',
        CASE WHEN i % 5 = 0 THEN 'NaN' ELSE i % 7 / 3.0 END FROM generate_series(1, 40) AS i`,
    ],
    views: {
      by_text_key: 'SELECT a, b, lag(c) OVER (PARTITION BY a ORDER BY b) AS l FROM t',
      by_date:
        'SELECT a, b, lag(b) OVER (PARTITION BY a ORDER BY d, b) AS l, sum(a) OVER (PARTITION BY a ORDER BY d, b) AS s FROM t',
      by_time: 'SELECT b, e - lag(e) OVER (PARTITION BY a ORDER BY e) AS l FROM t',
      by_number:
        'SELECT b, rank() OVER (PARTITION BY a ORDER BY c) AS r, sum(c) OVER (PARTITION BY a ORDER BY c) AS s FROM t',
      by_float:
        'SELECT b, dense_rank() OVER (PARTITION BY d ORDER BY f DESC) AS r, count(*) OVER (PARTITION BY d ORDER BY f DESC) AS n FROM t',
      floats: 'SELECT b, sum(f) OVER (PARTITION BY a ORDER BY e ROWS 2 PRECEDING) AS s FROM t',
      times:
        'SELECT b, max(e) OVER (PARTITION BY d ORDER BY e) AS m, lag(f) OVER (PARTITION BY d ORDER BY e) AS l FROM t',
      by_bool: 'SELECT b, count(*) OVER (PARTITION BY c > 1 ORDER BY a, d, e) AS n FROM t',
    },
    steps: [
      `INSERT INTO t VALUES (1, 'y', 0.50, '2026-01-03', '2026-01-02', 'NaN'), (2, 'z', NULL, NULL, NULL, NULL)`,
      `UPDATE t SET c = c + 0.25, f = -f WHERE b = 'x9'`,
      `UPDATE t SET e = e + interval '20 h' WHERE b = 'x12'`,
      `UPDATE t SET a = a + 1 WHERE b IN ('x5', 'x6')`,
      `UPDATE t SET d = NULL, c = NULL WHERE a = 2`,
      `DELETE FROM t WHERE b IN ('x20', 'x21', 'y')`,
      `UPDATE t SET b = 'k' || b`,
      'DELETE FROM t WHERE a = 1',
    ],
    way: 'incremental',
  },
])

/** Moments around a change of the clock, the ends of months, and the ends of each type. */
const MOMENTS = [
  `INSERT INTO m SELECT i, i % 2, timestamptz '2026-03-28 20:00+00' + i * interval '97 min', i * 7 % 50 / 10.0, i * 30 % 101
    FROM generate_series(1, 60) AS i`,
  `INSERT INTO m SELECT 100 + i, i % 2, timestamptz '2024-01-28 12:00+00' + i * interval '17 h', NULL, NULL
    FROM generate_series(1, 60) AS i`,
]

runCases('ranges of', [
  {
    name: 'moments and numbers',
    setup: [
      `SET timezone = 'Europe/Berlin'`,
      `CREATE TABLE m (id int PRIMARY KEY, k int, at timestamptz, n numeric, i int8)`,
      ...MOMENTS,
    ],
    views: {
      hours: over('count(*)', `PARTITION BY k ORDER BY at RANGE '3 hours' PRECEDING`, 'm'),
      days: over('sum(id)', `PARTITION BY k ORDER BY at RANGE BETWEEN '1 day' PRECEDING AND '1 hour' FOLLOWING`, 'm'),
      months: over(
        'count(*)',
        `PARTITION BY k ORDER BY at DESC RANGE BETWEEN '1 month' PRECEDING AND '1 day' FOLLOWING`,
        'm',
      ),
      local: over(
        'count(*)',
        `ORDER BY at::timestamp RANGE BETWEEN '1 month 1.5 seconds' PRECEDING AND CURRENT ROW`,
        'm',
      ),
      dates: over(
        'max(id)',
        `PARTITION BY k ORDER BY at::date RANGE BETWEEN '2 days 1 hour' PRECEDING AND '0.5 days' FOLLOWING`,
        'm',
      ),
      numbers: over(
        'count(*)',
        `PARTITION BY k ORDER BY n RANGE BETWEEN 0.3 PRECEDING AND 0.20000000000001 FOLLOWING`,
        'm',
      ),
      numbers_desc: over('sum(n)', `PARTITION BY k ORDER BY n DESC RANGE BETWEEN 1 PRECEDING AND 0 FOLLOWING`, 'm'),
      whole: over('count(*)', `PARTITION BY k ORDER BY i RANGE BETWEEN 30 PRECEDING AND 30 FOLLOWING`, 'm'),
      years: over(
        'count(*)',
        `PARTITION BY k ORDER BY at RANGE BETWEEN '2 years' PRECEDING AND '300 years' FOLLOWING`,
        'm',
      ),
      endless: over('count(*)', `PARTITION BY k ORDER BY n RANGE BETWEEN 'Infinity' PRECEDING AND 1 FOLLOWING`, 'm'),
    },
    steps: [
      `UPDATE m SET at = at + interval '26 min' WHERE id IN (8, 33)`,
      `UPDATE m SET n = n + 0.1 WHERE id IN (8, 33)`,
      `INSERT INTO m VALUES (200, 0, '2026-03-29 02:59:59+01', 0.5, 30), (201, 1, '2024-02-29 12:00+00', 1.00, NULL)`,
      `INSERT INTO m VALUES (202, 0, 'infinity', 'NaN', 9223372036854775807), (203, 0, '-infinity', '-Infinity', -9223372036854775808)`,
      `INSERT INTO m VALUES (204, 0, 'infinity', 'Infinity', 9223372036854775800), (205, 0, '-infinity', 'NaN', -9223372036854775800)`,
      `INSERT INTO m VALUES (206, 0, NULL, 'Infinity', 9223372036854775770), (207, 1, NULL, NULL, NULL)`,
      `UPDATE m SET id = id + 1000 WHERE id IN (202, 203)`,
      `UPDATE m SET at = '2024-03-31 12:00+00' WHERE id IN (120, 204)`,
      `UPDATE m SET k = 1 - k WHERE id BETWEEN 10 AND 12 OR id > 203`,
      `DELETE FROM m WHERE n = 'NaN' OR i < 0`,
      `UPDATE m SET at = NULL WHERE id % 20 = 0`,
      `DELETE FROM m WHERE k = 0`,
    ],
    way: 'incremental',
  },
  {
    name: 'moments near the ends of their types',
    setup: [
      `CREATE TABLE m (id int PRIMARY KEY, at timestamp, d date, s int2)`,
      `INSERT INTO m SELECT i, timestamp '294276-12-01' + i * interval '1 h', date '5874897-12-31' - 100 - i, 32767 - i % 4
        FROM generate_series(1, 40) AS i`,
      `INSERT INTO m SELECT -i, timestamp '4713-02-01 BC' + i * interval '1 h', date '4713-02-01 BC' + i, i % 4 - 32768
        FROM generate_series(1, 40) AS i`,
    ],
    views: {
      ends: over('count(*)', `ORDER BY at RANGE BETWEEN '2 days' PRECEDING AND '1 day' FOLLOWING`, 'm'),
      small: over('count(*)', `ORDER BY s RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING`, 'm'),
    },
    steps: [
      `UPDATE m SET at = at + interval '1 day' WHERE id IN (3, 40)`,
      `UPDATE m SET at = at - interval '1 day', s = s - sign(id) WHERE id IN (3, -30)`,
      `DELETE FROM m WHERE id IN (39, -39, 4, -4)`,
      `INSERT INTO m VALUES (50, 'infinity', 'infinity', 32767), (-50, '-infinity', '-infinity', -32768)`,
      `UPDATE m SET at = 'infinity', d = 'infinity' WHERE id = 30`,
    ],
    way: 'incremental',
  },
])

const lab = useLab()

test('random changes of two large groups', async () => {
  const rng = new Rng(Number(process.env['SEED'] ?? 1))
  const value = () => rng.pick(['NULL', '0', '1', '2', '3', '50', '98', '99'])
  const some = () => `id IN (${rng.times(1, 4, () => rng.int(1, 500)).join(', ')})`
  await lab.exec('CREATE TABLE t (id int PRIMARY KEY, k int, v int, s text); CREATE TABLE u (k int, v int)')
  await lab.exec("INSERT INTO t SELECT i, i % 2, i * 7919 % 100, 'n' || i FROM generate_series(1, 500) AS i")
  await lab.exec('INSERT INTO u VALUES (0, 1), (1, 2)')
  try {
    const all = Object.entries({ ...NEAR, ...ENDS, ...RANGES, ...PREFIXES, ...COMBINED })
    for (const [name, query] of all.filter(() => rng.chance(0.3))) await lab.create(name, query)
    for (let n = 500; n < 525; n++) {
      await lab.run(
        rng.pick([
          () => `INSERT INTO t VALUES (${n + 1}, ${rng.int(0, 1)}, ${value()}, NULL)`,
          () => `UPDATE t SET v = ${value()} WHERE ${some()}`,
          () => `UPDATE t SET v = v + 1, s = s || 'x' WHERE ${some()}`,
          () => `UPDATE t SET k = ${rng.pick(['0', '1', '1 - k', 'NULL'])} WHERE ${some()}`,
          () => `DELETE FROM t WHERE ${some()}`,
          () => `WITH d AS (DELETE FROM t WHERE ${some()}) UPDATE u SET v = ${value()} WHERE k = ${rng.int(0, 1)}`,
          () => `UPDATE t SET v = ${value()} WHERE v = ${value()}`,
        ])(),
      )
    }
  } finally {
    lab.watched.clear()
    await lab.exec('DROP TABLE t, u CASCADE')
  }
})

test('are not computed by whole partitions', async () => {
  await lab.exec('CREATE TABLE t (id int PRIMARY KEY, k int, v int, s text)')
  const costs = async (views: Record<string, string>) => {
    const found: Record<string, string[]> = {}
    for (const [name, query] of Object.entries(views)) {
      await lab.pg.trickle.createStreamTable('near', query)
      const { stages, advice } = await lab.pg.trickle.explainStreamTable('near')
      expect(advice, name).toEqual([])
      const cost = stages[0]?.sources[0]?.cost ?? ''
      found[cost] = [...(found[cost] ?? []), name]
      await lab.pg.trickle.dropStreamTable('near')
    }
    return Object.keys(found)
  }
  try {
    expect(await costs(NEAR)).toEqual(['the rows within reach of the change'])
    expect(await costs(ENDS)).toEqual(['the rows within reach of the change'])
    expect(await costs(RANGES)).toEqual(['the rows within reach of the change'])
    expect(await costs(PREFIXES)).toEqual(['the rows of the partition from the change on'])
  } finally {
    await lab.exec('DROP TABLE t CASCADE')
  }
})

test('ties are broken by the key of the rows', async () => {
  await lab.exec('CREATE TABLE tie (id int PRIMARY KEY, k int, v int)')
  await lab.exec('INSERT INTO tie SELECT i, 1, i / 10 FROM generate_series(1, 50) AS i')
  await lab.pg.trickle.createStreamTable(
    'tied',
    'SELECT id, lag(id) OVER w AS l, rank() OVER w AS r, row_number() OVER w AS n FROM tie WINDOW w AS (PARTITION BY k ORDER BY v)',
  )
  await lab.pg.trickle.createStreamTable(
    'tied_near',
    'SELECT id, lag(id) OVER (PARTITION BY k ORDER BY v) AS l FROM tie',
  )
  const check = async () => {
    const { rows } = await lab.pg
      .query(`SELECT 1 FROM tied_near FULL JOIN (SELECT id, lag(id) OVER (PARTITION BY k ORDER BY v, id) AS l FROM tie)
      AS q USING (id) WHERE q.l IS DISTINCT FROM tied_near.l`)
    expect(rows).toEqual([])
  }
  await check()
  for (const sql of [
    'DELETE FROM tie WHERE id = 25',
    'INSERT INTO tie VALUES (25, 1, 2), (0, 1, 2)',
    'UPDATE tie SET v = 3 WHERE id % 7 = 0',
  ]) {
    await lab.exec(sql)
    await check()
  }
  await lab.pg.trickle.dropStreamTable('tied')
  await lab.pg.trickle.dropStreamTable('tied_near')
})
