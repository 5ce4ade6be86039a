import { runCases } from './support/cases.js'
import { CHANGES, TABLES } from './support/tables.js'

runCases('what is rebuilt', [
  {
    name: 'WITH RECURSIVE',
    setup: ['CREATE TABLE e (a int, b int)', 'INSERT INTO e VALUES (1, 2), (2, 3), (3, 1), (1, 4), (4, 5), (5, NULL)'],
    views: {
      reach: 'WITH RECURSIVE r (n) AS (SELECT 1 UNION SELECT e.b FROM r JOIN e ON e.a = r.n) SELECT n FROM r',
      paths:
        'WITH RECURSIVE r (n, depth) AS (SELECT 1, 0 UNION ALL SELECT e.b, depth + 1 FROM r JOIN e ON e.a = r.n WHERE depth < 4) SELECT n, depth FROM r',
      grouped:
        'WITH RECURSIVE r (n) AS (SELECT a FROM e WHERE a > 2 UNION SELECT e.b FROM r JOIN e ON e.a = r.n) SELECT count(*), sum(n) FROM r',
      searched:
        'WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT e.b FROM r JOIN e ON e.a = r.n) CYCLE n SET looped USING path SELECT n, looped FROM r',
    },
    steps: [
      'INSERT INTO e VALUES (5, 6), (6, 7)',
      'DELETE FROM e WHERE a = 2',
      'INSERT INTO e VALUES (2, 3)',
      'DELETE FROM e WHERE a = 1 AND b = 2',
      'UPDATE e SET a = 3 WHERE a = 4',
      'UPDATE e SET b = 1',
      'DELETE FROM e',
    ],
    way: 'rebuild',
  },
  {
    name: 'without tables, and samples',
    setup: TABLES,
    views: {
      beside: 'SELECT k FROM t UNION ALL SELECT 1',
      constant: 'SELECT 1 AS one, NULL::int AS nothing',
      filtered_constant: 'SELECT 1 AS one WHERE false',
      values_list: "VALUES (1, 'a'), (2, NULL), (2, NULL)",
      series: 'SELECT i FROM generate_series(1, 3) i',
      rows_from: 'SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY[5, 6, 7])) r(a, b)',
      sampled: 'SELECT id FROM t TABLESAMPLE BERNOULLI (50) REPEATABLE (7)',
    },
    steps: CHANGES.filter((sql) => !sql.includes('s = s')),
    way: 'rebuild',
  },
])
