/** What a stream table can read: tables of every kind, and columns of every type with its own rules of comparison. */
import { expect, test } from 'vitest'
import { runCases } from './support/cases.js'
import { Lab } from './support/lab.js'
import { trickle } from '../dist/index.js'
import type { TrickleExtension } from '../dist/index.js'
import { IS_NATIVE, MAJOR, MODULE_NAME, openWith } from './support/pglite.js'
import type { Database } from './support/pglite.js'

const GROUPED = 'SELECT k, count(*), sum(v), max(v) FROM t GROUP BY k'

/**
 * In the first releases of PostgreSQL 17, of which PGlite's is one, a table with statement triggers that have transition tables
 * cannot become a partition or a child.
 */
const ATTACHES: { since?: 18 } = IS_NATIVE ? {} : { since: 18 }

runCases('kinds of sources', [
  {
    name: 'a partition that is a source itself is attached, changed through the root, and detached',
    ...ATTACHES,
    setup: [
      'CREATE TABLE t (k int, v int) PARTITION BY RANGE (k)',
      'CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)',
      'CREATE TABLE t2 (k int, v int)',
      'INSERT INTO t VALUES (1, 1), (2, 2)',
      'INSERT INTO t2 VALUES (11, 1), (12, 2)',
    ],
    views: {
      whole: GROUPED,
      part: 'SELECT k, count(*), sum(v) FROM t2 GROUP BY k',
      rows: 'SELECT * FROM t2',
      joined: 'SELECT a.k, b.v FROM t a JOIN t2 b USING (v)',
      outer_join: 'SELECT a.k, b.k AS b FROM t a LEFT JOIN t2 b USING (v)',
    },
    steps: [
      'INSERT INTO t2 VALUES (13, 1)',
      'ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (10) TO (20)',
      'INSERT INTO t VALUES (14, 1), (3, 1)',
      'UPDATE t SET v = v + 1',
      'UPDATE t SET k = k + 10 WHERE k < 3',
      'UPDATE t2 SET k = 15 WHERE k = 14',
      'DELETE FROM t WHERE k = 11',
      'DELETE FROM t2 WHERE k = 12',
      'TRUNCATE t1',
      'ALTER TABLE t DETACH PARTITION t2',
      'INSERT INTO t VALUES (4, 1)',
      'UPDATE t2 SET v = 7',
      'INSERT INTO t2 VALUES (100, 1)',
    ],
  },
  {
    name: 'a partition with partitions and rows is attached, and one with other column numbers',
    setup: [
      'CREATE TABLE t (k int, v int) PARTITION BY LIST (k)',
      'CREATE TABLE sub (k int, v int) PARTITION BY RANGE (v)',
      'CREATE TABLE sub1 PARTITION OF sub FOR VALUES FROM (0) TO (100)',
      'CREATE TABLE odd (gone text, v int, k int)',
      'ALTER TABLE odd DROP COLUMN gone',
      'INSERT INTO sub VALUES (1, 1), (1, 2)',
      'INSERT INTO odd VALUES (5, 2), (6, 2)',
    ],
    views: { st: 'SELECT * FROM t', agg: GROUPED, tops: 'SELECT DISTINCT ON (k) k, v FROM t ORDER BY k, v DESC' },
    steps: [
      'ALTER TABLE t ATTACH PARTITION sub FOR VALUES IN (1)',
      'ALTER TABLE t ATTACH PARTITION odd FOR VALUES IN (2)',
      'INSERT INTO t VALUES (1, 3), (2, 3)',
      'INSERT INTO sub1 VALUES (1, 4)',
      'INSERT INTO odd (k, v) VALUES (2, 4)',
      'UPDATE t SET k = 3 - k',
      'CREATE TABLE sub2 PARTITION OF sub FOR VALUES FROM (100) TO (200)',
      'INSERT INTO sub2 VALUES (1, 150)',
      'UPDATE sub SET v = v + 100 WHERE v < 50',
      'ALTER TABLE sub DETACH PARTITION sub2',
      'DROP TABLE sub',
      'TRUNCATE odd',
    ],
  },
  {
    name: 'a keyed partitioned table with a default partition, and ON CONFLICT',
    setup: [
      'CREATE TABLE t (id int, k int, v int, PRIMARY KEY (id, k)) PARTITION BY LIST (k)',
      'CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1)',
      'CREATE TABLE td PARTITION OF t DEFAULT',
      'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i',
    ],
    views: { st: 'SELECT * FROM t', agg: GROUPED, self: 'SELECT a.id, b.v FROM t a LEFT JOIN t b ON b.id = a.v + 1' },
    steps: [
      'INSERT INTO t VALUES (1, 1, 5), (20, 1, 5), (21, 9, 9) ON CONFLICT (id, k) DO UPDATE SET v = EXCLUDED.v',
      'INSERT INTO td VALUES (22, 8, 8)',
      'UPDATE t SET k = 1 WHERE k = 2',
      'UPDATE td SET id = id + 100',
      'MERGE INTO t USING (VALUES (1, 1), (99, 1)) AS s(id, k) ON s.id = t.id AND s.k = t.k WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.k, 0)',
      'DELETE FROM t WHERE k = 1',
    ],
  },
  {
    name: 'inheritance of two levels and of two parents',
    setup: [
      'CREATE TABLE a (k int, v int)',
      'CREATE TABLE b (w int)',
      'CREATE TABLE c (x int) INHERITS (a, b)',
      'CREATE TABLE d () INHERITS (c)',
      'INSERT INTO a VALUES (1, 1)',
      'INSERT INTO c VALUES (1, 2, 3, 4)',
      'INSERT INTO d VALUES (2, 3, 4, 5)',
    ],
    views: {
      from_a: 'SELECT k, count(*), sum(v) FROM a GROUP BY k',
      from_b: 'SELECT w FROM b',
      from_c: 'SELECT k, w, x FROM c',
      only_c: 'SELECT k, w, x FROM ONLY c',
      joined: 'SELECT a.k, b.w FROM a JOIN b ON a.v = b.w',
    },
    steps: [
      'INSERT INTO d VALUES (1, 1, 1, 1)',
      'UPDATE a SET v = v + 1',
      'UPDATE b SET w = w + 1',
      'UPDATE ONLY c SET x = 0',
      'DELETE FROM c WHERE k = 2',
      'ALTER TABLE d NO INHERIT c',
      'INSERT INTO d VALUES (7, 7, 7, 7)',
      'ALTER TABLE d INHERIT c',
      'UPDATE b SET w = 7 WHERE w = 2',
      'TRUNCATE c',
      'DROP TABLE d',
    ],
  },
  {
    name: 'a child may hold NULL where its parent does not',
    since: 18,
    setup: [
      'CREATE TABLE a (id int, k int NOT NULL NO INHERIT, x int)',
      'CREATE TABLE d () INHERITS (a)',
      'INSERT INTO a VALUES (1, 1, 1), (2, 1, 2)',
      'INSERT INTO d VALUES (3, NULL, 4)',
    ],
    views: {
      grouped: 'SELECT k, count(*) AS n, sum(x) AS s FROM a GROUP BY k',
      once: 'SELECT DISTINCT k FROM a',
      above: 'SELECT n, count(*) AS m FROM (SELECT k, count(*) AS n FROM a GROUP BY k) q GROUP BY n',
    },
    steps: ['INSERT INTO d VALUES (4, NULL, 5), (5, 2, 1)', 'UPDATE a SET x = x + 1', 'DELETE FROM d WHERE k IS NULL'],
    way: 'fold',
  },
  {
    name: 'an inheritance child that is a source itself is detached and attached again',
    ...ATTACHES,
    setup: [
      'CREATE TABLE a (k int, v int)',
      'CREATE TABLE d () INHERITS (a)',
      'INSERT INTO a VALUES (1, 1)',
      'INSERT INTO d VALUES (2, 3)',
    ],
    views: {
      from_a: 'SELECT k, count(*), sum(v) FROM a GROUP BY k',
      from_d: 'SELECT * FROM d',
      mixed: 'SELECT a.k, d.v FROM a LEFT JOIN d USING (k)',
    },
    steps: [
      'INSERT INTO d VALUES (1, 1)',
      'ALTER TABLE d NO INHERIT a',
      'INSERT INTO d VALUES (7, 7)',
      'UPDATE a SET v = 0',
      'ALTER TABLE d INHERIT a',
      'UPDATE a SET v = v + 1',
      'UPDATE d SET k = 1 WHERE k = 7',
      'TRUNCATE a',
    ],
  },
  {
    name: 'generated and identity columns',
    setup: [
      'CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int GENERATED BY DEFAULT AS IDENTITY (START 10 INCREMENT 5), k int, v int, twice int GENERATED ALWAYS AS (v * 2) STORED)',
      'INSERT INTO t (k, v) SELECT i % 2, i FROM generate_series(1, 4) i',
    ],
    views: {
      st: 'SELECT * FROM t',
      agg: 'SELECT k, sum(twice), max(n) FROM t GROUP BY k',
      by_twice: 'SELECT twice, count(*) FROM t GROUP BY twice',
      self: 'SELECT a.id, b.id AS b FROM t a LEFT JOIN t b ON a.twice = b.v',
    },
    steps: [
      'INSERT INTO t (k, v) VALUES (1, 2), (1, 4)',
      'UPDATE t SET v = v + 1',
      'UPDATE t SET n = DEFAULT, v = DEFAULT WHERE id = 1',
      'INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (100, 1, 1, 1)',
      'ALTER TABLE t ALTER COLUMN twice SET EXPRESSION AS (v * 3)',
      'UPDATE t SET v = 1 WHERE id = 2',
      'ALTER TABLE t ALTER COLUMN twice DROP EXPRESSION',
      'UPDATE t SET twice = 5, v = 9 WHERE id = 3',
      'TRUNCATE t RESTART IDENTITY',
      'INSERT INTO t (k, v) VALUES (1, 2)',
    ],
  },
  {
    name: 'virtual generated columns in joins, keys and other expressions',
    since: 18,
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int, low int GENERATED ALWAYS AS (v % 3) VIRTUAL)',
      'CREATE TABLE u (low int, w int, plus int GENERATED ALWAYS AS (w + 1))',
      'INSERT INTO t (id, k, v) SELECT i, i % 2, i FROM generate_series(1, 8) i',
      'INSERT INTO u SELECT i % 4, i FROM generate_series(1, 6) i',
    ],
    views: {
      st: 'SELECT * FROM t',
      agg: 'SELECT low, count(*), sum(v) FROM t GROUP BY low',
      joined: 'SELECT t.id, u.plus FROM t JOIN u USING (low)',
      outer_join: 'SELECT t.id, u.plus FROM t LEFT JOIN u ON u.plus = t.low',
      tops: 'SELECT id, rank() OVER (PARTITION BY low ORDER BY v) FROM t',
      distinct_low: 'SELECT DISTINCT low FROM t',
    },
    steps: [
      'UPDATE t SET v = v + 1',
      'INSERT INTO u VALUES (2, 1)',
      'WITH x AS (UPDATE u SET w = w + 1) DELETE FROM t WHERE low = 1',
      'ALTER TABLE t ALTER COLUMN low SET EXPRESSION AS (v % 2)',
      'UPDATE t SET v = v + 1 WHERE id < 4',
      'INSERT INTO t (id, k, v) VALUES (50, 0, 50)',
      'DELETE FROM u WHERE plus > 3',
    ],
  },
  {
    name: 'an unlogged table, a table without columns, and one with only dropped columns',
    setup: [
      'CREATE UNLOGGED TABLE t (k int, v int)',
      'CREATE TABLE none ()',
      'CREATE TABLE gone (a int)',
      'INSERT INTO t VALUES (1, 1), (1, 1)',
      'INSERT INTO gone VALUES (1), (1)',
      'ALTER TABLE gone DROP COLUMN a',
      'INSERT INTO none DEFAULT VALUES',
    ],
    views: {
      agg: GROUPED,
      rows: 'SELECT * FROM t',
      nothing: 'SELECT FROM none',
      counted: 'SELECT count(*) FROM gone',
      product: 'SELECT t.v FROM t, none, gone',
    },
    steps: [
      'INSERT INTO t VALUES (2, 2)',
      'INSERT INTO none DEFAULT VALUES',
      'DELETE FROM gone WHERE ctid = (SELECT min(ctid) FROM gone)',
      'ALTER TABLE t SET LOGGED',
      'DELETE FROM t WHERE k = 1',
      'TRUNCATE none',
      'ALTER TABLE none ADD COLUMN a int',
      'INSERT INTO none VALUES (1)',
    ],
  },
  {
    name: 'duplicates in a source without a key',
    setup: [
      'CREATE TABLE t (k int, v int)',
      'CREATE TABLE u (k int)',
      'INSERT INTO t VALUES (1, 1), (1, 1), (1, 1), (NULL, NULL), (NULL, NULL)',
      'INSERT INTO u VALUES (1), (1), (NULL)',
    ],
    views: {
      st: 'SELECT * FROM t',
      v_only: 'SELECT v FROM t',
      agg: GROUPED,
      joined: 'SELECT t.v FROM t JOIN u USING (k)',
      outer_join: 'SELECT t.v, u.k FROM t LEFT JOIN u USING (k)',
      numbered: 'SELECT k, row_number() OVER (PARTITION BY k) FROM t',
      semi: 'SELECT v FROM t WHERE k IN (SELECT k FROM u)',
    },
    steps: [
      'DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE k = 1)',
      'INSERT INTO t SELECT * FROM t',
      'UPDATE t SET v = 2 WHERE ctid = (SELECT max(ctid) FROM t WHERE k = 1)',
      'DELETE FROM u WHERE ctid = (SELECT min(ctid) FROM u)',
      'UPDATE t SET k = 1 WHERE k IS NULL',
      'DELETE FROM t WHERE ctid = ANY (ARRAY(SELECT min(ctid) FROM t GROUP BY v))',
    ],
  },
  {
    name: 'domains, enums, composite types, arrays and ranges',
    setup: [
      "CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad')",
      'CREATE DOMAIN small AS int CHECK (VALUE < 100)',
      'CREATE TYPE pair AS (a int, b text)',
      'CREATE DOMAIN pairs AS pair[]',
      'CREATE TABLE t (id int PRIMARY KEY, m mood, n small, p pair, l int[], r int4range, mr int4multirange, ps pairs)',
      `INSERT INTO t VALUES (1, 'sad', 1, (1, 'x'), '{1,2}', '[1,5)', '{[1,2),[3,4)}', NULL), (2, 'glad', 1, (1, 'y'), '{}', 'empty', '{}', ARRAY[(1, 'x')::pair]),
        (3, 'sad', NULL, NULL, NULL, NULL, NULL, NULL), (4, 'ok', 2, (1, 'x'), '{1,2}', '[1,4]', NULL, '{}')`,
    ],
    views: {
      st: 'SELECT * FROM t',
      by_mood: 'SELECT m, count(*), max(n), min(m) FROM t GROUP BY m',
      top_mood: 'SELECT n, max(m), sum(n) FROM t GROUP BY n',
      by_pair: 'SELECT p, count(*) FROM t GROUP BY p',
      by_list: 'SELECT l, r, count(*) FROM t GROUP BY l, r',
      fields: 'SELECT (p).a, (p).b, l[1] AS first, lower(r) AS low, m::text AS label FROM t',
      pairs_: 'SELECT a.id, b.id AS b FROM t a JOIN t b ON a.p = b.p AND a.r = b.r',
      overlap: 'SELECT a.id, b.id AS b FROM t a LEFT JOIN t b ON a.r && b.r AND a.id < b.id',
      distinct_r: 'SELECT DISTINCT r, m FROM t',
      ordered: 'SELECT id, rank() OVER (PARTITION BY n ORDER BY m) FROM t',
      unnested: 'SELECT id, x FROM t, unnest(l) x',
    },
    steps: [
      `INSERT INTO t VALUES (5, 'ok', 7, (2, NULL), '{NULL,3}', '(,3)', '{(,3)}', ARRAY[NULL, (NULL, NULL)]::pair[])`,
      "UPDATE t SET m = 'glad', n = 9 WHERE m = 'sad'",
      'UPDATE t SET p.b = $$z$$, l[2] = 7 WHERE id = 4',
      '!UPDATE t SET n = 200 WHERE id = 1',
      "ALTER TYPE mood RENAME VALUE 'glad' TO 'happy'",
      "INSERT INTO t (id, m) VALUES (6, 'happy')",
      "ALTER TYPE mood ADD VALUE 'furious' BEFORE 'sad'",
      "INSERT INTO t (id, m, n) VALUES (7, 'furious', 9)",
      'UPDATE t SET r = r * int4range(2, 9), mr = mr + int4multirange(int4range(7, 8))',
      'ALTER TYPE pair ADD ATTRIBUTE c int',
      "UPDATE t SET p = (5, 'q', 6) WHERE id = 2",
      'ALTER DOMAIN small DROP CONSTRAINT small_check',
      'UPDATE t SET n = 200 WHERE id = 1',
      'DELETE FROM t WHERE id > 2',
    ],
  },
  {
    name: 'a collation under which different texts are equal',
    setup: [
      "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
      'CREATE TABLE t (id int PRIMARY KEY, s text COLLATE ci, v int)',
      'CREATE TABLE u (s text COLLATE ci, w int)',
      "INSERT INTO t VALUES (1, 'a', 1), (2, 'A', 2), (3, 'b', 3), (4, NULL, 4)",
      "INSERT INTO u VALUES ('A', 1), ('a', 2), ('B', 3)",
    ],
    views: {
      agg: { query: 'SELECT s, count(*), sum(v) FROM t GROUP BY s', freeSpelling: true },
      uniq: { query: 'SELECT DISTINCT s FROM t', freeSpelling: true },
      joined: 'SELECT t.id, u.w FROM t JOIN u USING (s)',
      outer_join: 'SELECT t.id, u.w FROM t LEFT JOIN u USING (s)',
      least: { query: 'SELECT v % 2 AS odd, min(s), max(s) FROM t GROUP BY 1', freeSpelling: true },
      merged: { query: 'SELECT s FROM t UNION SELECT s FROM u', freeSpelling: true },
      ranked: 'SELECT id, dense_rank() OVER (ORDER BY s) FROM t',
      rows: 'SELECT s, v FROM t',
    },
    steps: [
      'DELETE FROM t WHERE id = 1',
      "INSERT INTO t VALUES (5, 'B', 5), (6, 'ä', 6), (7, 'Ä', 7)",
      "UPDATE t SET s = upper(s) WHERE s = 'b'",
      "UPDATE u SET s = 'ä' WHERE w = 1",
      "DELETE FROM u WHERE s = 'a'",
      "UPDATE t SET s = 'a' WHERE s IS NULL",
      'DELETE FROM t WHERE v < 6',
    ],
  },
  {
    name: 'row-level security, also forced on the owner',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)',
      'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
      'ALTER TABLE t FORCE ROW LEVEL SECURITY',
      'CREATE POLICY odd ON t USING (k % 2 = 1)',
    ],
    views: { st: 'SELECT * FROM t', agg: GROUPED },
    steps: [
      'INSERT INTO t VALUES (3, 1, 3)',
      'UPDATE t SET k = 2',
      'ALTER TABLE t DISABLE ROW LEVEL SECURITY',
      'INSERT INTO t VALUES (4, 4, 4)',
      'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
      'DELETE FROM t WHERE id = 1',
    ],
  },
])

test("citext: text that is equal regardless of case, from one of PGlite's extensions", async () => {
  const { citext } = (await import(`${MODULE_NAME}/contrib/citext`)) as Record<string, TrickleExtension>
  const lab = await new Lab().open((await openWith({ trickle, citext: citext! })) as Database)
  try {
    await lab.exec(`CREATE EXTENSION citext; CREATE TABLE t (id int PRIMARY KEY, s citext, v int);
      CREATE TABLE u (s citext PRIMARY KEY, w int);
      INSERT INTO t VALUES (1, 'a', 1), (2, 'A', 2), (3, 'b', 3), (4, NULL, 4), (5, 'B', 5);
      INSERT INTO u VALUES ('A', 1), ('b', 2)`)
    const free = { freeSpelling: true }
    await lab.create('agg', 'SELECT s, count(*), sum(v) FROM t GROUP BY s', free)
    await lab.create('uniq', 'SELECT DISTINCT s FROM t', free)
    await lab.create('least', 'SELECT v % 2 AS odd, min(s), max(s), count(DISTINCT s) FROM t GROUP BY 1', free)
    await lab.create('merged', 'SELECT s FROM t UNION SELECT s FROM u', free)
    await lab.create('common', 'SELECT s FROM t INTERSECT ALL SELECT s FROM u', free)
    await lab.create('joined', 'SELECT t.id, u.w FROM t JOIN u USING (s)')
    await lab.create('outer_join', 'SELECT t.id, u.w FROM t LEFT JOIN u USING (s)')
    await lab.create('like_a', "SELECT id, s FROM t WHERE s = 'a'")
    await lab.create('exists_', 'SELECT id FROM t WHERE EXISTS (SELECT FROM u WHERE u.s = t.s)')
    await lab.create('ranked', 'SELECT id, dense_rank() OVER (ORDER BY s) FROM t')
    await lab.create('over', 'SELECT s, count FROM agg WHERE count > 1', free)
    await lab.create('rows', 'SELECT s, v FROM t')
    for (const sql of [
      'DELETE FROM t WHERE id = 1',
      "INSERT INTO t VALUES (6, 'a', 6), (7, 'Ab', 7), (8, 'aB', 7)",
      "UPDATE t SET s = upper(s::text)::citext WHERE s = 'B'",
      "UPDATE u SET s = 'a' WHERE s = 'A'",
      "INSERT INTO u VALUES ('AB', 3), ('a', 9) ON CONFLICT (s) DO UPDATE SET s = EXCLUDED.s, w = EXCLUDED.w",
      "UPDATE t SET s = 'A' WHERE s IS NULL",
      "DELETE FROM u WHERE s = 'A'",
      'DELETE FROM t WHERE v < 7',
      'TRUNCATE u',
    ])
      await lab.run(sql)
    await lab.checkRefresh(false)
  } finally {
    await lab.close()
  }
})

test.skipIf(MAJOR > 17 || IS_NATIVE)(
  'PostgreSQL 17 cannot attach a table that is a source itself, until its stream table is dropped',
  async () => {
    const lab = await new Lab().open()
    try {
      await lab.exec('CREATE TABLE t (k int, v int) PARTITION BY RANGE (k); CREATE TABLE t2 (k int, v int)')
      await lab.exec('INSERT INTO t2 VALUES (1, 1)')
      await lab.create('whole', 'SELECT k, sum(v) FROM t GROUP BY k')
      await lab.create('part', 'SELECT * FROM t2')
      const attach = 'ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (0) TO (10)'
      expect(await lab.fails(attach)).toMatchObject({ code: '0A000', message: expect.stringContaining('__pgt_') })
      await lab.run('INSERT INTO t2 VALUES (2, 2)')
      lab.forget('part')
      await lab.pg.trickle.dropStreamTable('part')
      await lab.run(attach)
      await lab.create('part', 'SELECT * FROM t2')
      await lab.run('INSERT INTO t VALUES (3, 3)')
      await lab.run('UPDATE t2 SET v = 9')
    } finally {
      await lab.close()
    }
  },
)
