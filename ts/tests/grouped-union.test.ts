/** GROUP BY over a UNION ALL, whose rows are not stored. */
import { expect, test } from 'vitest'
import { runCases } from './support/cases.js'
import { followRandomChanges } from './support/random-changes.js'
import { Lab } from './support/lab.js'

const TABLES = [
  'CREATE TABLE a (id int PRIMARY KEY, k int NOT NULL, x int, n numeric)',
  'CREATE TABLE b (k int, y int, n numeric(8, 2), s text)',
  'CREATE TABLE c (id int PRIMARY KEY, name text, low int)',
  'CREATE INDEX ON b (k)',
  'INSERT INTO a SELECT i, i % 4, i % 7, i / 4.0 FROM generate_series(1, 40) i',
  "INSERT INTO b SELECT nullif(i % 6, 5), i % 5, i / 2.0, 's' || i % 3 FROM generate_series(1, 30) i",
  "INSERT INTO c SELECT i, 'c' || i % 3, i FROM generate_series(0, 6) i",
  'CREATE VIEW both_of AS SELECT k, x FROM a UNION ALL SELECT k, y FROM b',
]

const UNION = 'SELECT k, x AS v FROM a UNION ALL SELECT k, y FROM b'

const FOLDED = {
  counts: `SELECT k, count(*) AS n, sum(v) AS s, avg(v) AS m FROM (${UNION}) q GROUP BY k`,
  all_rows: `SELECT count(*) AS n, sum(v) AS s FROM (${UNION}) q`,
  nothing: `SELECT count(*) AS n FROM (SELECT FROM a UNION ALL SELECT FROM b) q`,
  keys: `SELECT k % 2 AS p, k + v AS t, count(v) AS n FROM (${UNION}) q WHERE v > 1 GROUP BY 1, 2`,
  with_having: `SELECT k, stddev(v) AS d FROM (${UNION}) q GROUP BY k HAVING count(*) > 8 ORDER BY k DESC`,
  with_filter: `SELECT k, count(*) FILTER (WHERE v > 3) AS n, bool_or(v = 2) AS e FROM (${UNION}) q GROUP BY k`,
  numbers:
    'SELECT k, sum(n) AS s, count(DISTINCT 1) IS NULL AS e FROM (SELECT k, n FROM a UNION ALL SELECT k, n FROM a WHERE x > 2) q GROUP BY k',
  same_table:
    'SELECT w, sum(v) AS s FROM (SELECT 1 AS w, x AS v FROM a UNION ALL SELECT 2, -x FROM a WHERE k = 1 UNION ALL SELECT 1, 5 FROM b) q GROUP BY w',
  of_view: 'SELECT k, sum(x) AS s FROM both_of GROUP BY k',
  joined: `SELECT name, count(*) AS n, sum(v * low) AS s FROM (${UNION}) q JOIN c ON c.id = q.k GROUP BY name`,
  outer_joined: `SELECT name, count(*) AS n, count(c.id) AS m, sum(v) AS s FROM (${UNION}) q LEFT JOIN c ON c.id = q.k AND low > v GROUP BY name`,
  branches: `SELECT k, count(*) AS n, count(v) AS m FROM (SELECT a.k, b.y AS v FROM a LEFT JOIN b ON b.k = a.k UNION ALL SELECT c.id, NULL FROM c
    WHERE EXISTS (SELECT FROM a WHERE a.k = c.id)) q GROUP BY k`,
  grouped_branch: `SELECT k, sum(n) AS n FROM (SELECT k, count(*) AS n FROM a GROUP BY k UNION ALL SELECT k, count(y) FROM b GROUP BY k) q GROUP BY k`,
  nested: `SELECT k, sum(v) AS s FROM ((SELECT k, x AS v FROM a UNION ALL SELECT k, y FROM b) UNION ALL SELECT id, low FROM c) q GROUP BY k`,
  above: `SELECT s, count(*) AS n FROM (SELECT k, sum(v) AS s FROM (${UNION}) q GROUP BY k) q GROUP BY s`,
  literal: `SELECT t, count(*) AS n FROM (SELECT 'a1.c1' AS t FROM a UNION ALL SELECT s FROM b) q GROUP BY t`,
}

const OTHERWISE = {
  extremes: `SELECT k, min(v) AS a, max(v) AS b FROM (${UNION}) q GROUP BY k`,
  distinct_values: `SELECT k, count(DISTINCT v) AS n FROM (${UNION}) q GROUP BY k`,
  lists: `SELECT k, array_agg(v ORDER BY v) AS l FROM (${UNION}) q GROUP BY k`,
  medians: `SELECT k, percentile_disc(0.5) WITHIN GROUP (ORDER BY v) AS m FROM (${UNION}) q GROUP BY k`,
  as_union: 'SELECT k, count(*) AS n FROM (SELECT k FROM a UNION SELECT k FROM b) q GROUP BY k',
  as_except: 'SELECT k, count(*) AS n FROM (SELECT k FROM a EXCEPT ALL SELECT k FROM b) q GROUP BY k',
  constant: 'SELECT k, count(*) AS n FROM (SELECT k FROM a UNION ALL SELECT 3) q GROUP BY k',
  of_values: 'SELECT k, count(*) AS n FROM (SELECT k FROM a UNION ALL VALUES (1), (9)) q GROUP BY k',
  converted: 'SELECT k, sum(v) AS s FROM (SELECT k, x AS v FROM a UNION ALL SELECT k, n FROM a) q GROUP BY k',
  preserved: `SELECT c.id, count(q.v) AS n FROM c LEFT JOIN (${UNION}) q ON q.k = c.id GROUP BY c.id`,
  twice: `SELECT q.k, count(*) AS n FROM (${UNION}) q JOIN (SELECT id FROM c UNION ALL SELECT id FROM a) r ON r.id = q.k GROUP BY q.k`,
  sublink: `SELECT k, count(*) AS n FROM (${UNION}) q WHERE EXISTS (SELECT FROM c WHERE c.id = q.k) GROUP BY k`,
  limited: `SELECT k, count(*) AS n FROM (${UNION} ORDER BY 1, 2 LIMIT 20) q GROUP BY k`,
  of_sets: `SELECT k, v, count(*) AS n FROM (${UNION}) q GROUP BY ROLLUP (k, v)`,
  of_rows: `SELECT DISTINCT k, v FROM (${UNION}) q`,
  dependent: `SELECT c.id, c.name, sum(v) AS s FROM c JOIN (${UNION}) q ON q.k = c.id GROUP BY c.id`,
}

const STEPS = [
  'INSERT INTO a VALUES (100, 1, 3, 2), (101, 9, NULL, NULL)',
  "INSERT INTO b VALUES (1, 3, 2, 'x'), (NULL, NULL, NULL, NULL), (9, 3, 1, 'a1.c1')",
  'DELETE FROM a WHERE id IN (100, 3, 4)',
  'UPDATE a SET x = x + 1 WHERE id % 3 = 0',
  'UPDATE b SET k = k + 1, y = nullif(y, 2)',
  "UPDATE c SET name = 'c9', low = low - 2 WHERE id < 3",
  'WITH u AS (UPDATE a SET k = 2 WHERE k = 1 RETURNING 1), d AS (DELETE FROM b WHERE y = 1) UPDATE c SET id = id + 1 WHERE id = 6',
  'DELETE FROM c WHERE id = 2',
  'DELETE FROM b',
  "INSERT INTO b SELECT i % 3, i % 5, i, 's' FROM generate_series(1, 20) i",
  'DELETE FROM a',
  'TRUNCATE b',
  'INSERT INTO a SELECT i, i % 4, i % 7, i / 4.0 FROM generate_series(1, 40) i',
]

runCases('GROUP BY over UNION ALL', [
  { name: 'by its branches', setup: TABLES, views: FOLDED, way: 'fold', steps: STEPS },
  { name: 'over its rows', setup: TABLES, views: OTHERWISE, steps: STEPS },
])

test('the rows are not stored', async () => {
  const lab = new Lab()
  await lab.open()
  for (const sql of TABLES) await lab.exec(sql)
  await lab.pg.trickle.createStreamTable('st', FOLDED.joined)
  const { stages } = await lab.pg.trickle.explainStreamTable('st')
  expect(stages.map((stage) => stage.way)).toEqual(['fold'])
  await lab.close()
})

test('random changes of all tables', () =>
  followRandomChanges(TABLES, FOLDED, 80, (rng) => {
    const value = () => (rng.int(0, 5) === 0 ? 'NULL' : `${rng.int(0, 9)}`)
    let next = 1001
    return [
      () => `INSERT INTO a VALUES (${next++}, ${rng.int(0, 6)}, ${value()}, ${value()})`,
      () => `INSERT INTO b SELECT i % 5, i % 3, i, 's' FROM generate_series(1, ${rng.int(1, 19)}) i`,
      () => `DELETE FROM a WHERE id % ${rng.int(3, 9)} = 0`,
      () => `DELETE FROM b WHERE y = ${value()}`,
      () => `UPDATE a SET k = ${rng.int(0, 6)}, x = ${value()} WHERE id % ${rng.int(2, 9)} = 1`,
      () => `UPDATE b SET k = ${value()}, n = n + 0.5 WHERE y % ${rng.int(1, 3)} = 0`,
      () =>
        `INSERT INTO c VALUES (${rng.int(0, 9)}, 'c1', ${value()}) ON CONFLICT (id) DO UPDATE SET low = EXCLUDED.low, name = 'c4'`,
      () => `DELETE FROM c WHERE id = ${rng.int(0, 9)}`,
      () => `WITH x AS (DELETE FROM b WHERE k = ${value()} RETURNING k), y AS (UPDATE c SET low = ${value()} WHERE id % 2 = 0)
        INSERT INTO a SELECT ${(next += 50)} - 50 + row_number() OVER (), coalesce(k, 0), 1, 1 FROM x LIMIT 49`,
    ]
  }))
