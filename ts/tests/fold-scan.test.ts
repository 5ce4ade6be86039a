import { runCases } from './support/cases.js'

const ITEMS = [
  'CREATE TABLE t (id int PRIMARY KEY, a int, b text, n numeric, d date, f float8, j jsonb, arr int[])',
  `INSERT INTO t VALUES (1, 10, 'x', 1.50, '2026-01-31', 1.5, '{"k": 1}', '{1,2}'),
                        (2, NULL, 'Y', 2.00, NULL, '-0', NULL, '{}'),
                        (3, 30, NULL, 'NaN', '2025-02-28', 'NaN', '{"k": null}', NULL)`,
]
const CHANGES = [
  `INSERT INTO t VALUES (4, 40, 'z', 3, '2024-02-29', 'Infinity', '[1]', '{3}'), (5, 10, 'x', 1.5, NULL, 0, '1', NULL)`,
  'UPDATE t SET a = a + 1 WHERE id IN (1, 2)',
  "UPDATE t SET b = 'w', n = n * 2 WHERE id = 3",
  'UPDATE t SET a = a',
  'DELETE FROM t WHERE id = 4',
  'UPDATE t SET id = id + 100',
  'UPDATE t SET id = id - 100',
  'UPDATE t SET a = NULL, b = NULL, n = NULL, d = NULL, f = NULL, j = NULL, arr = NULL WHERE id = 2',
  'DELETE FROM t',
  `INSERT INTO t (id, a, b) SELECT i, i % 3, chr(65 + i % 5) FROM generate_series(1, 40) i`,
  'DELETE FROM t WHERE a = 1',
  'TRUNCATE t',
  'INSERT INTO t (id, a) VALUES (1, 1)',
]

runCases('scan, filter and projection are folded', [
  { name: 'the whole table', setup: ITEMS, views: { st: 'SELECT * FROM t' }, steps: CHANGES, way: 'fold' },
  {
    name: 'a filter that rows enter and leave',
    setup: ITEMS,
    views: {
      st: 'SELECT id, a FROM t WHERE a > 10',
      st_null: 'SELECT id FROM t WHERE a IS NULL OR b IS NULL',
      st_or: "SELECT id, b FROM t WHERE (a = 10 OR b ILIKE 'y') AND NOT coalesce(f > 1, false)",
      st_none: 'SELECT id FROM t WHERE false',
      st_in: 'SELECT id FROM t WHERE a IN (10, 11, NULL) OR id = ANY (ARRAY[3, 4])',
      st_distinct: 'SELECT id FROM t WHERE a IS DISTINCT FROM 10',
    },
    steps: CHANGES,
    way: 'fold',
  },
  {
    name: 'expressions of many kinds',
    setup: [...ITEMS, `CREATE FUNCTION twice(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT x * 2'`],
    views: {
      arithmetic:
        'SELECT id, a * 2 - 1 AS m, a / 3.0 AS q, a % 7 AS r, -a AS neg, n ^ 2 AS p, @ a AS abs FROM t',
      conditional: `SELECT id, CASE WHEN a > 10 THEN 'big' WHEN a IS NULL THEN 'none' ELSE 'small' END AS size,
        CASE a WHEN 10 THEN b END AS c, coalesce(b, 'none') AS d, nullif(a, 10) AS e, greatest(a, id, 5) AS g,
        least(a, id) AS l FROM t`,
      boolean: `SELECT id, a > 10 AND b = 'x' AS both, a IS NULL AS missing, (a > 10) IS NOT TRUE AS not_big,
        b IS DISTINCT FROM 'x' AS other, a BETWEEN 5 AND 20 AS within, a NOT IN (1, 2) AS outside FROM t`,
      strings: `SELECT id, b || '-' || id AS label, upper(b) AS u, length(b) AS len, substring(b FROM 1 FOR 1) AS s,
        b LIKE 'x%' AS l, b ~* '^y' AS re, trim(both ' ' from b) AS tr, position('x' in b) AS pos,
        overlay(b placing 'zz' from 1) AS ov, b COLLATE "C" AS c FROM t`,
      casts: `SELECT id, a::text AS t, n::int8 AS i, f::numeric(12,3) AS r, d::timestamp AS ts, a::bool AS bo,
        b::varchar(1) AS v, b::char(3) AS ch, n::float4 AS f4 FROM t WHERE n <> 'NaN' AND f <> 'NaN' AND f < 1e9`,
      dates: `SELECT id, d + 1 AS next, d - DATE '2020-01-01' AS days, extract(month FROM d) AS m,
        date_trunc('year', d::timestamp) AS y, d + interval '1 month' AS later, age(d::timestamp, '2020-01-01') AS age,
        (d, d) OVERLAPS (DATE '2026-01-01', DATE '2026-02-01') AS o FROM t`,
      structures: `SELECT id, j -> 'k' AS k, j ->> 'k' AS kt, j @> '{"k": 1}' AS has, arr[1] AS first, arr[1:2] AS slice,
        arr || 9 AS more, ARRAY[a, id] AS made, ARRAY[[a, 1], [2, id]] AS matrix, cardinality(arr) AS card,
        a = ANY (arr) AS any_of, (ROW(a, b))::text AS r, jsonb_build_object('a', a) AS o FROM t`,
      functions: `SELECT id, twice(a) AS f, twice(x => id) AS named, concat_ws(',', a, b, id) AS variadic,
        format('%s-%s', VARIADIC ARRAY[b, 'k']) AS variadic_array, make_date(2020, 1, id) AS made FROM t
        WHERE id BETWEEN 1 AND 28`,
      rows: `SELECT id, (a, id) > (10, 1) AS cmp, ROW(a, b) IS NULL AS isnull, (t).b AS field, num_nulls(a, b) AS nulls
        FROM t`,
      constants: `SELECT 1 AS one, NULL AS nothing, 'it''s' AS quote, E'a\\nb' AS escape, $$ $1 \\ ' $$ AS dollar, 1.50 AS num,
        true AS yes, DATE '2020-01-01' AS d, interval '1 day 2 hours' AS i, '\\xdead'::bytea AS by, B'101' AS bits,
        '{1,NULL}'::int[] AS arr, 'NaN'::float8 AS nan FROM t`,
    },
    steps: CHANGES,
    way: 'fold',
  },
  {
    name: 'a projection that makes rows equal',
    setup: ITEMS,
    views: {
      st: 'SELECT a FROM t',
      st2: "SELECT 'same' AS s FROM t",
      st3: 'SELECT a, a IS NULL AS n FROM t WHERE id > 1',
    },
    steps: CHANGES,
    way: 'fold',
  },
  {
    name: 'a source without a key, with equal rows',
    setup: [
      'CREATE TABLE t (a int, b text)',
      "INSERT INTO t VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL), (NULL, NULL)",
    ],
    views: { st: 'SELECT * FROM t', st2: 'SELECT b, a FROM t WHERE a IS NOT NULL' },
    steps: [
      'DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE a = 1)',
      "INSERT INTO t VALUES (1, 'x'), (2, 'y'), (2, 'y')",
      'UPDATE t SET a = 2 WHERE ctid = (SELECT min(ctid) FROM t WHERE a = 1)',
      "UPDATE t SET b = 'y'",
      'DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE a IS NULL)',
      'UPDATE t SET a = NULL',
      'DELETE FROM t WHERE ctid IN (SELECT ctid FROM t LIMIT 2)',
      'DELETE FROM t',
      "INSERT INTO t VALUES (1, 'x')",
    ],
    way: 'fold',
  },
  {
    name: 'a source without a key whose columns have no equality',
    setup: [
      'CREATE TABLE t (a int, j json, p point)',
      `INSERT INTO t VALUES (1, '{"a":1}', '(1,2)'), (1, '{"a":1}', '(1,2)')`,
    ],
    views: { st: 'SELECT * FROM t', st2: 'SELECT a FROM t' },
    steps: [
      `INSERT INTO t VALUES (1, '{"a": 1}', '(1,2)'), (2, NULL, NULL), (2, NULL, NULL)`,
      'DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)',
      `UPDATE t SET j = '[]' WHERE a = 1`,
      `UPDATE t SET p = '(0,0)'`,
      'DELETE FROM t WHERE a = 2',
      'TRUNCATE t',
    ],
  },
  {
    name: 'system and dropped columns, whole rows',
    setup: [
      'CREATE TABLE t (gone int, id int PRIMARY KEY, a int)',
      'ALTER TABLE t DROP COLUMN gone',
      'INSERT INTO t VALUES (1, 1), (2, NULL)',
    ],
    views: {
      st: 'SELECT * FROM t',
      st2: 'SELECT t AS whole FROM t',
      st3: 'SELECT id, t.*::text AS txt FROM t',
    },
    steps: [
      'INSERT INTO t VALUES (3, 3)',
      'UPDATE t SET a = 5 WHERE id = 2',
      'DELETE FROM t WHERE id = 1',
      'TRUNCATE t',
    ],
  },
  {
    name: 'generated and identity columns',
    setup: [
      'CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, g int GENERATED ALWAYS AS (a * 2) STORED)',
    ],
    views: { st: 'SELECT * FROM t', st2: 'SELECT g FROM t WHERE g > 2' },
    steps: [
      'INSERT INTO t (a) VALUES (1), (2), (NULL)',
      'UPDATE t SET a = a + 1',
      'DELETE FROM t WHERE g = 4',
      'TRUNCATE t',
    ],
    way: 'fold',
  },
  {
    name: 'types: enum, domain, composite, range, uuid, bytea, bit, inet, money, interval, timetz',
    setup: [
      "CREATE TYPE mood AS ENUM ('sad', 'ok')",
      'CREATE DOMAIN positive AS int CHECK (value > 0)',
      'CREATE TYPE pair AS (x int, y text)',
      `CREATE TABLE t (id serial, m mood, p positive, c pair, r int4range, mr int4multirange, u uuid, b bytea, bits bit(3), vb varbit,
        ip inet, mo money, i interval, tz timetz, ts timestamptz, n name, o oid, ch "char", ms mood[], tsv tsvector)`,
      `INSERT INTO t VALUES (1, 'sad', 1, '(1,a)', '[1,3)', '{[1,2)}', '00000000-0000-0000-0000-000000000001', '\\x01', '101', '1',
        '10.0.0.1', 1.5, '1 day', '10:00+02', '2026-01-01 00:00+00', 'nm', 1, 'c', '{sad}', 'a b')`,
    ],
    views: {
      st: 'SELECT * FROM t',
      st2: 'SELECT m, p + 1 AS p, (c).x, lower(r) AS lo, ip + 1 AS ip, i * 2 AS i, m::text AS mt, ms[1] AS m1 FROM t',
      st3: 'SELECT m, c, r, u, count(*) FROM t GROUP BY m, c, r, u',
    },
    steps: [
      'INSERT INTO t SELECT * FROM t',
      "UPDATE t SET m = 'ok', c = '(2,b)', p = 3 WHERE ctid = (SELECT min(ctid) FROM t)",
      'UPDATE t SET i = NULL, m = NULL, c = NULL, p = NULL',
      "UPDATE t SET i = '24 hours'",
      'DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)',
      'DELETE FROM t',
    ],
    way: 'fold',
  },
  {
    name: 'values without a binary image of their own: 1.0 and 1.00, -0 and 0, equal intervals',
    setup: [
      'CREATE TABLE t (n numeric, f float8, i interval)',
      "INSERT INTO t VALUES (1.0, 0, '1 day'), (1.00, '-0', '24 hours')",
    ],
    views: { st: 'SELECT * FROM t', st2: 'SELECT n FROM t', st3: 'SELECT f FROM t', st4: 'SELECT i FROM t' },
    steps: [
      'DELETE FROM t WHERE n::text = $$1.0$$',
      "INSERT INTO t VALUES (1.0, 0, '1 day'), (1.0, 0, '1 day')",
      "UPDATE t SET n = 1.000, f = '-0' WHERE ctid = (SELECT min(ctid) FROM t)",
      'DELETE FROM t WHERE ctid = (SELECT max(ctid) FROM t)',
      'DELETE FROM t',
    ],
  },
  {
    name: 'names that need quotes',
    setup: [
      'CREATE TABLE "T x" ("Id" int PRIMARY KEY, "select" int, "a""b" text, "größe" numeric, __pgt_count int, "$1" int)',
      `INSERT INTO "T x" VALUES (1, 2, 'q', 3, 4, 5)`,
    ],
    views: {
      '"Über mich"': 'SELECT * FROM "T x"',
      '"select"':
        'SELECT "select", "a""b" AS "a b", count(*) AS "count(*)", sum("größe") AS "Σ" FROM "T x" GROUP BY 1, 2',
    },
    steps: [
      `INSERT INTO "T x" VALUES (2, 2, 'q', 1, 1, 1), (3, NULL, NULL, NULL, NULL, NULL)`,
      'UPDATE "T x" SET "größe" = 7, __pgt_count = 9',
      'DELETE FROM "T x" WHERE "Id" = 1',
    ],
  },
  {
    name: 'views over views are inlined',
    setup: [
      ...ITEMS,
      'CREATE VIEW v AS SELECT id, a, b FROM t WHERE a IS NOT NULL',
      'CREATE VIEW w (k, v) AS SELECT b, a * 2 FROM v WHERE id > 0',
    ],
    views: { st: 'SELECT * FROM w', st2: 'SELECT k, sum(v), count(*) FROM w GROUP BY k' },
    steps: CHANGES,
    way: 'fold',
  },
  {
    name: 'an update of columns that no query reads',
    setup: ITEMS,
    views: { st: 'SELECT id, a FROM t WHERE a > 0', st2: 'SELECT a, count(*) FROM t GROUP BY a' },
    steps: [
      "UPDATE t SET b = 'unread', n = 0",
      "UPDATE t SET b = 'unread', a = 1 WHERE id = 1",
      'UPDATE t SET id = id',
    ],
    way: 'fold',
  },
  {
    name: 'keys that shift and swap in one statement',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY DEFERRABLE, a int)',
      'CREATE TABLE u (id int PRIMARY KEY, a int)',
      'INSERT INTO t VALUES (1, 10), (2, 20), (3, NULL)',
      'INSERT INTO u SELECT id, a FROM t',
    ],
    views: {
      st: 'SELECT id, a FROM t',
      st2: 'SELECT a, id FROM u WHERE a IS NOT NULL',
      st3: 'SELECT t.id, u.a FROM t JOIN u USING (id)',
    },
    steps: [
      'UPDATE t SET id = id + 1',
      'UPDATE t SET id = 6 - id',
      'UPDATE t SET id = CASE id WHEN 2 THEN 3 WHEN 3 THEN 2 ELSE id END, a = 7',
      'UPDATE u SET id = -id',
      'DELETE FROM u WHERE id = -1; INSERT INTO u VALUES (-1, 5)',
      'WITH d AS (DELETE FROM t RETURNING *) SELECT count(*) FROM d',
      'INSERT INTO t SELECT id, a FROM u',
    ],
    way: 'fold',
  },
])
