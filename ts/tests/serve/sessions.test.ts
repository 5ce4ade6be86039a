/** One session for all, and each connection finds it as it left it. */
import { expect, test } from 'vitest'
import { codeOf, served } from './support/served.js'

test('stream tables are created, changed, read and verified by clients', async () => {
  const { pg, client } = await served()
  const [a, b] = [await client(), await client()]
  await a.query('CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric)')
  await a.query(
    "SELECT pgtrickle.create_stream_table('totals', 'SELECT customer, sum(amount) AS total FROM orders GROUP BY customer')",
  )
  await b.query('INSERT INTO orders VALUES ($1, $2, $3), (2, 7, 4)', [1, 7, '10.50'])
  const expected = [{ customer: 7, total: '14.50' }]
  expect((await a.query('SELECT * FROM totals')).rows).toEqual(expected)
  expect((await pg.query('SELECT * FROM totals')).rows).toEqual(expected)
  const verified = await b.query("SELECT * FROM pgtrickle.verify_stream_table('totals')")
  expect(verified.rows).toEqual([expect.objectContaining({ ok: true })])
  const failed = a.query("SELECT pgtrickle.create_stream_table('r', 'SELECT random() AS r FROM orders')")
  await expect(failed).rejects.toMatchObject({ code: '0A000', hint: expect.any(String) })
})

test('subscribers in the program are told what clients change', async () => {
  const { pg, client } = await served()
  await pg.exec('CREATE TABLE t (a int PRIMARY KEY)')
  await pg.trickle.createStreamTable('s', 'SELECT a FROM t')
  const rows: unknown[] = []
  const unsubscribe = await pg.trickle.subscribe('s', (changes) => rows.push(...changes.map(({ row }) => row)))
  await (await client()).query('INSERT INTO t VALUES (1)')
  await pg.query('SELECT 1')
  expect(rows).toEqual([{ a: 1 }])
  await unsubscribe()
})

test('settings stay with the connection', async () => {
  const { pg, client } = await served()
  const [a, b] = [await client(), await client({ options: '-c work_mem=8MB', application_name: 'b' })]
  const show = async (c: typeof a, name: string) =>
    (await c.query<Record<string, string>>(`SHOW ${name}`)).rows[0]![name]
  await a.query("SET work_mem = '3MB'; SET search_path = pg_catalog")
  await a.query("SELECT set_config('app.tenant', '7', false)")
  await b.query("SET app.tenant = '8'")
  expect(await show(b, 'work_mem')).toBe('8MB')
  expect(await show(b, 'application_name')).toBe('b')
  expect(await show(b, 'search_path')).toBe('public')
  expect(await show(a, 'work_mem')).toBe('3MB')
  expect(await show(a, 'app.tenant')).toBe('7')
  expect(await show(a, 'search_path')).toBe('pg_catalog')
  expect((await pg.query('SHOW work_mem')).rows).toEqual([{ work_mem: '4MB' }])
  expect((await pg.query('SHOW search_path')).rows).toEqual([{ search_path: 'public' }])
  await pg.query("SET work_mem = '5MB'")
  expect(await show(a, 'work_mem')).toBe('3MB')
  expect(await show(await client(), 'work_mem')).toBe('4MB')
  expect((await pg.query('SHOW work_mem')).rows).toEqual([{ work_mem: '5MB' }])
})

test('a setting of any text and encoding comes back', async () => {
  const { client } = await served()
  const [a, b] = [await client(), await client()]
  const text = 'it\'s \\ "ü" $1 \n;'
  await a.query("SELECT set_config('app.text', $1, false), set_config($2, 'by its parameter', false)", [
    text,
    'app.name',
  ])
  await a.query('SET standard_conforming_strings = off')
  await b.query('SELECT 1')
  const read = "SELECT current_setting('app.text', true) AS text, current_setting('app.name', true) AS name"
  expect((await a.query(read)).rows).toEqual([{ text, name: 'by its parameter' }])
  expect((await b.query(read)).rows).toEqual([{ text: '', name: '' }])
})

test('roles stay with the connection', async () => {
  const { pg, client } = await served()
  await pg.exec('CREATE ROLE alice LOGIN; CREATE ROLE reader; GRANT reader TO alice; CREATE TABLE secret (a int)')
  const [alice, root] = [await client({ user: 'alice' }), await client()]
  const who = 'SELECT session_user AS session, current_user AS current'
  expect((await alice.query(who)).rows).toEqual([{ session: 'alice', current: 'alice' }])
  await alice.query('SET ROLE reader')
  expect((await root.query(who)).rows).toEqual([{ session: 'postgres', current: 'postgres' }])
  expect((await alice.query(who)).rows).toEqual([{ session: 'alice', current: 'reader' }])
  expect(await codeOf(alice.query('SELECT * FROM secret'))).toBe('42501')
  expect((await pg.query(who)).rows).toEqual([{ session: 'postgres', current: 'postgres' }])
  await root.query('SELECT 1')
  await pg.exec('DROP OWNED BY alice; DROP ROLE alice')
  expect(await codeOf(alice.query('SELECT 1'))).toBe('22023') // it has no role any more
  expect((await root.query(who)).rows).toEqual([{ session: 'postgres', current: 'postgres' }])
})

test('a failed transaction is that of its connection, and others wait for its end', async () => {
  const { client } = await served()
  const [a, b] = [await client(), await client()]
  await a.query('CREATE TABLE t (a int)')
  await a.query('BEGIN')
  await a.query('INSERT INTO t VALUES (1)')
  let isAnswered = false
  const waiting = b.query('SELECT count(*)::int AS n FROM t').then((result) => {
    isAnswered = true
    return result.rows
  })
  expect(await codeOf(a.query('SELECT 1/0'))).toBe('22012')
  expect(await codeOf(a.query('SELECT 1'))).toBe('25P02')
  expect(isAnswered).toBe(false)
  await a.query('ROLLBACK')
  expect(await waiting).toEqual([{ n: 0 }])
})

test('the program waits for a transaction of a client, and clients for one of the program', async () => {
  const { pg, client } = await served()
  const a = await client()
  await pg.exec('CREATE TABLE t (a int)')
  await a.query('BEGIN')
  await a.query('INSERT INTO t VALUES (1)')
  const waiting = pg.query('SELECT count(*)::int AS n FROM t')
  const exclusive = pg.runExclusive(async () => pg.isInTransaction())
  await a.query('INSERT INTO t VALUES (2)')
  await a.query('COMMIT')
  expect((await waiting).rows).toEqual([{ n: 2 }])
  expect(await exclusive).toBe(false)
  let answer: unknown
  await pg.transaction(async (tx) => {
    await tx.query('DELETE FROM t')
    void a.query('SELECT count(*)::int AS n FROM t').then(({ rows }) => (answer = rows))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(answer).toBeUndefined()
    await tx.rollback()
  })
  await expect.poll(() => answer).toEqual([{ n: 2 }])
})

test('a transaction that the program began with a statement is not entered', async () => {
  const { pg, client } = await served()
  const a = await client()
  await pg.exec('BEGIN')
  expect(await codeOf(a.query('SELECT 1'))).toBe('55006')
  await pg.exec('COMMIT')
  expect((await (await client()).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
})

test('prepared statements have names of their own in each connection', async () => {
  const { client } = await served()
  const [a, b] = [await client(), await client()]
  const run = async (c: typeof a, text: string, name = 's') => (await c.query({ name, text })).rows
  expect(await run(a, "SELECT 'a' AS who")).toEqual([{ who: 'a' }])
  expect(await run(b, "SELECT 'b' AS who")).toEqual([{ who: 'b' }])
  expect(await run(a, "SELECT 'a' AS who")).toEqual([{ who: 'a' }])
  const long = 'l'.repeat(63)
  expect(await run(a, 'SELECT 1 AS one', long)).toEqual([{ one: 1 }])
  expect(await run(b, 'SELECT 2 AS two', long)).toEqual([{ two: 2 }])
  // What one connection deallocates is not what another has.
  await a.query('DEALLOCATE s')
  expect(await codeOf(run(a, "SELECT 'a' AS who"))).toBe('26000')
  expect(await run(b, "SELECT 'b' AS who")).toEqual([{ who: 'b' }])
  await a.query('DEALLOCATE ALL')
  expect(await run(b, "SELECT 'b' AS who")).toEqual([{ who: 'b' }])
  await a.query('DISCARD ALL')
  expect(await run(b, "SELECT 'b' AS who")).toEqual([{ who: 'b' }])
  // A statement that failed has not taken the name.
  expect(await codeOf(run(a, 'SELECT nothing', 'f'))).toBe('42703')
  expect(await run(a, 'SELECT 3 AS three', 'f')).toEqual([{ three: 3 }])
})

test('statements of PREPARE stay with the connection', async () => {
  const { client } = await served()
  const [a, b] = [await client(), await client()]
  await a.query("PREPARE p (int) AS SELECT 'a' AS who, $1 AS n")
  await b.query("PREPARE p (int) AS SELECT 'b' AS who, $1 AS n")
  expect((await a.query('EXECUTE p(1)')).rows).toEqual([{ who: 'a', n: 1 }])
  expect((await b.query('EXECUTE p(2)')).rows).toEqual([{ who: 'b', n: 2 }])
  await b.end()
  expect((await a.query('EXECUTE p(3)')).rows).toEqual([{ who: 'a', n: 3 }])
  const c = await client()
  expect(await codeOf(c.query('EXECUTE p(4)'))).toBe('26000')
})

test('temporary objects stay with the connection', async () => {
  const { pg, client } = await served()
  const [a, b] = [await client(), await client()]
  await a.query("CREATE TEMP TABLE t (id serial PRIMARY KEY, who text); INSERT INTO t (who) VALUES ('a')")
  await a.query('CREATE TEMP VIEW v AS SELECT who FROM t')
  await a.query("CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS $$ SELECT 'a' $$")
  await a.query("CREATE TYPE pg_temp.mood AS ENUM ('good'); CREATE TEMP TABLE moods (m mood)")
  expect(await codeOf(b.query('SELECT * FROM t'))).toBe('42P01')
  expect(await codeOf(b.query('SELECT pg_temp.f()'))).toBe('42883')
  await b.query("CREATE TEMP TABLE t (id serial PRIMARY KEY, who text); INSERT INTO t (who) VALUES ('b')")
  await b.query("CREATE TEMP VIEW v AS SELECT who FROM t; CREATE TYPE pg_temp.mood AS ENUM ('bad')")
  await a.query("INSERT INTO t (who) VALUES ('a2')")
  expect((await a.query('SELECT id, who FROM t ORDER BY id')).rows).toEqual([
    { id: 1, who: 'a' },
    { id: 2, who: 'a2' },
  ])
  expect(
    (await a.query("SELECT pg_temp.f(), (SELECT count(*)::int FROM v) AS n, 'good'::pg_temp.mood AS m")).rows,
  ).toEqual([{ f: 'a', n: 2, m: 'good' }])
  expect((await b.query('SELECT * FROM v')).rows).toEqual([{ who: 'b' }])
  expect(await codeOf(pg.query('SELECT * FROM t'))).toBe('42P01')
  await a.query('DISCARD TEMP')
  expect(await codeOf(a.query('SELECT * FROM t'))).toBe('42P01')
  expect((await b.query('SELECT * FROM v')).rows).toEqual([{ who: 'b' }])
  await b.end()
  await expect
    .poll(
      async () =>
        (await a.query('SELECT count(*)::int AS n FROM pg_class WHERE relnamespace = pg_my_temp_schema()')).rows,
    )
    .toEqual([{ n: 0 }])
  const types = 'SELECT count(*)::int AS n FROM pg_type WHERE typnamespace = pg_my_temp_schema()'
  expect((await a.query(types)).rows).toEqual([{ n: 0 }])
})

test('DISCARD ALL leaves what the connection had at first, and others alone', async () => {
  const { client } = await served()
  const [a, b] = [await client({ options: '-c work_mem=8MB' }), await client()]
  await a.query("SET work_mem = '1MB'; SET app.x = 'y'; CREATE TEMP TABLE t (a int)")
  await b.query("SET work_mem = '2MB'; CREATE TEMP TABLE t (b int)")
  await b.query('LISTEN news')
  const discarded = await a.query('DISCARD ALL')
  expect(discarded.command).toBe('DISCARD')
  expect((await a.query('SHOW work_mem')).rows).toEqual([{ work_mem: '8MB' }])
  expect(await codeOf(a.query('SELECT * FROM t'))).toBe('42P01')
  expect((await b.query('SELECT b FROM t')).rows).toEqual([])
  expect((await b.query('SHOW work_mem')).rows).toEqual([{ work_mem: '2MB' }])
  expect((await a.query('SELECT pg_listening_channels() AS channel')).rows).toEqual([{ channel: 'news' }])
  expect(await codeOf(a.query('DISCARD TEMP; SELECT 1'))).toBe('0A000')
  expect((await b.query('SELECT b FROM t')).rows).toEqual([])
})

test('currval is an error after others were in the session, never the value of another', async () => {
  const { client } = await served()
  const [a, b] = [await client(), await client()]
  await a.query('CREATE SEQUENCE s')
  await a.query("SELECT nextval('s')")
  expect((await a.query("SELECT currval('s')")).rows).toEqual([{ currval: '1' }])
  await b.query("SELECT nextval('s')")
  expect(await codeOf(a.query("SELECT currval('s')"))).toBe('55000')
})

test('a held cursor goes with its connection', async () => {
  const { client } = await served()
  const [a, b] = [await client(), await client()]
  await a.query('DECLARE c CURSOR WITH HOLD FOR SELECT generate_series(1, 3) AS n')
  await b.query('SELECT 1')
  expect((await a.query('FETCH 2 FROM c')).rows).toEqual([{ n: 1 }, { n: 2 }])
  await a.end()
  await expect.poll(async () => (await b.query('SELECT name FROM pg_cursors')).rows).toEqual([])
})

test('after the server, the database is as before', async () => {
  const { pg, server, client } = await served()
  const a = await client()
  await a.query('SET search_path = pg_catalog; CREATE TEMP TABLE t (a int); LISTEN x')
  await server.close()
  expect((await pg.query('SHOW search_path')).rows).toEqual([{ search_path: 'public' }])
  expect(await codeOf(pg.query('SELECT * FROM t'))).toBe('42P01')
  expect((await pg.query('SELECT pg_listening_channels()')).rows).toEqual([])
  const again = await served()
  expect((await (await again.client()).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
})
