import { runCases } from './support/cases.js'

const GROUPED = 'SELECT k, count(*), sum(v), max(v) FROM t GROUP BY k'

runCases('every kind of statement', [
  {
    name: 'ON CONFLICT',
    setup: ['CREATE TABLE t (id int PRIMARY KEY, k int, v int)', 'INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)'],
    views: { st: 'SELECT * FROM t WHERE v > 1', agg: GROUPED, distinct_k: 'SELECT DISTINCT k FROM t' },
    steps: [
      'INSERT INTO t VALUES (1, 5, 5), (3, 1, 1) ON CONFLICT (id) DO UPDATE SET k = EXCLUDED.k, v = t.v + 10',
      'INSERT INTO t VALUES (1, 9, 9), (2, 9, 9) ON CONFLICT DO NOTHING',
      'INSERT INTO t VALUES (1, 9, 9), (4, 9, 9) ON CONFLICT DO NOTHING',
      'INSERT INTO t VALUES (1, 9, 9), (2, 9, 9) ON CONFLICT (id) DO UPDATE SET v = 0 WHERE t.k = 5',
      'INSERT INTO t SELECT i, i % 2, i FROM generate_series(1, 20) i ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v',
      '!INSERT INTO t VALUES (30, 1, 1), (30, 1, 1) ON CONFLICT (id) DO UPDATE SET v = 0',
      '!INSERT INTO t VALUES (31, 1, 1), (1, 1, 1)',
    ],
  },
  {
    name: 'MERGE',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'CREATE TABLE s (id int, v int)',
      'INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)',
      'INSERT INTO s VALUES (1, 0), (2, 20), (4, 40)',
    ],
    views: {
      st: 'SELECT * FROM t',
      agg: GROUPED,
      joined: 'SELECT t.k, count(*), sum(s.v) FROM t JOIN s USING (id) GROUP BY t.k',
    },
    steps: [
      `MERGE INTO t USING s ON s.id = t.id WHEN MATCHED AND s.v = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v
        WHEN NOT MATCHED THEN INSERT VALUES (s.id, 9, s.v) WHEN NOT MATCHED BY SOURCE THEN UPDATE SET k = 7`,
      'MERGE INTO t USING s ON s.id = t.id WHEN MATCHED THEN DO NOTHING',
      'MERGE INTO s USING t ON s.id = t.id AND false WHEN NOT MATCHED THEN INSERT VALUES (t.id, t.v)',
      'MERGE INTO t USING t AS o ON o.id = t.id WHEN MATCHED THEN DELETE',
    ],
  },
  {
    name: 'data-modifying CTEs over both sources of a join',
    setup: [
      'CREATE TABLE a (id int PRIMARY KEY, k int)',
      'CREATE TABLE b (id int PRIMARY KEY, k int, v int)',
      'INSERT INTO a SELECT i, i % 3 FROM generate_series(1, 6) i',
      'INSERT INTO b SELECT i, i % 3, i FROM generate_series(1, 6) i',
    ],
    views: {
      st: 'SELECT a.id AS a, b.id AS b, b.v FROM a JOIN b USING (k)',
      agg: 'SELECT k, count(*), sum(b.v), min(b.v), max(b.v) FROM a JOIN b USING (k) GROUP BY k',
      outer_join: 'SELECT a.id AS a, b.id AS b FROM a LEFT JOIN b USING (k)',
      self: 'SELECT x.id AS x, y.id AS y FROM b x JOIN b y ON x.k = y.k JOIN a ON a.id = x.id',
    },
    steps: [
      'WITH x AS (INSERT INTO a VALUES (10, 1) RETURNING k) INSERT INTO b SELECT 10, k, 100 FROM x',
      'WITH x AS (DELETE FROM a WHERE k = 1) DELETE FROM b WHERE k = 1',
      'WITH x AS (UPDATE a SET k = 5 WHERE k = 2) UPDATE b SET k = 5 WHERE k = 2',
      'WITH x AS (UPDATE a SET k = k + 1), y AS (UPDATE b SET k = k + 1), z AS (INSERT INTO b VALUES (20, 6, 6)) SELECT 1',
      'WITH x AS (UPDATE b SET v = 0 WHERE id = 3), y AS (UPDATE b SET v = 1 WHERE id = 6), z AS (DELETE FROM b WHERE id = 20) INSERT INTO b VALUES (21, 6, 2)',
      'WITH x AS (DELETE FROM a RETURNING *), y AS (DELETE FROM b RETURNING *) SELECT count(*) FROM x, y',
      'WITH x AS (INSERT INTO a VALUES (1, 1)), y AS (INSERT INTO b VALUES (1, 1, 1)) SELECT 1',
      'WITH x AS (SELECT * FROM a), y AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT id + 1, k, 2 FROM x WHERE EXISTS (SELECT FROM y)',
    ],
  },
  {
    name: 'two changes of one table in one statement, of different columns',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int, unread int)',
      'INSERT INTO t SELECT i, i % 2, i, 0 FROM generate_series(1, 8) i',
    ],
    views: { st: 'SELECT id, v FROM t', agg: GROUPED, distinct_v: 'SELECT DISTINCT v FROM t' },
    steps: [
      'WITH w AS (UPDATE t SET unread = 1 WHERE id = 1) UPDATE t SET v = 9 WHERE id = 2',
      'WITH w AS (UPDATE t SET v = 11 WHERE id = 3) UPDATE t SET unread = 9 WHERE id = 4',
      'WITH w AS (UPDATE t SET k = 5 WHERE id = 5), x AS (UPDATE t SET v = 5 WHERE id = 6) UPDATE t SET unread = 9 WHERE id = 7',
      'WITH w AS (INSERT INTO t VALUES (8, 1, 1, 1) ON CONFLICT (id) DO UPDATE SET unread = 1) UPDATE t SET v = 0 WHERE id = 1',
      'WITH w AS (INSERT INTO t VALUES (8, 1, 1, 1) ON CONFLICT (id) DO UPDATE SET v = 77) UPDATE t SET unread = 0 WHERE id = 1',
      'WITH w AS (UPDATE t SET unread = 3 RETURNING id) DELETE FROM t WHERE id = 1',
    ],
  },
  {
    name: 'foreign keys that cascade over several levels',
    setup: [
      'CREATE TABLE p (id int PRIMARY KEY, label text)',
      'CREATE TABLE c (id int PRIMARY KEY, p_id int REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE)',
      'CREATE TABLE g (id int PRIMARY KEY, c_id int REFERENCES c ON DELETE CASCADE, n_id int DEFAULT 0 REFERENCES p ON DELETE SET NULL ON UPDATE SET NULL)',
      "INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, 'c')",
      'INSERT INTO c VALUES (1, 1), (2, 1), (3, 2)',
      'INSERT INTO g VALUES (1, 1, 2), (2, 1, 3), (3, 2, NULL), (4, 3, 1)',
    ],
    views: {
      three: 'SELECT p.label, c.id AS c, g.id AS g FROM p JOIN c ON c.p_id = p.id JOIN g ON g.c_id = c.id',
      agg: 'SELECT p.label, count(*) FROM p JOIN c ON c.p_id = p.id GROUP BY p.label',
      nulls: 'SELECT count(*) FILTER (WHERE n_id IS NULL) AS n, count(*) AS all_rows FROM g',
      ends: 'SELECT p.id AS p, g.id AS g FROM p JOIN g ON g.n_id = p.id',
      outer_join: 'SELECT p.id, g.id AS g FROM p LEFT JOIN g ON g.n_id = p.id',
    },
    steps: [
      'UPDATE p SET id = id + 10',
      'DELETE FROM p WHERE id = 11',
      'UPDATE p SET id = 50 WHERE id = 12',
      '!UPDATE c SET p_id = 99',
      "INSERT INTO p VALUES (1, 'z'); INSERT INTO c VALUES (9, 1); INSERT INTO g VALUES (9, 9, 1)",
      'DELETE FROM p',
    ],
  },
  {
    name: 'a table that references itself',
    setup: [
      'CREATE TABLE n (id int PRIMARY KEY, up int REFERENCES n ON DELETE CASCADE ON UPDATE CASCADE, v int)',
      'INSERT INTO n VALUES (1, NULL, 1), (2, 1, 2), (3, 1, 3), (4, 2, 4), (5, 4, 5)',
    ],
    views: {
      st: 'SELECT * FROM n',
      pairs: 'SELECT c.id AS c, p.id AS p FROM n c JOIN n p ON c.up = p.id',
      agg: 'SELECT up, count(*), sum(v) FROM n GROUP BY up',
    },
    steps: [
      'UPDATE n SET id = id + 100',
      'UPDATE n SET id = 7, v = 0 WHERE id = 102',
      'UPDATE n SET id = -id, v = v + 1',
      'DELETE FROM n WHERE id = -7',
      'DELETE FROM n WHERE up IS NULL',
    ],
  },
  {
    name: "users' triggers that write to the same and to other sources, change rows and suppress them",
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'CREATE TABLE log (id int, what text)',
      'INSERT INTO t VALUES (1, 1, 1)',
      `CREATE FUNCTION before_row() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'DELETE' THEN RETURN CASE WHEN OLD.v = 99 THEN NULL ELSE OLD END; END IF;
          IF NEW.v < 0 THEN RETURN NULL; END IF;
          INSERT INTO log VALUES (NEW.id, 'before');
          NEW.v := NEW.v + 1000;
          RETURN NEW;
        END $$`,
      `CREATE FUNCTION after_row() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO log VALUES (coalesce(NEW.id, OLD.id), TG_OP);
          IF TG_OP = 'INSERT' AND NEW.id < 10 THEN INSERT INTO t VALUES (NEW.id + 10, NEW.k, 1); END IF;
          IF TG_OP = 'INSERT' AND NEW.id = 12 THEN UPDATE t SET k = 77 WHERE id = 12; END IF;
          RETURN NULL;
        END $$`,
      `CREATE FUNCTION after_statement() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          DELETE FROM log WHERE what = 'before';
          RETURN NULL;
        END $$`,
      'CREATE TRIGGER aaa BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION before_row()',
      'CREATE TRIGGER zzz AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION after_row()',
      'CREATE TRIGGER zzzz AFTER DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION after_statement()',
    ],
    views: {
      st: 'SELECT * FROM t',
      agg: GROUPED,
      joined: 'SELECT t.k, log.what, count(*) FROM t JOIN log USING (id) GROUP BY t.k, log.what',
      outer_join: 'SELECT t.id, log.what FROM t LEFT JOIN log USING (id)',
    },
    steps: [
      'INSERT INTO t VALUES (2, 2, 2), (3, 3, -3)',
      'UPDATE t SET v = v + 1',
      'UPDATE t SET v = 99 - 1000 WHERE id = 1',
      'UPDATE t SET v = -5',
      'INSERT INTO t VALUES (4, 4, 4), (5, 5, 5)',
      'DELETE FROM t WHERE id IN (1, 2)',
      'WITH x AS (DELETE FROM log) INSERT INTO t VALUES (6, 6, 6)',
      'DELETE FROM t',
    ],
  },
  {
    name: 'rules, functions that write, and DO blocks',
    setup: [
      'CREATE TABLE t (id int, k int, v int)',
      'CREATE TABLE u (id int)',
      'CREATE VIEW front AS SELECT * FROM t WHERE k > 0',
      'CREATE RULE also AS ON INSERT TO u DO ALSO INSERT INTO t VALUES (NEW.id, 1, NEW.id)',
      'CREATE FUNCTION add_rows(n int) RETURNS int LANGUAGE sql AS $$ INSERT INTO t SELECT i, i % 2, i FROM generate_series(1, n) i; DELETE FROM u; SELECT n $$',
      'CREATE FUNCTION from_select(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET v = v + n; DELETE FROM t WHERE v = n; RETURN n; END $$',
      'CREATE PROCEDURE proc() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (50, 50, 50); COMMIT; INSERT INTO u VALUES (51); ROLLBACK; INSERT INTO u VALUES (52); END $$',
    ],
    views: { st: 'SELECT * FROM t', agg: GROUPED, joined: 'SELECT u.id, t.v FROM t JOIN u USING (id)' },
    steps: [
      'INSERT INTO u VALUES (1), (2)',
      'SELECT add_rows(5)',
      'SELECT from_select(g) FROM generate_series(1, 4) g',
      'INSERT INTO front VALUES (7, 7, 7)',
      'UPDATE front SET v = 0 WHERE id = 7',
      'DELETE FROM front WHERE k = 1',
      'DO $$ BEGIN FOR i IN 1..5 LOOP INSERT INTO t VALUES (i, 1, i); UPDATE t SET k = 2 WHERE id = i; DELETE FROM t WHERE v = i - 1; END LOOP; END $$',
      'CALL proc()',
      'SELECT id FROM u WHERE add_rows(2) = 2',
    ],
  },
  {
    name: 'TRUNCATE of one table and of several, with CASCADE and RESTART IDENTITY',
    setup: [
      'CREATE TABLE p (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int)',
      'CREATE TABLE c (id int, p_id int REFERENCES p)',
      'CREATE TABLE x (id int)',
      'INSERT INTO p (v) VALUES (1), (2)',
      'INSERT INTO c VALUES (1, 1), (2, 2), (3, 2)',
      'INSERT INTO x VALUES (1), (2)',
    ],
    views: {
      joined: 'SELECT p.v, c.id FROM p JOIN c ON c.p_id = p.id',
      agg: 'SELECT p.v, count(*) FROM p JOIN c ON c.p_id = p.id JOIN x ON x.id = p.id GROUP BY p.v',
      total: 'SELECT count(*), sum(v) FROM p',
      missing: 'SELECT id FROM x WHERE NOT EXISTS (SELECT FROM c WHERE c.id = x.id)',
      outer_join: 'SELECT x.id, c.p_id FROM x LEFT JOIN c USING (id)',
    },
    steps: [
      'TRUNCATE c',
      'INSERT INTO c VALUES (1, 1), (5, 2)',
      'TRUNCATE p RESTART IDENTITY CASCADE',
      'INSERT INTO p (v) VALUES (7), (8)',
      'INSERT INTO c VALUES (1, 1), (5, 2)',
      'BEGIN; TRUNCATE c; INSERT INTO c VALUES (2, 2); TRUNCATE x; COMMIT',
      'BEGIN; TRUNCATE c, p; ROLLBACK',
      'TRUNCATE x, c, p',
      'TRUNCATE x',
    ],
  },
  {
    name: 'a partitioned source, changed through the root and directly',
    setup: [
      'CREATE TABLE t (k int, v int, s text) PARTITION BY RANGE (k)',
      'CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)',
      'CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20) PARTITION BY LIST (s)',
      "CREATE TABLE t2a PARTITION OF t2 FOR VALUES IN ('a')",
      'CREATE TABLE t2d PARTITION OF t2 DEFAULT',
      "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (11, 3, 'a'), (12, 4, 'b')",
    ],
    views: {
      st: 'SELECT * FROM t',
      agg: GROUPED,
      joined: 'SELECT x.v, y.v AS w FROM t x JOIN t y ON x.s = y.s',
    },
    steps: [
      "INSERT INTO t VALUES (3, 3, 'c'), (13, 3, 'a')",
      "INSERT INTO t1 VALUES (4, 4, 'd')",
      "INSERT INTO t2 VALUES (14, 4, 'a'), (15, 5, 'z')",
      "INSERT INTO t2d VALUES (16, 6, 'y')",
      'UPDATE t SET k = k + 9 WHERE k IN (1, 2)',
      "UPDATE t2 SET s = 'a'",
      'UPDATE t1 SET v = -v',
      'DELETE FROM t2a WHERE k = 11',
      'DELETE FROM t WHERE v < 0',
      'TRUNCATE t2a',
      'TRUNCATE t',
    ],
  },
  {
    name: 'MERGE that moves rows from one partition to another',
    setup: [
      'CREATE TABLE t (id int, k int, v int) PARTITION BY RANGE (k)',
      'CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)',
      'CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20) PARTITION BY LIST (v)',
      'CREATE TABLE t2a PARTITION OF t2 FOR VALUES IN (1, 2, 3)',
      'CREATE TABLE t2d PARTITION OF t2 DEFAULT',
      'CREATE TABLE s (id int, k int)',
      'INSERT INTO t SELECT i, i, i FROM generate_series(1, 12) i',
      'INSERT INTO s SELECT i, (i * 7) % 20 FROM generate_series(1, 15) i',
      `CREATE FUNCTION merge_all() RETURNS void LANGUAGE sql AS $$
        MERGE INTO t USING s ON s.id = t.id WHEN MATCHED AND t.k <> 0 THEN UPDATE SET k = 19 - t.k $$`,
    ],
    views: {
      st: 'SELECT * FROM t',
      agg: GROUPED,
      joined: 'SELECT t.id, t.k, s.k AS other FROM t JOIN s USING (id)',
      of_part: 'SELECT v, count(*) FROM t2 GROUP BY v',
    },
    way: 'incremental',
    steps: [
      'MERGE INTO t USING s ON s.id = t.id WHEN MATCHED THEN UPDATE SET k = s.k',
      'MERGE INTO t USING s ON s.id = t.id WHEN MATCHED THEN UPDATE SET k = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.k, 0)',
      'MERGE INTO t USING s ON s.id = t.id WHEN MATCHED AND s.k = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET k = s.k',
      'MERGE INTO t USING s ON s.id = t.id WHEN MATCHED AND t.v = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET k = 19 - t.k WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.k, 0)',
      'MERGE INTO t2 AS t USING s ON s.id = t.id WHEN MATCHED THEN UPDATE SET v = 5 - t.v',
      'SELECT merge_all()',
      'BEGIN; SAVEPOINT a; SELECT merge_all(); ROLLBACK TO a; UPDATE t SET v = v + 1; SELECT merge_all(); COMMIT',
      'WITH x AS (MERGE INTO t USING s ON s.id = t.id WHEN MATCHED THEN UPDATE SET k = s.k) UPDATE s SET k = k + 1',
      'WITH x AS (MERGE INTO t USING s ON s.id = t.id AND s.id < 5 WHEN MATCHED THEN UPDATE SET k = s.id) UPDATE t SET v = 1 WHERE id > 6',
      'UPDATE t SET k = 19 - k',
      'UPDATE t SET v = v + 1',
    ],
  },
  {
    name: 'partitions are attached and detached',
    setup: [
      'CREATE TABLE t (k int, v int) PARTITION BY RANGE (k)',
      'CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)',
      'CREATE TABLE t2 (k int, v int)',
      'INSERT INTO t VALUES (1, 1)',
      'INSERT INTO t2 VALUES (11, 2), (11, 3)',
    ],
    views: { st: 'SELECT * FROM t', agg: GROUPED },
    steps: [
      'CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (20) TO (30)',
      'INSERT INTO t3 VALUES (21, 1)',
      'INSERT INTO t VALUES (22, 1)',
      'ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (10) TO (20)',
      'INSERT INTO t2 VALUES (12, 4)',
      'UPDATE t2 SET v = 5',
      'ALTER TABLE t DETACH PARTITION t1',
      'INSERT INTO t1 VALUES (2, 2)',
      'DROP TABLE t3',
      'DELETE FROM t',
    ],
  },
  {
    name: 'inheritance children, changed directly and through the parent',
    setup: [
      'CREATE TABLE p (k int, v int)',
      'CREATE TABLE c (extra text) INHERITS (p)',
      'INSERT INTO p VALUES (1, 1)',
      "INSERT INTO c VALUES (1, 2, 'x'), (2, 3, 'y')",
    ],
    views: {
      st: 'SELECT * FROM p',
      agg: 'SELECT k, count(*), sum(v) FROM p GROUP BY k',
      parent_only: 'SELECT * FROM ONLY p',
      child: 'SELECT * FROM c',
    },
    steps: [
      "INSERT INTO c VALUES (3, 3, 'z')",
      'UPDATE p SET v = v + 1',
      'UPDATE ONLY p SET v = 0',
      "UPDATE c SET extra = 'unread', k = 1",
      'DELETE FROM ONLY p',
      'DELETE FROM p WHERE v = 3',
      'TRUNCATE ONLY p',
      'TRUNCATE p',
    ],
  },
  {
    name: 'inheritance children are added and removed',
    setup: [
      'CREATE TABLE p (k int, v int)',
      'CREATE TABLE c (k int, v int)',
      'INSERT INTO p VALUES (1, 1)',
      'INSERT INTO c VALUES (1, 2)',
    ],
    views: { st: 'SELECT * FROM p', agg: 'SELECT k, count(*), sum(v) FROM p GROUP BY k' },
    steps: [
      'CREATE TABLE d () INHERITS (p)',
      'INSERT INTO d VALUES (9, 9)',
      'ALTER TABLE c INHERIT p',
      'UPDATE c SET v = 5',
      'ALTER TABLE d NO INHERIT p',
      'INSERT INTO d VALUES (8, 8)',
      'DROP TABLE c',
    ],
  },
  {
    name: 'columns of a source are dropped and added',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, gone text, k int, v int)',
      "INSERT INTO t VALUES (1, 'x', 1, 1), (2, 'y', 2, 2)",
    ],
    views: {
      st: 'SELECT id, k, v FROM t',
      agg: GROUPED,
      whole: 'SELECT t.k + 1 AS k1, v FROM t WHERE id > 1',
    },
    steps: [
      'ALTER TABLE t DROP COLUMN gone',
      'UPDATE t SET v = v + 1',
      'INSERT INTO t VALUES (3, 1, 3)',
      'ALTER TABLE t ADD COLUMN fresh int DEFAULT 7',
      'UPDATE t SET fresh = 1, k = 2 WHERE id = 1',
      'INSERT INTO t VALUES (4, 1, 3, 5)',
      'DELETE FROM t WHERE id < 3',
    ],
  },
  {
    name: 'virtual generated columns',
    since: 18,
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int GENERATED ALWAYS AS (id * 3))',
      'INSERT INTO t VALUES (1, 1), (2, 1)',
    ],
    views: { st: 'SELECT * FROM t', agg: GROUPED },
    steps: [
      'INSERT INTO t VALUES (3, 2)',
      'UPDATE t SET id = id + 10',
      'UPDATE t SET k = 2',
      'DELETE FROM t WHERE id = 11',
      'TRUNCATE t',
    ],
  },
  {
    name: 'settings that change the text of values',
    setup: [
      'CREATE TABLE t (d date, i interval, f float8, b bytea, ts timestamptz, s text)',
      "INSERT INTO t VALUES ('2026-02-01', '1 day 2 hours', 0.1, '\\xff', '2026-01-01 00:00+00', 'a''b')",
    ],
    views: {
      st: 'SELECT * FROM t',
      keys: 'SELECT d, i, f, b, ts, count(*) FROM t GROUP BY d, i, f, b, ts',
      literals:
        "SELECT d + interval '1 mon' AS d, s || E'\\\\n''' AS s FROM t WHERE d > DATE '2026-01-31' AND f > 0.05",
    },
    steps: [
      "SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'; SET TimeZone = 'Asia/Tokyo'; SET extra_float_digits = -3; SET bytea_output = 'escape'",
      "INSERT INTO t VALUES ('01.02.2026', '3 days', 0.30000000000000004, 'abc', '2026-01-01 00:00+00', NULL)",
      'SET standard_conforming_strings = off',
      'UPDATE t SET f = f * 2',
      'DELETE FROM t WHERE s IS NULL',
      'RESET ALL; SET search_path = test, public',
      'DELETE FROM t',
    ],
  },
  {
    name: 'a search_path that differs from the one at creation',
    setup: [
      'CREATE TABLE t (k int, v int)',
      'CREATE SCHEMA other',
      'CREATE TABLE other.t (k text, v text)',
      'CREATE FUNCTION double(int) RETURNS int IMMUTABLE LANGUAGE sql RETURN $1 * 2',
      'CREATE FUNCTION other.double(int) RETURNS int IMMUTABLE LANGUAGE sql RETURN 0',
      'CREATE OPERATOR other.= (leftarg = int, rightarg = int, function = int4ne)',
      'INSERT INTO t VALUES (1, 1)',
    ],
    views: {
      'test.st': { query: 'SELECT k, double(v) AS v FROM t WHERE k = v', frozen: true },
      'test.agg': { query: GROUPED, frozen: true },
      'test.joined': { query: 'SELECT x.k FROM t x JOIN t y ON x.k = y.v', frozen: true },
    },
    steps: [
      'SET search_path = other, pg_catalog',
      'INSERT INTO test.t VALUES (2, 2), (3, 1)',
      'SET search_path = $$$$',
      'UPDATE test.t SET v = v + 1',
      'SET search_path = other, pg_temp, pg_catalog',
      'DELETE FROM test.t WHERE k OPERATOR(pg_catalog.=) 1',
      'SET search_path = test, public',
      'TRUNCATE t',
      'DROP SCHEMA other CASCADE',
    ],
  },
  {
    name: 'ON CONFLICT with BEFORE triggers that change the keys',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int, UNIQUE (k))',
      'INSERT INTO t SELECT i, i, i FROM generate_series(1, 5) i',
      `CREATE FUNCTION bend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'INSERT' THEN NEW.id := NEW.id % 10; ELSE NEW.k := NEW.k + 100; NEW.id := NEW.id + 1000; END IF;
        IF NEW.v = 13 THEN RETURN NULL; END IF;
        RETURN NEW; END $$`,
      'CREATE TRIGGER bend BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION bend()',
    ],
    views: {
      st: 'SELECT * FROM t',
      agg: 'SELECT k % 3 AS k, count(*), sum(v), min(id) FROM t GROUP BY 1',
      self: 'SELECT x.id, y.id AS y FROM t x LEFT JOIN t y ON y.k = x.id',
      tops: 'SELECT DISTINCT ON (v) v, id FROM t ORDER BY v, id',
    },
    steps: [
      'INSERT INTO t VALUES (11, 50, 50), (12, 51, 51), (27, 52, 52) ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v',
      'INSERT INTO t VALUES (33, 60, 13), (34, 3, 61) ON CONFLICT DO NOTHING',
      'INSERT INTO t VALUES (33, 3, 70) ON CONFLICT (k) DO UPDATE SET v = 13',
      '!INSERT INTO t VALUES (33, 3, 70), (43, 4, 70) ON CONFLICT (id) DO UPDATE SET id = t.id',
      'INSERT INTO t SELECT i, i + 200, i FROM generate_series(1, 9) i ON CONFLICT (id) DO UPDATE SET k = EXCLUDED.k WHERE t.v > 3',
      'UPDATE t SET id = -id WHERE id = 9',
    ],
  },
  {
    name: 'COPY with WHERE, FREEZE and column lists',
    setup: ['CREATE TABLE t (id int, k int DEFAULT 3, v int)', 'INSERT INTO t VALUES (1, 1, 1)'],
    views: { agg: GROUPED, st: 'SELECT * FROM t' },
    steps: [
      "COPY (SELECT i, i % 2, i FROM generate_series(1, 5) i) TO '/tmp/rows.txt'",
      "COPY t FROM '/tmp/rows.txt' WHERE v > 2",
      "COPY t (v, id, k) FROM '/tmp/rows.txt'",
      "BEGIN; TRUNCATE t; COPY t FROM '/tmp/rows.txt' (FREEZE); COMMIT",
      "COPY t FROM '/tmp/rows.txt' WHERE false",
    ],
  },
])
