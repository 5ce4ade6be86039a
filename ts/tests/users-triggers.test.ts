/** Triggers that users make on stream tables: AFTER .. FOR EACH STATEMENT fires, and everything else is refused. */
import { beforeAll, describe, expect, test } from 'vitest'
import { useFreshLab } from './support/use-lab.js'

const SUMS = 'SELECT k, sum(v) AS s FROM t GROUP BY k'

const lab = useFreshLab([
  'GRANT ALL ON SCHEMA test TO owner, writer',
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
  'INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)',
  'CREATE TABLE log (n serial, name text, op text, total numeric, role text)',
  // The function reads the stream table that fires it.
  `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE total numeric;
    BEGIN
      EXECUTE format('SELECT sum(s) FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO total;
      INSERT INTO test.log (name, op, total, role) VALUES (TG_NAME, TG_OP, total, current_user);
      RETURN NULL;
    END $$`,
])
beforeAll(() => lab.exec('CREATE ROLE writer; CREATE ROLE owner'))

/** What the triggers have noted since the last call. */
async function fired(): Promise<string[]> {
  const rows = await lab.exec(
    "SELECT concat_ws(' ', name, op, total) AS line FROM (SELECT * FROM test.log ORDER BY n) l",
  )
  await lab.exec('DELETE FROM test.log')
  return rows.map(({ line }) => String(line))
}

async function watch(name: string, events = 'INSERT OR UPDATE OR DELETE'): Promise<void> {
  await lab.exec(`CREATE TRIGGER ${name}_t AFTER ${events} ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION note()`)
}

describe('AFTER .. FOR EACH STATEMENT', () => {
  test('fires once for each kind of change, when the stream table is up to date', async () => {
    await lab.create('sums', SUMS)
    await watch('sums')
    await lab.run('INSERT INTO t VALUES (4, 1, 4)')
    expect(await fired()).toEqual(['sums_t UPDATE 10'])
    await lab.run('INSERT INTO t VALUES (5, 3, 5), (6, 4, 6), (7, 1, 7)')
    expect(await fired()).toEqual(['sums_t INSERT 28', 'sums_t UPDATE 28'])
    await lab.run('DELETE FROM t WHERE k IN (3, 4)')
    expect(await fired()).toEqual(['sums_t DELETE 17'])
    await lab.run('UPDATE t SET k = 9 WHERE k = 2')
    expect(await fired()).toEqual(['sums_t INSERT 17', 'sums_t DELETE 17'])
    await lab.run('TRUNCATE t')
    expect(await fired()).toEqual(['sums_t DELETE'])
  })

  test('does not fire where no visible row has changed', async () => {
    await lab.create('sums', SUMS)
    await lab.create('means', 'SELECT k, avg(v) AS s FROM t GROUP BY k HAVING count(*) > 1')
    await watch('sums')
    await watch('means')
    await lab.run('UPDATE t SET v = v')
    await lab.run('DELETE FROM t WHERE false')
    await lab.run('INSERT INTO t VALUES (4, 1, 0); UPDATE t SET id = 40 WHERE id = 4')
    expect(await fired()).toEqual(['means_t UPDATE 1.00000000000000000000'])
    await lab.run('INSERT INTO t VALUES (5, 7, 0)')
    expect(await fired()).toEqual(['sums_t INSERT 6'])
    await lab.run('UPDATE t SET v = CASE id WHEN 1 THEN 2 WHEN 2 THEN 1 ELSE v END')
    expect(await fired()).toEqual([])
  })

  test('fires only for its events, and where WHEN holds', async () => {
    await lab.create('sums', SUMS)
    await watch('sums', 'DELETE')
    await lab.exec(`CREATE TRIGGER never AFTER INSERT OR UPDATE ON sums FOR EACH STATEMENT WHEN (false)
      EXECUTE FUNCTION note()`)
    await lab.exec(`CREATE TRIGGER "of one" AFTER UPDATE OF k ON sums FOR EACH STATEMENT EXECUTE FUNCTION note()`)
    await lab.run('INSERT INTO t VALUES (4, 8, 4)')
    await lab.run('UPDATE t SET v = v + 1')
    await lab.run('DELETE FROM t WHERE k = 8')
    expect(await fired()).toEqual(['of one UPDATE 14', 'sums_t DELETE 9'])
  })

  test('without a key, a changed row is removed and added; equal rows count', async () => {
    await lab.create('bag', 'SELECT v AS s FROM t')
    await lab.create('ranked', 'SELECT v AS s, rank() OVER (ORDER BY v) FROM t')
    await watch('ranked')
    await lab.run('UPDATE t SET v = 7 WHERE id = 1')
    expect(await fired()).toEqual(['ranked_t INSERT 12', 'ranked_t DELETE 12'])
    await watch('bag')
    await lab.run('INSERT INTO t SELECT id + 10, k, v FROM t')
    expect((await fired()).sort()).toEqual(['bag_t INSERT 24', 'ranked_t DELETE 24', 'ranked_t INSERT 24'])
  })

  test('fires when all stream tables are up to date, also those over it and those of several sources', async () => {
    await lab.exec('CREATE TABLE u (k int, w int)')
    await lab.create('sums', SUMS)
    await lab.create('joined', 'SELECT t.k, u.w AS s FROM t JOIN u USING (k)')
    await lab.create('over', 'SELECT max(s) AS s FROM sums')
    await lab.exec(`CREATE TABLE seen (sums bigint, joined bigint, over bigint);
      CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO test.seen SELECT (SELECT sum(s) FROM sums), (SELECT sum(s) FROM joined), (SELECT s FROM over);
        RETURN NULL; END $$`)
    for (const name of ['sums', 'joined', 'over'])
      await lab.exec(`CREATE TRIGGER l AFTER INSERT OR UPDATE ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION look()`)
    await lab.run('WITH a AS (INSERT INTO t VALUES (4, 1, 10)), b AS (INSERT INTO u VALUES (1, 5)) SELECT 1')
    expect(await lab.exec('SELECT * FROM seen')).toEqual(Array(3).fill({ sums: 16, joined: 15, over: 13 }))
  })

  test('what it writes to sources is maintained, and may fire it again, but not for ever', async () => {
    await lab.create('sums', SUMS)
    await lab.create('logged', 'SELECT op, count(*) AS n FROM log GROUP BY op')
    await watch('sums')
    await lab.exec(`CREATE FUNCTION halve() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE test.t SET v = v / 2 WHERE v > 10; RETURN NULL; END $$`)
    await lab.exec('CREATE TRIGGER z AFTER UPDATE ON sums FOR EACH STATEMENT EXECUTE FUNCTION halve()')
    await lab.run('UPDATE t SET v = 80 WHERE id = 1')
    expect(await fired()).toEqual([85, 45, 25, 15].map((total) => `sums_t UPDATE ${total}`))
    await lab.exec(`CREATE OR REPLACE FUNCTION halve() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE test.t SET v = v + 1; RETURN NULL; END $$`)
    expect(await lab.fails('UPDATE t SET v = 80 WHERE id = 1')).toMatchObject({
      code: '54001',
      message: expect.stringContaining('test.sums') as string,
    })
    await lab.exec('DROP TRIGGER z ON sums')
    await lab.run('UPDATE t SET v = v + 1')
  })

  test('an error in it undoes the statement, and EXCEPTION undoes what it changed', async () => {
    await lab.create('sums', SUMS)
    await lab.exec(`CREATE FUNCTION bad() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF (SELECT max(s) FROM test.sums) > 100 THEN RAISE 'too much' USING ERRCODE = 'P0099'; END IF;
      BEGIN
        UPDATE test.t SET v = 200; -- fires it again
      EXCEPTION WHEN SQLSTATE 'P0099' THEN NULL; END;
      RETURN NULL; END $$`)
    await lab.exec('CREATE TRIGGER b AFTER UPDATE ON sums FOR EACH STATEMENT EXECUTE FUNCTION bad()')
    await watch('sums')
    expect(await lab.fails('UPDATE t SET v = 150 WHERE id = 1')).toMatchObject({ code: 'P0099' })
    await lab.run('UPDATE t SET v = 50 WHERE id = 1')
    expect(await fired()).toEqual(['sums_t UPDATE 55'])
    await lab.run('BEGIN; SAVEPOINT a; UPDATE t SET v = 7; ROLLBACK TO a; INSERT INTO t VALUES (9, 9, 1); COMMIT')
    expect(await fired()).toEqual(['sums_t INSERT 56'])
  })

  test('pg_notify arrives once the transaction commits', async () => {
    await lab.create('sums', SUMS)
    await lab.exec(`CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM pg_notify('sums', TG_OP); RETURN NULL; END $$`)
    await lab.exec(
      'CREATE TRIGGER n AFTER INSERT OR UPDATE OR DELETE ON sums FOR EACH STATEMENT EXECUTE FUNCTION tell()',
    )
    const told: string[] = []
    const stop = await lab.pg.listen('sums', (payload) => told.push(payload))
    await lab.run('UPDATE t SET v = v + 1')
    await lab.exec('BEGIN; DELETE FROM t; ROLLBACK')
    await lab.run('DELETE FROM t WHERE k = 2')
    await stop()
    expect(told).toEqual(['UPDATE', 'DELETE'])
  })

  test('subscribers and triggers do not get in the way of each other', async () => {
    await lab.create('sums', SUMS)
    const seen: string[] = []
    const subscribe = () =>
      lab.pg.trickle.subscribe('sums', (changes) => void seen.push(...changes.map(({ op }) => op)), { initial: false })
    let stop = await subscribe()
    await watch('sums')
    await lab.run('UPDATE t SET v = v + 1 WHERE k = 1')
    await stop()
    await lab.run('INSERT INTO t VALUES (4, 4, 4)')
    expect(await fired()).toEqual(['sums_t UPDATE 8', 'sums_t INSERT 12'])
    stop = await subscribe()
    await lab.exec('DROP TRIGGER sums_t ON sums')
    await lab.run('DELETE FROM t WHERE id = 4')
    await stop()
    expect(seen).toEqual(['update', 'delete'])
    expect(await fired()).toEqual([])
  })

  test('a refresh that repairs rows fires it', async () => {
    await lab.create('sums', SUMS)
    await watch('sums')
    await lab.exec('SET session_replication_role = replica; UPDATE t SET v = v + 1; RESET session_replication_role')
    expect(await fired()).toEqual([])
    await lab.pg.trickle.refreshStreamTable('sums')
    expect(await fired()).toEqual(['sums_t UPDATE 9'])
    await lab.check('refresh')
  })
})

test('costs nothing where there is none: the storage has no triggers', async () => {
  const count = async () =>
    (await lab.exec("SELECT count(*)::int AS n FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'pgtrickle.st%'"))[0]
      ?.n
  await lab.create('sums', SUMS)
  expect(await count()).toBe(0)
  await watch('sums')
  expect(await count()).toBe(5)
  await lab.exec('DROP TRIGGER sums_t ON sums')
  expect(await count()).toBe(0)
  await watch('sums')
  await lab.exec('DROP FUNCTION note CASCADE')
  expect(await count()).toBe(0)
  await lab.run('UPDATE t SET v = 0')
})

test('survives what happens to the stream table', async () => {
  await lab.create('sums', SUMS)
  await watch('sums')
  await lab.exec('ALTER VIEW sums RENAME TO "A b"; ALTER TRIGGER sums_t ON "A b" RENAME TO renamed')
  lab.watched.clear()
  await lab.watch('"A b"', SUMS)
  await lab.run('INSERT INTO t VALUES (4, 1, 4)')
  expect(await fired()).toEqual(['renamed UPDATE 10'])
  // Another query with the same columns, one with other columns, and other storage below.
  for (const query of [
    'SELECT k, sum(v + 1) AS s FROM t GROUP BY k',
    'SELECT max(v) AS s, k AS "K" FROM t GROUP BY k',
    'SELECT v AS s, id FROM t',
  ]) {
    await lab.pg.trickle.alterStreamTable('"A b"', query)
    await lab.watch('"A b"', query)
    expect(await fired(), 'altering').toEqual([])
    await lab.run('UPDATE t SET v = v + 1 WHERE id IN (2, 4)')
    expect(await fired(), query).toEqual([expect.stringMatching(/^renamed UPDATE \d+$/)])
  }
  // It gets other storage.
  await lab.exec('ALTER TABLE t DROP CONSTRAINT t_pkey')
  expect(await fired()).toEqual([])
  await lab.run('DELETE FROM t WHERE id = 1')
  expect(await fired()).toEqual([expect.stringMatching(/^renamed DELETE/)])
})

describe('rights', () => {
  test('its function runs as the owner of the stream table, with the search_path of its creation', async () => {
    await lab.exec(`GRANT SELECT, INSERT, UPDATE ON t TO writer; GRANT SELECT, TRIGGER ON t TO owner;
      GRANT INSERT, SELECT ON log TO owner; GRANT ALL ON SEQUENCE log_n_seq TO owner`)
    await lab.exec('SET ROLE owner')
    await lab.pg.trickle.createStreamTable('sums', SUMS)
    await lab.exec(`CREATE FUNCTION path() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO log (name, role) VALUES (current_setting('search_path'), current_user); RETURN NULL; END $$`)
    await watch('sums')
    await lab.exec('CREATE TRIGGER path AFTER UPDATE ON sums FOR EACH STATEMENT EXECUTE FUNCTION path()')
    await lab.exec('RESET ROLE')
    for (const role of ['writer', 'postgres']) {
      await lab.exec(`SET ROLE ${role}; SET search_path = pg_temp`)
      await lab.exec('UPDATE test.t SET v = v + 1')
      await lab.exec('RESET ROLE; SET search_path = test, public')
      const rows = await lab.exec('SELECT name, role FROM log ORDER BY n')
      expect(rows).toEqual([
        // The session has temporary objects, which must not stand in front.
        { name: 'test, public, pg_temp', role: 'owner' },
        { name: 'sums_t', role: 'owner' },
      ])
      await lab.exec('DELETE FROM log')
    }
  })

  test('a role without the privilege TRIGGER cannot make one, and nobody can write to the stream table in one', async () => {
    await lab.create('sums', SUMS)
    await lab.exec('SET ROLE writer')
    await expect(watch('sums')).rejects.toMatchObject({ code: '42501' })
    await lab.exec('RESET ROLE')
    for (const write of ['INSERT INTO sums VALUES (1, 1)', 'DELETE FROM sums', 'UPDATE sums SET s = 1 WHERE false']) {
      await lab.exec(`CREATE FUNCTION write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        ${write}; RETURN NULL; END $$`)
      await lab.exec('CREATE TRIGGER w AFTER UPDATE ON sums FOR EACH STATEMENT EXECUTE FUNCTION write()')
      expect(await lab.fails('UPDATE t SET v = v + 1')).toMatchObject({ code: '0A000' })
      await lab.exec('DROP FUNCTION write CASCADE')
      expect(await lab.fails(write)).toMatchObject({ code: '0A000' })
    }
  })
})

describe('what cannot fire is refused', () => {
  test.each([
    ['BEFORE INSERT ON sums FOR EACH STATEMENT', 'AFTER .. FOR EACH STATEMENT'],
    ['INSTEAD OF UPDATE ON sums FOR EACH ROW', 'AFTER .. FOR EACH STATEMENT'],
    ['AFTER INSERT ON sums FOR EACH ROW', 'subscribe()'],
    ['AFTER INSERT ON sums REFERENCING NEW TABLE AS n FOR EACH STATEMENT', 'subscribe()'],
  ])('%s', async (trigger, hint) => {
    await lab.create('sums', SUMS)
    expect(await lab.fails(`CREATE TRIGGER x ${trigger} EXECUTE FUNCTION note()`)).toMatchObject({
      code: '0A000',
      message: expect.stringContaining('test.sums: it is a stream table') as string,
      hint: expect.stringContaining(hint) as string,
    })
    await lab.exec('CREATE VIEW plain AS SELECT * FROM sums')
    await lab.exec('CREATE TRIGGER x INSTEAD OF INSERT ON plain FOR EACH ROW EXECUTE FUNCTION note()')
    await lab.exec('CREATE TRIGGER x BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION note()')
  })
})
