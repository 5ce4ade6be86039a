/** GROUP BY: columns that a grouped key determines, GROUPING() without sets, and types without an order. */
import { runCases } from './support/cases.js'

const SETUP = [
  'CREATE TABLE c (id int PRIMARY KEY, name text, region text)',
  'CREATE TABLE o (id int PRIMARY KEY, cid int, note text, amount int)',
  "INSERT INTO c VALUES (1, 'ann', 'n'), (2, 'bob', NULL), (3, NULL, 'n')",
  "INSERT INTO o VALUES (1, 1, 'x', 5), (2, 1, 'y', 7), (3, 2, NULL, 1)",
]

const STEPS = [
  "INSERT INTO o VALUES (4, 3, 'z', 9), (5, NULL, 'w', 2)",
  "UPDATE c SET name = 'bea', region = 's' WHERE id = 2",
  'UPDATE o SET cid = 2 WHERE id = 1',
  "INSERT INTO c VALUES (4, 'cy', 's')",
  'DELETE FROM o WHERE cid = 3',
  'DELETE FROM c WHERE id = 1',
  "INSERT INTO o SELECT i, i % 6, 'n' || i, i FROM generate_series(10, 40) i",
  'UPDATE c SET id = 5 WHERE id = 4',
  'DELETE FROM o WHERE amount % 2 = 0',
  'TRUNCATE o',
]

runCases('grouping', [
  {
    name: 'by a primary key, with columns that it determines, above joins and subqueries',
    setup: SETUP,
    way: 'incremental',
    views: {
      listed:
        "SELECT c.id, c.name, string_agg(o.note, ',' ORDER BY o.id) AS notes FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id",
      counted: 'SELECT c.id, c.name, c.region, count(o.id) AS n FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id',
      all_columns: 'SELECT c.*, json_agg(o ORDER BY o.id) AS os FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id',
      in_having:
        "SELECT c.id, array_agg(o.note ORDER BY o.id) AS notes FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id HAVING c.name <> 'ann'",
      in_an_expression:
        'SELECT upper(c.name) || c.id AS name, max(o.amount) AS m FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id ORDER BY c.region, c.id',
      with_a_subquery:
        'SELECT c.id, c.name, (SELECT count(*) FROM o x WHERE x.cid = c.id) AS n, sum(o.amount) AS s FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id',
      under_a_window:
        'SELECT c.id, c.name, rank() OVER (ORDER BY count(o.id), c.name) AS r FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id',
      matched:
        "SELECT c.id, c.name, string_agg(o.note, ',' ORDER BY o.id) AS notes FROM c JOIN o ON o.cid = c.id GROUP BY c.id",
    },
    steps: STEPS,
  },
  {
    name: 'by a primary key, with columns that it determines and that cannot be keys',
    setup: [
      'CREATE TABLE c (id int PRIMARY KEY, x xid, doc json, at point, shape box, amount numeric)',
      ...SETUP.slice(1, 2),
      `INSERT INTO c VALUES (1, '7', '{"a": 1}', '(1,2)', '((0,0),(1,1))', 1.0), (2, NULL, '{"a":1}', '(1,2)', NULL, 1.00), (3, '7', NULL, NULL, '((0,0),(1,1))', NULL)`,
      ...SETUP.slice(3),
    ],
    way: 'incremental',
    views: {
      listed: 'SELECT c.*, json_agg(o ORDER BY o.id) AS os FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id',
      counted: 'SELECT c.*, count(o.id) AS n FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id',
      matched: 'SELECT c.id, c.doc, sum(o.amount) AS s FROM c JOIN o ON o.cid = c.id GROUP BY c.id',
      whole_row: 'SELECT c, count(o.id) AS n FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id',
      in_expressions:
        "SELECT c.doc->>'a' AS a, c.at[0] + count(*) AS n FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id ORDER BY c.at[1]",
      in_having: "SELECT c.id, max(o.note) AS m FROM c JOIN o ON o.cid = c.id GROUP BY c.id HAVING c.doc->>'a' = '1'",
      under_a_window:
        'SELECT c.id, c.doc, rank() OVER (ORDER BY count(o.id)) AS r FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id',
      nullable: 'SELECT c.*, count(*) AS n FROM o LEFT JOIN c ON o.cid = c.id GROUP BY c.id',
      under_a_join:
        'SELECT q.*, o.note FROM (SELECT c.*, count(o.id) AS n FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id) q JOIN o ON o.id = q.id',
      distinct_calls: 'SELECT c.doc, count(DISTINCT o.note) AS n FROM c JOIN o ON o.cid = c.id GROUP BY c.id',
      alone: 'SELECT c.id, c.doc FROM c GROUP BY c.id',
      joined: 'SELECT ARRAY[c.doc] AS docs, c, o.note FROM c JOIN o ON o.cid = c.id',
      in_windows: 'SELECT c, ARRAY[c.doc] AS docs, row_number() OVER (PARTITION BY c.amount ORDER BY c.id) AS r FROM c',
    },
    steps: [
      `UPDATE c SET doc = '{"a": 2}' WHERE id = 2`,
      `UPDATE c SET at = '(3,4)', shape = NULL, x = '8', amount = 1.000 WHERE id = 1`,
      'UPDATE c SET doc = NULL WHERE id = 1',
      `INSERT INTO c VALUES (4, '8', '[]', '(0,0)', '((0,0),(2,2))', 5)`,
      ...STEPS.filter((step) => !/ c (SET name|VALUES)/.test(step)),
    ],
  },
  {
    name: 'with GROUPING() and no sets, or one',
    setup: SETUP,
    way: 'incremental',
    views: {
      simple: 'SELECT region, grouping(region) AS g, count(*) AS n FROM c GROUP BY region',
      two: 'SELECT cid, note, grouping(cid, note) AS g, sum(amount) AS s FROM o GROUP BY cid, note',
      in_having: 'SELECT cid, count(*) AS n FROM o GROUP BY cid HAVING grouping(cid) = 0 AND count(*) > 1',
      one_set: 'SELECT cid, grouping(cid) AS g, count(*) AS n FROM o GROUP BY GROUPING SETS ((cid))',
      ordered_sets:
        'SELECT cid, grouping(cid) AS g, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS m FROM o GROUP BY cid',
      ordered_sets_in_sets:
        'SELECT cid, grouping(cid) AS g, mode() WITHIN GROUP (ORDER BY amount) AS m FROM o GROUP BY GROUPING SETS ((cid))',
      in_a_subquery: 'SELECT cid, sum(amount) AS s, (SELECT grouping(cid)) AS g FROM o GROUP BY cid',
      rolled_up_in_a_subquery:
        'SELECT cid, count(*) AS n, (SELECT grouping(cid) + 1) AS g FROM o GROUP BY ROLLUP (cid)',
      in_a_subquery_over_a_table:
        'SELECT cid, note, (SELECT max(c.id) FROM c WHERE c.id > grouping(o.cid, o.note)) AS g FROM o GROUP BY CUBE (cid, note)',
      rolled_up: "SELECT cid, grouping(cid) AS g, string_agg(note, ',' ORDER BY id) AS l FROM o GROUP BY ROLLUP (cid)",
    },
    steps: STEPS,
  },
  {
    name: 'by arrays, of which NULL and the empty one are two',
    setup: [
      'CREATE DOMAIN few AS int[] CHECK (cardinality(VALUE) < 3)',
      'CREATE TABLE x (id int PRIMARY KEY, a int[], v oidvector, f few, n int)',
      "INSERT INTO x VALUES (1, '{}', '', '{}', 1), (2, NULL, NULL, NULL, 2), (3, '{1,2}', '1 2', '{1,2}', 3)",
    ],
    way: 'incremental',
    views: {
      arrays: 'SELECT a, count(*) AS n, sum(n) AS s FROM x GROUP BY a',
      vectors: 'SELECT v, count(*) AS n, max(n) AS m FROM x GROUP BY v',
      domains: "SELECT f, n % 2 AS odd, string_agg(id::text, ',' ORDER BY id) AS l FROM x GROUP BY 1, 2",
      differing: 'SELECT DISTINCT a, v, f FROM x',
      united: 'SELECT a, v FROM x UNION SELECT f, v FROM x',
      joined: 'SELECT x.id, y.a, y.v, y.f FROM x LEFT JOIN x y ON y.id = x.n + 1',
      ranked: 'SELECT id, v, rank() OVER (PARTITION BY v, f ORDER BY n, id) AS r FROM x',
    },
    steps: [
      'UPDATE x SET a = NULL, v = NULL, f = NULL WHERE id = 1',
      "UPDATE x SET a = '{}', v = '', f = '{}' WHERE id = 2",
      "INSERT INTO x SELECT i, CASE i % 3 WHEN 0 THEN '{}'::int[] WHEN 1 THEN ARRAY[i % 5] END, CASE i % 3 WHEN 0 THEN ''::oidvector WHEN 1 THEN (i % 5)::text::oidvector END, CASE i % 3 WHEN 0 THEN '{}'::few WHEN 1 THEN ARRAY[i % 5]::few END, i % 7 FROM generate_series(10, 2000) i",
      "UPDATE x SET a = CASE WHEN a IS NULL THEN '{}'::int[] END, v = CASE WHEN v IS NULL THEN ''::oidvector END, f = CASE WHEN f IS NULL THEN '{}'::few END WHERE id % 2 = 0",
      'DELETE FROM x WHERE a IS NULL AND id % 3 = 0',
      "DELETE FROM x WHERE v = ''",
      'DELETE FROM x',
    ],
  },
  {
    name: 'by types that are hashed and not ordered',
    setup: [
      'CREATE TABLE x (id int PRIMARY KEY, v xid, k cid, n int)',
      "INSERT INTO x VALUES (1, '5', '1', 1), (2, '5', '2', 2), (3, NULL, '1', 3)",
      'CREATE TABLE y (v xid)',
      "INSERT INTO y VALUES ('5'), ('6')",
    ],
    way: 'incremental',
    views: {
      grouped: 'SELECT v, count(*) AS n, sum(n) AS s FROM x GROUP BY v',
      by_two: 'SELECT v, n % 2 AS odd, max(n) AS m FROM x GROUP BY 1, 2',
      differing: 'SELECT DISTINCT v FROM x',
      united: 'SELECT v FROM x UNION SELECT v FROM y',
      partitioned: 'SELECT id, count(*) OVER (PARTITION BY n % 2) AS c, v FROM x',
    },
    steps: [
      "INSERT INTO x VALUES (4, '6', '2', 4), (5, NULL, NULL, 5)",
      "UPDATE x SET v = '7' WHERE id = 1",
      "INSERT INTO y VALUES ('7'), (NULL)",
      'DELETE FROM x WHERE v IS NULL',
      "DELETE FROM y WHERE v = '6'",
      "INSERT INTO x SELECT i, (i % 4)::text::xid, '1', i FROM generate_series(10, 30) i",
      'DELETE FROM x',
    ],
  },
])
