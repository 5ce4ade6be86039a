import { runCases } from './support/cases.js'

const AGGREGATES = (column: string) =>
  `count(${column}) AS n, sum(${column}) AS s, avg(${column}) AS a, min(${column}) AS lo, max(${column}) AS hi`

const VARIANCES = (column: string) =>
  ['var_pop', 'var_samp', 'stddev_pop', 'stddev_samp'].map((name, n) => `${name}(${column}) AS v${n}`).join(', ')

/** Five aggregates over one column, by group and over the whole table. */
function overColumns(columns: string[]): Record<string, string> {
  return Object.fromEntries(
    columns.flatMap((c) => [
      [`by_k_${c}`, `SELECT k, ${AGGREGATES(c)} FROM t GROUP BY k`],
      [`total_${c}`, `SELECT ${AGGREGATES(c)} FROM t`],
    ]),
  )
}

runCases('aggregates of exact types', [
  {
    name: 'integers near the limits of their types',
    setup: [
      'CREATE TABLE t (k int, i2 int2, i4 int4, i8 int8)',
      'INSERT INTO t VALUES (1, 32767, 2147483647, 9223372036854775807), (1, 32767, 2147483647, 9223372036854775807), (2, -32768, -2147483648, -9223372036854775808)',
    ],
    views: overColumns(['i2', 'i4', 'i8']),
    steps: [
      'INSERT INTO t SELECT * FROM t',
      'DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)',
      'UPDATE t SET k = 3 - k',
      'INSERT INTO t VALUES (1, NULL, NULL, NULL), (3, NULL, NULL, NULL)',
      'UPDATE t SET i2 = -i2, i4 = NULL WHERE i2 > 0',
      'UPDATE t SET i8 = i8 / 2',
      'DELETE FROM t WHERE k = 1 AND i2 IS NOT NULL',
      'DELETE FROM t',
    ],
    way: 'fold',
  },
  {
    name: 'numeric with and without a scale',
    setup: [
      'CREATE TABLE t (k int, fixed numeric(12,2), free numeric)',
      'INSERT INTO t VALUES (1, 1.5, 1.5), (1, 2, 2.0000), (2, NULL, NULL), (2, 0.01, 0.00000001)',
    ],
    views: {
      ...overColumns(['fixed', 'free']),
      product: 'SELECT k, sum(fixed * free) AS s, avg(fixed * free) AS a FROM t GROUP BY k',
    },
    steps: [
      'INSERT INTO t VALUES (1, 3.25, 3.123456789), (1, 100000, 1e20), (3, 7, 7)',
      'DELETE FROM t WHERE free = 3.123456789',
      'DELETE FROM t WHERE free = 1e20',
      'UPDATE t SET free = free + 0.001 WHERE k = 1',
      'UPDATE t SET free = trunc(free, 1), fixed = -fixed',
      'UPDATE t SET k = 2',
      'INSERT INTO t SELECT 1, i / 3.0, i / 7.0 FROM generate_series(1, 50) i',
      'DELETE FROM t WHERE k = 1 AND fixed > 3',
      'UPDATE t SET free = 0.10',
      'DELETE FROM t WHERE fixed IS NULL',
      'DELETE FROM t',
      'INSERT INTO t VALUES (1, 0, 0), (1, 0, 0.000)',
      'DELETE FROM t WHERE scale(free) = 3',
    ],
    freeSpelling: true,
    way: 'fold',
  },
  {
    name: 'the number of decimals of a sum and an average depends on the rows',
    setup: [
      'CREATE TABLE t (k int, fixed numeric(12,2), free numeric)',
      'INSERT INTO t VALUES (1, 1.5, 1.5), (1, 2, 2.0000), (2, 0.01, 1)',
    ],
    views: {
      sums: 'SELECT k, sum(fixed) AS s, sum(free) AS f, avg(fixed) AS a, avg(free) AS af FROM t GROUP BY k',
      totals: 'SELECT sum(fixed) AS s, sum(free) AS f, avg(fixed) AS a, avg(free) AS af FROM t',
    },
    steps: [
      'INSERT INTO t VALUES (1, 3.25, 3.123456789), (1, 100000, 1e20), (3, 7, 7)',
      'DELETE FROM t WHERE free = 3.123456789',
      'DELETE FROM t WHERE free = 1e20',
      'DELETE FROM t WHERE scale(free) = 4',
      'UPDATE t SET free = free + 0.001 WHERE k = 1',
      'UPDATE t SET free = trunc(free, 1), fixed = -fixed',
      'UPDATE t SET k = 2',
      'INSERT INTO t SELECT 1, i / 3.0, i / 7.0 FROM generate_series(1, 50) i',
      'UPDATE t SET free = 0.10',
      'DELETE FROM t',
      'INSERT INTO t VALUES (1, 0, 0), (1, 0, 0.000)',
      'DELETE FROM t WHERE scale(free) = 3',
    ],
    way: 'fold',
  },
  {
    name: 'NaN and infinities are inserted and deleted',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, n numeric)',
      'INSERT INTO t VALUES (1, 1, 1), (2, 1, 2.50), (3, 2, 3)',
    ],
    views: { ...overColumns(['n']), positive: 'SELECT k, sum(n) AS s FROM t WHERE n > 0 GROUP BY k' },
    steps: [
      "INSERT INTO t VALUES (4, 1, 'NaN')",
      "INSERT INTO t VALUES (5, 1, 'NaN'), (6, 2, 'Infinity')",
      'DELETE FROM t WHERE id = 4',
      "INSERT INTO t VALUES (7, 2, '-Infinity')",
      'DELETE FROM t WHERE id = 6',
      'UPDATE t SET n = 5 WHERE id IN (5, 7)',
      "UPDATE t SET n = 'NaN' WHERE k = 1",
      'UPDATE t SET k = 3 - k',
      'UPDATE t SET n = id',
      "INSERT INTO t VALUES (8, 3, 'Infinity')",
      'DELETE FROM t WHERE k = 3',
    ],
    way: 'fold',
  },
  {
    name: 'min and max when the extremum is deleted, with and without a tie',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int, s text, d date)',
      "INSERT INTO t SELECT i, nullif(i % 3, 0), i % 5, chr(97 + i % 4), DATE '2026-01-01' + i % 6 FROM generate_series(1, 24) i",
    ],
    views: {
      v: 'SELECT k, min(v) AS lo, max(v) AS hi FROM t GROUP BY k',
      s: 'SELECT k, min(s) AS lo, max(s) AS hi FROM t GROUP BY k',
      d: 'SELECT k, min(d) AS lo, max(d) AS hi FROM t GROUP BY k',
      total: 'SELECT min(v) AS v, max(s) AS s, min(d) AS d, max(id) AS id FROM t',
      filtered:
        "SELECT k, min(v) FILTER (WHERE s > 'a') AS lo, max(v) FILTER (WHERE s = 'a') AS hi FROM t WHERE id > 2 GROUP BY k",
      computed: 'SELECT k, max(v * id) AS x, min(abs(v - 2)) AS y FROM t GROUP BY k',
      joined: 'SELECT a.k, max(b.v) AS m, min(b.s) AS s FROM t a JOIN t b ON a.id = b.id + 1 GROUP BY a.k',
    },
    steps: [
      'DELETE FROM t WHERE id = (SELECT min(id) FROM t WHERE v = 4)',
      'DELETE FROM t WHERE v = 4',
      "UPDATE t SET v = -1, s = 'zz' WHERE id = 2",
      "UPDATE t SET v = 3, s = 'a' WHERE id = 2",
      'UPDATE t SET v = v + 1',
      'UPDATE t SET v = 9 WHERE v = (SELECT max(v) FROM t)',
      'WITH x AS (DELETE FROM t WHERE v = 9) INSERT INTO t VALUES (100, 1, 8, $$a$$, NULL), (101, NULL, 10, $$b$$, NULL)',
      'WITH x AS (INSERT INTO t VALUES (102, 1, 100, $$m$$, $$2030-01-01$$)) DELETE FROM t WHERE v = 10',
      'UPDATE t SET k = 1 WHERE k IS NULL',
      'UPDATE t SET v = NULL, s = NULL WHERE k = 1',
      'UPDATE t SET d = NULL',
      'DELETE FROM t WHERE v IS NOT NULL',
      'INSERT INTO t VALUES (200, 1, 0, $$$$, $$infinity$$)',
      'TRUNCATE t',
      'INSERT INTO t VALUES (1, 1, 1, $$x$$, $$2026-01-01$$)',
    ],
    way: 'fold',
  },
  {
    name: 'min and max of many types',
    setup: [
      "CREATE TYPE mood AS ENUM ('sad', 'ok', 'fine')",
      'CREATE TABLE t (k int, ts timestamptz, tm time, tz timetz, i interval, o oid, m mood, c char(3), a int[], ip inet, mo money, f4 float4, f8 float8, n numeric)',
      `INSERT INTO t VALUES (1, '2026-01-01 00:00+00', '10:00', '10:00+01', '1 day', 5, 'ok', 'b', '{1,2}', '10.0.0.1', 2, 1.5, 2.5, 1.0)`,
      `INSERT INTO t VALUES (1, '2025-01-01 00:00+00', '09:00', '10:00+02', '1 hour', 4, 'fine', 'a', '{1}', '10.0.0.0', 1, 'NaN', '-Infinity', 3)`,
      'INSERT INTO t VALUES (1)',
    ],
    views: {
      lo: 'SELECT k, min(ts) AS ts, min(tm) AS tm, min(tz) AS tz, min(i) AS i, min(o) AS o, min(m) AS m, min(c) AS c, min(a) AS a, min(ip) AS ip, min(mo) AS mo, min(f4) AS f4, min(f8) AS f8, min(n) AS n FROM t GROUP BY k',
      hi: 'SELECT max(ts) AS ts, max(tm) AS tm, max(tz) AS tz, max(i) AS i, max(o) AS o, max(m) AS m, max(c) AS c, max(a) AS a, max(ip) AS ip, max(mo) AS mo, max(f4) AS f4, max(f8) AS f8, max(n) AS n FROM t',
    },
    steps: [
      "UPDATE t SET m = 'sad', f8 = 'NaN', a = '{}' WHERE c = 'a'",
      'INSERT INTO t (k, i, n, f4) VALUES (1, $$30 days$$, $$Infinity$$, 0), (2, $$00:00:01$$, $$NaN$$, $$-Infinity$$)',
      'DELETE FROM t WHERE n = 1.0',
      'DELETE FROM t WHERE m IS NOT NULL',
      'DELETE FROM t',
    ],
    way: 'fold',
  },
  {
    name: 'interval, money and time sums',
    setup: [
      'CREATE TABLE t (k int, i interval, m money, tm time)',
      "INSERT INTO t VALUES (1, '1 day', 1.25, '01:00'), (1, '1 mon -3 hours', 2, '02:30'), (2, NULL, NULL, NULL)",
    ],
    views: {
      sums: 'SELECT k, sum(i) AS i, sum(m) AS m, sum(tm) AS tm FROM t GROUP BY k',
      averages: 'SELECT k, avg(i) AS i, avg(tm) AS tm FROM t GROUP BY k',
    },
    steps: [
      "INSERT INTO t VALUES (1, '90 minutes', -1, '12:00'), (2, '2 years', 5, '00:00')",
      'UPDATE t SET i = i * 2 WHERE k = 1',
      'DELETE FROM t WHERE k = 2 AND i IS NOT NULL',
      'DELETE FROM t WHERE tm = $$02:30$$',
      'DELETE FROM t',
    ],
  },
  {
    name: 'variance of integers and numeric is exact to the last digit',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, i2 int2, i4 int4, i8 int8, fixed numeric(12,2), free numeric)',
      'INSERT INTO t SELECT i, i % 7, i % 5, i * 7919 % 1009, i * 1000000007::int8 % 998244353 * 1000000, i / 7.0, i ^ 3 / 13.0 FROM generate_series(1, 60) i',
    ],
    views: Object.fromEntries(
      ['i2', 'i4', 'i8', 'fixed', 'free', '(i4 * fixed)'].flatMap((c, n) => [
        [`by_k_${n}`, `SELECT k, ${VARIANCES(c)}, sum(${c}) AS s FROM t GROUP BY k`],
        [`total_${n}`, `SELECT ${VARIANCES(c)} FROM t`],
      ]),
    ),
    steps: [
      'INSERT INTO t VALUES (100, 1, 32767, 2147483647, 9223372036854775807, 9999999999.99, 1e30)',
      'INSERT INTO t VALUES (101, 1, -32768, -2147483648, -9223372036854775808, -0.01, 1e-30), (102, 8, 1, 1, 1, 1, 1.00)',
      'DELETE FROM t WHERE id = 100',
      'UPDATE t SET i2 = NULL, free = free * 1.000 WHERE k = 3',
      'UPDATE t SET free = 5.50, i4 = 7 WHERE k = 2',
      'DELETE FROM t WHERE k = 4 AND id > 10',
      "UPDATE t SET free = 'NaN' WHERE id = 5",
      "UPDATE t SET free = 'Infinity' WHERE id = 6",
      "UPDATE t SET free = '-Infinity' WHERE id = 13",
      'UPDATE t SET free = 1 WHERE id IN (5, 6, 13)',
      'INSERT INTO t SELECT i, i % 7, i % 100, i % 1000, i, i / 100.0, i / 1000.0 FROM generate_series(1000, 3000) i',
      'DELETE FROM t WHERE id > 30',
      'UPDATE t SET free = trunc(free), fixed = trunc(fixed)',
      'DELETE FROM t',
    ],
    way: 'fold',
  },
  {
    name: 'variance is exact to the last digit for values of many magnitudes',
    setup: ['CREATE TABLE t (id int PRIMARY KEY, k int, n numeric)'],
    views: { v: `SELECT k, ${VARIANCES('n')} FROM t GROUP BY k` },
    steps: [
      `INSERT INTO t SELECT i, i / 4, (i * 2654435761 % 1000003)::numeric * 10.0 ^ (i * 31 % 25 - 12)::numeric FROM generate_series(1, 2000) i`,
      'DELETE FROM t WHERE id % 4 = 1',
      'UPDATE t SET n = n * 1000 WHERE id % 3 = 1',
      'UPDATE t SET n = round(n, id % 12) WHERE id % 2 = 0',
    ],
    way: 'fold',
  },
  {
    name: 'variance of numbers whose squares numeric has no room for',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, n numeric)',
      'INSERT INTO t VALUES (1, 1, 0), (2, 1, 3e-500), (3, 1, -3e-500), (4, 1, 4e-500 - 1e-16383), (5, 1, 1e-16383 - 4e-500)',
      'INSERT INTO t SELECT i, i % 3 + 2, i / 8.0 FROM generate_series(10, 20) i',
    ],
    views: {
      by_k: `SELECT k, ${VARIANCES('n')}, count(n) AS c FROM t GROUP BY k`,
      total: 'SELECT var_samp(n) AS v FROM t',
      other: 'SELECT k, stddev(n) AS s, variance(n) AS v, variance(n) FILTER (WHERE id > 3) AS f FROM t GROUP BY k',
      kept: 'SELECT k FROM t GROUP BY k HAVING variance(n) > 1 OR var_pop(n) < 1e-900',
      joined: 'SELECT a.k, variance(a.n) AS v, count(b.n) AS c FROM t a JOIN t b ON a.id = b.id + 1 GROUP BY a.k',
    },
    steps: [
      'INSERT INTO t VALUES (6, 1, 5)',
      'INSERT INTO t VALUES (7, 7, 1e-9000)',
      'INSERT INTO t VALUES (8, 7, 2), (9, 7, 1e-8192)',
      'DELETE FROM t WHERE id IN (4, 6)',
      'UPDATE t SET n = n + 1 WHERE k = 7',
      'UPDATE t SET n = round(n, 3)',
      'TRUNCATE t',
    ],
    way: 'fold',
  },
  {
    name: 'variance of numbers whose sum numeric has no room for',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, n numeric)',
      'INSERT INTO t SELECT x, x % 2, 9e131071 + x FROM generate_series(1, 5) x',
      'INSERT INTO t SELECT x, x, x FROM generate_series(11, 15) x',
    ],
    views: {
      by_k: 'SELECT k, variance(n) AS v, count(n) AS c FROM t GROUP BY k',
    },
    steps: [
      'INSERT INTO t VALUES (20, 0, 9e131071 - 5)',
      'DELETE FROM t WHERE id = 20',
      "UPDATE t SET n = 'Infinity' WHERE id = 4",
      'UPDATE t SET n = NULL WHERE id IN (4, 5, 6)',
      'WITH d AS (DELETE FROM t WHERE id = 7) INSERT INTO t VALUES (30, 1, 9e131071), (31, 12, 12)',
      'DELETE FROM t WHERE k < 5',
    ],
    way: 'fold',
  },
  {
    name: 'booleans and bits',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, b bool, i2 int2, i4 int4 NOT NULL, i8 int8, bits bit(5))',
      `INSERT INTO t SELECT i, i % 4, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN true ELSE i % 2 = 0 END, nullif(i % 6, 0), i % 9, i * 5,
        (i % 32)::bit(5) FROM generate_series(1, 24) i`,
    ],
    views: {
      truth:
        'SELECT k, bool_and(b) AS a, bool_or(b) AS o, every(i4 > 2) AS e, bool_and(b) FILTER (WHERE i4 > 3) AS f FROM t GROUP BY k',
      total: 'SELECT bool_and(b) AS a, bool_or(b) AS o, bit_xor(i4) AS x, bit_and(i8) AS b, bit_or(bits) AS c FROM t',
      ...Object.fromEntries(
        ['i2', 'i4', 'i8', 'bits'].map((c) => [
          `of_${c}`,
          `SELECT k, bit_and(${c}) AS a, bit_or(${c}) AS o, bit_xor(${c}) AS x, bit_or(${c}) FILTER (WHERE b) AS f FROM t GROUP BY k`,
        ]),
      ),
      joined:
        'SELECT a.k, bit_xor(b.i4) AS x, bit_or(a.i4) AS o, bool_or(b.b) AS t FROM t a JOIN t b ON a.id = b.id + 1 GROUP BY a.k',
      repeated: 'SELECT k, bool_or(DISTINCT b) AS b, bit_and(DISTINCT i4) AS i FROM t GROUP BY k',
    },
    steps: [
      "INSERT INTO t VALUES (100, 1, false, 0, 0, 0, B'00000'), (101, 9, NULL, NULL, 5, NULL, NULL)",
      "INSERT INTO t VALUES (102, 1, true, -1, -1, -1, B'11111')",
      'DELETE FROM t WHERE id = 102',
      'DELETE FROM t WHERE id = 100',
      'UPDATE t SET i2 = i2 | 8, i4 = i4 & 6, bits = ~bits WHERE k = 2',
      'UPDATE t SET b = NOT b',
      'UPDATE t SET b = NULL, i2 = NULL, i8 = NULL, bits = NULL WHERE k = 3',
      "UPDATE t SET b = true, i2 = 0, i8 = -1, bits = B'10101' WHERE id = 3",
      'UPDATE t SET b = NULL, i2 = NULL, i8 = NULL, bits = NULL WHERE id = 3',
      'UPDATE t SET k = k + 1 WHERE id % 2 = 0',
      'UPDATE t SET id = id + 1000',
      'WITH x AS (DELETE FROM t WHERE k = 1) INSERT INTO t VALUES (1, 1, true, 1, 1, 1, NULL)',
      'DELETE FROM t WHERE i4 > 3',
      'TRUNCATE t',
      'INSERT INTO t VALUES (1, 1, NULL, NULL, 3, NULL, NULL)',
      'DELETE FROM t',
    ],
    way: 'fold',
  },
])
