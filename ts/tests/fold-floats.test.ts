import { describe, expect, test } from 'vitest'
import { runCases } from './support/cases.js'
import { useLab } from './support/use-lab.js'

const SUMS = 'count(f) AS n, sum(f) AS s, avg(f) AS a, sum(r) AS rs, avg(r) AS ra'
const ONE = ['var_pop', 'var_samp', 'variance', 'stddev_pop', 'stddev_samp', 'stddev']
const TWO = [
  'covar_pop',
  'covar_samp',
  'corr',
  'regr_r2',
  'regr_slope',
  'regr_intercept',
  'regr_sxx',
  'regr_syy',
].concat(['regr_sxy', 'regr_avgx', 'regr_avgy', 'regr_count'])

/** Calls each aggregate with these arguments, as columns c1, c2, .. */
function calls(aggregates: string[], args: string, filter = ''): string {
  return aggregates.map((name, n) => `${name}(${args})${filter} AS c${n + 1}`).join(', ')
}

/** A select list that ignores the last digits. */
function rounded(count: number, first = 'q.k'): string {
  const columns = Array.from({ length: count }, (_, n) => `round(q.c${n + 1}::numeric, 9)`)
  return [first, ...columns].join(', ')
}

runCases('aggregates of floats', [
  {
    name: 'sums and averages that no order of summation rounds',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, f float8, r float4)',
      'INSERT INTO t SELECT i, nullif(i % 4, 0), nullif(i, 5) / 8.0, nullif(i, 7) / 4.0 FROM generate_series(1, 40) i',
    ],
    views: {
      by_k: `SELECT k, ${SUMS} FROM t GROUP BY k`,
      total: `SELECT ${SUMS} FROM t`,
      filtered: `SELECT k, sum(f) FILTER (WHERE id % 3 = 0) AS s, avg(f) FILTER (WHERE r > 2) AS a FROM t GROUP BY k`,
      ordered: 'SELECT k, sum(f ORDER BY id DESC) AS s, avg(f * 2 ORDER BY r) AS a FROM t GROUP BY k HAVING sum(f) > 3',
      joined: 'SELECT a.k, sum(a.f * b.r) AS s FROM t a JOIN t b ON a.id = b.k GROUP BY a.k',
      union_all: 'SELECT q.k, sum(q.v) AS s FROM (SELECT k, f AS v FROM t UNION ALL SELECT k, r FROM t) q GROUP BY q.k',
    },
    steps: [
      'INSERT INTO t VALUES (100, 1, 0.5, 0.25), (101, 9, NULL, NULL), (102, NULL, -3, 2)',
      'UPDATE t SET f = f + 1, r = NULL WHERE id % 5 = 0',
      'UPDATE t SET k = 1 WHERE k IS NULL',
      'UPDATE t SET f = NULL WHERE k = 2',
      'INSERT INTO t SELECT i, i % 4, i / 16.0, i FROM generate_series(1000, 3000) i',
      'DELETE FROM t WHERE id >= 1000',
      "INSERT INTO t VALUES (200, 1, 'NaN', 1)",
      "INSERT INTO t VALUES (201, 1, 'Infinity', 'NaN'), (202, 2, 'Infinity', '-Infinity'), (203, 3, '-Infinity', NULL)",
      "INSERT INTO t VALUES (204, 2, '-Infinity', 'Infinity'), (205, 3, '-Infinity', 0)",
      'DELETE FROM t WHERE id = 200',
      'UPDATE t SET f = -f WHERE id IN (202, 205)',
      'DELETE FROM t WHERE id IN (201, 204)',
      'UPDATE t SET k = k + 1 WHERE id > 200',
      'DELETE FROM t WHERE id > 200',
      'DELETE FROM t WHERE k = 1 AND f IS NOT NULL',
      'TRUNCATE t',
      'INSERT INTO t VALUES (1, 1, 1, 1)',
      'DELETE FROM t',
    ],
    way: 'fold',
  },
  {
    name: 'variance, covariance and regression',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, x float8, y float8, r float4)',
      'INSERT INTO t SELECT i, i % 3, nullif(i % 11, 4) / 3.0, nullif(i * i % 17, 2) / 7.0, i / 9.0 FROM generate_series(1, 40) i',
    ],
    views: {
      one: { query: `SELECT k, ${calls(ONE, 'x')} FROM t GROUP BY k`, compare: rounded(ONE.length) },
      of_real: { query: `SELECT k, ${calls(ONE, 'r')} FROM t GROUP BY k`, compare: rounded(ONE.length) },
      two: { query: `SELECT k, ${calls(TWO, 'y, x')} FROM t GROUP BY k`, compare: rounded(TWO.length) },
      total: { query: `SELECT ${calls(TWO, 'x, y')} FROM t`, compare: rounded(TWO.length, '1') },
      filtered: {
        query: `SELECT k, ${calls(TWO, 'y, x', ' FILTER (WHERE id % 2 = 0)')} FROM t GROUP BY k`,
        compare: rounded(TWO.length),
      },
    },
    steps: [
      'INSERT INTO t VALUES (100, 1, 5, 8, 1), (101, 5, 1, 2, 3), (102, 6, NULL, 2, NULL), (103, 5, 1, NULL, 2)',
      'UPDATE t SET x = y, y = x WHERE k = 2',
      'UPDATE t SET y = 3 WHERE k = 1',
      'UPDATE t SET x = NULL WHERE id % 7 = 0',
      'INSERT INTO t VALUES (104, 5, 3, 4, 3)',
      "INSERT INTO t VALUES (200, 1, 'NaN', 1, 'NaN'), (201, 2, 'Infinity', 1, '-Infinity')",
      "INSERT INTO t VALUES (202, 0, 1, '-Infinity', 3)",
      'DELETE FROM t WHERE id = 200',
      'UPDATE t SET x = 1 WHERE id = 201',
      'DELETE FROM t WHERE id >= 200',
      'DELETE FROM t WHERE k = 0 AND id > 3',
      'DELETE FROM t WHERE k = 0',
      'TRUNCATE t',
      'INSERT INTO t VALUES (1, 1, 0.1, 0.2, 0.3), (2, 1, 0.2, 0.1, 0.3)',
    ],
    way: 'fold',
  },
  {
    name: 'results read by other operators',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, k int, f float8)',
      'INSERT INTO t SELECT i, i % 5, i / 4.0 FROM generate_series(1, 30) i',
    ],
    views: {
      nested: 'SELECT count(*) AS n, sum(q.s) AS s FROM (SELECT k, sum(f) AS s FROM t GROUP BY k) q WHERE q.s > 20',
      joined: 'SELECT t.id, q.a FROM t JOIN (SELECT k, avg(f) AS a FROM t GROUP BY k) q ON q.k = t.k WHERE t.f > q.a',
      expression: 'SELECT k, 2 * sum(f) + count(*) AS e, sum(f)::int AS i FROM t GROUP BY k ORDER BY sum(f) DESC',
    },
    steps: [
      'UPDATE t SET f = f + 10 WHERE id = 3',
      'UPDATE t SET k = k + 1 WHERE id % 2 = 0',
      'DELETE FROM t WHERE k = 2',
      'INSERT INTO t VALUES (100, 2, 0.25)',
    ],
    way: 'fold',
  },
])

describe('sums of floats', () => {
  const lab = useLab([
    'CREATE TABLE t (id int PRIMARY KEY, k int, f float8)',
    `SELECT pgtrickle.create_stream_table('s', 'SELECT k, sum(f) AS s FROM t GROUP BY k')`,
  ])

  const sumsAfter = (sql: string): Promise<unknown> =>
    lab.exec(sql).then(() => lab.exec('SELECT k, s FROM s ORDER BY k'))

  test('are exact, whatever was added and removed before', async () => {
    expect(await sumsAfter('INSERT INTO t VALUES (1, 1, 1e20), (2, 1, 1), (3, 1, -1e20)')).toMatchObject([{ s: 1 }])
    expect(await sumsAfter('DELETE FROM t WHERE id = 1')).toMatchObject([{ s: -1e20 }])
    expect(await sumsAfter('DELETE FROM t WHERE id = 3')).toEqual([{ k: 1, s: 1 }])
    expect(
      await sumsAfter('INSERT INTO t VALUES (4, 1, 5e-324), (5, 1, -1), (6, 1, 1.7976931348623157e308)'),
    ).toMatchObject([{ s: 1.7976931348623157e308 }])
    expect(await sumsAfter('DELETE FROM t WHERE id = 6')).toMatchObject([{ s: 5e-324 }])
    expect(await sumsAfter('UPDATE t SET f = 0.1 WHERE id = 4; DELETE FROM t WHERE id <> 4')).toEqual([
      { k: 1, s: 0.1 },
    ])
    expect(await sumsAfter('DELETE FROM t')).toEqual([])
  })

  test('do not drift over many small changes', async () => {
    await lab.exec('DELETE FROM t; INSERT INTO t SELECT i, 1, random() FROM generate_series(1, 200) i')
    const before = await sumsAfter('SELECT 1')
    for (let i = 0; i < 300; i++)
      await lab.exec(`INSERT INTO t VALUES (${1000 + i}, 1, random() * 10.0 ^ (random() * 30 - 15))`)
    await lab.exec("INSERT INTO t VALUES (5000, 1, 'NaN'), (5001, 1, 'Infinity')")
    for (let i = 0; i < 300; i++) await lab.exec(`DELETE FROM t WHERE id = ${1000 + i}`)
    expect(await sumsAfter('DELETE FROM t WHERE id >= 5000')).toEqual(before)
    expect(await lab.pg.trickle.refreshStreamTable('s')).toEqual({ inserted: 0, deleted: 0, updated: 0 })
    expect(await lab.pg.trickle.verifyStreamTable('s')).toMatchObject({ ok: true })
  })

  test('that overflow fail when they are read, as in the query', async () => {
    await lab.exec('DELETE FROM t; INSERT INTO t VALUES (1, 1, 1e308), (2, 1, 1.5e308)')
    expect((await lab.fails('SELECT * FROM s')).code).toBe('22003')
    expect((await lab.fails('SELECT sum(f) FROM t')).code).toBe('22003')
    expect(await sumsAfter('DELETE FROM t WHERE id = 1')).toMatchObject([{ s: 1.5e308 }])
  })

  test('verify reports a difference that rounding does not explain', async () => {
    await lab.exec('DELETE FROM t; INSERT INTO t SELECT i, i % 2, i / 10.0 FROM generate_series(1, 99) i')
    expect(await lab.pg.trickle.verifyStreamTable('s')).toEqual({ ok: true, missing: 0, extra: 0 })
    await lab.exec(
      'SET session_replication_role = replica; UPDATE t SET f = f + 0.001 WHERE id = 1; RESET session_replication_role',
    )
    expect(await lab.pg.trickle.verifyStreamTable('s')).toEqual({ ok: false, missing: 1, extra: 1 })
    await lab.exec(
      "SET session_replication_role = replica; UPDATE t SET f = 'Infinity' WHERE id = 2; RESET session_replication_role",
    )
    expect(await lab.pg.trickle.verifyStreamTable('s')).toEqual({ ok: false, missing: 2, extra: 2 })
    await lab.exec('SET session_replication_role = replica; DELETE FROM t WHERE k = 1; RESET session_replication_role')
    expect(await lab.pg.trickle.verifyStreamTable('s')).toEqual({ ok: false, missing: 1, extra: 2 })
    expect(await lab.pg.trickle.refreshStreamTable('s')).toEqual({ inserted: 0, deleted: 1, updated: 1 })
    expect(await lab.pg.trickle.verifyStreamTable('s')).toEqual({ ok: true, missing: 0, extra: 0 })
  })
})
