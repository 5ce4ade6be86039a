import { runCases } from './support/cases.js'
import { CHANGES, TABLES } from './support/tables.js'

runCases('what is rebuilt', [
  {
    name: 'samples',
    setup: TABLES,
    views: {
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
      today: 'SELECT id FROM t WHERE make_date(2000, 1, 1 + k) - current_date < 0',
      setting: `SELECT id, current_setting('TimeZone') AS zone FROM t`,
    },
    steps: CHANGES,
    way: 'rebuild',
  },
])
