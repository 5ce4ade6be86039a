/** SQL of the extension that PostgreSQL refuses: the stream table runs its query again after every change, and says so. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Lab } from './support/lab.js'
import { openDatabase } from './support/pglite.js'
import { refusing, withRefusedStatements } from './support/refused-statements.js'

let lab: Lab

beforeAll(async () => {
  lab = await withRefusedStatements(() => new Lab().open())
})
afterAll(() => lab?.close())
beforeEach(async () => {
  await lab.reset()
  await lab.exec(`CREATE TABLE t (id int PRIMARY KEY, k int, v int); CREATE TABLE u (k int PRIMARY KEY, w text);
    INSERT INTO t SELECT n, n % 3, n * 7 % 5 FROM generate_series(1, 9) n; INSERT INTO u VALUES (0, 'a'), (1, 'b')`)
})

const QUERIES: Record<string, string> = {
  scan: 'SELECT id, v + 1 AS v FROM t WHERE v > 0',
  group: 'SELECT k, count(*), sum(v), max(v) FROM t GROUP BY k HAVING count(*) > 1 ORDER BY sum(v)',
  join: 'SELECT t.id, u.w FROM t JOIN u USING (k)',
  'outer join': 'SELECT t.id, u.w FROM t LEFT JOIN u USING (k)',
  window: 'SELECT id, rank() OVER (PARTITION BY k ORDER BY v) FROM t',
  limit: 'SELECT id, v FROM t ORDER BY v, id LIMIT 3',
  'several stages': 'SELECT w, s FROM (SELECT k, sum(v) AS s FROM t GROUP BY k LIMIT 2) g JOIN u USING (k)',
  recursion:
    'WITH RECURSIVE r AS (SELECT id FROM t WHERE id = 1 UNION SELECT t.id FROM t JOIN r ON t.v = r.id) TABLE r',
}

const CHANGES = [
  'INSERT INTO t VALUES (10, 0, 3), (11, 2, 4)',
  'UPDATE t SET v = v + 1, k = (k + 1) % 3',
  "INSERT INTO u VALUES (2, 'c')",
  'DELETE FROM u WHERE k = 0',
  'DELETE FROM t WHERE id % 2 = 0',
  'TRUNCATE t',
  'INSERT INTO t SELECT n, n % 3, n FROM generate_series(20, 600) n',
]

/** One of the statements that maintain rows: none that asks the catalog, runs a query as it is, or tells subscribers. */
function isOurs(sql: string): boolean {
  return (
    /pgtrickle\.(st_|"st_)/.test(sql) && !/pgtrickle\.(def_|command)|__pgt_change_rows|pg_depend|pg_class/.test(sql)
  )
}

/** The statements of that kind which PostgreSQL gets during `body`. */
async function seen(body: () => Promise<void>): Promise<string[]> {
  const texts: string[] = []
  const record = (sql: string) => {
    if (isOurs(sql)) texts.push(sql)
    return false
  }
  await refusing(record, body)
  return texts
}

/** The statement with the same place among those of that kind, whatever it is called this time. */
function nth(n: number): (sql: string) => boolean {
  let left = n
  return (sql) => isOurs(sql) && left-- === 0
}

async function health(name: string): Promise<unknown> {
  const [row] = await lab.exec(`SELECT ok, problem FROM pgtrickle.health_check() WHERE stream_table = 'test.${name}'`)
  return row
}

const IS_RIGHT = { ok: true, problem: expect.stringMatching(/^is right, but .*PostgreSQL refuses its maintenance/) }

async function expectFallback(name: string): Promise<void> {
  expect(await health(name)).toEqual(IS_RIGHT)
  expect(await lab.pg.trickle.explainStreamTable(name)).toMatchObject({
    way: 'rebuild',
    reason: expect.stringContaining('PostgreSQL refuses its maintenance: syntax error at or near "!" (42601)'),
  })
}

describe('a statement that is refused when the stream table is created', () => {
  test.each(Object.entries(QUERIES))('%s', async (_, query) => {
    const texts = await seen(() => lab.create('st', query))
    expect(texts.length).toBeGreaterThan(2)
    await lab.exec('DROP VIEW st')
    lab.watched.clear()
    const before = await lab.inventory()
    for (let n = 0; n < texts.length; n++) {
      lab.notices.length = 0
      await refusing(nth(n), () => lab.create('st', query))
      expect(lab.notices.join(), texts[n]).toMatch(/st runs its query again after every change: PostgreSQL refuses/)
      await expectFallback('st')
      await lab.run('BEGIN')
      for (const change of CHANGES) await lab.run(change)
      await lab.run('ROLLBACK')
      lab.watched.clear()
      await lab.exec('DROP VIEW st')
      expect(await lab.inventory(), texts[n]).toEqual(before)
    }
  })
})

/** A statement that changes rows. */
const isProgram = (sql: string) => isOurs(sql) && /^(WITH|MERGE|INSERT|UPDATE|DELETE)/.test(sql)

describe('a statement that is refused at the first change', () => {
  test.each(Object.entries(QUERIES))('%s', async (_, query) => {
    await lab.create('st', query)
    await lab.create('over', 'SELECT count(*) AS n FROM st')
    await lab.exec('CREATE VIEW plain AS SELECT * FROM st')
    expect(await health('st')).toEqual({ ok: true, problem: null })
    lab.notices.length = 0
    await refusing(isProgram, () => lab.run('INSERT INTO t VALUES (10, 1, -9), (11, 0, 9)'))
    expect(lab.notices.join()).toMatch(/test.st runs its query again after every change: PostgreSQL refuses/)
    await expectFallback('st')
    for (const change of CHANGES.slice(1)) await lab.run(change)
    await lab.checkRefresh()
    await lab.exec('DROP VIEW st CASCADE')
  })

  test('a statement that reads the stream table', async () => {
    await lab.create('st', 'SELECT k, sum(v) AS s FROM t GROUP BY k')
    await refusing(isProgram, () => lab.run('INSERT INTO t SELECT k + 20, k, s FROM st'))
    await lab.run('UPDATE t SET v = v + 1')
    await expectFallback('st')
  })

  test('a cursor over the stream table is open', async () => {
    await lab.create('st', 'SELECT k, sum(v) AS s FROM t GROUP BY k')
    await lab.run('BEGIN')
    await lab.exec('DECLARE c CURSOR FOR SELECT * FROM st ORDER BY k; FETCH 1 FROM c')
    await refusing(isProgram, () => lab.run('UPDATE t SET v = v + 1'))
    expect(await lab.exec('FETCH ALL FROM c')).toHaveLength(2)
    await lab.run('COMMIT')
    await lab.run('UPDATE t SET v = v + 1')
    await expectFallback('st')
    await lab.exec('DROP VIEW st')
  })

  test("users' triggers fire", async () => {
    await lab.create('st', 'SELECT k, sum(v) AS s FROM t GROUP BY k')
    await lab.exec(`CREATE TABLE fired (n serial, op text);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO fired (op) VALUES (TG_OP); RETURN NULL; END $$;
      CREATE TRIGGER mine AFTER INSERT OR UPDATE OR DELETE ON st FOR EACH STATEMENT EXECUTE FUNCTION note()`)
    await refusing(isProgram, () => lab.run('UPDATE t SET v = v + 1 WHERE id = 1'))
    await expectFallback('st')
    expect(await lab.exec('SELECT op FROM fired ORDER BY n')).toEqual([{ op: 'INSERT' }, { op: 'DELETE' }])
    await lab.exec('DELETE FROM fired')
    await lab.run('UPDATE t SET v = v + 1 WHERE id = 2')
    expect(await lab.exec('SELECT op FROM fired ORDER BY n')).toEqual([{ op: 'INSERT' }, { op: 'DELETE' }])
  })

  test('indexes and grants of the user stay', async () => {
    await lab.create('st', 'SELECT k, sum(v) AS s, count(*) AS n FROM t GROUP BY k')
    await lab.exec('CREATE UNIQUE INDEX mine ON st (k, n); CREATE INDEX other ON st (s); GRANT SELECT ON st TO PUBLIC')
    const owned = () =>
      lab.exec(`SELECT indexdef, relacl FROM pg_indexes, pg_class
        WHERE indexname IN ('mine', 'other') AND relname = 'st' ORDER BY 1`)
    const before = await owned()
    expect(before).toHaveLength(2)
    await refusing(isProgram, () => lab.run('UPDATE t SET v = v + 1'))
    await expectFallback('st')
    const after = JSON.stringify(await owned()).replaceAll(/st_\d+/g, 'st_')
    expect(after).toEqual(JSON.stringify(before).replaceAll(/st_\d+/g, 'st_'))
  })

  test('it is rolled back with the statement', async () => {
    await lab.create('st', 'SELECT k, sum(v) AS s FROM t GROUP BY k')
    await lab.run('BEGIN')
    await lab.run('SAVEPOINT s')
    await refusing(isProgram, () => lab.run('UPDATE t SET v = v + 1'))
    await expectFallback('st')
    await lab.run('ROLLBACK TO s')
    expect(await health('st')).toEqual({ ok: true, problem: null })
    await lab.run('UPDATE t SET v = v + 1')
    await lab.run('COMMIT')
    expect(await lab.pg.trickle.explainStreamTable('st')).toMatchObject({ way: 'fold', reason: null })
  })

  test('subscribers are told of what changed', async () => {
    await lab.create('st', 'SELECT k, sum(v) AS s FROM t GROUP BY k')
    const rows = new Map<string, unknown>()
    const stop = await lab.pg.trickle.subscribe('st', (changes) => {
      for (const { op, id, row } of changes) {
        expect(rows.has(id)).toBe(op !== 'insert')
        if (op === 'delete') rows.delete(id)
        else rows.set(id, row)
      }
    })
    for (const id of [1, 2]) {
      await refusing(isProgram, () => lab.run(`UPDATE t SET v = v + 1 WHERE id = ${id}`))
      expect(new Set(rows.values())).toEqual(new Set((await lab.pg.query('TABLE st')).rows))
    }
    await expectFallback('st')
    await stop()
  })

  test('everything else of the statement is maintained', async () => {
    await lab.create('st', 'SELECT k, sum(v) AS s FROM t GROUP BY k')
    await lab.create('other', 'SELECT DISTINCT v FROM t')
    await lab.create('joined', 'SELECT st.k, other.v FROM st JOIN other ON other.v = st.s')
    await refusing(
      (sql) => isProgram(sql) && sql.includes('sum'),
      () => lab.run('WITH x AS (DELETE FROM u RETURNING k) INSERT INTO t SELECT k + 20, k, 4 FROM x'),
    )
    await expectFallback('st')
    expect(await health('other')).toEqual({ ok: true, problem: null })
    await lab.run('UPDATE t SET v = v + 1')
  })
})

describe('other ways to a refused statement', () => {
  const ofFold = (sql: string) => isOurs(sql) && sql.includes('UNIQUE NULLS NOT DISTINCT')
  const GROUP = 'SELECT k, count(*) AS n FROM t GROUP BY k'

  test('another query for a stream table', async () => {
    await lab.create('st', 'SELECT k FROM t')
    await lab.create('over', 'SELECT count(*) AS c FROM st')
    lab.forget('st')
    await refusing(ofFold, () => lab.exec(`SELECT pgtrickle.create_or_replace_stream_table('st', '${GROUP}')`))
    await lab.watch('st', GROUP)
    await lab.run('UPDATE t SET k = 0 WHERE id = 1')
    await expectFallback('st')
    // Nothing is refused any more.
    await lab.pg.trickle.alterStreamTable('st', GROUP)
    await lab.run('UPDATE t SET k = 0 WHERE id = 2')
    expect(await health('st')).toEqual({ ok: true, problem: null })
    expect(await lab.pg.trickle.explainStreamTable('st')).toMatchObject({ way: 'fold' })
  })

  test('DDL that makes another layout', async () => {
    await lab.create('st', 'SELECT id, k FROM t')
    await refusing(
      (sql) => isOurs(sql) && sql.includes('__pgt_hash'),
      () => lab.run('ALTER TABLE t DROP CONSTRAINT t_pkey'),
    )
    await expectFallback('st')
    await lab.run('INSERT INTO t VALUES (1, 1, 1)')
    await lab.run('ALTER TABLE t RENAME COLUMN v TO vv')
    await lab.run('DELETE FROM t WHERE id = 1')
    await expectFallback('st')
  })

  test('a refresh', async () => {
    await lab.create('st', GROUP)
    await refusing(
      (sql) => isOurs(sql) && sql.includes('merge_action'),
      () => lab.exec(`SELECT pgtrickle.refresh_stream_table('st')`),
    )
    await expectFallback('st')
    await lab.run('UPDATE t SET k = 0')
  })

  test('TRUNCATE', async () => {
    await lab.create('st', GROUP)
    await refusing(
      (sql) => isOurs(sql) && sql.includes('MERGE'),
      () => lab.run('TRUNCATE t'),
    )
    await expectFallback('st')
  })

  test('a question to the catalog fails while a query is planned', async () => {
    await lab.exec("CREATE TYPE mood AS ENUM ('sad', 'happy'); ALTER TABLE t ADD m mood DEFAULT 'sad'")
    const planning = (sql: string) => sql.includes('pg_opclass')
    await refusing(planning, () => lab.create('st', 'SELECT m, count(*) AS n FROM t GROUP BY m'))
    await expectFallback('st')
    await lab.run("UPDATE t SET m = 'happy' WHERE id = 1")
  })

  test('a stream table without rows', async () => {
    await refusing(ofFold, () => lab.pg.trickle.createStreamTable('st', GROUP, { withData: false }))
    expect(await lab.exec('TABLE st')).toEqual([])
    await lab.run('UPDATE t SET k = 0 WHERE id = 1')
    await lab.pg.trickle.refreshStreamTable('st')
    await lab.watch('st', GROUP)
    await lab.run('UPDATE t SET k = 0 WHERE id = 2')
    await expectFallback('st')
  })

  test('errors of the query stay errors', async () => {
    const before = await lab.inventory()
    const create = (query: string) =>
      refusing(nth(0), () => lab.fails(`SELECT pgtrickle.create_stream_table('st', '${query}')`))
    expect(await create('SELECT 1 / (v - v) AS q FROM t')).toMatchObject({ code: '22012' })
    expect(await create('SELECT nope FROM t')).toMatchObject({ code: '42703' })
    expect(await create('SELECT random() AS r FROM t')).toMatchObject({ code: '0A000' })
    expect(await lab.inventory()).toEqual(before)
    await lab.create('st', 'SELECT k, sum(10 / v) AS s FROM t WHERE v > 0 OR k > 5 GROUP BY k')
    const failed = await refusing(isProgram, () => lab.fails('UPDATE t SET v = 0, k = 7 WHERE id = 1'))
    expect(failed).toMatchObject({ code: '22012' })
    expect(await health('st')).toEqual({ ok: true, problem: null })
  })
})

test('another session does the same', async () => {
  await withRefusedStatements(async () => {
    const first = await openDatabase()
    await first.exec('CREATE TABLE t (id int PRIMARY KEY, k int); INSERT INTO t VALUES (1, 1), (2, 1)')
    await first.trickle.createStreamTable('st', 'SELECT k, count(*)::int AS n FROM t GROUP BY k')
    await refusing(isProgram, () => first.exec('INSERT INTO t VALUES (3, 2)'))
    const loadDataDir = await first.dumpDataDir('none')
    await first.close()
    const second = await openDatabase({ loadDataDir })
    try {
      // This one would be refused, if it came to that.
      await refusing(isProgram, () => second.exec('UPDATE t SET k = 2 WHERE id = 1'))
      expect((await second.query('SELECT * FROM st ORDER BY k')).rows).toEqual([
        { k: 1, n: 1 },
        { k: 2, n: 2 },
      ])
      expect(await second.trickle.explainStreamTable('st')).toMatchObject({
        way: 'rebuild',
        reason: expect.stringContaining('PostgreSQL refuses'),
      })
    } finally {
      await second.close()
    }
  })
})

test('another session whose compiler fails', async () => {
  await withRefusedStatements(async () => {
    const first = await openDatabase()
    await first.exec("CREATE TYPE k AS ENUM ('1', '2'); CREATE TABLE t (id int PRIMARY KEY, k k)")
    await first.exec("INSERT INTO t VALUES (1, '1'), (2, '1')")
    await first.trickle.createStreamTable('st', 'SELECT k, count(*)::int AS n FROM t GROUP BY k')
    const loadDataDir = await first.dumpDataDir('none')
    await first.close()
    const second = await openDatabase({ loadDataDir })
    try {
      await refusing(
        (sql) => sql.includes('pg_opclass'),
        () => second.exec("UPDATE t SET k = '2' WHERE id = 1"),
      )
      expect((await second.query('SELECT * FROM st ORDER BY k')).rows).toEqual([
        { k: '1', n: 1 },
        { k: '2', n: 1 },
      ])
      const [row] = (await second.query('SELECT * FROM pgtrickle.health_check()')).rows
      expect(row).toMatchObject(IS_RIGHT)
    } finally {
      await second.close()
    }
  })
})
