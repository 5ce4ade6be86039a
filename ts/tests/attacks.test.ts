/** What one role must not be able to do to another: each test plays the attacker (docs/ROLES.md). */
import { describe, expect, test } from 'vitest'
import { SUMS, useRoles } from './support/roles.js'

const { lab, as, refused, create, loot } = useRoles()

/** Functions, operators and types of the attacker's that stand in front of those of PostgreSQL. */
const HOSTILE = [
  ...['int4', 'int8', 'numeric', 'text', 'oid', 'name', 'regclass'].map(
    (type) => `CREATE FUNCTION mal.compare(pg_catalog.${type}, pg_catalog.${type}) RETURNS bool LANGUAGE sql
      AS 'SELECT mal.note(); SELECT true';`,
  ),
  ...['int4', 'int8', 'numeric', 'text', 'oid', 'name', 'regclass'].flatMap((type) =>
    ['=', '<>', '>', '<'].map(
      (sign) =>
        `CREATE OPERATOR mal.${sign} (leftarg = pg_catalog.${type}, rightarg = pg_catalog.${type}, function = mal.compare);`,
    ),
  ),
  `CREATE FUNCTION mal.compare(oid, regclass) RETURNS bool LANGUAGE sql AS 'SELECT mal.note(); SELECT true';`,
  'CREATE OPERATOR mal.= (leftarg = oid, rightarg = regclass, function = mal.compare);',
  `CREATE FUNCTION mal.add(int, int) RETURNS int LANGUAGE sql AS 'SELECT mal.note(); SELECT 0';`,
  'CREATE OPERATOR mal.- (leftarg = int, rightarg = int, function = mal.add);',
  'CREATE OPERATOR mal.+ (leftarg = int, rightarg = int, function = mal.add);',
  `CREATE FUNCTION mal.state(bigint, int) RETURNS bigint LANGUAGE sql AS 'SELECT mal.note(); SELECT 0::bigint';`,
  `CREATE FUNCTION mal.state(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT mal.note(); SELECT 0::bigint';`,
  `CREATE FUNCTION mal.state(numeric, numeric) RETURNS numeric LANGUAGE sql AS 'SELECT mal.note(); SELECT 0.0';`,
  ...['sum', 'max', 'min', 'count'].flatMap((name) => [
    `CREATE AGGREGATE mal.${name}(int) (sfunc = mal.state, stype = bigint, initcond = '0');`,
    `CREATE AGGREGATE mal.${name}(bigint) (sfunc = mal.state, stype = bigint, initcond = '0');`,
    `CREATE AGGREGATE mal.${name}(numeric) (sfunc = mal.state, stype = numeric, initcond = '0');`,
  ]),
  ...['abs', 'format', 'quote_ident', 'to_json', 'row_to_json', 'to_regclass', 'parse_ident', 'current_setting'].map(
    (name) => `CREATE FUNCTION mal.${name}(text) RETURNS text LANGUAGE sql AS 'SELECT mal.note(); SELECT ''x''';`,
  ),
  `CREATE FUNCTION mal.cardinality(name[]) RETURNS int LANGUAGE sql AS 'SELECT mal.note(); SELECT 1';`,
  `CREATE FUNCTION mal.current_schemas(bool) RETURNS name[] LANGUAGE sql AS 'SELECT mal.note(); SELECT NULL::name[]';`,
  `CREATE FUNCTION mal.to_json(pgtrickle.stream_tables) RETURNS text LANGUAGE sql AS 'SELECT mal.note(); SELECT ''x''';`,
  `CREATE FUNCTION mal.loud() RETURNS bool LANGUAGE sql AS 'SELECT mal.note(); SELECT true';`,
  ...['text', 'name', 'regclass', 'int8', 'int4', 'bool', 'json'].map(
    (type) => `CREATE DOMAIN mal.${type} AS pg_catalog.${type} CHECK (mal.loud());`,
  ),
  'CREATE TABLE mal.pg_extension (extname name, extversion text);',
].join('\n')

/** Lets the attacker make them. The body of each is SQL that calls mal.note() as whoever runs it. */
async function arm(): Promise<void> {
  await as(
    'mallory',
    `SET search_path = pg_catalog; ${HOSTILE}; GRANT USAGE ON SCHEMA mal TO PUBLIC;
    GRANT ALL ON ALL TABLES IN SCHEMA mal TO PUBLIC`,
  )
  await lab.exec('GRANT EXECUTE ON FUNCTION mal.note() TO PUBLIC')
}

describe('search_path', () => {
  test('the attack works where names are looked up along it', async () => {
    await arm()
    await lab.exec('SET search_path = mal, pg_catalog')
    await lab.exec('SELECT sum(v) FROM test.t WHERE v = 1')
    await lab.exec('SET search_path = test, public')
    expect(await loot()).toContain('postgres')
  })

  test('verify runs no code of its caller', async () => {
    await arm()
    await lab.exec("CREATE TABLE g (x float8, y int); INSERT INTO g VALUES (1.5, 1), ('NaN', 2)")
    await lab.create('sums', SUMS)
    await lab.create('floats', 'SELECT y, avg(x) AS a FROM g GROUP BY y')
    await lab.exec('GRANT SELECT ON sums, floats TO mallory')
    for (const name of ['sums', 'floats'])
      await as('mallory', `SET search_path = mal, pg_catalog; SELECT pgtrickle.verify_stream_table('test.${name}')`)
    expect(await loot()).toEqual([])
  })

  test('nor does anything else that the extension or the plugin runs', async () => {
    await arm()
    await lab.create('sums', `${SUMS} HAVING nullif(k, 7) IS DISTINCT FROM 5`)
    await lab.create('tops', 'SELECT DISTINCT ON (k) k, v FROM t ORDER BY k, v DESC')
    await lab.create('outer_join', 'SELECT a.id, CASE b.v WHEN 2 THEN 1 END AS c FROM t a LEFT JOIN t b ON a.id = b.k')
    await lab.exec('SET search_path = mal, pg_catalog')
    const { trickle } = lab.pg
    const seen: unknown[] = []
    const stop = await trickle.subscribe('test.sums', (changes) => seen.push(changes.length))
    await lab.exec('INSERT INTO test.t VALUES (4, 2, 4); UPDATE test.t SET v = v OPERATOR(pg_catalog.+) 1')
    await trickle.listStreamTables()
    await trickle.verifyStreamTable('test.sums')
    await trickle.refreshStreamTable('test.sums')
    await trickle.explainStreamTable('test.sums')
    await trickle.createStreamTable('test.more', 'SELECT id FROM test.t')
    await trickle.alterStreamTable('test.more', 'SELECT id, v FROM test.t')
    await trickle.dropStreamTable('test.more', { ifExists: true })
    for (const call of [
      "list_sources('test.sums')",
      'health_check()',
      'dependency_tree()',
      "explain_st('test.sums')",
      "refresh_stream_table('test.sums')",
      "print_query('test.sums')",
      'restore_stream_tables()',
    ])
      await lab.exec(`SELECT * FROM pgtrickle.${call}`)
    await lab.exec('ALTER TABLE test.t ADD CONSTRAINT more UNIQUE (v, id)')
    await lab.exec('DELETE FROM test.t WHERE id OPERATOR(pg_catalog.=) 1')
    await lab.exec('SET search_path = test, public')
    await stop()
    expect(await loot()).toEqual([])
    expect(seen.length).toBeGreaterThan(1)
    await lab.check('under a hostile search_path')
    await lab.checkRefresh()
  })

  test('nor what is in a schema of the path at creation: only names of the query itself are looked up there', async () => {
    await lab.exec('CREATE SCHEMA shared; GRANT ALL ON SCHEMA shared TO mallory')
    try {
      await lab.exec('SET search_path = test, shared, pg_catalog')
      await lab.create(
        'st',
        'SELECT k, nullif(v, 2) AS n, k IS DISTINCT FROM v AS d, CASE k WHEN 1 THEN v END AS c FROM t',
      )
      await lab.create('sums', SUMS)
      await as(
        'mallory',
        `CREATE FUNCTION shared.eq(int, int) RETURNS bool LANGUAGE sql AS 'SELECT mal.note(); SELECT true';
        CREATE OPERATOR shared.= (leftarg = int, rightarg = int, function = shared.eq)`,
      )
      await lab.exec('GRANT USAGE ON SCHEMA mal TO PUBLIC; SET search_path = test, public')
      await lab.run('INSERT INTO t VALUES (4, 2, 2)')
      await lab.run('UPDATE t SET v = 2 WHERE id < 3')
      expect(await loot()).toEqual([])
    } finally {
      await lab.exec('DROP SCHEMA shared CASCADE')
    }
  })

  test('the owner of a table who changes it runs no code in the views over it', async () => {
    await arm()
    await lab.exec(
      'ALTER TABLE t OWNER TO mallory; GRANT SELECT, TRIGGER ON t TO alice; GRANT CREATE ON SCHEMA test TO alice, mallory',
    )
    await create('alice', 'st', 'SELECT id, nullif(v, 2) AS n, k IS DISTINCT FROM v AS d FROM test.t')
    await as('mallory', 'SET search_path = mal, pg_catalog; ALTER TABLE test.t ADD CONSTRAINT u UNIQUE (k, id)')
    await lab.exec('SELECT * FROM test.st')
    await lab.exec('INSERT INTO t VALUES (4, 2, 2)')
    expect((await loot()).filter((who) => who !== 'mallory')).toEqual([])
  })
})

describe('temporary objects of the session', () => {
  test('do not stand in front of what a function of the query reads', async () => {
    await lab.exec('CREATE TABLE rate (r int); INSERT INTO rate VALUES (2); GRANT INSERT, SELECT ON t TO mallory')
    await lab.exec(
      'CREATE FUNCTION rate() RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT r FROM rate); END $$',
    )
    await lab.exec(
      'CREATE FUNCTION rated(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN $1 * rate(); END $$',
    )
    await lab.create('st', 'SELECT id, rated(v) AS r FROM t', { frozen: true })
    await as(
      'mallory',
      `CREATE TEMP TABLE hidden (r int); CREATE FUNCTION pg_temp.steal() RETURNS int LANGUAGE sql
        AS 'SELECT mal.note(); SELECT 7'; CREATE TEMP VIEW rate AS SELECT pg_temp.steal() AS r; GRANT ALL ON pg_temp.rate TO PUBLIC`,
    )
    await lab.exec('GRANT USAGE ON SCHEMA mal TO PUBLIC')
    await as('mallory', 'INSERT INTO test.t VALUES (4, 2, 4)')
    expect(await loot()).toEqual([])
    expect(await lab.exec('SELECT r FROM st WHERE id = 4')).toEqual([{ r: 8 }])
    await lab.exec('DROP VIEW pg_temp.rate CASCADE')
  })
})

describe('functions of a query run as its owner, and no further', () => {
  /** A function that the query calls says that it changes nothing, and calls one that runs this. */
  const act = (body: string) => `CREATE OR REPLACE FUNCTION mal.inner_act() RETURNS int LANGUAGE plpgsql
    AS $$ BEGIN ${body}; RETURN 1; END $$`

  async function follow(): Promise<void> {
    await lab.exec('GRANT SELECT, TRIGGER ON t TO mallory')
    await as(
      'mallory',
      `${act('NULL')}; CREATE FUNCTION mal.act(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
        AS $$ BEGIN RETURN (SELECT mal.inner_act()); END $$`,
    )
    await create('mallory', 'mal.st', 'SELECT k, sum(mal.act(v)) AS s FROM test.t GROUP BY k')
  }

  test.each([
    ['become another role', `PERFORM set_config('role', 'postgres', false)`],
    ['become the role of the session', 'RESET ROLE'],
    ['become another user', 'SET SESSION AUTHORIZATION postgres'],
    ['leave a temporary table', 'CREATE TEMP TABLE left_behind (a int)'],
    ['leave a cursor', `EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT 1'`],
    ['leave a deferred trigger', 'INSERT INTO mal.deferred VALUES (1)'],
    ['run DDL', 'CREATE TABLE mal.made (a int)'],
  ])('they cannot %s', async (_, body) => {
    await as(
      'mallory',
      `CREATE TABLE mal.deferred (a int); CREATE FUNCTION mal.later() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM mal.note(); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER later AFTER INSERT ON mal.deferred DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION mal.later()`,
    )
    await follow()
    await as('mallory', act(body))
    await expect(lab.exec('INSERT INTO test.t VALUES (4, 1, 4)')).rejects.toMatchObject({
      message: expect.stringMatching(/security-restricted|security-definer|must not run DDL/) as string,
    })
    expect(await lab.exec('SELECT current_user AS who, session_user AS real')).toEqual([
      { who: 'postgres', real: 'postgres' },
    ])
    expect(await lab.exec("SELECT to_regclass('left_behind') AS r, to_regclass('mal.made') AS m")).toEqual([
      { r: null, m: null },
    ])
    expect(await lab.exec('SELECT name FROM pg_cursors')).toEqual([])
    expect(await loot()).toEqual([])
  })

  test('settings that they change are undone', async () => {
    await follow()
    await as(
      'mallory',
      act(`PERFORM set_config('search_path', 'mal', false), set_config('app.name', 'mallory', false)`),
    )
    await lab.exec("SET app.name = 'root'; INSERT INTO test.t VALUES (4, 1, 4)")
    expect(await lab.exec("SELECT current_setting('search_path') AS path, current_setting('app.name') AS app")).toEqual(
      [{ path: 'test, public', app: 'root' }],
    )
  })
})

describe('what a stream table consists of', () => {
  const createOwn = async () => {
    await lab.exec('GRANT SELECT, TRIGGER ON t TO mallory')
    await create('mallory', 'mal.st', SUMS)
    const [row] = await lab.exec(
      `SELECT storage::text AS storage, definition::text AS definition FROM pgtrickle.stream_table WHERE relid = 'mal.st'::regclass`,
    )
    return row as { storage: string; definition: string }
  }

  test('takes nothing of its owner but indexes', async () => {
    const { storage, definition } = await createOwn()
    await as(
      'mallory',
      `CREATE TABLE mal.base (k int); CREATE FUNCTION mal.later() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM mal.note(); RETURN NULL; END $$`,
    )
    for (const sql of [
      `CREATE CONSTRAINT TRIGGER z AFTER INSERT OR UPDATE ON ${storage} DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION mal.later()`,
      `CREATE TRIGGER z AFTER UPDATE ON ${storage} FOR EACH ROW EXECUTE FUNCTION mal.later()`,
      `CREATE TRIGGER z BEFORE UPDATE ON ${storage} FOR EACH STATEMENT EXECUTE FUNCTION mal.later()`,
      `CREATE RULE z AS ON UPDATE TO ${storage} DO ALSO SELECT mal.note()`,
      `ALTER TABLE ${storage} ADD CONSTRAINT z CHECK (s > 0)`,
      `ALTER TABLE ${storage} ADD COLUMN z int DEFAULT 1`,
      `ALTER TABLE ${storage} ENABLE ROW LEVEL SECURITY`,
      `CREATE POLICY z ON ${storage} USING (false)`,
      `ALTER TABLE ${storage} DISABLE TRIGGER ALL`,
      `ALTER TABLE ${storage} SET SCHEMA mal`,
      `ALTER TABLE ${storage} RENAME TO z`,
      `ALTER TABLE ${storage} ALTER COLUMN s TYPE text`,
      `CREATE TABLE mal.z () INHERITS (${storage})`,
      `CREATE TABLE mal.z (k int REFERENCES ${storage} (k) DEFERRABLE INITIALLY DEFERRED)`,
      `ALTER TABLE mal.base ADD FOREIGN KEY (k) REFERENCES ${storage} (k)`,
      `ALTER VIEW ${definition} SET SCHEMA mal`,
      `ALTER VIEW ${definition} RENAME COLUMN k TO z`,
      `CREATE OR REPLACE VIEW ${definition} AS SELECT 1 AS k, 1::bigint AS s`,
      'CREATE RULE z AS ON DELETE TO mal.st DO INSTEAD NOTHING',
    ])
      await expect(as('mallory', `${sql} -- ${storage}`), sql).rejects.toMatchObject({
        code: expect.stringMatching(/42501|0A000/) as string,
      })
    await as('mallory', "COMMENT ON VIEW mal.st IS 'sums'")
    await lab.exec('CREATE INDEX ON mal.st (s)')
    await lab.watch('mal.st', SUMS)
    await lab.run('INSERT INTO t VALUES (4, 2, 4)')
    expect(await loot()).toEqual([])
  })

  test('runs nothing as the one who changes a source, even when the event triggers were off', async () => {
    const { storage } = await createOwn()
    await as(
      'mallory',
      `CREATE FUNCTION mal.later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM mal.note(); RETURN NULL; END $$`,
    )
    await lab.exec(`SET event_triggers = off; CREATE CONSTRAINT TRIGGER z AFTER INSERT OR UPDATE ON ${storage}
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mal.later(); RESET event_triggers`)
    // The maintenance may not queue it. The stream table then gets another storage, without that trigger.
    await lab.exec('INSERT INTO test.t VALUES (4, 2, 4)')
    expect(await loot()).toEqual([])
    expect(await lab.pg.trickle.explainStreamTable('mal.st')).toMatchObject({ way: 'rebuild' })
    expect(await lab.pg.trickle.verifyStreamTable('mal.st')).toMatchObject({ ok: true })
  })

  test('runs a trigger AFTER the statement, as for a live query, as its owner', async () => {
    const { storage } = await createOwn()
    await as(
      'mallory',
      `CREATE FUNCTION mal.now() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM mal.note(); RETURN NULL; END $$;
      CREATE TRIGGER z AFTER UPDATE ON ${storage} FOR EACH STATEMENT EXECUTE FUNCTION mal.now()`,
    )
    await lab.exec('UPDATE t SET v = v + 1')
    expect(await loot()).toEqual(['mallory'])
  })

  test('is not there for other roles', async () => {
    const { storage, definition } = await createOwn()
    await lab.exec('GRANT SELECT ON mal.st TO alice; GRANT USAGE ON SCHEMA mal TO alice')
    for (const sql of [
      `SELECT * FROM ${storage}`,
      `SELECT * FROM ${definition}`,
      `UPDATE ${storage} SET s = 0`,
      `TRUNCATE ${storage}`,
      `DROP TABLE ${storage}`,
      'CREATE TABLE pgtrickle.mine (a int)',
      'INSERT INTO pgtrickle.source VALUES (1, 1, false)',
      "UPDATE pgtrickle.stream_table SET search_path = 'mal'",
      'DELETE FROM pgtrickle.stage',
      "SELECT nextval('pgtrickle.stream_table_id_seq')",
      "SELECT pgtrickle.refresh_stream_table('mal.st')",
      "SELECT pgtrickle.alter_stream_table('mal.st', 'SELECT 1 AS a')",
      "SELECT pgtrickle.create_or_replace_stream_table('mal.st', 'SELECT 1 AS a')",
      "SELECT pgtrickle.drop_stream_table('mal.st')",
      'CREATE INDEX ON mal.st (s)',
    ])
      await refused('alice', sql)
  })
})

describe('pgtrickle.maintain()', () => {
  const triggers = [
    `CREATE TRIGGER mine AFTER INSERT ON t REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION pgtrickle.maintain()`,
    `CREATE TRIGGER aaa BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION pgtrickle.maintain()`,
    `CREATE TRIGGER mine AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION pgtrickle.maintain()`,
    `CREATE TRIGGER __pgt_mine AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION pgtrickle.maintain()`,
  ]

  test('makes no triggers for other roles', async () => {
    await as('mallory', 'CREATE TABLE mal.own (a int)')
    await refused('mallory', triggers[0]?.replace(' ON t ', ' ON mal.own ') ?? '')
  })

  test.each(triggers)('nor for a superuser: %s', async (sql) => {
    await lab.create('sums', SUMS)
    expect(await lab.fails(sql)).toMatchObject({ code: '42501' })
    await lab.exec(`SET event_triggers = off; ${sql}; RESET event_triggers`)
    expect(await lab.fails('INSERT INTO t VALUES (4, 2, 4)')).toMatchObject({ code: '39P01' })
    await lab.exec(`DROP TRIGGER ${sql.split(' ')[2]} ON t`)
    await lab.run('INSERT INTO t VALUES (4, 2, 4)')
  })

  test('a trigger of its name on a table that no query reads does nothing', async () => {
    await lab.create('sums', SUMS)
    await lab.exec(`CREATE TABLE other (a int); SET event_triggers = off;
      CREATE TRIGGER __pgt_before BEFORE INSERT ON other FOR EACH STATEMENT EXECUTE FUNCTION pgtrickle.maintain();
      RESET event_triggers; BEGIN; INSERT INTO other VALUES (1)`)
    await lab.run('INSERT INTO t VALUES (4, 2, 4)')
    await lab.exec('COMMIT')
  })

  test('nobody calls it, or the function of the event triggers', async () => {
    for (const name of ['maintain', 'ddl']) {
      await expect(lab.exec(`SELECT pgtrickle.${name}()`)).rejects.toThrow()
      await expect(as('mallory', `SELECT pgtrickle.${name}()`)).rejects.toThrow()
    }
  })
})
