/** A served database for each test, and clients of it. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { Client } from 'pg'
import type { ClientConfig } from 'pg'
import { afterAll, afterEach } from 'vitest'
import { serve } from '../../../dist/serve.js'
import type { PostgresServer, ServeOptions } from '../../../dist/serve.js'
import { Input, int32, message } from '../../../src/serve/messages.js'
import type { Message } from '../../../src/serve/messages.js'
import { openDatabase } from '../../support/pglite.js'
import type { Database } from '../../support/pglite.js'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

afterAll(async () => (await shared)?.close())

export interface Served {
  pg: Database
  server: PostgresServer
  /** A connected client, which the test need not end. */
  client(config?: ClientConfig): Promise<Client>
  /** A connection on which a test speaks the protocol itself. */
  wire(): Wire
}

const EMPTY = `
  RESET ALL;
  DROP SCHEMA public CASCADE;
  CREATE SCHEMA public;
  GRANT USAGE ON SCHEMA public TO public;`

/** One for all tests of a file: opening takes longer than most of them. */
let shared: Promise<Database> | undefined

export async function served(options: ServeOptions = {}): Promise<Served> {
  const database = await (shared ??= openDatabase())
  cleanups.push(() => database.exec(EMPTY))
  const server = await serve(database, { port: 0, ...options })
  cleanups.push(() => server.close())
  return {
    pg: database,
    server,
    client: (config) => clientOf({ ...addressOf(server), ...config }),
    wire: () => new Wire(server),
  }
}

/** How a client of node-postgres finds a server. */
export function addressOf({ host, port, socket }: PostgresServer): ClientConfig {
  const where = socket
    ? { host: dirname(socket), port: Number(socket.split('.').at(-1)) }
    : { host: host!, port: port! }
  return { ...where, user: 'postgres', database: 'postgres' }
}

export async function clientOf(config: ClientConfig): Promise<Client> {
  const client = new Client(config)
  client.on('error', () => {}) // a server that is closed ends it
  await client.connect()
  cleanups.push(() => client.end())
  return client
}

/** Fails with what PostgreSQL says, so tests name the code of the error that they expect. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: { code?: string }) => error.code ?? String(error),
  )
}

/** Speaks the protocol, message by message. */
export class Wire {
  readonly socket: Socket
  readonly #input: Input

  constructor(server: { port: number | undefined; host: string | undefined; socket: string | undefined }) {
    this.socket = server.socket ? connect(server.socket) : connect(server.port!, server.host)
    this.socket.on('error', () => {})
    this.#input = new Input(this.socket)
    cleanups.push(async () => this.socket.destroy())
  }

  send(...messages: Buffer[]): void {
    this.socket.write(Buffer.concat(messages))
  }

  bytes(length: number): Promise<Buffer | undefined> {
    return this.#input.take(length)
  }

  /** The next message; undefined at the end. */
  next(): Promise<Message | undefined> {
    return this.#input.message(2 ** 30)
  }

  /** The messages up to one of a type. */
  async until(type: string): Promise<Message[]> {
    const messages: Message[] = []
    for (;;) {
      const next = await this.next()
      if (next === undefined) throw new Error(`the server ended after ${messages.map((m) => m.type).join(' ')}`)
      messages.push(next)
      if (next.type === type) return messages
    }
  }

  async start(parameters: Record<string, string> = {}): Promise<Message[]> {
    this.send(startup(parameters))
    return this.until('Z')
  }

  query(sql: string): Promise<Message[]> {
    this.send(message('Q', sql))
    return this.until('Z')
  }
}

export function startup(parameters: Record<string, string> = {}): Buffer {
  const all = { user: 'postgres', database: 'postgres', ...parameters }
  const body = Buffer.from(`${Object.entries(all).flat().join('\0')}\0\0`)
  return Buffer.concat([int32(body.length + 8), int32(3 << 16), body])
}

export const types = (messages: readonly Message[]) => messages.map(({ type }) => type).join('')
