/** How a connection begins: what it asks for before it is one, who it is, and what it wants set. */
import { randomBytes } from 'node:crypto'
import type { Backend } from './backend.js'
import { errorResponse, int16, int32, message, ProtocolError, textAt } from './messages.js'
import type { ErrorFields, Input } from './messages.js'
import { makeVerifier, mockVerifier, readVerifier, ScramExchange } from './scram.js'
import { literal } from './sql-text.js'

/** PostgreSQL's limit. */
const LONGEST_STARTUP = 10_000

const CANCEL_REQUEST = 80_877_102
const SSL_REQUEST = 80_877_103
const GSS_REQUEST = 80_877_104

export type Request =
  | { kind: 'cancel'; id: number; secret: number }
  | { kind: 'start'; user: string; database: string; settings: Record<string, string> }

/** The end of a connection that the client is told of. */
export class Fatal extends Error {
  constructor(readonly fields: ErrorFields) {
    super(fields.message)
  }

  get response(): Buffer {
    return errorResponse({ ...this.fields, severity: 'FATAL' })
  }
}

/** Reads what a client sends first. Encryption is declined as often as it asks. Undefined when it is gone. */
export async function readRequest(input: Input, write: (bytes: Buffer) => void): Promise<Request | undefined> {
  for (;;) {
    const head = await input.take(4)
    if (head === undefined) return undefined
    const length = head.readInt32BE(0)
    if (length < 8 || length > LONGEST_STARTUP) throw new ProtocolError('invalid length of startup packet')
    const body = await input.take(length - 4)
    if (body === undefined) return undefined
    const code = body.readInt32BE(0)
    if (code === SSL_REQUEST || code === GSS_REQUEST) write(Buffer.from('N'))
    else if (code === CANCEL_REQUEST && length === 16) {
      return { kind: 'cancel', id: body.readInt32BE(4), secret: body.readInt32BE(8) }
    } else if (code >>> 16 === 3) return startOf(body, code & 0xffff, write)
    else throw new Fatal({ code: '0A000', message: `unsupported frontend protocol ${code >>> 16}.${code & 0xffff}` })
  }
}

function startOf(body: Buffer, minor: number, write: (bytes: Buffer) => void): Request {
  const given = new Map<string, string>()
  for (let at = 4; at < body.length && body[at] !== 0;) {
    const [name, afterName] = textAt(body, at)
    const [value, next] = textAt(body, afterName)
    given.set(name, value)
    at = next
  }
  const unknown = [...given.keys()].filter((name) => name.startsWith('_pq_.'))
  if (minor > 0 || unknown.length > 0) write(message('v', int32(0), int32(unknown.length), ...unknown))
  const user = given.get('user')
  if (user === undefined || user === '') {
    throw new Fatal({ code: '28000', message: 'no PostgreSQL user name specified in startup packet' })
  }
  if (!['false', 'off', 'no', '0', undefined].includes(given.get('replication'))) {
    throw new Fatal({ code: '0A000', message: 'PGlite has no replication' })
  }
  const settings = optionsIn(given.get('options') ?? '')
  for (const [name, value] of given) {
    if (!['user', 'database', 'options', 'replication'].includes(name) && !unknown.includes(name))
      settings[name] = value
  }
  return { kind: 'start', user, database: given.get('database') ?? user, settings }
}

/** `-c name=value --name=value`, with backslashes before what would be special. */
function optionsIn(text: string): Record<string, string> {
  const words = [...text.matchAll(/(?:\\[^]|\S)+/g)].map(([word]) => word.replaceAll(/\\([^])/g, '$1'))
  const settings: Record<string, string> = {}
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [, name, value] = /^(?:-c|--)([^=]+)=([^]*)$/.exec(word === '-c' ? `-c${words.shift()}` : word) ?? []
    if (name === undefined || value === undefined) {
      throw new Fatal({
        code: '42601',
        message: `invalid option ${JSON.stringify(word)}: the server takes -c name=value`,
      })
    }
    settings[name.replaceAll('-', '_')] = value
  }
  return settings
}

/** What the roles of the database say of a user. */
interface Role {
  login: boolean
  password: string | null
  database: string
}

/** Whose passwords are asked for, and the one that was given in place of the superuser's own. */
export interface Access {
  asksPassword: boolean
  password: string | undefined
}

/** Tells the salts of users that are not there. */
const mockSecret = randomBytes(32)

/** Fails unless the user may come in. */
export async function authenticate(
  { user, database }: { user: string; database: string },
  access: Access,
  backend: Backend,
  input: Input,
  write: (bytes: Buffer) => void,
): Promise<void> {
  const role = await roleOf(user, backend)
  if (access.asksPassword) await checkPassword(user, role, access, input, write)
  if (!role.login) {
    const message =
      role.password === undefined ? `role "${user}" does not exist` : `role "${user}" is not permitted to log in`
    const hint = 'Connect as a role of the database, such as postgres; CREATE ROLE ... LOGIN makes one.'
    throw new Fatal({ code: '28000', message, hint })
  }
  if (database !== role.database) {
    const hint = `PGlite has one database: connect to ${role.database}.`
    throw new Fatal({ code: '3D000', message: `database "${database}" does not exist`, hint })
  }
  write(message('R', 0))
}

async function roleOf(user: string, backend: Backend): Promise<Omit<Role, 'password'> & { password?: string | null }> {
  const release = await backend.hold()
  try {
    await backend.clear()
    const name = literal(user)
    const found = await backend.query(
      `SELECT pg_catalog.json_build_object(
        'database', pg_catalog.current_database(),
        'login', coalesce(a.rolcanlogin, false),
        'found', a.rolname IS NOT NULL, 'password', a.rolpassword)::pg_catalog.text
      FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_authid a
        ON a.rolname OPERATOR(pg_catalog.=) ${name}::pg_catalog.name`,
    )
    const { found: isThere, password, ...role } = JSON.parse(found ?? '{}') as Role & { found: boolean }
    return isThere ? { ...role, password } : role
  } finally {
    release()
  }
}

async function checkPassword(
  user: string,
  role: { password?: string | null },
  access: Access,
  input: Input,
  write: (bytes: Buffer) => void,
): Promise<void> {
  const failed = new Fatal({ code: '28P01', message: `password authentication failed for user "${user}"` })
  const own = readVerifier(role.password)
  const isGiven = access.password !== undefined && user === 'postgres'
  const verifier = isGiven ? makeVerifier(access.password ?? '') : own
  const exchange = new ScramExchange(verifier ?? mockVerifier(user, mockSecret))

  write(message('R', 10, 'SCRAM-SHA-256', Buffer.alloc(1)))
  const first = await passwordMessage(input)
  const [mechanism, next] = textAt(first)
  if (mechanism !== 'SCRAM-SHA-256') throw failed
  const answer = exchange.first(first.toString('utf8', next + 4))
  if (answer === undefined) throw failed
  write(message('R', 11, Buffer.from(answer)))

  const proven = exchange.final((await passwordMessage(input)).toString('utf8'))
  if (proven === undefined || verifier === undefined) throw failed
  write(message('R', 12, Buffer.from(proven)))
}

async function passwordMessage(input: Input): Promise<Buffer> {
  const answer = await input.message(LONGEST_STARTUP)
  if (answer?.type !== 'p') throw new ProtocolError('expected an answer to the question for a password')
  return answer.body
}

/** Settings that clients are told, at first and when they change: those that PostgreSQL reports. */
const REPORTED = [
  ...['server_version', 'server_encoding', 'client_encoding', 'application_name', 'default_transaction_read_only'],
  ...['in_hot_standby', 'is_superuser', 'session_authorization', 'DateStyle', 'IntervalStyle', 'TimeZone'],
  ...['integer_datetimes', 'standard_conforming_strings', 'scram_iterations', 'search_path'],
]

/** The messages that end the start: settings, and what a CancelRequest has to name. */
export async function greeting(backend: Backend, id: number, secret: number): Promise<Buffer> {
  const found = await backend.query(
    `SELECT pg_catalog.json_build_object(${REPORTED.map(
      (name) =>
        `'${name}', ${name === 'session_authorization' ? 'session_user' : `pg_catalog.current_setting('${name}', true)`}`,
    ).join(', ')})::pg_catalog.text`,
  )
  const values = Object.entries(JSON.parse(found ?? '{}') as Record<string, string | null>)
  const told = values.flatMap(([name, value]) => (value === null ? [] : message('S', name, value)))
  return Buffer.concat([...told, message('K', id, secret), ready('I')])
}

export function ready(status: 'I' | 'T' | 'E'): Buffer {
  return message('Z', Buffer.from(status))
}

export function copyInResponse(columns: number, binary: boolean): Buffer {
  const format = int16(binary ? 1 : 0)
  return message('G', Buffer.from([binary ? 1 : 0]), int16(columns), ...Array.from({ length: columns }, () => format))
}
