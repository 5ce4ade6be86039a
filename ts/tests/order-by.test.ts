import { runCases } from './support/cases.js'

runCases('ORDER BY is kept', [
  {
    name: 'of a projection',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, a int, b text)',
      "INSERT INTO t VALUES (1, 3, 'x'), (2, 1, NULL), (3, NULL, 'a')",
    ],
    views: {
      ascending: 'SELECT * FROM t ORDER BY id',
      descending: 'SELECT id, b FROM t ORDER BY b DESC NULLS LAST, id',
      unselected: 'SELECT b FROM t ORDER BY a NULLS FIRST, id DESC',
      expression: 'SELECT id, a FROM t WHERE a IS NOT NULL ORDER BY -a, id',
      position: 'SELECT b, id FROM t ORDER BY 2 DESC',
      operator: 'SELECT id FROM t ORDER BY id USING >',
      collated: 'SELECT id, b FROM t ORDER BY b COLLATE "C", id',
    },
    steps: [
      "INSERT INTO t VALUES (4, 2, 'B'), (0, 9, 'b')",
      'UPDATE t SET a = 10 - a',
      "UPDATE t SET b = 'm' WHERE id = 1",
      'DELETE FROM t WHERE id = 2',
      'UPDATE t SET id = id + 100',
      'TRUNCATE t',
    ],
    ordered: true,
    way: 'fold',
  },
  {
    name: 'of groups',
    setup: ['CREATE TABLE t (k int, v int)', 'INSERT INTO t SELECT i % 4, i FROM generate_series(1, 10) i'],
    views: {
      by_key: 'SELECT k, sum(v) FROM t GROUP BY k ORDER BY k DESC NULLS LAST',
      by_sum: 'SELECT k, sum(v) AS s FROM t GROUP BY k ORDER BY s, k',
      by_other: 'SELECT k FROM t GROUP BY k ORDER BY count(*) DESC, max(v) DESC',
      having_many: 'SELECT k, count(*) FROM t GROUP BY k HAVING count(*) > 1 ORDER BY avg(v) DESC, k',
    },
    steps: [
      'INSERT INTO t VALUES (NULL, 100), (1, -50)',
      'UPDATE t SET v = -v WHERE k = 2',
      'DELETE FROM t WHERE k = 3 AND v > 3',
      'UPDATE t SET k = 7 WHERE k = 0',
    ],
    ordered: true,
    way: 'fold',
  },
  {
    name: 'of duplicate rows, set operations, windows and limits',
    setup: ['CREATE TABLE t (k int, v int)', 'INSERT INTO t VALUES (2, 1), (2, 1), (1, 5), (NULL, 1)'],
    views: {
      keyless: 'SELECT k, v FROM t ORDER BY k, v',
      hidden: 'SELECT v FROM t ORDER BY k, v',
      distinct_rows: 'SELECT DISTINCT v FROM t ORDER BY v DESC',
      top: 'SELECT k, v FROM t ORDER BY k DESC NULLS LAST, v LIMIT 2',
      windowed: 'SELECT k, v, rank() OVER (ORDER BY v) AS r FROM t ORDER BY r DESC, k',
      unioned: 'SELECT k FROM t UNION SELECT v FROM t ORDER BY 1',
    },
    steps: [
      'INSERT INTO t VALUES (2, 0), (3, 3)',
      'DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)',
      'UPDATE t SET k = v, v = k',
      'UPDATE t SET v = 1',
      'DELETE FROM t',
    ],
    ordered: true,
  },
])
