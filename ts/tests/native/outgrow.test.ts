/** From PGlite to a server: what docs/OUTGROWING.md says, with the native extension at the other end. */
import type { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { trickle } from '../../dist/index.js'
import { loadModule, MAJOR } from '../support/modules.js'
import type { Database } from '../support/modules.js'
import { Server } from '../support/server.mjs'

const SCHEMA = `
  CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric(10, 2));
  CREATE VIEW big AS SELECT * FROM orders WHERE amount > 10;`

let pg: Database
let server: Server
let client: Client

beforeAll(async () => {
  const { PGlite } = await loadModule()
  pg = (await PGlite.create({ extensions: { trickle } })) as unknown as Database
  server = await Server.start(MAJOR as 17 | 18)
  client = await server.connect()
  await client.query('CREATE EXTENSION pg_trickle')
})

afterAll(async () => {
  await client.end()
  await server.stop()
  await pg.close()
})

test('the script runs whole on a server, and the rows are the same', async () => {
  await pg.exec(SCHEMA)
  await pg.exec('INSERT INTO orders SELECT n, n % 7, n * 1.5 FROM generate_series(1, 100) n')
  await pg.trickle.createStreamTable('totals', 'SELECT customer, sum(amount) AS total FROM big GROUP BY customer')
  await pg.trickle.createStreamTable('above', 'SELECT t.* FROM totals t WHERE total > (SELECT avg(total) FROM totals)')
  const { sql, streamTables } = await pg.trickle.exportStreamTables({ to: 'pg_trickle' })
  expect(streamTables.flatMap(({ problems }) => problems)).toEqual([])

  await client.query(SCHEMA)
  const copied = await pg.query<object>("COPY orders TO '/dev/blob' (FORMAT csv)")
  const rows = (await (copied as { blob?: Blob }).blob?.text())?.trim().split('\n') ?? []
  for (const row of rows) await client.query('INSERT INTO orders VALUES ($1, $2, $3)', row.split(','))
  await client.query(sql)
  await same(['totals', 'above'])
  for (const at of [(text: string) => pg.exec(text), (text: string) => client.query(text)]) {
    await at('UPDATE orders SET amount = amount * 2 WHERE customer = 3; DELETE FROM orders WHERE id < 9')
  }
  await same(['totals', 'above'])
})

async function same(tables: string[]): Promise<void> {
  for (const table of tables) {
    const query = `SELECT x::text AS row FROM ${table} x ORDER BY 1`
    const [here, there] = [await pg.query<{ row: string }>(query), await client.query<{ row: string }>(query)]
    expect(here.rows.length).toBeGreaterThan(0)
    expect(there.rows).toEqual(here.rows)
  }
}
