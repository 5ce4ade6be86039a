/** Aggregates with an order, to whose result new rows are appended where they come last. */
import { runCases } from './support/cases.js'

const QUERIES = {
  strings: `SELECT k, string_agg(s, ', ' ORDER BY id) AS list, count(*) AS n FROM t GROUP BY k`,
  downwards: `SELECT k, string_agg(s, '' ORDER BY id DESC) AS list FROM t GROUP BY k`,
  arrays:
    'SELECT array_agg(v ORDER BY day, id) AS list, k, array_agg(s ORDER BY day DESC, id) AS other FROM t GROUP BY k',
  documents: `SELECT k, jsonb_agg(jsonb_build_object('v', v, 's', s) ORDER BY day, id) AS list FROM t GROUP BY k`,
  texts: `SELECT k, json_agg(v ORDER BY id) AS list, json_agg(json_build_object('s', s) ORDER BY id) AS more FROM t GROUP BY k`,
  rows: 'SELECT k, json_agg(t ORDER BY id) AS list FROM t GROUP BY k',
  mixed: `SELECT k, count(v) AS a, sum(v) AS b, min(v) AS c, max(n) AS d, sum(n) AS e, string_agg(s, '-' ORDER BY id) AS list FROM t GROUP BY k`,
  filtered: `SELECT k, jsonb_agg(v ORDER BY id) FILTER (WHERE v > 3) AS list, count(*) FILTER (WHERE v > 3) AS n FROM t GROUP BY k`,
  hidden: `SELECT k, string_agg(s, ',' ORDER BY id) AS list FROM t GROUP BY k HAVING count(*) > 2`,
  computed: `SELECT k, upper(string_agg(s, ',' ORDER BY id)) AS list FROM t GROUP BY k`,
  joined: `SELECT name, string_agg(s, ',' ORDER BY t.id) AS list FROM t JOIN u ON u.id = t.k GROUP BY name`,
  nullable: `SELECT v, string_agg(s, ',' ORDER BY id) AS list FROM t GROUP BY v`,
  nullable_order: 'SELECT k, array_agg(id ORDER BY v, id) AS list FROM t GROUP BY k',
  expression: 'SELECT k, array_agg(v ORDER BY -id) AS list FROM t GROUP BY k',
  distinct_values: 'SELECT k, array_agg(DISTINCT v ORDER BY v) AS list FROM t GROUP BY k',
  distinct_texts: `SELECT string_agg(DISTINCT left(s, 2), ', ') || '.' AS list, k FROM t GROUP BY k HAVING k < 5 ORDER BY k`,
  distinct_downwards:
    'SELECT v, jsonb_agg(DISTINCT day ORDER BY day DESC NULLS LAST) AS list FROM t WHERE id > 2 GROUP BY v',
  distinct_twice: `SELECT k, day, array_agg(DISTINCT v) AS a, array_agg(DISTINCT v ORDER BY v DESC) AS b FROM t GROUP BY k, day`,
  distinct_pairs: `SELECT k, string_agg(DISTINCT s, s ORDER BY s) AS list FROM t GROUP BY k`,
  distinct_of_fewer: `SELECT k, string_agg(DISTINCT s, left(s, 1)) AS a, string_agg(DISTINCT left(s, 2), left(s, 1)) AS b FROM t GROUP BY k`,
  distinct_and_key:
    'SELECT k FROM t GROUP BY k HAVING cardinality(array_agg(DISTINCT v)) + cardinality(array_agg(DISTINCT k)) > 3',
  distinct_keys: 'SELECT k, array_agg(DISTINCT k) AS a, array_agg(DISTINCT v) AS b FROM t GROUP BY k',
  distinct_mixed:
    'SELECT k, array_agg(DISTINCT v) AS a, array_agg(DISTINCT day) AS b, count(DISTINCT v) AS n FROM t GROUP BY k',
  distinct_filtered: 'SELECT k, array_agg(DISTINCT v) FILTER (WHERE v > 3) AS a FROM t GROUP BY k',
  distinct_numbers: 'SELECT k, array_agg(DISTINCT n::numeric(8, 1)) AS a FROM t GROUP BY k',
  distinct_joined: `SELECT name, array_agg(DISTINCT v) AS list FROM u LEFT JOIN t ON u.id = t.k GROUP BY name`,
  distinct_below: `SELECT cardinality(list) AS c, count(*) AS n FROM (SELECT k, array_agg(DISTINCT v) AS list FROM t GROUP BY k) q GROUP BY 1`,
}

runCases('growing lists', [
  {
    name: 'rows at the end and elsewhere',
    setup: [
      'CREATE TABLE u (id int PRIMARY KEY, name text NOT NULL)',
      `CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL, day date NOT NULL, v int, n numeric, s text)`,
      `INSERT INTO u SELECT i, 'u' || i % 3 FROM generate_series(0, 6) AS i`,
      `INSERT INTO t SELECT i, i % 4, DATE '2024-01-01' + i / 3, i % 7, i / 4.0, 's' || i FROM generate_series(10, 40) AS i`,
      'CREATE INDEX ON t (k, id); CREATE INDEX ON t (v); CREATE INDEX ON u (name)',
    ],
    views: QUERIES,
    steps: [
      "INSERT INTO t VALUES (100, 1, '2025-01-01', 5, 1.50, 'last')",
      "INSERT INTO t VALUES (101, 1, '2025-01-01', NULL, NULL, NULL)",
      "INSERT INTO t VALUES (102, 2, '2025-01-02', 1, 2.5, 'a'), (103, 3, '2025-01-03', 2, 'NaN', 'b'), (104, 2, '2025-01-04', 9, 1, 'c')",
      "INSERT INTO t VALUES (1, 1, '2020-01-01', 5, 1, 'first')",
      "INSERT INTO t VALUES (2, 2, '2025-02-01', 5, 1, 'first'), (105, 1, '2025-02-01', 4, 0.125, 'x'), (106, 6, '2025-01-01', 4, 1, 'new')",
      "INSERT INTO t VALUES (3, 1, '2026-01-01', 4, 1, 'y'), (107, 1, '2026-01-01', 4, 1, 'z')",
      "INSERT INTO t VALUES (108, 5, '2026-01-01', NULL, NULL, NULL)",
      "INSERT INTO t VALUES (109, 5, '2026-01-02', 8, 8, 'eight')",
      "UPDATE t SET s = s || '!' WHERE id = 109",
      'UPDATE t SET id = id + 1000 WHERE id = 100',
      "INSERT INTO t VALUES (500, 1, '2026-01-01', 4, 1, 'y')",
      "INSERT INTO t VALUES (2000, 1, '2026-01-01', 4, 1, 'y')",
      'DELETE FROM t WHERE id = 2000',
      "INSERT INTO t VALUES (2001, 1, '2026-01-05', 4, 1, 'again')",
      'DELETE FROM t WHERE k = 5',
      "INSERT INTO t VALUES (2002, 5, '2026-01-06', 4, 1, 'anew')",
      'WITH gone AS (DELETE FROM t WHERE id = 2001 RETURNING *) INSERT INTO t SELECT id + 1, k, day + 9, v, n, s FROM gone WHERE false',
      "INSERT INTO u VALUES (7, 'u1')",
      "INSERT INTO t VALUES (2003, 7, '2026-01-07', 4, 1, 'joined')",
      "WITH more AS (INSERT INTO u VALUES (8, 'u2')) INSERT INTO t VALUES (2004, 8, '2026-01-07', 4, 1, 'both')",
      "INSERT INTO t SELECT i, i % 5, DATE '2027-01-01' + i, i % 7, i / 4.0, 's' || i FROM generate_series(3000, 3400) AS i",
      'DELETE FROM t WHERE id % 2 = 0',
      'TRUNCATE t',
      "INSERT INTO t VALUES (1, 1, '2025-01-01', 5, 1.50, 'last')",
      "INSERT INTO t VALUES (2, 1, '2025-01-01', 5, 1.50, 'next')",
    ],
    way: 'incremental',
  },
])

runCases('DISTINCT over windows', [
  {
    name: 'is GROUP BY where partitions are whole',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, w int NOT NULL, v int, n numeric)',
      'INSERT INTO t SELECT i, i % 4, i % 2, i % 7, i % 5 / 4.0 FROM generate_series(10, 60) AS i',
    ],
    views: {
      one: 'SELECT DISTINCT k, max(v) OVER (PARTITION BY k) AS m FROM t',
      two_keys:
        'SELECT DISTINCT w, k + 1 AS g, sum(n) OVER p AS s, count(*) OVER p - w AS c FROM t WINDOW p AS (PARTITION BY w, k + 1)',
      hidden: 'SELECT DISTINCT count(v) OVER (PARTITION BY k, w) AS c FROM t',
      filtered: 'SELECT DISTINCT k, avg(v) FILTER (WHERE w = 1) OVER (PARTITION BY k) AS a FROM t WHERE id > 12',
      more: 'SELECT DISTINCT k, w, max(v) OVER (PARTITION BY k) AS m FROM t',
      running: 'SELECT DISTINCT k, max(v) OVER (PARTITION BY k ORDER BY w) AS m FROM t',
      all_rows: 'SELECT DISTINCT max(v) OVER () AS m FROM t',
      numbered: 'SELECT DISTINCT k, rank() OVER (PARTITION BY k) AS r FROM t',
      framed: 'SELECT DISTINCT k, count(*) OVER (PARTITION BY k ROWS CURRENT ROW) AS c FROM t',
    },
    steps: [
      'INSERT INTO t VALUES (100, 1, 1, 30, 1), (101, NULL, 1, 3, 1), (102, NULL, 0, NULL, NULL)',
      'UPDATE t SET v = v + 1 WHERE k = 2',
      'UPDATE t SET k = 3 WHERE id % 5 = 0',
      'DELETE FROM t WHERE v > 5',
      'DELETE FROM t WHERE k = 1',
      'DELETE FROM t WHERE k IS NULL',
      'TRUNCATE t',
      'INSERT INTO t VALUES (1, 1, 1, 1, 1)',
    ],
    way: 'incremental',
  },
])
