/** Commands that run inside the maintenance of their own stream table: a clean error and no partial effect. */
import { describe, expect, test } from 'vitest'
import { useFreshLab } from './support/use-lab.js'

const SUMS = 'SELECT k, sum(v) AS s FROM t GROUP BY k'
const BUSY = { code: '55006', hint: expect.stringMatching(/\w/) }
const COMMANDS = [
  "create_stream_table('made', 'SELECT v FROM test.t')",
  "create_or_replace_stream_table('sums', 'SELECT k FROM test.t')",
  "alter_stream_table('sums', 'SELECT k, max(v)::bigint AS s FROM test.t GROUP BY k')",
  "refresh_stream_table('sums')",
  "drop_stream_table('sums', true)",
  'restore_stream_tables()',
]

const lab = useFreshLab([
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int); CREATE TABLE u (k int, w int)',
  'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i; INSERT INTO u VALUES (1, 1), (2, 2)',
])
let before: Record<string, number>

async function checkMaintenance(): Promise<void> {
  await lab.run('INSERT INTO t VALUES (100, 1, 1)')
  await lab.run('UPDATE t SET v = v + 1, k = 2 WHERE id > 5')
  await lab.run('DELETE FROM t WHERE id = 100')
  await lab.checkRefresh()
}

describe.each(COMMANDS)('%s', (command) => {
  const act = (returns: string) =>
    lab.exec(
      `CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pgtrickle.${command}; RETURN ${returns}; END $$`,
    )

  test.each(['BEFORE', 'AFTER'])('in a trigger: %s', async (time) => {
    await lab.create('sums', SUMS)
    await lab.create('over', 'SELECT max(s) FROM sums JOIN u USING (k)')
    for (const level of ['ROW', 'STATEMENT']) {
      await act('NEW')
      // Triggers fire by name. A capital letter sorts before the extension's triggers and a small letter after them.
      const name = time === 'BEFORE' ? 'a' : '"A"'
      await lab.exec(`CREATE TRIGGER ${name} ${time} INSERT OR UPDATE ON t FOR EACH ${level} EXECUTE FUNCTION act()`)
      before = await lab.inventory()
      expect(await lab.fails('INSERT INTO t VALUES (200, 1, 1)'), `${time} ${level}`).toMatchObject(BUSY)
      expect(await lab.fails('WITH x AS (DELETE FROM u) UPDATE t SET v = 0'), `${time} ${level}`).toMatchObject(BUSY)
      expect(await lab.inventory()).toEqual(before)
      await lab.exec('DROP FUNCTION act CASCADE')
      await checkMaintenance()
    }
  })

  test.each([
    ['"A" BEFORE', 'STATEMENT'],
    ['zz AFTER', 'STATEMENT'],
  ])("in a trigger before all of the extension's work, or after it: %s", async (time, level) => {
    for (const query of [SUMS, 'SELECT k, w AS s FROM u']) {
      await lab.create('sums', query)
      await act('NEW')
      await lab.exec(`CREATE TRIGGER ${time} INSERT OR UPDATE ON t FOR EACH ${level} EXECUTE FUNCTION act()`)
      before = await lab.inventory()
      lab.watched.clear()
      const error = await lab.exec('INSERT INTO t VALUES (200, 1, 1)').then(
        () => undefined,
        (thrown: { code?: string }) => thrown,
      )
      await lab.exec('DROP FUNCTION act CASCADE')
      if (error !== undefined) expect(error.code, JSON.stringify(error)).toMatch(/^(55006|2BP01|42P07)$/)
      for (const st of await lab.pg.trickle.listStreamTables()) await lab.watch(st.name, st.query)
      await lab.check(`${time} ${command}`)
      await checkMaintenance()
      lab.watched.clear()
      for (const st of await lab.pg.trickle.listStreamTables()) await lab.pg.trickle.dropStreamTable(st.name)
      await lab.exec('DELETE FROM t WHERE id = 200')
    }
  })

  test('in a function that the query calls', async () => {
    await lab.exec(
      `CREATE FUNCTION act() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM pgtrickle.${command}; END $$`,
    )
    // The function is declared IMMUTABLE although it writes, which PostgreSQL does not check.
    await lab.exec(`CREATE FUNCTION liar(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
      BEGIN IF x >= 1000 THEN PERFORM test.act(); END IF; RETURN x; END $$`)
    await lab.create('sums', SUMS)
    await lab.create('lies', 'SELECT id, liar(v) AS v FROM t')
    before = await lab.inventory()
    expect(await lab.fails('INSERT INTO t VALUES (200, 1, 1000)')).toMatchObject(BUSY)
    await lab.exec(
      "SET session_replication_role = 'replica'; INSERT INTO t VALUES (200, 1, 1000); RESET session_replication_role",
    )
    lab.watched.clear()
    for (const call of [
      lab.pg.trickle.refreshStreamTable('lies'),
      lab.pg.trickle.createStreamTable('more', 'SELECT liar(v) AS v FROM t'),
      lab.pg.trickle.alterStreamTable('lies', 'SELECT liar(v) AS v FROM t'),
    ])
      await expect(call).rejects.toMatchObject(BUSY)
    expect(await lab.inventory()).toEqual(before)
    await lab.exec('DELETE FROM t WHERE id = 200')
    await lab.watch('sums', SUMS)
    await lab.watch('lies', 'SELECT id, liar(v) AS v FROM t')
    await lab.pg.trickle.refreshStreamTable('sums')
    await checkMaintenance()
  })
})

describe('create_stream_table by the statement that changes its source', () => {
  const statements = [
    'INSERT INTO u SELECT make(), 1',
    'UPDATE u SET w = make()',
    'WITH made AS MATERIALIZED (SELECT make() AS n) INSERT INTO u SELECT n, n FROM made',
    'INSERT INTO u VALUES (7, 7) RETURNING make()',
    'WITH x AS (DELETE FROM u RETURNING make()) INSERT INTO t SELECT 500, 1, 1 FROM x LIMIT 1',
    'SELECT make() FROM u LIMIT 1',
  ]
  test.each(statements)('%s', async (sql) => {
    await lab.exec(`CREATE FUNCTION make() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      PERFORM pgtrickle.create_stream_table_if_not_exists('made', 'SELECT k, sum(w) AS s FROM test.u GROUP BY k'); RETURN 1; END $$`)
    const error = await lab.exec(sql).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (error !== undefined) expect(error).toMatchObject(BUSY)
    for (const st of await lab.pg.trickle.listStreamTables()) await lab.watch(st.name, st.query)
    await lab.check(sql)
    await lab.run('INSERT INTO u VALUES (1, 1)')
    await checkMaintenance()
  })

  test('while a cursor over its source is open', async () => {
    await lab.exec('BEGIN; DECLARE c CURSOR FOR SELECT * FROM u; FETCH 1 FROM c')
    const failure = lab.pg.trickle.createStreamTable('made', 'SELECT * FROM u')
    await expect(failure).rejects.toMatchObject(BUSY)
    await lab.exec('ROLLBACK')
    await lab.create('made', 'SELECT * FROM u')
    await lab.run('BEGIN; DECLARE c CURSOR FOR SELECT * FROM u; FETCH 1 FROM c')
    await lab.create('more', 'SELECT w FROM u')
    await lab.run('UPDATE u SET w = 5')
    await lab.run('UPDATE u SET w = 6 WHERE CURRENT OF c')
    await lab.run('FETCH 1 FROM c; DELETE FROM u WHERE CURRENT OF c')
    await lab.run('COMMIT')
  })
})

describe('DDL in a trigger of a source', () => {
  test('that affects a stream table is either followed or refused', async () => {
    await lab.exec('CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT $1 $$')
    await lab.create('called', 'SELECT id, f(v) AS v FROM t')
    await lab.create('sums', SUMS)
    await lab.exec(`CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      EXECUTE 'CREATE OR REPLACE FUNCTION test.f(int) RETURNS int IMMUTABLE LANGUAGE sql AS ''SELECT $1 * 10''';
      INSERT INTO test.t SELECT 300, 1, 1 WHERE NOT EXISTS (SELECT FROM test.t WHERE id = 300);
      RETURN NEW; END $$`)
    for (const time of ['BEFORE', 'AFTER']) {
      await lab.exec(`CREATE TRIGGER a ${time} UPDATE ON t FOR EACH ROW EXECUTE FUNCTION act()`)
      await lab.run('UPDATE t SET v = v + 1 WHERE id < 3')
      await lab.exec('DROP TRIGGER a ON t')
      await lab.run('CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT $1 $$')
      await lab.run('DELETE FROM t WHERE id = 300')
    }
  })

  test('that drops the table being changed is refused by PostgreSQL', async () => {
    await lab.create('sums', SUMS)
    await lab.create('over', 'SELECT max(s) FROM sums')
    await lab.exec(
      `CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DROP TABLE test.t CASCADE; RETURN NEW; END $$`,
    )
    await lab.exec('CREATE TRIGGER a AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION act()')
    expect(await lab.fails('UPDATE t SET v = 0')).toMatchObject({ code: '55006' })
    await lab.exec('DROP FUNCTION act CASCADE')
    await checkMaintenance()
  })

  test('that drops the stream table through its view leaves nothing behind', async () => {
    await lab.create('sums', SUMS)
    await lab.create('rows', 'SELECT id, v FROM t')
    await lab.exec(
      `CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DROP VIEW IF EXISTS test.sums; RETURN NEW; END $$`,
    )
    await lab.exec('CREATE TRIGGER "A" AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION act()')
    const dropped = await lab.exec('UPDATE t SET v = 0').then(
      () => true,
      () => false,
    )
    await lab.exec('DROP FUNCTION act CASCADE')
    expect(await lab.exec("SELECT 1 FROM pgtrickle.stream_tables WHERE name = 'sums'")).toHaveLength(dropped ? 0 : 1)
    if (dropped) lab.forget('sums')
    await checkMaintenance()
  })
})

describe('queries that write, through a function that is declared IMMUTABLE', () => {
  test('to what they read: an error, and no endless loop', async () => {
    await lab.exec(
      `CREATE FUNCTION add(x int) RETURNS void LANGUAGE sql AS $$ INSERT INTO test.t SELECT max(id) + 1, 1, 5000 FROM test.t $$`,
    )
    await lab.exec(`CREATE FUNCTION liar(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
      BEGIN IF x >= 1000 THEN PERFORM test.add(x); END IF; RETURN x; END $$`)
    await lab.create('sums', SUMS)
    await lab.create('lies', 'SELECT id, liar(v) AS v FROM t')
    expect(await lab.fails('INSERT INTO t VALUES (200, 1, 1000)')).toMatchObject({
      code: '54001',
      hint: expect.stringMatching(/VOLATILE/),
    })
    await checkMaintenance()
  })

  test('to another table: stream tables over that table follow', async () => {
    await lab.exec(`CREATE FUNCTION add(x int) RETURNS void LANGUAGE sql AS $$ INSERT INTO test.u VALUES (x, x) $$`)
    await lab.exec(`CREATE FUNCTION liar(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
      BEGIN IF x >= 1000 THEN PERFORM test.add(x); END IF; RETURN x; END $$`)
    await lab.create('lies', 'SELECT id, liar(v) AS v FROM t')
    await lab.create('over_u', 'SELECT k, count(*) FROM u GROUP BY k')
    lab.forget('lies')
    await lab.run('INSERT INTO t VALUES (200, 1, 1000)')
    await lab.run('UPDATE t SET v = 1001 WHERE id < 3')
    await lab.run('DELETE FROM u WHERE k > 500')
  })
})

describe('a stream table that would depend on itself', () => {
  test('cannot be created, directly or indirectly', async () => {
    await lab.create('a', SUMS)
    await lab.create('b', 'SELECT max(s) AS m FROM a')
    before = await lab.inventory()
    expect(await lab.fails("SELECT pgtrickle.create_stream_table('c', 'SELECT * FROM c')")).toMatchObject({
      code: '42P01',
    })
    for (const query of [
      'SELECT m::int AS k, m AS s FROM b',
      'SELECT * FROM a',
      'SELECT k, (SELECT m FROM b) AS s FROM t',
    ]) {
      expect(await lab.fails(`SELECT pgtrickle.alter_stream_table('a', '${query}')`), query).toMatchObject({
        code: '42P17',
      })
      expect(await lab.fails(`SELECT pgtrickle.create_or_replace_stream_table('a', '${query}')`), query).toMatchObject({
        code: '42P17',
      })
    }
    await lab.exec('CREATE VIEW plain AS SELECT k, v FROM t')
    await lab.create('over_plain', 'SELECT k, count(*) FROM plain GROUP BY k')
    // A view that a stream table reads is changed to read that stream table.
    expect(await lab.fails('CREATE OR REPLACE VIEW plain AS SELECT k, count::int AS v FROM over_plain')).toMatchObject({
      code: expect.not.stringMatching(/^XX/),
    })
    await checkMaintenance()
  })
})

describe('there is one connection, so nothing needs a lock', () => {
  test('PostgreSQL runs as a single process, without a postmaster to start a second one', async () => {
    expect(
      await lab.exec('SELECT backend_type FROM pg_stat_activity WHERE state IS NOT NULL OR pid = pg_backend_pid()'),
    ).toEqual([{ backend_type: 'standalone backend' }])
  })

  test('several clients take turns, one transaction each', async () => {
    await lab.create('joined', 'SELECT t.k, count(*), sum(u.w) FROM t JOIN u USING (k) GROUP BY t.k')
    const order: string[] = []
    const client = (name: string, table: string, rows: string) =>
      lab.pg.transaction(async (tx) => {
        order.push(`${name} begins`)
        await tx.query(`INSERT INTO ${table} ${rows}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
        await tx.query(`UPDATE ${table} SET k = k + 0`)
        order.push(`${name} ends`)
      })
    await Promise.all([
      client('a', 't', 'SELECT i, i % 3, i FROM generate_series(300, 310) i'),
      client('b', 'u', 'SELECT i % 3, i FROM generate_series(1, 9) i'),
      lab.pg.query('DELETE FROM t WHERE id < 3').then(() => order.push('c')),
      client('d', 't', 'SELECT i, i % 3, i FROM generate_series(200, 210) i'),
    ])
    // No other client runs between the start and the end of a transaction.
    const whole = order.join(', ')
    for (const name of ['a', 'b', 'd']) expect(whole).toContain(`${name} begins, ${name} ends`)
    await lab.check('four clients')
    await checkMaintenance()
  })
})
