/** SCRAM-SHA-256 as servers do it (RFC 5802, RFC 7677), without channel binding. Passwords are kept as PostgreSQL keeps them. */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'

/** What proves a password, as in `pg_authid.rolpassword`: `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`. */
export interface Verifier {
  iterations: number
  salt: Buffer
  storedKey: Buffer
  serverKey: Buffer
}

const ITERATIONS = 4096
const STORED = /^SCRAM-SHA-256\$(\d+):([^$:]+)\$([^$:]+):([^$:]+)$/

const hmac = (key: Buffer, text: string | Buffer) => createHmac('sha256', key).update(text).digest()
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest()

export function readVerifier(stored: string | null | undefined): Verifier | undefined {
  const [, iterations, salt = '', storedKey = '', serverKey = ''] = STORED.exec(stored ?? '') ?? []
  if (iterations === undefined) return undefined
  const bytes = (base64: string) => Buffer.from(base64, 'base64')
  return { iterations: Number(iterations), salt: bytes(salt), storedKey: bytes(storedKey), serverKey: bytes(serverKey) }
}

export function makeVerifier(password: string, salt = randomBytes(16)): Verifier {
  const salted = pbkdf2Sync(prepared(password), salt, ITERATIONS, 32, 'sha256')
  return {
    iterations: ITERATIONS,
    salt,
    storedKey: sha256(hmac(salted, 'Client Key')),
    serverKey: hmac(salted, 'Server Key'),
  }
}

/** Other spaces, which SASLprep makes spaces, and characters without width, which it leaves out (RFC 3454, B.1 and C.1.2). */
const SPACES = /\u00a0|\u1680|[\u2000-\u200b]|\u202f|\u205f|\u3000/g
const INVISIBLE = /\u00ad|\u034f|\u1806|\u180b|\u180c|\u180d|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g

/** What SASLprep does to the passwords that people use. */
function prepared(password: string): string {
  return password.replace(SPACES, ' ').replace(INVISIBLE, '').normalize('NFKC')
}

/** For a user that is not there or has no password: the same salt each time, so that nothing tells them from others. */
export function mockVerifier(user: string, secret: Buffer): Verifier {
  const salt = hmac(secret, user).subarray(0, 16)
  return { iterations: ITERATIONS, salt, storedKey: randomBytes(32), serverKey: randomBytes(32) }
}

/** One exchange. A message that cannot be read ends it as a wrong password does. */
export class ScramExchange {
  readonly #verifier: Verifier
  #firstBare = ''
  #serverFirst = ''
  #gs2Header = ''

  constructor(verifier: Verifier) {
    this.#verifier = verifier
  }

  /** The answer to the client's first message. */
  first(clientFirst: string): string | undefined {
    const [, header, bare, nonce] = /^((?:n|y),[^,]*,)(n=[^,]*,r=([^,]+).*)$/.exec(clientFirst) ?? []
    if (header === undefined || bare === undefined) return undefined
    this.#gs2Header = header
    this.#firstBare = bare
    const { salt, iterations } = this.#verifier
    this.#serverFirst = `r=${nonce}${randomBytes(18).toString('base64')},s=${salt.toString('base64')},i=${iterations}`
    return this.#serverFirst
  }

  /** The answer to the client's proof; undefined if it proves nothing. */
  final(clientFinal: string): string | undefined {
    const [, withoutProof, header, nonce, proof] = /^(c=([^,]+),r=([^,]+).*?),p=([^,]+)$/.exec(clientFinal) ?? []
    if (withoutProof === undefined || proof === undefined) return undefined
    if (Buffer.from(header ?? '', 'base64').toString() !== this.#gs2Header) return undefined
    if (!this.#serverFirst.startsWith(`r=${nonce},`)) return undefined
    const { storedKey, serverKey } = this.#verifier
    const signed = `${this.#firstBare},${this.#serverFirst},${withoutProof}`
    const signature = hmac(storedKey, signed)
    const given = Buffer.from(proof, 'base64')
    if (given.length !== signature.length) return undefined
    const clientKey = Buffer.from(given.map((byte, n) => byte ^ (signature[n] ?? 0)))
    if (!timingSafeEqual(sha256(clientKey), storedKey)) return undefined
    return `v=${hmac(serverKey, signed).toString('base64')}`
  }
}
