/** Who may come in, and what the server answers before anybody is in. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeVerifier, readVerifier, ScramExchange } from '../../src/serve/scram.js'
import { int32, message, readError, textAt } from '../../src/serve/messages.js'
import { serve } from '../../dist/serve.js'
import { addressOf, clientOf, codeOf, served, startup, types } from './support/served.js'

const request = (code: number, ...numbers: number[]) =>
  Buffer.concat([int32(8 + 4 * numbers.length), int32(code), ...numbers.map(int32)])
const SSL = request(80877103)
const GSS = request(80877104)

describe('the start', () => {
  test('encryption is declined, and the client may go on', async () => {
    const { wire } = await served()
    const connection = wire()
    for (const asked of [GSS, SSL]) {
      connection.send(asked)
      expect((await connection.bytes(1))!.toString()).toBe('N')
    }
    const greeting = await connection.start()
    expect(types(greeting)).toMatch(/^RS+KZ$/)
    const parameters = Object.fromEntries(
      greeting.filter((m) => m.type === 'S').map((m) => [textAt(m.body)[0], textAt(m.body, textAt(m.body)[1])[0]]),
    )
    expect(parameters).toMatchObject({
      ...{ client_encoding: 'UTF8', server_version: expect.stringMatching(/^1[78]\./), is_superuser: 'on' },
      ...{ session_authorization: 'postgres', standard_conforming_strings: 'on', integer_datetimes: 'on' },
    })
  })

  test('a newer minor version of the protocol is told which there is', async () => {
    const { wire } = await served()
    const connection = wire()
    const start = startup({ '_pq_.command': 'x' })
    start.writeInt32BE((3 << 16) | 2, 4)
    connection.send(start)
    const answer = await connection.until('Z')
    expect(types(answer)).toMatch(/^vRS+KZ$/)
    expect(answer[0]!.body).toEqual(Buffer.concat([int32(0), int32(1), Buffer.from('_pq_.command\0')]))
  })

  test.each<[string, Buffer, string]>([
    ['another protocol', request(2 << 16), '0A000'],
    ['no user', Buffer.concat([int32(9), int32(3 << 16), Buffer.alloc(1)]), '28000'],
    ['a user that is not there', startup({ user: 'nobody' }), '28000'],
    ['a database that is not there', startup({ database: 'other' }), '3D000'],
    ['replication', startup({ replication: 'database' }), '0A000'],
    ['a setting that is none', startup({ nonsense: '1' }), '42704'],
    ['a value that is none', startup({ options: '-c work_mem=much' }), '22023'],
    ['options that are none', startup({ options: '--x' }), '42601'],
    ['a packet that is too long', int32(1_000_000), '08P01'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), '08P01'],
  ])('%s is refused', async (_name, bytes, code) => {
    const { wire, client } = await served()
    const connection = wire()
    connection.send(bytes)
    const answer = await connection.next()
    const error = answer?.type === 'R' ? await connection.next() : answer
    expect(readError(error!.body).code).toBe(code)
    expect(await connection.next()).toBeUndefined()
    expect((await (await client()).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  test('a client that says nothing is sent away', async () => {
    const { wire, server } = await served({ authenticationTimeout: 100 })
    const connection = wire()
    expect(await connection.next()).toBeUndefined()
    await expect.poll(() => server.connections).toBe(0)
  })

  test('a role that may not log in', async () => {
    const { pg, client } = await served()
    await pg.exec('CREATE ROLE sleeper')
    expect(await codeOf(client({ user: 'sleeper' }))).toBe('28000')
    await pg.exec('DROP ROLE sleeper')
  })
})

describe('passwords', () => {
  test('the password of the option, and those of roles', async () => {
    const { pg, client } = await served({ auth: 'scram', password: 'pass\u00a0wörd' })
    await pg.exec("CREATE ROLE amy LOGIN PASSWORD 'hers'; CREATE ROLE bob LOGIN")
    const ask = async (user: string, password: string) => codeOf(client({ user, password }))
    expect(await ask('postgres', 'pass wörd')).toBe('no error')
    expect(await ask('postgres', 'password')).toBe('28P01')
    expect(await ask('amy', 'hers')).toBe('no error')
    expect(await ask('amy', 'his')).toBe('28P01')
    expect(await ask('bob', 'any')).toBe('28P01')
    expect(await ask('nobody', 'any')).toBe('28P01')
    await pg.exec('DROP ROLE amy, bob')
  })

  test.each<[string, Buffer[]]>([
    ['a mechanism that is none', [message('p', 'PLAIN', int32(0))]],
    ['no message of SCRAM', [message('p', 'SCRAM-SHA-256', int32(3), Buffer.from('abc'))]],
    [
      'a proof that is none',
      [message('p', 'SCRAM-SHA-256', int32(8), Buffer.from('n,,n=,r=x')), message('p', 'c=biws')],
    ],
    ['no password but a query', [message('Q', 'SELECT 1')]],
  ])('%s is refused', async (_name, messages) => {
    const { wire } = await served({ auth: 'scram', password: 'x' })
    const connection = wire()
    connection.send(startup())
    expect((await connection.next())!.body.toString('latin1', 4)).toBe('SCRAM-SHA-256\0\0')
    connection.send(...messages)
    const answer = await connection.until('E')
    expect(['28P01', '08P01']).toContain(readError(answer.at(-1)!.body).code)
    expect(await connection.next()).toBeUndefined()
  })

  test('the example of RFC 7677', () => {
    const stored = makeVerifier('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'))
    const text = `SCRAM-SHA-256$4096:${[stored.salt].map((b) => b.toString('base64')).join()}$${stored.storedKey.toString('base64')}:${stored.serverKey.toString('base64')}`
    expect(readVerifier(text)).toEqual(stored)
    expect(readVerifier('md5abc')).toBeUndefined()
    // The signature of the server proves its key; the nonce is its own, so the example is followed up to there.
    expect(stored.serverKey.toString('base64')).toBe('wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=')
    expect(new ScramExchange(stored).first('p=tls-server-end-point,,n=,r=x')).toBeUndefined()
  })

  test('the network only with passwords', async () => {
    const { pg } = await served()
    const failed = (options: object) =>
      serve(pg, { port: 0, ...options }).then(
        () => 'listens',
        (error: Error) => error.message,
      )
    expect(await failed({ host: '0.0.0.0', auth: 'trust' })).toMatch(/^without passwords, serve does not listen on 0/)
    expect(await failed({ host: '0.0.0.0' })).toMatch(/^to listen on 0.0.0.0, serve needs a password/)
    await pg.exec("ALTER ROLE postgres PASSWORD 'secret'")
    const open = await served({ host: '0.0.0.0' })
    const address = { ...addressOf(open.server), host: '127.0.0.1' }
    expect(await codeOf(clientOf({ ...address, password: 'secret' }))).toBe('no error')
    expect(await codeOf(clientOf({ ...address, password: 'wrong' }))).toBe('28P01')
    await pg.exec('ALTER ROLE postgres PASSWORD NULL')
  })

  test('without being told, no other machine reaches the server', async () => {
    const { server } = await served()
    expect(server.host).toBe('127.0.0.1')
  })
})

describe('limits', () => {
  test('on connections', async () => {
    const { client, server } = await served({ maxConnections: 2 })
    const a = await client()
    await client()
    await expect(client()).rejects.toMatchObject({ code: '53300', hint: expect.stringContaining('2') })
    await a.end()
    await expect.poll(() => server.connections).toBe(1)
    expect(await codeOf(client())).toBe('no error')
  })

  test('on messages', async () => {
    const { client } = await served({ maxMessageSize: 1000 })
    const a = await client()
    await expect(a.query(`SELECT '${'x'.repeat(2000)}'`)).rejects.toMatchObject({
      code: '08P01',
      message: expect.stringContaining('1000'),
    })
    expect(await codeOf((await client()).query('SELECT 1'))).toBe('no error')
  })

  test('a message that is none ends the connection, and no other', async () => {
    const { wire, client } = await served()
    for (const bytes of [message('?'), Buffer.from('Q\0\0\0\0'), message('B', Buffer.from('x')), message('P', 'x')]) {
      const connection = wire()
      await connection.start()
      connection.send(bytes, message('S'))
      const answer = await connection.until('E')
      expect(readError(answer.at(-1)!.body).code).toBe('08P01')
    }
    expect(await codeOf((await client()).query('SELECT 1'))).toBe('no error')
  })
})

describe('CancelRequest', () => {
  test('ends what waits for the session, with the right secret only', async () => {
    const { client, wire } = await served()
    const [a, b, extended] = [await client(), await client(), await client()]
    await a.query('BEGIN')
    const waiting = codeOf(b.query('SELECT 1'))
    const alsoWaiting = codeOf(extended.query('SELECT $1::int', [1]))
    const { processID, secretKey } = b as unknown as { processID: number; secretKey: number }
    const cancel = async (id: number, secret: number) => {
      const connection = wire()
      connection.send(request(80877102, id, secret))
      expect(await connection.next()).toBeUndefined()
    }
    await cancel(processID, secretKey + 1)
    await cancel(processID, secretKey)
    expect(await waiting).toBe('57014')
    const other = extended as unknown as typeof b & { processID: number; secretKey: number }
    await cancel(other.processID, other.secretKey)
    expect(await alsoWaiting).toBe('57014')
    await a.query('COMMIT')
    expect(await codeOf(b.query('SELECT 1'))).toBe('no error')
    expect(await codeOf(extended.query('SELECT $1::int', [1]))).toBe('no error')
  })
})

describe('where it listens', () => {
  test('on a Unix socket that only its owner may use', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pgtrickle-socket-'))
    const { client, server } = await served({ socket: folder })
    expect(server.socket).toBe(join(folder, '.s.PGSQL.5432'))
    expect((await stat(server.socket!)).mode & 0o777).toBe(0o600)
    expect((await (await client()).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    const second = served({ socket: server.socket! })
    await expect(second).rejects.toThrow(/another server listens on/)
    const file = join(folder, 'file')
    await writeFile(file, '')
    await expect(served({ socket: file })).rejects.toThrow(/is not a socket/)
    await rm(folder, { recursive: true })
  })

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    await expect(served({ port })).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: something else does already`)
    other.close()
  })

  test.each<[object, RegExp]>([
    [{ prot: 1 }, /serve has no option prot/],
    [{ port: 'x' }, /the option port of serve must be a number, not x/],
    [{ auth: 'md5' }, /the option auth of serve must be trust or scram, not md5/],
  ])('options that are none: %o', async (options, expected) => {
    await expect(served(options)).rejects.toMatchObject({ message: expect.stringMatching(expected), code: '22023' })
  })
})
