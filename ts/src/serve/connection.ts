/** One client: what it sends goes to the session, and the answers back, until one of both ends it. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { quoted } from '../quoted.js'
import type { Backend, Status } from './backend.js'
import { DatabaseEnd, SqlError } from './backend.js'
import { errorResponse, firstValue, Input, message, ProtocolError, split, textAt } from './messages.js'
import type { ErrorFields, Message } from './messages.js'
import { newOccupant, noteSettings } from './occupant.js'
import type { Occupant, Saved } from './occupant.js'
import { concernsOf, literal, raising } from './sql-text.js'
import type { Concern, Concerns } from './sql-text.js'
import { authenticate, copyInResponse, Fatal, greeting, readRequest, ready } from './startup.js'
import type { Access } from './startup.js'
import { Statements } from './statements.js'

/** Limits of each connection. */
export interface Limits {
  /** The largest message, in bytes. */
  maxMessageSize: number
  /** The most that one COPY FROM STDIN may send, in bytes. */
  maxCopySize: number
  /** Milliseconds that a client may do nothing in a transaction. */
  idleInTransactionTimeout: number
  /** Milliseconds that a client may take to come in. */
  authenticationTimeout: number
}

/** What a connection needs of its server. */
export interface Surroundings {
  backend: Backend
  access: Access
  limits: Limits
  /** Cancels what another connection waits for. */
  cancel(id: number, secret: number): void
  /** Passes notifications on to every connection that listens. */
  notify(channel: string, body: Buffer, from: Connection | undefined): void
  /** PGlite has failed itself. */
  databaseEnded(error: Error): void
  /** Channels on which somebody else listens. */
  channelsBeside(connection: Connection): Set<string>
}

/** Sent after whatever could turn out to be a COPY FROM STDIN: PGlite would end if it waited for rows that do not come. */
const NO_ROWS = message('f', 'the server did not expect COPY FROM STDIN here: send it as a statement of its own')
const SYNC = message('S')
/** Messages up to this size wait for Sync; then they go to the session without it. */
const LARGEST_BATCH = 1024 * 1024
/** Bytes that wait for a client before the server waits for it, too. */
const LARGEST_BACKLOG = 1024 * 1024

/** Bytes of notifications after which a client that takes none is given up. */
const LARGEST_UNREAD = 16 * 1024 * 1024

/** SQLSTATE `crash_shutdown`. */
const DATABASE_ENDED = '57P02'

/** Milliseconds in which a client can take the last answer. */
const GRACE = 2000

const FAILED_COPY_BESIDE = raising(
  '0A000',
  'COPY FROM STDIN beside other statements',
  'Send it as a statement of its own.',
)
const FAILED_DISCARD = raising(
  '0A000',
  'the server takes DISCARD ALL and DISCARD TEMP only as simple queries outside of transactions',
  'Send it so.',
)

const CANCELED: ErrorFields = { code: '57014', message: 'canceling statement due to user request' }

/** DISCARD TEMP drops what is in the one schema of temporary objects, whoever made it. */
function isTemporary(concern: Concern): boolean {
  return concern.kind === 'discard' && ['temp', 'temporary'].includes(concern.what)
}

export class Connection {
  readonly id: number
  readonly secret = randomInt(2 ** 31)
  readonly channels = new Set<string>()
  readonly #surroundings: Surroundings
  readonly #backend: Backend
  readonly #stream: Socket
  readonly #input: Input
  readonly #occupant: Occupant
  /** To which DISCARD ALL leads back. */
  #first: Saved | undefined
  readonly #statements: Statements
  /** Gives the session back. */
  #release: (() => void) | undefined
  #status: Status = 'I'
  /** Messages that wait for Sync. */
  #batch: Message[] = []
  #batchSize = 0
  /** The session waits for Sync. */
  #isUnsynced = false
  /** After an error of the server's own, until Sync. */
  #isSkipping = false
  /** What LISTEN and UNLISTEN have asked for, until the end of the transaction. */
  #listening: Concern[] = []
  #cancel: (() => void) | undefined
  #idle: NodeJS.Timeout | undefined
  #isStarted = false

  constructor(id: number, stream: Socket, surroundings: Surroundings) {
    this.id = id
    this.#stream = stream
    this.#surroundings = surroundings
    this.#backend = surroundings.backend
    this.#input = new Input(stream as AsyncIterable<Buffer>)
    this.#occupant = newOccupant(id)
    this.#statements = new Statements(this.#backend, this.#occupant)
  }

  /** Resolves when the connection has ended and left nothing. */
  async run(): Promise<void> {
    try {
      if (await this.#start()) while (await this.#next()) await this.#drained()
    } catch (error) {
      const fatal = fatalOf(error)
      this.#write(fatal.response)
      if (fatal.fields.code === DATABASE_ENDED) this.#surroundings.databaseEnded(error as Error)
    } finally {
      clearTimeout(this.#idle)
      hangUp(this.#stream)
      await this.#leave()
    }
  }

  /** Ends the connection, and says why. */
  end(fields: ErrorFields): void {
    this.#write(new Fatal(fields).response)
    hangUp(this.#stream)
    this.#cancel?.()
  }

  cancel(): void {
    this.#cancel?.()
  }

  /** Tells the client of a notification on one of its channels. */
  notify(body: Buffer): void {
    if (!this.#isStarted) return
    this.#write(message('A', body))
    // Whoever listens and does not read would fill the memory.
    if (this.#stream.writableLength > LARGEST_UNREAD) this.#stream.destroy()
  }

  async #start(): Promise<boolean> {
    const { access, limits, cancel } = this.#surroundings
    const write = (bytes: Buffer) => this.#write(bytes)
    // Whoever waits for the session is not late.
    const late = setTimeout(
      () => (this.#input.isWaiting ? this.#stream.destroy() : late.refresh()),
      limits.authenticationTimeout,
    )
    try {
      const request = await readRequest(this.#input, write)
      if (request?.kind === 'cancel') cancel(request.id, request.secret)
      if (request?.kind !== 'start') return false
      await authenticate(request, access, this.#backend, this.#input, write)
      this.#first = { user: request.user, role: 'none', settings: request.settings }
      this.#occupant.saved = this.#first
      this.#release = await this.#backend.hold()
      await this.#backend.enter(this.#occupant)
      write(await greeting(this.#backend, this.id, this.secret))
      this.#isStarted = true
      return true
    } finally {
      clearTimeout(late)
      this.#giveBack()
    }
  }

  /** Does what the next message asks for. False when it is the last. */
  async #next(): Promise<boolean> {
    const next = await this.#input.message(this.#surroundings.limits.maxMessageSize)
    clearTimeout(this.#idle)
    if (next === undefined || next.type === 'X') return false
    if (this.#isSkipping && next.type !== 'S') return true
    switch (next.type) {
      case 'Q':
        await this.#query(next)
        break
      case 'F':
        await this.#send([next.bytes], true)
        break
      case 'P':
      case 'B':
      case 'D':
      case 'C':
      case 'H':
        await this.#extend(next)
        break
      case 'E':
        await this.#execute(next)
        break
      case 'S':
        await this.#sync(next)
        break
      case 'd':
      case 'c':
      case 'f':
        break // of a COPY that has failed
      default:
        throw new ProtocolError(`invalid frontend message type ${JSON.stringify(next.type)}`)
    }
    if (this.#release) this.#watch()
    return true
  }

  // ----- simple queries

  async #query(query: Message): Promise<void> {
    const [sql] = textAt(query.body)
    noteSettings(this.#occupant, sql)
    const concerns = concernsOf(sql)
    const [concern] = concerns.list
    if (concern?.kind === 'copy' && concerns.isSingle) return this.#copy(concern, [query], true)
    if (concern?.kind === 'discard' && concerns.isSingle && this.#status === 'I') {
      if (concern.what === 'all') return this.#discard('ALL')
      if (isTemporary(concern)) return this.#discard('TEMP')
    }
    this.#listening.push(...concerns.list)
    const text = this.#rewritten(sql, concerns)
    await this.#send([text === sql ? query.bytes : message('Q', text), NO_ROWS], true)
  }

  /** The text of a statement as the session gets it. */
  #rewritten(sql: string, { list, isSingle }: Concerns): string {
    const [concern] = list
    if (list.some(isTemporary)) return FAILED_DISCARD
    if (!isSingle) return list.some(({ kind }) => kind === 'copy') ? FAILED_COPY_BESIDE : sql
    if (concern?.kind !== 'deallocate' || concern.name === undefined) return sql
    const name = this.#statements.inSession(concern.name)
    if (name === undefined) return sql
    this.#statements.delete(concern.name)
    return sql.slice(0, concern.start) + quoted(name) + sql.slice(concern.end)
  }

  /** DISCARD ALL or DISCARD TEMP, for this connection alone. */
  async #discard(what: 'ALL' | 'TEMP'): Promise<void> {
    if (!(await this.#occupy(true))) return
    await this.#backend.clear()
    if (what === 'TEMP') await this.#backend.dropTemporary(this.#occupant)
    else {
      await this.#forget()
      this.#occupant.saved = this.#first
    }
    await this.#backend.enter(this.#occupant)
    await this.#answer(split(message('C', `DISCARD ${what}`)), true)
  }

  // ----- the extended protocol

  async #extend(next: Message): Promise<void> {
    this.#batch.push(next)
    this.#batchSize += next.bytes.length
    if (next.type === 'H' || this.#batchSize > LARGEST_BATCH) await this.#flush()
  }

  async #execute(next: Message): Promise<void> {
    this.#batch.push(next)
    this.#batchSize += next.bytes.length
    const concern = this.#concernOf(next)
    if (concern?.kind === 'copy') {
      const execute = this.#batch.pop()!
      await this.#copy(concern, [execute], false)
    } else if (this.#batchSize > LARGEST_BATCH) await this.#flush()
  }

  async #sync(next: Message): Promise<void> {
    if (this.#isSkipping) {
      this.#isSkipping = false
      this.#batch = []
      this.#statements.synced()
      if (this.#release) await this.#send([SYNC], true)
      else this.#write(ready('I'))
      return
    }
    this.#batch.push(next)
    await this.#flush(true)
  }

  /** Sends what waits to the session. False if an error is among the answers. */
  async #flush(isReady = false): Promise<boolean> {
    const batch = this.#batch
    this.#batch = []
    this.#batchSize = 0
    if (!(await this.#occupy(isReady))) return false
    if (await this.#makeLost(batch)) return this.#send(this.#translated(batch), isReady)
    if (isReady) await this.#send([SYNC], true)
    return false
  }

  /** The messages with the names that statements have in the session. */
  #translated(batch: readonly Message[]): Buffer[] {
    const sent: Buffer[] = []
    for (const next of batch) {
      if (next.type === 'P')
        sent.push(this.#statements.parse(next, (sql, concerns) => this.#rewrittenParse(sql, concerns)))
      else if (next.type === 'B') sent.push(this.#statements.bind(next))
      else if (next.type === 'D' || next.type === 'C') sent.push(this.#statements.named(next))
      else if (next.type === 'E') {
        const concern = this.#statements.portal(next)
        if (concern) this.#listening.push(concern)
        sent.push(next.bytes, NO_ROWS)
      } else sent.push(next.bytes)
    }
    return sent
  }

  #rewrittenParse(sql: string, concerns: Concerns): string {
    const isAll = concerns.list.some((concern) => concern.kind === 'discard' && concern.what === 'all')
    if (isAll) return FAILED_DISCARD
    return this.#rewritten(sql, concerns)
  }

  /** What an Execute runs, if the server has to know of it: bound before, or in what waits. */
  #concernOf(execute: Message): Concern | undefined {
    const [portal] = textAt(execute.body)
    const bind = this.#batch.filter(({ type, body }) => type === 'B' && textAt(body)[0] === portal).at(-1)
    if (bind === undefined) return this.#statements.portal(execute)
    const [name] = textAt(bind.body, textAt(bind.body)[1])
    const parse = this.#batch.filter(({ type, body }) => type === 'P' && textAt(body)[0] === name).at(-1)
    if (parse === undefined) return this.#statements.concern(name)
    const concerns = concernsOf(textAt(parse.body, textAt(parse.body)[1])[0])
    return concerns.isSingle ? concerns.list[0] : undefined
  }

  /** Makes again the statements that the session has lost. False if that has failed, which the client is told. */
  async #makeLost(batch: readonly Message[]): Promise<boolean> {
    for (const { parse, found } of this.#statements.lost(batch)) {
      const answer = await this.#backend.run(Buffer.concat([parse, SYNC]))
      const failed = answer.find(({ type }) => type === 'E')
      if (failed) {
        this.#write(failed.bytes)
        this.#isSkipping = batch.at(-1)?.type !== 'S'
        return false
      }
      found()
    }
    return true
  }

  // ----- COPY FROM STDIN

  /**
   * PGlite reads rows only from what it was given with the statement. So the client is asked for them first, and all go to
   * the session together.
   */
  async #copy(copy: Concern & { kind: 'copy' }, [statement]: [Message], isSimple: boolean): Promise<void> {
    const isUntouched = isSimple || (this.#batch.some(({ type }) => type === 'B') && !this.#isUnsynced)
    if (!(await this.#occupy(isSimple))) return
    // Between messages of the extended protocol, a question would end the transaction that they are in.
    const columns = copy.columns ?? (isUntouched ? await this.#columnsOf(copy.target) : 0)
    if (!isSimple && this.#batch.length > 0 && !(await this.#flush())) {
      if (!this.#isSkipping) await this.#send([statement.bytes], false)
      return
    }
    // A failed transaction or no such table: PostgreSQL refuses it before it asks for rows.
    if (columns === undefined) {
      await this.#send([statement.bytes, NO_ROWS], isSimple)
      return
    }
    if (isSimple && this.#status === 'I') this.#giveBack()
    else this.#watch()
    this.#write(copyInResponse(columns, copy.binary))
    const rows = await this.#rows()
    clearTimeout(this.#idle)
    if (!(await this.#occupy(isSimple))) return
    await this.#send([statement.bytes, ...rows, NO_ROWS], isSimple, true)
  }

  async #columnsOf(target: string): Promise<number | undefined> {
    if (this.#status === 'E') return undefined
    const name = literal(target)
    const sql = `SELECT CASE WHEN r.r IS NULL THEN NULL ELSE (
        SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid OPERATOR(pg_catalog.=) r.r AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2
          AND NOT a.attisdropped AND a.attgenerated OPERATOR(pg_catalog.=) ''::pg_catalog."char") END
      FROM pg_catalog.to_regclass(${name}) AS r (r)`
    const answer = await this.#backend.run(message('Q', sql))
    this.#backend.unnamed = undefined
    const row = answer.find(({ type }) => type === 'D')
    const count = row && firstValue(row.body)
    return typeof count === 'string' ? Number(count) : undefined
  }

  /** The messages of a client that copies, up to its end. */
  async #rows(): Promise<Buffer[]> {
    const { maxMessageSize, maxCopySize } = this.#surroundings.limits
    const rows: Buffer[] = []
    let size = 0
    for (;;) {
      const next = await this.#input.message(maxMessageSize)
      if (next === undefined) throw new ProtocolError('unexpected EOF on client connection during COPY FROM STDIN')
      this.#idle?.refresh()
      if (next.type === 'd') {
        size += next.bytes.length
        if (size <= maxCopySize) rows.push(next.bytes)
        else rows.length = 0
      } else if (next.type === 'c' || next.type === 'f') {
        if (size <= maxCopySize) return [...rows, next.bytes]
        return [message('f', `more than the ${maxCopySize} bytes that the server takes: copy in several parts`)]
      } else if (next.type !== 'H' && next.type !== 'S') {
        throw new ProtocolError(`unexpected message type ${JSON.stringify(next.type)} during COPY FROM STDIN`)
      }
    }
  }

  // ----- the session

  /** Takes the session, unless the client cancels that while it waits. */
  async #occupy(isReady: boolean): Promise<boolean> {
    if (this.#release) return true
    let isCanceled = false
    const canceled = new Promise<undefined>((resolve) => {
      this.#cancel = () => {
        isCanceled = true
        resolve(undefined)
      }
    })
    const held = this.#backend.hold().then((release) => {
      if (isCanceled) release()
      return release
    })
    const release = await Promise.race([held, canceled])
    this.#cancel = undefined
    if (release === undefined || isCanceled) {
      this.#statements.synced()
      this.#write(isReady ? Buffer.concat([errorResponse(CANCELED), ready('I')]) : errorResponse(CANCELED))
      this.#isSkipping = !isReady
      return false
    }
    this.#release = release
    try {
      await this.#backend.enter(this.#occupant)
    } catch (error) {
      throw error instanceof SqlError ? new Fatal(error.fields) : error
    }
    return true
  }

  #giveBack(): void {
    this.#release?.()
    this.#release = undefined
  }

  /** Runs messages in the session and passes on the answer. False if an error is in it. */
  async #send(messages: readonly Buffer[], isReadyExpected: boolean, isCopy = false): Promise<boolean> {
    if (!(await this.#occupy(isReadyExpected))) return false
    const answer = await this.#backend.run(Buffer.concat(messages))
    const tags = answer.flatMap(({ type, body }) => (type === 'C' ? textAt(body)[0] : []))
    if (tags.some((tag) => tag === 'DEALLOCATE ALL' || tag === 'DISCARD ALL')) {
      this.#backend.epoch += 1
      this.#statements.clear()
    }
    if (tags.includes('ROLLBACK')) this.#listening = []
    // ReadyForQuery comes once, and only where it belongs: PGlite 0.4 also sends it after an error before Sync.
    const status = answer
      .filter(({ type }) => type === 'Z')
      .at(-1)
      ?.body.toString('latin1') as Status | undefined
    if (isReadyExpected) this.#status = status ?? 'I'
    this.#isUnsynced = !isReadyExpected
    if (isReadyExpected && this.#status === 'I') await this.#updateChannels(tags)
    await this.#answer(isCopy ? answer.filter(({ type }) => type !== 'G') : answer, isReadyExpected)
    return !answer.some(({ type }) => type === 'E')
  }

  async #answer(answer: readonly Message[], isReadyExpected: boolean): Promise<void> {
    const written: Buffer[] = []
    for (const next of answer) {
      this.#statements.answered(next)
      if (next.type === 'Z') continue
      if (next.type === 'A') this.#passOn(next.body, written)
      else written.push(next.bytes)
    }
    if (isReadyExpected) {
      this.#statements.synced()
      written.push(ready(this.#status))
      if (this.#status === 'I') this.#giveBack()
    }
    this.#write(Buffer.concat(written))
    // New connections and cancellations come in between.
    await new Promise(setImmediate)
  }

  /** A notification: to those who listen, as one of this connection. */
  #passOn(body: Buffer, written: Buffer[]): void {
    const [channel] = textAt(body, 4)
    const own = Buffer.from(body)
    own.writeInt32BE(this.id, 0)
    if (this.channels.has(channel)) written.push(message('A', own))
    this.#surroundings.notify(channel, own, this)
  }

  /** After a transaction with LISTEN or UNLISTEN: on which channels the client listens now. */
  async #updateChannels(tags: readonly string[]): Promise<void> {
    const asked = this.#listening.filter(({ kind }) => kind === 'listen' || kind === 'unlisten')
    this.#listening = []
    if (asked.length === 0 && !tags.includes('LISTEN') && !tags.includes('UNLISTEN')) return
    const inSession = new Set(await this.#backend.listening())
    for (const concern of asked) {
      if (concern.kind === 'listen') {
        if (inSession.has(concern.name)) this.channels.add(concern.name)
      } else if (concern.kind === 'unlisten' && concern.name === undefined) this.channels.clear()
      else if (concern.kind === 'unlisten') this.channels.delete(concern.name ?? '')
    }
    // The session listens for everybody.
    for (const channel of [...this.#surroundings.channelsBeside(this), ...this.channels]) {
      if (!inSession.has(channel)) await this.#backend.query(`LISTEN ${quoted(channel)}`)
    }
  }

  /** After the client is gone: rolls back, and removes what only it had. */
  async #leave(): Promise<void> {
    if (!this.#isStarted) return
    const { backend } = this.#surroundings
    try {
      if (this.#release) {
        // Sync alone would commit what came before it.
        const failing = message('B', '', 'no such statement', Buffer.alloc(6))
        await backend.run(Buffer.concat([...(this.#isUnsynced ? [failing, SYNC] : []), message('Q', 'ROLLBACK')]))
        this.#status = 'I'
      } else this.#release = await backend.hold()
      await this.#forget()
    } catch {
      // The database has been closed.
    } finally {
      this.#giveBack()
    }
  }

  async #forget(): Promise<void> {
    const beside = this.#surroundings.channelsBeside(this)
    const channels = [...this.channels].filter((channel) => !beside.has(channel))
    await this.#backend.forget(this.#occupant, this.#statements.names(), channels)
    this.channels.clear()
    this.#statements.clear()
  }

  // ----- the client

  #write(bytes: Buffer): void {
    if (bytes.length > 0 && this.#stream.writable) this.#stream.write(bytes)
  }

  /** Waits for a client that does not take its answers. */
  async #drained(): Promise<void> {
    if (this.#stream.writableLength < LARGEST_BACKLOG) return
    const done = new AbortController()
    const { signal } = done
    const event = (name: string) => once(this.#stream, name, { signal })
    await Promise.race([event('drain'), event('close')]).catch(() => {})
    done.abort()
  }

  /** Everybody waits for a client with an open transaction. */
  #watch(): void {
    clearTimeout(this.#idle)
    const { idleInTransactionTimeout } = this.#surroundings.limits
    if (!Number.isFinite(idleInTransactionTimeout)) return
    this.#idle = setTimeout(() => {
      this.end({
        code: '25P03',
        message: `terminating connection: it did nothing in a transaction for ${idleInTransactionTimeout / 1000} seconds`,
        hint: 'All connections share one session, so others wait for the end of a transaction.',
      })
    }, idleInTransactionTimeout)
  }
}

/** Closes a socket, at the latest when the client has had time to take what was written. */
export function hangUp(socket: Socket): void {
  socket.destroySoon()
  setTimeout(() => socket.destroy(), GRACE).unref()
}

function fatalOf(error: unknown): Fatal {
  if (error instanceof Fatal) return error
  if (error instanceof SqlError) return new Fatal(error.fields)
  if (error instanceof ProtocolError) return new Fatal({ code: '08P01', message: error.message })
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof DatabaseEnd)
    return new Fatal({ code: DATABASE_ENDED, message: `the database has ended: ${message}` })
  return new Fatal({ code: 'XX000', message: `the server has failed: ${message}` })
}
