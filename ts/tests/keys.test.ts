/** Unusual keys: rows, many columns, and columns with a NOT NULL that was not validated. */
import { runCases } from './support/cases.js'

const MANY = Array.from({ length: 33 }, (_, n) => `c${n}`)

runCases('keys', [
  {
    name: 'rows: NULL and a row of NULLs are different values',
    setup: [
      'CREATE TYPE pt AS (x int, y int)',
      'CREATE TABLE t (id int, p pt)',
      "INSERT INTO t VALUES (1, NULL), (2, ROW(NULL, NULL)), (3, '(1,1)')",
    ],
    views: {
      grouped: 'SELECT p, count(*), sum(id) FROM t GROUP BY p',
      differing: 'SELECT DISTINCT p FROM t',
      distinct_on: 'SELECT DISTINCT ON (p) p, id FROM t ORDER BY p, id',
      partitions: 'SELECT id, count(*) OVER (PARTITION BY p) FROM t',
      lists: 'SELECT p, array_agg(id ORDER BY id) FROM t GROUP BY p',
      united: 'SELECT p FROM t UNION SELECT p FROM t WHERE id > 3',
      left_over: 'SELECT p FROM t EXCEPT ALL SELECT p FROM t WHERE id > 3',
      rollup: 'SELECT p, id % 2 AS odd, count(*) FROM t GROUP BY ROLLUP (p, id % 2)',
      joined: 'SELECT t.id, o.id AS other FROM t LEFT JOIN t o ON o.p = t.p',
      absent: 'SELECT id FROM t WHERE p NOT IN (SELECT p FROM t o WHERE o.id > t.id)',
      counted: 'SELECT count(p), count(DISTINCT p) AS different FROM t',
      tested: 'SELECT id, p IS NULL AS empty, p IS NOT DISTINCT FROM NULL AS missing FROM t',
    },
    steps: [
      'INSERT INTO t VALUES (4, ROW(NULL, NULL)), (5, NULL), (6, ROW(1, NULL))',
      'DELETE FROM t WHERE id = 2',
      `INSERT INTO t SELECT i, CASE i % 3 WHEN 1 THEN NULL WHEN 2 THEN ROW(NULL, NULL)::pt ELSE ROW(i % 4, NULL)::pt END
         FROM generate_series(10, 60) i`,
      'UPDATE t SET p = NULL WHERE id = 4',
      'UPDATE t SET p = ROW(NULL, NULL) WHERE id IN (1, 20)',
      'DELETE FROM t WHERE p IS NOT DISTINCT FROM ROW(NULL, NULL)::pt',
      'DELETE FROM t WHERE p IS NOT DISTINCT FROM NULL',
      'DELETE FROM t',
    ],
  },
  {
    name: 'equal keys with different text, where only the text changes',
    setup: [
      'CREATE DOMAIN dm AS numeric',
      'CREATE TABLE t (id numeric PRIMARY KEY, k int)',
      'CREATE TABLE l (id numeric[] PRIMARY KEY)',
      'CREATE TABLE d (id dm PRIMARY KEY, k int)',
      'INSERT INTO t VALUES (1.0, 1), (2, 1)',
      'INSERT INTO l VALUES (ARRAY[1.0, 2])',
      'INSERT INTO d VALUES (1.0, 1), (2.50, 1)',
    ],
    views: {
      plain: 'SELECT id FROM t',
      lists: 'SELECT id FROM l',
      domains: 'SELECT x.id, y.id AS other FROM d x JOIN d y ON x.k = y.k',
    },
    way: 'fold',
    steps: [
      'UPDATE t SET id = 1.00 WHERE id = 1',
      'UPDATE t SET id = id + 1.000',
      'UPDATE l SET id = ARRAY[1.00, 2.0]',
      'UPDATE d SET id = 2.5 WHERE id = 2.5',
      'UPDATE d SET id = 1.000, k = 1 WHERE id = 1',
      'DELETE FROM d WHERE id = 2.50',
    ],
  },
  {
    name: 'more columns than an index can have',
    setup: [`CREATE TABLE t (id int PRIMARY KEY, ${MANY.map((column) => `${column} int`).join(', ')})`],
    views: {
      grouped: `SELECT ${MANY.join(', ')}, count(*) FROM t GROUP BY ${MANY.join(', ')}`,
      differing: 'SELECT DISTINCT * FROM t',
      lists: `SELECT ${MANY.join(', ')}, string_agg(id::text, ',' ORDER BY id) FROM t GROUP BY ${MANY.join(', ')}`,
      united: `SELECT ${MANY.join(', ')} FROM t UNION SELECT ${MANY.join(', ')} FROM t WHERE id > 1`,
      left_over: `SELECT ${MANY.join(', ')} FROM t EXCEPT ALL SELECT ${MANY.join(', ')} FROM t WHERE id > 1`,
      partitions: `SELECT id, rank() OVER (PARTITION BY ${MANY.join(', ')} ORDER BY id) FROM t`,
      below: `SELECT c0, sum(n) FROM (SELECT ${MANY.join(', ')}, count(*) AS n FROM t GROUP BY ${MANY.join(', ')}) q GROUP BY c0`,
    },
    steps: [
      'INSERT INTO t (id, c0, c32) VALUES (1, 1, 1), (2, 1, 1), (3, 1, 2)',
      'UPDATE t SET c32 = 5 WHERE id = 2',
      'DELETE FROM t WHERE id = 1',
    ],
  },
  {
    name: 'NOT NULL that was not validated',
    since: 18,
    setup: [
      'CREATE TABLE t (id int, k int, v int, UNIQUE (id))',
      'INSERT INTO t VALUES (1, 1, 1), (2, NULL, 2), (3, NULL, 1), (NULL, 1, 1)',
      'ALTER TABLE t ADD CONSTRAINT k_given NOT NULL k NOT VALID',
      'ALTER TABLE t ADD CONSTRAINT id_given NOT NULL id NOT VALID',
    ],
    views: {
      grouped: 'SELECT k, count(*), sum(v) FROM t GROUP BY k',
      absent: 'SELECT v FROM t WHERE v NOT IN (SELECT k FROM t)',
      shown: 'SELECT * FROM t',
      joined: 'SELECT t.id, o.id AS other FROM t LEFT JOIN t o ON o.id = t.v',
    },
    steps: [
      'DELETE FROM t WHERE id = 2',
      'INSERT INTO t VALUES (4, 1, 3)',
      'UPDATE t SET id = 9, k = 5 WHERE id IS NULL',
      'UPDATE t SET k = 7 WHERE k IS NULL',
      'ALTER TABLE t VALIDATE CONSTRAINT k_given',
      'ALTER TABLE t VALIDATE CONSTRAINT id_given',
      'UPDATE t SET k = k + 1',
    ],
  },
])
