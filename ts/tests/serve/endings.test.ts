/** Connections that end in every way. */
import { describe, expect, test } from 'vitest'
import { message, readError } from '../../src/serve/messages.js'
import { serve } from '../../dist/serve.js'
import { openDatabase } from '../support/pglite.js'
import { addressOf, clientOf, codeOf, served } from './support/served.js'

describe('a client that dies in a transaction', () => {
  test.each<[string, (wire: { socket: import('node:net').Socket }) => void]>([
    ['with a reset', ({ socket }) => socket.resetAndDestroy()],
    ['with an end', ({ socket }) => socket.destroy()],
  ])('%s is rolled back, and the next goes on', async (_name, die) => {
    const { pg, wire, client } = await served()
    await pg.exec('CREATE TABLE t (a int)')
    await pg.trickle.createStreamTable('s', 'SELECT count(*)::int AS n FROM t')
    const connection = wire()
    await connection.start()
    const other = await client()
    await connection.query('BEGIN; INSERT INTO t VALUES (1)')
    const [waiting, coming] = [other.query('SELECT n FROM s'), client()]
    die(connection)
    await coming
    expect((await waiting).rows).toEqual([{ n: 0 }])
    expect((await pg.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 0 }])
  })

  test('amid the messages of the extended protocol', async () => {
    const { pg, wire, client } = await served()
    await pg.exec('CREATE TABLE t (a int)')
    const connection = wire()
    await connection.start()
    connection.send(
      ...[message('P', '', 'INSERT INTO t VALUES (1)', Buffer.alloc(2)), message('B', '', '', Buffer.alloc(6))],
      ...[message('E', '', 0), message('H')],
    )
    await connection.until('C')
    connection.socket.destroy()
    expect((await (await client()).query('SELECT * FROM t')).rows).toEqual([])
  })

  test('after an error', async () => {
    const { wire, client } = await served()
    const connection = wire()
    await connection.start()
    connection.send(message('P', '', 'SELECT nothing', Buffer.alloc(2)), message('H'))
    await connection.until('E')
    connection.socket.destroy()
    expect(await codeOf((await client()).query('SELECT 1'))).toBe('no error')
  })
})

test('a client that does nothing in a transaction is ended', async () => {
  const { pg, client } = await served({ idleInTransactionTimeout: 200 })
  await pg.exec('CREATE TABLE t (a int)')
  const [a, b] = [await client(), await client()]
  const ended = new Promise<{ code?: string }>((resolve) => a.once('error', resolve))
  await a.query('BEGIN')
  await a.query('INSERT INTO t VALUES (1)')
  expect((await b.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 0 }])
  expect((await ended).code).toBe('25P03')
  // Outside of a transaction, nobody waits for a client.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await codeOf(b.query('SELECT 1'))).toBe('no error')
})

test('a client that does not read stops nobody', async () => {
  const { wire, client, server } = await served({ idleInTransactionTimeout: 500 })
  const connection = wire()
  await connection.start()
  connection.socket.pause()
  for (let n = 0; n < 20; n += 1) connection.send(message('Q', "SELECT repeat('x', 1000000)"))
  const a = await client()
  expect(await codeOf(a.query('SELECT 1'))).toBe('no error')
  connection.socket.destroy()
  await expect.poll(() => server.connections).toBe(1)
})

test('a client that listens and does not read is given up', async () => {
  const { wire, client, server } = await served()
  const connection = wire()
  await connection.start()
  await connection.query('LISTEN news')
  connection.socket.pause()
  const a = await client()
  const notify = "SELECT count(pg_notify('news', repeat(n::text, 1500))) FROM generate_series(1000, 1999) n"
  for (let n = 0; n < 20 && server.connections > 1; n += 1) await a.query(notify)
  await expect.poll(() => server.connections).toBe(1)
})

test('a database that is closed ends the clients, and the program is told', async () => {
  const pg = await openDatabase()
  const ended: Error[] = []
  const server = await serve(pg, { port: 0, onDatabaseEnd: (error) => ended.push(error) })
  const client = await clientOf(addressOf(server))
  await pg.close()
  expect(await codeOf(client.query('SELECT 1'))).toBe('57P02')
  await server.close()
  expect(ended.map(({ message }) => message)).toEqual([expect.stringContaining('closed')])
})

test('closing ends clients, rolls back and says why', async () => {
  const { pg, server, wire } = await served()
  await pg.exec('CREATE TABLE t (a int)')
  const [idle, busy] = [wire(), wire()]
  await idle.start()
  await busy.start()
  await busy.query('BEGIN; INSERT INTO t VALUES (1)')
  await server.close()
  for (const connection of [idle, busy]) {
    expect(readError((await connection.next())!.body).code).toBe('57P01')
    expect(await connection.next()).toBeUndefined()
  }
  expect((await pg.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 0 }])
  await server.close() // a second time does nothing
})

test('many statements in one go are answered in order', async () => {
  const { wire } = await served()
  const connection = wire()
  await connection.start()
  const sent = Array.from({ length: 200 }, (_, n) => message('Q', `SELECT ${n}`))
  connection.send(...sent)
  for (let n = 0; n < 200; n += 1) {
    const answer = await connection.until('Z')
    expect(answer[1]!.body.toString('latin1', 6)).toBe(String(n))
  }
})
