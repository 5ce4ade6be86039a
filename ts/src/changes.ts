/** The feed of a stream table as an iterator: `pgtrickle.changes()`, again and again. */
import { TrickleError } from './errors.js'
import { extensionQuery } from './extension.js'
import { internalQuery } from './internal-query.js'
import { quoted } from './quoted.js'
import { isTransactionAborted } from './subscribe/retry.js'
import { stayOutside } from './transactions.js'
import type { AnyRow, Database } from './types.js'

/** Options of `changes`. */
export interface FeedOptions {
  /** The number of the last change that is known already. Without it the oldest change that is kept comes first. */
  after?: number
  /** Begin with all rows of the stream table. */
  snapshot?: boolean
  /** How many changes to read at once, 500 if not given. */
  max?: number
  /** Ends the iteration. */
  signal?: AbortSignal
}

/** Options of `keepChanges`. */
export interface KeepOptions {
  /** How many changes are kept at least: 10,000 if not given. Null for all of them, 0 to end the feed. */
  retain?: number | null
  /** For how long, as an interval of PostgreSQL: `'7 days'`. */
  maxAge?: string | null
}

/** What all changes of a feed have. */
interface Numbered {
  /** Its number. Store it with what you do about the change, and go on with `after: seq`. */
  seq: number
  /** When its transaction committed. */
  at: Date
}

/** A changed row of a feed. */
interface NumberedRow<Row> extends Numbered {
  /** The same for all changes of a transaction, also in the feeds of other stream tables. */
  tx: number
  /** The key columns and their values; empty where the stream table has no visible key. */
  key: Partial<Row> & AnyRow
}

/** A change of a feed. */
export type FeedChange<Row = AnyRow> =
  /** All rows follow, each as an insert with this number. Forget the rows you have. */
  | (Numbered & { op: 'snapshot'; tx?: undefined; key?: undefined; row?: undefined; old?: undefined })
  | (NumberedRow<Row> & { op: 'insert'; row: Row; old?: undefined })
  | (NumberedRow<Row> & { op: 'update'; row: Row; old: Row })
  | (NumberedRow<Row> & { op: 'delete'; row?: undefined; old: Row })

/** What PGlite and PGliteWorker have for notifications. */
interface Host extends Database {
  readonly closed?: boolean
  onNotification?(callback: (channel: string) => void): () => void
  onLeaderChange?(callback: () => void): () => void
}

/** A result in the row mode `array`. */
interface ArrayResult {
  rows: unknown[][]
  fields: { name: string }[]
}

/** Where a feed is, and how its rows are read. */
interface Place {
  schema: string
  name: string
  key: string[]
  first: number | null
  last: number | null
}

const CHANNEL = 'pgtrickle'
const MAX = 500

/** Milliseconds. Notifications end with a reset of the session, so the feed is asked once in a while. */
const LONGEST_WAIT = 10_000
/** While there are none yet, because LISTEN waits for the end of a transaction. */
const SHORT_WAIT = 100

/** SQLSTATE `active_sql_transaction`: a transaction of the app has run no statement for long. */
const ACTIVE_TRANSACTION = '25001'

/** SQLSTATE of a feed that does not lead on from a number. A tab of the worker gets only the message. */
const NOT_KEPT = '72T01'
const NOT_KEPT_MESSAGE = /^the feed of stream table .* (keeps no changes after|has no change) /

const PLACE = `
SELECT pg_catalog.to_json(p)::pg_catalog.text AS json FROM (
  SELECT n.nspname AS schema, c.relname AS name, t.key, f.first, f.last
  FROM (SELECT pgtrickle.command('readable', $1)::pg_catalog.int4 AS id) i
  JOIN pgtrickle.stream_table t ON t.id OPERATOR(pg_catalog.=) i.id
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.relid::pg_catalog.oid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  LEFT JOIN pgtrickle.feeds f ON f.name OPERATOR(pg_catalog.=) c.relname::pg_catalog.text
    AND f.schema OPERATOR(pg_catalog.=) n.nspname::pg_catalog.text
) p`

const IS_LISTENING = `
SELECT true FROM pg_catalog.pg_listening_channels() AS l(channel) WHERE l.channel OPERATOR(pg_catalog.=) '${CHANNEL}'`

/** The rows with the types of the stream table, first the old one, then the new one. */
function readChanges(type: string): string {
  return `
SELECT c.seq::pg_catalog.text, c.tx::pg_catalog.text,
  (pg_catalog.extract('epoch', c.at) OPERATOR(pg_catalog.*) 1000)::pg_catalog.text, c.op, o.*, n.*
FROM pgtrickle.changes($1, $2::pg_catalog.int8, $3::pg_catalog.int8, $4::pg_catalog.bool) c
LEFT JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::${type}, c.old) o ON true
LEFT JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::${type}, c.row) n ON true`
}

/** Yields the changes of a feed as they are committed, until the signal is aborted or the caller stops. */
export async function* readFeed<Row>(
  db: Database,
  name: string,
  options: FeedOptions,
): AsyncGenerator<FeedChange<Row>, void, undefined> {
  const { signal } = options
  let { after, snapshot = false } = options
  if (snapshot && (after ?? undefined) !== undefined) {
    throw new TrickleError('after and snapshot exclude each other', {
      code: '22023',
      streamTable: name,
      hint: 'Give one of them.',
    })
  }
  const max = Math.max(1, options.max ?? MAX)
  const bell = new Bell(db, signal ?? undefined)
  try {
    for (let isFirst = true; !bell.isEnded; isFirst = false) {
      // First, so that nothing that commits from here on is missed.
      bell.reset()
      const changes = await readPage<Row>(db, bell, { name, after, snapshot, max, isFirst })
      for (const change of changes) {
        if (bell.isEnded) return
        yield change
        after = change.seq
        snapshot = false
      }
      if (changes.length < max) await bell.wait()
    }
  } finally {
    bell.leave()
  }
}

/** What is read next. */
interface Page {
  name: string
  after: number | undefined
  snapshot: boolean
  max: number
  isFirst: boolean
}

/** The next changes; none where a transaction of the app has to end first, or the database has been closed. */
async function readPage<Row>(db: Database, bell: Bell, page: Page): Promise<FeedChange<Row>[]> {
  const { name } = page
  try {
    await stayOutside(db, 'changes', name)
    await bell.listen()
    const [found] = await extensionQuery<{ json: string }>(db, PLACE, [name])
    const place = JSON.parse(found?.json ?? '{}') as Place
    // An error would end the transaction that the app may be in, so nothing is asked for in vain.
    if (!page.snapshot && page.after !== undefined && page.after === place.last) return []
    const type = quoted(place.schema, place.name)
    const position = page.snapshot ? [null, null, 'true'] : [page.after ?? null, page.max, 'false']
    const settings = { rowMode: 'array' as const, serializers: { 16: String, 20: String, 25: String } }
    const result = await db.query<unknown>(readChanges(type), [name, ...position], settings)
    return toChanges<Row>(result as ArrayResult, place.key)
  } catch (cause) {
    const error = TrickleError.from(cause, name)
    const waits = isTransactionAborted(error) || (error.code === ACTIVE_TRANSACTION && !page.isFirst)
    if (waits || bell.isEnded) {
      bell.doubt()
      return []
    }
    if (error.code === NOT_KEPT || !NOT_KEPT_MESSAGE.test(error.message)) throw error
    throw new TrickleError(error.message, {
      code: NOT_KEPT,
      streamTable: name,
      hint: 'Read the stream table again: changes(name, { snapshot: true }) begins with its rows.',
      cause,
    })
  }
}

/** How many columns of a result are not columns of a row. */
const OWN_COLUMNS = 4

function toChanges<Row>({ rows, fields }: ArrayResult, key: string[]): FeedChange<Row>[] {
  const width = (fields.length - OWN_COLUMNS) / 2
  const names = fields.slice(OWN_COLUMNS, OWN_COLUMNS + width).map(({ name }) => name)
  const rowAt = (values: unknown[], start: number) =>
    Object.fromEntries(names.map((name, n) => [name, values[start + n]])) as AnyRow
  return rows.map((values) => {
    const [seq, tx, at, op] = values
    const change = { seq: Number(seq), at: new Date(Number(at)), op }
    if (op === 'snapshot') return change as FeedChange<Row>
    const old = op === 'update' || op === 'delete' ? rowAt(values, OWN_COLUMNS) : undefined
    const row = op === 'delete' ? undefined : rowAt(values, OWN_COLUMNS + width)
    const keyed = row ?? old ?? {}
    return {
      ...change,
      tx: Number(tx),
      key: Object.fromEntries(key.map((name) => [name, keyed[name]])),
      ...(row && { row }),
      ...(old && { old }),
    } as FeedChange<Row>
  })
}

/** The bells of each database, which its end rings too. */
const bells = new WeakMap<object, Set<Bell>>()

/** Ends the iterations of a database that is closed. */
export function closeFeeds(db: Database): void {
  for (const bell of bells.get(db) ?? []) bell.close()
}

/** Rings when a transaction has changed a stream table whose changes are kept. */
class Bell {
  readonly #db: Host
  readonly #signal: AbortSignal | undefined
  readonly #leave: (() => void)[] = []
  #ring: () => void = () => undefined
  #rung: Promise<void> = Promise.resolve()
  #isListening = false
  #isClosed = false

  constructor(db: Database, signal: AbortSignal | undefined) {
    this.#db = db
    this.#signal = signal
    const wake = () => this.#ring()
    signal?.addEventListener('abort', wake)
    const unlisten = this.#db.onNotification?.((channel) => channel === CHANNEL && wake())
    const forget = this.#db.onLeaderChange?.(() => {
      this.doubt()
      wake()
    })
    this.#leave.push(
      () => signal?.removeEventListener('abort', wake),
      () => unlisten?.(),
      () => forget?.(),
    )
    const all = bells.get(db) ?? new Set()
    bells.set(db, all.add(this))
  }

  get isEnded(): boolean {
    return this.#isClosed || this.#signal?.aborted === true || this.#db.closed === true
  }

  /** What rings from here on ends the next wait. */
  reset(): void {
    this.#rung = new Promise((resolve) => (this.#ring = resolve))
  }

  /**
   * Lets PostgreSQL tell of changes. LISTEN takes effect at the end of the transaction that may be open, unless that rolls
   * back. It is never taken back, because the app may listen too.
   */
  async listen(): Promise<void> {
    if (this.#isListening) return
    const isListening = async () => (await internalQuery(this.#db, IS_LISTENING)).length > 0
    if (!(await isListening())) await internalQuery(this.#db, `LISTEN ${CHANNEL}`)
    this.#isListening = await isListening()
  }

  /** The session may not listen: it has been reset, or is that of another leader, or nothing could be asked. */
  doubt(): void {
    this.#isListening = false
  }

  async wait(): Promise<void> {
    if (this.isEnded) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(
        () => {
          this.doubt()
          resolve()
        },
        this.#isListening ? LONGEST_WAIT : SHORT_WAIT,
      )
    })
    await Promise.race([this.#rung, late])
    clearTimeout(timer)
  }

  close(): void {
    this.#isClosed = true
    this.#ring()
  }

  leave(): void {
    bells.get(this.#db)?.delete(this)
    for (const leave of this.#leave) leave()
  }
}
