import { runCases } from './support/cases.js'
import { CHANGES, TABLES } from './support/tables.js'

runCases('aggregates of distinct values', [
  {
    name: 'alone, beside other aggregates, and several at once',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, a int, b numeric(6,2), s text, f float8, n int NOT NULL)',
      `INSERT INTO t SELECT i, nullif(i % 4, 0), i % 3, nullif(i % 5, 0) / 4.0, chr(97 + i % 4), i % 6 / 4.0, i % 2
        FROM generate_series(1, 30) i`,
    ],
    views: {
      count: 'SELECT k, count(DISTINCT a) AS c FROM t GROUP BY k',
      several: `SELECT k, count(*) AS n, count(DISTINCT a) AS c, sum(DISTINCT b) AS s, sum(b) AS b, avg(DISTINCT a) AS v,
        count(a) AS ca, max(id) AS m, min(DISTINCT a) AS lo, count(DISTINCT n) AS cn FROM t GROUP BY k`,
      total: 'SELECT count(DISTINCT s) AS s, sum(DISTINCT a) AS a, count(*) AS n, min(id) AS lo FROM t',
      filtered: `SELECT k, count(DISTINCT a) FILTER (WHERE id % 2 = 0) AS e, count(DISTINCT a) FILTER (WHERE s > 'b') AS g,
        count(DISTINCT a) AS c, sum(a) FILTER (WHERE b > 0.5) AS p FROM t GROUP BY k`,
      variance:
        'SELECT k, var_pop(DISTINCT a) AS v, stddev(DISTINCT b) AS d, bit_xor(DISTINCT a) AS x FROM t GROUP BY k',
      expression: 'SELECT a % 2 AS p, count(DISTINCT k + a) AS c, count(DISTINCT upper(s)) AS u FROM t GROUP BY a % 2',
      with_having: 'SELECT k FROM t GROUP BY k HAVING count(DISTINCT a) > 1 ORDER BY k',
      joined: 'SELECT x.k, count(DISTINCT y.s) AS c, sum(x.a) AS s FROM t x JOIN t y ON x.id = y.n + y.a GROUP BY x.k',
      dependent: 'SELECT t.id, t.s, count(DISTINCT u.a) AS c FROM t JOIN t u ON u.k = t.k GROUP BY t.id',
      nested: 'SELECT c, count(*) AS n FROM (SELECT k, count(DISTINCT s) AS c FROM t GROUP BY k) q GROUP BY c',
      sets: 'SELECT k, a, count(DISTINCT s) AS c, count(*) AS n FROM t GROUP BY ROLLUP (k, a)',
      unnested: 'SELECT k, count(DISTINCT e) AS c FROM t, unnest(ARRAY[a, n]) e GROUP BY k',
      constant: 'SELECT k, count(DISTINCT 1) AS c, count(DISTINCT NULL::int) AS z FROM t GROUP BY k',
    },
    steps: [
      "INSERT INTO t VALUES (100, 1, 0, 0.25, 'a', 0.5, 1), (101, 9, 1, NULL, NULL, NULL, 2)",
      'INSERT INTO t SELECT i, 1, i, i, i::text, i, i FROM generate_series(200, 240) i',
      'UPDATE t SET a = 1 WHERE k = 1 AND id < 200',
      'UPDATE t SET a = NULL, b = NULL WHERE k = 2',
      'UPDATE t SET k = coalesce(k, 2) WHERE id < 10',
      'DELETE FROM t WHERE k = 1 AND a = 1',
      'DELETE FROM t WHERE id > 210',
      'UPDATE t SET s = upper(s), n = n + 1',
      'UPDATE t SET id = id + 1000',
      'WITH x AS (DELETE FROM t WHERE k = 3) INSERT INTO t VALUES (1, 3, 5, 5, $$x$$, 5, 5), (2, 3, 5, 5, $$x$$, 5, 5)',
      'DELETE FROM t WHERE id = 1',
      'DELETE FROM t WHERE id = 2',
      'TRUNCATE t',
      "INSERT INTO t VALUES (1, NULL, NULL, NULL, NULL, NULL, 0), (2, NULL, 1, 1, 'a', 1, 0), (3, NULL, 1, 1, 'a', 1, 0)",
      'DELETE FROM t',
    ],
    way: 'fold',
  },
  {
    name: 'of types whose equal values can have different text',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, d numeric, f float8, i interval)',
      "INSERT INTO t SELECT g, g % 3, g % 4 / 2.0, g % 5 / 4.0, g % 3 * interval '12 hours' FROM generate_series(1, 20) g",
    ],
    views: {
      counts: 'SELECT k, count(DISTINCT d) AS d, count(DISTINCT f) AS f, count(DISTINCT i) AS i FROM t GROUP BY k',
      sums: 'SELECT k, sum(DISTINCT d) AS d, sum(DISTINCT f) AS f, avg(DISTINCT f) AS a FROM t GROUP BY k',
    },
    steps: [
      "INSERT INTO t VALUES (100, 1, 1.0, '-0', '1 day'), (101, 1, 1.00, 0, '24:00'), (102, 1, 1.000, 'NaN', NULL)",
      'DELETE FROM t WHERE id = 100',
      "UPDATE t SET f = 'NaN', d = 'NaN' WHERE k = 2",
      'DELETE FROM t WHERE id = 102',
      'UPDATE t SET k = 1',
      'DELETE FROM t',
    ],
    freeSpelling: true,
    way: 'rekey',
  },
  {
    name: 'above and below other operators',
    setup: TABLES,
    views: {
      over_left_join: 'SELECT t.k, count(DISTINCT u.v) AS c, count(*) AS n FROM t LEFT JOIN u USING (k) GROUP BY t.k',
      under_left_join:
        'SELECT t.id, q.c FROM t LEFT JOIN (SELECT k, count(DISTINCT v) AS c FROM u GROUP BY k) q USING (k)',
      scalar: 'SELECT id, (SELECT count(DISTINCT u.v) FROM u WHERE u.k = t.k) AS c FROM t',
      of_union:
        'SELECT count(DISTINCT k) AS c, sum(DISTINCT k) AS s FROM (SELECT k FROM t UNION ALL SELECT k FROM u) q',
      under_window: 'SELECT k, count(DISTINCT v) AS c, sum(count(DISTINCT v)) OVER (ORDER BY k) AS r FROM t GROUP BY k',
      beside_list: "SELECT k, count(DISTINCT v) AS c, string_agg(s, ',' ORDER BY id) AS l FROM t GROUP BY k",
      rows: 'SELECT k, count(DISTINCT (v, s)) AS c FROM t GROUP BY k',
      lists: "SELECT k, string_agg(DISTINCT s, ',') AS l, array_agg(DISTINCT v) AS a FROM t GROUP BY k",
      pairs: 'SELECT k, regr_count(DISTINCT k, v) AS c, count(*) AS n FROM t GROUP BY k',
    },
    steps: CHANGES,
    way: 'incremental',
  },
])
