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
    name: 'window functions',
    setup: TABLES,
    views: {
      ranked:
        'SELECT id, rank() OVER (PARTITION BY k ORDER BY v) AS r, dense_rank() OVER w AS d FROM t WINDOW w AS (ORDER BY v)',
      numbered:
        'SELECT id, row_number() OVER (ORDER BY id) AS n, lag(v) OVER (ORDER BY id) AS prev, lead(v, 2, -1) OVER (ORDER BY id) AS next FROM t',
      framed: `SELECT id, sum(v) OVER (PARTITION BY k ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s,
        avg(v) OVER (ORDER BY v RANGE BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW) AS a,
        count(*) OVER (ORDER BY v GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS g FROM t`,
      grouped: 'SELECT k, sum(v) AS s, rank() OVER (ORDER BY sum(v) DESC) AS r FROM t GROUP BY k',
      edges:
        'SELECT id, first_value(id) OVER w AS f, last_value(id) OVER w AS l, ntile(2) OVER w AS n, nth_value(id, 2) OVER w AS nth FROM t WINDOW w AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)',
    },
    steps: CHANGES,
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
