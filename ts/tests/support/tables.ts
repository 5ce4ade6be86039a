/** Two small tables that many cases start from, one with a key and one with duplicate rows, and changes of every kind. */
export const TABLES = [
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int, s text)',
  'CREATE TABLE u (k int, v int)',
  `INSERT INTO t VALUES (1, 1, 5, 'a'), (2, 1, 5, 'b'), (3, 2, 7, 'a'), (4, NULL, 1, NULL), (5, 3, NULL, 'c')`,
  'INSERT INTO u VALUES (1, 5), (1, 5), (2, 8), (NULL, 1)',
]
export const CHANGES = [
  "INSERT INTO t VALUES (6, 1, 9, 'd'), (7, NULL, NULL, NULL)",
  'INSERT INTO u VALUES (3, NULL), (1, 9)',
  'UPDATE t SET k = 2 WHERE id = 1',
  'UPDATE t SET v = v + 1 WHERE k = 2',
  'WITH d AS (DELETE FROM u WHERE k = 1) DELETE FROM t WHERE id = 2',
  'UPDATE u SET v = 5',
  'UPDATE t SET s = s, v = v',
  'UPDATE t SET s = NULL WHERE s = $$a$$',
  'DELETE FROM t WHERE k IS NULL',
  'DELETE FROM u WHERE ctid = (SELECT min(ctid) FROM u)',
  'INSERT INTO t SELECT i, i % 3, i % 4, chr(97 + i % 2) FROM generate_series(100, 120) i',
  'DELETE FROM t WHERE id > 110',
  'TRUNCATE u',
  'DELETE FROM t',
]
