import { runCases } from './support/cases.js'
import { CHANGES, TABLES } from './support/tables.js'

runCases('what is rebuilt', [
  {
    name: 'queries without tables, and samples',
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
  {
    name: 'what reads the clock or the session',
    setup: TABLES,
    views: {
      until_today: 'SELECT id, age(make_date(2000, 1, 1 + k)::timestamp) AS a FROM t',
      today: 'SELECT id FROM t WHERE make_date(2000, 1, 1 + k) < current_date',
      setting: `SELECT id, current_setting('TimeZone') AS zone FROM t`,
    },
    steps: CHANGES,
    way: 'rebuild',
  },
])
