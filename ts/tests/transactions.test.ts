import { runCases } from './support/cases.js'

const SETUP = [
  'CREATE TABLE a (id int PRIMARY KEY, k int, v int)',
  'CREATE TABLE b (k int, w int)',
  'INSERT INTO a VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30)',
  'INSERT INTO b VALUES (1, 1), (2, 2)',
]
const VIEWS = {
  st: 'SELECT id, v FROM a WHERE v > 10',
  agg: 'SELECT k, count(*), sum(v), min(v) FROM a GROUP BY k',
  joined: 'SELECT a.k, count(*), sum(w) FROM a JOIN b USING (k) GROUP BY a.k',
  outer_join: 'SELECT a.id, b.w FROM a LEFT JOIN b USING (k)',
}
const CREATE = (name: string, query: string) => `SELECT pgtrickle.create_stream_table('${name}', '${query}')`

const GROUPED = 'SELECT k, count(*), sum(v), max(v) FROM t GROUP BY k'

const T = [
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
  'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i',
]

runCases('transactions', [
  {
    name: 'committed and rolled back',
    setup: SETUP,
    views: VIEWS,
    steps: [
      'BEGIN',
      'INSERT INTO a VALUES (4, 2, 40)',
      'DELETE FROM b WHERE k = 1',
      'COMMIT',
      'BEGIN',
      'UPDATE a SET v = v + 1',
      'TRUNCATE b',
      'INSERT INTO b VALUES (5, 5)',
      'ROLLBACK',
      'UPDATE a SET v = v + 1',
      'BEGIN ISOLATION LEVEL REPEATABLE READ',
      'INSERT INTO a VALUES (5, 2, 40)',
      'COMMIT',
      'BEGIN ISOLATION LEVEL SERIALIZABLE',
      'DELETE FROM a WHERE id = 5',
      'COMMIT',
      'BEGIN READ ONLY',
      'SELECT * FROM st',
      'COMMIT',
    ],
  },
  {
    name: 'savepoints',
    setup: SETUP,
    views: VIEWS,
    steps: [
      'BEGIN',
      'INSERT INTO a VALUES (4, 2, 40)',
      'SAVEPOINT one',
      'UPDATE a SET k = 2',
      'SAVEPOINT two',
      'TRUNCATE a',
      'ROLLBACK TO two',
      'DELETE FROM a WHERE id = 1',
      'ROLLBACK TO one',
      'UPDATE b SET w = 9',
      'RELEASE one',
      'SAVEPOINT one',
      'DELETE FROM a',
      'RELEASE one',
      'COMMIT',
      'INSERT INTO a VALUES (1, 1, 1)',
    ],
  },
  {
    name: 'a failed statement inside a transaction, before and after a savepoint',
    setup: [...SETUP, 'ALTER TABLE a ADD CHECK (v < 1000)'],
    views: VIEWS,
    steps: [
      'BEGIN',
      'UPDATE a SET v = 11 WHERE id = 1',
      'SAVEPOINT s',
      '!WITH x AS (DELETE FROM b) UPDATE a SET v = v * 40',
      'ROLLBACK TO s',
      'UPDATE a SET v = 12 WHERE id = 1',
      '!INSERT INTO a VALUES (9, 9, 9), (1, 1, 1)',
      'ROLLBACK TO s',
      'DELETE FROM a WHERE id = 3',
      'COMMIT',
      'BEGIN',
      'INSERT INTO a VALUES (8, 8, 8)',
      '!INSERT INTO a VALUES (8, 8, 8)',
      'COMMIT',
      'INSERT INTO a VALUES (8, 8, 8)',
      'INSERT INTO b VALUES (8, 8); INSERT INTO b VALUES (1, 1)',
      '!INSERT INTO b VALUES (1, 7); INSERT INTO a VALUES (8, 8, 8)',
      'DELETE FROM b WHERE k = 8',
    ],
  },
  {
    name: 'exceptions caught in PL/pgSQL',
    setup: [
      ...SETUP,
      `CREATE FUNCTION try_twice() RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
          BEGIN
            INSERT INTO a VALUES (50, 1, 50);
            DELETE FROM b;
            RAISE EXCEPTION 'no';
          EXCEPTION WHEN raise_exception THEN
            INSERT INTO a VALUES (51, 1, 51);
          END;
          BEGIN
            INSERT INTO a VALUES (51, 1, 51);
          EXCEPTION WHEN unique_violation THEN
            UPDATE b SET w = w + 1;
          END;
        END $$`,
      `CREATE FUNCTION careful() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          BEGIN
            INSERT INTO b VALUES (NEW.k, NEW.v);
            IF NEW.v % 2 = 0 THEN RAISE EXCEPTION 'even'; END IF;
          EXCEPTION WHEN OTHERS THEN
            DELETE FROM b WHERE w = NEW.v + 1;
          END;
          RETURN NEW;
        END $$`,
    ],
    views: VIEWS,
    steps: [
      'SELECT try_twice()',
      'CREATE TRIGGER careful BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION careful()',
      'INSERT INTO a SELECT i, i % 3, i FROM generate_series(100, 105) i',
      'ALTER TABLE a DISABLE TRIGGER careful',
      'CREATE TRIGGER careful_after AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION careful()',
      'INSERT INTO a SELECT i, i % 3, i FROM generate_series(200, 205) i',
      '!INSERT INTO a SELECT i, i % 3, i FROM generate_series(205, 210) i',
      'DELETE FROM a WHERE id > 100',
    ],
  },
  {
    name: 'a stream table is created, altered and dropped in a transaction that is rolled back',
    setup: SETUP,
    views: VIEWS,
    steps: [
      `BEGIN; ${CREATE('temp_st', 'SELECT v FROM a')}; INSERT INTO a VALUES (4, 4, 4); ROLLBACK`,
      '!SELECT * FROM temp_st',
      `${CREATE('temp_st', 'SELECT k, sum(v) FROM a GROUP BY k')}`,
      'INSERT INTO a VALUES (4, 4, 4)',
      "BEGIN; SELECT pgtrickle.alter_stream_table('st', 'SELECT k FROM a'); INSERT INTO a VALUES (5, 5, 50); ROLLBACK",
      'INSERT INTO a VALUES (5, 5, 50)',
      "BEGIN; SELECT pgtrickle.drop_stream_table('st'); DELETE FROM a WHERE id = 5; ROLLBACK",
      'DELETE FROM a WHERE id = 5',
      "SELECT pgtrickle.drop_stream_table('temp_st')",
      'BEGIN',
      'SAVEPOINT s',
      CREATE('again', 'SELECT k, v FROM a'),
      'INSERT INTO a VALUES (6, 6, 60)',
      'ROLLBACK TO s',
      CREATE('again', 'SELECT v FROM a'),
      'INSERT INTO a VALUES (6, 6, 60)',
      'ROLLBACK TO s',
      'UPDATE a SET v = v + 1',
      CREATE('again', 'SELECT v + 0 AS v FROM a'),
      'COMMIT',
      'DELETE FROM a WHERE id = 1',
      "SELECT pgtrickle.drop_stream_table('again')",
    ],
  },
  {
    name: 'created and used in the transaction that creates its source, and dropped again',
    setup: SETUP,
    views: VIEWS,
    steps: [
      `BEGIN; CREATE TABLE fresh (v int); INSERT INTO fresh VALUES (1); ${CREATE('over_fresh', 'SELECT v, count(*) FROM fresh GROUP BY v')};
        INSERT INTO fresh VALUES (1), (2); DELETE FROM fresh WHERE v = 2; COMMIT`,
      'DO $$ BEGIN ASSERT (SELECT count FROM over_fresh) = 2; END $$',
      "BEGIN; INSERT INTO fresh VALUES (3); SELECT pgtrickle.drop_stream_table('over_fresh'); INSERT INTO fresh VALUES (4); COMMIT",
      'INSERT INTO fresh VALUES (5)',
    ],
  },
  {
    name: 'a cursor over a stream table while its source changes',
    setup: SETUP,
    views: VIEWS,
    steps: [
      'BEGIN',
      'DECLARE c CURSOR FOR SELECT * FROM agg ORDER BY k',
      'FETCH 1 FROM c',
      'UPDATE a SET v = 0',
      'FETCH ALL FROM c',
      'CLOSE c',
      'DECLARE h CURSOR WITH HOLD FOR SELECT * FROM st',
      'COMMIT',
      'DELETE FROM a WHERE id = 2',
      'FETCH ALL FROM h',
      'CLOSE h',
    ],
  },
  {
    name: 'deferred constraints',
    setup: [
      ...SETUP,
      'CREATE TABLE c (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, a_id int REFERENCES a DEFERRABLE INITIALLY DEFERRED)',
      'INSERT INTO c VALUES (1, 1), (2, 2)',
    ],
    views: {
      ...VIEWS,
      deferred: 'SELECT c.id, a.v FROM c JOIN a ON a.id = c.a_id',
      keys: 'SELECT id, a_id FROM c',
    },
    steps: [
      'BEGIN',
      'INSERT INTO c VALUES (1, 99)',
      'INSERT INTO a VALUES (99, 9, 9)',
      'UPDATE c SET id = 3 WHERE a_id = 1',
      'COMMIT',
      '!INSERT INTO c VALUES (5, 77)',
      'DELETE FROM c WHERE id = 1',
    ],
  },
  {
    name: 'savepoints around alter, drop and rename',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i',
    ],
    views: {
      st: 'SELECT k, sum(v) AS s FROM t GROUP BY k',
      over: 'SELECT sum(s) AS total FROM st',
      deep: 'SELECT total + 1 AS x FROM over',
    },
    steps: [
      'BEGIN',
      'SAVEPOINT a',
      "SELECT pgtrickle.alter_stream_table('st', 'SELECT k, sum(s)::bigint AS s FROM (SELECT k, id, sum(v) AS s FROM t GROUP BY k, id) q GROUP BY k')",
      'UPDATE t SET v = v + 1',
      'SAVEPOINT b',
      "SELECT pgtrickle.drop_stream_table('deep'); UPDATE t SET v = v + 1; ROLLBACK TO b",
      'UPDATE t SET k = 1 - k WHERE k < 2',
      "SELECT pgtrickle.create_stream_table('mid', 'SELECT * FROM over')",
      "SELECT pgtrickle.alter_stream_table('deep', 'SELECT total + 1 AS x FROM mid')",
      'INSERT INTO t VALUES (50, 1, 1)',
      'ROLLBACK TO a',
      'INSERT INTO t VALUES (50, 1, 1)',
      'ALTER TABLE t RENAME COLUMN v TO z; UPDATE t SET z = 5 WHERE id = 50; ROLLBACK TO a',
      'RELEASE a',
      'DELETE FROM t WHERE id = 1',
      'COMMIT',
      'DELETE FROM t WHERE id = 2',
    ],
  },
  {
    name: 'deferrable keys: equal keys within a transaction',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, k int, v int)',
      'CREATE TABLE u (id int UNIQUE DEFERRABLE INITIALLY DEFERRED, w int)',
      'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 6) i',
      'INSERT INTO u SELECT i, i FROM generate_series(1, 6) i',
    ],
    views: {
      st: 'SELECT * FROM t',
      part: 'SELECT id, v FROM t WHERE v > 2',
      joined: 'SELECT t.id, u.w FROM t JOIN u USING (id)',
      outer_join: 'SELECT t.id, u.w FROM t LEFT JOIN u USING (id)',
      ranked: 'SELECT id, rank() OVER (PARTITION BY k ORDER BY v) FROM t',
      dep: 'SELECT id, k, count(*) FROM t GROUP BY id, k',
      exists_: 'SELECT id FROM t WHERE EXISTS (SELECT FROM u WHERE u.id = t.id)',
      scalar: 'SELECT id, (SELECT max(w) FROM u WHERE u.id = t.id) FROM t',
    },
    steps: [
      'BEGIN',
      'INSERT INTO t VALUES (1, 5, 5), (1, 5, 5)',
      'INSERT INTO u VALUES (1, 5), (2, 5)',
      'UPDATE t SET v = v + 1 WHERE id = 1',
      'UPDATE t SET id = 2 WHERE v = 3',
      'DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE id = 1)',
      'UPDATE u SET w = w + 1',
      'DELETE FROM t WHERE id IN (1, 2)',
      'DELETE FROM u WHERE id IN (1, 2)',
      'INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)',
      'COMMIT',
      'UPDATE t SET id = id + 1',
      'UPDATE u SET id = 7 - id',
      '!INSERT INTO t VALUES (3, 3, 3)',
      'UPDATE t SET v = 0',
    ],
  },
  {
    name: 'COMMIT AND CHAIN, ROLLBACK AND CHAIN, and procedures that commit in a loop',
    setup: [
      ...T,
      `CREATE PROCEDURE many() LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN
        FOR r IN SELECT id FROM t ORDER BY id LOOP
          UPDATE t SET v = v + 1 WHERE id = r.id;
          IF r.id % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF;
        END LOOP; END $$`,
      `CREATE PROCEDURE makes() LANGUAGE plpgsql AS $$ BEGIN
          PERFORM pgtrickle.create_stream_table('made', 'SELECT k, count(*) AS n FROM test.t GROUP BY k'); INSERT INTO t VALUES (77, 7, 7);
          COMMIT; DELETE FROM t WHERE id = 77; PERFORM pgtrickle.drop_stream_table('made'); ROLLBACK;
          ASSERT (SELECT n FROM made WHERE k = 7) = 1; PERFORM pgtrickle.drop_stream_table('made'); END $$`,
      `CREATE FUNCTION makes_too() RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE x bigint; BEGIN
          PERFORM pgtrickle.create_stream_table('made', 'SELECT k, count(*) AS n FROM test.t GROUP BY k'); INSERT INTO t VALUES (78, 8, 8);
          SELECT n INTO x FROM made WHERE k = 8; PERFORM pgtrickle.drop_stream_table('made'); RETURN x; END $$`,
    ],
    views: { agg: GROUPED, ranked: 'SELECT id, rank() OVER (ORDER BY v) FROM t' },
    steps: [
      'BEGIN; UPDATE t SET v = 5 WHERE id = 1; COMMIT AND CHAIN; UPDATE t SET v = 6 WHERE id = 2; ROLLBACK AND CHAIN; DELETE FROM t WHERE id = 3; COMMIT',
      'CALL many()',
      'CALL makes()',
      'SELECT makes_too()',
      'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) UPDATE t SET v = v + 1',
      'CREATE TABLE x AS WITH d AS (SELECT * FROM agg) SELECT * FROM d; DROP TABLE x',
      'SELECT * FROM t FOR UPDATE',
    ],
  },
])
