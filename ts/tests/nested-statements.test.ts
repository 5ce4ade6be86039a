/** Statements that cause others: foreign keys with actions, triggers, rules, functions, and settings that disable them. */
import { runCases } from './support/cases.js'

const GROUPED = 'SELECT k, count(*), sum(v), max(v) FROM t GROUP BY k'

const T = [
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
  'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i',
]

runCases('statements inside statements', [
  {
    name: 'foreign keys that set a default, set one column of two to NULL, and follow an update',
    setup: [
      'CREATE TABLE p (id int PRIMARY KEY, v int)',
      'CREATE TABLE d (id int PRIMARY KEY, p_id int DEFAULT 0 REFERENCES p ON DELETE SET DEFAULT ON UPDATE SET DEFAULT)',
      'CREATE TABLE two (a int, b int, PRIMARY KEY (a, b))',
      'CREATE TABLE half (id int, a int, b int, FOREIGN KEY (a, b) REFERENCES two ON DELETE SET NULL (b) ON UPDATE CASCADE)',
      'INSERT INTO p VALUES (0, 0), (1, 10), (2, 20)',
      'INSERT INTO d VALUES (1, 1), (2, 1), (3, 2), (4, NULL)',
      'INSERT INTO two VALUES (1, 1), (1, 2)',
      'INSERT INTO half VALUES (1, 1, 1), (2, 1, 1), (3, 1, 2)',
    ],
    views: {
      joined: 'SELECT d.id, p.v FROM d JOIN p ON p.id = d.p_id',
      agg: 'SELECT p.v, count(d.id) FROM p LEFT JOIN d ON d.p_id = p.id GROUP BY p.v',
      halves: 'SELECT a, b, count(*) FROM half GROUP BY a, b',
      pairs: 'SELECT half.id, two.* FROM half JOIN two USING (a, b)',
      missing: 'SELECT id FROM half WHERE (a, b) NOT IN (SELECT a, b FROM two)',
    },
    steps: [
      'DELETE FROM p WHERE id = 1',
      'UPDATE p SET id = 5 WHERE id = 2',
      '!DELETE FROM p WHERE id = 0',
      'UPDATE two SET a = a + 10, b = b + 10',
      'DELETE FROM two WHERE b = 11',
      'WITH x AS (DELETE FROM half WHERE id = 3) UPDATE two SET b = 0',
      'DELETE FROM d; DELETE FROM p',
    ],
  },
  {
    name: 'a tree that references itself, with SET NULL and SET DEFAULT',
    setup: [
      'CREATE TABLE n (id int PRIMARY KEY, up int REFERENCES n ON DELETE SET NULL, deputy int DEFAULT 1 REFERENCES n ON DELETE SET DEFAULT)',
      'INSERT INTO n VALUES (1, NULL, NULL), (2, 1, 3), (3, 1, 2), (4, 2, 2), (5, 4, 4)',
    ],
    views: {
      agg: 'SELECT up, deputy, count(*) FROM n GROUP BY up, deputy',
      pairs: 'SELECT c.id AS c, p.id AS p, d.id AS d FROM n c JOIN n p ON c.up = p.id LEFT JOIN n d ON c.deputy = d.id',
      leaves: 'SELECT id FROM n WHERE NOT EXISTS (SELECT FROM n c WHERE c.up = n.id)',
    },
    steps: [
      'DELETE FROM n WHERE id = 2',
      'DELETE FROM n WHERE id IN (3, 4)',
      'DELETE FROM n WHERE id = 5',
      'DELETE FROM n',
    ],
  },
  {
    name: 'row versions that exist only within a statement, under min and max',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'CREATE TABLE x (id int PRIMARY KEY, up int REFERENCES x ON UPDATE CASCADE, v int)',
      'INSERT INTO t VALUES (0, 1, 20), (1, 2, 3)',
      'INSERT INTO x VALUES (1, NULL, 1), (2, 1, 1), (3, 2, 2), (4, 1, 2)',
      `CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          UPDATE t SET v = v + 10 WHERE id = NEW.id AND v < 50;
          RETURN NULL;
        END $$`,
      'CREATE TRIGGER t AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION later()',
    ],
    views: {
      grouped: 'SELECT k, min(v), max(v), max(-v) AS low, bit_and(v), bit_or(v), min(v::text) AS t FROM t GROUP BY k',
      whole: 'SELECT min(v), max(-v), bit_and(v), bit_or(-v) FROM t',
      cascaded: 'SELECT min(up), max(up), min(v) AS v, max(id) AS id FROM x',
    },
    way: 'fold',
    steps: [
      'INSERT INTO t VALUES (2, 1, 1)',
      'INSERT INTO t VALUES (3, 7, -9), (4, 1, 0)',
      'UPDATE t SET v = -20 WHERE id = 3',
      'UPDATE t SET v = v WHERE v = 50',
      'UPDATE t SET v = 49 WHERE k = 1',
      'INSERT INTO t VALUES (4, 1, 0), (5, 1, 3) ON CONFLICT (id) DO UPDATE SET v = -1',
      'DELETE FROM t WHERE v = (SELECT min(v) FROM t)',
      'UPDATE x SET id = id + 10 WHERE id = 1',
      'UPDATE x SET id = id + 100',
      'DELETE FROM t',
    ],
  },
  {
    name: 'deferred foreign keys and constraint triggers that write at COMMIT',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'CREATE TABLE c (id int, t_id int REFERENCES t ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED)',
      'CREATE TABLE log (id int, n int)',
      'INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)',
      'INSERT INTO c VALUES (1, 1), (2, 2)',
      `CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO log SELECT NEW.id, count(*) FROM st;
          UPDATE t SET k = 100 WHERE id = NEW.id AND v > 50;
          RETURN NULL;
        END $$`,
      'CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()',
    ],
    views: {
      st: 'SELECT * FROM t',
      agg: GROUPED,
      joined: 'SELECT c.id, t.v FROM c JOIN t ON t.id = c.t_id',
      logged: 'SELECT n, count(*) FROM log LEFT JOIN t USING (id) GROUP BY n, t.k',
    },
    steps: [
      'INSERT INTO t VALUES (3, 3, 3), (4, 4, 60)',
      'BEGIN',
      'INSERT INTO c VALUES (9, 9)',
      'INSERT INTO t VALUES (9, 9, 99)',
      'SET CONSTRAINTS late IMMEDIATE',
      'INSERT INTO t VALUES (10, 9, 99)',
      'SET CONSTRAINTS ALL DEFERRED',
      'INSERT INTO t VALUES (11, 9, 99)',
      'DELETE FROM t WHERE id = 1',
      'COMMIT',
      'BEGIN; INSERT INTO t VALUES (12, 1, 70); SAVEPOINT s; INSERT INTO t VALUES (13, 1, 70); ROLLBACK TO s; COMMIT',
      '!INSERT INTO c VALUES (77, 77)',
      '!BEGIN; INSERT INTO t VALUES (14, 1, 80); INSERT INTO c VALUES (78, 78); COMMIT',
    ],
  },
  {
    name: 'triggers of every level that fail, suppress rows, and read the stream table',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'CREATE TABLE seen (op text, n numeric)',
      'INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)',
      `CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO seen SELECT TG_OP || ' ' || TG_WHEN || ' ' || TG_LEVEL, sum(sum) FROM agg;
          IF TG_LEVEL = 'ROW' AND TG_OP <> 'DELETE' AND NEW.v = 13 THEN RAISE EXCEPTION 'unlucky'; END IF;
          RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
        END $$`,
      'CREATE TRIGGER a1 BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION watch()',
      'CREATE TRIGGER a2 BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION watch()',
      'CREATE TRIGGER a3 AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION watch()',
      'CREATE TRIGGER "A4" AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION watch()',
      'CREATE TRIGGER a5 AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION watch()',
    ],
    views: {
      agg: GROUPED,
      ops: 'SELECT op, count(*) FROM seen GROUP BY op',
      mixed: 'SELECT t.k, seen.op FROM t JOIN seen ON seen.n = t.v',
    },
    steps: [
      'INSERT INTO t VALUES (3, 1, 3), (4, 2, 4)',
      'UPDATE t SET v = v + 1',
      '!INSERT INTO t VALUES (5, 1, 5), (6, 1, 13)',
      '!UPDATE t SET v = 13 WHERE id = 4',
      'WITH x AS (DELETE FROM t WHERE id = 1) INSERT INTO t VALUES (7, 7, 7)',
      'INSERT INTO t VALUES (7, 8, 8) ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v',
      'DELETE FROM t WHERE false',
      'DELETE FROM t',
    ],
  },
  {
    name: 'a trigger that writes to its own table and so fires itself',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      `CREATE FUNCTION descend() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.v > 0 THEN INSERT INTO t VALUES (NEW.id * 10, NEW.k, NEW.v - 1); END IF;
          IF NEW.v = 1 THEN DELETE FROM t WHERE id = NEW.id; UPDATE t SET k = k + 1 WHERE v = 0; END IF;
          RETURN NULL;
        END $$`,
      'CREATE TRIGGER d AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION descend()',
    ],
    views: {
      st: 'SELECT * FROM t',
      agg: GROUPED,
      self: 'SELECT a.id, b.id AS b FROM t a LEFT JOIN t b ON b.id = a.id * 10',
    },
    steps: [
      'INSERT INTO t VALUES (1, 1, 4)',
      'INSERT INTO t VALUES (2, 1, 3), (3, 2, 2), (4, 2, 0)',
      'DELETE FROM t WHERE v > 1',
    ],
  },
  {
    name: 'rules that replace and add statements',
    setup: [
      'CREATE TABLE t (id int, k int, v int)',
      'CREATE TABLE o (id int, gone int)',
      'CREATE VIEW face AS SELECT id, k FROM t WHERE v > 0',
      'CREATE RULE ins AS ON INSERT TO face DO INSTEAD (INSERT INTO t VALUES (NEW.id, NEW.k, 1); INSERT INTO o VALUES (NEW.id, 0))',
      'CREATE RULE del AS ON DELETE TO t DO ALSO INSERT INTO o VALUES (OLD.id, OLD.v)',
      'CREATE RULE upd AS ON UPDATE TO t WHERE NEW.v < 0 DO INSTEAD DELETE FROM o WHERE id = OLD.id',
      'INSERT INTO t VALUES (1, 1, 1), (2, 1, 2)',
    ],
    views: {
      agg: GROUPED,
      joined: 'SELECT t.id, o.gone FROM t FULL JOIN o USING (id)',
      faced: 'SELECT k, count(*) FROM face GROUP BY k',
    },
    steps: [
      'INSERT INTO face VALUES (3, 3), (4, 4)',
      'DELETE FROM t WHERE id = 1',
      'UPDATE t SET v = CASE id WHEN 3 THEN -1 ELSE 9 END',
      'DELETE FROM t',
    ],
  },
  {
    name: 'functions that write, called by a SELECT, a DEFAULT, a CHECK, a WHERE and another write',
    setup: [
      'CREATE TABLE t (id int, k int, v int)',
      'CREATE TABLE calls (n int)',
      `CREATE FUNCTION note(n int) RETURNS int LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO calls VALUES (n); UPDATE t SET v = v + 1 WHERE id = n; RETURN n; END $$`,
      'CREATE TABLE w (a int DEFAULT note(100), b int CHECK (note(b) > 0))',
      'INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (3, 2, 3)',
      `CREATE FUNCTION definer(n int) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ DELETE FROM calls WHERE n = $1; INSERT INTO t VALUES ($1, $1, $1) $$`,
    ],
    views: {
      agg: GROUPED,
      called: 'SELECT n, count(*) FROM calls GROUP BY n',
      joined: 'SELECT t.id, t.v, w.b FROM t LEFT JOIN w ON w.b = t.id',
      distinct_w: 'SELECT DISTINCT a, b FROM w',
    },
    steps: [
      'SELECT note(id) FROM t',
      'INSERT INTO w (b) VALUES (1), (2)',
      '!INSERT INTO w (b) VALUES (1), (-2)',
      'INSERT INTO t SELECT note(k), k, v FROM t WHERE note(id) > 1',
      '!DELETE FROM t WHERE note(id) = 1',
      '!UPDATE t SET k = note(k) RETURNING note(id)',
      'UPDATE t SET k = note(k + 10)',
      'SELECT definer(7)',
      'DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM t LOOP UPDATE t SET v = v * 2 WHERE id = r.id; PERFORM note(r.k); END LOOP; END $$',
    ],
  },
  {
    name: 'INSERT .. SELECT from the stream table, UPDATE and DELETE by its rows',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'CREATE TABLE u (k int, v int)',
      'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i',
    ],
    views: {
      agg: 'SELECT k, count(*)::int AS n, sum(v)::int AS s FROM t GROUP BY k',
      over: 'SELECT n, sum(s) FROM agg GROUP BY n',
      with_u: 'SELECT u.k, agg.s FROM u JOIN agg USING (k)',
    },
    steps: [
      'INSERT INTO t SELECT 100 + k, k, s FROM agg',
      'INSERT INTO u SELECT k, s FROM agg',
      'INSERT INTO u SELECT k, s FROM with_u',
      'UPDATE t SET v = agg.s FROM agg WHERE agg.k = t.k AND t.id < 3',
      'DELETE FROM t USING over o, agg WHERE agg.k = t.k AND agg.n = o.n AND agg.s > 20',
      'MERGE INTO t USING agg ON t.id = agg.k WHEN MATCHED THEN UPDATE SET v = agg.s WHEN NOT MATCHED THEN INSERT VALUES (500 + agg.k, agg.k, agg.n)',
      'WITH x AS (DELETE FROM u RETURNING k) INSERT INTO t SELECT 600 + row_number() OVER (), k, n FROM agg WHERE k IN (SELECT k FROM x)',
      'CREATE TABLE copied AS TABLE agg; INSERT INTO u SELECT k, s FROM copied',
    ],
  },
  {
    name: 'UPDATE .. FROM, DELETE .. USING, RETURNING, and writes through an updatable view with a check',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'CREATE TABLE u (id int, w int)',
      'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i',
      'INSERT INTO u SELECT i % 4, i FROM generate_series(1, 9) i',
      'CREATE VIEW big AS SELECT * FROM t WHERE v > 3 WITH CHECK OPTION',
    ],
    views: {
      agg: GROUPED,
      joined: 'SELECT t.id, u.w FROM t JOIN u USING (id)',
      semi: 'SELECT id, v FROM t WHERE id IN (SELECT id FROM u)',
      viewed: 'SELECT k, sum(v) FROM big GROUP BY k',
    },
    steps: [
      'UPDATE t SET v = u.w FROM u WHERE u.id = t.id',
      'DELETE FROM u USING t WHERE t.id = u.id AND t.k = 0',
      'UPDATE big SET v = v + 1 RETURNING *',
      '!UPDATE big SET v = 0',
      'INSERT INTO big VALUES (50, 5, 50)',
      'DELETE FROM big WHERE k = 1',
      'UPDATE t SET id = id + 100',
      'WITH moved AS (DELETE FROM t WHERE k = 2 RETURNING *) INSERT INTO u SELECT id, v FROM moved',
    ],
  },
  {
    name: 'triggers inside a cascade of foreign keys write to sources above and below',
    setup: [
      'CREATE TABLE a (id int PRIMARY KEY, v int)',
      'CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a ON DELETE CASCADE ON UPDATE CASCADE, v int)',
      'CREATE TABLE c (id int PRIMARY KEY, b_id int REFERENCES b ON DELETE SET NULL ON UPDATE CASCADE, v int)',
      'CREATE TABLE log (what text, id int)',
      'INSERT INTO a SELECT i, i FROM generate_series(1, 6) i',
      'INSERT INTO b SELECT i, 1 + i % 6, i FROM generate_series(1, 12) i',
      'INSERT INTO c SELECT i, 1 + i % 12, i FROM generate_series(1, 24) i',
      `CREATE FUNCTION up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'DELETE' THEN
          INSERT INTO log VALUES (TG_TABLE_NAME, OLD.id);
          UPDATE a SET v = v + 100 WHERE id = OLD.id + 1;
          RETURN OLD;
        END IF;
        INSERT INTO log VALUES (TG_TABLE_NAME || ' set', NEW.id);
        IF NEW.v % 5 = 0 THEN DELETE FROM c WHERE id = NEW.id; END IF;
        RETURN NEW; END $$`,
      'CREATE TRIGGER gone BEFORE DELETE ON b FOR EACH ROW EXECUTE FUNCTION up()',
      'CREATE TRIGGER gone2 AFTER DELETE ON b FOR EACH ROW EXECUTE FUNCTION up()',
      'CREATE TRIGGER set AFTER UPDATE ON c FOR EACH ROW EXECUTE FUNCTION up()',
    ],
    views: {
      joined: 'SELECT a.v, b.id AS b, c.id AS c FROM a LEFT JOIN b ON b.a_id = a.id LEFT JOIN c ON c.b_id = b.id',
      logged: 'SELECT what, count(*), sum(id) FROM log GROUP BY what',
      lost: 'SELECT c.id FROM c WHERE NOT EXISTS (SELECT FROM b WHERE b.id = c.b_id)',
      sums: 'SELECT a.v, sum(c.v) FROM a JOIN b ON b.a_id = a.id JOIN c ON c.b_id = b.id GROUP BY a.v',
      over: 'SELECT sums.v, logged.what FROM sums JOIN logged ON logged.count = sums.v',
    },
    steps: [
      'DELETE FROM a WHERE id = 1',
      'UPDATE a SET id = id + 50 WHERE id < 4',
      'DELETE FROM b WHERE a_id = 4',
      'WITH x AS (DELETE FROM a WHERE id = 52 RETURNING *) UPDATE a SET v = a.v + x.v FROM x WHERE a.id = 53',
      'DELETE FROM a',
    ],
  },
  {
    name: 'foreign keys on partitioned tables, with cascades and rows that move',
    setup: [
      'CREATE TABLE p (id int, k int, v int, PRIMARY KEY (id)) PARTITION BY RANGE (id)',
      'CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)',
      'CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (100)',
      'CREATE TABLE c (id int, p_id int REFERENCES p ON UPDATE CASCADE ON DELETE CASCADE, x int, y int, PRIMARY KEY (id)) PARTITION BY HASH (id)',
      'CREATE TABLE c1 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 0)',
      'CREATE TABLE c2 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 1)',
      'CREATE TABLE g (id int, c_id int REFERENCES c ON DELETE SET NULL, a int, b int)',
      'INSERT INTO p SELECT i, i % 3, i FROM generate_series(1, 15) i',
      'INSERT INTO c SELECT i, 1 + i % 15, i, i FROM generate_series(1, 30) i',
      'INSERT INTO g SELECT i, 1 + i % 30, i, i FROM generate_series(1, 40) i',
    ],
    views: {
      agg: 'SELECT p.k, count(*), sum(c.x) FROM p JOIN c ON c.p_id = p.id GROUP BY p.k',
      outer_join: 'SELECT p.id, c.id AS c, g.id AS g FROM p LEFT JOIN c ON c.p_id = p.id LEFT JOIN g ON g.c_id = c.id',
      nulls: 'SELECT count(*) FROM g WHERE c_id IS NULL',
      one: 'SELECT id, v FROM p1',
    },
    steps: [
      'UPDATE p SET id = id + 20 WHERE id IN (3, 12)',
      'DELETE FROM p WHERE k = 1',
      'UPDATE p SET v = 0, id = id + 1 WHERE id = 32',
      'DELETE FROM p1 WHERE id = 2',
      'MERGE INTO p USING (VALUES (5), (6)) s(i) ON s.i = p.id WHEN MATCHED THEN UPDATE SET id = id + 50',
      'UPDATE c SET id = id + 100 WHERE id NOT IN (SELECT c_id FROM g WHERE c_id IS NOT NULL)',
      'TRUNCATE c CASCADE',
      'DELETE FROM p',
    ],
  },
  {
    name: 'ON DELETE SET NULL and SET DEFAULT of single columns',
    setup: [
      'CREATE TABLE p (a int, b int, v int, PRIMARY KEY (a, b))',
      'CREATE TABLE c (a int DEFAULT 7, b int DEFAULT 7, x int, FOREIGN KEY (a, b) REFERENCES p ON DELETE SET NULL (b))',
      'CREATE TABLE d (a int, b int DEFAULT 1, x int, FOREIGN KEY (a, b) REFERENCES p ON DELETE SET DEFAULT (b))',
      'INSERT INTO p SELECT i, j, i * j FROM generate_series(1, 3) i, generate_series(1, 3) j',
      'INSERT INTO c SELECT a, b, v FROM p; INSERT INTO d SELECT a, b, v FROM p',
    ],
    views: {
      joined: 'SELECT p.v, c.x, d.x AS dx FROM p LEFT JOIN c USING (a, b) LEFT JOIN d USING (a, b)',
      nulls: 'SELECT a, count(*), count(b) AS b FROM c GROUP BY a',
      defaults: 'SELECT a, b, count(*) FROM d GROUP BY a, b',
    },
    steps: [
      'DELETE FROM p WHERE b = 2',
      'DELETE FROM p WHERE b = 3',
      '!DELETE FROM p WHERE a = 1',
      'DELETE FROM d; DELETE FROM p',
    ],
  },
  {
    name: 'TRUNCATE in triggers, and triggers on TRUNCATE',
    setup: [
      ...T,
      'CREATE TABLE u (id int, w int)',
      'CREATE TABLE log (n int)',
      'INSERT INTO u VALUES (1, 1), (2, 2)',
      `CREATE FUNCTION empties() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN TRUNCATE u; INSERT INTO u VALUES (9, 9); RETURN NULL; END $$`,
      `CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log SELECT count(*) FROM t; UPDATE t SET v = v + 1; RETURN NULL; END $$`,
      'CREATE TRIGGER e AFTER UPDATE ON t FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION empties()',
      'CREATE TRIGGER n BEFORE TRUNCATE ON u FOR EACH STATEMENT EXECUTE FUNCTION notes()',
      'CREATE TRIGGER m AFTER TRUNCATE ON u FOR EACH STATEMENT EXECUTE FUNCTION notes()',
    ],
    views: {
      joined: 'SELECT t.v, u.w FROM t LEFT JOIN u USING (id)',
      agg: GROUPED,
      logs: 'SELECT n, count(*) FROM log GROUP BY n',
      uw: 'SELECT sum(w) FROM u',
    },
    steps: [
      'UPDATE t SET v = 0',
      'TRUNCATE u',
      'BEGIN; SAVEPOINT a; UPDATE t SET v = 1; ROLLBACK TO a; TRUNCATE u, log; COMMIT',
      'TRUNCATE t',
      'UPDATE t SET v = 1',
    ],
  },
  {
    name: "users' triggers with transition tables that write to sources, before and after the extension's",
    setup: [
      ...T,
      'CREATE TABLE hist (op text, n bigint, s bigint)',
      `CREATE FUNCTION hist_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO hist SELECT TG_NAME, count(*), sum(v) FROM changed; 
        IF TG_NAME LIKE 'A%' THEN DELETE FROM t WHERE id IN (SELECT id + 1 FROM changed); END IF; RETURN NULL; END $$`,
      'CREATE TRIGGER "A ins" AFTER INSERT ON t REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION hist_it()',
      'CREATE TRIGGER "A upd" AFTER UPDATE ON t REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION hist_it()',
      'CREATE TRIGGER z_del AFTER DELETE ON t REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION hist_it()',
      'CREATE TRIGGER z_row AFTER DELETE ON t REFERENCING OLD TABLE AS changed FOR EACH ROW EXECUTE FUNCTION hist_it()',
    ],
    views: {
      agg: GROUPED,
      hists: 'SELECT op, count(*), sum(n) AS n, sum(s) AS s FROM hist GROUP BY op',
      mix: 'SELECT t.id, hist.op FROM t LEFT JOIN hist ON hist.s = t.v',
    },
    steps: [
      'UPDATE t SET v = v + 1 WHERE id IN (1, 5)',
      'INSERT INTO t VALUES (50, 1, 1), (60, 1, 1)',
      'DELETE FROM t WHERE k = 0',
      'MERGE INTO t USING (VALUES (1), (70)) s(i) ON s.i = t.id WHEN MATCHED THEN UPDATE SET v = 3 WHEN NOT MATCHED THEN INSERT VALUES (i, 1, 1)',
    ],
  },
  {
    name: 'a deferred constraint trigger at COMMIT writes to the source of a chain, twice',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'CREATE TABLE audit (id int, total bigint)',
      'INSERT INTO t VALUES (1, 1, 1)',
      `CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO audit SELECT NEW.id, sum FROM agg WHERE k = NEW.k;
        IF NEW.v < 3 THEN INSERT INTO t VALUES (NEW.id + 100, NEW.k, NEW.v + 1); END IF;
        RETURN NULL; END $$`,
      'CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()',
    ],
    views: {
      agg: GROUPED,
      over: 'SELECT sum % 2 AS odd, count(*) FROM agg GROUP BY 1',
      audited: 'SELECT t.k, sum(audit.total) FROM audit JOIN t USING (id) GROUP BY t.k',
    },
    steps: [
      'INSERT INTO t VALUES (2, 1, 1)',
      'BEGIN; INSERT INTO t VALUES (3, 2, 1); SAVEPOINT s; INSERT INTO t VALUES (4, 2, 1); ROLLBACK TO s; INSERT INTO t VALUES (5, 2, 0); COMMIT',
      'BEGIN; INSERT INTO t VALUES (6, 3, 1); SET CONSTRAINTS ALL IMMEDIATE; DELETE FROM t WHERE k = 3; COMMIT',
    ],
  },
])
