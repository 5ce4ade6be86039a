/** The feed in SQL: `keep_changes` and `changes`. */
import { describe, expect, test } from 'vitest'
import { literal } from './support/literal.js'
import { Replica } from './support/replica.js'
import { useFreshLab } from './support/use-lab.js'

const SUMS = 'SELECT k, sum(v)::int AS s FROM t GROUP BY k'

const lab = useFreshLab([
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
  'INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)',
])

/** Starts a feed, and returns the number after which it goes on. */
async function keep(name: string, rest = ''): Promise<number> {
  const [row] = await lab.exec(`SELECT pgtrickle.keep_changes('${name}'${rest}) AS last`)
  return Number(row?.last)
}

/** The changes after a number: operation, old row and new row. */
async function changes(name: string, after: number, rest = ''): Promise<string[]> {
  const rows = await lab.exec(
    `SELECT concat_ws(' ', op, old, row) AS line FROM pgtrickle.changes('${name}', after => ${after}${rest})`,
  )
  return rows.map(({ line }) => String(line).replaceAll('"', ''))
}

async function last(name: string): Promise<number> {
  const [row] = await lab.exec(`SELECT last FROM pgtrickle.feeds WHERE name = '${name}'`)
  return Number(row?.last)
}

describe('changes', () => {
  test('are net for each transaction, in commit order, with what identifies and numbers them', async () => {
    await lab.create('sums', SUMS)
    const start = await keep('sums')
    await lab.run('INSERT INTO t VALUES (4, 1, 4), (5, 3, 5)')
    await lab.run(`BEGIN; UPDATE t SET v = 10 WHERE id = 1; DELETE FROM t WHERE id = 3; UPDATE t SET v = 20 WHERE id = 1;
      INSERT INTO t VALUES (6, 7, 7); DELETE FROM t WHERE id = 6; COMMIT`)
    const rows = await lab.exec(`SELECT seq - ${start} AS seq, dense_rank() OVER (ORDER BY tx) AS tx, op, key, old, row,
      at BETWEEN now() - interval '1 minute' AND clock_timestamp() AS is_now
      FROM pgtrickle.changes('sums', after => ${start})`)
    const row = (k: number, s: number) => ({ k, s })
    const is_now = true
    expect(rows).toEqual([
      { seq: 1, tx: 1, op: 'update', key: { k: 1 }, old: row(1, 3), row: row(1, 7), is_now },
      { seq: 2, tx: 1, op: 'insert', key: { k: 3 }, old: null, row: row(3, 5), is_now },
      { seq: 3, tx: 2, op: 'delete', key: { k: 2 }, old: row(2, 3), row: null, is_now },
      { seq: 4, tx: 2, op: 'update', key: { k: 1 }, old: row(1, 7), row: row(1, 26), is_now },
    ])
    await lab.run('UPDATE t SET v = v')
    expect(await changes('sums', start + 4)).toEqual([])
  })

  test('go with what is rolled back', async () => {
    await lab.create('sums', SUMS)
    const start = await keep('sums')
    await lab.run('BEGIN; INSERT INTO t VALUES (4, 9, 4); ROLLBACK')
    await lab.run(`BEGIN; INSERT INTO t VALUES (4, 4, 4); SAVEPOINT a; INSERT INTO t VALUES (5, 5, 5); SAVEPOINT b;
      INSERT INTO t VALUES (6, 6, 6); RELEASE b; ROLLBACK TO a; INSERT INTO t VALUES (7, 7, 7); COMMIT`)
    await lab.run(`DO $$ BEGIN INSERT INTO test.t VALUES (8, 8, 8);
      BEGIN INSERT INTO test.t VALUES (9, 9, 9), (9, 9, 9); EXCEPTION WHEN unique_violation THEN NULL; END; END $$`)
    await lab.fails('INSERT INTO t VALUES (10, 10, 10), (10, 10, 10)')
    await lab.fails('INSERT INTO t VALUES (11, 11, 11); SELECT 1 / 0')
    expect(await changes('sums', start)).toEqual(['insert {k: 4, s: 4}', 'insert {k: 7, s: 7}', 'insert {k: 8, s: 8}'])
  })

  test('count equal rows where there is no key, and are updates where only the key is hidden', async () => {
    await lab.exec('CREATE TABLE bag (v int); INSERT INTO bag VALUES (1), (1)')
    await lab.create('copies', 'SELECT v FROM bag')
    await lab.create('hidden', 'SELECT v FROM t')
    const start = await keep('copies')
    await keep('hidden')
    await lab.run('INSERT INTO bag VALUES (1), (2), (2)')
    await lab.run('BEGIN; DELETE FROM bag WHERE v = 1; INSERT INTO bag VALUES (1); COMMIT')
    await lab.run('UPDATE t SET v = 30 WHERE id = 3')
    expect(await changes('copies', start)).toEqual([
      ...['insert {v: 1}', 'insert {v: 2}', 'insert {v: 2}'],
      ...['delete {v: 1}', 'delete {v: 1}'],
    ])
    expect(await lab.exec("SELECT op, key, old, row FROM pgtrickle.changes('hidden')")).toEqual([
      { op: 'update', key: null, old: { v: 3 }, row: { v: 30 } },
    ])
  })

  test('include what triggers do when the transaction commits', async () => {
    await lab.create('sums', SUMS)
    const start = await keep('sums')
    await lab.exec(`CREATE TABLE u (a int);
      CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO test.t VALUES (50, 5, NEW.a); RETURN NEW; END $$;
      CREATE CONSTRAINT TRIGGER late AFTER INSERT ON u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()`)
    await lab.run('INSERT INTO u VALUES (5)')
    await lab.run('BEGIN; DELETE FROM t WHERE id = 50; INSERT INTO u VALUES (6); COMMIT')
    expect(await changes('sums', start)).toEqual(['insert {k: 5, s: 5}', 'update {k: 5, s: 5} {k: 5, s: 6}'])
    await lab.exec(`CREATE FUNCTION further() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO test.t SELECT 60, 6, 6 WHERE NOT EXISTS (SELECT FROM test.t WHERE id = 60); RETURN NULL; END $$;
      CREATE TRIGGER further AFTER INSERT OR UPDATE ON sums FOR EACH STATEMENT EXECUTE FUNCTION further()`)
    await lab.run('UPDATE t SET v = 7 WHERE id = 50')
    expect(await changes('sums', start + 2)).toEqual(['update {k: 5, s: 6} {k: 5, s: 7}', 'insert {k: 6, s: 6}'])
  })

  test('of several stream tables have the number of their transaction, and one notification', async () => {
    await lab.create('sums', SUMS)
    await lab.create('"Top sum"', 'SELECT max(s) AS m FROM sums')
    await lab.create('unkept', 'SELECT v FROM t')
    const start = await keep('sums')
    await keep('"Top sum"')
    const told: string[] = []
    const end = await lab.pg.listen('pgtrickle', (payload) => told.push(payload))
    await lab.run('BEGIN; INSERT INTO t VALUES (4, 2, 4), (5, 5, 5); UPDATE t SET v = 100 WHERE id = 5; COMMIT')
    await lab.run('BEGIN; INSERT INTO t VALUES (6, 2, 4); ROLLBACK')
    await lab.run('UPDATE t SET v = v')
    await lab.run('INSERT INTO t VALUES (7, 2, 1)')
    await end()
    expect(told.map((payload) => JSON.parse(payload) as unknown)).toEqual([
      // One row without a key: it is removed and added.
      { 'test.sums': start + 2, 'test."Top sum"': start + 2 },
      { 'test.sums': start + 3 },
    ])
    const rows = await lab.exec(`SELECT count(DISTINCT tx)::int AS n FROM (
      (SELECT tx FROM pgtrickle.changes('sums', max => 1)) UNION ALL SELECT tx FROM pgtrickle.changes('"Top sum"')) q`)
    expect(rows).toEqual([{ n: 1 }])
  })

  test('come in pages, also within a transaction', async () => {
    await lab.create('sums', SUMS)
    const start = await keep('sums')
    await lab.run('INSERT INTO t SELECT i, i, i FROM generate_series(10, 16) i')
    const pages = []
    for (let after = start; ; after += 3) {
      const page = await changes('sums', after, ', max => 3')
      pages.push(page.length)
      if (page.length < 3) break
    }
    expect(pages).toEqual([3, 3, 1])
    expect(await changes('sums', start, ', max => 0')).toEqual([])
    expect(await changes('sums', start, ', max => NULL')).toHaveLength(7)
  })

  test('can be typed by the row type of the stream table', async () => {
    await lab.exec(`CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN positive AS numeric CHECK (VALUE > 0);
      CREATE TYPE pair AS (a int, b text);
      CREATE TABLE wide (id bigint PRIMARY KEY, m mood, n numeric, p positive, f float8, g float4, d date, ts timestamptz,
        i interval, b bytea, j jsonb, js json, l text[], ll int[][], r int4range, tr tstzrange, c pair, u uuid, bit bit(3),
        ch char(4), net inet, x xml, "v" text, __row text)`)
    await lab.create('types', 'SELECT * FROM wide')
    await keep('types')
    await lab.exec("SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'SQL, DMY'; SET extra_float_digits = -10")
    await lab.exec(`INSERT INTO wide VALUES (9007199254740993, 'glad', 'NaN', 1.50, 'Infinity', 0.1, '2026-03-04',
      '2026-03-04 05:06:07.123456+00', '1 year 2 days 03:04:05.6', '\\x00ff', '{"b": [1, null, "\\""]}', '{"a": 2, "z": 1}',
      '{a,NULL,"x,y"}', '{{1,2},{3,4}}', '[1,5)', '["2026-03-04 05:06:07+00",)', '(1,"it''s, ""so""")',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '101', 'ab', '10.0.0.1/8', '<a>&amp;</a>', E'line\\n\\\\ \\t"', NULL),
      (2, NULL, 1e300, 0.1, 0.1, 1e-30, 'infinity', '-infinity', '-1 mon', '', '[]', NULL, '{}', NULL, 'empty', NULL, NULL,
       NULL, NULL, '', NULL, NULL, '', 'row')`)
    await lab.exec('RESET TimeZone; RESET DateStyle; RESET extra_float_digits')
    const typed = "SELECT r.* FROM pgtrickle.changes('types') c, jsonb_populate_record(NULL::types, c.row) r"
    const difference = `SELECT q::text FROM (${typed}) q EXCEPT ALL SELECT q::text FROM types q`
    expect(await lab.exec(`SELECT count(*)::int AS n FROM (${typed}) q`)).toEqual([{ n: 2 }])
    expect(await lab.exec(difference)).toEqual([])
    await new Replica(lab, 'types').begin()
  })

  test('do not tell how JSON is spelled, nor its null from NULL', async () => {
    await lab.exec('CREATE TABLE d (id int PRIMARY KEY, j json, b jsonb)')
    await lab.create('documents', 'SELECT * FROM d')
    const start = await keep('documents')
    await lab.run(`INSERT INTO d VALUES (1, '{"b": 1,  "a": 2, "a": 3}', 'null')`)
    await lab.run(`UPDATE d SET j = '{"b":1, "a":3}', b = NULL`)
    expect(await changes('documents', start)).toEqual(['insert {b: null, j: {a: 3, b: 1}, id: 1}'])
    expect(await lab.fails(`UPDATE d SET j = '"\\u0000"'`)).toMatchObject({ code: '22P05' })
  })

  test('cost nothing where they are not kept', async () => {
    await lab.create('sums', SUMS)
    const count = async () => (await lab.inventory()).triggers
    const before = await count()
    await keep('sums')
    expect(await count()).toBe((before ?? 0) + 5)
    await lab.run('INSERT INTO t VALUES (4, 1, 4)')
    await keep('sums', ', retain => 0')
    expect(await count()).toBe(before)
    await lab.run('INSERT INTO t VALUES (5, 1, 4)')
    expect(await lab.exec('SELECT count(*)::int AS n FROM pgtrickle.change')).toEqual([{ n: 0 }])
    await expect(changes('sums', 0)).rejects.toMatchObject({
      code: '55000',
      message: 'the changes of stream table test.sums are not kept',
      hint: "Run SELECT pgtrickle.keep_changes('test.sums') once: from then on they are.",
    })
  })
})

describe('a snapshot', () => {
  test('gives all rows, and the number after which to go on', async () => {
    await lab.create('sums', SUMS)
    await keep('sums')
    await lab.run('INSERT INTO t VALUES (4, 4, 4)')
    const at = await last('sums')
    const rows = await lab.exec("SELECT seq, tx, op, key, old, row FROM pgtrickle.changes('sums', snapshot => true)")
    expect(rows[0]).toEqual({ seq: at, tx: null, op: 'snapshot', key: null, old: null, row: null })
    expect(rows.slice(1)).toContainEqual({
      seq: at,
      tx: null,
      op: 'insert',
      key: { k: 4 },
      old: null,
      row: { k: 4, s: 4 },
    })
    expect(rows).toHaveLength(4)
    await lab.run('INSERT INTO t VALUES (5, 4, 1)')
    expect(await changes('sums', at)).toEqual(['update {k: 4, s: 4} {k: 4, s: 5}'])
    await lab.run('TRUNCATE t')
    expect(await lab.exec("SELECT op FROM pgtrickle.changes('sums', snapshot => true)")).toEqual([{ op: 'snapshot' }])
  })

  test('is refused where the number is not known yet', async () => {
    await lab.create('sums', SUMS)
    await keep('sums')
    const snapshot = "SELECT * FROM pgtrickle.changes('sums', snapshot => true)"
    await lab.exec('BEGIN; INSERT INTO t VALUES (4, 4, 4)')
    expect(await lab.fails(snapshot)).toMatchObject({ code: '25001', hint: 'Commit it, and then read the snapshot.' })
    await lab.exec('ROLLBACK; BEGIN; SAVEPOINT a; INSERT INTO t VALUES (4, 4, 4); ROLLBACK TO a')
    expect(await lab.exec(snapshot)).toHaveLength(3)
    await lab.exec('COMMIT')
    for (const rest of ['after => 0, snapshot => true', 'max => 1, snapshot => true'])
      expect(await lab.fails(`SELECT * FROM pgtrickle.changes('sums', ${rest})`)).toMatchObject({ code: '22023' })
  })
})

describe('a number that the feed does not lead on from', () => {
  const LOST = { code: '72T01', hint: expect.stringContaining('snapshot => true') as string }

  test('is refused once its changes are gone, by count', async () => {
    await lab.create('sums', SUMS)
    const start = await keep('sums', ', retain => 3')
    await lab.run('INSERT INTO t VALUES (4, 4, 4), (5, 5, 5)')
    expect(await changes('sums', start)).toHaveLength(2)
    expect(await changes('sums', 0)).toHaveLength(2)
    await lab.run('INSERT INTO t VALUES (6, 6, 6), (7, 7, 7)')
    for (const after of [0, start]) {
      await expect(changes('sums', after)).rejects.toMatchObject({
        ...LOST,
        message: `the feed of stream table test.sums keeps no changes after ${after}: the first that it keeps is ${start + 2}`,
        hint: `Read the stream table again, then go on after ${start + 4}: SELECT * FROM pgtrickle.changes('test.sums', snapshot => true) gives its rows and this number.`,
      })
    }
    expect(await changes('sums', start + 1)).toHaveLength(3)
    await expect(changes('sums', start + 5)).rejects.toMatchObject({
      ...LOST,
      message: `the feed of stream table test.sums has no change ${start + 5}: the last one is ${start + 4}`,
    })
    await lab.run('INSERT INTO t SELECT i, i, i FROM generate_series(100, 400) i')
    expect(await changes('sums', start + 4 + 298)).toHaveLength(3)
    await lab.run('INSERT INTO t VALUES (500, 500, 1)')
    expect(await lab.exec('SELECT count(*)::int AS n FROM pgtrickle.change')).toEqual([{ n: 4 }])
    await keep('sums', ', retain => 1')
    expect(await lab.exec('SELECT count(*)::int AS n FROM pgtrickle.change')).toEqual([{ n: 1 }])
  })

  test('is refused once its changes are too old', async () => {
    await lab.create('sums', SUMS)
    const start = await keep('sums', ", retain => NULL, max_age => '1 hour'")
    await lab.run('INSERT INTO t VALUES (4, 4, 4)')
    await lab.run('INSERT INTO t VALUES (5, 5, 5)')
    await lab.exec(`UPDATE pgtrickle.change SET at = at - interval '59 minutes';
      UPDATE pgtrickle.change SET at = at - interval '2 minutes' WHERE seq = ${start + 1}`)
    await lab.run('INSERT INTO t VALUES (6, 6, 6)')
    await expect(changes('sums', start)).rejects.toMatchObject(LOST)
    expect(await changes('sums', start + 1)).toHaveLength(2)
    await lab.exec("UPDATE pgtrickle.change SET at = at - interval '1 day'")
    await lab.run('INSERT INTO t VALUES (7, 7, 7)')
    await expect(changes('sums', start + 2)).rejects.toMatchObject(LOST)
    expect(await changes('sums', start + 3)).toEqual(['insert {k: 7, s: 7}'])
  })

  test('is never that of another feed', async () => {
    await lab.create('sums', SUMS)
    const start = await keep('sums')
    await lab.run('INSERT INTO t VALUES (4, 4, 4), (5, 5, 5)')
    await keep('sums', ', retain => 0')
    expect(await keep('sums')).toBe(start + 2)
    await expect(changes('sums', start + 1)).rejects.toMatchObject(LOST)
    await lab.run('INSERT INTO t VALUES (6, 6, 6)')
    lab.forget('sums')
    await lab.exec("SELECT pgtrickle.drop_stream_table('sums')")
    await lab.create('sums', SUMS)
    expect(await keep('sums')).toBe(start + 3)
    await lab.create('others', SUMS)
    await lab.run('INSERT INTO t VALUES (7, 7, 7)')
    expect(await keep('others')).toBe(start + 4)
    expect(await changes('others', 0)).toEqual([])
    await expect(changes('others', 1)).rejects.toMatchObject(LOST)
    expect(await lab.exec('SELECT count(DISTINCT id)::int AS n FROM pgtrickle.change')).toEqual([{ n: 1 }])
  })
})

describe('what is not a change of rows', () => {
  test('ALTER with other rows, other columns, another key', async () => {
    await lab.create('sums', SUMS)
    await keep('sums')
    const replica = await new Replica(lab, 'sums').begin()
    for (const query of [
      'SELECT k, sum(v)::int * 2 AS s FROM t GROUP BY k',
      'SELECT k, sum(v)::int * 2 AS s, count(*) AS n FROM t GROUP BY k',
      'SELECT id, k, v AS s FROM t',
      'SELECT v FROM t',
      SUMS,
    ]) {
      await lab.exec(`SELECT pgtrickle.alter_stream_table('sums', '${query}')`)
      await replica.follow()
      await replica.check(query)
      await lab.exec('INSERT INTO t SELECT max(id) + 1, 2, 2 FROM t')
      await replica.follow()
      await replica.check(query)
      lab.forget('sums')
    }
    const before = replica.after
    await lab.exec(`BEGIN; INSERT INTO t VALUES (70, 7, 7); SELECT pgtrickle.alter_stream_table('sums', 'SELECT k, count(*) AS n FROM t GROUP BY k');
      UPDATE t SET k = 8 WHERE id = 70; SELECT pgtrickle.alter_stream_table('sums', '${SUMS}'); COMMIT`)
    expect(await changes('sums', before)).toEqual(['insert {k: 8, s: 7}'])
    expect(replica.snapshots).toBe(1)
  })

  test('a new name, a refresh, changed sources, a reorganised table', async () => {
    await lab.create('sums', SUMS)
    const start = await keep('sums')
    await lab.exec('ALTER VIEW sums RENAME TO totals; CREATE SCHEMA other; ALTER VIEW totals SET SCHEMA other')
    lab.forget('sums')
    await lab.exec("SELECT pgtrickle.refresh_stream_table('other.totals'); ALTER TABLE t ADD COLUMN w int")
    await lab.exec('VACUUM FULL t')
    expect(await changes('other.totals', start)).toEqual([])
    await lab.exec('ALTER TABLE t RENAME COLUMN v TO value; UPDATE t SET value = 5 WHERE id = 3')
    await lab.exec('TRUNCATE t')
    expect(await changes('other.totals', start)).toEqual([
      'update {k: 2, s: 3} {k: 2, s: 5}',
      ...['delete {k: 1, s: 3}', 'delete {k: 2, s: 5}'],
    ])
    await lab.exec('DROP SCHEMA other CASCADE')
  })

  test('storage of an older version, which is made anew', async () => {
    await lab.create('sums', SUMS)
    await lab.create('hidden', 'SELECT v FROM t')
    const start = await keep('sums')
    await keep('hidden')
    await lab.exec(`UPDATE pgtrickle.stream_table SET layout = '0' || substr(layout, strpos(layout, ':'));
      GRANT SELECT ON pgtrickle.stream_table TO PUBLIC`)
    await lab.run('INSERT INTO t VALUES (4, 1, 4)')
    expect(lab.notices.join()).toContain('was made anew')
    expect(await changes('sums', start)).toEqual(['update {k: 1, s: 3} {k: 1, s: 7}'])
    expect(await changes('hidden', start)).toEqual(['insert {v: 4}'])
    await lab.run('UPDATE t SET v = 5 WHERE id = 4')
    expect(await changes('hidden', start + 1)).toEqual(['update {v: 4} {v: 5}'])
  })

  test('rows that were wrong until a refresh', async () => {
    await lab.create('sums', SUMS)
    const start = await keep('sums')
    await lab.exec(
      'ALTER TABLE t DISABLE TRIGGER USER; INSERT INTO t VALUES (4, 1, 4); ALTER TABLE t ENABLE TRIGGER USER',
    )
    await lab.exec("SELECT pgtrickle.refresh_stream_table('sums')")
    expect(await changes('sums', start)).toEqual(['update {k: 1, s: 3} {k: 1, s: 7}'])
  })

  test('dropping it, in the transaction that changed it too', async () => {
    await lab.create('sums', SUMS)
    await keep('sums')
    lab.forget('sums')
    await lab.exec("BEGIN; INSERT INTO t VALUES (4, 4, 4); SELECT pgtrickle.drop_stream_table('sums'); COMMIT")
    expect(await lab.exec('SELECT count(*)::int AS n FROM pgtrickle.change')).toEqual([{ n: 0 }])
    await lab.create('sums', SUMS)
    await keep('sums')
    await lab.exec(
      "BEGIN; SAVEPOINT a; SELECT pgtrickle.drop_stream_table('sums'); ROLLBACK TO a; INSERT INTO t VALUES (5, 5, 5); COMMIT",
    )
    expect(await lab.exec("SELECT op FROM pgtrickle.changes('sums')")).toEqual([{ op: 'insert' }])
  })

  test('starting and ending in a transaction', async () => {
    await lab.create('sums', SUMS)
    await lab.exec(`BEGIN; INSERT INTO t VALUES (4, 4, 4); SELECT pgtrickle.keep_changes('sums'); INSERT INTO t VALUES (5, 5, 5);
      SELECT pgtrickle.keep_changes('sums', retain => 0); INSERT INTO t VALUES (6, 6, 6); SELECT pgtrickle.keep_changes('sums');
      INSERT INTO t VALUES (7, 7, 7); COMMIT`)
    expect(await lab.exec("SELECT row FROM pgtrickle.changes('sums')")).toEqual([{ row: { k: 7, s: 7 } }])
    await lab.exec(`BEGIN; SAVEPOINT a; SELECT pgtrickle.keep_changes('sums', retain => 0); INSERT INTO t VALUES (8, 8, 8);
      ROLLBACK TO a; INSERT INTO t VALUES (9, 9, 9); COMMIT`)
    expect(await lab.exec("SELECT row FROM pgtrickle.changes('sums')")).toHaveLength(2)
    await lab.exec("BEGIN; SELECT pgtrickle.keep_changes('sums', retain => 0); ROLLBACK")
    await lab.run('INSERT INTO t VALUES (10, 10, 10)')
    expect(await lab.exec("SELECT row FROM pgtrickle.changes('sums')")).toHaveLength(3)
  })

  test('dropping the extension, in the transaction that changed it too', async () => {
    await lab.create('sums', SUMS)
    await keep('sums')
    lab.forget('sums')
    await lab.exec(
      'BEGIN; INSERT INTO t VALUES (4, 4, 4); SAVEPOINT a; DROP EXTENSION pg_trickle CASCADE; ROLLBACK TO a; COMMIT',
    )
    expect(await lab.exec("SELECT op FROM pgtrickle.changes('sums')")).toEqual([{ op: 'insert' }])
    await lab.exec('BEGIN; INSERT INTO t VALUES (5, 5, 5); DROP EXTENSION pg_trickle CASCADE; COMMIT')
    await lab.exec('INSERT INTO t VALUES (6, 6, 6)')
    await lab.exec('CREATE EXTENSION pg_trickle')
    await lab.create('sums', SUMS)
    const start = await keep('sums')
    await lab.run('INSERT INTO t VALUES (7, 7, 7)')
    expect(await changes('sums', start)).toEqual(['insert {k: 7, s: 7}'])
  })

  test('a stream table that is filled later, and one whose query is run again', async () => {
    await lab.exec(`SELECT pgtrickle.create_stream_table('later', '${SUMS}', initialize => false)`)
    await keep('later')
    await lab.exec("INSERT INTO t VALUES (4, 4, 4); SELECT pgtrickle.refresh_stream_table('later')")
    await lab.create('rebuilt', 'SELECT v FROM t TABLESAMPLE BERNOULLI (100) REPEATABLE (1)')
    const start = await keep('rebuilt')
    await lab.run('UPDATE t SET v = v + 1 WHERE id = 4')
    expect(await lab.exec("SELECT op FROM pgtrickle.changes('later')")).toHaveLength(4)
    expect(await changes('rebuilt', start)).toEqual(['delete {v: 4}', 'insert {v: 5}'])
  })
})

describe('bad input is answered', () => {
  test('a feed is not started, nor a snapshot read, inside of a statement that changes a source', async () => {
    await lab.create('sums', SUMS)
    await lab.exec(`CREATE FUNCTION early() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE 'SELECT count(*) FROM ' || TG_ARGV[0]; RETURN NEW; END $$`)
    for (const call of ["pgtrickle.keep_changes('sums')", "pgtrickle.changes('sums', snapshot => true)"]) {
      await lab.exec(`CREATE OR REPLACE TRIGGER early BEFORE INSERT ON t FOR EACH ROW
        EXECUTE FUNCTION early(${literal(call)})`)
      expect(await lab.fails('INSERT INTO t VALUES (4, 4, 4)')).toMatchObject({ code: '55006' })
    }
  })

  test.each([
    ["SELECT pgtrickle.keep_changes('nothing')", '42P01', 'stream table nothing does not exist'],
    ["SELECT pgtrickle.keep_changes('t')", '42809', 'test.t is not a stream table'],
    ['SELECT pgtrickle.keep_changes(NULL)', '22004', 'the argument name is NULL'],
    ["SELECT pgtrickle.keep_changes('sums', retain => -1)", '22023', 'the number of changes to retain is negative'],
    [
      "SELECT pgtrickle.keep_changes('sums', max_age => '-1 day')",
      '22023',
      'the age up to which changes are kept is not positive',
    ],
    ["SELECT * FROM pgtrickle.changes('nothing')", '42P01', 'stream table nothing does not exist'],
    ['SELECT * FROM pgtrickle.changes(NULL)', '22004', 'the argument name is NULL'],
    ["SELECT * FROM pgtrickle.changes('sums', max => -1)", '22023', 'the number of changes is negative'],
    ["SELECT * FROM pgtrickle.changes('sums', after => -1)", '72T01', /keeps no changes after -1/],
  ])('%s', async (sql, code, message) => {
    await lab.create('sums', SUMS)
    await keep('sums')
    await lab.run('INSERT INTO t VALUES (4, 4, 4)')
    const error = await lab.fails(sql)
    expect(error).toMatchObject({ code, hint: expect.stringMatching(/./) as string })
    expect(error.message).toMatch(message)
    expect(await lab.exec("SELECT op FROM pgtrickle.changes('sums')")).toHaveLength(1)
  })
})
