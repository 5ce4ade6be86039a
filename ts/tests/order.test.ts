/** When code inside a statement sees stream tables up to date: see docs/STATEMENTS.md. */
import { expect, test } from 'vitest'
import type { Lab } from './support/lab.js'
import { useFreshLab } from './support/use-lab.js'

const lab: Lab = useFreshLab(async () => {
  await lab.exec('CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY, v int)')
  await lab.exec('INSERT INTO t VALUES (1, 1); INSERT INTO u VALUES (1, 1)')
  // Not a source, so that recording does not affect maintenance.
  await lab.exec('CREATE TABLE seen (n serial, who text, sum int)')
  await lab.exec(`CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO seen (who, sum) SELECT format('%s %s', TG_NAME, TG_TABLE_NAME), total FROM st; RETURN NEW; END $$`)
  await lab.create('st', 'SELECT (sum(t.v) + (SELECT sum(v) FROM u))::int AS total FROM t')
  for (const table of ['t', 'u']) {
    await lab.exec(`
      CREATE TRIGGER before_statement BEFORE INSERT OR UPDATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION look();
      CREATE TRIGGER before_row BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION look();
      CREATE TRIGGER after_row AFTER INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION look();
      CREATE TRIGGER "Early" AFTER INSERT OR UPDATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION look();
      CREATE TRIGGER late AFTER INSERT OR UPDATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION look();
      CREATE CONSTRAINT TRIGGER deferred AFTER INSERT OR UPDATE ON ${table} DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION look()`)
  }
})

async function recordedBy(sql: string): Promise<Record<string, unknown>> {
  await lab.run(sql)
  return Object.fromEntries((await lab.exec('SELECT who, sum FROM seen ORDER BY n')).map(({ who, sum }) => [who, sum]))
}

test('one source', async () => {
  expect(await recordedBy('INSERT INTO t VALUES (2, 10)')).toEqual({
    'before_statement t': 2,
    'before_row t': 2,
    'after_row t': 2,
    'Early t': 2,
    'late t': 12,
    'deferred t': 12,
  })
})

test('several sources: after the last of them', async () => {
  const sums = await recordedBy('WITH x AS (INSERT INTO u VALUES (2, 100)) INSERT INTO t VALUES (2, 10)')
  for (const who of ['before_statement', 'before_row', 'after_row', 'Early']) {
    expect([sums[`${who} t`], sums[`${who} u`]], who).toEqual([2, 2])
  }
  // Either table may be the last; both deferred triggers run after it.
  expect([sums['late t'], sums['late u']].sort()).toEqual([112, 2])
  expect([sums['deferred t'], sums['deferred u']]).toEqual([112, 112])
})

test('the next statement in a function or a DO block', async () => {
  await lab.exec(`CREATE FUNCTION steps() RETURNS int[] LANGUAGE plpgsql AS $$ DECLARE a int; b int; BEGIN
    UPDATE t SET v = 5; SELECT total INTO a FROM st; UPDATE u SET v = 5; SELECT total INTO b FROM st; RETURN ARRAY[a, b]; END $$`)
  expect(await lab.run('SELECT steps()')).toEqual([{ steps: [6, 10] }])
  await lab.run('DO $$ BEGIN UPDATE t SET v = 7; ASSERT (SELECT total FROM st) = 12; END $$')
})

test('a function called by a statement on a source is part of that statement', async () => {
  await lab.exec(`CREATE FUNCTION inside() RETURNS int LANGUAGE plpgsql AS $$ DECLARE a int; BEGIN
    UPDATE u SET v = v + 1; SELECT total INTO a FROM st; RETURN a; END $$`)
  await lab.run('INSERT INTO t SELECT 9, inside()')
  expect(await lab.exec('SELECT v FROM t WHERE id = 9')).toEqual([{ v: 2 }])
})

test('PREPARE and EXECUTE, before and after DDL on both sides', async () => {
  await lab.exec('PREPARE put(int, int) AS INSERT INTO t VALUES ($1, $2); PREPARE get AS SELECT total FROM st')
  for (let i = 10; i < 20; i++) await lab.run(`EXECUTE put(${i}, 1)`)
  expect(await lab.exec('EXECUTE get')).toEqual([{ total: 12 }])
  await lab.create('more', 'SELECT v, count(*) FROM t GROUP BY v')
  await lab.run('EXECUTE put(20, 1)')
  await lab.exec('CREATE INDEX ON more (v); ALTER TABLE t ADD COLUMN extra int')
  await lab.run('EXECUTE put(21, 1)')
  await lab.pg.trickle.alterStreamTable('more', 'SELECT v, count(*) + 1 AS count FROM t GROUP BY v')
  await lab.watch('more', 'SELECT v, count(*) + 1 AS count FROM t GROUP BY v')
  await lab.run('EXECUTE put(22, 1)')
  expect(await lab.exec('EXECUTE get')).toEqual([{ total: 15 }])
  lab.forget('more')
  await lab.pg.trickle.dropStreamTable('more')
  await lab.run('EXECUTE put(23, 1)')
  await lab.exec('DEALLOCATE ALL')
})

test('COPY with rows, without rows, and with an error half-way', async () => {
  const copy = (text: string) => lab.pg.query("COPY t FROM '/dev/blob'", [], { blob: new Blob([text]) })
  await copy('30\t1\n31\t\\N\n')
  await lab.check('COPY')
  await copy('')
  await lab.check('COPY of nothing')
  await expect(copy('32\t1\n30\t1\n')).rejects.toMatchObject({ code: '23505' })
  await lab.check('COPY that failed')
  await lab.run('DELETE FROM t WHERE id > 29')
})

test('cursors keep their snapshot, and read-only transactions can read', async () => {
  await lab.run('BEGIN; DECLARE c CURSOR FOR SELECT total FROM st; UPDATE t SET v = 50')
  expect(await lab.exec('FETCH 1 FROM c')).toEqual([{ total: 2 }])
  expect(await lab.exec('SELECT total FROM st')).toEqual([{ total: 51 }])
  await lab.run('COMMIT')
  await lab.run('BEGIN READ ONLY')
  expect(await lab.exec('SELECT total FROM st')).toEqual([{ total: 51 }])
  expect(await lab.fails("SELECT pgtrickle.create_stream_table('no', 'SELECT 1 AS one')")).toMatchObject({
    code: '25006',
  })
  await lab.exec('ROLLBACK')
  await lab.run('SET default_transaction_read_only = on')
  expect(await lab.fails('UPDATE t SET v = 0')).toMatchObject({ code: '25006' })
  await lab.run('RESET default_transaction_read_only')
  await lab.run('UPDATE t SET v = 0')
})
