/** What two sessions do at the same time to what a stream table reads. */

export interface Scenario {
  name: string
  /** Before the stream tables are made. */
  setup: string[]
  /** Stream tables by name. */
  views: Record<string, string>
  /** The first session, which commits once the second one has ended or waits. */
  first: string[]
  /** The second session, whose transaction began before the first one did anything. */
  second: string[]
  /** It makes a stream table, which only READ COMMITTED can. */
  makes?: boolean
}

const TABLES = [
  'CREATE TABLE a (id int PRIMARY KEY, k int, x int)',
  'CREATE TABLE b (id int PRIMARY KEY, k int, y int)',
  'INSERT INTO a SELECT i, i % 3, i FROM generate_series(1, 6) i',
  'INSERT INTO b SELECT i, i % 3, i * 10 FROM generate_series(1, 6) i',
]

/** A scenario over `a` and `b` with one stream table. */
function over(name: string, query: string, first: string, second: string): Scenario {
  return { name, setup: TABLES, views: { s: query }, first: [first], second: [second] }
}

const CREATE = "SELECT pgtrickle.create_stream_table('s', 'SELECT k, count(*) AS n, sum(x) AS x FROM a GROUP BY k')"

export const SCENARIOS: Scenario[] = [
  over(
    'both sides of a join',
    'SELECT a.id AS a, b.id AS b, x, y FROM a JOIN b USING (k)',
    'INSERT INTO a VALUES (10, 7, 1)',
    'INSERT INTO b VALUES (10, 7, 1)',
  ),
  over(
    'both sides of a join, updated',
    'SELECT a.id AS a, b.id AS b, x, y FROM a JOIN b USING (k)',
    'UPDATE a SET k = 2 WHERE id = 1',
    'UPDATE b SET k = 2 WHERE id = 1',
  ),
  over(
    'three tables, of which two change',
    'SELECT a.id AS a, b.id AS b, c.id AS c FROM a JOIN b USING (k) JOIN a AS c ON c.id = b.id',
    'DELETE FROM a WHERE k = 1',
    'UPDATE b SET k = 1 WHERE k = 2',
  ),
  over(
    'one group',
    'SELECT k, count(*), sum(x) FROM a GROUP BY k',
    'INSERT INTO a VALUES (10, 1, 1)',
    'UPDATE a SET x = x + 1 WHERE id = 4',
  ),
  over(
    'a new group',
    'SELECT k, count(*) FROM a GROUP BY k',
    'INSERT INTO a VALUES (10, 9, 1)',
    'INSERT INTO a VALUES (11, 9, 1)',
  ),
  over(
    "a group's last rows",
    'SELECT k, count(*) FROM a GROUP BY k',
    'DELETE FROM a WHERE id = 3',
    'DELETE FROM a WHERE id = 6',
  ),
  over(
    'a maximum goes while another comes',
    'SELECT k, max(x) FROM a GROUP BY k',
    'DELETE FROM a WHERE id = 6',
    'INSERT INTO a VALUES (10, 0, 5)',
  ),
  over(
    'a list of values',
    "SELECT k, string_agg(x::text, ',' ORDER BY id) FROM a GROUP BY k",
    'INSERT INTO a VALUES (10, 1, 1)',
    'INSERT INTO a VALUES (11, 1, 2)',
  ),
  over(
    'an outer join gets and loses matches',
    'SELECT a.id AS a, b.id AS b, y FROM a LEFT JOIN b USING (k)',
    'INSERT INTO a VALUES (10, 7, 1)',
    'INSERT INTO b VALUES (10, 7, 1)',
  ),
  over(
    'a full join',
    'SELECT a.id AS a, b.id AS b FROM a FULL JOIN b ON a.k = b.k',
    'DELETE FROM a WHERE k = 0',
    'DELETE FROM b WHERE k = 0',
  ),
  over(
    'EXISTS',
    'SELECT id FROM a WHERE EXISTS (SELECT FROM b WHERE b.k = a.k AND y > 50)',
    'INSERT INTO a VALUES (10, 7, 1)',
    'INSERT INTO b VALUES (10, 7, 90)',
  ),
  over(
    'NOT IN',
    'SELECT id FROM a WHERE x NOT IN (SELECT y FROM b)',
    'INSERT INTO a VALUES (10, 7, 77)',
    'INSERT INTO b VALUES (10, 7, 77)',
  ),
  over(
    'a window',
    'SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY x, id) FROM a',
    'INSERT INTO a VALUES (10, 1, 0)',
    'INSERT INTO a VALUES (11, 1, 0)',
  ),
  over(
    'the nearest rows',
    'SELECT id, x, lag(x) OVER (ORDER BY id) FROM a',
    'DELETE FROM a WHERE id = 3',
    'DELETE FROM a WHERE id = 4',
  ),
  over('DISTINCT', 'SELECT DISTINCT x % 2 AS x FROM a', 'DELETE FROM a WHERE x IN (1, 3)', 'DELETE FROM a WHERE x = 5'),
  over(
    'the first rows',
    'SELECT id, x FROM a ORDER BY x DESC, id LIMIT 2',
    'DELETE FROM a WHERE id = 6',
    'DELETE FROM a WHERE id = 5',
  ),
  over(
    'UNION',
    'SELECT k FROM a UNION SELECT k FROM b',
    'INSERT INTO a VALUES (10, 9, 1)',
    'INSERT INTO b VALUES (10, 9, 1)',
  ),
  over(
    'EXCEPT',
    'SELECT x FROM a EXCEPT SELECT y FROM b',
    'INSERT INTO a VALUES (10, 7, 77)',
    'INSERT INTO b VALUES (10, 7, 77)',
  ),
  over(
    'a scalar subquery',
    'SELECT id FROM a WHERE x > (SELECT avg(y) / 20 FROM b)',
    'INSERT INTO a VALUES (10, 7, 3)',
    'UPDATE b SET y = y * 2',
  ),
  over(
    'recursion',
    'WITH RECURSIVE r(id, k) AS (SELECT id, k FROM a WHERE id = 1 UNION SELECT b.id, b.y FROM b JOIN r ON b.k = r.k) SELECT * FROM r',
    'UPDATE a SET k = 7 WHERE id = 1',
    'INSERT INTO b VALUES (10, 7, 8), (11, 8, 9)',
  ),
  over(
    'a row that the other one has changed',
    'SELECT k, sum(x) FROM a GROUP BY k',
    'UPDATE a SET x = x * 10 WHERE id = 1',
    'UPDATE a SET x = x + 1',
  ),
  over(
    'a row that the other one has deleted',
    'SELECT k, sum(x) FROM a GROUP BY k',
    'DELETE FROM a WHERE id = 1',
    'UPDATE a SET x = x + 1',
  ),
  over(
    'TRUNCATE',
    'SELECT a.id AS a, b.id AS b FROM a JOIN b USING (k)',
    'INSERT INTO a VALUES (10, 1, 1)',
    'TRUNCATE b',
  ),
  {
    name: 'stream tables over stream tables',
    setup: TABLES,
    views: { g: 'SELECT k, sum(x) AS x FROM a GROUP BY k', s: 'SELECT g.k, g.x, b.y FROM g JOIN b USING (k)' },
    first: ['INSERT INTO b VALUES (10, 9, 1)'],
    second: ['INSERT INTO a VALUES (10, 9, 1)'],
  },
  {
    name: 'two stream tables in two orders of their numbers',
    setup: TABLES,
    views: { s: 'SELECT k, count(*) AS n FROM b GROUP BY k', t: 'SELECT a.id, s.n FROM a JOIN s USING (k)' },
    first: ['INSERT INTO a VALUES (10, 1, 1)', 'INSERT INTO b VALUES (10, 1, 1)'],
    second: ['INSERT INTO b VALUES (11, 1, 1)', 'INSERT INTO a VALUES (11, 1, 1)'],
  },
  {
    name: 'partitions',
    setup: [
      'CREATE TABLE a (id int, k int) PARTITION BY LIST (k)',
      'CREATE TABLE a1 PARTITION OF a FOR VALUES IN (1)',
      'CREATE TABLE a2 PARTITION OF a FOR VALUES IN (2)',
      'INSERT INTO a VALUES (1, 1), (2, 2)',
    ],
    views: { s: 'SELECT k, count(*) FROM a GROUP BY k' },
    first: ['INSERT INTO a1 VALUES (3, 1)'],
    second: ['UPDATE a SET k = 1 WHERE id = 2'],
  },
  {
    name: 'a rollback to a savepoint gives the lock back',
    setup: TABLES,
    views: { s: 'SELECT k, count(*) FROM a GROUP BY k' },
    first: ['SAVEPOINT one', 'INSERT INTO a VALUES (10, 1, 1)', 'ROLLBACK TO one', 'INSERT INTO b VALUES (10, 1, 1)'],
    second: ['SAVEPOINT one', 'INSERT INTO a VALUES (11, 1, 1)', 'ROLLBACK TO one', 'INSERT INTO a VALUES (12, 1, 1)'],
  },
  {
    name: 'creating beside an open INSERT',
    setup: TABLES,
    views: {},
    first: ['INSERT INTO a VALUES (10, 1, 1)'],
    second: [CREATE],
    makes: true,
  },
  {
    name: 'INSERT beside an open creation',
    setup: TABLES,
    views: {},
    first: [CREATE],
    second: ['INSERT INTO a VALUES (10, 1, 1)'],
    makes: true,
  },
  {
    name: 'another query beside an open INSERT',
    setup: TABLES,
    views: { s: 'SELECT k, count(*) AS n FROM a GROUP BY k' },
    first: ['INSERT INTO b VALUES (10, 1, 1)'],
    second: ["SELECT pgtrickle.alter_stream_table('s', 'SELECT k, count(*) AS n FROM b GROUP BY k')"],
    makes: true,
  },
  {
    name: 'INSERT beside another query',
    setup: TABLES,
    views: { s: 'SELECT k, count(*) AS n FROM a GROUP BY k' },
    first: ["SELECT pgtrickle.alter_stream_table('s', 'SELECT k, sum(x) AS n FROM a GROUP BY k')"],
    second: ['INSERT INTO a VALUES (10, 1, 1)'],
    makes: true,
  },
  {
    name: 'a refresh beside an open INSERT',
    setup: TABLES,
    views: { s: 'SELECT k, count(*) AS n FROM a GROUP BY k' },
    first: ['INSERT INTO a VALUES (10, 1, 1)'],
    second: ["SELECT * FROM pgtrickle.refresh_stream_table('s')"],
  },
  {
    name: 'INSERT beside a DROP',
    setup: TABLES,
    views: { s: 'SELECT k, count(*) AS n FROM a GROUP BY k', t: 'SELECT k, count(*) AS n FROM a GROUP BY k' },
    first: ["SELECT pgtrickle.drop_stream_table('t')"],
    second: ['INSERT INTO a VALUES (10, 1, 1)'],
    makes: true,
  },
  {
    name: 'dropping the last stream table of a table while another one is made',
    setup: TABLES,
    views: { t: 'SELECT k, count(*) AS n FROM a GROUP BY k' },
    first: [CREATE],
    second: ["SELECT pgtrickle.drop_stream_table('t')", 'INSERT INTO a VALUES (10, 1, 1)'],
    makes: true,
  },
  {
    name: 'two stream tables are made',
    setup: TABLES,
    views: {},
    first: [CREATE.replaceAll("'s'", "'t'")],
    second: [CREATE],
    makes: true,
  },
  {
    name: 'a partition comes beside an INSERT',
    setup: [
      'CREATE TABLE a (id int, k int) PARTITION BY LIST (k)',
      'CREATE TABLE a1 PARTITION OF a FOR VALUES IN (1)',
      'CREATE TABLE a2 (id int, k int)',
      'INSERT INTO a VALUES (1, 1)',
      'INSERT INTO a2 VALUES (2, 2)',
    ],
    views: { s: 'SELECT k, count(*) FROM a GROUP BY k' },
    first: ['INSERT INTO a VALUES (3, 1)'],
    second: ['ALTER TABLE a ATTACH PARTITION a2 FOR VALUES IN (2)'],
    makes: true,
  },
]
