/** The order of a subquery, CTE or view in FROM, where what reads it depends on order and brings none of its own. */
import { runCases } from './support/cases.js'

const SETUP = [
  'CREATE TABLE t (id int PRIMARY KEY, a int, b int)',
  'INSERT INTO t VALUES (1, 1, 50), (2, 1, 20), (3, 2, 40), (4, 2, 10), (5, 3, 30)',
  'CREATE TABLE u (k int, w int)',
  'INSERT INTO u VALUES (1, 3), (2, 1), (2, 2)',
  'CREATE VIEW vo AS SELECT id, a, b FROM t ORDER BY b',
  'CREATE VIEW vd AS SELECT a, b FROM t ORDER BY a DESC, b DESC',
  'CREATE VIEW above AS SELECT a, b + 1 AS c FROM vo WHERE a > 0',
  'CREATE VIEW first_two AS SELECT a, b FROM vd LIMIT 2',
]

const STEPS = [
  'INSERT INTO t VALUES (6, 4, 5), (7, 1, 60)',
  'UPDATE t SET b = 1 WHERE id = 1',
  'DELETE FROM t WHERE id = 6',
  'UPDATE t SET a = a + 1 WHERE b % 20 = 0',
  'INSERT INTO u VALUES (3, 9), (1, 1)',
  'INSERT INTO t SELECT i, i % 5, 1000 - i FROM generate_series(20, 60) i',
  'UPDATE t SET b = b + 2000 WHERE id % 7 = 0',
  'DELETE FROM t WHERE b < 970',
  'DELETE FROM t',
]

runCases('the order of a subquery', [
  {
    name: 'is that of LIMIT',
    setup: SETUP,
    way: 'incremental',
    views: {
      of_a_view: 'SELECT * FROM vo LIMIT 1',
      offset_too: 'SELECT a, b FROM vo OFFSET 1 LIMIT 2',
      fetched: 'SELECT b FROM vd FETCH FIRST 3 ROWS ONLY',
      of_a_subquery: 'SELECT a FROM (SELECT a, b FROM t ORDER BY b DESC) s LIMIT 2',
      of_a_cte: 'WITH s AS (SELECT a, b FROM t ORDER BY b DESC) SELECT b FROM s LIMIT 2',
      through_levels: 'SELECT c FROM (SELECT c FROM above WHERE c > 2) s LIMIT 2',
      of_groups: 'SELECT * FROM (SELECT a, sum(b) AS n FROM t GROUP BY a ORDER BY n DESC, a) s LIMIT 2',
      hidden: 'SELECT id FROM (SELECT id FROM t ORDER BY b DESC) s LIMIT 2',
      continued: 'SELECT a, b FROM vd ORDER BY a DESC LIMIT 2',
      limited_twice: 'SELECT b FROM first_two LIMIT 1',
      differing: 'SELECT DISTINCT a FROM (SELECT a FROM t ORDER BY a DESC) s LIMIT 2',
    },
    steps: STEPS,
  },
  {
    name: 'is that of DISTINCT ON',
    setup: SETUP,
    way: 'incremental',
    views: {
      whole: 'SELECT DISTINCT ON (a) a, b FROM (SELECT a, b FROM t ORDER BY a, b DESC) s',
      above_a_filter:
        'SELECT DISTINCT ON (a) a, b FROM (SELECT a, b FROM (SELECT a, b FROM t ORDER BY a, b DESC) s WHERE b > 5) r',
      named: 'SELECT DISTINCT ON (a) a, b FROM vd ORDER BY a DESC',
    },
    steps: STEPS,
  },
  {
    name: 'is that of windows without one',
    setup: SETUP,
    way: 'incremental',
    views: {
      numbered: 'SELECT id, row_number() OVER () AS n FROM vo',
      first: 'SELECT id, first_value(id) OVER () AS f, last_value(id) OVER () AS l FROM vo',
      listed: 'SELECT id, array_agg(b) OVER () AS l FROM vo',
      running: 'SELECT id, sum(b) OVER (ROWS UNBOUNDED PRECEDING) AS s FROM vo',
      peers: 'SELECT id, rank() OVER w AS r, row_number() OVER w AS n FROM vo WINDOW w AS ()',
      by_partition:
        'SELECT a, b, row_number() OVER (PARTITION BY a) AS n FROM (SELECT a, b FROM t ORDER BY a, b DESC) s',
      neighbours_of_a_view: 'SELECT id, lag(id) OVER () AS p, lead(b, 2) OVER () AS n FROM vo',
      without_the_row:
        'SELECT id, array_agg(id) OVER (RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) AS l FROM vo',
      above_a_limit: 'SELECT b, row_number() OVER () AS n FROM (SELECT b FROM t ORDER BY b DESC LIMIT 3) s',
    },
    steps: STEPS,
  },
  {
    name: 'decides among rows that tie in the order that is given',
    setup: SETUP,
    way: 'incremental',
    views: {
      numbered: 'SELECT id, row_number() OVER (ORDER BY a) AS n FROM (SELECT * FROM t ORDER BY a, b DESC, id) s',
      of_the_partition:
        'SELECT id, lag(id) OVER (PARTITION BY a ORDER BY a) AS n FROM (SELECT * FROM t ORDER BY a, b, id) s',
      running:
        'SELECT id, sum(id) OVER (ORDER BY a ROWS UNBOUNDED PRECEDING) AS s, rank() OVER (ORDER BY a) AS r FROM (SELECT * FROM t ORDER BY a, b, id) s',
      collected: "SELECT string_agg(id::text, ',' ORDER BY a) AS l FROM (SELECT * FROM t ORDER BY a, b, id) s",
      collected_by_group:
        'SELECT a, json_agg(id ORDER BY a) AS l FROM (SELECT * FROM t ORDER BY a, b, id) s GROUP BY a',
      as_object: 'SELECT json_objectagg(id : b) AS o FROM (SELECT * FROM t ORDER BY b, id) s',
      as_text:
        'SELECT a, json_objectagg(id : b ABSENT ON NULL WITH UNIQUE KEYS RETURNING text) AS o FROM (SELECT * FROM t ORDER BY b, id) s GROUP BY a',
    },
    steps: STEPS,
  },
  {
    name: 'decides which of few rows DISTINCT ON takes, even if it does not begin with the key',
    setup: SETUP,
    way: 'incremental',
    views: {
      of_a_view: 'SELECT DISTINCT ON (a) a, b, id FROM vo',
      of_a_subquery: 'SELECT DISTINCT ON (a) * FROM (SELECT a, b, id FROM t ORDER BY b DESC, id) s',
      of_two: 'SELECT DISTINCT ON (a, id % 2) a, b FROM (SELECT * FROM t ORDER BY b DESC, id) s ORDER BY a, id % 2',
    },
    steps: [
      'INSERT INTO t VALUES (6, 1, 70)',
      'UPDATE t SET b = 100 - b',
      'DELETE FROM t WHERE id = 6',
      'UPDATE t SET a = 2',
      'DELETE FROM t WHERE b < 50',
      'DELETE FROM t',
    ],
  },
  {
    name: 'is that of ARRAY and of aggregates',
    setup: SETUP,
    way: 'incremental',
    views: {
      array_for_a_row:
        'SELECT k, w, ARRAY(SELECT s.b FROM (SELECT a, b FROM t ORDER BY b) s WHERE s.a = k) AS l FROM u',
      aggregate_of_levels: "SELECT string_agg(c::text, ',') AS l FROM above",
      aggregate_of_a_view: 'SELECT a, array_agg(id) AS l FROM vo GROUP BY a',
      of_a_lateral:
        'SELECT t.id, array_agg(x.w) AS l FROM t CROSS JOIN LATERAL (SELECT w FROM u WHERE u.k = t.a ORDER BY w DESC) x GROUP BY t.id',
      one_for_a_row:
        'SELECT k, w, x.b FROM u LEFT JOIN LATERAL (SELECT b FROM (SELECT a, b FROM t ORDER BY b) s WHERE s.a = k LIMIT 1) x ON true',
    },
    steps: STEPS,
  },
  {
    name: 'that no expression gives is left to the query',
    setup: SETUP,
    views: {
      as_array: 'SELECT ARRAY(SELECT id FROM vo) AS l',
      array_of_levels: 'SELECT ARRAY(SELECT c FROM above) AS l',
      appended: '(SELECT b FROM t ORDER BY b DESC LIMIT 3) UNION ALL (SELECT w FROM u ORDER BY w LIMIT 3) LIMIT 2',
    },
    steps: STEPS,
  },
])
