/** Listens for clients of PostgreSQL, and lets them use a PGlite. */
import { once } from 'node:events'
import { chmod, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { join } from 'node:path'
import { TrickleError } from '../errors.js'
import { Backend } from './backend.js'
import type { ServedDatabase } from './backend.js'
import { Connection, hangUp } from './connection.js'
import type { Limits, Surroundings } from './connection.js'
import { int32 } from './messages.js'
import { readVerifier } from './scram.js'
import { Fatal } from './startup.js'

/** Options of `serve`. */
export interface ServeOptions extends Partial<Limits> {
  /** The address to listen on: 127.0.0.1 unless given. Any other than this machine's own asks for passwords. */
  host?: string
  /** The port: 5432 unless given, and any free one for 0. */
  port?: number
  /** A Unix socket in place of a port: its file, or the folder for one that is named as PostgreSQL names it. */
  socket?: string
  /** Ask for a password also on this machine. */
  auth?: 'trust' | 'scram'
  /** The password of `postgres`. Other roles have those of `CREATE ROLE ... PASSWORD`. */
  password?: string
  /** How many clients may be connected: 100 unless given. */
  maxConnections?: number
  /** Called when PGlite answers no more, which nothing but opening it again can mend. */
  onDatabaseEnd?: (error: Error) => void
}

/** A server that listens. */
export interface PostgresServer {
  /** What clients connect to. */
  readonly url: string
  readonly host: string | undefined
  readonly port: number | undefined
  /** The file of the Unix socket. */
  readonly socket: string | undefined
  /** How many clients are connected. */
  readonly connections: number
  /** Ends all connections, rolls their transactions back, and stops. The database stays open. */
  close(): Promise<void>
}

const DEFAULT_PORT = 5432
const MIB = 1024 * 1024
const LIMITS: Limits = {
  maxMessageSize: 64 * MIB,
  maxCopySize: 512 * MIB,
  idleInTransactionTimeout: 60_000,
  authenticationTimeout: 60_000,
}
const INVALID_PARAMETER = '22023'
const KNOWN = ['host', 'port', 'socket', 'auth', 'password', 'maxConnections', 'onDatabaseEnd', ...Object.keys(LIMITS)]

/** Ids of connections stand where clients expect process ids, so they are not those of others soon. */
const FIRST_ID = 1

export async function serve(pg: ServedDatabase, options: ServeOptions = {}): Promise<PostgresServer> {
  check(options)
  const { host = '127.0.0.1', port = DEFAULT_PORT, maxConnections = 100, password } = options
  await pg.waitReady
  const connections = new Map<number, Connection>()
  const sockets = new Set<Socket>()
  const running = new Set<Promise<void>>()
  const notify = (channel: string, body: Buffer, from: Connection | undefined) => {
    for (const connection of connections.values()) {
      if (connection !== from && connection.channels.has(channel)) connection.notify(body)
    }
  }
  const backend = await Backend.open(pg, (channel, payload) => {
    notify(channel, Buffer.concat([int32(0), Buffer.from(`${channel}\0${payload}\0`)]), undefined)
  })
  const asksPassword = options.auth === 'scram' || (options.socket === undefined && !isLoopback(host))
  const surroundings: Surroundings = {
    backend,
    access: { asksPassword, password },
    limits: { ...LIMITS, ...given(options) },
    cancel(id, secret) {
      const connection = connections.get(id)
      if (connection?.secret === secret) connection.cancel()
    },
    notify,
    databaseEnded(error) {
      if (!isClosing) options.onDatabaseEnd?.(error)
    },
    channelsBeside(connection) {
      const channels = new Set(backend.programChannels)
      for (const other of connections.values()) if (other !== connection) other.channels.forEach((c) => channels.add(c))
      return channels
    },
  }
  let nextId = FIRST_ID
  let isClosing = false

  const accept = (socket: Socket) => {
    socket.on('error', () => {}) // the reader of the socket notices
    if (isClosing || connections.size >= maxConnections) {
      const hint = `It takes ${maxConnections}: --max-connections, or maxConnections of serve.`
      socket.write(new Fatal({ code: '53300', message: 'sorry, too many clients already', hint }).response)
      hangUp(socket)
      return
    }
    const connection = new Connection(nextId++, socket, surroundings)
    connections.set(connection.id, connection)
    sockets.add(socket)
    const ended = connection.run().finally(() => {
      connections.delete(connection.id)
      sockets.delete(socket)
      running.delete(ended)
    })
    running.add(ended)
  }

  const server = createServer({ noDelay: true }, accept)
  let socketFile: string | undefined
  try {
    if (asksPassword && password === undefined) await checkPasswords(backend, host)
    socketFile = options.socket === undefined ? undefined : await socketFileOf(options.socket, port)
    await listen(server, socketFile ?? { host, port })
    if (socketFile !== undefined) await chmod(socketFile, 0o600)
  } catch (error) {
    server.close()
    await backend.close()
    throw error
  }
  const bound = socketFile === undefined ? (server.address() as AddressInfo) : undefined
  return {
    host: bound?.address,
    port: bound?.port,
    socket: socketFile,
    url: bound ? urlOf(bound) : `postgresql:///postgres?host=${socketFile}`,
    get connections() {
      return connections.size
    },
    async close() {
      if (isClosing) return
      isClosing = true
      const closed = once(server, 'close')
      server.close()
      for (const connection of connections.values()) {
        connection.end({ code: '57P01', message: 'terminating connection due to administrator command' })
      }
      await Promise.all(running)
      await closed
      await backend.close()
    },
  }
}

function given(options: ServeOptions): Partial<Limits> {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => name in LIMITS && value !== undefined),
  ) as Partial<Limits>
}

function check(options: ServeOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!KNOWN.includes(name)) {
      throw refusal(`serve has no option ${name}`, `Its options are ${KNOWN.join(', ')}.`)
    }
    const isNumber = name === 'port' || name === 'maxConnections' || name in LIMITS
    if (value === undefined || name === 'onDatabaseEnd') continue
    if (isNumber ? !(typeof value === 'number' && value >= 0) : typeof value !== 'string') {
      throw refusal(
        `the option ${name} of serve must be ${isNumber ? 'a number' : 'a text'}, not ${String(value)}`,
        'Leave it out, or give it such a value.',
      )
    }
  }
  if (options.auth !== undefined && options.auth !== 'trust' && options.auth !== 'scram') {
    throw refusal(`the option auth of serve must be trust or scram, not ${String(options.auth)}`, 'Leave it out.')
  }
  if (options.auth === 'trust' && options.socket === undefined && !isLoopback(options.host ?? '127.0.0.1')) {
    throw refusal(`without passwords, serve does not listen on ${options.host}`, 'Leave the option auth out.')
  }
}

function refusal(message: string, hint: string): TrickleError {
  return new TrickleError(message, { code: INVALID_PARAMETER, hint })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d+){3}$/.test(host)
}

/** Nobody could come in. */
async function checkPasswords(backend: Backend, host: string): Promise<void> {
  const release = await backend.hold()
  try {
    await backend.clear()
    const found = await backend.query(
      'SELECT pg_catalog.json_agg(a.rolpassword)::pg_catalog.text FROM pg_catalog.pg_authid a WHERE a.rolcanlogin',
    )
    const passwords = JSON.parse(found ?? '[]') as (string | null)[]
    if (passwords.some((stored) => readVerifier(stored))) return
  } finally {
    release()
  }
  throw refusal(
    `to listen on ${host}, serve needs a password, and no role has one`,
    'Give the option password (PGTRICKLE_PASSWORD or --password-file of the command), or ALTER ROLE postgres PASSWORD.',
  )
}

async function socketFileOf(path: string, port: number): Promise<string> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory()
  const file = isFolder ? join(path, `.s.PGSQL.${port || DEFAULT_PORT}`) : path
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return file
  if (!found.isSocket()) throw refusal(`the file ${file} is not a socket`, 'Give another name.')
  if (await answers(file)) throw refusal(`another server listens on ${file}`, 'Stop it, or give another name.')
  await rm(file) // of a server that was killed
  return file
}

async function answers(file: string): Promise<boolean> {
  const { connect } = await import('node:net')
  const socket = connect(file)
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).finally(() => socket.destroy()) as Promise<boolean>
}

function listen(server: Server, where: string | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const name = typeof where === 'string' ? where : `${where.host}:${where.port}`
      const reason = error.code === 'EADDRINUSE' ? 'something else does already' : error.message
      reject(
        new TrickleError(`cannot listen on ${name}: ${reason}`, { code: '08001', hint: 'Give another.', cause: error }),
      )
    })
    server.listen(where, () => resolve())
  })
}

function urlOf({ address, port, family }: AddressInfo): string {
  return `postgresql://postgres@${family === 'IPv6' ? `[${address}]` : address}:${port}/postgres`
}
