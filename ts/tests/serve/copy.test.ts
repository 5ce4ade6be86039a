/** COPY FROM STDIN, which PGlite cannot wait for, and COPY TO STDOUT. */
import { expect, test } from 'vitest'
import { int32, int16, message, readError, textAt } from '../../src/serve/messages.js'
import type { Message } from '../../src/serve/messages.js'
import { codeOf, served, types } from './support/served.js'

const SYNC = message('S')
const rows = (text: string) => message('d', Buffer.from(text))
const done = message('c')
const bind = (portal = '', statement = '') => message('B', portal, statement, Buffer.alloc(6))
const execute = (portal = '') => message('E', portal, 0)
const parse = (sql: string, name = '') => message('P', name, sql, Buffer.alloc(2))
const tagOf = (messages: readonly Message[]) => messages.filter((m) => m.type === 'C').map((m) => textAt(m.body)[0])
const errorOf = (messages: readonly Message[]) => readError(messages.find((m) => m.type === 'E')!.body)

async function withTable() {
  const { pg, server, wire, client } = await served()
  await pg.exec('CREATE TABLE t (a int PRIMARY KEY, b text, c int GENERATED ALWAYS AS (a * 2) STORED)')
  await pg.trickle.createStreamTable('s', 'SELECT b, count(*)::int AS n FROM t GROUP BY b')
  const connection = wire()
  await connection.start()
  const contents = async () => (await pg.query('SELECT a, b FROM t ORDER BY a')).rows
  return { pg, server, connection, client, contents }
}

test('a simple COPY asks for rows and stores them', async () => {
  const { pg, connection, contents } = await withTable()
  connection.send(message('Q', '/* rows */ COPY "public"."t" FROM STDIN;'))
  const asked = (await connection.next())!
  expect(asked.type).toBe('G')
  expect(asked.body).toEqual(Buffer.from([0, 0, 2, 0, 0, 0, 0])) // text, two columns
  connection.send(rows('1\tx\n2'), rows('\tx\n3\ty\n'), done)
  const answer = await connection.until('Z')
  expect([types(answer), tagOf(answer)]).toEqual(['CZ', ['COPY 3']])
  expect(await contents()).toHaveLength(3)
  expect((await pg.query('SELECT * FROM s ORDER BY b')).rows).toEqual([
    { b: 'x', n: 2 },
    { b: 'y', n: 1 },
  ])
})

test('others use the session while a client sends its rows', async () => {
  const { connection, client, contents } = await withTable()
  connection.send(message('Q', 'COPY t (a, b) FROM STDIN'))
  expect((await connection.next())!.type).toBe('G')
  const other = await client()
  await other.query("INSERT INTO t VALUES (9, 'z')")
  connection.send(rows('1\tx\n'), done)
  await connection.until('Z')
  expect(await contents()).toHaveLength(2)
})

test('binary rows', async () => {
  const { connection, contents } = await withTable()
  connection.send(message('Q', 'COPY t (a, b) FROM STDIN (FORMAT binary)'))
  expect((await connection.next())!.body).toEqual(Buffer.from([1, 0, 2, 0, 1, 0, 1]))
  const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
  const row = Buffer.concat([int16(2), int32(4), int32(7), int32(1), Buffer.from('q')])
  connection.send(message('d', signature, int32(0), int32(0), row, int16(-1)), done)
  expect(tagOf(await connection.until('Z'))).toEqual(['COPY 1'])
  expect(await contents()).toEqual([{ a: 7, b: 'q' }])
})

test.each<[string, string, Buffer[], string]>([
  ['rows that are wrong', 'COPY t FROM STDIN', [rows('1\tx\nq\ty\n'), done], '22P02'],
  ['a client that gives up', 'COPY t FROM STDIN', [rows('1\tx\n'), message('f', 'no more')], '57014'],
  ['rows that are there already', 'COPY t FROM STDIN', [rows('5\tx\n5\ty\n'), done], '23505'],
])('%s: an error, nothing stored, and the server goes on', async (_name, sql, messages, code) => {
  const { connection, contents, client } = await withTable()
  connection.send(message('Q', sql))
  expect((await connection.next())!.type).toBe('G')
  connection.send(...messages)
  const answer = await connection.until('Z')
  expect([types(answer), errorOf(answer).code]).toEqual(['EZ', code])
  expect(await contents()).toEqual([])
  expect(types(await connection.query('SELECT 1'))).toBe('TDCZ')
  expect((await (await client()).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
})

test.each<[string, string, string]>([
  ['no such table', 'COPY nowhere FROM STDIN', '42P01'],
  ['beside other statements', 'SELECT 1; COPY t FROM STDIN', '0A000'],
  ['hidden from the server', 'COPY t FROM/**/STDIN WITH (nonsense)', '42601'],
])('%s: refused before any row is sent', async (_name, sql, code) => {
  const { connection, contents } = await withTable()
  connection.send(message('Q', sql))
  const first = (await connection.next())!
  if (first.type === 'G') connection.send(done)
  const answer = [first, ...(await connection.until('Z'))]
  expect(errorOf(answer).code).toBe(code)
  expect(await contents()).toEqual([])
  expect(types(await connection.query('SELECT 1'))).toBe('TDCZ')
})

test('texts that only look like it', async () => {
  const { client } = await withTable()
  const a = await client()
  const text = "copy t from stdin; 'quoted'"
  expect((await a.query(`SELECT $q$${text}$q$ AS text; -- COPY t FROM STDIN`)).rows).toEqual([{ text }])
  expect((await a.query('SELECT $1::text AS text', [text])).rows).toEqual([{ text }])
})

test('inside a transaction, which a failed COPY fails', async () => {
  const { connection, contents } = await withTable()
  await connection.query('BEGIN')
  connection.send(message('Q', 'COPY t FROM STDIN'))
  expect((await connection.next())!.type).toBe('G')
  connection.send(rows('1\tx\n'), done)
  expect((await connection.until('Z')).at(-1)!.body.toString()).toBe('T')
  await connection.query('SAVEPOINT s')
  connection.send(message('Q', 'COPY t FROM STDIN'))
  await connection.next()
  connection.send(rows('1\tx\n'), done)
  expect((await connection.until('Z')).at(-1)!.body.toString()).toBe('E')
  connection.send(message('Q', 'COPY t FROM STDIN'))
  expect(errorOf(await connection.until('Z')).code).toBe('25P02')
  await connection.query('ROLLBACK TO s')
  await connection.query('COMMIT')
  expect(await contents()).toEqual([{ a: 1, b: 'x' }])
})

test('in the extended protocol', async () => {
  const { connection, contents } = await withTable()
  // As tokio-postgres does: a named statement, Sync right after Execute, and another one after the rows.
  connection.send(parse('COPY t FROM STDIN', 'c'), message('D', Buffer.from('S'), 'c'), SYNC)
  expect(types(await connection.until('Z'))).toBe('1tnZ')
  connection.send(bind('', 'c'), execute(), SYNC)
  expect(types(await connection.until('G'))).toBe('2G')
  connection.send(rows('1\tx\n'), done, SYNC)
  const answer = await connection.until('Z')
  expect([types(answer), tagOf(answer)]).toEqual(['CZ', ['COPY 1']])
  // All in one.
  connection.send(parse('COPY t (a) FROM STDIN'), bind(), execute())
  expect(types(await connection.until('G'))).toBe('12G')
  connection.send(rows('2\n'), done, SYNC)
  expect(types(await connection.until('Z'))).toBe('CZ')
  expect(await contents()).toHaveLength(2)
})

test('an error before it in the extended protocol', async () => {
  const { connection, contents } = await withTable()
  connection.send(parse('COPY nowhere FROM STDIN'), bind(), execute(), SYNC)
  expect(errorOf(await connection.until('Z')).code).toBe('42P01')
  connection.send(parse('SELECT nothing'), bind(), execute(), parse('COPY t FROM STDIN'), bind(), execute(), SYNC)
  expect(errorOf(await connection.until('Z')).code).toBe('42703')
  expect(await contents()).toEqual([])
  expect(types(await connection.query('SELECT 1'))).toBe('TDCZ')
})

test('a client that dies amid its rows stores none', async () => {
  const { connection, client, contents } = await withTable()
  connection.send(message('Q', 'COPY t FROM STDIN'))
  await connection.next()
  connection.send(rows('1\tx\n'))
  connection.socket.destroy()
  const a = await client()
  expect(await codeOf(a.query('SELECT 1'))).toBe('no error')
  expect(await contents()).toEqual([])
})

test('more rows than the server takes', async () => {
  const { pg, wire } = await served({ maxCopySize: 1000 })
  await pg.exec('CREATE TABLE t (a text)')
  const connection = wire()
  await connection.start()
  connection.send(message('Q', 'COPY t FROM STDIN'))
  await connection.next()
  for (let n = 0; n < 20; n += 1) connection.send(rows(`${'x'.repeat(99)}\n`))
  connection.send(done)
  const error = errorOf(await connection.until('Z'))
  expect(error).toMatchObject({ code: '57014', message: expect.stringContaining('1000 bytes') })
  expect((await pg.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 0 }])
})

test('COPY TO STDOUT', async () => {
  const { pg, connection } = await withTable()
  await pg.exec("INSERT INTO t VALUES (1, 'x'), (2, NULL)")
  const answer = await connection.query('COPY t TO STDOUT')
  expect(types(answer)).toBe('HddcCZ')
  const copied = answer.filter((m) => m.type === 'd').map((m) => m.body.toString())
  expect(copied).toEqual(['1\tx\n', '2\t\\N\n'])
})
