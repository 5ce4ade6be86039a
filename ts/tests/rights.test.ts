/** Which rights the owner of a stream table and its readers need, and what happens when they lose them. */
import { beforeAll, describe, expect, test } from 'vitest'
import { SUMS, useRoles } from './support/roles.js'
import { eventually } from './support/eventually.js'

const { lab, as, refused, create } = useRoles()

describe('creating a stream table takes TRIGGER on what its query reads', () => {
  beforeAll(() => lab.exec('GRANT USAGE ON SCHEMA public TO PUBLIC'))

  const st = (query: string) => create('mallory', 'mal.st', query)

  test('SELECT is not enough', async () => {
    await lab.exec('GRANT SELECT ON t TO mallory')
    await expect(st(SUMS)).rejects.toMatchObject({
      code: '42501',
      message: expect.stringMatching(/test\.t.*TRIGGER/) as string,
      hint: expect.stringContaining('GRANT TRIGGER ON test.t TO mallory') as string,
    })
    expect(await lab.exec("SELECT * FROM pg_trigger WHERE tgrelid = 't'::regclass")).toEqual([])
    await lab.exec('GRANT TRIGGER ON t TO mallory')
    await st(SUMS)
    await lab.watch('mal.st', SUMS)
    await lab.run('INSERT INTO t VALUES (4, 2, 4)')
  })

  test('TRIGGER is not enough', async () => {
    await lab.exec('GRANT TRIGGER ON t TO mallory')
    await expect(st(SUMS)).rejects.toMatchObject({ code: '42501' })
  })

  test('another query needs it too', async () => {
    await lab.exec('CREATE TABLE u (k int, s int); GRANT SELECT ON t, u TO mallory; GRANT TRIGGER ON u TO mallory')
    await st('SELECT k, s FROM test.u')
    const alter = `SELECT pgtrickle.alter_stream_table('mal.st', 'SELECT k, v AS s FROM test.t')`
    await refused('mallory', alter, /test\.t/)
    await lab.exec('GRANT TRIGGER ON t TO mallory')
    await as('mallory', alter)
  })

  test('a view gives it if its owner has it', async () => {
    await lab.exec(`ALTER TABLE t OWNER TO alice; CREATE VIEW seen AS SELECT * FROM t; ALTER VIEW seen OWNER TO alice;
      CREATE VIEW again AS SELECT id FROM seen; GRANT SELECT ON again TO mallory`)
    await st('SELECT id FROM test.again')
    await lab.watch('mal.st', 'SELECT id FROM t')
    await lab.run('INSERT INTO t VALUES (4, 2, 4)')
  })

  test('a view of her own gives nothing', async () => {
    await lab.exec('GRANT SELECT ON t TO mallory')
    await as('mallory', 'CREATE VIEW mal.v AS SELECT * FROM test.t; CREATE VIEW mal.w AS SELECT * FROM mal.v')
    await refused('mallory', `SELECT pgtrickle.create_stream_table('mal.st', 'SELECT id FROM mal.w')`, /test\.t/)
  })

  test('a view with security_invoker gives nothing', async () => {
    await lab.exec(`CREATE VIEW seen WITH (security_invoker = on) AS SELECT * FROM t;
      GRANT SELECT, TRIGGER ON seen TO mallory; GRANT SELECT ON t TO mallory`)
    await refused('mallory', `SELECT pgtrickle.create_stream_table('mal.st', 'SELECT id FROM test.seen')`, /test\.t/)
    await lab.exec('GRANT TRIGGER ON t TO mallory')
    await st('SELECT id FROM test.seen')
  })

  test('a superuser needs no privilege, whoever owns the views', async () => {
    await lab.exec('GRANT SELECT ON t TO mallory')
    await as('mallory', 'CREATE VIEW mal.v AS SELECT * FROM test.t')
    await lab.create('st', 'SELECT * FROM mal.v')
    await lab.run('INSERT INTO t VALUES (4, 2, 4)')
  })

  test("another role's stream table is such a view", async () => {
    await lab.create('sums', SUMS)
    await lab.exec('GRANT SELECT ON sums TO mallory')
    await st('SELECT s FROM test.sums')
    await lab.watch('mal.st', 'SELECT s FROM test.sums')
    await lab.run('INSERT INTO t VALUES (4, 2, 4)')
  })
})

describe('privileges that the owner of a stream table loses', () => {
  const QUERIES = {
    fold: SUMS,
    bag: 'SELECT id, v FROM test.t WHERE v > 0',
    joined: 'SELECT t.id, t.v, u.w FROM test.t JOIN test.u ON u.k = t.k',
    outer_join: 'SELECT t.id, t.v, u.w FROM test.t LEFT JOIN test.u ON u.k = t.k',
    windowed: 'SELECT id, row_number() OVER (PARTITION BY k ORDER BY v) AS n FROM test.t',
    rebuild: 'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY v) AS p FROM test.t',
  }
  const REVOKES = [
    ['REVOKE SELECT ON t FROM alice', 'GRANT SELECT ON t TO alice'],
    ['REVOKE reader FROM alice', 'GRANT reader TO alice'],
    ['REVOKE SELECT (v) ON t FROM alice', 'GRANT SELECT (v) ON t TO alice'],
    ['ALTER ROLE alice NOSUPERUSER', 'ALTER ROLE alice SUPERUSER'],
  ] as const
  beforeAll(() => lab.exec('CREATE ROLE reader'))

  test.each(Object.entries(QUERIES))('make changes fail, and show no new row: %s', async (name, query) => {
    await lab.exec(`CREATE TABLE u (k int, w int); INSERT INTO u VALUES (1, 10); GRANT ALL ON SCHEMA test TO alice;
      GRANT SELECT, TRIGGER ON u TO alice; GRANT TRIGGER ON t TO alice`)
    for (const [revoke, grant] of REVOKES) {
      await lab.exec(`REVOKE ALL ON t FROM alice, reader; GRANT TRIGGER ON t TO alice`)
      if (grant === 'GRANT reader TO alice') await lab.exec('GRANT SELECT ON t TO reader')
      if (grant.includes('(v)')) await lab.exec('GRANT SELECT (id, k) ON t TO alice')
      await lab.exec(grant)
      await create('alice', `test.${name}`, query)
      await lab.watch(name, query)
      await lab.run('INSERT INTO t VALUES (4, 2, 4)')
      await lab.exec(revoke)
      expect(await lab.fails('INSERT INTO t VALUES (5, 2, 5)'), revoke).toMatchObject({
        code: '42501',
        hint: expect.stringContaining('GRANT SELECT ON test.t TO alice') as string,
      })
      expect(await lab.fails('DELETE FROM t'), revoke).toMatchObject({ code: '42501' })
      await lab.exec(grant)
      await lab.run('INSERT INTO t VALUES (5, 2, 5)')
      await lab.exec(`BEGIN; ${revoke}; SAVEPOINT a`)
      await expect(lab.exec('UPDATE t SET v = v + 1')).rejects.toMatchObject({ code: '42501' })
      await lab.exec('ROLLBACK')
      await lab.run('UPDATE t SET v = v + 1')
      await lab.exec(revoke)
      await lab.exec(`BEGIN; ${grant}; UPDATE t SET v = v + 1; ROLLBACK`)
      await expect(lab.exec('UPDATE t SET v = v + 1')).rejects.toMatchObject({ code: '42501' })
      // Whoever owns the table gets rid of it.
      await lab.pg.trickle.dropStreamTable(`test.${name}`)
      lab.forget(name)
      await lab.exec('DELETE FROM t WHERE id > 3')
    }
    await lab.exec('REVOKE reader FROM alice; ALTER ROLE alice NOSUPERUSER')
  })

  test('end in a function that it may no longer call', async () => {
    await lab.exec(`GRANT ALL ON SCHEMA test TO alice; GRANT SELECT, TRIGGER ON t TO alice;
      CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * $1';
      CREATE FUNCTION thrice(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN 3 * $1; END $$`)
    for (const name of ['twice', 'thrice']) {
      await create('alice', `test.${name}d`, `SELECT k, sum(test.${name}(v)) AS s FROM test.t GROUP BY k`)
      await lab.exec('INSERT INTO t VALUES (4, 2, 4)')
      await lab.exec(`REVOKE EXECUTE ON FUNCTION ${name} FROM PUBLIC`)
      expect(await lab.fails('INSERT INTO t VALUES (5, 2, 5)')).toMatchObject({ code: '42501' })
      await lab.exec(`GRANT EXECUTE ON FUNCTION ${name} TO alice; DELETE FROM t WHERE id > 3`)
    }
  })
})

describe('settings of the session', () => {
  test.each([
    "restrict_nonsystem_relation_kind = 'view'",
    'row_security = off',
    'default_table_access_method = other',
    'default_transaction_isolation = serializable',
    'transform_null_equals = on',
    'standard_conforming_strings = off',
    'check_function_bodies = off',
    "client_min_messages = 'debug5'",
    "DateStyle = 'German'",
    'bytea_output = escape',
    "search_path = ''",
  ])('%s makes no difference', async (setting) => {
    await lab.exec(
      'CREATE VIEW v AS SELECT * FROM t WHERE k = 1; GRANT ALL ON SCHEMA test TO alice; GRANT SELECT, TRIGGER ON t, v TO alice',
    )
    await lab.exec(`CREATE FUNCTION total() RETURNS bigint STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT sum(v) FROM test.v); END $$;
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY odd ON t TO alice USING (id <> 2)`)
    await create('alice', 'test.st', "SELECT id, v FROM test.t WHERE v::text <> 'x'")
    await lab.create('sums', SUMS)
    await lab.create('views', 'SELECT k, count(*) AS n, max(v) AS m FROM test.v GROUP BY k')
    if (setting.includes('other'))
      await lab.exec(
        'DROP ACCESS METHOD IF EXISTS other; CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler',
      )
    await lab.exec(`SET ${setting}`)
    try {
      await lab.exec(
        'INSERT INTO test.t VALUES (4, 1, 4); UPDATE test.t SET v = v + 1; DELETE FROM test.t WHERE id = 1',
      )
      for (const name of ['st', 'sums', 'views'])
        expect(await lab.pg.trickle.verifyStreamTable(`test.${name}`)).toMatchObject({ ok: true })
      await lab.pg.trickle.refreshStreamTable('test.views')
      await lab.exec("SELECT pgtrickle.create_stream_table('test.late', 'SELECT max(v) AS m FROM test.t')")
    } finally {
      await lab.exec('RESET ALL; SET search_path = test, public')
    }
    await lab.check(setting)
    const others = "SELECT FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'other'"
    expect(await lab.exec(others)).toEqual([])
    expect(await lab.exec('SELECT * FROM st ORDER BY id')).toEqual([
      { id: 3, v: 4 },
      { id: 4, v: 5 },
    ])
  })
})

describe('row-level security', () => {
  const roleSql = async (sql: string, ids: number[]) => {
    await lab.exec(sql)
    expect(
      (await lab.exec('SELECT id FROM st ORDER BY id')).map(({ id }) => id),
      sql,
    ).toEqual(ids)
  }

  test('follows the rights and the memberships of the owner', async () => {
    await lab.exec(`GRANT ALL ON SCHEMA test TO alice; GRANT SELECT, TRIGGER ON t TO alice; CREATE ROLE staff;
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON t TO alice USING (id = 1);
      CREATE POLICY two ON t TO staff USING (id = 2)`)
    try {
      await create('alice', 'test.st', 'SELECT id FROM test.t')
      await roleSql('SELECT 1', [1])
      await roleSql('GRANT staff TO alice', [1, 2])
      await roleSql('REVOKE staff FROM alice', [1])
      await roleSql('ALTER ROLE alice BYPASSRLS', [1, 2, 3])
      await roleSql('BEGIN; ALTER ROLE alice NOBYPASSRLS; ROLLBACK', [1, 2, 3])
      await roleSql('ALTER ROLE alice NOBYPASSRLS', [1])
      await roleSql('CREATE ROLE late IN ROLE staff ROLE alice', [1, 2])
      await roleSql('DROP ROLE late', [1])
      await roleSql('INSERT INTO t VALUES (4, 1, 1)', [1])
    } finally {
      await lab.exec('ROLLBACK; DROP TABLE t CASCADE; DROP ROLE staff; ALTER ROLE alice NOBYPASSRLS')
    }
  })

  test('follows the tables that policies read, by views and by policies of others', async () => {
    await lab.exec(`GRANT ALL ON SCHEMA test TO alice; CREATE TABLE allowed (id int); CREATE TABLE groups (g int);
      CREATE VIEW all_allowed AS SELECT a.id FROM allowed a; GRANT SELECT ON t, allowed, all_allowed, groups TO alice;
      GRANT TRIGGER ON t TO alice; INSERT INTO allowed VALUES (1); INSERT INTO groups VALUES (2);
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id IN (SELECT a.id FROM test.all_allowed a));
      CREATE POLICY g ON t USING (id IN (SELECT g.g FROM test.groups g));
      ALTER TABLE groups ENABLE ROW LEVEL SECURITY; CREATE TABLE open (yes bool); GRANT SELECT ON open TO alice;
      CREATE POLICY o ON groups USING (EXISTS (SELECT FROM test.open o WHERE o.yes))`)
    await create('alice', 'test.st', 'SELECT id, v FROM test.t')
    await roleSql('SELECT 1', [1])
    await roleSql('INSERT INTO allowed VALUES (3)', [1, 3])
    await roleSql('INSERT INTO open VALUES (true)', [1, 2, 3])
    await roleSql('UPDATE allowed SET id = 2 WHERE id = 1', [2, 3])
    await roleSql('TRUNCATE open', [2, 3])
    await roleSql('DROP POLICY g ON t', [2, 3])
    await roleSql('BEGIN; DELETE FROM allowed; ROLLBACK', [2, 3])
    await roleSql('DELETE FROM allowed', [])
    const { rows } = await lab.pg.query("SELECT source FROM pgtrickle.list_sources('st')")
    expect(rows).toEqual([{ source: 'test.t' }])
    expect(await lab.exec("SELECT tgname FROM pg_trigger WHERE tgrelid = 'open'::regclass")).toEqual([])
  })

  test('refuses policies that read what announces no change', async () => {
    await lab.exec(`GRANT ALL ON SCHEMA test TO alice; GRANT SELECT, TRIGGER ON t TO alice;
      CREATE MATERIALIZED VIEW m AS SELECT 1 AS id; GRANT SELECT ON m TO alice; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
      CREATE POLICY p ON t USING (id IN (SELECT id FROM test.m))`)
    await expect(create('alice', 'test.st', 'SELECT id, v FROM test.t')).rejects.toMatchObject({ code: '0A000' })
  })
})

describe('subscriptions', () => {
  const command = (...args: string[]) =>
    `SELECT pgtrickle.command(${args.map((arg) => `'${arg}'`).join(', ')}) AS answer`
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

  test('take SELECT, and nothing else opens, names, forges or closes one', async () => {
    await lab.create('sums', SUMS)
    const [row] = await lab.exec("SELECT id FROM pgtrickle.stream_table WHERE relid = 'sums'::regclass")
    const id = String(row?.id)
    for (const sql of [command('open', id, 'mine'), command('channel', id)]) await refused('mallory', sql)
    const seen: unknown[] = []
    const errors: unknown[] = []
    const stop = await lab.pg.trickle.subscribe('sums', (changes) => seen.push(...changes), {
      onError: (e) => errors.push(e),
    })
    seen.length = 0
    await expect(as('mallory', command('row', '(9,9)', '9'))).rejects.toThrow()
    await as('mallory', command('listen', '0', 'other'))
    for (const n of [1, 2, 3]) await as('mallory', command('close', `pg_trickle:/${n}`))
    await lab.run('INSERT INTO t VALUES (4, 2, 4)')
    await settle()
    await eventually(() => expect([seen.length, errors]).toEqual([1, []]))
    await lab.exec('GRANT SELECT ON sums TO mallory; REVOKE USAGE ON SCHEMA test FROM PUBLIC, mallory')
    await refused('mallory', command('open', id, 'mine'))
    await lab.exec('GRANT USAGE ON SCHEMA test TO mallory')
    await as('mallory', command('open', id, 'mine'))
    await as('mallory', command('close', 'mine'))
    await stop()
  })

  test('end, and say so, when the role that subscribed may no longer read', async () => {
    await lab.create('sums', SUMS)
    await lab.exec('GRANT SELECT ON sums TO mallory; SET ROLE mallory')
    const seen: unknown[] = []
    const errors: { code?: string }[] = []
    await lab.pg.trickle.subscribe('sums', (changes) => seen.push(...changes), { onError: (e) => errors.push(e) })
    await lab.exec('RESET ROLE')
    const own: unknown[] = []
    const stop = await lab.pg.trickle.subscribe('sums', (changes) => own.push(...changes), { key: 'k' })
    const before = seen.length
    await lab.exec('BEGIN; REVOKE SELECT ON sums FROM mallory; INSERT INTO t VALUES (4, 2, 4); ROLLBACK')
    await lab.exec('INSERT INTO t VALUES (4, 2, 4)')
    await settle()
    await eventually(() => expect([seen.length, errors]).toEqual([before + 1, []]))
    await lab.exec('REVOKE SELECT ON sums FROM mallory')
    await lab.exec('INSERT INTO t VALUES (5, 2, 5)')
    await settle()
    await eventually(() => {
      expect([seen.length, errors.map(({ code }) => code)]).toEqual([before + 1, ['42501']])
      expect(own.length).toBe(4)
    })
    await stop()
  })

  test('end, and say so, when a statement closes them', async () => {
    await lab.create('sums', SUMS)
    const errors: { code?: string }[] = []
    let reader = ''
    const query = lab.pg.query.bind(lab.pg)
    lab.pg.query = ((sql: string, params: string[], options: object) => {
      if (sql.includes("'open'")) reader = params[1] ?? ''
      return query(sql, params, options)
    }) as typeof lab.pg.query
    await lab.pg.trickle.subscribe('sums', () => undefined, { onError: (e) => errors.push(e) })
    lab.pg.query = query
    expect(reader).toMatch(/^pg_trickle:[0-9a-f]{24}\/[0-9a-f]{24}$/)
    await lab.exec(command('close', reader))
    await settle()
    expect(errors.map(({ code }) => code)).toEqual(['57014'])
  })

  test('show rows of maintenance alone: a function of the query cannot add any', async () => {
    await lab.exec(`CREATE FUNCTION forge(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql
      AS $$ BEGIN PERFORM pgtrickle.command('row', '(77,77)', '77'); RETURN $1; EXCEPTION WHEN OTHERS THEN RETURN $1; END $$`)
    await lab.create('st', 'SELECT k, forge(sum(v)) AS s FROM t GROUP BY k')
    const seen: { row: object }[] = []
    const stop = await lab.pg.trickle.subscribe('st', (changes) => seen.push(...changes))
    await lab.exec('INSERT INTO t VALUES (4, 2, 4)')
    await settle()
    expect(seen.map(({ row }) => JSON.stringify(row)).sort()).toEqual([
      '{"k":1,"s":3}',
      '{"k":2,"s":3}',
      '{"k":2,"s":7}',
    ])
    await stop()
  })
})
