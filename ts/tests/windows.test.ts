import { runCases } from './support/cases.js'
import { CHANGES, TABLES } from './support/tables.js'

runCases('window functions, and functions in FROM', [
  {
    name: 'windows that share a partition',
    setup: TABLES,
    views: {
      ranked:
        'SELECT id, rank() OVER (PARTITION BY k ORDER BY v) AS r, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM t',
      moving: `SELECT id, k, sum(v) OVER (PARTITION BY k ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s,
        lag(v) OVER (PARTITION BY k ORDER BY id) AS prev, count(*) OVER (PARTITION BY k) AS c FROM t`,
      two_keys: 'SELECT id, max(v) OVER (PARTITION BY k, s) AS m FROM t',
      computed: 'SELECT id, sum(v) OVER (PARTITION BY k % 2) AS s FROM t WHERE v IS NOT NULL',
      keyless: 'SELECT k, v, dense_rank() OVER (PARTITION BY k ORDER BY v) AS r FROM u',
      joined: 'SELECT t.id, u.v, rank() OVER (PARTITION BY t.k ORDER BY u.v, t.id) AS r FROM t JOIN u ON t.k = u.k',
      of_groups: 'SELECT k, s, count(*), rank() OVER (PARTITION BY k ORDER BY count(*)) AS r FROM t GROUP BY k, s',
      first_of:
        'SELECT * FROM (SELECT k, id, v, row_number() OVER (PARTITION BY k ORDER BY v DESC, id) AS n FROM t) x WHERE n = 1',
    },
    steps: CHANGES,
    way: 'incremental',
  },
  {
    name: 'windows without PARTITION BY',
    setup: TABLES,
    views: {
      ranked:
        'SELECT id, rank() OVER (ORDER BY v) AS r, dense_rank() OVER w AS d, percent_rank() OVER w AS p, cume_dist() OVER w AS c FROM t WINDOW w AS (ORDER BY v)',
      numbered:
        'SELECT id, row_number() OVER (ORDER BY id) AS n, lag(v) OVER (ORDER BY id) AS prev, lead(v, 2, -1) OVER (ORDER BY id) AS next FROM t',
      framed: `SELECT id, avg(v) OVER (ORDER BY v RANGE BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW) AS a,
        count(*) OVER (ORDER BY v GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS g FROM t`,
      grouped: 'SELECT k, sum(v) AS s, rank() OVER (ORDER BY sum(v) DESC) AS r FROM t GROUP BY k',
      edges:
        'SELECT id, first_value(id) OVER w AS f, last_value(id) OVER w AS l, ntile(2) OVER w AS n, nth_value(id, 2) OVER w AS nth FROM t WINDOW w AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)',
      filtered: 'SELECT id, count(*) FILTER (WHERE v > 4) OVER (ORDER BY id) AS n FROM t WHERE k = 1',
      shares: 'SELECT id, v::numeric / sum(v) OVER () AS share FROM t ORDER BY share DESC NULLS LAST, id',
      keyless: 'SELECT k, v, sum(v) OVER (ORDER BY k) AS s FROM u',
      joined: 'SELECT t.id, u.v, rank() OVER (ORDER BY u.v, t.id) AS r FROM t JOIN u ON t.k = u.k',
    },
    steps: CHANGES,
    way: 'rekey',
  },
  {
    name: 'windows with different partitions',
    setup: TABLES,
    views: {
      two: 'SELECT id, rank() OVER (PARTITION BY k ORDER BY v) AS r, sum(v) OVER (PARTITION BY s) AS s FROM t',
      with_none:
        'SELECT id, count(*) OVER () AS n, sum(v) OVER (PARTITION BY k) AS s, row_number() OVER (ORDER BY id) AS r FROM t',
      three:
        'SELECT id, max(v) OVER (PARTITION BY s, k) AS a, min(v) OVER (PARTITION BY k) AS b, count(*) OVER (PARTITION BY v % 2) AS c FROM t WHERE id < 115',
      in_one_expression:
        'SELECT id, sum(v) OVER (PARTITION BY k) - sum(v) OVER (PARTITION BY s) AS d, v - avg(v) OVER () AS off FROM t',
      named: `SELECT id, sum(v) OVER (w ORDER BY id ROWS 1 PRECEDING) AS s, lag(v) OVER x AS prev, count(*) OVER y AS n
        FROM t WINDOW w AS (PARTITION BY k), x AS (w ORDER BY id), y AS (PARTITION BY s), unused AS (PARTITION BY v)`,
      keyless: 'SELECT k, v, count(*) OVER (PARTITION BY k) AS a, sum(k) OVER (PARTITION BY v) AS b FROM u',
      joined:
        'SELECT t.id, u.v, rank() OVER (PARTITION BY t.k ORDER BY u.v) AS r, count(*) OVER (PARTITION BY u.v) AS n FROM t JOIN u ON t.k = u.k',
      of_groups:
        'SELECT k, s, count(*), sum(count(*)) OVER (PARTITION BY k) AS a, sum(count(*)) OVER (PARTITION BY s) AS b FROM t GROUP BY k, s',
      below_distinct: 'SELECT DISTINCT s, rank() OVER (PARTITION BY k ORDER BY v) AS r FROM t',
      below_distinct_on:
        'SELECT DISTINCT ON (s) s, id, count(*) OVER (PARTITION BY k) AS n, count(*) OVER (PARTITION BY v) AS m FROM t ORDER BY s, id',
      below_limit: 'SELECT id, rank() OVER (PARTITION BY k ORDER BY v) AS r FROM t ORDER BY id DESC LIMIT 3',
      sorted: 'SELECT id FROM t ORDER BY rank() OVER (PARTITION BY k ORDER BY v), count(*) OVER (PARTITION BY s), id',
      sets_of_rows:
        'SELECT id, generate_series(1, count(*) OVER (PARTITION BY k)) AS i, sum(v) OVER (PARTITION BY s) AS s FROM t',
      subquery:
        'SELECT id, (SELECT count(*) FROM u WHERE u.k = t.k) AS n, sum(v) OVER (PARTITION BY k) AS a, sum(v) OVER (PARTITION BY s) AS b FROM t',
    },
    steps: CHANGES,
    way: 'incremental',
  },
  {
    name: 'frames: ROWS, RANGE and GROUPS',
    setup: [
      ...TABLES,
      'ALTER TABLE t ADD COLUMN at date',
      "UPDATE t SET at = date '2024-01-01' + id * 3 WHERE id < 5",
      'CREATE AGGREGATE product(int) (sfunc = int4mul, stype = int, initcond = 1)',
    ],
    views: {
      frames: [
        'ROWS UNBOUNDED PRECEDING',
        'ROWS 2 PRECEDING EXCLUDE CURRENT ROW',
        'ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING',
        'ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING EXCLUDE NO OTHERS',
        'ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE GROUP',
        'RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE TIES',
        'RANGE BETWEEN 1 FOLLOWING AND 5 FOLLOWING',
        'RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
        'GROUPS 1 PRECEDING EXCLUDE GROUP',
        'GROUPS BETWEEN 1 PRECEDING AND 2 FOLLOWING EXCLUDE TIES',
        'GROUPS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW',
      ].reduce(
        (query, frame, n) =>
          query.replace(' FROM', `, sum(v) OVER (PARTITION BY k ORDER BY id ${frame}) AS s${n} FROM`),
        'SELECT id FROM t',
      ),
      peers: [
        'RANGE UNBOUNDED PRECEDING EXCLUDE GROUP',
        'RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP',
        'RANGE CURRENT ROW EXCLUDE CURRENT ROW',
        'GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP',
      ].reduce(
        (query, frame, n) =>
          query.replace(' FROM', `, count(*) OVER (PARTITION BY s ORDER BY v DESC ${frame}) AS n${n} FROM`),
        'SELECT id FROM t',
      ),
      by_time: `SELECT id, sum(v) OVER (ORDER BY at RANGE BETWEEN '7 days' PRECEDING AND CURRENT ROW) AS week,
        count(*) OVER (PARTITION BY k ORDER BY at NULLS FIRST RANGE '1 month' PRECEDING) AS month FROM t`,
      functions: `SELECT id, row_number() OVER w AS a, rank() OVER w AS b, dense_rank() OVER w AS c, percent_rank() OVER w AS d,
        cume_dist() OVER w AS e, ntile(3) OVER w AS f, lag(s, 1, 'none') OVER w AS g, lead(v) OVER w AS h,
        first_value(v) OVER w AS i, last_value(v) OVER w AS j, nth_value(v, 2) OVER w AS k
        FROM t WINDOW w AS (PARTITION BY k ORDER BY v, id)`,
      aggregates: `SELECT id, string_agg(s, ',') OVER w AS a, array_agg(v) OVER w AS b, product(k) OVER w AS c,
        stddev(v) OVER w AS d, bool_and(v > 3) FILTER (WHERE k = 1) OVER w AS e, json_agg(s) OVER (w ROWS 1 PRECEDING) AS f
        FROM t WINDOW w AS (PARTITION BY k % 2 ORDER BY id)`,
      computed: `SELECT id, lag(v + 1, k) OVER (PARTITION BY coalesce(s, '') ORDER BY id DESC) AS l,
        sum(sum(v)) OVER (ORDER BY id) AS t FROM t GROUP BY id`,
    },
    steps: CHANGES,
    way: 'incremental',
  },
  {
    name: 'functions, VALUES and JSON_TABLE beside tables, and set-returning functions in the select list',
    setup: TABLES,
    views: {
      values_joined: "SELECT t.id, x.label FROM t JOIN (VALUES (1, 'one'), (2, 'two')) x(k, label) USING (k)",
      series_of: 'SELECT t.id, i FROM t, generate_series(1, v) i',
      set_in_list: 'SELECT id, generate_series(1, k) AS i FROM t',
      ordinality: 'SELECT t.id, x.e, x.n FROM t, unnest(ARRAY[k, v]) WITH ORDINALITY x(e, n)',
      json_rows: `SELECT t.id, j.x FROM t, JSON_TABLE(jsonb_build_array(t.k, t.v), '$[*]' COLUMNS (x int PATH '$')) j`,
      no_columns: 'SELECT FROM t',
    },
    steps: CHANGES.filter((sql) => !sql.includes('s = s')),
    way: 'incremental',
  },
])
