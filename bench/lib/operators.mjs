// A query for each operator, over tables whose groups stay small when the tables grow: ten rows of `t` and of `u` for each
// value of `k`, and at most one row of `v`. `edge` holds trees of 100 rows.

/** Tables with `n` rows, and the indexes that a careful user of these queries would create. */
export const tables = (n) => `
  CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL, x int NOT NULL, y int, f float8 NOT NULL, s text NOT NULL,
    a int[] NOT NULL, j jsonb NOT NULL);
  CREATE TABLE u (id int PRIMARY KEY, k int NOT NULL, z int NOT NULL, p int NOT NULL);
  CREATE TABLE v (k int PRIMARY KEY, w int NOT NULL);
  CREATE TABLE edge (id int PRIMARY KEY, parent int NOT NULL);
  INSERT INTO t SELECT g, g % ${n / 10}, g * 7919 % 1000003, CASE WHEN g % 3 > 0 THEN g % 100 END, g / 7.0, 'n' || g,
    ARRAY[g, g + 1], jsonb_build_object('list', jsonb_build_array(g, g % 5)) FROM generate_series(1, ${n}) AS g;
  INSERT INTO u SELECT g, g % ${n / 10}, g * 7907 % 1000003, g % 50 FROM generate_series(1, ${n}) AS g;
  INSERT INTO v SELECT g, g % 50 FROM generate_series(0, ${n / 10}) AS g WHERE g % 3 > 0;
  INSERT INTO edge SELECT g, CASE WHEN g % 100 > 0 THEN g - g % 100 + g % 100 / 10 ELSE -1 END FROM generate_series(1, ${n}) AS g;
  CREATE INDEX ON t (k, x); CREATE INDEX ON t (k, y); CREATE INDEX ON t (x); CREATE INDEX ON t (y); CREATE INDEX ON t (s);
  CREATE INDEX ON t ((id / 10));
  CREATE INDEX ON u (k, z); CREATE INDEX ON u (z); CREATE INDEX ON v (w); CREATE INDEX ON edge (parent);
  ANALYZE;`

/** The smallest number of rows for which the changes below are valid. */
export const FEWEST = 500

/** One-row changes, to rows that exist in tables of any size and are not at either end. */
export const CHANGES = [
  ['insert t', `INSERT INTO t VALUES (0, 28, 500000, 5, 1.5, 'n0', '{7}', '{"list": [1]}')`],
  [
    'update t.x',
    `UPDATE t SET x = x + 17, f = f + 1, s = s || 'x', a = a || 4, y = y + 1, j = '{"list": [3]}' WHERE id = 305`,
  ],
  ['update t.k', `UPDATE t SET k = 29 WHERE id = 306`],
  ['delete t', `DELETE FROM t WHERE id = 307`],
  ['insert u', `INSERT INTO u VALUES (0, 28, 500000, 5)`],
  ['update u', `UPDATE u SET z = z + 17, p = 7 WHERE id = 305`],
  ['update u.k', `UPDATE u SET k = 29 WHERE id = 306`],
  ['delete u', `DELETE FROM u WHERE id = 307`],
  ['insert v', `INSERT INTO v VALUES (27, 3)`],
  ['update v', `UPDATE v SET w = w + 1 WHERE k = 5`],
  ['delete v', `DELETE FROM v WHERE k = 7`],
  ['insert edge', `INSERT INTO edge VALUES (0, 410)`],
  ['update edge', `UPDATE edge SET parent = 341 WHERE id = 423`],
  ['delete edge', `DELETE FROM edge WHERE id = 424`],
]

const TREE = `WITH RECURSIVE r AS (SELECT id, 0 AS depth FROM edge WHERE parent = -1
  UNION ALL SELECT e.id, depth + 1 FROM r JOIN edge e ON e.parent = r.id) SELECT * FROM r`

const DAG = `WITH RECURSIVE r AS (SELECT id, parent FROM edge WHERE id = 400
  UNION SELECT e.id, e.parent FROM r JOIN edge e ON e.parent = r.id) SELECT * FROM r`

/** `[number in the list of operators, name, query]`. */
export const OPERATORS = [
  [1, 'scan', 'SELECT * FROM t'],
  [2, 'filter', 'SELECT id, x FROM t WHERE x % 2 = 0 OR y = 5'],
  [3, 'project', 'SELECT id, x * 2 + coalesce(y, 0) AS e, upper(s) AS s FROM t'],
  [3, 'project without key', 'SELECT k, x FROM t'],
  [4, 'equi-join', 'SELECT t.id, u.id AS uid, x, z FROM t JOIN u USING (k)'],
  // An index only supports bounds on a plain column, so this range join states its condition from both sides.
  [4, 'theta join', 'SELECT id, v.k FROM t JOIN v ON t.k BETWEEN v.k AND v.k + 1 AND v.k BETWEEN t.k - 1 AND t.k'],
  [4, 'self-join', 'SELECT a.id, b.id AS bid FROM t a JOIN t b ON a.k = b.k AND a.x < b.x'],
  [4, 'three-way join', 'SELECT t.id, u.id AS uid, w FROM t JOIN u ON t.k = u.k JOIN v ON v.k = u.k'],
  [5, 'left join', 'SELECT t.id, x, u.id AS uid, z FROM t LEFT JOIN u ON t.k = u.k AND z % 2 = 0'],
  [5, 'right join', 'SELECT t.id, x, v.k, w FROM t RIGHT JOIN v ON t.k = v.k AND x % 2 = 0'],
  [6, 'full join', 'SELECT t.id, x, v.k, w FROM t FULL JOIN v ON t.k = v.k'],
  [7, 'EXISTS', 'SELECT id, x FROM t WHERE EXISTS (SELECT FROM u WHERE u.k = t.k AND z > 400000)'],
  [7, 'IN', 'SELECT id, x FROM t WHERE k IN (SELECT k FROM v WHERE w > 20)'],
  [8, 'NOT EXISTS', 'SELECT id, x FROM t WHERE NOT EXISTS (SELECT FROM v WHERE v.k = t.k)'],
  [8, 'NOT IN', 'SELECT id, x FROM t WHERE k NOT IN (SELECT k FROM v WHERE w > 20)'],
  [8, 'NOT IN with NULLs', 'SELECT k, w FROM v WHERE k NOT IN (SELECT y FROM t)'],
  [9, 'count, sum, avg', 'SELECT k, count(*) AS n, sum(x), avg(x), count(y), sum(y) AS sy FROM t GROUP BY k'],
  [9, 'min, max', 'SELECT k, min(x), max(x) FROM t GROUP BY k'],
  [9, 'min, max nullable', 'SELECT k, min(y), max(y) FROM t GROUP BY k'],
  // The DELETE below removes the smallest value of its group.
  [9, 'min, taken away', 'SELECT k, min(abs(id - 307)) FROM t GROUP BY k'],
  [9, 'global sum', 'SELECT count(*), sum(x), avg(x) FROM t'],
  [9, 'global min', 'SELECT min(x), max(x) FROM t'],
  [9, 'variance', 'SELECT k, variance(x), stddev(y) FROM t GROUP BY k'],
  [9, 'sum float8', 'SELECT k, sum(f), avg(f), stddev(f) FROM t GROUP BY k'],
  [9, 'global float8', 'SELECT sum(f), corr(f, x) FROM t'],
  [9, 'bool_and, bit_or', 'SELECT k, bool_and(y > 3), bit_xor(x), bit_or(x) FROM t GROUP BY k'],
  [9, 'string_agg', `SELECT k, string_agg(s, ',' ORDER BY x) FROM t GROUP BY k`],
  [9, 'count DISTINCT', 'SELECT k, count(DISTINCT y), sum(DISTINCT y) FROM t GROUP BY k'],
  [
    9,
    'several DISTINCT',
    'SELECT k, count(*) AS n, count(DISTINCT y) AS y, count(DISTINCT s) AS s, max(x) FROM t GROUP BY k',
  ],
  [9, 'global DISTINCT', 'SELECT count(DISTINCT y), sum(x) FROM t'],
  [9, 'FILTER', 'SELECT k, count(*) FILTER (WHERE y > 50), sum(x) FILTER (WHERE y < 10) AS sx FROM t GROUP BY k'],
  [9, 'percentile', 'SELECT k, percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM t GROUP BY k'],
  [9, 'group over join', 'SELECT w, count(*), sum(x) FROM t JOIN v USING (k) GROUP BY w'],
  [10, 'HAVING', 'SELECT k, sum(x) FROM t GROUP BY k HAVING sum(x) > 3000000'],
  [11, 'DISTINCT', 'SELECT DISTINCT k, y FROM t'],
  [12, 'DISTINCT ON', 'SELECT DISTINCT ON (k) k, id, x FROM t ORDER BY k, x'],
  [13, 'UNION ALL', 'SELECT id, k FROM t UNION ALL SELECT id, k FROM u'],
  [13, 'UNION', 'SELECT k, y FROM t UNION SELECT k, p FROM u'],
  [14, 'INTERSECT', 'SELECT k, y FROM t INTERSECT SELECT k, p FROM u'],
  [14, 'INTERSECT ALL', 'SELECT k, y FROM t INTERSECT ALL SELECT k, p FROM u'],
  [15, 'EXCEPT', 'SELECT k, y FROM t EXCEPT SELECT k, p FROM u'],
  [15, 'EXCEPT ALL', 'SELECT k, y FROM t EXCEPT ALL SELECT k, p FROM u'],
  [16, 'subquery in FROM', 'SELECT q.k, q.n, w FROM (SELECT k, count(*) AS n FROM t GROUP BY k) q JOIN v USING (k)'],
  [17, 'scalar, correlated', 'SELECT id, x, (SELECT max(z) FROM u WHERE u.k = t.k) AS m FROM t'],
  [17, 'scalar in WHERE', 'SELECT id, x FROM t WHERE x > (SELECT avg(z) FROM u WHERE u.k = t.k)'],
  [17, 'scalar, of one row', 'SELECT id, x + (SELECT count(*) FROM v WHERE k < 3) AS n FROM t WHERE id < 100'],
  [18, 'CTE', 'WITH c AS (SELECT k, sum(x) AS s FROM t GROUP BY k) SELECT a.k, a.s, v.w FROM c a JOIN v ON v.k = a.k'],
  [
    18,
    'CTE, twice',
    'WITH c AS MATERIALIZED (SELECT k, sum(x) AS s FROM t GROUP BY k) SELECT a.k, b.k AS bk FROM c a JOIN c b ON b.s = a.s',
  ],
  [19, 'recursive', DAG],
  [19, 'recursive, all', TREE],
  [20, 'unnest', 'SELECT id, e, o FROM t, unnest(a) WITH ORDINALITY AS l(e, o)'],
  [20, 'jsonb elements', `SELECT id, e FROM t, jsonb_array_elements(j -> 'list') AS e`],
  [20, 'select list', 'SELECT id, unnest(a) AS e FROM t'],
  [21, 'LATERAL', 'SELECT t.id, l.z FROM t, LATERAL (SELECT z FROM u WHERE u.k = t.k ORDER BY z DESC LIMIT 2) l'],
  [
    21,
    'LEFT LATERAL',
    'SELECT v.k, l.n FROM v LEFT JOIN LATERAL (SELECT count(*) AS n FROM t WHERE t.k = v.k) l ON true',
  ],
  [22, 'row_number', 'SELECT id, row_number() OVER (PARTITION BY k ORDER BY x, id) AS n FROM t'],
  [22, 'running sum', 'SELECT id, sum(x) OVER (PARTITION BY k ORDER BY id), avg(x) OVER (PARTITION BY k) AS a FROM t'],
  [
    22,
    'first rows',
    'SELECT id, x FROM (SELECT id, x, row_number() OVER (PARTITION BY k ORDER BY x, id) AS n FROM t) AS q WHERE n <= 3',
  ],
  [
    22,
    'two windows',
    'SELECT id, rank() OVER (PARTITION BY k ORDER BY x) AS r, lag(x) OVER (PARTITION BY id / 10 ORDER BY id) AS l FROM t',
  ],
  [
    23,
    'GROUPING SETS',
    'SELECT k, y, count(*), sum(x), grouping(k, y) AS g FROM t GROUP BY GROUPING SETS ((k, y), (k))',
  ],
  [23, 'ROLLUP', 'SELECT k, y, count(*), sum(x) FROM t GROUP BY ROLLUP (k, y)'],
  [24, 'LIMIT', 'SELECT id, x FROM t ORDER BY x LIMIT 10'],
  [24, 'LIMIT OFFSET', 'SELECT id, x FROM t ORDER BY x DESC, id LIMIT 10 OFFSET 5'],
  [24, 'WITH TIES', 'SELECT id, x FROM t ORDER BY x FETCH FIRST 10 ROWS WITH TIES'],
  [25, 'VALUES', 'SELECT id, c FROM t JOIN (VALUES (1, 2), (3, 4)) AS q(k, c) USING (k)'],
]
