/**
 * The one session of PGlite, which all connections use in turn. Who comes next finds it as it was when he left: settings,
 * role, temporary objects and the statements of PREPARE belong to each of them. Nobody else comes in before a transaction
 * has ended.
 */
import { quoted } from '../quoted.js'
import type { ErrorFields, Message } from './messages.js'
import { firstValue, int16, int32, message, readError, split } from './messages.js'
import { dropping, LEAVE, newOccupant, PARK, readFound, resetting, restoring, UNPARK } from './occupant.js'
import type { Found, Occupant, Parked } from './occupant.js'
import { countStatements } from './sql-text.js'

/** What the server uses of PGlite. */
export interface ServedDatabase {
  readonly waitReady: Promise<void>
  readonly ready: boolean
  execProtocol(bytes: Uint8Array, options: { throwOnError: boolean; syncToFs: boolean }): Promise<{ data: Uint8Array }>
  execProtocolRawStream(
    bytes: Uint8Array,
    options: { syncToFs: boolean; onRawData: (bytes: Uint8Array) => void },
  ): Promise<void>
  syncToFs(): Promise<void>
  onNotification(callback: (channel: string, payload: string) => void): () => void
  _runExclusiveQuery<T>(run: () => Promise<T>): Promise<T>
  _runExclusiveTransaction<T>(run: () => Promise<T>): Promise<T>
}

/** An error of PostgreSQL to a statement of the server's own. */
export class SqlError extends Error {
  constructor(readonly fields: ErrorFields) {
    super(fields.message)
  }
}

/** PGlite itself has failed, or has been closed. */
export class DatabaseEnd extends Error {}

/** The states of ReadyForQuery: outside of a transaction, inside, and inside of one that has failed. */
export type Status = 'I' | 'T' | 'E'

const PROGRAM_IN_TRANSACTION: ErrorFields = {
  code: '55006',
  message: 'the program that serves this database has begun a transaction with a statement of its own',
  hint: 'It has to end the transaction. With pg.transaction() in place of BEGIN, connections wait for that.',
}

/** A channel on which PGlite is tried, and how the names of the server's own statements begin. */
const PROBE = 'pgtrickle-serve'

export class Backend {
  readonly #pg: ServedDatabase
  /** PGlite's own, without the program's return to its state. */
  readonly #exclusively: ServedDatabase['_runExclusiveQuery']
  /** The program that has made the database, which may go on using it. */
  readonly #program = newOccupant(0)
  /** Has nothing in the session. */
  readonly #nobody: Occupant = { ...newOccupant(-1), saved: { user: '', role: 'none', settings: null } }
  #inside: Occupant = this.#program
  /** Channels on which the program listens. */
  #channels: string[] = []
  /** Resolves when the connection that has the session gives it back. */
  #held: Promise<void> | undefined
  #executing = false
  /** PGlite tells the program of notifications also where it hands out the bytes that hold them, as 0.4 does. */
  #alwaysTells = false
  #reset = ''
  /** Statements of the server's own in the session, by their text. */
  readonly #prepared = new Map<string, string>()
  #preparedIn = 0
  #status: Status = 'I'
  #stopListening: () => void

  /** Statements that were prepared before this was raised are gone. */
  epoch = 0
  /** Whose statement without a name the session has. */
  unnamed: Occupant | undefined

  private constructor(pg: ServedDatabase, onNotification: (channel: string, payload: string) => void) {
    this.#pg = pg
    this.#exclusively = pg._runExclusiveQuery.bind(pg)
    const exclusively = this.#exclusively
    pg._runExclusiveQuery = async <T>(run: () => Promise<T>): Promise<T> => {
      for (;;) {
        while (this.#held) await this.#held
        const done = await exclusively(async () => {
          if (this.#held) return undefined
          if (this.#inside !== this.#program) await this.#change(this.#program)
          return { value: await run() }
        })
        if (done) return done.value
      }
    }
    this.#stopListening = pg.onNotification((channel, payload) => {
      if (channel === PROBE) this.#alwaysTells = true
      // What comes in an answer to this server is passed on from there.
      else if (!this.#executing) onNotification(channel, payload)
    })
  }

  static async open(pg: ServedDatabase, onNotification: (channel: string, payload: string) => void): Promise<Backend> {
    const backend = new Backend(pg, onNotification)
    const release = await backend.hold()
    try {
      const superuser = await backend.query(
        'SELECT r.rolname FROM pg_catalog.pg_roles r WHERE r.oid::pg_catalog.int8 OPERATOR(pg_catalog.=) 10',
      )
      backend.#reset = resetting(superuser ?? 'postgres')
      for (const command of ['LISTEN', 'NOTIFY', 'UNLISTEN']) await backend.query(`${command} ${quoted(PROBE)}`)
    } finally {
      release()
    }
    return backend
  }

  /** Leaves the database to the program, as it was. */
  async close(): Promise<void> {
    try {
      const closes = [...this.#prepared.values()].map((name) => message('C', Buffer.from('S'), name))
      await this.#pg._runExclusiveQuery(async () => {
        if (closes.length > 0) await this.#execute(Buffer.concat([...closes, message('S')]))
      })
    } catch (error) {
      if (!(error instanceof DatabaseEnd)) throw error
    } finally {
      this.#pg._runExclusiveQuery = this.#exclusively
      this.#stopListening()
    }
  }

  /** Waits for the session, and resolves with what gives it back. */
  hold(): Promise<() => void> {
    return new Promise((granted, failed) => {
      this.#pg
        ._runExclusiveTransaction(
          () =>
            (this.#held = new Promise<void>((resolve) => {
              granted(() => {
                this.#held = undefined
                resolve()
              })
            })),
        )
        .catch(failed)
    })
  }

  /** Makes the session that of `occupant`. Whoever calls this holds it. */
  async enter(occupant: Occupant): Promise<void> {
    if (this.#inside !== occupant) await this.#exclusively(() => this.#change(occupant))
  }

  /** Makes the session one of a superuser without any settings. Whoever calls this holds it. */
  async clear(): Promise<void> {
    await this.enter(this.#nobody)
  }

  /** Sends messages to PostgreSQL and returns its answer. */
  run(bytes: Uint8Array): Promise<Message[]> {
    return this.#exclusively(() => this.#execute(bytes))
  }

  /** Runs one query as the one who is inside. Returns the first value, or fails with the first error. */
  async query(sql: string): Promise<string | null> {
    return this.#exclusively(() => this.#ask(sql))
  }

  /** Removes what one who will not come back has left. Whoever calls this holds the session. */
  async forget(occupant: Occupant, statements: Iterable<string>, channels: Iterable<string>): Promise<void> {
    await this.dropTemporary(occupant)
    for (const command of [
      ...[...occupant.cursors].map((name) => `CLOSE ${quoted(name)}`),
      ...[...channels].map((channel) => `UNLISTEN ${quoted(channel)}`),
    ]) {
      await this.run(message('Q', command)) // an error: it is already gone
    }
    const closes = [...statements].map((name) => message('C', Buffer.from('S'), name))
    if (closes.length > 0) await this.run(Buffer.concat([...closes, message('S')]))
    occupant.prepared.clear()
    occupant.cursors.clear()
  }

  /** Drops the temporary objects of one alone. Whoever calls this holds the session. */
  async dropTemporary(occupant: Occupant): Promise<void> {
    await this.clear()
    const dropped = dropping(occupant.parked)
    occupant.parked = []
    if (dropped === undefined) return
    const commands = JSON.parse((await this.query(dropped)) ?? '[]') as string[]
    for (const command of commands) await this.run(message('Q', command))
  }

  /** The channels of the session. */
  async listening(): Promise<string[]> {
    const channels = await this.query(
      'SELECT pg_catalog.to_json(ARRAY(SELECT pg_catalog.pg_listening_channels()))::pg_catalog.text',
    )
    return JSON.parse(channels ?? '[]') as string[]
  }

  /** Channels that are not to be given up, whatever a connection does. */
  get programChannels(): readonly string[] {
    return this.#channels
  }

  async #change(next: Occupant): Promise<void> {
    const previous = this.#inside
    let found: Found | undefined
    if (previous !== this.#nobody) {
      found = readFound((await this.#askOften(LEAVE, arrayOf(previous.custom))) ?? '')
      if (this.#status !== 'I') throw new SqlError(PROGRAM_IN_TRANSACTION)
      if (previous === this.#program) this.#channels = found.channels ?? []
    }
    this.unnamed = undefined
    this.#inside = this.#nobody
    await this.#ask(this.#reset)
    if (found !== undefined) await this.#leave(previous, found)
    if (next.parked.length > 0) {
      for (const sql of UNPARK) await this.#askOften(sql, JSON.stringify(next.parked))
      next.parked = []
    }
    const statements = restoring(next.saved ?? this.#nobody.saved!)
    try {
      if (statements !== '') await this.#ask(statements)
    } catch (error) {
      await this.#ask(this.#reset)
      throw error
    }
    this.#inside = next
    for (const text of next.prepared.values()) {
      await this.#execute(Buffer.concat([extended(text), message('S')])) // an error: what it reads is gone
    }
  }

  async #leave(
    occupant: Occupant,
    { user, role, settings, custom, prepared, cursors, temporary }: Found,
  ): Promise<void> {
    occupant.saved = { user, role, settings: { ...settings, ...custom } }
    occupant.cursors = new Set(cursors ?? [])
    occupant.prepared.clear()
    for (const [name, text] of Object.entries(prepared ?? {})) {
      // A text of several statements would run all of them again: what it prepares stays in the session.
      if (countStatements(text) > 1) continue
      occupant.prepared.set(name, text)
      await this.#ask(`DEALLOCATE ${quoted(name)}`)
    }
    if (!temporary) return
    for (const sql of PARK) {
      const parked = JSON.parse((await this.#askOften(sql, String(occupant.id))) ?? 'null') as Parked[] | null
      occupant.parked.push(...(parked ?? []))
    }
  }

  /** As `#ask`, with a statement that stays prepared, because planning it takes longer than the rest. */
  async #askOften(sql: string, parameter: string): Promise<string | null> {
    let name = this.#prepared.get(sql)
    if (name === undefined || this.#preparedIn !== this.epoch) {
      if (this.#preparedIn !== this.epoch) this.#prepared.clear()
      this.#preparedIn = this.epoch
      name = `${PROBE} ${this.#prepared.size}`
      this.#firstValue(await this.#execute(Buffer.concat([message('P', name, sql, int16(0)), message('S')])))
      this.#prepared.set(sql, name)
    }
    const bytes = Buffer.from(parameter)
    const bind = message('B', '', name, int16(0), int16(1), int32(bytes.length), bytes, int16(0))
    return this.#firstValue(await this.#execute(Buffer.concat([bind, message('E', '', 0), message('S')])))
  }

  async #ask(sql: string): Promise<string | null> {
    return this.#firstValue(await this.#execute(message('Q', sql)))
  }

  #firstValue(answer: Message[]): string | null {
    const failed = answer.find(({ type }) => type === 'E')
    if (failed) throw new SqlError(readError(failed.body))
    const row = answer.find(({ type }) => type === 'D')
    return row ? firstValue(row.body) : null
  }

  /**
   * With its own parser, PGlite tells the program of notifications. It does not send on each row as it comes, so the parser
   * is used only where the program listens.
   */
  async #execute(bytes: Uint8Array): Promise<Message[]> {
    // PGlite 0.4 would try for ever.
    if (!this.#pg.ready) throw new DatabaseEnd('it has been closed')
    this.#executing = true
    try {
      const chunks: Buffer[] = []
      if (this.#channels.length > 0 && !this.#alwaysTells) {
        const { data } = await this.#pg.execProtocol(bytes, { throwOnError: false, syncToFs: false })
        chunks.push(Buffer.from(data))
      } else {
        const onRawData = (data: Uint8Array) => chunks.push(Buffer.from(data))
        await this.#pg.execProtocolRawStream(bytes, { syncToFs: false, onRawData })
      }
      const answer = split(Buffer.concat(chunks))
      const ready = answer.filter(({ type }) => type === 'Z').at(-1)
      if (ready) this.#status = ready.body.toString('latin1') as Status
      if (ready && this.#status === 'I') await this.#pg.syncToFs()
      return answer
    } catch (cause) {
      throw new DatabaseEnd(cause instanceof Error ? cause.message : String(cause), { cause })
    } finally {
      this.#executing = false
    }
  }
}

/** As PostgreSQL writes arrays. Names of settings need no quotes. */
function arrayOf(names: Iterable<string>): string {
  return `{${[...names].join(',')}}`
}

/** Parses and runs a single statement, without the Sync that ends it. */
function extended(sql: string): Buffer {
  return Buffer.concat([
    message('P', '', sql, Buffer.alloc(2)),
    message('B', '', '', Buffer.alloc(6)),
    message('E', '', 0),
  ])
}
