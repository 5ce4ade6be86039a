/** DDL that a stream table accepts like any relation (rename, move, new owner, grants, indexes), and what it refuses. */
import { beforeEach, describe, expect, test } from 'vitest'
import { useFreshLab } from './support/use-lab.js'

const SUMS = 'SELECT k, sum(v) AS s FROM t GROUP BY k'
/** A query with more than one stage. */
const STAGED = 'SELECT s, count(*) AS n FROM (SELECT k, sum(v) AS s FROM t GROUP BY k) q GROUP BY s'
const REFUSED = { code: expect.stringMatching(/^(0A000|42809|55000)$/), hint: expect.stringMatching(/\w/) }

const lab = useFreshLab([
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
  'INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i',
])

async function change(): Promise<void> {
  await lab.run('INSERT INTO t SELECT max(id) + 1, 1, 50 FROM t')
  await lab.run('UPDATE t SET k = 2 - k WHERE id % 2 = 0')
  await lab.run('DELETE FROM t WHERE id = (SELECT min(id) FROM t)')
}

describe('names', () => {
  test('ALTER VIEW and ALTER TABLE rename and move it, and dependents follow', async () => {
    await lab.create('a', SUMS)
    await lab.create('staged', STAGED)
    await lab.create('over', 'SELECT max(s) AS m FROM a')
    await lab.exec('CREATE VIEW plain AS SELECT * FROM a')
    lab.watched.clear()
    await lab.exec('CREATE SCHEMA "Other"; ALTER TABLE a RENAME TO "A b"; ALTER VIEW "A b" SET SCHEMA "Other"')
    await lab.exec('ALTER TABLE staged SET SCHEMA "Other"; ALTER VIEW over RENAME TO above')
    await lab.watch('"Other"."A b"', SUMS)
    await lab.watch('"Other".staged', STAGED)
    await lab.watch('above', 'SELECT max(s) AS m FROM "Other"."A b"')
    await lab.watch('plain', SUMS)
    await change()
    lab.forget('plain')
    await lab.checkRefresh()
    await lab.pg.trickle.alterStreamTable('"Other"."A b"', SUMS.replace('sum(v)', 'sum(v + 1)'))
    await lab.watch('"Other"."A b"', SUMS.replace('sum(v)', 'sum(v + 1)'))
    await change()
    await lab.exec('ALTER SCHEMA "Other" RENAME TO moved')
    lab.watched.clear()
    await lab.watch('moved."A b"', SUMS.replace('sum(v)', 'sum(v + 1)'))
    await lab.watch('moved.staged', STAGED)
    await change()
    lab.watched.clear()
    await lab.exec('DROP SCHEMA moved CASCADE')
  })
})

describe('owners and rights', () => {
  beforeEach(() =>
    lab.exec(
      'CREATE ROLE heir; CREATE ROLE reader; GRANT ALL ON SCHEMA test TO heir; GRANT USAGE ON SCHEMA test TO reader',
    ),
  )
  const dropRoles = () => lab.exec('RESET ROLE; DROP OWNED BY heir, reader CASCADE; DROP ROLE heir, reader')

  test('a new owner gets every stage of it', async () => {
    try {
      await lab.create('a', SUMS)
      await lab.create('staged', STAGED)
      await lab.exec('GRANT SELECT ON t TO heir; ALTER VIEW a OWNER TO heir; ALTER TABLE staged OWNER TO heir')
      await change()
      await lab.run('SET ROLE heir')
      await lab.checkRefresh()
      await lab.pg.trickle.alterStreamTable('staged', `${STAGED} HAVING count(*) > 0`)
      await lab.run('RESET ROLE')
      await change()
      const { rows } = await lab.pg
        .query(`SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pgtrickle'::regnamespace
        AND c.relname ~ '^(st|def)_' AND c.relowner <> 'heir'::regrole`)
      expect(rows).toEqual([])
    } finally {
      lab.watched.clear()
      await dropRoles()
    }
  })

  test('a role that may not read the source cannot become the owner; if it loses the right later, changes fail', async () => {
    try {
      await lab.create('a', SUMS)
      expect(await lab.fails('ALTER VIEW a OWNER TO heir')).toMatchObject({ code: '42501' })
      await change()
      await lab.exec('GRANT SELECT ON t TO heir')
      await lab.run('ALTER VIEW a OWNER TO heir')
      await change()
      await lab.create('joined', 'SELECT x.id FROM t x JOIN t y ON x.id = y.k')
      await lab.exec('ALTER VIEW joined OWNER TO heir; REVOKE SELECT ON t FROM heir')
      expect(await lab.fails('DELETE FROM t WHERE id = 5')).toMatchObject({ code: '42501' })
      await lab.exec('GRANT SELECT ON t TO heir')
      await change()
    } finally {
      lab.watched.clear()
      await dropRoles()
    }
  })

  test('REASSIGN OWNED and DROP OWNED', async () => {
    try {
      await lab.exec('GRANT SELECT, TRIGGER ON t TO heir; GRANT ALL ON SCHEMA test TO reader')
      await lab.exec('SET ROLE heir')
      await lab.pg.trickle.createStreamTable('a', STAGED)
      await lab.exec('RESET ROLE')
      await lab.watch('a', STAGED)
      await change()
      await lab.exec('GRANT SELECT ON t TO reader; REASSIGN OWNED BY heir TO reader')
      await change()
      lab.watched.clear()
      await lab.exec('DROP OWNED BY reader CASCADE')
      expect(await lab.pg.trickle.listStreamTables()).toEqual([])
      await lab.exec('INSERT INTO t VALUES (100, 1, 1)')
    } finally {
      await dropRoles()
    }
  })

  test('GRANT, default privileges and column privileges apply to the view', async () => {
    try {
      await lab.create('a', SUMS)
      await lab.exec('GRANT SELECT (k) ON a TO reader')
      await lab.exec('SET ROLE reader')
      expect(await lab.exec('SELECT k FROM a')).toHaveLength(3)
      await expect(lab.exec('SELECT s FROM a')).rejects.toMatchObject({ code: '42501' })
      await expect(lab.exec('SELECT * FROM pgtrickle.st_1')).rejects.toMatchObject({ code: expect.any(String) })
      await lab.exec('RESET ROLE')
      await lab.run("COMMENT ON VIEW a IS 'sums'")
      await lab.pg.trickle.alterStreamTable('a', SUMS.replace('v)', 'v + 1)'))
      await lab.watch('a', SUMS.replace('v)', 'v + 1)'))
      await lab.exec('SET ROLE reader')
      expect(await lab.exec('SELECT k FROM a')).toHaveLength(3)
      await lab.exec('RESET ROLE')
      await change()
    } finally {
      lab.watched.clear()
      await dropRoles()
    }
  })
})

describe('DDL that would make it something else is refused', () => {
  const statements = [
    'CREATE OR REPLACE VIEW a AS SELECT k, s + 1 AS s FROM (SELECT k, sum(v) AS s FROM t GROUP BY k) q',
    'ALTER VIEW a RENAME COLUMN s TO total',
    'ALTER TABLE a RENAME k TO key',
    'CREATE RULE writable AS ON INSERT TO a DO INSTEAD INSERT INTO t VALUES (1000, NEW.k, 1)',
    'CREATE OR REPLACE RULE "_RETURN" AS ON SELECT TO a DO INSTEAD SELECT 1 AS k, 2::bigint AS s',
  ]
  test.each(statements)('%s', async (sql) => {
    await lab.create('a', SUMS)
    await lab.create('over', 'SELECT sum(s) FROM a')
    expect(await lab.fails(sql)).toMatchObject(REFUSED)
    await change()
  })

  test('security_barrier is accepted', async () => {
    await lab.create('a', SUMS)
    await lab.exec('ALTER VIEW a SET (security_barrier = true)')
    await change()
    await lab.checkRefresh()
  })
})

describe('alterStreamTable', () => {
  test('changes between fold, rekey, rebuild and stages; indexes, grants, comments and dependents stay', async () => {
    const queries = [
      SUMS,
      'SELECT k, sum(v) AS s FROM t WHERE v > 2 GROUP BY k HAVING count(*) > 1',
      'SELECT k, rank() OVER (PARTITION BY k ORDER BY v)::bigint AS s FROM t',
      'SELECT k, v::bigint AS s FROM t',
      'SELECT DISTINCT k, v::bigint AS s FROM t',
      'SELECT q.k, max(q.s) AS s FROM (SELECT k, v % 2 AS odd, sum(v) AS s FROM t GROUP BY 1, 2) q GROUP BY q.k',
      'SELECT v AS k, id::bigint AS s FROM t TABLESAMPLE BERNOULLI (100) REPEATABLE (1)',
      'SELECT a.k, b.v::bigint AS s FROM t a LEFT JOIN t b ON b.id = a.v + 1',
      'SELECT k, v::bigint AS s FROM t ORDER BY v DESC, k LIMIT 4',
      SUMS,
    ]
    await lab.create('a', SUMS)
    await lab.create('over', 'SELECT k, count(*) AS n, sum(s) AS s FROM a GROUP BY k')
    await lab.create('top', 'SELECT max(n) AS n FROM over')
    await lab.exec('CREATE VIEW plain AS SELECT k FROM a; CREATE INDEX a_s ON a (s); GRANT SELECT ON a TO PUBLIC')
    await lab.exec("COMMENT ON VIEW a IS 'kept'")
    const facts = () =>
      lab.exec(`SELECT (SELECT obj_description('a'::regclass)) AS said, has_table_privilege('pg_monitor', 'a', 'SELECT') AS granted,
        (SELECT count(*)::int FROM pg_indexes WHERE indexname = 'a_s') AS indexes`)
    for (const query of queries) {
      await lab.pg.trickle.alterStreamTable('a', query)
      await lab.watch('a', query)
      await lab.check(`altered to ${query}`)
      await change()
      expect(await facts(), query).toEqual([{ said: 'kept', granted: true, indexes: 1 }])
      expect(await lab.exec('SELECT * FROM plain')).not.toEqual([])
    }
    await lab.checkRefresh()
  })

  test('columns may be added at the end; others must stay if something depends on them', async () => {
    await lab.create('a', SUMS)
    await lab.create('over', 'SELECT sum(s) FROM a')
    const wider = 'SELECT k, sum(v) AS s, count(*) AS n FROM t GROUP BY k'
    await lab.pg.trickle.alterStreamTable('a', wider)
    await lab.watch('a', wider)
    await change()
    const before = await lab.inventory()
    for (const query of [
      SUMS,
      'SELECT k FROM t',
      'SELECT k, sum(v) AS other, count(*) AS n FROM t GROUP BY k',
      'SELECT k, sum(v)::int AS s, count(*) AS n FROM t GROUP BY k',
      'SELECT sum(v) AS s, k, count(*) AS n FROM t GROUP BY k',
    ]) {
      await expect(lab.pg.trickle.alterStreamTable('a', query), query).rejects.toMatchObject({
        streamTable: 'a',
        code: '2BP01',
        hint: expect.any(String),
      })
      expect(await lab.inventory()).toEqual(before)
      await change()
    }
    lab.forget('over')
    await lab.pg.trickle.dropStreamTable('over')
    await lab.pg.trickle.alterStreamTable('a', 'SELECT v, k FROM t')
    await lab.watch('a', 'SELECT v, k FROM t')
    await change()
  })

  test('under settings that change how PostgreSQL writes names and reads SQL', async () => {
    await lab.create('a', SUMS)
    await lab.exec('CREATE INDEX a_s ON a (s); CREATE TABLE "U u" (id int PRIMARY KEY, w int)')
    await lab.create('joined', 'SELECT t.id, "U u".w FROM t LEFT JOIN "U u" USING (id)')
    await lab.exec('SET quote_all_identifiers = on; SET transform_null_equals = on; SET array_nulls = off')
    try {
      for (const query of [SUMS.replace('sum(v)', 'sum(DISTINCT v)'), `${SUMS} HAVING count(*) > 1`, SUMS]) {
        await lab.pg.trickle.alterStreamTable('a', query)
        await lab.watch('a', query)
        await change()
        expect(await lab.exec("SELECT tablename FROM pg_indexes WHERE indexname = 'a_s'")).toHaveLength(1)
      }
      await lab.run('UPDATE t SET v = NULL WHERE id = 5')
      await lab.run('INSERT INTO "U u" VALUES (5, 5); ALTER TABLE "U u" ADD COLUMN x int')
      await lab.run('ALTER TABLE t DROP CONSTRAINT t_pkey; UPDATE t SET v = NULL')
    } finally {
      await lab.exec('RESET ALL; SET search_path = test, public')
    }
    await lab.checkRefresh()
  })

  test('to a query that reads itself, directly or through others', async () => {
    await lab.create('a', SUMS)
    await lab.create('b', 'SELECT k, s FROM a')
    await lab.exec('CREATE VIEW plain AS SELECT * FROM b')
    for (const query of [
      'SELECT k, s FROM a',
      'SELECT k, s FROM b',
      'SELECT k, s FROM plain',
      `${SUMS} UNION ALL TABLE b`,
    ]) {
      const failure = await lab.pg.trickle.alterStreamTable('a', query).catch((error: unknown) => error)
      expect(failure, query).toMatchObject({ code: '42P17', streamTable: 'a', hint: expect.any(String) })
      await change()
    }
  })

  test('in transactions and savepoints', async () => {
    await lab.create('a', SUMS)
    await lab.create('over', 'SELECT sum(s) FROM a')
    const other = SUMS.replace('sum(v)', 'sum(v * 10)')
    await lab.run('BEGIN')
    await lab.run('INSERT INTO t VALUES (100, 1, 1)')
    await lab.run('SAVEPOINT s')
    await lab.exec(`SELECT pgtrickle.alter_stream_table('a', '${other}')`)
    await lab.watch('a', other)
    await change()
    await lab.exec('ROLLBACK TO s')
    await lab.watch('a', SUMS)
    await change()
    await lab.exec(`SELECT pgtrickle.alter_stream_table('a', '${other}')`)
    await lab.watch('a', other)
    await lab.run('COMMIT')
    await change()
    await lab.exec(`DO $$ BEGIN
      BEGIN
        PERFORM pgtrickle.alter_stream_table('a', 'SELECT k, v::bigint AS s FROM test.t');
        INSERT INTO test.t VALUES (200, 1, 1);
        RAISE EXCEPTION 'back';
      EXCEPTION WHEN raise_exception THEN INSERT INTO test.t VALUES (201, 2, 2);
      END; END $$`)
    await lab.check('an exception after altering')
    await change()
    await lab.checkRefresh()
  })
})

test('information_schema says that nobody can write to it', async () => {
  const queries = {
    bag: 'SELECT v FROM t',
    keyed: 'SELECT * FROM t',
    sorted: 'SELECT id, v FROM t ORDER BY v DESC',
    sums: SUMS,
    staged: STAGED,
    filtered: `${SUMS} HAVING count(*) > 1`,
    over: 'SELECT * FROM sorted LIMIT 2',
    again: 'SELECT k, s FROM sums',
    ranked: 'SELECT row_number() OVER () AS n, id FROM sorted',
    rebuilt: 'SELECT v FROM t TABLESAMPLE BERNOULLI (100) REPEATABLE (1)',
    constant: 'SELECT 1 AS a',
  }
  for (const [name, query] of Object.entries(queries)) await lab.create(name, query)
  const names = Object.keys(queries)
  const flags = await lab.exec(`SELECT table_name, is_updatable AS u, is_insertable_into AS i,
      (SELECT bool_or(c.is_updatable = 'YES') FROM information_schema.columns c WHERE c.table_name = v.table_name) AS c
    FROM information_schema.views v WHERE table_schema = 'test' AND table_name = ANY ('{${names.join()}}')`)
  expect(flags).toHaveLength(names.length)
  for (const flag of flags) expect(flag).toMatchObject({ u: 'NO', i: 'NO', c: false })
  for (const name of names) {
    expect(await lab.fails(`DELETE FROM ${name}`)).toMatchObject(REFUSED)
    expect(await lab.fails(`INSERT INTO ${name} SELECT * FROM ${name} LIMIT 1`)).toMatchObject(REFUSED)
  }
  await change()
  // The mark in the view costs a reader nothing.
  const plan = await lab.exec('EXPLAIN (COSTS OFF) SELECT * FROM keyed a JOIN keyed b USING (id) WHERE a.id = 3')
  expect(JSON.stringify(plan)).not.toMatch(/Subquery|Result/)
  await lab.checkRefresh()
})

describe('DROP EXTENSION', () => {
  test('is refused without CASCADE while there are stream tables', async () => {
    await lab.create('a', SUMS)
    expect(await lab.fails('DROP EXTENSION pg_trickle')).toMatchObject({ code: '2BP01' })
    await change()
    await lab.run('BEGIN')
    await lab.exec('DROP EXTENSION pg_trickle CASCADE')
    await lab.exec('INSERT INTO t VALUES (100, 1, 1)')
    await lab.exec('ROLLBACK')
    await lab.check('rolled back')
    await change()
  })
})

test('a reset of the schema public leaves the extension, and stream tables in other schemas', async () => {
  await lab.exec('CREATE SCHEMA other; CREATE TABLE other.o (a int)')
  await lab.create('other.kept', 'SELECT a, count(*) AS n FROM other.o GROUP BY a')
  await lab.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  await lab.run('INSERT INTO other.o VALUES (1), (1), (2)')
  await lab.exec('CREATE TABLE public.p (a int)')
  await lab.create('public.again', 'SELECT a FROM p')
  await lab.run('INSERT INTO public.p VALUES (1)')
  await lab.exec('DROP SCHEMA other CASCADE; DROP TABLE public.p CASCADE')
})
