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
])
