/** The first rows of each partition: conditions on row_number, rank and dense_rank, and DISTINCT ON. */
import { expect, test } from 'vitest'
import { runCases } from './support/cases.js'
import type { Case } from './support/cases.js'
import { CHANGES, TABLES } from './support/tables.js'
import { useLab } from './support/use-lab.js'

/** `columns` of the rows whose number by `call` and `window` passes `condition`. */
const top = (condition: string, window: string, call = 'row_number()', columns = '*') =>
  `SELECT ${columns} FROM (SELECT *, ${call} OVER (${window}) AS n FROM t) AS q WHERE ${condition}`

const VIEWS = {
  three: top('n <= 3', 'PARTITION BY k ORDER BY v DESC, id'),
  two: top(
    'n < 3 AND v > 1',
    'PARTITION BY k ORDER BY v DESC NULLS LAST, id DESC',
    'row_number()',
    'id, s, n * 2 AS m',
  ),
  one: top('1 = n', 'PARTITION BY k ORDER BY v NULLS FIRST, id'),
  nothing: top('n <= 0', 'PARTITION BY k ORDER BY id'),
  second_one: top('n = 2', 'PARTITION BY k ORDER BY id DESC'),
  between_two: top('n BETWEEN 2 AND 3', 'PARTITION BY k ORDER BY id'),
  listed: top('n IN (1, 3)', 'PARTITION BY k ORDER BY id'),
  ranks: top('n <= 2', 'PARTITION BY k ORDER BY v', 'rank()'),
  best: top('n = 1', 'PARTITION BY k ORDER BY v DESC', 'rank()'),
  dense: top('n <= 2', 'PARTITION BY k ORDER BY v', 'dense_rank()'),
  dense_best: top('n = 1', 'PARTITION BY k ORDER BY v', 'dense_rank()'),
  two_keys: top('n <= 2', 'PARTITION BY k, s ORDER BY v, id'),
  computed: top('n <= 2', 'PARTITION BY k % 2 ORDER BY v + id, id'),
  whole: top('n <= 3', 'ORDER BY v DESC, id'),
  whole_ranks: top('n <= 3', 'ORDER BY v', 'rank()'),
  filtered: `SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM t WHERE v IS NOT NULL) AS q
    WHERE n <= 2 AND id > 1`,
  others: `SELECT id, n, r, d, l, f, total FROM (SELECT id, row_number() OVER w AS n, rank() OVER w AS r, lag(v) OVER w AS l,
    first_value(v) OVER w AS f, lead(id) OVER w AS d, sum(v) OVER w AS total FROM t
    WINDOW w AS (PARTITION BY k ORDER BY v, id)) AS q WHERE n <= 2`,
  two_orders: `SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY k ORDER BY v, id) AS n, sum(v) OVER (PARTITION BY k) AS s,
    rank() OVER (PARTITION BY k ORDER BY id DESC) AS r FROM t) AS q WHERE n <= 2 AND r <= 3`,
  two_partitions: `SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY k ORDER BY v, id) AS n,
    row_number() OVER (PARTITION BY s ORDER BY v, id) AS m FROM t) AS q WHERE n <= 2 AND m = 1`,
  on_left: `SELECT u.k, u.v, q.id FROM u LEFT JOIN (SELECT k, id, row_number() OVER (PARTITION BY k ORDER BY v DESC, id) AS n
    FROM t) AS q ON q.k = u.k AND q.n = 1`,
  on_right: `SELECT u.v, q.id FROM (SELECT k, id, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM t) AS q
    RIGHT JOIN u ON q.k = u.k AND q.n <= 2`,
  preserved: `SELECT u.v, q.id, q.n FROM (SELECT k, id, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM t) AS q
    LEFT JOIN u ON q.k = u.k AND q.n <= 1`,
  full_joined: `SELECT u.v, q.id, q.n FROM (SELECT k, id, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM t) AS q
    FULL JOIN u ON q.k = u.k AND q.n <= 1`,
  on_inner: `SELECT u.v, q.id FROM u JOIN (SELECT k, id, row_number() OVER (PARTITION BY k ORDER BY id DESC) AS n FROM t) AS q
    ON q.k = u.k AND q.n <= 1`,
  joined_below: `SELECT id, w, n FROM (SELECT t.id, u.v AS w, row_number() OVER (PARTITION BY t.k ORDER BY u.v, t.id) AS n
    FROM t JOIN (SELECT DISTINCT k, v FROM u) AS u ON t.k = u.k) AS q WHERE n <= 2`,
  outer_below: `SELECT id, n FROM (SELECT t.id, rank() OVER (PARTITION BY t.k ORDER BY u.v, t.id) AS n
    FROM t LEFT JOIN u ON t.k = u.k) AS q WHERE n <= 2`,
  grouped_below: `SELECT k, s, c FROM (SELECT k, s, count(*) AS c, row_number() OVER (PARTITION BY k ORDER BY count(*) DESC, s) AS n
    FROM t GROUP BY k, s) AS q WHERE n <= 1`,
  grouped_above: `SELECT k, sum(v) AS s, count(*) AS c FROM (SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY id DESC) AS n
    FROM t) AS q WHERE n <= 2 GROUP BY k`,
  twice: `WITH r AS (SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM t)
    SELECT a.id, b.id AS other FROM r AS a JOIN r AS b ON a.k = b.k AND a.n = 1 AND b.n = 2`,
  nested: `SELECT id FROM (SELECT id, row_number() OVER (ORDER BY v DESC, id) AS m FROM (SELECT id, v, row_number() OVER
    (PARTITION BY k ORDER BY v DESC, id) AS n FROM t) AS q WHERE n = 1) AS p WHERE m <= 2`,
  in_exists: `SELECT v FROM u WHERE EXISTS (SELECT 1 FROM (SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM t)
    AS q WHERE q.k = u.k AND n = 1 AND q.v = u.v)`,
  other_conditions: top('n >= 2 AND n <> 3', 'PARTITION BY k ORDER BY id'),
  either: top('(n <= 1 OR v > 5)', 'PARTITION BY k ORDER BY id'),
  keyless: `SELECT k, v, r FROM (SELECT k, v, rank() OVER (PARTITION BY k ORDER BY v DESC) AS r FROM u) AS q WHERE r <= 1`,
  keyless_rows: `SELECT k, v, r FROM (SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY v DESC) AS r FROM u) AS q WHERE r <= 2`,
  leaderboard:
    'SELECT id, v, rank() OVER (ORDER BY v DESC) AS r, dense_rank() OVER (ORDER BY v DESC) AS d FROM t ORDER BY v DESC, id LIMIT 3',
  second_page: 'SELECT id, row_number() OVER (ORDER BY v, id) AS n FROM t WHERE k = 1 ORDER BY v, id LIMIT 2 OFFSET 2',
  tied: 'SELECT v, rank() OVER (ORDER BY v) AS r FROM t ORDER BY v FETCH FIRST 2 ROWS WITH TIES',
  by_place: 'SELECT rank() OVER (ORDER BY v DESC) AS place, id FROM t ORDER BY place, id LIMIT 3',
  by_number: 'SELECT id, row_number() OVER (ORDER BY v, id) AS n FROM t ORDER BY n LIMIT 2 OFFSET 1',
  by_number_tied: 'SELECT id, row_number() OVER (ORDER BY v, id) AS n FROM t ORDER BY n FETCH FIRST 2 ROWS WITH TIES',
  by_number_last: 'SELECT id, row_number() OVER (ORDER BY v, id) AS n FROM t ORDER BY n DESC LIMIT 2',
  by_place_of:
    'SELECT k, id, rank() OVER (PARTITION BY k ORDER BY v DESC) AS place FROM t ORDER BY place, id, k LIMIT 3',
  backwards: 'SELECT id, rank() OVER (ORDER BY v) AS r FROM t ORDER BY v DESC, id LIMIT 3',
  distinct_on: 'SELECT DISTINCT ON (k) k, id, v FROM t ORDER BY k, v DESC, id',
  distinct_on_two: 'SELECT DISTINCT ON (k, s) s, id FROM t WHERE v > 1 ORDER BY k DESC, s NULLS FIRST, v, id',
  distinct_on_joined:
    'SELECT DISTINCT ON (t.k) t.k, t.id, u.v FROM t JOIN u ON t.k = u.k ORDER BY t.k, u.v DESC NULLS LAST, t.id',
  distinct_on_groups: 'SELECT DISTINCT ON (k) k, s, count(*) AS n FROM t GROUP BY k, s ORDER BY k, count(*) DESC, s',
  distinct_on_order: 'SELECT DISTINCT ON (k) id FROM t ORDER BY k, v * 2, id DESC',
}

const STEPS = [
  ...CHANGES.slice(0, -2),
  'INSERT INTO t VALUES (201, 1, 9, NULL), (202, 1, 0, NULL), (203, NULL, 8, $$n$$), (204, NULL, NULL, $$n$$)',
  'UPDATE t SET k = CASE WHEN k = 1 THEN NULL ELSE 1 END WHERE k = 1 OR k IS NULL',
  'UPDATE t SET v = NULL WHERE id IN (SELECT min(id) FROM t GROUP BY k)',
  'WITH i AS (INSERT INTO u VALUES (2, 100), (NULL, 2), (1, 1)) DELETE FROM t WHERE k = 2 AND id % 2 = 0',
  'DELETE FROM t WHERE id = (SELECT max(id) FROM t WHERE k = 1)',
  'UPDATE t SET id = -id',
  'INSERT INTO t SELECT i, i % 2, i % 5, NULL FROM generate_series(300, 420) AS i',
  'UPDATE t SET v = v + 1 WHERE id = 300',
  'DELETE FROM t WHERE k = 1',
  'TRUNCATE u',
  'TRUNCATE t',
  'INSERT INTO t VALUES (1, NULL, NULL, NULL), (2, 1, 2, NULL)',
  'DELETE FROM t',
]

const INDEXED = [
  ...TABLES,
  'CREATE INDEX ON t (k, v)',
  'CREATE INDEX ON t (v)',
  'CREATE INDEX ON t ((k % 2))',
  'CREATE INDEX ON u (k)',
]

/** No case has so many stream tables that it takes long. */
const PARTS = [0, 1, 2].map((part) => Object.fromEntries(Object.entries(VIEWS).filter((_, n) => n % 3 === part)))

runCases('first rows of partitions', [
  ...PARTS.map((views, n): Case => ({
    name: `without an index: ${n + 1}`,
    setup: TABLES,
    views,
    steps: STEPS,
    way: 'incremental',
  })),
  ...PARTS.map((views, n): Case => ({
    name: `with indexes: ${n + 1}`,
    setup: INDEXED,
    views,
    steps: STEPS,
    way: 'incremental',
  })),
  ...PARTS.map((views, n): Case => ({
    name: `of large groups, with triggers that change more rows: ${n + 1}`,
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int, s text)',
      'CREATE TABLE u (k int, v int)',
      'INSERT INTO t SELECT i, i % 2, i * 7 % 101, NULL FROM generate_series(1, 500) AS i',
      'INSERT INTO u SELECT i % 2, i FROM generate_series(1, 4) AS i',
      'CREATE INDEX ON t (k, v, id)',
      `CREATE FUNCTION next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE t SET v = v + 1 WHERE id = NEW.id + 1; RETURN NULL; END $$`,
      'CREATE TRIGGER next AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION next()',
    ],
    views,
    steps: [
      'INSERT INTO t VALUES (0, 1, -1, NULL)',
      'INSERT INTO t VALUES (-1, 0, -1, NULL), (1000, 3, 0, NULL)',
      'UPDATE t SET v = 200 - v WHERE id % 50 = 0',
      'DELETE FROM t WHERE v < 3',
      'UPDATE t SET k = 1 - k WHERE id < 20',
      'UPDATE t SET v = v',
      'UPDATE t SET v = v + 1',
      'DELETE FROM t WHERE k = 1',
    ],
    way: 'incremental',
  })),
])

const lab = useLab()

test('reads and stores only the first rows', async () => {
  await lab.exec('CREATE TABLE t (id int PRIMARY KEY, k int, v int, s text); CREATE INDEX ON t (k, v, id)')
  await lab.exec('INSERT INTO t SELECT i, i % 2, i % 100, NULL FROM generate_series(1, 1000) AS i')
  await lab.pg.trickle.createStreamTable('ranked', top('n <= 3', 'PARTITION BY k ORDER BY v, id'))
  const { stages, advice } = await lab.pg.trickle.explainStreamTable('ranked')
  expect(advice).toEqual([])
  const { rows } = await lab.pg.query(`SELECT count(*)::int AS n FROM ${stages[0]?.name}`)
  expect(rows).toEqual([{ n: 6 }])
  await lab.pg.trickle.dropStreamTable('ranked')
})

test('advises an index on the partition and its order', async () => {
  await lab.exec('CREATE TABLE w (id int PRIMARY KEY, k int, v int); CREATE INDEX ON w (k)')
  for (const query of [
    'SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY k ORDER BY v DESC) AS n FROM w) AS q WHERE n = 1',
    'SELECT DISTINCT ON (k) id FROM w ORDER BY k, v DESC',
  ]) {
    await lab.pg.trickle.createStreamTable('ranked', query)
    const { advice } = await lab.pg.trickle.explainStreamTable('ranked')
    expect(advice).toEqual([
      'CREATE INDEX ON public.w (k ASC NULLS LAST, v DESC NULLS FIRST): the first rows of what a change touches are read in its order',
    ])
    await lab.pg.trickle.dropStreamTable('ranked')
  }
})
