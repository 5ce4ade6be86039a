/**
 * Expressions that raise an error for rows that the query never evaluates them for: no statement of the user's fails for
 * them, and neither does creating the stream table.
 */
import { describe, expect, test } from 'vitest'
import { useFreshLab } from './support/use-lab.js'

const lab = useFreshLab([
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int, x text)',
  'CREATE TABLE u (k int, w int, kind text, x text)',
  'CREATE INDEX ON u (k)',
  "INSERT INTO t SELECT n, n % 4, CASE n % 4 WHEN 0 THEN 0 ELSE n END, CASE n % 4 WHEN 0 THEN 'a' ELSE n::text END FROM generate_series(1, 12) n",
  "INSERT INTO u VALUES (1, 1, 'n', '1'), (2, 0, 'z', 'b'), (2, 5, 'n', '5'), (3, 3, 'n', '3'), (4, 0, 'z', 'c')",
])

/** Rows of t with k = 0 have v = 0 and no number in x; rows of u with kind z have w = 0 and no number in x. */
const CHANGES = [
  "INSERT INTO t VALUES (20, 1, 7, '7'), (21, 0, 0, 'b')",
  "INSERT INTO u VALUES (1, 4, 'n', '4'), (0, 0, 'z', 'd')",
  'UPDATE t SET v = v + 1, x = CASE k WHEN 0 THEN x ELSE (v + 1)::text END WHERE k <> 0',
  // Rows exchange what makes them safe.
  'UPDATE t SET k = 4 - k, v = CASE k WHEN 4 THEN 0 ELSE v END WHERE k IN (1, 3)',
  "UPDATE t SET k = CASE k WHEN 0 THEN 2 ELSE 0 END, v = CASE k WHEN 0 THEN 9 ELSE 0 END, x = CASE k WHEN 0 THEN '9' ELSE 'e' END WHERE k IN (0, 2)",
  "UPDATE u SET kind = CASE kind WHEN 'z' THEN 'n' ELSE 'z' END, w = CASE kind WHEN 'z' THEN 3 ELSE 0 END, x = CASE kind WHEN 'z' THEN '3' ELSE 'f' END",
  "WITH d AS (UPDATE u SET kind = CASE kind WHEN 'z' THEN 'n' ELSE 'z' END, w = CASE kind WHEN 'z' THEN 2 ELSE 0 END, x = CASE kind WHEN 'z' THEN '2' ELSE 'g' END) UPDATE t SET k = CASE k WHEN 0 THEN 1 ELSE 0 END, v = CASE k WHEN 0 THEN 2 ELSE 0 END, x = CASE k WHEN 0 THEN '2' ELSE 'h' END WHERE k IN (0, 1)",
  "WITH d AS (DELETE FROM u WHERE kind = 'z') DELETE FROM t WHERE id % 3 = 0",
  "INSERT INTO t SELECT n, n % 4, CASE n % 4 WHEN 0 THEN 0 ELSE n END, CASE n % 4 WHEN 0 THEN 'a' ELSE n::text END FROM generate_series(100, 700) n",
  'DELETE FROM t WHERE id > 90',
  'DELETE FROM u',
  "INSERT INTO u VALUES (1, 1, 'n', '1'), (0, 0, 'z', 'b')",
  'DELETE FROM t',
  "INSERT INTO t VALUES (1, 1, 1, '1'), (2, 0, 0, 'a')",
  'TRUNCATE u',
  'TRUNCATE t',
]

const QUERIES: Record<string, string> = {
  'a scalar subquery beside HAVING':
    'SELECT k, count(*) FROM t GROUP BY k HAVING count(*) >= (SELECT count(*) / count(DISTINCT k) FROM t)',
  'a scalar subquery in the select list of no rows': 'SELECT id, (SELECT sum(v) / count(*) FROM t) AS a FROM t',
  'a filter': 'SELECT id, 10 / v AS q FROM t WHERE k > 0',
  'a filter before a cast': 'SELECT id, x::int AS n FROM t WHERE k > 0',
  'a join with a cast': "SELECT t.id, u.x::int AS n FROM t JOIN u USING (k) WHERE u.kind = 'n' AND t.k > 0",
  'a join on a cast': "SELECT t.id, u.w FROM t JOIN u ON t.k > 0 AND u.kind = 'n' AND t.v = u.x::int",
  'a join of two tables that change': 'SELECT t.id, 10 / (t.v + u.w) AS q FROM t JOIN u USING (k) WHERE t.v + u.w <> 0',
  'a difference of two rows':
    'SELECT a.id, b.id AS other, 10 / (a.v - b.v) AS q FROM t a JOIN t b ON a.k = b.k AND a.id < b.id AND a.k > 0',
  'an outer join': "SELECT t.id, u.x::int AS n FROM t LEFT JOIN u ON u.k = t.k AND u.kind = 'n'",
  'an outer join over a filter':
    "SELECT t.id, s.n FROM t LEFT JOIN (SELECT k, x::int AS n FROM u WHERE kind = 'n') s USING (k)",
  'a full join':
    "SELECT a.q, b.n FROM (SELECT k, 10 / v AS q FROM t WHERE k > 0) a FULL JOIN (SELECT k, x::int AS n FROM u WHERE kind = 'n') b USING (k)",
  'EXISTS in CASE': 'SELECT id, CASE WHEN v <> 0 THEN EXISTS (SELECT FROM u WHERE u.w = 10 / t.v) END AS e FROM t',
  'IN in CASE':
    "SELECT id, CASE WHEN k > 0 THEN t.v IN (SELECT u.x::int FROM u WHERE u.k = t.k AND kind = 'n') END AS e FROM t",
  'EXISTS behind a condition':
    'SELECT id FROM t WHERE k > 0 AND EXISTS (SELECT FROM u WHERE u.k = t.k AND u.w < 100 / t.v)',
  'a scalar subquery of several rows in CASE':
    'SELECT id, CASE WHEN k IN (1, 3) AND id < 0 THEN (SELECT u.w FROM u WHERE u.k = t.k) END AS w FROM t',
  'an uncorrelated scalar subquery in CASE':
    'SELECT id, CASE WHEN (SELECT count(*) FROM u) = 1 THEN (SELECT w FROM u) END AS w FROM t',
  'an aggregate in CASE': 'SELECT k, CASE WHEN sum(v) > 0 THEN sum(v * v) / sum(v) END AS a FROM t GROUP BY k',
  'HAVING below LIMIT': 'SELECT k, 100 / sum(v) AS q FROM t GROUP BY k HAVING sum(v) > 0 ORDER BY k LIMIT 2',
  'HAVING below a join':
    'SELECT s.k, s.q, u.w FROM (SELECT k, 100 / sum(v) AS q FROM t GROUP BY k HAVING sum(v) > 0) s JOIN u USING (k)',
  'groups that a condition above leaves out':
    "SELECT s.k, s.q FROM (SELECT k, 100 / sum(v) AS q, string_agg(x, ',' ORDER BY id) FROM t GROUP BY k) s WHERE k > 0",
  'DISTINCT below a condition': 'SELECT s.k, s.q FROM (SELECT DISTINCT k, 10 / v AS q FROM t) s WHERE k > 0',
  'DISTINCT ON below a condition':
    'SELECT s.k, s.q FROM (SELECT DISTINCT ON (k) k, 10 / v AS q FROM t ORDER BY k, id) s WHERE k > 0',
  'a window below a condition':
    'SELECT s.k, s.q FROM (SELECT k, 10 / v AS q, rank() OVER (PARTITION BY k ORDER BY id) AS r FROM t) s WHERE k > 0',
  'a window over a filter': 'SELECT id, 10 / sum(v) OVER (PARTITION BY k) AS q FROM t WHERE k > 0',
  'a union below a condition':
    'SELECT * FROM (SELECT k, 10 / v AS q FROM t UNION SELECT k, 10 / w FROM u) s WHERE k IN (1, 3) AND k < 0',
  'a union of filters': "SELECT 10 / v AS q FROM t WHERE k > 0 UNION SELECT x::int FROM u WHERE kind = 'n'",
  'a union of all rows': "SELECT 10 / v AS q FROM t WHERE k > 0 UNION ALL SELECT x::int FROM u WHERE kind = 'n'",
  'an intersection': "SELECT v FROM t WHERE 10 / nullif(v, 0) > 0 INTERSECT SELECT x::int FROM u WHERE kind = 'n'",
  'a difference': "SELECT x::int FROM t WHERE k > 0 EXCEPT ALL SELECT x::int FROM u WHERE kind = 'n'",
  'unread columns of LIMIT': 'SELECT s.id FROM (SELECT id, 10 / v AS q FROM t ORDER BY id LIMIT 3) s WHERE s.id > 0',
  'unread columns of a window':
    'SELECT s.id, s.r FROM (SELECT id, 10 / v AS q, rank() OVER (PARTITION BY k ORDER BY id) AS r FROM t) s',
  'unread columns of groups':
    'SELECT s.k FROM (SELECT k, 10 / sum(v) AS q, sum(v) AS s FROM t GROUP BY k) s JOIN u USING (k)',
  LATERAL: 'SELECT t.id, s.q FROM t, LATERAL (SELECT 10 / t.v AS q FROM u WHERE u.k = t.k AND t.k > 0 LIMIT 1) s',
  'LATERAL with an outer join':
    'SELECT t.id, s.q FROM t LEFT JOIN LATERAL (SELECT sum(u.w / t.v) AS q FROM u WHERE u.k = t.k AND t.k > 0) s ON true',
  'a set-returning function': 'SELECT id, generate_series(1, 10 / v) AS n FROM t WHERE k > 0 AND v < 4',
  'a key of groups': 'SELECT 10 / v AS q, count(*) FROM t WHERE k > 0 GROUP BY 1',
  'an argument of an aggregate': 'SELECT k, sum(10 / v), max(x::int) FROM t WHERE k > 0 GROUP BY k',
  FILTER: 'SELECT k, sum(10 / v) FILTER (WHERE k > 0) AS s, max(x::int) FILTER (WHERE k > 0) AS m FROM t GROUP BY k',
  'FILTER of DISTINCT': 'SELECT count(DISTINCT 10 / v) FILTER (WHERE k > 0) AS n, count(*) AS a FROM t',
  'FILTER of string_agg':
    "SELECT k, string_agg((10 / v)::text, ',' ORDER BY id) FILTER (WHERE k > 0) AS s FROM t GROUP BY k",
  'grouping sets': 'SELECT k, sum(10 / v) AS s FROM t WHERE k > 0 GROUP BY ROLLUP (k)',
  'HAVING of grouping sets': 'SELECT k, 10 / sum(v) AS s FROM t GROUP BY ROLLUP (k) HAVING sum(v) > 0',
  'overflow in a join':
    'SELECT a.id FROM t a JOIN u ON u.k = a.k WHERE a.k > 0 AND a.v * 2000000000::bigint < 9223372036854775807 / u.w AND u.w > 0',
  'a recursion':
    'WITH RECURSIVE r AS (SELECT id, v FROM t WHERE k = 1 UNION SELECT t.id, 100 / t.v FROM r JOIN t ON t.id = r.v WHERE t.k > 0) SELECT * FROM r',
  'a condition on the result of a window':
    'SELECT id, 10 / v AS q FROM (SELECT id, v, rank() OVER (PARTITION BY k ORDER BY v DESC) AS r FROM t) s WHERE r = 1 AND v > 0',
  'a condition on LIMIT': 'SELECT id, 10 / v AS q FROM (SELECT id, v FROM t ORDER BY v DESC, id LIMIT 3) s WHERE v > 0',
}

/** The code of the error that the query raises, if it does. */
async function errorOf(query: string): Promise<string | undefined> {
  return lab.pg.query(query).then(
    () => undefined,
    (error: { code: string }) => error.code,
  )
}

/** Makes a change. It may fail only if the query fails after it. Says whether it did not. */
async function change(sql: string, query: string): Promise<boolean> {
  const failed = await lab.exec(sql).then(
    () => undefined,
    (error: { code: string }) => error.code,
  )
  if (failed !== undefined) {
    await lab.exec('BEGIN; SET LOCAL session_replication_role = replica')
    await lab.exec(sql)
    expect(await errorOf(query), `${failed} after ${sql}`).toBe(failed)
    await lab.exec('ROLLBACK')
  }
  await lab.check(sql)
  return failed === undefined
}

describe('rows that are neither in the old state nor in the new one', () => {
  const INVERSE = 'SELECT id, 10 / v AS q FROM t'

  test('a trigger corrects the row that was written', async () => {
    await lab.exec(`DELETE FROM t WHERE v = 0;
      CREATE FUNCTION correct() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE t SET v = 1 WHERE id = NEW.id AND v = 0; RETURN NULL; END $$;
      CREATE TRIGGER correct AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION correct()`)
    await lab.create('st', INVERSE)
    await lab.create('sums', 'SELECT k, sum(10 / v) AS s FROM t GROUP BY k')
    await lab.create('ranks', 'SELECT id, rank() OVER (PARTITION BY 10 / v ORDER BY id) AS r FROM t')
    await lab.run('INSERT INTO t VALUES (30, 1, 0), (31, 2, 2)')
    await lab.run('UPDATE t SET v = 0 WHERE k = 2')
    for (const name of ['st', 'sums', 'ranks']) {
      expect((await lab.pg.trickle.explainStreamTable(name)).way).not.toBe('rebuild')
    }
  })

  test('a statement writes twice', async () => {
    await lab.exec('DELETE FROM t WHERE v = 0')
    await lab.create('st', INVERSE)
    await lab.create('of_u', 'SELECT k FROM u')
    await lab.exec(`CREATE FUNCTION correct() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO t VALUES (40, 1, 0); UPDATE t SET v = 5 WHERE v = 0; RETURN 1; END $$`)
    await lab.run('INSERT INTO u SELECT correct(), 1')
    expect(await change('UPDATE t SET v = 0 WHERE id = 40', INVERSE)).toBe(false)
    await lab.run('BEGIN')
    await lab.run('SAVEPOINT s')
    expect(await lab.fails('UPDATE t SET v = 0 WHERE id = 40')).toMatchObject({ code: '22012' })
    await lab.run('ROLLBACK TO s')
    await lab.run('UPDATE t SET v = 6 WHERE id = 40')
    await lab.run('COMMIT')
  })
})

test('what a stage cannot leave out makes the stream table a rebuild, within the statement', async () => {
  const query = 'SELECT s.k, s.q FROM (SELECT DISTINCT k, 10 / v AS q FROM t) s WHERE k > 0'
  await lab.exec('DELETE FROM t WHERE k = 0')
  await lab.create('st', query)
  await lab.create('over', 'SELECT count(*) FROM st')
  expect(await lab.pg.trickle.explainStreamTable('st')).toMatchObject({ reason: null })
  lab.notices.length = 0
  await lab.run('INSERT INTO t VALUES (50, 0, 0)')
  expect(lab.notices.join()).toContain('its maintenance fails where the query does not: division by zero (22012)')
  expect(await lab.pg.trickle.explainStreamTable('st')).toMatchObject({ way: 'rebuild' })
  expect(await lab.exec('SELECT ok, problem FROM pgtrickle.health_check() ORDER BY 2')).toEqual([
    { ok: true, problem: expect.stringContaining('division by zero') },
    { ok: true, problem: null },
  ])
  expect(await change('INSERT INTO t VALUES (51, 1, 0)', query)).toBe(false)
  await lab.run('DELETE FROM t WHERE id = 50')
  // Now there is nothing in the way.
  await lab.pg.trickle.alterStreamTable('st', query)
  await lab.run('INSERT INTO t VALUES (52, 1, 2)')
  expect(await lab.pg.trickle.explainStreamTable('st')).toMatchObject({ reason: null })
})

describe('a query that runs', () => {
  test.each(Object.entries(QUERIES))('%s', async (_, query) => {
    expect(await errorOf(query)).toBeUndefined()
    await lab.create('st', query)
    let made = 0
    for (const sql of CHANGES) if (await change(sql, query)) made++
    expect(made).toBeGreaterThan(CHANGES.length / 2)
    await lab.checkRefresh()
  })

  test.each(Object.entries(QUERIES))('%s, made without rows', async (_, query) => {
    await lab.exec('CREATE TABLE t0 AS TABLE t; CREATE TABLE u0 AS TABLE u; DELETE FROM t; DELETE FROM u')
    await lab.create('st', query)
    await lab.create('over', 'SELECT count(*) FROM st')
    const filling = ['t SELECT * FROM t0 WHERE id < 7', 'u SELECT * FROM u0', 't SELECT * FROM t0 WHERE id >= 7']
    for (const sql of [...filling.map((rows) => `INSERT INTO ${rows}`), ...CHANGES]) await change(sql, query)
  })
})
