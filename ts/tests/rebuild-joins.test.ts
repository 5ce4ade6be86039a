import { runCases } from './support/cases.js'

const TABLES = [
  'CREATE TABLE a (id int PRIMARY KEY, k int, x int)',
  'CREATE TABLE b (k int, y int)',
  'CREATE TABLE c (k int PRIMARY KEY, z text)',
  'INSERT INTO a VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30), (4, NULL, 40), (5, 9, 50)',
  'INSERT INTO b VALUES (1, 1), (1, 1), (2, NULL), (NULL, 7)',
  "INSERT INTO c VALUES (1, 'one'), (3, 'three')",
]
const CHANGES = [
  'INSERT INTO b VALUES (9, 9), (3, 3)',
  'DELETE FROM b WHERE ctid = (SELECT min(ctid) FROM b WHERE k = 1)',
  'DELETE FROM b WHERE k = 1',
  'UPDATE a SET k = 3 WHERE id = 1',
  'UPDATE a SET x = x, k = k',
  'WITH d AS (DELETE FROM b WHERE k = 9) UPDATE a SET k = 2 WHERE k = 9',
  'WITH i AS (INSERT INTO b VALUES (NULL, 0)) UPDATE a SET k = 1 WHERE k IS NULL',
  "INSERT INTO c VALUES (2, 'two')",
  'UPDATE b SET y = NULL',
  'WITH d AS (DELETE FROM a WHERE id = 3), e AS (DELETE FROM b WHERE k = 2) DELETE FROM c WHERE k = 2',
  'UPDATE b SET k = k + 1',
  'DELETE FROM a WHERE id < 3',
  'TRUNCATE b',
  'INSERT INTO b VALUES (1, 1)',
  'TRUNCATE a, c',
]

runCases('outer joins and subqueries are rebuilt', [
  {
    name: 'LEFT, RIGHT and FULL JOIN',
    setup: TABLES,
    views: {
      l: 'SELECT a.id, b.y FROM a LEFT JOIN b ON a.k = b.k',
      r: 'SELECT a.id, b.y FROM a RIGHT JOIN b USING (k)',
      f: 'SELECT a.id, b.y FROM a FULL JOIN b ON a.k = b.k',
      f_using: 'SELECT k, id, y FROM a FULL JOIN b USING (k)',
      anti: 'SELECT a.id FROM a LEFT JOIN b ON a.k = b.k WHERE b.k IS NULL',
      chain: 'SELECT a.id, b.y, c.z FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON c.k = b.k',
      nested: 'SELECT a.id, j.y, j.z FROM a LEFT JOIN (b JOIN c USING (k)) AS j ON j.k = a.k',
      on_constant: 'SELECT a.id, b.y FROM a LEFT JOIN b ON a.k = b.k AND a.x > 15 AND b.y IS NOT NULL',
      on_false: 'SELECT a.id, b.y FROM a LEFT JOIN b ON false',
      grouped: 'SELECT a.id, count(b.y), sum(b.y) FROM a LEFT JOIN b ON a.k = b.k GROUP BY a.id',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'EXISTS, IN, ANY, ALL and their negations',
    setup: TABLES,
    views: {
      e: 'SELECT id FROM a WHERE EXISTS (SELECT FROM b WHERE b.k = a.k)',
      ne: 'SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.y > 0)',
      i: 'SELECT id FROM a WHERE k IN (SELECT k FROM b)',
      ni: 'SELECT id FROM a WHERE k NOT IN (SELECT k FROM b WHERE k IS NOT NULL)',
      ni_null: 'SELECT id FROM a WHERE k NOT IN (SELECT k FROM b)',
      rows: 'SELECT id FROM a WHERE (k, x / 10) IN (SELECT k, y FROM b)',
      any_of: 'SELECT id FROM a WHERE k < ANY (SELECT y FROM b)',
      all_of: 'SELECT id FROM a WHERE x > ALL (SELECT y FROM b WHERE b.k = a.k)',
      in_list:
        'SELECT id, EXISTS (SELECT FROM c WHERE c.k = a.k) AS has, k IN (SELECT k FROM b) AS inside FROM a',
      in_case:
        'SELECT id FROM a WHERE CASE WHEN EXISTS (SELECT FROM b WHERE b.k = a.k) THEN false ELSE true END',
      in_or: 'SELECT id FROM a WHERE x = 10 OR EXISTS (SELECT FROM c WHERE c.k = a.k)',
      always: 'SELECT id FROM a WHERE EXISTS (SELECT count(*) FROM b WHERE b.k = a.k)',
      two_levels:
        'SELECT id FROM a WHERE EXISTS (SELECT FROM b WHERE EXISTS (SELECT FROM c WHERE c.k = a.k AND c.k = b.k))',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'scalar subqueries and LATERAL',
    setup: TABLES,
    views: {
      scalar: 'SELECT id, (SELECT z FROM c WHERE c.k = a.k) AS z FROM a',
      aggregated: 'SELECT id, (SELECT sum(y) FROM b WHERE b.k = a.k) AS s FROM a',
      uncorrelated: 'SELECT id, x - (SELECT count(*) FROM b) AS d FROM a',
      in_where: 'SELECT id FROM a WHERE x > (SELECT avg(y) * 10 FROM b)',
      in_aggregate: 'SELECT k, sum((SELECT count(*) FROM b WHERE b.k = a.k)) AS s FROM a GROUP BY k',
      in_having: 'SELECT k, count(*) FROM a GROUP BY k HAVING count(*) >= (SELECT count(*) FROM c)',
      in_filter: 'SELECT count(*) FILTER (WHERE k IN (SELECT k FROM b)) AS n FROM a',
      arr: 'SELECT id, ARRAY(SELECT y FROM b WHERE b.k = a.k ORDER BY y) AS ys FROM a',
      lateral_one: 'SELECT a.id, l.n FROM a, LATERAL (SELECT count(*) AS n FROM b WHERE b.k = a.k) l',
      lateral_many: 'SELECT a.id, l.y FROM a CROSS JOIN LATERAL (SELECT y FROM b WHERE b.k = a.k) l',
      lateral_left:
        'SELECT a.id, l.y FROM a LEFT JOIN LATERAL (SELECT y FROM b WHERE b.k <= a.k ORDER BY y LIMIT 1) l ON true',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'a scalar subquery that starts to give two rows aborts the statement',
    setup: [...TABLES, 'DELETE FROM b WHERE k = 1'],
    views: { st: 'SELECT id, (SELECT y FROM b WHERE b.k = a.k) AS y FROM a' },
    steps: [
      'INSERT INTO b VALUES (1, 5)',
      '!INSERT INTO b VALUES (1, 6)',
      'UPDATE b SET y = 7 WHERE k = 1',
      'DELETE FROM b',
    ],
  },
  {
    name: 'NOT IN when NULLs come and go',
    setup: TABLES,
    views: { st: 'SELECT id FROM a WHERE k NOT IN (SELECT y FROM b)' },
    steps: [
      'DELETE FROM b',
      'INSERT INTO b VALUES (1, 1)',
      'INSERT INTO b VALUES (1, NULL)',
      'UPDATE b SET y = 2 WHERE y IS NULL',
      'DELETE FROM b',
    ],
  },
])
