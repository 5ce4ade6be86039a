// What node-postgres does with `pgtrickle serve`. The address is in the variables of libpq: PGHOST, PGPORT, ...
import { strict as assert } from 'node:assert'
import { createRequire } from 'node:module'
import { once } from 'node:events'
import pg from 'pg'

const [connection, listener] = [new pg.Client(), new pg.Client()]
await connection.connect()
await listener.connect()
console.log(`driver node-postgres ${createRequire(import.meta.url)('pg/package.json').version}`)
console.log('settings none')
const rows = async (text, values) => (await connection.query({ text, values, rowMode: 'array' })).rows

async function step(name, check) {
  try {
    await check()
    console.log(`ok ${name}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`failed ${name}: ${error.message}`)
  }
}

await step('create', async () => {
  await connection.query('CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric)')
  const query = 'SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer'
  await connection.query('SELECT pgtrickle.create_stream_table($1, $2)', ['totals', query])
})
await step('change', async () => {
  await connection.query('INSERT INTO orders VALUES (1, 7, 10.50), (2, 7, 4), (3, 8, 1)')
  await connection.query('UPDATE orders SET customer = 8 WHERE id = 2')
  const expected = [
    [7, '10.50'],
    [8, '5'],
  ]
  assert.deepEqual(await rows('SELECT customer, total FROM totals ORDER BY customer'), expected)
  assert.deepEqual(await rows("SELECT ok FROM pgtrickle.verify_stream_table('totals')"), [[true]])
})
await step('error with hint', async () => {
  const failed = connection.query("SELECT pgtrickle.create_stream_table('bad', 'SELECT random() FROM orders')")
  await assert.rejects(failed, (error) => error.code === '0A000' && error.hint.length > 0)
})
await step('parameters', async () => {
  const values = [41, "ü'\\", { a: 1 }]
  assert.deepEqual(await rows('SELECT $1::int + 1, $2::text, $3::jsonb', values), [[42, "ü'\\", { a: 1 }]])
})
await step('prepared', async () => {
  for (const [customer, n] of [
    [7, '1'],
    [8, '2'],
    [7, '1'],
  ]) {
    const query = { name: 'of', text: 'SELECT n FROM totals WHERE customer = $1', values: [customer], rowMode: 'array' }
    assert.deepEqual((await connection.query(query)).rows, [[n]])
    await listener.query({ ...query, text: 'SELECT n + 0 FROM totals WHERE customer = $1' })
  }
})
await step('batch', async () => {
  const pool = new pg.Pool({ max: 5 })
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => pool.query('SELECT $1::int AS n', [n])))
  await pool.end()
  assert.deepEqual(
    answers.map(({ rows }) => rows[0].n),
    Array.from({ length: 50 }, (_, n) => n),
  )
  await connection.query('INSERT INTO orders SELECT n, 9, 1 FROM generate_series(10, 19) n')
  assert.deepEqual(await rows('SELECT n FROM totals WHERE customer = 9'), [['10']])
})
await step('transaction', async () => {
  await connection.query('BEGIN')
  await connection.query('DELETE FROM orders')
  assert.deepEqual(await rows('SELECT count(*) FROM totals'), [['0']])
  await connection.query('ROLLBACK')
  assert.deepEqual(await rows('SELECT count(*) FROM totals'), [['3']])
})
await step('savepoint', async () => {
  await connection.query('BEGIN')
  await connection.query('INSERT INTO orders VALUES (30, 30, 1)')
  await connection.query('SAVEPOINT s')
  await assert.rejects(connection.query('SELECT 1 / 0'), { code: '22012' })
  await connection.query('ROLLBACK TO s')
  await connection.query('COMMIT')
  assert.deepEqual(await rows('SELECT n FROM totals WHERE customer = 30'), [['1']])
})
await step('cursor', async () => {
  const { default: Cursor } = await import('pg-cursor')
  const cursor = connection.query(new Cursor('SELECT id FROM orders ORDER BY id'))
  assert.equal((await cursor.read(3)).length, 3)
  assert.equal((await cursor.read(100)).length, 11)
  await cursor.close()
})
await step('COPY in', async () => {
  const { from } = await import('pg-copy-streams')
  const copy = connection.query(from('COPY orders FROM STDIN'))
  for (let n = 100; n < 1100; n += 1) copy.write(`${n}\t100\t1\n`)
  copy.end()
  await once(copy, 'finish')
  assert.deepEqual(await rows('SELECT n FROM totals WHERE customer = 100'), [['1000']])
})
await step('COPY out', async () => {
  const { to } = await import('pg-copy-streams')
  const copy = connection.query(to('COPY (SELECT * FROM totals WHERE customer = 7) TO STDOUT'))
  const chunks = await copy.toArray()
  assert.equal(Buffer.concat(chunks).toString(), '7\t1\t10.50\n')
})
await step('LISTEN', async () => {
  const heard = once(listener, 'notification', { signal: AbortSignal.timeout(10_000) })
  await listener.query('LISTEN news')
  await connection.query("NOTIFY news, 'from another connection'")
  assert.equal((await heard)[0].payload, 'from another connection')
})
await step('feed', async () => {
  await listener.query('LISTEN pgtrickle')
  const [[begin]] = await rows("SELECT pgtrickle.keep_changes('totals')::int")
  const heard = once(listener, 'notification', { signal: AbortSignal.timeout(10_000) })
  await connection.query('INSERT INTO orders VALUES (50, 50, 2.50)')
  assert.deepEqual(JSON.parse((await heard)[0].payload), { 'public.totals': begin + 1 })
  const changes = await rows("SELECT seq::int, op, c.row FROM pgtrickle.changes('totals', after => $1) c", [begin])
  assert.deepEqual(changes, [[begin + 1, 'insert', { customer: 50, n: 1, total: 2.5 }]])
})
await connection.end()
await listener.end()
