/** A board of sales that many browsers watch: a database of its own in a Durable Object. */
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import type { Change, Trickle } from '@pgtrickle/pglite'
import { createStatic } from '@pgtrickle/pglite/static'
import { DurableObject } from 'cloudflare:workers'
import * as modules from '../pgtrickle-static/modules.js'
import { SqlFilesystem } from './sql-filesystem.js'

const STREAM_TABLES = ['sales_by_city', 'sales_by_product', 'largest_orders']

/** How many of the last messages are kept for pages that come back. */
const KEPT = 1000

type Database = PGlite & { trickle: Trickle; static: { codeGenerations: number } }

/** Rows that have changed, in the order of `n`. */
interface Message {
  n: number
  table: string
  changes: Change[]
}

export class Board extends DurableObject {
  #opened: Promise<Database> | undefined
  readonly #pages = new Set<WebSocket>()
  /** The rows of each stream table by their identity: what a page gets that is new. */
  readonly #rows = new Map<string, Map<string, object>>()
  readonly #messages: Message[] = []
  /** A page that knows another life of this object knows other numbers. */
  readonly #life = crypto.randomUUID()
  #n = 0

  /** Opened by the first request. A request that comes meanwhile waits; after an error the next one tries again. */
  async #database(): Promise<Database> {
    this.#opened ??= this.#open()
    try {
      return await this.#opened
    } catch (error) {
      this.#opened = undefined
      throw error
    }
  }

  async #open(): Promise<Database> {
    const fs = new SqlFilesystem(this.ctx.storage.sql)
    const isNew = !fs.isComplete
    if (isNew) fs.clear()
    const options = {
      modules,
      extensions: { trickle },
      // A query that needs more fails, before Cloudflare ends the object for its 128 MB.
      maximumMemory: 64 * 1024 * 1024,
      fs,
      ...(!isNew && { loadDataDir: false as const }),
    }
    const pg = (await PGlite.create((await createStatic(options)) as object)) as unknown as Database
    if (isNew) fs.markComplete()
    for (const table of STREAM_TABLES) {
      this.#rows.set(table, new Map())
      await pg.trickle.subscribe(table, (changes) => this.#tell(table, changes))
    }
    return pg
  }

  #tell(table: string, changes: Change[]): void {
    const rows = this.#rows.get(table)
    for (const change of changes) {
      if (change.op === 'delete') rows?.delete(change.id)
      else rows?.set(change.id, change.row)
    }
    const message = { n: ++this.#n, table, changes }
    this.#messages.push(message)
    if (this.#messages.length > KEPT) this.#messages.shift()
    const text = JSON.stringify(message)
    for (const page of this.#pages) page.send(text)
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      const pg = await this.#database()
      const url = new URL(request.url)
      if (request.headers.get('Upgrade') === 'websocket') return this.#watch(url.searchParams)
      if (url.pathname === '/orders' && request.method === 'POST') return await addOrders(pg, await request.json())
      if (url.pathname === '/state') return Response.json(await this.#state(pg))
      return new Response('not found', { status: 404 })
    } catch (error) {
      const { message, code, hint } = error as { message: string; code?: string; hint?: string }
      return Response.json({ message, code, hint }, { status: isBadInput(code) ? 400 : 500 })
    }
  }

  /** A page gets what it has missed, or all rows when it is new or was away for too long. */
  #watch(known: URLSearchParams): Response {
    const [browser, page] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket]
    page.accept()
    const seen = Number(known.get('n') ?? -1)
    const oldest = this.#messages[0]?.n ?? this.#n + 1
    if (known.get('life') === this.#life && seen >= oldest - 1 && seen <= this.#n) {
      for (const message of this.#messages.filter(({ n }) => n > seen)) page.send(JSON.stringify(message))
    } else {
      const rows = Object.fromEntries([...this.#rows].map(([table, each]) => [table, Object.fromEntries(each)]))
      page.send(JSON.stringify({ life: this.#life, n: this.#n, rows }))
    }
    this.#pages.add(page)
    const gone = () => this.#pages.delete(page)
    page.addEventListener('close', gone)
    page.addEventListener('error', gone)
    return new Response(null, { status: 101, webSocket: browser })
  }

  /** For tests and figures. */
  async #state(pg: Database): Promise<object> {
    const verified = await Promise.all(STREAM_TABLES.map((table) => pg.trickle.verifyStreamTable(table)))
    const { rows } = await pg.query('SELECT count(*)::int AS orders FROM orders')
    return {
      ...(rows[0] as object),
      isVerified: verified.every(({ ok }) => ok),
      codeGenerations: pg.static.codeGenerations,
      memory: pg.Module.HEAPU8.length,
      pages: this.#pages.size,
    }
  }
}

/** One order, or an array of them: all or none. */
async function addOrders(pg: Database, orders: unknown): Promise<Response> {
  const { rows } = await pg.query(
    `INSERT INTO orders (product, city, quantity)
     SELECT product, city, quantity FROM jsonb_to_recordset($1) AS o (product int, city text, quantity int)
     RETURNING id`,
    [JSON.stringify([orders].flat())],
  )
  return Response.json(rows, { status: 201 })
}

/** SQLSTATEs of class 22, data exceptions, and 23, violated constraints: what the page sent is wrong. */
function isBadInput(code: string | undefined): boolean {
  return /^2[23]/.test(code ?? '')
}
