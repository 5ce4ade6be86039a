/** Subqueries in FROM and in expressions: their rows as values, their order, and the names of their columns. */
import { runCases } from './support/cases.js'

const SETUP = [
  'CREATE TABLE t (id int PRIMARY KEY, a int, s text)',
  'CREATE TABLE u (k int, w int)',
  "INSERT INTO t VALUES (1, 1, 'x'), (2, 1, 'y'), (3, NULL, 'z'), (4, 2, NULL), (5, 7, 'v')",
  'INSERT INTO u VALUES (1, 1), (2, 2), (2, 3)',
]

const STEPS = [
  "INSERT INTO t VALUES (6, 2, 'a'), (0, 1, 'b')",
  'UPDATE t SET a = 2 WHERE id = 1',
  'INSERT INTO u VALUES (2, 9), (7, 7), (NULL, 1)',
  'UPDATE t SET a = a + 1 WHERE id > 2',
  'DELETE FROM u WHERE w = 2',
  'UPDATE t SET s = upper(s), id = id + 10 WHERE id <> 5',
  'INSERT INTO u SELECT i % 9, i FROM generate_series(1, 30) i',
  "INSERT INTO t SELECT i, i % 6, 's' || i % 4 FROM generate_series(20, 60) i",
  'UPDATE u SET k = k + 1 WHERE w % 2 = 0',
  'DELETE FROM t WHERE id % 3 = 0',
  'DELETE FROM u WHERE k > 3',
  'DELETE FROM t',
]

const SETUP_OF_DIRECT_ARGUMENTS = [
  'CREATE TABLE m (k int, v int)',
  'INSERT INTO m SELECT i % 3, i FROM generate_series(1, 9) i',
  'CREATE TABLE n (f float8)',
  'INSERT INTO n VALUES (0.5)',
]

runCases('subqueries', [
  {
    name: 'a row of a subquery as a value',
    setup: SETUP,
    way: 'incremental',
    views: {
      aggregated: 'SELECT json_agg(q ORDER BY id) AS j FROM (SELECT a, id FROM t) q',
      of_groups: 'SELECT n, jsonb_agg(q ORDER BY a) AS j FROM (SELECT a, count(*) AS n FROM t GROUP BY a) q GROUP BY n',
      of_a_join:
        'SELECT a, json_agg(q ORDER BY w, id) AS j FROM (SELECT t.id, t.a, u.w FROM t JOIN u ON u.k = t.a) q GROUP BY a',
      renamed: 'SELECT to_json(q) AS j FROM (SELECT a, id FROM t) q(one, two)',
      beside_a_window: 'SELECT to_json(q) AS j, rank() OVER (PARTITION BY a ORDER BY id) FROM (SELECT a, id FROM t) q',
      in_the_select_list: 'SELECT (SELECT count(q) FROM (SELECT a FROM t) q) AS n, u.* FROM u',
      named_query:
        'WITH q AS (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT u.w, to_json(q) AS j FROM u JOIN q ON q.a = u.k',
      nothing: 'SELECT q IS NULL AS empty, q IS NOT NULL AS full FROM (SELECT a, s FROM t) q',
      compared: 'SELECT id FROM (SELECT id, a FROM t) q WHERE q = ROW(1, 1) OR q > ROW(4, 0)',
      field: 'SELECT (q).a AS a, (q).id AS id FROM (SELECT id, a FROM t) q',
      values_list: "SELECT json_agg(v ORDER BY id) AS j FROM (VALUES (1, 'one')) v(n, name), t",
    },
    steps: STEPS,
  },
  {
    name: 'the row of a view',
    setup: [
      ...SETUP,
      'CREATE VIEW v AS SELECT id, a, s FROM t WHERE a > 0',
      'CREATE VIEW g AS SELECT a, count(*) AS n FROM t GROUP BY a',
    ],
    views: {
      shown: 'SELECT v FROM v',
      of_groups: 'SELECT g, n FROM g',
      grouped: 'SELECT v.a, json_agg(v ORDER BY v.id) AS j FROM v GROUP BY v.a',
      joined: 'SELECT u.w, v FROM u JOIN v ON v.a = u.k',
      left_joined: 'SELECT u.w, v FROM u LEFT JOIN v ON v.a = u.k',
      field: 'SELECT (x).s AS s FROM (SELECT v AS x FROM v) y',
    },
    steps: STEPS,
  },
  {
    name: 'a row of a subquery that an outer join can make NULL',
    setup: SETUP,
    views: {
      shown: 'SELECT t.id, to_json(q) AS j FROM t LEFT JOIN (SELECT k, w FROM u) q ON q.k = t.a',
      grouped:
        'SELECT t.a, json_agg(q ORDER BY w) AS j FROM t LEFT JOIN (SELECT k, w + 1 AS w FROM u) q ON q.k = t.a GROUP BY t.a',
      of_a_table: 'SELECT t.a, json_agg(u ORDER BY w) AS j FROM t LEFT JOIN u ON u.k = t.a GROUP BY t.a',
    },
    steps: STEPS,
  },
  {
    name: 'the order of a subquery determines the order of an aggregate over it',
    setup: SETUP,
    way: 'incremental',
    views: {
      whole: 'SELECT json_agg(q) AS j FROM (SELECT id, a FROM t ORDER BY a DESC NULLS LAST, id) q',
      hidden: 'SELECT json_agg(q) AS j FROM (SELECT id FROM t ORDER BY s DESC, id DESC) q',
      correlated:
        'SELECT t.id, (SELECT json_agg(q) FROM (SELECT id, s FROM t o WHERE o.a = t.a ORDER BY o.id DESC) q) AS j FROM t',
      few: "SELECT k, (SELECT coalesce(json_agg(q), '[]') FROM (SELECT id FROM t WHERE a = k ORDER BY id DESC LIMIT 2) q) AS j FROM u",
      from_side:
        'SELECT k, l.j FROM u LEFT JOIN LATERAL (SELECT jsonb_agg(q) AS j FROM (SELECT id, s FROM t WHERE a = k ORDER BY s, id) q) l ON true',
      groups: "SELECT a, string_agg(s, ',') AS s FROM (SELECT * FROM t ORDER BY a, id DESC) q GROUP BY a",
      differing: 'SELECT array_agg(a) AS a FROM (SELECT DISTINCT a FROM t ORDER BY a DESC) q',
      top: 'SELECT array_agg(id) AS a, count(*) AS n FROM (SELECT id, a FROM t ORDER BY a, id DESC LIMIT 4) q',
      named_query:
        'WITH q AS (SELECT a, sum(id) AS n FROM t GROUP BY a ORDER BY n DESC, a) SELECT array_agg(a) AS a FROM q',
    },
    steps: STEPS,
  },
  {
    name: 'columns with the same name',
    setup: SETUP,
    way: 'incremental',
    views: {
      aggregates: 'WITH q(a, b) AS (SELECT count(a), count(id) FROM t) SELECT a, b FROM q',
      extremes: 'SELECT * FROM (SELECT max(id), max(a) FROM t) q(a, b)',
      differing: 'SELECT * FROM (SELECT DISTINCT a AS z, id % 2 AS z FROM t) q(a, b)',
      top: 'SELECT * FROM (SELECT id, a z, s z FROM t ORDER BY id LIMIT 3) q(a, b, c)',
      keys: 'SELECT * FROM (SELECT t.a, o.a, count(*) FROM t JOIN t o USING (id) GROUP BY t.a, o.a) q(a, b, c)',
      united: 'SELECT * FROM (SELECT a, a FROM t UNION SELECT k, w FROM u) q(a, b)',
      windows:
        'SELECT * FROM (SELECT rank() OVER (PARTITION BY a ORDER BY id), rank() OVER (PARTITION BY s ORDER BY id) FROM t) q(a, b)',
      system: 'SELECT id, a AS tableoid, s AS ctid FROM t',
      system_key: 'SELECT a AS xmin, count(*) AS cmax FROM t GROUP BY a',
    },
    steps: STEPS,
  },
  {
    name: 'rows are grouped by a subquery',
    setup: SETUP,
    way: 'incremental',
    views: {
      scalar: 'SELECT (SELECT max(w) FROM u WHERE k = a) AS m, count(*) FROM t GROUP BY 1',
      found: 'SELECT EXISTS (SELECT FROM u WHERE k = a) AS e, count(*) FROM t GROUP BY 1',
      in_a_list: 'SELECT a IN (SELECT k FROM u) AS e, sum(id) FROM t GROUP BY 1',
      uncorrelated: 'SELECT (SELECT max(w) FROM u) + a AS m, count(*) FROM t GROUP BY 1',
      constant: 'SELECT (SELECT max(w) FROM u) AS m, count(*) FROM t GROUP BY 1',
      not_shown: 'SELECT a, count(*) FROM t GROUP BY a, (SELECT max(w) FROM u WHERE k = a)',
      others_beside:
        'SELECT (SELECT max(w) FROM u WHERE k = a) AS m, a, (SELECT min(w) FROM u WHERE k = a) AS n, sum(id) FROM t GROUP BY 1, a',
      rows_above:
        'SELECT (SELECT max(w) FROM u WHERE k = a) AS m, generate_series(1, 2) AS n, count(*) FROM t GROUP BY 1',
      rollup: 'SELECT (SELECT max(w) FROM u WHERE k = a) AS m, count(*) FROM t GROUP BY ROLLUP (1)',
      all_above: `SELECT DISTINCT (SELECT max(w) FROM u WHERE k = a) AS m, count(*), rank() OVER (ORDER BY count(*))
        FROM t GROUP BY 1 HAVING count(*) > (SELECT min(w) - 1 FROM u)`,
    },
    steps: STEPS,
  },
  {
    name: 'a subquery beside an aggregate over no rows',
    setup: SETUP,
    way: 'incremental',
    views: {
      selected:
        'SELECT id, (SELECT coalesce(sum(w), (SELECT max(id) FROM t o WHERE o.a = t.a)) FROM u WHERE k = id) AS q FROM t',
      filtered:
        'SELECT id FROM t WHERE EXISTS (SELECT count(*) FROM u WHERE k = id HAVING count(*) >= (SELECT count(*) - 1 FROM t o WHERE o.a = t.a))',
      from_side:
        'SELECT id, l.* FROM t, LATERAL (SELECT sum(w) AS s, (SELECT max(id) FROM t o WHERE o.a = t.a) AS m FROM u WHERE k = id) l',
      outer_lateral:
        'SELECT id, l.* FROM t LEFT JOIN LATERAL (SELECT sum(w) AS s FROM u WHERE k = id HAVING count(*) < (SELECT count(*) FROM t o WHERE o.a = t.a)) l ON true',
      grouping_sets:
        'SELECT id, l.* FROM t, LATERAL (SELECT k, sum(w) AS s, (SELECT count(*) FROM t o WHERE o.a = t.a) AS m FROM u WHERE k = id GROUP BY ROLLUP (k)) l',
    },
    steps: STEPS,
  },
  {
    name: 'an aggregate of a column from outside, which belongs to the query that it stands in',
    setup: SETUP,
    way: 'incremental',
    views: {
      selected: 'SELECT id, (SELECT sum(q.x) FROM (SELECT t.a AS x FROM u WHERE k = t.a) q) AS s FROM t',
      beside_its_own: 'SELECT id, (SELECT sum(q.x + q.w) FROM (SELECT t.a AS x, w FROM u WHERE k = t.a) q) AS s FROM t',
      from_side:
        'SELECT id, l.m FROM t, LATERAL (SELECT max(q.x) AS m FROM (SELECT t.id AS x FROM u WHERE k = t.a) q) l',
    },
    steps: STEPS,
  },
  {
    name: 'rows are grouped by a row with a subquery',
    setup: SETUP,
    way: 'rebuild',
    views: { of_rows: 'SELECT count(*) FROM t GROUP BY ROW((SELECT max(w) FROM u WHERE k = a), a)' },
    steps: STEPS,
  },
  {
    name: 'rows are grouped by rows with a subquery',
    setup: SETUP,
    way: 'incremental',
    views: {
      several: 'SELECT generate_series(1, (SELECT count(*)::int FROM u WHERE k = a)) AS n, count(*) FROM t GROUP BY 1',
    },
    steps: STEPS,
  },
  {
    name: 'PARTITION BY a set-returning function',
    setup: SETUP,
    way: 'rebuild',
    views: { w: 'SELECT a, rank() OVER (PARTITION BY generate_series(1, a) ORDER BY id) AS place FROM t' },
    steps: STEPS,
  },
  {
    name: 'an aggregate of the query around it inside a subquery',
    setup: SETUP,
    way: 'incremental',
    views: {
      alone: 'SELECT a, (SELECT sum(t.id)) AS s FROM t GROUP BY a',
      beside_rows: 'SELECT a, (SELECT max(u.w) FROM u WHERE u.k < count(t.id)) AS m FROM t GROUP BY a',
      in_having: 'SELECT a FROM t GROUP BY a HAVING EXISTS (SELECT FROM u WHERE u.w = sum(t.id))',
      two_levels: 'SELECT a, (SELECT (SELECT max(t.id)) + min(u.w) FROM u WHERE u.k = a) AS m FROM t GROUP BY a',
      of_both: 'SELECT a, (SELECT sum(u.w) + sum(t.id + t.a) FROM u WHERE u.k = t.a) AS s FROM t GROUP BY a',
      filtered:
        "SELECT (SELECT count(*) FILTER (WHERE t.s <> 'x') + u.w FROM u ORDER BY w LIMIT 1) AS n, count(*) FROM t",
      once: 'SELECT DISTINCT (SELECT count(t.id)) AS n FROM t GROUP BY a',
      ranked: 'SELECT a, (SELECT count(t.id)) AS n, rank() OVER (ORDER BY count(*)) AS r FROM t GROUP BY a',
      in_from: 'SELECT a, (SELECT sum(q.w) FROM (SELECT u.w FROM u WHERE u.k < max(t.id)) AS q) AS s FROM t GROUP BY a',
    },
    steps: STEPS,
  },
  {
    name: 'an aggregate of a query in between',
    setup: SETUP,
    way: 'rebuild',
    views: { between: 'SELECT id, (SELECT (SELECT sum(u.w)) FROM u WHERE u.k = t.a) AS s FROM t' },
    steps: STEPS,
  },
  {
    name: 'correlated set operations',
    setup: [...SETUP, 'CREATE VIEW v AS SELECT k, w FROM u WHERE w > 1', 'CREATE TABLE x (k int PRIMARY KEY, y int)'],
    way: 'incremental',
    views: {
      columns_: 'SELECT t.id, x.v FROM t, LATERAL (SELECT t.a UNION ALL SELECT t.id) AS x(v)',
      joined: 'SELECT t.id, x.w FROM t, LATERAL (SELECT w FROM u WHERE u.k = t.a UNION SELECT t.a) AS x',
      minus:
        'SELECT t.id, x.w FROM t LEFT JOIN LATERAL (SELECT w FROM u WHERE k = t.a EXCEPT SELECT y FROM x WHERE x.k = t.id) AS x ON x.w > t.a',
      of_views:
        'SELECT t.id, x.w FROM t, LATERAL (SELECT w FROM v WHERE k = t.a INTERSECT ALL SELECT w FROM v WHERE w > t.id) AS x',
      around:
        'SELECT u.k, u.w, x.id FROM u LEFT JOIN LATERAL (SELECT id FROM t WHERE a = u.k UNION ALL SELECT y FROM x WHERE x.k = u.k) AS x ON true',
      outer_:
        'SELECT t.id, q.y FROM t, LATERAL (SELECT x.y FROM u LEFT JOIN x USING (k) WHERE u.k = t.a UNION ALL SELECT t.id) AS q',
      inside: 'SELECT id, (SELECT count(*) FROM (SELECT w FROM u WHERE u.k = t.a UNION SELECT t.id) AS q) AS n FROM t',
      exists_: 'SELECT id FROM t WHERE EXISTS (SELECT w FROM u WHERE u.k = t.a EXCEPT SELECT t.id)',
      in_: 'SELECT id FROM t WHERE id IN (SELECT w FROM u WHERE u.k = t.a UNION ALL SELECT 5)',
      not_in: 'SELECT id FROM t WHERE a NOT IN (SELECT w FROM u WHERE u.k = t.id UNION SELECT y FROM x)',
      first_:
        'SELECT t.id, q.w FROM t, LATERAL (SELECT w FROM u WHERE u.k = t.a UNION ALL SELECT t.id ORDER BY 1 LIMIT 1) AS q',
      of_limits:
        'SELECT t.id, q.w FROM t, LATERAL ((SELECT w FROM u WHERE u.k = t.a ORDER BY w LIMIT 1) UNION ALL (SELECT y FROM x ORDER BY y, k LIMIT 1)) AS q',
      of_groups:
        'SELECT t.id, q.n FROM t, LATERAL (SELECT count(*) AS n FROM u WHERE u.k = t.a UNION ALL SELECT max(y) FROM x) AS q',
      nested:
        'SELECT t.id, q.w FROM t, LATERAL (SELECT w FROM u WHERE k = t.a UNION (SELECT y FROM x WHERE x.k = t.id EXCEPT SELECT w FROM u)) AS q',
      listed:
        'SELECT id, ARRAY(SELECT w FROM u WHERE u.k = t.a UNION SELECT y FROM x WHERE y = t.a ORDER BY 1) AS l FROM t',
      deeper:
        'SELECT id, (SELECT max((SELECT count(*) FROM (SELECT y FROM x WHERE x.k = u.k UNION ALL SELECT t.a) AS q)) FROM u WHERE u.k = t.a) AS n FROM t',
    },
    steps: [
      'INSERT INTO x VALUES (1, 1), (2, 3), (10, NULL)',
      ...STEPS.slice(0, 4),
      'UPDATE x SET y = y + 1',
      'WITH d AS (DELETE FROM u WHERE w = 3) UPDATE t SET a = 2 WHERE id = 3',
      'INSERT INTO x SELECT i, i % 4 FROM generate_series(20, 40) i',
      ...STEPS.slice(4, 11),
      'UPDATE x SET k = k + 100 WHERE y = 1',
      'DELETE FROM x WHERE y IS NULL',
      'TRUNCATE u',
      'DELETE FROM t',
    ],
  },
  {
    name: 'a subquery in LIMIT of a correlated set operation',
    setup: SETUP,
    way: 'rebuild',
    views: {
      limited:
        'SELECT t.id, q.w FROM t, LATERAL (SELECT w FROM u WHERE k = t.a UNION SELECT t.id ORDER BY 1 LIMIT (SELECT count(*) FROM u)) AS q',
    },
    steps: STEPS,
  },
  {
    name: 'a subquery in a direct argument of an ordered-set aggregate',
    setup: SETUP_OF_DIRECT_ARGUMENTS,
    way: 'rebuild',
    views: {
      constant: 'SELECT percentile_disc((SELECT 0.5)) WITHIN GROUP (ORDER BY v) AS m FROM m',
      of_a_table: 'SELECT k, percentile_disc((SELECT max(f) FROM n)) WITHIN GROUP (ORDER BY v) AS m FROM m GROUP BY k',
    },
    steps: ['INSERT INTO m VALUES (1, 9), (3, 1)', 'UPDATE n SET f = 1', 'DELETE FROM m WHERE k = 1', 'DELETE FROM n'],
  },
  {
    name: 'arrays of types that are arrays themselves',
    setup: [
      'CREATE TABLE m (k int, v int2vector, w oidvector, l int[])',
      "INSERT INTO m VALUES (1, '1 2', '3', '{1}')",
    ],
    views: {
      of_vectors: 'SELECT ARRAY(SELECT v FROM m ORDER BY k) AS a, ARRAY(SELECT w FROM m ORDER BY k) AS b',
      of_arrays: 'SELECT ARRAY(SELECT l FROM m ORDER BY k) AS a',
    },
    steps: ["INSERT INTO m VALUES (2, '5', '6 7', '{2}')", 'UPDATE m SET k = 3 WHERE k = 1', 'DELETE FROM m'],
  },
  {
    name: 'the row of a view that has got more columns',
    setup: [
      'CREATE TABLE m (k int, v int)',
      'INSERT INTO m VALUES (1, 2), (2, NULL)',
      'CREATE VIEW below AS SELECT k FROM m',
      'CREATE VIEW whole AS SELECT b AS r, to_json(b) AS j FROM below b',
      'CREATE OR REPLACE VIEW below AS SELECT k, v, k + 1 AS n FROM m',
    ],
    views: {
      plain: 'SELECT * FROM whole',
      grouped: 'SELECT r, count(*) AS n FROM whole GROUP BY r',
      joined: 'SELECT w.r, w.j FROM m LEFT JOIN whole w ON (w.r).k = m.v',
    },
    steps: ['INSERT INTO m VALUES (3, 3), (3, 3)', 'UPDATE m SET v = 1 WHERE v IS NULL', 'DELETE FROM m WHERE k = 3'],
  },
  {
    name: 'keys whose parts have no order',
    setup: [
      'CREATE TYPE pair AS (x xid, y int)',
      'CREATE TABLE m (k int, v xid, p pair)',
      'INSERT INTO m SELECT i, (i % 3)::text::xid, ROW((i % 2)::text::xid, 1)::pair FROM generate_series(1, 7) i',
    ],
    views: {
      arrays: 'SELECT DISTINCT ARRAY[v] AS a FROM m',
      counted: 'SELECT ARRAY[v] AS a, count(*) AS n FROM m GROUP BY 1',
      rows: 'SELECT p, count(*) AS n FROM m GROUP BY p',
      united: 'SELECT ARRAY[v] AS a FROM m UNION SELECT ARRAY[(p).x] FROM m',
    },
    steps: [
      "INSERT INTO m VALUES (8, '7', ROW('7', NULL)), (9, NULL, NULL)",
      "UPDATE m SET v = '7' WHERE k < 3",
      "DELETE FROM m WHERE v = '7'",
    ],
  },
])
