import { runCases } from './support/cases.js'

const T = [
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
  'CREATE TABLE u (k int, w int)',
  'INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, NULL), (4, NULL, 4)',
  'INSERT INTO u VALUES (1, 10), (2, 20), (2, 20)',
]
const CHANGES = [
  'INSERT INTO t VALUES (5, 2, 5), (6, 3, 6)',
  'UPDATE t SET v = v + 1',
  'UPDATE t SET k = 1 WHERE k = 2',
  'WITH x AS (DELETE FROM u WHERE k = 1) UPDATE t SET k = 2 WHERE id < 3',
  'INSERT INTO u SELECT i, i FROM generate_series(1, 5) i',
  'DELETE FROM t WHERE id IN (1, 4)',
  'BEGIN',
  'TRUNCATE t',
  'ROLLBACK',
  'UPDATE t SET v = v',
  'TRUNCATE t',
  'INSERT INTO t VALUES (1, 1, 1)',
  'TRUNCATE u, t',
  'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 30) i',
  'INSERT INTO u VALUES (0, 1), (1, 1), (1, 1)',
]

runCases('stream tables over stream tables', [
  {
    name: 'a chain',
    setup: T,
    views: {
      a: 'SELECT k, v FROM t WHERE v IS NOT NULL',
      b: 'SELECT k, count(*) AS n, sum(v) AS s FROM a GROUP BY k',
      c: 'SELECT n, sum(s) AS s FROM b GROUP BY n',
      d: 'SELECT count(*) AS groups, max(s) AS top FROM c',
      e: 'SELECT DISTINCT n FROM b',
      f: 'SELECT e.n, c.s FROM e LEFT JOIN c USING (n)',
    },
    steps: CHANGES,
  },
  {
    name: 'diamonds',
    setup: T,
    views: {
      a: 'SELECT k, count(*) AS n, sum(v) AS s FROM t GROUP BY k',
      b: 'SELECT k, n FROM a WHERE n > 1',
      c: 'SELECT k, s FROM a WHERE s > 2',
      d: 'SELECT b.k, b.n, c.s FROM b JOIN c USING (k)',
      e: 'SELECT b.k, c.s FROM b FULL JOIN c USING (k)',
      f: 'SELECT d.k, a.s, t.v FROM d JOIN a USING (k) JOIN t USING (k)',
      g: 'SELECT count(*), sum(x.n * y.n) FROM a x JOIN a y ON x.n <= y.n',
    },
    steps: CHANGES,
  },
  {
    name: 'a stream table joined with its own source, and with another source',
    setup: T,
    views: {
      a: 'SELECT k, sum(v) AS s FROM t GROUP BY k',
      share: 'SELECT t.id, t.v, a.s FROM t JOIN a USING (k)',
      with_u: 'SELECT a.k, count(*), sum(u.w) FROM a JOIN u USING (k) GROUP BY a.k',
      not_in_u: 'SELECT a.k FROM a WHERE NOT EXISTS (SELECT FROM u WHERE u.k = a.k)',
      all_of: 'SELECT share.id, with_u.sum FROM share JOIN t USING (id) JOIN with_u USING (k)',
    },
    steps: CHANGES,
  },
  {
    name: 'over an ORDER BY and a HAVING, and through a plain view',
    setup: T,
    views: {
      a: 'SELECT k, count(*) AS n FROM t GROUP BY k HAVING count(*) > 1 ORDER BY n DESC',
      b: 'SELECT sum(n) AS total, count(*) AS groups FROM a',
      c: 'SELECT a.k, t.id FROM a JOIN t USING (k) ORDER BY 1, 2',
      d: 'SELECT * FROM (SELECT k, n + 1 AS n FROM a) x WHERE n > 2',
    },
    steps: CHANGES,
  },
  {
    name: 'over duplicate rows without a key',
    setup: ['CREATE TABLE t (a int, b int)', 'INSERT INTO t VALUES (1, 1), (1, 1), (1, 2), (NULL, NULL)'],
    views: {
      a: 'SELECT a FROM t',
      b: 'SELECT a, count(*) AS n FROM a GROUP BY a',
      c: 'SELECT x.a FROM a x JOIN a y USING (a)',
    },
    steps: [
      'DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)',
      'INSERT INTO t VALUES (1, 3), (2, 2), (2, 2)',
      'UPDATE t SET b = 5',
      'UPDATE t SET a = 2 WHERE a = 1',
      'DELETE FROM t',
    ],
  },
  {
    name: 'a stream table in the middle is altered and dropped',
    setup: T,
    views: {
      a: 'SELECT k, sum(v) AS s FROM t GROUP BY k',
      b: 'SELECT k, s FROM a WHERE s > 1',
      c: 'SELECT count(*) FROM b',
    },
    steps: [
      "!SELECT pgtrickle.drop_stream_table('a')",
      "!SELECT pgtrickle.drop_stream_table('b')",
      '!DROP VIEW b',
      'UPDATE t SET v = v + 1',
      "!SELECT pgtrickle.alter_stream_table('a', 'SELECT k FROM t')",
      'UPDATE t SET v = v + 1',
    ],
  },
])
