/** Functions that return rows, as what rows are grouped by. */
import { runCases } from './support/cases.js'

const SETUP = [
  'CREATE TABLE t (id int PRIMARY KEY, a int, m jsonb, l int[])',
  `INSERT INTO t VALUES (1, 1, '["x", 1]', '{1,2}'), (2, 1, '[1, "y"]', '{2}'), (3, 2, '[]', '{}'), (4, NULL, NULL, NULL)`,
]

const STEPS = [
  `INSERT INTO t VALUES (5, 3, '["x", "x"]', '{3,3,NULL}')`,
  `UPDATE t SET m = m || '["z"]', l = l || 7 WHERE a = 1`,
  'DELETE FROM t WHERE id = 2',
  'UPDATE t SET a = 9 WHERE id > 2',
  `INSERT INTO t SELECT i, i % 3, jsonb_build_array(i % 4), ARRAY[i % 2, 5] FROM generate_series(10, 40) i`,
  'DELETE FROM t WHERE a = 0',
  'TRUNCATE t',
]

runCases('functions that return rows as keys', [
  {
    name: 'of a plain grouping',
    setup: SETUP,
    way: 'incremental',
    views: {
      folded: 'SELECT unnest(l) AS e, count(*) AS n, sum(a) AS s FROM t GROUP BY 1',
      recomputed: 'SELECT jsonb_array_elements(m) AS e, count(*) AS n FROM t GROUP BY 1',
      listed: "SELECT unnest(l) AS e, string_agg(id::text, ',' ORDER BY id) AS i FROM t GROUP BY 1 HAVING count(*) > 1",
      two: 'SELECT unnest(l) AS e, generate_series(1, 2) AS g, count(*) AS n FROM t GROUP BY 1, 2',
      beside_a_column: 'SELECT a, unnest(l) AS e, min(id) AS i FROM t GROUP BY a, e',
      under_a_window:
        'SELECT e, n, rank() OVER (ORDER BY n) AS r FROM (SELECT unnest(l) AS e, count(*) AS n FROM t GROUP BY 1) s',
      not_shown: 'SELECT count(*) AS n FROM t GROUP BY unnest(l)',
      sorted: 'SELECT unnest(l) AS e, count(*) AS n FROM t GROUP BY 1 ORDER BY 1 DESC LIMIT 2',
    },
    steps: STEPS,
  },
  {
    name: 'of grouping sets',
    setup: SETUP,
    way: 'incremental',
    views: {
      rollup: 'SELECT generate_series(1, 2) AS g, count(*) AS n FROM t GROUP BY ROLLUP (g)',
      cube: 'SELECT unnest(l) AS e, a, count(*) AS n, sum(id) AS s FROM t GROUP BY CUBE (e, a)',
      sets: 'SELECT jsonb_array_elements_text(m) AS e, a, max(id) AS i FROM t GROUP BY GROUPING SETS ((e), (a), ())',
    },
    steps: STEPS,
  },
])
