/** Percentiles by a pointer into the ordered values of a group. */
import { describe, expect, test } from 'vitest'
import { runCases } from './support/cases.js'
import { Lab } from './support/lab.js'
import { followRandomChanges } from './support/random-changes.js'

const VIEWS = {
  median: 'SELECT k, percentile_cont(0.5) WITHIN GROUP (ORDER BY x) AS m FROM t GROUP BY k',
  middle: 'SELECT k, percentile_disc(0.5) WITHIN GROUP (ORDER BY x) AS m FROM t GROUP BY k',
  several: `SELECT k, percentile_cont(0.1) WITHIN GROUP (ORDER BY x) AS p10, percentile_cont(0.9) WITHIN GROUP (ORDER BY x) AS p90,
    percentile_disc(0.25) WITHIN GROUP (ORDER BY d) AS day, count(*) AS n, sum(x) AS s, max(x) AS hi FROM t GROUP BY k`,
  ends: `SELECT k, percentile_cont(0) WITHIN GROUP (ORDER BY x) AS least, percentile_disc(1) WITHIN GROUP (ORDER BY x) AS most,
    percentile_disc(0) WITHIN GROUP (ORDER BY x) AS first FROM t GROUP BY k HAVING percentile_cont(0.5) WITHIN GROUP (ORDER BY x) > 2`,
  money:
    'SELECT k, percentile_cont(0.75) WITHIN GROUP (ORDER BY p) + 1 AS q FROM t WHERE x IS DISTINCT FROM 9 GROUP BY k',
  two_keys: 'SELECT k, j, percentile_cont(0.5) WITHIN GROUP (ORDER BY x) AS m FROM t GROUP BY k, j',
  all_rows:
    'SELECT percentile_cont(0.3) WITHIN GROUP (ORDER BY x) AS m, percentile_disc(0.3) WITHIN GROUP (ORDER BY p) AS d FROM t',
  expression: 'SELECT k, percentile_disc(0.2) WITHIN GROUP (ORDER BY x + j) AS m, count(*) AS n FROM t GROUP BY k',
  key_expression:
    'SELECT k % 2 AS odd, percentile_cont(0.5) WITHIN GROUP (ORDER BY x::float8 * 2) AS m FROM t GROUP BY 1 HAVING count(*) > 1',
  filtered: `SELECT k, percentile_disc(0.2) WITHIN GROUP (ORDER BY x) FILTER (WHERE j = 1) AS m,
    percentile_cont(0.2) WITHIN GROUP (ORDER BY x) AS q FROM t GROUP BY k`,
  joined: `SELECT a.j, percentile_disc(0.5) WITHIN GROUP (ORDER BY b.x) AS m, max(b.x) AS hi FROM t a JOIN t b ON b.id = a.x GROUP BY a.j`,
  outer_joined: `SELECT a.k, percentile_cont(0.5) WITHIN GROUP (ORDER BY b.x) AS m FROM t a LEFT JOIN t b ON b.id = a.x GROUP BY a.k`,
}

const TABLE = [
  'CREATE TABLE t (id int PRIMARY KEY, k int, j int, x int, p numeric(10, 2), f float8, d date)',
  'CREATE INDEX ON t (k, x)',
  'CREATE INDEX ON t (k, d)',
  'CREATE INDEX ON t (k, p)',
  'CREATE INDEX ON t (j, k, x)',
  'CREATE INDEX ON t (x)',
  'CREATE INDEX ON t (p)',
  'CREATE INDEX ON t (k, f)',
]

runCases('percentiles', [
  {
    name: 'of columns with an index',
    setup: [
      ...TABLE,
      `INSERT INTO t SELECT i, i % 3, i % 2, i % 7, i * 1.25, i / 8.0, DATE '2024-01-01' + i FROM generate_series(1, 40) i`,
    ],
    views: VIEWS,
    steps: [
      'INSERT INTO t VALUES (101, 1, 0, 3, 2.5, 2.5, NULL)',
      'DELETE FROM t WHERE id = 101',
      'UPDATE t SET x = 100 WHERE id = 4',
      'UPDATE t SET x = -100 WHERE id = 4',
      'UPDATE t SET x = NULL WHERE id = 7',
      'UPDATE t SET k = NULL WHERE id IN (1, 2)',
      'INSERT INTO t SELECT 200 + i, 5, NULL, 4, 1, 1, NULL FROM generate_series(1, 9) i',
      'DELETE FROM t WHERE k = 5 AND id > 203',
      'UPDATE t SET x = x + 1 WHERE k = 5',
      'DELETE FROM t WHERE x = 3',
      'UPDATE t SET x = NULL WHERE k = 1',
      'UPDATE t SET x = id WHERE k = 1',
      'UPDATE t SET k = (k + 1) % 3, j = NULL WHERE id % 5 = 0',
      'DELETE FROM t WHERE k = 2',
      'INSERT INTO t VALUES (301, 2, 1, 1, 1, 1, NULL), (302, 2, 1, NULL, NULL, NULL, NULL), (303, NULL, NULL, 8, 8, 8, NULL)',
      'DELETE FROM t WHERE id = 301',
      'TRUNCATE t',
      'INSERT INTO t SELECT i, i % 2, 0, i, i, i, NULL FROM generate_series(1, 30) i',
      'DELETE FROM t',
      'INSERT INTO t SELECT i, 1, 1, i % 3, i, i, NULL FROM generate_series(1, 5) i',
    ],
    way: 'fold',
  },
  {
    name: 'of floats and of small and large numbers',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL, f float8, r float4, b bigint, s smallint)',
      'CREATE INDEX ON t (k, f)',
      'CREATE INDEX ON t (k, r)',
      'CREATE INDEX ON t (k, b)',
      'CREATE INDEX ON t (k, s)',
      "INSERT INTO t VALUES (1, 1, 'NaN', 1.1, 9007199254740993, 1), (2, 1, '-Infinity', 'Infinity', 9007199254740992, 2), (3, 1, 0.1, 0.3, -1, NULL)",
    ],
    views: Object.fromEntries(
      ['f', 'r', 'b', 's'].map((c) => [
        c,
        `SELECT k, percentile_cont(0.4) WITHIN GROUP (ORDER BY ${c}) AS m FROM t GROUP BY k`,
      ]),
    ),
    steps: [
      'INSERT INTO t VALUES (4, 1, 0.3, -1.5, 9007199254740991, 7), (5, 1, 1e308, 2, 5, 7)',
      "UPDATE t SET f = -1e308, r = 'NaN' WHERE id = 3",
      'DELETE FROM t WHERE id = 2',
      'INSERT INTO t SELECT i + 10, 1, i / 3.0, i / 7.0, i, i FROM generate_series(1, 20) i',
      'DELETE FROM t WHERE id % 2 = 0',
      'UPDATE t SET f = 1, r = 1, b = 1, s = 1',
      'UPDATE t SET f = id, r = id, b = id, s = id WHERE id > 15',
    ],
    way: 'fold',
  },
  {
    name: 'of a subquery, a view and a join',
    setup: [
      ...TABLE,
      'CREATE VIEW v AS SELECT k, x FROM t WHERE j = 1',
      `INSERT INTO t SELECT i, i % 3, i % 2, i % 7, i, i, NULL FROM generate_series(1, 40) i`,
    ],
    views: {
      nothing_either: 'SELECT k, percentile_disc(NULL) WITHIN GROUP (ORDER BY x) AS m FROM t GROUP BY k',
      nothing_of_expressions:
        'SELECT k, percentile_disc(NULL::float8) WITHIN GROUP (ORDER BY x + 1) AS m FROM t GROUP BY k',
      nothing: 'SELECT k, percentile_cont(NULL::float8) WITHIN GROUP (ORDER BY x) AS m FROM t GROUP BY k',
      view: 'SELECT k, percentile_cont(0.5) WITHIN GROUP (ORDER BY x) AS m FROM v GROUP BY k',
      sums: 'SELECT j, percentile_disc(0.5) WITHIN GROUP (ORDER BY s) AS m FROM (SELECT k, j, count(*) AS s FROM t GROUP BY k, j) q GROUP BY j',
      above: `SELECT t.id, q.m FROM t JOIN (SELECT k, percentile_cont(0.5) WITHIN GROUP (ORDER BY x) AS m FROM t GROUP BY k) q ON q.k = t.k AND t.x > q.m`,
      sets: 'SELECT k, percentile_cont(0.5) WITHIN GROUP (ORDER BY x) AS m FROM t GROUP BY ROLLUP (k)',
      of_many: 'SELECT k, percentile_cont(ARRAY[0.2, 0.8]) WITHIN GROUP (ORDER BY x) AS m FROM t GROUP BY k',
      down: 'SELECT k, percentile_disc(0.2) WITHIN GROUP (ORDER BY x DESC) AS m FROM t GROUP BY k',
      beside_a_list:
        'SELECT k, percentile_disc(0.2) WITHIN GROUP (ORDER BY x + j) AS m, array_agg(x ORDER BY id) AS l FROM t GROUP BY k',
      of_texts: 'SELECT k, percentile_disc(0.2) WITHIN GROUP (ORDER BY x::text || j) AS m FROM t GROUP BY k',
    },
    steps: [
      'INSERT INTO t VALUES (101, 1, 1, 3, 2.5, 2.5, NULL)',
      'UPDATE t SET x = x + 2 WHERE id % 4 = 0',
      'UPDATE t SET k = 3 - k WHERE id % 6 = 0',
      'DELETE FROM t WHERE id % 3 = 0',
      'DELETE FROM t WHERE j = 1',
      'INSERT INTO t SELECT i + 200, i % 4, i % 2, i % 5, i, i, NULL FROM generate_series(1, 20) i',
    ],
  },
])

const QUERY = `SELECT k, percentile_cont(0.5) WITHIN GROUP (ORDER BY x) AS m, percentile_disc(0.9) WITHIN GROUP (ORDER BY x) AS d, count(*) AS n
  FROM t GROUP BY k`

const ROWS = 'INSERT INTO t SELECT i, i % 2, i % 3, i * 7 % 23, i, i, NULL FROM generate_series(1, 500) i'

describe('the pointer', () => {
  test('follows random changes of two groups with many equal values', () =>
    followRandomChanges([...TABLE, ROWS], { st: QUERY }, 120, (rng) => {
      let next = 1000
      const some = () => `id % ${rng.int(40, 90)} = ${rng.int(0, 30)}`
      return [
        () =>
          `INSERT INTO t SELECT ${(next += 10)} + i, ${rng.int(0, 2)}, 0, ${rng.int(-3, 25)} + i, i, i, NULL FROM generate_series(0, ${rng.int(0, 3)}) i`,
        () => `DELETE FROM t WHERE ${some()}`,
        () => `UPDATE t SET x = ${rng.int(0, 23)} WHERE ${some()}`,
        () => `UPDATE t SET k = 1 - k WHERE ${some()}`,
        () => `UPDATE t SET x = x + ${rng.int(-2, 2)}, j = j + 1 WHERE ${some()}`,
        () => `UPDATE t SET x = NULL WHERE id = ${rng.int(1, 500)}`,
      ]
    }))

  test('comes with its index', async () => {
    const lab = new Lab()
    await lab.open()
    await lab.exec('CREATE TABLE t (id int PRIMARY KEY, k int, x int)')
    await lab.exec('INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 30) i')
    await lab.pg.trickle.createStreamTable('st', QUERY)
    const before = await lab.pg.trickle.explainStreamTable('st')
    expect(before.stages.map((stage) => stage.way)).toEqual(['rekey'])
    expect(before.advice.join()).toContain('CREATE INDEX ON public.t (k, x)')
    await lab.exec('CREATE INDEX ON t (k, x)')
    await lab.exec('UPDATE t SET x = x + 1')
    const after = await lab.pg.trickle.explainStreamTable('st')
    expect(after.stages.map((stage) => stage.way)).toEqual(['fold'])
    expect((await lab.pg.trickle.verifyStreamTable('st')).ok).toBe(true)
    await lab.close()
  })
})
