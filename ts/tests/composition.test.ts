/**
 * Every operator over every other one: each query of the first list as a subquery of each query of the second, with the
 * oracle after each statement. Every ORDER BY has all columns, so that each query has one result.
 */
import { runCases } from './support/cases.js'
import type { Case } from './support/cases.js'
import { MAJOR } from './support/pglite.js'

const SETUP = [
  'CREATE TABLE t (id int PRIMARY KEY, k int, x int, s text, l int[] NOT NULL)',
  'CREATE TABLE u (k int, z int)',
  'CREATE TABLE v (k int PRIMARY KEY, w int NOT NULL)',
  `INSERT INTO t SELECT i, nullif(i % 5, 4), i % 7, CASE WHEN i % 4 > 0 THEN 's' || i % 3 END, ARRAY[i % 3, i % 2]
     FROM generate_series(1, 14) AS i`,
  'INSERT INTO u VALUES (1, 1), (1, 1), (2, NULL), (NULL, 3), (3, 5)',
  'INSERT INTO v VALUES (0, 2), (1, 3), (2, 3), (5, 0)',
]

/** Queries that return the columns `a int`, `b int` and `c text`. */
const BELOW: Record<string, string> = {
  scan: 'SELECT k AS a, x AS b, s AS c FROM t',
  filter: 'SELECT k AS a, x AS b, s AS c FROM t WHERE x > 2 OR s IS NULL',
  project: 'SELECT k + 1 AS a, coalesce(x, 0) * 2 AS b, upper(s) AS c FROM t',
  keyless: "SELECT k AS a, z AS b, 'u' AS c FROM u",
  inner_join: 'SELECT t.k AS a, u.z AS b, s AS c FROM t JOIN u USING (k)',
  self_join: 'SELECT p.k AS a, q.x AS b, q.s AS c FROM t p JOIN t q ON p.x = q.id',
  left_join: 'SELECT t.k AS a, w AS b, s AS c FROM t LEFT JOIN v ON v.k = t.x',
  right_join: "SELECT v.k AS a, z AS b, 'r' AS c FROM u RIGHT JOIN v ON v.k = u.k AND z > 1",
  full_join: 'SELECT k AS a, w AS b, s AS c FROM t FULL JOIN v USING (k)',
  semi_join: 'SELECT k AS a, x AS b, s AS c FROM t WHERE EXISTS (SELECT FROM u WHERE u.k = t.k AND z < 5)',
  anti_join: 'SELECT k AS a, x AS b, s AS c FROM t WHERE x NOT IN (SELECT z FROM u WHERE k < 3)',
  sums: 'SELECT k AS a, sum(x)::int AS b, count(*)::text AS c FROM t GROUP BY k',
  extremes: 'SELECT k AS a, max(x) AS b, min(s) AS c FROM t GROUP BY k',
  of_a_group: "SELECT k AS a, count(DISTINCT x)::int AS b, string_agg(s, ',' ORDER BY s) AS c FROM t GROUP BY k",
  global: "SELECT count(*)::int AS a, sum(x)::int AS b, 'g' AS c FROM t",
  having: "SELECT k AS a, count(*)::int AS b, 'h' AS c FROM t GROUP BY k HAVING sum(x) > 5",
  distinct: 'SELECT DISTINCT k AS a, x % 3 AS b, s AS c FROM t',
  distinct_on: 'SELECT DISTINCT ON (k) k AS a, x AS b, s AS c FROM t ORDER BY k, x, s',
  union_all: "SELECT k AS a, x AS b, s AS c FROM t UNION ALL SELECT k, z, 'u' FROM u",
  union: "SELECT k AS a, x % 2 AS b, 'n' AS c FROM t UNION SELECT k, z, 'n' FROM u",
  intersect_all: "SELECT k AS a, x % 4 AS b, 'i' AS c FROM t INTERSECT ALL SELECT k, z, 'i' FROM u",
  except: "SELECT k AS a, x % 2 AS b, 'e' AS c FROM t EXCEPT SELECT k, z, 'e' FROM u",
  scalar: "SELECT v.k AS a, (SELECT max(x) FROM t WHERE t.k = v.k) AS b, 'm' AS c FROM v",
  cte: 'WITH q AS (SELECT k, count(*)::int AS n FROM t GROUP BY k) SELECT p.k AS a, r.n AS b, NULL AS c FROM q p JOIN q r ON r.n = p.k',
  recursive: `WITH RECURSIVE r AS (SELECT id, x, 0 AS d FROM t WHERE x = 0
    UNION SELECT t.id, t.x, d + 1 FROM r JOIN t ON t.x = r.id AND d < 9) SELECT id AS a, d AS b, x::text AS c FROM r`,
  unnest: 'SELECT t.k AS a, e AS b, s AS c FROM t, unnest(l) AS e',
  lateral:
    'SELECT v.k AS a, q.x AS b, q.s AS c FROM v, LATERAL (SELECT x, s FROM t WHERE t.k = v.k ORDER BY x, s LIMIT 2) q',
  window: 'SELECT k AS a, rank() OVER (PARTITION BY k ORDER BY x)::int AS b, s AS c FROM t',
  whole_window:
    'SELECT k AS a, sum(x) OVER (ORDER BY x, k)::int AS b, lag(s) OVER (PARTITION BY k ORDER BY x, s) AS c FROM t',
  rollup: 'SELECT k AS a, sum(x)::int AS b, grouping(k, s)::text || s AS c FROM t GROUP BY ROLLUP (k, s)',
  top: 'SELECT k AS a, x AS b, s AS c FROM t ORDER BY x DESC, k, s LIMIT 5 OFFSET 1',
  values: "SELECT q.a, x AS b, q.c FROM t JOIN (VALUES (1, 'one'), (2, NULL)) AS q(a, c) ON q.a = t.k",
}

/** Queries over one of those. */
const ABOVE: Record<string, (below: string) => string> = {
  filter: (q) => `SELECT a, b, c FROM ${q} WHERE b > 1 OR c IS NULL`,
  project: (q) => `SELECT a + b AS ab, c || '!' AS c FROM ${q}`,
  inner_join: (q) => `SELECT a, b, w FROM ${q} JOIN v ON v.k = q.a`,
  self_join: (q) => `SELECT q.b, r.c FROM ${q} JOIN ${q.replace(/q$/, 'r')} ON q.a = r.b`,
  left_join: (q) => `SELECT a, b, w FROM ${q} LEFT JOIN v ON v.k = q.b`,
  left_joined: (q) => `SELECT v.k, a, c FROM v LEFT JOIN ${q} ON v.w = q.b`,
  full_join: (q) => `SELECT a, c, v.k FROM ${q} FULL JOIN v ON v.k = q.a`,
  semi_join: (q) => `SELECT a, c FROM ${q} WHERE EXISTS (SELECT FROM u WHERE u.k = q.a)`,
  semi_joined: (q) => `SELECT id, x FROM t WHERE x IN (SELECT b FROM ${q})`,
  anti_joined: (q) => `SELECT id, x FROM t WHERE x NOT IN (SELECT b FROM ${q})`,
  any_row: (q) => `SELECT k FROM v WHERE NOT EXISTS (SELECT FROM ${q} WHERE b > 4)`,
  sums: (q) => `SELECT a, count(*), sum(b), avg(b) FROM ${q} GROUP BY a`,
  extremes: (q) => `SELECT c, min(a), max(b) FROM ${q} GROUP BY c`,
  of_a_group: (q) => `SELECT a, count(DISTINCT b), string_agg(c, ',' ORDER BY c) FROM ${q} GROUP BY a`,
  global: (q) => `SELECT count(*), sum(a), max(c) FROM ${q}`,
  having: (q) => `SELECT a FROM ${q} GROUP BY a HAVING count(b) > 1`,
  distinct: (q) => `SELECT DISTINCT a, c FROM ${q}`,
  distinct_on: (q) => `SELECT DISTINCT ON (a) a, b, c FROM ${q} ORDER BY a, b DESC, c`,
  union_all: (q) => `SELECT a, b FROM ${q} UNION ALL SELECT k, z FROM u`,
  union: (q) => `SELECT a, b FROM ${q} UNION SELECT k, z FROM u`,
  intersect: (q) => `SELECT a, b FROM ${q} INTERSECT SELECT k, x FROM t`,
  except_all: (q) => `SELECT k, x FROM t EXCEPT ALL SELECT a, b FROM ${q}`,
  scalar: (q) => `SELECT v.k, (SELECT sum(b) FROM ${q} WHERE q.a = v.k) AS s FROM v`,
  recursive: (q) =>
    `WITH RECURSIVE r AS (SELECT a AS n FROM ${q} UNION SELECT u.z FROM r JOIN u ON u.k = r.n) SELECT n FROM r`,
  unnest: (q) => `SELECT a, e FROM ${q}, generate_series(1, least(b, 3)) AS e`,
  lateral: (q) =>
    `SELECT v.k, l.b FROM v LEFT JOIN LATERAL (SELECT b FROM ${q} WHERE q.a = v.k ORDER BY b LIMIT 1) l ON true`,
  window: (q) => `SELECT a, b, rank() OVER (PARTITION BY a ORDER BY b, c) AS n FROM ${q}`,
  two_windows: (q) => `SELECT a, sum(b) OVER (PARTITION BY a) AS s, count(*) OVER (PARTITION BY b) AS n FROM ${q}`,
  cube: (q) => `SELECT a, c, count(*), grouping(a, c) FROM ${q} GROUP BY CUBE (a, c)`,
  top: (q) => `SELECT a, b, c FROM ${q} ORDER BY b DESC NULLS LAST, a, c LIMIT 4`,
}

const STEPS = [
  "INSERT INTO t VALUES (20, 2, 6, 's1', '{1,2}'), (21, NULL, 1, NULL, '{}'), (22, 9, 8, 'new', '{7}')",
  'UPDATE t SET x = x + 2 WHERE id % 3 = 0',
  'UPDATE t SET k = 2, s = NULL WHERE k = 1',
  'INSERT INTO u VALUES (2, 6), (NULL, NULL), (1, 2)',
  'DELETE FROM t WHERE id IN (3, 7, 20)',
  'WITH d AS (DELETE FROM u WHERE z = 1), w AS (UPDATE v SET w = w + 1) UPDATE t SET k = k + 1',
  'UPDATE v SET k = k + 1 WHERE k = 5',
  'DELETE FROM v WHERE k < 2',
  'DELETE FROM t WHERE id > 4',
  'TRUNCATE u',
  'DELETE FROM t',
  "INSERT INTO t SELECT i, i % 3, i, 's', '{1}' FROM generate_series(1, 30) AS i; INSERT INTO u VALUES (1, 1), (2, 9)",
]

/** In CI each PostgreSQL version takes every second pair, elsewhere all of them. */
const isMine = (n: number) => !process.env.CI || n % 2 === MAJOR % 2

const cases = Object.entries(ABOVE).map(([name, above], row): Case => {
  const views = Object.entries(BELOW)
    .filter((_, column) => isMine(row + column))
    .map(([below, query]) => [`on_${below}`, above(`(${query}) AS q`)])
  return { name, setup: SETUP, views: Object.fromEntries(views) as Record<string, string>, steps: STEPS }
})

runCases('every operator over every other one', cases)
