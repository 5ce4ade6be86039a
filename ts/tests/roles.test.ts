import { beforeAll, describe, expect, test } from 'vitest'
import { useFreshLab } from './support/use-lab.js'

const lab = useFreshLab([
  'GRANT ALL ON SCHEMA test TO owner, writer',
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)',
])
beforeAll(() => lab.exec('CREATE ROLE writer; CREATE ROLE owner'))

const SUMS = 'SELECT k, sum(v) AS s FROM t GROUP BY k'

/** Runs SQL as another role, then the oracle as the superuser. */
async function as(role: string, sql: string): Promise<void> {
  await lab.exec(`SET ROLE ${role}`)
  try {
    await lab.exec(sql)
  } finally {
    await lab.exec('RESET ROLE')
  }
  await lab.check(`${role}: ${sql}`)
}

describe('maintenance runs as the owner of the stream table', () => {
  test('the writer needs no rights on the other sources, nor on what the query calls', async () => {
    await lab.exec('CREATE TABLE u (k int, w int); INSERT INTO u VALUES (1, 10), (2, 20)')
    await lab.exec('CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT $1 + 1 $$')
    await lab.exec(
      'REVOKE ALL ON FUNCTION f FROM PUBLIC; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON t TO writer',
    )
    await lab.create('folded', 'SELECT t.k, sum(f(u.w)) AS s FROM t JOIN u USING (k) GROUP BY t.k')
    await lab.create('rebuilt', 'SELECT t.id, u.w FROM t LEFT JOIN u USING (k)')
    await as('writer', 'INSERT INTO t VALUES (4, 2, 4), (5, NULL, 5)')
    await as('writer', 'UPDATE t SET k = 2')
    await as('writer', 'DELETE FROM t WHERE id = 1')
    await as('writer', 'TRUNCATE t')
    await expect(as('writer', 'SELECT * FROM folded')).rejects.toMatchObject({ code: '42501' })
  })

  test('the owner is not a superuser', async () => {
    await lab.exec('ALTER TABLE t OWNER TO owner')
    await lab.exec('SET ROLE owner')
    await lab.pg.trickle.createStreamTable('sums', SUMS)
    await lab.exec('RESET ROLE; GRANT SELECT, INSERT, UPDATE ON t TO writer')
    await lab.watch('sums', SUMS)
    await as('writer', 'INSERT INTO t VALUES (4, 2, 4)')
    await as('owner', 'UPDATE t SET v = 0')
    await expect(as('writer', "SELECT pgtrickle.drop_stream_table('sums')")).rejects.toMatchObject({ code: '42501' })
    await expect(as('writer', "SELECT pgtrickle.alter_stream_table('sums', 'SELECT 1 AS a')")).rejects.toMatchObject({
      code: '42501',
    })
    await lab.check('refused')
    await lab.exec('SET ROLE owner')
    expect(await lab.pg.trickle.refreshStreamTable('sums')).toEqual({ inserted: 0, deleted: 0, updated: 0 })
    await lab.pg.trickle.dropStreamTable('sums')
    await lab.exec('RESET ROLE')
  })

  test('the writer cannot substitute functions or operators through search_path', async () => {
    await lab.create('sums', 'SELECT k, sum(v) AS s, max(abs(v)) AS m FROM t WHERE v = v GROUP BY k')
    await lab.exec('GRANT SELECT, INSERT, UPDATE ON t TO writer; CREATE SCHEMA evil AUTHORIZATION writer')
    try {
      await lab.exec('SET ROLE writer')
      await lab.exec(
        'CREATE FUNCTION evil.abs(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION $m$as %$m$, current_user; END $$',
      )
      await lab.exec(
        'CREATE FUNCTION evil.eq(int, int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION $m$as %$m$, current_user; END $$',
      )
      await lab.exec('CREATE OPERATOR evil.= (leftarg = int, rightarg = int, function = evil.eq)')
      await lab
        .exec('CREATE OPERATOR evil.+ (leftarg = int, rightarg = int, function = evil.abs)')
        .catch(() => undefined)
      await lab.exec('SET search_path = evil, pg_catalog')
      await lab.exec('INSERT INTO test.t VALUES (4, 1, -9)')
      await lab.exec('UPDATE test.t SET v = 5')
      await lab.exec('RESET ROLE; SET search_path = test, public')
      await lab.check('with another search_path')
    } finally {
      await lab.exec('RESET ROLE; DROP SCHEMA evil CASCADE')
    }
  })

  test('row-level security hides rows from the writer, not from the stream table', async () => {
    await lab.create('sums', SUMS)
    await lab.create('pairs', 'SELECT a.id, b.id AS other FROM t a JOIN t b ON a.k = b.k')
    await lab.create('rebuilt', 'SELECT DISTINCT v FROM t')
    await lab.exec('GRANT SELECT, INSERT, UPDATE, DELETE ON t TO writer')
    await lab.exec(
      'ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY only_ones ON t TO writer USING (k = 1) WITH CHECK (k < 3)',
    )
    await as('writer', 'INSERT INTO t VALUES (4, 2, 4), (5, 1, 5)')
    await as('writer', 'UPDATE t SET v = 9')
    await as('writer', 'DELETE FROM t')
    await lab.checkRefresh()
  })
})

test('created, changed and dropped policies are noticed, if they apply to the owner of the stream table', async () => {
  await lab.exec(`GRANT ALL ON t TO owner; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
    CREATE FUNCTION may(int) RETURNS bool STABLE LANGUAGE sql AS $$ SELECT $1 > 2 $$;
    CREATE POLICY odd ON t USING (k % 2 = 1); SET ROLE owner`)
  await lab.pg.trickle.createStreamTable('st', 'SELECT * FROM t')
  await lab.pg.trickle.createStreamTable('sums', SUMS)
  await lab.pg.trickle.createStreamTable('over', 'SELECT max(s) AS m FROM sums')
  await lab.exec('RESET ROLE')
  for (const [name, query] of [
    ['st', 'SELECT * FROM t'],
    ['sums', SUMS],
    ['over', 'SELECT max(s) AS m FROM sums'],
  ] as const)
    await lab.watch(name, query)
  for (const sql of [
    'INSERT INTO t VALUES (20, 1, 3), (21, 2, 9)',
    'CREATE POLICY big ON t USING (v > 5)',
    'UPDATE t SET v = v + 1',
    'ALTER POLICY odd ON t USING (may(v))',
    'CREATE OR REPLACE FUNCTION may(int) RETURNS bool STABLE LANGUAGE sql AS $$ SELECT $1 < 3 $$',
    'DROP POLICY big ON t',
    'UPDATE t SET v = 2 WHERE id = 3',
    'BEGIN; DROP POLICY odd ON t; INSERT INTO t VALUES (22, 1, 1); ROLLBACK',
    'ALTER POLICY odd ON t USING (true)',
    'CREATE POLICY narrow ON t AS RESTRICTIVE TO owner USING (id <> 3)',
    'ALTER POLICY narrow ON t RENAME TO other',
    'ALTER POLICY other ON t TO writer',
    'DROP POLICY odd ON t; DROP POLICY other ON t',
    'ALTER TABLE t DISABLE ROW LEVEL SECURITY',
    'DELETE FROM t WHERE id = 1',
  ]) {
    await lab.exec(sql)
    await lab.exec('SET ROLE owner')
    await lab.check(sql)
    await lab.exec('RESET ROLE')
  }
})

describe('other code that runs during maintenance', () => {
  test("a user's trigger that reads the stream table sees it before or after the change, and breaks nothing", async () => {
    await lab.create('sums', SUMS)
    await lab.exec('CREATE TABLE seen (s numeric)')
    await lab.exec(`CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO seen SELECT sum(s) FROM sums; RETURN NULL; END $$`)
    await lab.exec(
      'CREATE TRIGGER aaa AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION look()',
    )
    await lab.exec(
      'CREATE TRIGGER zzz AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION look()',
    )
    await lab.create('over_seen', 'SELECT s, count(*) FROM seen GROUP BY s')
    await lab.run('INSERT INTO t VALUES (4, 2, 4)')
    await lab.run('UPDATE t SET v = v + 1')
    await lab.run('DELETE FROM t')
  })

  test('creating, refreshing and dropping inside a trigger either works or is refused, without side effects', async () => {
    await lab.create('sums', SUMS)
    for (const command of [
      `create_stream_table('made', 'SELECT v FROM test.t')`,
      `refresh_stream_table('sums')`,
      `alter_stream_table('sums', 'SELECT k, sum(v) AS s FROM test.t GROUP BY k')`,
    ]) {
      for (const time of ['BEFORE', 'AFTER']) {
        await lab.exec(`CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN PERFORM pgtrickle.${command}; RETURN NULL; END $$`)
        await lab.exec(`CREATE TRIGGER act ${time} INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION act()`)
        await lab.exec('INSERT INTO t VALUES (10, 1, 10)').catch(() => undefined)
        await lab.check(`${time} trigger: ${command}`)
        await lab.exec('DROP FUNCTION act CASCADE')
        await lab.run('DELETE FROM t WHERE id = 10')
        if ((await lab.pg.trickle.listStreamTables()).some(({ name }) => name === 'made')) {
          await lab.watch('made', 'SELECT v FROM t')
          await lab.run('INSERT INTO t VALUES (11, 1, 11)')
          lab.forget('made')
          await lab.pg.trickle.dropStreamTable('made')
          await lab.run('DELETE FROM t WHERE id = 11')
        }
      }
    }
  })

  test('a function in the query that writes is refused or harmless: the stream table stays correct', async () => {
    await lab.exec('CREATE TABLE log (v int)')
    await lab.exec(`CREATE FUNCTION liar(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO t VALUES ($1 + 1000, 1, 0); RETURN $1; END $$`)
    const created = await lab.pg.trickle
      .createStreamTable('st', 'SELECT liar(id) AS x FROM t WHERE id < 1000')
      .catch(() => undefined)
    if (created !== undefined) await lab.exec('INSERT INTO t VALUES (4, 4, 4)').catch(() => undefined)
    // In either case the database keeps working.
    await lab.exec('DROP FUNCTION liar CASCADE')
    await lab.create('sums', SUMS)
    await lab.run('UPDATE t SET v = v + 1')
  })
})
