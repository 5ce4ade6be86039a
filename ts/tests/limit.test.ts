/** The first rows in an order: rows that move over the boundary, ties at it, and the reserve where there is no index. */
import { runCases } from './support/cases.js'

const CHANGES = [
  'INSERT INTO t SELECT 1000 + i, i % 5, i % 7, i FROM generate_series(1, 3) AS i',
  'INSERT INTO t VALUES (2000, 0, -5, -5), (2001, 0, NULL, NULL), (2002, 0, 99, 1000)',
  'UPDATE t SET v = v + 1 WHERE id = (SELECT id FROM t ORDER BY v DESC NULLS LAST, id LIMIT 1)',
  'UPDATE t SET k = k + 1 WHERE v < 3',
  'UPDATE t SET v = -v WHERE id % 9 = 0',
  'UPDATE t SET v = NULL WHERE id % 11 = 0',
  'UPDATE t SET id = id + 5000 WHERE id % 10 = 1',
  'DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY v DESC NULLS LAST, id LIMIT 4)',
  'DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY v, id LIMIT 4)',
  'WITH gone AS (DELETE FROM t WHERE id % 4 = 0 RETURNING id) INSERT INTO t SELECT id + 7000, 1, 2, 3 FROM gone',
  'INSERT INTO t SELECT i, i % 5, i % 7, i % 3 FROM generate_series(20000, 20400) AS i',
  'DELETE FROM t WHERE id % 3 = 0',
  'DELETE FROM t WHERE v IS NOT NULL AND id % 2 = 0',
  'DELETE FROM t',
  'INSERT INTO t VALUES (1, 1, 1, 1)',
  'INSERT INTO t SELECT i, i % 5, i % 7, i % 3 FROM generate_series(2, 60) AS i',
  'TRUNCATE t',
  'INSERT INTO t SELECT i, i % 5, i % 7, i % 3 FROM generate_series(2, 600) AS i',
]
const QUERIES = (index: string) => ({
  [`${index}_desc`]: 'SELECT id, v FROM t ORDER BY v DESC NULLS LAST, id LIMIT 5',
  [`${index}_nulls`]: 'SELECT id, v FROM t ORDER BY v DESC, id DESC LIMIT 5',
  [`${index}_asc`]: 'SELECT id, k FROM t WHERE k < 4 ORDER BY v, id LIMIT 3',
  [`${index}_alike`]: 'SELECT v, k FROM t ORDER BY v, k LIMIT 7',
  [`${index}_one`]: 'SELECT id FROM t ORDER BY w DESC NULLS LAST, v, id LIMIT 1',
  [`${index}_key`]: 'SELECT w FROM t ORDER BY id LIMIT 20',
  [`${index}_many`]: 'SELECT id, v FROM t ORDER BY v, w DESC, id LIMIT 400',
  [`${index}_offset`]: 'SELECT id, v FROM t ORDER BY v DESC NULLS LAST, id LIMIT 5 OFFSET 4',
  [`${index}_page`]: 'SELECT v, w FROM t WHERE k > 0 ORDER BY w, v, id LIMIT 20 OFFSET 90',
  [`${index}_beyond`]: 'SELECT id FROM t ORDER BY v, id OFFSET 195 FETCH NEXT 10 ROWS ONLY',
  [`${index}_sum`]: 'SELECT sum(v), count(*) FROM (SELECT v FROM t ORDER BY v DESC NULLS LAST, id LIMIT 6) q',
})
const TABLE = [
  'CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL, v int, w int)',
  'INSERT INTO t SELECT i, i % 5, i * 7919 % 31, i % 3 FROM generate_series(1, 200) AS i',
]

runCases('first rows', [
  {
    name: 'with an index in the order',
    setup: [
      ...TABLE,
      'CREATE INDEX ON t (v DESC NULLS LAST, id)',
      'CREATE INDEX ON t (v DESC, id DESC)',
      'CREATE INDEX ON t (w DESC NULLS LAST)',
    ],
    views: QUERIES('indexed'),
    steps: CHANGES,
  },
  {
    name: 'without an index',
    setup: TABLE,
    views: QUERIES('plain'),
    steps: CHANGES,
  },
  {
    // What comes behind the last stored row is not stored, as there may be more of it. A refresh fills the reserve up.
    name: 'a reserve that is not full',
    setup: ['CREATE TABLE t (id int PRIMARY KEY, v int)', 'INSERT INTO t VALUES (1, 3), (2, 1), (3, 2)'],
    views: { few: 'SELECT v FROM t ORDER BY v, id LIMIT 3' },
    steps: ['INSERT INTO t VALUES (4, NULL), (5, 7)'],
  },
  {
    // What is looked up for a row is looked up for those that are shown.
    name: 'subqueries in the select list',
    setup: [
      ...TABLE,
      'CREATE INDEX ON t (v DESC NULLS LAST, id)',
      'CREATE TABLE c (id int PRIMARY KEY, t int, x int)',
      'INSERT INTO c SELECT i, i * 7 % 230, i % 13 FROM generate_series(1, 500) AS i',
      'CREATE INDEX ON c (t)',
    ],
    views: {
      of_key: `SELECT id, (SELECT count(*) FROM c WHERE c.t = t.id) AS n, coalesce((SELECT sum(x) FROM c WHERE c.t = t.id), v) AS s
        FROM t ORDER BY v DESC NULLS LAST, id LIMIT 10`,
      of_group:
        'SELECT v, (SELECT sum(x) FROM c WHERE c.x = t.k) AS s FROM t WHERE w > 0 ORDER BY id DESC LIMIT 5 OFFSET 3',
      of_others: `SELECT k + v AS s, EXISTS (SELECT FROM c WHERE c.t = t.id AND x > t.v) AS e, ARRAY(SELECT x FROM c WHERE c.t = t.id
        ORDER BY c.id) AS l, t.k IN (SELECT x FROM c) AS i FROM t ORDER BY t.v + t.w, id LIMIT 7`,
      of_inner: `SELECT q.id, q.v, (SELECT max(x) FROM c WHERE c.t = q.id) AS m FROM (SELECT * FROM t ORDER BY v, id LIMIT 8) q
        WHERE (SELECT count(*) FROM c WHERE c.t = q.id) > 1`,
      of_lateral: `SELECT q.id, l.n FROM (SELECT * FROM t ORDER BY w, id LIMIT 30) q, LATERAL (SELECT count(*) AS n FROM c WHERE c.t = q.id) l`,
      of_join: `SELECT t.id, c.id AS cid, (SELECT count(*) FROM c d WHERE d.t = t.id) AS n FROM t JOIN c ON c.t = t.id
        ORDER BY t.id, c.id DESC LIMIT 12`,
      of_sums:
        'SELECT sum(n) AS n, sum(s) AS s FROM (SELECT id, (SELECT count(*) FROM c WHERE c.t = t.id) AS n, (SELECT sum(x) FROM c) AS s FROM t ORDER BY id LIMIT 9) q',
      in_order: 'SELECT id, (SELECT count(*) FROM c WHERE c.t = t.id) AS n FROM t ORDER BY n DESC, id LIMIT 6',
    },
    steps: [
      'INSERT INTO c SELECT 1000 + i, i, i FROM generate_series(1, 60) AS i',
      'UPDATE c SET x = x + 1 WHERE t IN (SELECT id FROM t ORDER BY v DESC NULLS LAST, id LIMIT 3)',
      'UPDATE c SET t = t + 1 WHERE id % 3 = 0',
      'WITH moved AS (UPDATE t SET v = v + 9 WHERE id % 17 = 0 RETURNING id) DELETE FROM c USING moved WHERE c.t = moved.id',
      'DELETE FROM c WHERE id % 2 = 0',
      ...CHANGES,
      'INSERT INTO c SELECT i, i % 90, i % 7 FROM generate_series(5000, 5400) AS i',
      'TRUNCATE c',
    ],
  },
])
