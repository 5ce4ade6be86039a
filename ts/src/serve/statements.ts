/**
 * The prepared statements of one connection. In the session they have names that no other connection uses. PostgreSQL
 * can lose them when another connection deallocates all, so the message that makes each is kept.
 */
import type { Backend } from './backend.js'
import type { Message } from './messages.js'
import { message, textAt } from './messages.js'
import { noteSettings } from './occupant.js'
import type { Occupant } from './occupant.js'
import { concernsOf } from './sql-text.js'
import type { Concern, Concerns } from './sql-text.js'

/** The longest name that PostgreSQL tells from others, in bytes. */
const LONGEST_NAME = 63

interface Statement {
  /** Its name in the session. */
  name: string
  /** The message that makes it. */
  parse: Buffer
  /** `epoch` of the session when it was made there. */
  epoch: number
  concern: Concern | undefined
  sql: string
}

/** What the answer to a message will do to the statements. */
type Effect = () => void

export class Statements {
  readonly #backend: Backend
  readonly #occupant: Occupant
  readonly #byName = new Map<string, Statement>()
  /** Of statements that the server has to know of. */
  readonly #portals = new Map<string, Concern>()
  /** In the order of the messages, by the type of their answers. */
  #effects: Record<string, Effect[]> = {}
  /** Statements that the messages before Sync name for the first time. */
  readonly #coming = new Map<string, Statement>()
  #count = 0

  constructor(backend: Backend, occupant: Occupant) {
    this.#backend = backend
    this.#occupant = occupant
  }

  /** Names in the session. */
  *names(): Generator<string> {
    for (const { name } of this.#byName.values()) if (name !== '') yield name
  }

  /** The Parse of a client as the session gets it; `rewrite` may give it another text. */
  parse({ body }: Message, rewrite: (sql: string, concerns: Concerns) => string): Buffer {
    const [given, afterName] = textAt(body)
    const [sql, afterText] = textAt(body, afterName)
    const concerns = concernsOf(sql)
    const name = this.#nameInSession(given)
    const text = concerns.list.length > 0 ? rewrite(sql, concerns) : sql
    const parse = message('P', name, text, body.subarray(afterText))
    const concern = text === sql && concerns.isSingle ? concerns.list[0] : undefined
    noteSettings(this.#occupant, sql)
    const statement = { name, parse, epoch: this.#backend.epoch, concern, sql }
    this.#coming.set(given, statement)
    this.#on('1', () => {
      statement.epoch = this.#backend.epoch
      this.#byName.set(given, statement)
      if (given === '') this.#backend.unnamed = this.#occupant
    })
    return parse
  }

  bind({ body }: Message): Buffer {
    const [portal, afterPortal] = textAt(body)
    const [given, rest] = textAt(body, afterPortal)
    const statement = this.#coming.get(given) ?? this.#byName.get(given)
    if (statement?.concern) this.#portals.set(portal, statement.concern)
    else this.#portals.delete(portal)
    if (statement) noteSettings(this.#occupant, statement.sql, body.toString('latin1', rest))
    return message('B', portal, statement?.name ?? given, body.subarray(rest))
  }

  /** A Describe or a Close. */
  named({ type, body, bytes }: Message): Buffer {
    if (body[0] !== 'S'.charCodeAt(0)) {
      if (type === 'C') this.#on('3', () => {})
      return bytes
    }
    const [given] = textAt(body, 1)
    const name = (this.#coming.get(given) ?? this.#byName.get(given))?.name ?? given
    if (type === 'C') this.#on('3', () => this.#byName.delete(given))
    return message(type, Buffer.from('S'), name)
  }

  /** What a portal's statement is, if the server has to know of it. */
  portal({ body }: Message): Concern | undefined {
    return this.#portals.get(textAt(body)[0])
  }

  /** What a statement is, if the server has to know of it. */
  concern(given: string): Concern | undefined {
    return this.#byName.get(given)?.concern
  }

  /** Before messages are sent: what makes again the statements that they name and the session has lost. */
  lost(messages: readonly Message[]): { parse: Buffer; found: () => void }[] {
    const lost: { parse: Buffer; found: () => void }[] = []
    const seen = new Set<string>()
    for (const { type, body } of messages) {
      if (type === 'P') seen.add(textAt(body)[0])
      const isDescribe = type === 'D' && body[0] === 'S'.charCodeAt(0)
      if (type !== 'B' && !isDescribe) continue
      const [given] = isDescribe ? textAt(body, 1) : textAt(body, textAt(body)[1])
      const statement = this.#byName.get(given)
      if (statement === undefined || seen.has(given)) continue
      seen.add(given)
      const isThere =
        statement.epoch === this.#backend.epoch && (given !== '' || this.#backend.unnamed === this.#occupant)
      if (isThere) continue
      const found = () => {
        statement.epoch = this.#backend.epoch
        if (given === '') this.#backend.unnamed = this.#occupant
      }
      lost.push({ parse: statement.parse, found })
    }
    return lost
  }

  /** PostgreSQL has answered. */
  answered({ type }: Message): void {
    this.#effects[type]?.shift()?.()
  }

  /** Sync has been answered: what has not been is not answered any more. */
  synced(): void {
    this.#effects = {}
    this.#coming.clear()
    this.#portals.clear()
  }

  /** The name in the session of a statement that the client has by the protocol. */
  inSession(given: string): string | undefined {
    return this.#byName.get(given)?.name
  }

  delete(given: string): void {
    this.#byName.delete(given)
  }

  clear(): void {
    this.#byName.clear()
  }

  #on(type: string, effect: Effect): void {
    ;(this.#effects[type] ??= []).push(effect)
  }

  #nameInSession(given: string): string {
    if (given === '') return ''
    const known = (this.#coming.get(given) ?? this.#byName.get(given))?.name
    if (known !== undefined) return known
    this.#count += 1
    const name = `${given} of connection ${this.#occupant.id}`
    if (Buffer.byteLength(name) <= LONGEST_NAME) return name
    return `statement ${this.#count} of connection ${this.#occupant.id}`
  }
}
