/** New SQL in PostgreSQL 17 and 18: MERGE with RETURNING, old and new, temporal keys, virtual columns. */
import { runCases } from './support/cases.js'

const GROUPED = 'SELECT k, count(*), sum(v), max(v) FROM t GROUP BY k'

runCases('statements of PostgreSQL 17 and 18', [
  {
    name: 'MERGE with RETURNING in a CTE, into views and partitions, and with NOT MATCHED BY SOURCE',
    setup: [
      'CREATE TABLE t (id int, k int, v int, PRIMARY KEY (id, k)) PARTITION BY RANGE (k)',
      'CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)',
      'CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)',
      'CREATE TABLE s (id int, k int, v int)',
      'CREATE TABLE log (act text, id int, v int)',
      'CREATE VIEW face AS SELECT * FROM s WHERE v < 1000',
      'INSERT INTO t SELECT i, i, i FROM generate_series(1, 12) i',
      'INSERT INTO s SELECT i, i, i * 10 FROM generate_series(4, 15) i',
    ],
    views: {
      agg: GROUPED,
      joined: 'SELECT t.k, s.v, log.act FROM t JOIN s USING (id) LEFT JOIN log USING (id)',
      logged: 'SELECT act, count(*), sum(v) FROM log GROUP BY act',
    },
    steps: [
      `WITH m AS (MERGE INTO t USING s ON s.id = t.id WHEN MATCHED AND s.v > 90 THEN DELETE WHEN MATCHED THEN UPDATE SET k = 19 - t.k, v = s.v
        WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.k, s.v) WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = -1 RETURNING merge_action() AS act, t.id, t.v)
        INSERT INTO log SELECT act, id, v FROM m`,
      `MERGE INTO face USING t ON face.id = t.id WHEN MATCHED THEN UPDATE SET v = t.v + 1 WHEN NOT MATCHED THEN INSERT VALUES (t.id, t.k, 5) RETURNING *`,
      `WITH x AS (DELETE FROM s WHERE id % 2 = 0 RETURNING *), m AS (MERGE INTO t USING x ON x.id = t.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (x.id, 1, 1) RETURNING merge_action() AS act, t.*)
        MERGE INTO log USING m ON log.id = m.id WHEN MATCHED THEN UPDATE SET act = 'again' WHEN NOT MATCHED THEN INSERT VALUES (m.act, m.id, m.v)`,
      'MERGE INTO t USING t AS o ON o.id = t.id + 1 WHEN MATCHED THEN UPDATE SET k = o.k',
      'MERGE INTO t USING log ON log.id = t.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED BY SOURCE THEN DELETE',
    ],
  },
  {
    name: 'RETURNING old and new, in a chain of changes',
    since: 18,
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
      'CREATE TABLE u (id int, was int, becomes int)',
      'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i',
    ],
    views: {
      agg: GROUPED,
      joined: 'SELECT t.id, u.was FROM t LEFT JOIN u ON u.becomes = t.v',
      u_sum: 'SELECT was IS NULL AS fresh, count(*), sum(becomes) FROM u GROUP BY 1',
    },
    steps: [
      'WITH x AS (UPDATE t SET v = v * 2, k = k + 1 RETURNING id, old.v AS was, new.v AS becomes) INSERT INTO u SELECT * FROM x',
      'WITH x AS (INSERT INTO t VALUES (1, 1, 1), (50, 1, 1) ON CONFLICT (id) DO UPDATE SET v = 77 RETURNING id, old.v, new.v) INSERT INTO u SELECT * FROM x',
      'WITH x AS (DELETE FROM t WHERE k = 2 RETURNING id, old.v, new.v) INSERT INTO u SELECT * FROM x',
    ],
  },
  {
    name: 'temporal keys and foreign keys',
    since: 18,
    setup: [
      'CREATE TABLE p (id int4range, during daterange, v int, PRIMARY KEY (id, during WITHOUT OVERLAPS))',
      'CREATE TABLE c (id int4range, during daterange, p_id int4range, PRIMARY KEY (id, during WITHOUT OVERLAPS), FOREIGN KEY (p_id, PERIOD during) REFERENCES p (id, PERIOD during))',
      "INSERT INTO p VALUES ('[1,2)', '[2020-01-01,2021-01-01)', 1), ('[1,2)', '[2021-01-01,2022-01-01)', 2), ('[2,3)', '[2020-01-01,)', 3)",
      "INSERT INTO c VALUES ('[1,2)', '[2020-05-01,2021-05-01)', '[1,2)'), ('[2,3)', '[2020-05-01,2021-05-01)', '[2,3)')",
    ],
    views: {
      st: 'SELECT * FROM p',
      agg: 'SELECT id, count(*), sum(v), max(upper(during)) FROM p GROUP BY id',
      joined:
        'SELECT p.v, c.id, p.during * c.during AS overlap FROM p JOIN c ON c.p_id = p.id AND c.during && p.during',
      outer_join: 'SELECT p.v, c.id FROM p LEFT JOIN c ON c.p_id = p.id AND c.during @> lower(p.during)',
      keyed: 'SELECT p.id, p.during, row_number() OVER (PARTITION BY p.id ORDER BY p.during) FROM p',
    },
    steps: [
      "UPDATE p SET v = v + 1 WHERE during @> '2020-06-01'::date",
      "INSERT INTO p VALUES ('[1,2)', '[2022-01-01,2023-01-01)', 9)",
      "!INSERT INTO p VALUES ('[1,2)', '[2022-05-01,2023-01-01)', 9)",
      "UPDATE p SET during = daterange(lower(during), NULL) WHERE id = '[1,2)' AND v = 9",
      "!DELETE FROM p WHERE id = '[2,3)'",
      "DELETE FROM c WHERE id = '[2,3)'",
      "DELETE FROM p WHERE id = '[2,3)'",
      'WITH x AS (DELETE FROM c) UPDATE p SET v = 0',
    ],
  },
  {
    name: 'whole-row, hidden and virtual columns of tables changed by every statement',
    since: 18,
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int, d int GENERATED ALWAYS AS (v * 2) VIRTUAL)',
      'INSERT INTO t (id, k, v) SELECT i, i % 3, i FROM generate_series(1, 9) i',
    ],
    views: {
      whole: 'SELECT t FROM t',
      cnt: 'SELECT k, count(t), sum(d) FROM t GROUP BY k',
      filled: 'SELECT id FROM t WHERE t IS NOT NULL',
    },
    steps: [
      'UPDATE t SET v = NULL WHERE id = 1',
      'INSERT INTO t (id, k, v) VALUES (1, 1, 1) ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.d',
      'MERGE INTO t USING (VALUES (1), (20)) s(i) ON s.i = t.id WHEN MATCHED THEN UPDATE SET v = t.d WHEN NOT MATCHED THEN INSERT (id, k, v) VALUES (i, 1, 1)',
      'UPDATE t SET k = 2',
      'DELETE FROM t WHERE d > 10',
    ],
  },
])
