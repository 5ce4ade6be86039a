/**
 * A PostgreSQL server with the native extension in place of PGlite, for the tests that only use SQL and the plugin's methods.
 * `NATIVE=1 npx vitest run --project native18` runs them; each database has a server of its own, which ends with it.
 */
import type { Client, QueryArrayConfig, QueryArrayResult } from 'pg'
import { types } from 'pglite-0.5'
import { trickle } from '../../dist/index.js'
import type { Database } from './modules.js'
import { Server } from './server.mjs'

type Parser = (text: string, type?: number) => unknown

interface Options {
  rowMode?: 'array' | 'object'
  parsers?: Record<number, Parser>
  onNotice?: (notice: object) => void
}

/** What PGlite returns for a statement. */
interface Results {
  rows: unknown[]
  fields: { name: string; dataTypeID: number }[]
  affectedRows: number
}

/** One session in the shape of a PGlite. */
class Session {
  readonly #client: Client
  readonly #server: Server
  #parsers: Record<number, Parser> = types.parsers as Record<number, Parser>
  #arrays = new Map<number, number>()
  #queue: Promise<unknown> = Promise.resolve()

  constructor(server: Server, client: Client) {
    this.#server = server
    this.#client = client
  }

  /** Reads which types are arrays of which, as PGlite does when it opens. */
  async init(): Promise<void> {
    const { rows } = await this.#client.query<{ oid: string; element: string }>(
      'SELECT oid, typelem AS element FROM pg_type WHERE typcategory = $1',
      ['A'],
    )
    this.#arrays = new Map(rows.map(({ oid, element }) => [Number(oid), Number(element)]))
  }

  query(sql: string, params: unknown[] = [], options: Options = {}): Promise<Results> {
    return this.#exclusive(() => this.#query(sql, params, options))
  }

  exec(sql: string, options: Options = {}): Promise<Results[]> {
    return this.#exclusive(() => this.#exec(sql, options))
  }

  /** Runs a function in a transaction, which it may roll back. */
  transaction<T>(body: (tx: object) => Promise<T>): Promise<T> {
    return this.#exclusive(async () => {
      await this.#client.query('BEGIN')
      const tx = {
        closed: false,
        query: (sql: string, params: unknown[] = [], options: Options = {}) => this.#query(sql, params, options),
        exec: (sql: string, options: Options = {}) => this.#exec(sql, options),
        rollback: async () => {
          await this.#client.query('ROLLBACK')
          tx.closed = true
        },
      }
      try {
        const result = await body(tx)
        if (!tx.closed) await this.#client.query('COMMIT')
        return result
      } catch (error) {
        if (!tx.closed) await this.#client.query('ROLLBACK')
        throw error
      } finally {
        tx.closed = true
      }
    })
  }

  async close(): Promise<void> {
    await this.#client.end()
    await this.#server.stop()
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.catch(() => undefined)
    return done
  }

  async #query(sql: string, params: unknown[], options: Options): Promise<Results> {
    // Always by the extended protocol, which takes one statement.
    const query = { text: sql, values: params.map(serialized), rowMode: 'array', queryMode: 'extended' }
    const result = await this.#noticed(options, () => this.#client.query(query as QueryArrayConfig))
    return this.#results(result, options)
  }

  async #exec(sql: string, options: Options): Promise<Results[]> {
    const query = { text: sql, rowMode: 'array' } as QueryArrayConfig
    const result = await this.#noticed(options, () => this.#client.query(query))
    return [result].flat().map((each) => this.#results(each, options))
  }

  async #noticed<T>({ onNotice }: Options, work: () => Promise<T>): Promise<T> {
    if (onNotice) this.#client.on('notice', onNotice)
    try {
      return await work()
    } finally {
      if (onNotice) this.#client.removeListener('notice', onNotice)
    }
  }

  #results({ command, rowCount, fields, rows }: QueryArrayResult, { rowMode, parsers = {} }: Options): Results {
    const values = rows.map((row) =>
      row.map((value, i) => this.#parse(value as string | null, fields[i]!.dataTypeID, parsers)),
    )
    const named = () => values.map((row) => Object.fromEntries(row.map((value, i) => [fields[i]!.name, value])))
    return {
      rows: rowMode === 'array' ? values : named(),
      fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })),
      affectedRows: /^(INSERT|UPDATE|DELETE|MERGE|COPY)/.test(command) ? (rowCount ?? 0) : 0,
    }
  }

  #parse(value: string | null, type: number, given: Record<number, Parser>): unknown {
    if (value === null) return null
    const parser = given[type] ?? this.#parsers[type]
    if (parser) return parser(value, type)
    const element = this.#arrays.get(type)
    if (element === undefined) return value
    const inner = given[element] ?? this.#parsers[element] ?? String
    return types.arrayParser(value, inner, type)
  }
}

function serialized(value: unknown): unknown {
  return typeof value === 'boolean' || typeof value === 'number' ? String(value) : value
}

/** Starts a server and opens a session, with the extension and the plugin's methods. */
export async function openNative(major: 17 | 18, user?: string): Promise<Database> {
  const server = await Server.start(major)
  try {
    return await open(server, user)
  } catch (error) {
    await server.stop() // which says more, if the server has crashed
    throw error
  }
}

async function open(server: Server, user?: string): Promise<Database> {
  const client = await server.connect(user)
  await client.query('CREATE EXTENSION pg_trickle')
  const session = new Session(server, client)
  await session.init()
  // As in a tab of PGlite's worker, the extension is elsewhere.
  const { namespaceObj } = await trickle.setup(session as unknown as Parameters<typeof trickle.setup>[0], {}, true)
  return Object.assign(session, { trickle: namespaceObj }) as unknown as Database
}
