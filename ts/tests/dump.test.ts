/** pg_dump and restore, which is how data moves to another PostgreSQL major version. */
import { pgDump } from '@electric-sql/pglite-tools/pg_dump'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trickle } from '../dist/index.js'
import { Lab } from './support/lab.js'
import { loadModule, MAJOR, openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'

const SCHEMA = `
  CREATE TABLE t (id int PRIMARY KEY, k int, v int);
  CREATE TABLE keyless (a int, b text);
  CREATE TABLE parts (k int, v int) PARTITION BY RANGE (k);
  CREATE TABLE parts1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
  CREATE TABLE child (extra text) INHERITS (keyless);
  CREATE TYPE mood AS ENUM ('sad', 'glad');
  CREATE TABLE typed (m mood, n numeric, d timestamptz, j jsonb, l text[]);
  CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + 1';
  CREATE SCHEMA "Other one";
  INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i;
  INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, 'it''s');
  INSERT INTO child VALUES (1, 'x', 'y');
  INSERT INTO parts VALUES (1, 1), (2, 2);
  INSERT INTO typed VALUES ('glad', 1.50, '2026-01-01 00:00+00', '{"a": [1]}', '{a,NULL}')`

const VIEWS: Record<string, string> = {
  'public.sums': 'SELECT k, sum(v) AS s FROM public.t GROUP BY k HAVING count(*) > 1',
  'public.staged': 'SELECT s, count(*) AS n FROM (SELECT k, sum(v) AS s FROM public.t GROUP BY k) q GROUP BY s',
  'public.over_sums': 'SELECT max(s) AS m FROM public.sums',
  'public.equal_rows': 'SELECT b FROM public.keyless',
  'public.by_part': 'SELECT k, count(*), max(public.f(v)) FROM public.parts GROUP BY k',
  '"Other one"."Ranked"': 'SELECT id, rank() OVER (PARTITION BY k ORDER BY v) FROM public.t ORDER BY id DESC',
  'public.dependent': 'SELECT t.*, count(*) AS n FROM public.t JOIN public.keyless ON a = k GROUP BY t.id',
  'public.outer_join': 'SELECT x.id, y.v FROM public.t x LEFT JOIN public.t y ON x.id = y.k',
  'public.rebuilt': 'SELECT v FROM public.t TABLESAMPLE BERNOULLI (100) REPEATABLE (1)',
  'public.all_types': 'SELECT *, m::text AS label FROM public.typed',
  'public.until_now': 'SELECT m, count(*) FROM public.typed WHERE d <= now() GROUP BY m',
  'public.ages': 'SELECT now() > d AS is_past FROM public.typed',
  'public.by_type': 'SELECT m, n, l, count(*) FROM public.typed GROUP BY m, n, l',
  'public.many_stages': `SELECT x.n, g, row_number() OVER (PARTITION BY g ORDER BY x.n, g) FROM public.staged x
    LEFT JOIN generate_series(1, 3) g ON g = x.n WHERE EXISTS (SELECT FROM public.parts WHERE parts.v = x.n)`,
  'public.reached': `WITH RECURSIVE r(i) AS (SELECT id FROM public.t WHERE id < 3 UNION SELECT t.id FROM r JOIN public.t ON t.k = r.i)
    SELECT i FROM r`,
  'public.with_children': `SELECT t.*, string_agg(b, ',' ORDER BY b) AS bs FROM public.t LEFT JOIN public.keyless ON a = k GROUP BY t.id`,
}

const CHANGES = [
  'INSERT INTO public.t VALUES (50, 1, 1)',
  'UPDATE public.t SET v = v + 1 WHERE k = 1',
  'UPDATE public.parts SET v = 7',
  'INSERT INTO public.parts1 VALUES (5, 1)',
  'CREATE TABLE public.parts2 PARTITION OF public.parts FOR VALUES FROM (10) TO (20)',
  'INSERT INTO public.parts2 VALUES (15, 1)',
  'DELETE FROM public.keyless WHERE ctid = (SELECT min(ctid) FROM ONLY public.keyless)',
  "INSERT INTO public.child VALUES (2, 'z')",
  "INSERT INTO public.typed SELECT * FROM public.typed; ALTER TYPE public.mood RENAME VALUE 'glad' TO 'happy'",
  "CREATE OR REPLACE FUNCTION public.f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2'",
  'TRUNCATE public.t',
  'INSERT INTO public.t VALUES (1, 1, 1), (2, 1, 1)',
]

const NOT_YET = { code: '55000', hint: expect.stringContaining('pgtrickle.restore_stream_tables()') }

let dump: string

beforeAll(async () => {
  const pg = await openDatabase()
  await pg.exec(SCHEMA)
  for (const [name, query] of Object.entries(VIEWS)) await pg.trickle.createStreamTable(name, query)
  await pg.trickle.createStreamTable('public.unfilled', VIEWS['public.sums'] ?? '', { withData: false })
  await pg.exec(`CREATE VIEW plain AS SELECT * FROM over_sums; CREATE INDEX sums_s ON sums (s);
    CREATE MATERIALIZED VIEW kept AS SELECT * FROM staged;
    CREATE UNIQUE INDEX ON "Other one"."Ranked" (id);
    COMMENT ON VIEW sums IS 'said'; COMMENT ON COLUMN sums.s IS 'a sum'; GRANT SELECT ON sums TO PUBLIC; DELETE FROM t WHERE id = 1;
    CREATE TABLE told (op text); CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO public.told VALUES (TG_OP); RETURN NULL; END $$;
    CREATE TRIGGER tell AFTER UPDATE ON sums FOR EACH STATEMENT EXECUTE FUNCTION tell()`)
  dump = await (await pgDump({ pg })).text()
  await pg.close()
})

/** Restores a dump into a new database of this PostgreSQL major version. */
async function restored(major: number, text = dump): Promise<Lab> {
  const lab = await new Lab().open(
    major === MAJOR ? await openDatabase() : await openModule(major === 17 ? 'pglite-0.4' : 'pglite-0.5'),
  )
  await lab.exec(text)
  await lab.exec('RESET search_path')
  return lab
}

async function openModule(name: string): Promise<Database> {
  const { PGlite } = await loadModule(name)
  return (await PGlite.create({ extensions: { trickle } })) as Database
}

async function watchAll(lab: Lab): Promise<void> {
  for (const [name, query] of Object.entries(VIEWS)) await lab.watch(name, query)
}

describe.each([17, 18].filter((major) => major >= MAJOR))(`dumped from ${MAJOR}, restored into %i`, (major) => {
  let lab: Lab
  beforeAll(async () => {
    lab = await restored(major)
    await watchAll(lab)
  })
  afterAll(() => lab?.close())

  test('can be read at once; a change fails and names the one call that is needed', async () => {
    await lab.check('restored')
    expect(await lab.exec('SELECT m::int FROM plain')).toEqual([{ m: 18 }])
    for (const sql of ['INSERT INTO t VALUES (50, 1, 1)', 'TRUNCATE t', 'UPDATE parts1 SET v = 0', 'DELETE FROM child'])
      expect(await lab.fails(sql), sql).toMatchObject(NOT_YET)
    await expect(lab.pg.trickle.refreshStreamTable('sums')).rejects.toMatchObject(NOT_YET)
    await expect(lab.pg.trickle.alterStreamTable('sums', 'SELECT k FROM t')).rejects.toMatchObject(NOT_YET)
    const health = await lab.exec('SELECT ok, problem FROM pgtrickle.health_check()')
    expect(health).toHaveLength(Object.keys(VIEWS).length + 1)
    for (const row of health)
      expect(row).toMatchObject({ ok: false, problem: expect.stringContaining('restore_stream_tables') })
  })

  test('that call repairs them', async () => {
    await lab.pg.trickle.restoreStreamTables()
    await lab.check('restoreStreamTables')
    const ailing = await lab.exec('SELECT stream_table, problem FROM pgtrickle.health_check() WHERE NOT ok')
    expect(ailing).toEqual([{ stream_table: 'public.unfilled', problem: expect.stringContaining('refresh') }])
    for (const sql of CHANGES) await lab.run(sql)
    expect(await lab.exec('SELECT DISTINCT op FROM told')).toEqual([{ op: 'UPDATE' }])
    await lab.checkRefresh()
    await lab.run('SELECT pgtrickle.restore_stream_tables()')
  })

  test('index, comment, grant and plain view are restored; everything can be altered and dropped', async () => {
    expect(await lab.exec("SELECT tablename FROM pg_indexes WHERE indexname = 'sums_s'")).toHaveLength(1)
    const [facts] = await lab.exec(
      `SELECT obj_description('sums'::regclass) AS said, col_description('sums'::regclass, 2) AS column, has_table_privilege('pg_monitor', 'sums', 'SELECT') AS granted`,
    )
    expect(facts).toEqual({ said: 'said', column: 'a sum', granted: true })
    expect(await lab.exec('SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 3 }])
    await lab.pg.trickle.alterStreamTable('sums', 'SELECT k, sum(v + 1) AS s FROM t GROUP BY k')
    await lab.watch('sums', 'SELECT k, sum(v + 1) AS s FROM t GROUP BY k')
    lab.forget('public.sums')
    await lab.run('UPDATE t SET v = 5')
    lab.watched.clear()
    await lab.pg.trickle.createStreamTable('fresh', 'SELECT * FROM sums')
    await lab.exec('DROP TABLE t, keyless, parts, typed CASCADE')
    expect(await lab.pg.trickle.listStreamTables()).toEqual([])
    expect(await lab.exec("SELECT relname FROM pg_class WHERE relname ~ '^(st|def)_[0-9]'")).toEqual([])
  })
})

test('schema, rows and triggers are restored one after the other, rows by COPY, as psql does', async () => {
  const old = await openDatabase()
  const lab = await new Lab().open()
  try {
    await old.exec(SCHEMA)
    for (const [name, query] of Object.entries(VIEWS)) await old.trickle.createStreamTable(name, query)
    const section = async (name: string) => (await pgDump({ pg: old, args: [`--section=${name}`] })).text()
    await lab.exec(await section('pre-data'))
    await old.exec('SET search_path = pg_catalog')
    // The tables whose rows pg_dump writes: users' tables, those of stream tables, and the extension's catalog.
    const tables = await old.query<{ name: string; columns: string }>(`
      SELECT c.oid::regclass::text AS name, string_agg(quote_ident(a.attname), ',' ORDER BY a.attnum) AS columns
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND a.attgenerated = '' AND NOT a.attisdropped
      WHERE c.relkind = 'r' AND (c.oid = ANY ((SELECT extconfig FROM pg_extension WHERE extname = 'pg_trickle')::oid[])
        OR c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'))
      GROUP BY c.oid`)
    expect(tables.rows.length).toBeGreaterThan(15)
    for (const { name, columns } of tables.rows) {
      const { blob } = await old.query(`COPY ${name} (${columns}) TO '/dev/blob'`)
      await lab.pg.query(`COPY ${name} (${columns}) FROM '/dev/blob'`, [], { blob: blob ?? new Blob([]) })
    }
    await lab.exec(await section('post-data'))
    await lab.exec("RESET search_path; SELECT setval(oid, 1000) FROM pg_class WHERE relkind = 'S'")
    await watchAll(lab)
    await lab.check('restored')
    expect(await lab.fails('INSERT INTO t VALUES (50, 1, 1)')).toMatchObject(NOT_YET)
    await lab.pg.trickle.restoreStreamTables()
    for (const sql of CHANGES) await lab.run(sql)
    await lab.checkRefresh()
  } finally {
    await old.close()
    await lab.close()
  }
})

test('the dumped database keeps working, once the settings that pg_dump left in its session are reset', async () => {
  const pg = await openDatabase()
  const lab = await new Lab().open(pg)
  try {
    await lab.exec(SCHEMA)
    for (const [name, query] of Object.entries(VIEWS)) await pg.trickle.createStreamTable(name, query)
    await pgDump({ pg })
    await lab.exec('ROLLBACK; RESET ALL')
    await watchAll(lab)
    for (const sql of CHANGES) await lab.run(sql)
    await lab.checkRefresh()
  } finally {
    await lab.close()
  }
})

// PGlite 0.5.17 notes a version in the options of every column. Only it and later ones know this option.
test.runIf(MAJOR === 18)(
  'a dump of PGlite 0.5.17, restored into an older one without the options of columns',
  async () => {
    expect(dump).toContain('SET (pg_attver=')
    const lab = await new Lab().open(await openModule('pglite-0.5.0'))
    try {
      await lab.exec(dump.replace(/^ALTER TABLE .* SET \(pg_attver=\d+\);$/gm, ''))
      await lab.exec('RESET search_path')
      await watchAll(lab)
      await lab.run('SELECT pgtrickle.restore_stream_tables()')
      for (const sql of CHANGES) await lab.run(sql)
      await lab.checkRefresh()
    } finally {
      await lab.close()
    }
  },
  180_000,
)

// PostgreSQL writes such a NULL into a table, but loads none.
test('NULLs of a domain that refuses NULL, dumped without the rows of the storage', async () => {
  const old = await openDatabase()
  await old.exec(`CREATE DOMAIN d AS int NOT NULL; CREATE TABLE k (a int PRIMARY KEY, b d);
    INSERT INTO k VALUES (1, 1), (2, 2), (3, 1)`)
  const views = {
    'public.rolled': 'SELECT b, count(*) AS n FROM public.k GROUP BY ROLLUP (b)',
    'public.joined': 'SELECT x.a, y.b FROM public.k x LEFT JOIN public.k y ON y.a = x.b + 1',
  }
  for (const [name, query] of Object.entries(views)) await old.trickle.createStreamTable(name, query)
  const whole = await (await pgDump({ pg: old })).text()
  await old.exec('ROLLBACK; RESET ALL')
  const withoutRows = await (await pgDump({ pg: old, args: ['--exclude-table-data=pgtrickle.st_*'] })).text()
  await old.close()
  await expect(restored(MAJOR, whole)).rejects.toMatchObject({ code: '23502' })
  const lab = await restored(MAJOR, withoutRows)
  try {
    await expect(lab.exec('DELETE FROM k')).rejects.toMatchObject(NOT_YET)
    for (const [name, query] of Object.entries(views)) await lab.watch(name, query)
    await lab.run('SELECT pgtrickle.restore_stream_tables()')
    for (const sql of ['DELETE FROM k WHERE a = 2', 'INSERT INTO k VALUES (2, 2), (4, 1)', 'UPDATE k SET b = b + 1'])
      await lab.run(sql)
    await lab.checkRefresh()
  } finally {
    await lab.close()
  }
})

describe('before the call', () => {
  test('DDL works as usual, and what is dropped leaves nothing behind', async () => {
    const lab = await restored(MAJOR)
    try {
      await lab.exec("CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2'")
      await lab.exec(
        'CREATE TABLE parts3 PARTITION OF parts FOR VALUES FROM (30) TO (40); ALTER TABLE t RENAME TO renamed',
      )
      await lab.exec('DROP VIEW over_sums CASCADE; DROP VIEW staged CASCADE; ALTER TABLE renamed RENAME TO t')
      await watchAll(lab)
      for (const name of ['public.over_sums', 'public.staged', 'public.many_stages']) lab.forget(name)
      await lab.run('SELECT pgtrickle.restore_stream_tables()')
      for (const sql of CHANGES) await lab.run(sql)
      lab.watched.clear()
      await lab.exec('DROP TABLE t, keyless, parts, typed CASCADE')
      expect(await lab.exec("SELECT relname FROM pg_class WHERE relname ~ '^(st|def)_[0-9]'")).toEqual([])
    } finally {
      await lab.close()
    }
  })

  test('the call fails when the query fails, and changes nothing', async () => {
    const lab = await restored(MAJOR)
    try {
      await lab.exec("CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1 / ($1 - $1)'")
      const before = await lab.inventory()
      expect(await lab.fails('SELECT pgtrickle.restore_stream_tables()')).toMatchObject({ code: '22012' })
      expect(await lab.inventory()).toEqual(before)
      await lab.exec("CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'")
      await watchAll(lab)
      await lab.run('SELECT pgtrickle.restore_stream_tables()')
      for (const sql of CHANGES) await lab.run(sql)
    } finally {
      await lab.close()
    }
  })
})
