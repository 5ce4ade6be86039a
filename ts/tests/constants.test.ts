/** Relations that read no table: series, VALUES, SELECT without FROM, alone and below everything else. */
import { expect, test } from 'vitest'
import { runCases } from './support/cases.js'
import { useLab } from './support/use-lab.js'

const SETUP = [
  'CREATE TABLE o (id int PRIMARY KEY, d int, n int)',
  'INSERT INTO o VALUES (1, 1, 5), (2, 1, 7), (3, 4, 1), (4, NULL, 2)',
  'CREATE TABLE u (k int)',
  'INSERT INTO u VALUES (1), (2)',
]

const STEPS = [
  'INSERT INTO o VALUES (5, 2, 3), (6, 9, 9)',
  'UPDATE o SET d = 3 WHERE id = 1',
  'INSERT INTO u VALUES (3), (NULL)',
  'DELETE FROM o WHERE d = 2',
  'UPDATE o SET n = n + 1',
  'DELETE FROM u WHERE k = 1',
  'INSERT INTO o SELECT i, i % 7, i FROM generate_series(10, 40) i',
  'TRUNCATE u',
  'DELETE FROM o WHERE d < 5',
  'DELETE FROM o',
]

runCases('constant relations', [
  {
    name: 'below joins and subqueries',
    setup: SETUP,
    way: 'incremental',
    views: {
      days: 'SELECT d, count(o.id) AS n, sum(o.n) AS s FROM generate_series(1, 5) d LEFT JOIN o USING (d) GROUP BY d',
      days_one_by_one: 'SELECT g.d, o.id FROM generate_series(1, 5) g(d) LEFT JOIN o ON o.d = g.d',
      values_list:
        "SELECT v.name, o.id FROM (VALUES (1, 'one'), (4, 'four'), (8, NULL)) v(d, name) LEFT JOIN o ON o.d = v.d",
      whole: 'SELECT v.k, o.id FROM (VALUES (1), (8)) v(k) FULL JOIN o ON o.d = v.k',
      gaps: 'SELECT g FROM generate_series(1, 9) g WHERE NOT EXISTS (SELECT FROM o WHERE o.d = g)',
      not_in: 'SELECT g FROM generate_series(1, 9) g WHERE g NOT IN (SELECT d FROM o WHERE d IS NOT NULL)',
      looked_up: 'SELECT g, (SELECT max(n) FROM o WHERE o.d = g) AS m FROM generate_series(1, 4) g',
      nearest:
        'SELECT g, x.id FROM generate_series(1, 4) g CROSS JOIN LATERAL (SELECT id FROM o WHERE o.d = g ORDER BY n DESC LIMIT 1) x',
      lateral_row:
        'SELECT o.id, l.m FROM o RIGHT JOIN (SELECT 4 AS x) c ON o.d = c.x, LATERAL (SELECT o.n + 1 AS m WHERE x > 3 LIMIT 1) l',
      lateral_rows:
        'SELECT g, l.m, o.id FROM generate_series(1, 3) g CROSS JOIN LATERAL (SELECT g + 1 AS m LIMIT 1) l LEFT JOIN o ON o.d = l.m',
      one_row: 'SELECT c.x, o.id FROM (SELECT 4 AS x) c LEFT JOIN o ON o.d = c.x',
      two: 'SELECT a, b, o.id FROM generate_series(1, 2) a CROSS JOIN (VALUES (1), (4)) v(b) LEFT JOIN o ON o.d = a + b',
      with_ordinality:
        "SELECT w.word, w.n, o.id FROM unnest(ARRAY['a', 'b']) WITH ORDINALITY w(word, n) LEFT JOIN o ON o.d = w.n",
      of_operators: 'SELECT c.x, o.id FROM (SELECT 1 AS x UNION SELECT 4 EXCEPT SELECT 2) c LEFT JOIN o ON o.d = c.x',
      recursive:
        'WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 4) SELECT x, o.id FROM r LEFT JOIN o ON o.d = x',
    },
    steps: STEPS,
  },
  {
    name: 'without FROM',
    setup: SETUP,
    way: 'incremental',
    views: {
      exists: 'SELECT EXISTS (SELECT FROM o WHERE n > 8) AS e, (SELECT count(*) FROM u) AS n',
      listed: 'SELECT ARRAY(SELECT id FROM o ORDER BY n, id) AS l',
      present: "SELECT 'yes' AS x WHERE EXISTS (SELECT FROM u)",
      one_of: 'SELECT 3 IN (SELECT k FROM u) AS b',
    },
    steps: STEPS,
  },
  {
    name: 'beside tables in set operations',
    setup: SETUP,
    way: 'incremental',
    views: {
      appended: 'SELECT id FROM o UNION ALL SELECT 0',
      first: 'SELECT 0 AS k UNION ALL SELECT k FROM u UNION ALL VALUES (7), (7)',
      united: 'SELECT d FROM o UNION SELECT generate_series(1, 3)',
      fewer: 'SELECT generate_series(1, 9) EXCEPT SELECT d FROM o',
      intersect_all: 'SELECT d FROM o INTERSECT ALL (VALUES (1), (1), (4))',
      summed: 'SELECT sum(k) AS s FROM (SELECT k FROM u UNION ALL SELECT 10) x',
    },
    steps: STEPS,
  },
  {
    name: 'alone',
    setup: SETUP,
    way: 'incremental',
    views: {
      number: 'SELECT 1 AS a, NULL::int AS nothing',
      filtered: 'SELECT 1 AS one WHERE false',
      values_list: "VALUES (1, 'a'), (2, NULL), (2, NULL)",
      rows_from: 'SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY[5, 6, 7])) r(a, b)',
      series: 'SELECT g, g % 2 AS odd FROM generate_series(1, 3) g',
      counted: 'SELECT count(*) AS n FROM (VALUES (1), (2)) v',
      recursive: 'WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 4) SELECT * FROM r',
      cut_off: 'WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT * FROM r LIMIT 3',
    },
    steps: STEPS,
  },
  {
    name: 'that have no columns',
    setup: ['CREATE TABLE a (x int)', 'CREATE TABLE b (x int)'],
    views: {
      joint: 'SELECT FROM a UNION SELECT FROM b',
      appended: 'SELECT FROM a UNION ALL SELECT FROM b',
      common: 'SELECT FROM a INTERSECT SELECT FROM b',
      common_all: 'SELECT FROM a INTERSECT ALL SELECT FROM b',
      fewer: 'SELECT FROM a EXCEPT SELECT FROM b',
      fewer_all: 'SELECT FROM a EXCEPT ALL SELECT FROM b',
      with_a_constant: 'SELECT FROM a UNION SELECT',
      limited: 'SELECT FROM (SELECT FROM a UNION SELECT FROM b) s LIMIT 1',
    },
    steps: [
      'INSERT INTO a VALUES (1)',
      'INSERT INTO b VALUES (1), (2)',
      'INSERT INTO a VALUES (2), (3)',
      'DELETE FROM b',
      'UPDATE a SET x = x + 1',
      'DELETE FROM a WHERE x > 2',
      'DELETE FROM a',
    ],
  },
  {
    name: 'that have no end',
    setup: ['CREATE TABLE s (x int)', 'INSERT INTO s VALUES (1)'],
    views: {
      cut_off: 'WITH RECURSIVE r(x) AS (SELECT x FROM s UNION ALL SELECT x + 1 FROM r) SELECT x FROM r LIMIT 5',
      below:
        'SELECT * FROM (WITH RECURSIVE r(x) AS (SELECT x FROM s UNION ALL SELECT x + 1 FROM r) SELECT x FROM r LIMIT 3) c JOIN s USING (x)',
    },
    steps: ['UPDATE s SET x = 2', 'DELETE FROM s', 'INSERT INTO s VALUES (7)'],
  },
])

const lab = useLab()

test('a part that reads the clock is computed again with every change of any table', async () => {
  await lab.exec('CREATE TABLE p (x int); CREATE TABLE q (y int)')
  await lab.pg.trickle.createStreamTable(
    'clocked',
    'SELECT q.y, c.t = transaction_timestamp() AS now FROM q, (SELECT DISTINCT transaction_timestamp() AS t) c',
  )
  await lab.pg.trickle.createStreamTable(
    'clocked_below',
    'SELECT q.y, c.t = transaction_timestamp() AS now FROM q, (SELECT max(x), transaction_timestamp() AS t FROM p) c',
  )
  for (const y of [1, 2]) {
    await lab.exec(`BEGIN; INSERT INTO q VALUES (${y})`)
    for (const name of ['clocked', 'clocked_below']) {
      expect((await lab.pg.query(`SELECT DISTINCT now FROM ${name}`)).rows).toEqual([{ now: true }])
    }
    await lab.exec('COMMIT')
  }
})

test('planning ends, whatever the query', async () => {
  await lab.exec('CREATE TABLE f (a int PRIMARY KEY)')
  await lab.pg.trickle.createStreamTable(
    'framed',
    'SELECT sum(a) OVER (ORDER BY a ROWS (SELECT 1) PRECEDING) AS s FROM f',
  )
  const { way, reason } = await lab.pg.trickle.explainStreamTable('framed')
  expect([way, reason]).toEqual(['rebuild', 'subquery in the frame of a window'])
  await lab.exec('INSERT INTO f SELECT generate_series(1, 4)')
  expect(
    (await lab.pg.query('SELECT s::int AS s FROM framed ORDER BY s')).rows.map((row) => (row as { s: number }).s),
  ).toEqual([1, 3, 5, 7])
})
