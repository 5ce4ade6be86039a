import { runCases } from './support/cases.js'

/** Queries that are split into stages. Many of them gave wrong results once. */
const TABLES = [
  'CREATE TABLE a (id int PRIMARY KEY, k int, x int, t text)',
  'CREATE TABLE b (id int PRIMARY KEY, a_id int, y int, t text)',
  'CREATE TABLE c (k int, z int, t text)',
  "INSERT INTO a SELECT i, i % 5, i * 7 % 11, 't' || i % 3 FROM generate_series(1, 20) i",
  "INSERT INTO b SELECT i, i % 22, i % 4, 'b' || i % 3 FROM generate_series(1, 25) i",
  "INSERT INTO c SELECT i % 6, i % 3, 'c' || i % 2 FROM generate_series(1, 12) i",
]
const CHANGES = [
  "INSERT INTO a VALUES (100, 2, 5, 'q'), (101, NULL, NULL, NULL)",
  'INSERT INTO b VALUES (100, 3, 2, NULL), (101, 100, NULL, NULL)',
  "INSERT INTO c VALUES (2, 2, 'c1'), (NULL, NULL, NULL), (2, 2, 'c1')",
  'UPDATE a SET id = id + 1000 WHERE id % 2 = 0',
  "UPDATE a SET t = t || 'z' WHERE id > 900",
  'UPDATE b SET a_id = a_id + 1, y = NULL WHERE id % 7 = 0',
  'DELETE FROM c WHERE ctid = (SELECT min(ctid) FROM c WHERE k = 2)',
  `WITH d AS (DELETE FROM b WHERE id < 10), u AS (UPDATE a SET x = x + 2 WHERE id % 3 = 0) DELETE FROM c WHERE k = 1`,
  'DELETE FROM a WHERE id % 5 = 0',
  'DELETE FROM b',
  "INSERT INTO b VALUES (1, 1, 1, 'b1')",
  'TRUNCATE a',
  "INSERT INTO a VALUES (1, 1, 1, 'one')",
  'DELETE FROM c',
]

runCases('stages', [
  {
    name: 'keys that the query does not select',
    setup: TABLES,
    views: {
      bag: 'SELECT t FROM a',
      spine: 'SELECT a.t FROM a LEFT JOIN c ON c.k = a.k',
    },
    steps: CHANGES,
    way: 'incremental',
  },
  {
    name: 'LATERAL whose joins refer to outer columns',
    setup: TABLES,
    views: {
      inner_join: 'SELECT a.id FROM a JOIN LATERAL (SELECT c.k FROM c JOIN b ON c.k = a.k AND b.y = c.z) l ON true',
      outer_join: 'SELECT a.id, l.y FROM a, LATERAL (SELECT b.y FROM c LEFT JOIN b ON b.a_id = a.id AND b.y = c.z) l',
    },
    steps: CHANGES,
    way: 'incremental',
  },
  {
    name: 'keys that are expressions over a stage',
    setup: TABLES,
    views: {
      windows: `SELECT id, k / 2 AS h, rank() OVER (PARTITION BY k / 2 ORDER BY id),
        count(*) OVER (PARTITION BY upper(t), x > 3) AS c FROM a`,
      above_outer_join:
        'SELECT a.id, rank() OVER (PARTITION BY a.k / 2, b.y IS NULL ORDER BY a.id, b.id) FROM a LEFT JOIN b ON a_id = a.id',
      grouped: `SELECT a.k % 2 AS h, a.k % 2 = 0 AS e, max(b.y), string_agg(a.t, ',' ORDER BY a.id, b.id)
        FROM a LEFT JOIN b ON a_id = a.id GROUP BY a.k % 2 HAVING count(*) > (SELECT 1)`,
      several_rows: 'SELECT generate_series(1, a.k) AS g, count(*) FROM a LEFT JOIN b ON a_id = a.id GROUP BY g',
    },
    steps: CHANGES,
    way: 'incremental',
  },
  {
    name: 'keys that no column can hold',
    setup: TABLES,
    views: {
      grouped: 'SELECT count(*) FROM a LEFT JOIN b ON a_id = a.id GROUP BY ROW(a.k, b.y)',
      windowed:
        'SELECT id, rank() OVER (PARTITION BY x ORDER BY id), rank() OVER (PARTITION BY ROW(k) ORDER BY id) AS r FROM a',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'an aggregate of the outer query inside a subquery',
    setup: TABLES,
    views: {
      select_list: 'SELECT (SELECT max(a.x) FROM b WHERE b.y IS DISTINCT FROM b.id LIMIT 1) AS m FROM a',
      in_having: 'SELECT k FROM a GROUP BY k HAVING EXISTS (SELECT FROM b WHERE y < max(a.x))',
    },
    steps: CHANGES,
    way: 'incremental',
  },
  {
    name: 'FULL JOIN beside other joins',
    setup: TABLES,
    views: {
      odd: 'SELECT a.k FROM a FULL JOIN c ON a.k = c.k LEFT JOIN (b FULL JOIN c d ON b.t = d.t AND b.y = 1) ON a.k = b.y',
      on_the_right: 'SELECT c.z, a.id, b.y FROM c JOIN (a FULL JOIN b ON b.a_id = a.id) ON c.k = a.k',
      on_both_sides:
        'SELECT a.id, b.y, c.z FROM (a FULL JOIN b ON b.a_id = a.id) JOIN (c FULL JOIN c d ON d.z = c.k) ON c.k = b.y',
      grouped: 'SELECT k, count(*), sum(b.y) FROM a FULL JOIN b ON b.a_id = a.id AND b.y > 1 GROUP BY k',
      filtered: 'SELECT a.id, c.k, c.z FROM a FULL JOIN c USING (k) WHERE coalesce(a.x, 1) > 0',
    },
    steps: CHANGES,
  },
  {
    name: 'operators over operators',
    setup: TABLES,
    views: {
      left_of_groups: `SELECT s.k, t.n FROM (SELECT k, max(x) AS m FROM a GROUP BY k) s
        LEFT JOIN (SELECT y, count(*) AS n FROM b GROUP BY y) t ON t.y = s.k`,
      top_per_group: `SELECT id, k, x FROM (SELECT id, k, x, row_number() OVER (PARTITION BY k ORDER BY x DESC, id) AS r
        FROM a) s WHERE r <= 2`,
      sets: `SELECT a.k, c.t, count(*) AS n FROM a LEFT JOIN c ON c.k = a.k
        GROUP BY GROUPING SETS ((a.k), (c.t), ()) HAVING count(*) > 1`,
      two_references:
        'WITH s AS (SELECT k, sum(x) AS v FROM a GROUP BY k) SELECT p.k, q.v FROM s p JOIN s q ON p.v >= q.v',
      having_scalar: 'SELECT k, sum(x) AS s FROM a GROUP BY k HAVING sum(x) > (SELECT avg(y) FROM b)',
      nested_sets: 'SELECT k FROM a UNION (SELECT y FROM b EXCEPT SELECT z FROM c) ORDER BY 1',
    },
    steps: CHANGES,
    way: 'incremental',
  },
])
