/** Runs one script of a suite in a process of its own, and reports to the process that started it. */
import { readFile } from 'node:fs/promises'
import { Rng } from '../random/rng.js'
import { literal } from '../support/literal.js'
import { change } from './changes.js'
import type { Source } from './changes.js'
import { difference } from './compare.js'
import { open } from './database.js'
import { queryOf, statementsOf } from './script.js'
import type { Statement } from './script.js'

/** What a worker is asked to do. */
export interface Task {
  file: string
  folder: string
  /** A database with the tables of the suite, made by `setup`. */
  dataDir: string
  seed: number
  changes: number
  /** How many rows a table of the suite keeps. */
  rows: number
  /** The statement to start with. Those before it run, but not as stream tables. */
  from: number
  /** Statements that must not run, because they never end. */
  without: number[]
  /** Only run the script, and write the data directory. */
  setup?: boolean
}

/** What became of one query. */
export interface Result {
  at: number
  sql: string
  /** What kind of outcome it is, and its reason. */
  kind: 'exact' | 'rebuild' | 'refused' | 'wrong' | 'failed change' | 'failed creation' | 'free' | 'timeout' | 'crash'
  reason?: string
  comparisons: number
  /** The changes up to the one that went wrong. */
  changes?: string[]
}

export type Message = { begin: number; what: string } | { result: Result } | { skipped: number } | { done: true }

const NAME = 'public.pgt_suite'
const MOST_ROWS = 5_000

interface Failure {
  code?: string
  message: string
  where?: string
}

class Worker {
  private constructor(
    private readonly task: Task,
    private readonly pg: Awaited<ReturnType<typeof open>>,
  ) {}

  static async start(task: Task): Promise<void> {
    const worker = new Worker(task, await open(task.dataDir))
    const statements = statementsOf(await readFile(task.file, 'latin1'), task.folder)
    let last = ''
    for (const [at, statement] of statements.entries()) {
      const query = task.setup || at < task.from ? undefined : queryOf(statement.sql)
      // Many a query is explained first, and then run.
      if (query !== undefined && query !== last) await worker.#try(at, query)
      last = query ?? last
      tell({ begin: at, what: 'statement' })
      if (!task.without.includes(at)) await worker.#run(statement)
    }
    if (task.setup) {
      await worker.#thin(task.rows)
      await worker.#save()
    }
    tell({ done: true })
    process.exit(0)
  }

  async #run({ sql, rows }: Statement): Promise<void> {
    // PGlite cannot receive what follows, or send what is asked for.
    if (
      /^copy\b.*\bto\s+(stdout|stdin)\b/is.test(sql) ||
      (/^copy\b.*\bfrom\s+stdin\b/is.test(sql) && rows === undefined)
    )
      return
    const [, file] = /^copy\b.*\bfrom\s+'([^']*)'/is.exec(sql) ?? []
    const blob =
      rows !== undefined
        ? new Blob([rows])
        : file &&
          (await readFile(file).then(
            (data) => new Blob([data]),
            () => undefined,
          ))
    // A stream table cannot read a temporary table.
    const kept = sql.replace(/^create\s+(local\s+|global\s+)?temp(orary)?\s+(?=table\b)/i, 'CREATE ')
    const text = blob ? sql.replace(/\bfrom\s+(stdin|'[^']*')/i, "FROM '/dev/blob'") : kept
    await this.pg.query(text, [], blob ? { blob } : {}).catch(fatal)
  }

  /** Leaves each table its first rows. More of them say nothing more, and take hours. */
  async #thin(rows: number): Promise<void> {
    const tables = await this.pg.query<{ name: string }>(
      "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    )
    for (const { name } of tables.rows) {
      const { affectedRows } = await this.pg.query(
        `DELETE FROM ONLY ${name} WHERE ctid NOT IN (SELECT ctid FROM ONLY ${name} LIMIT ${rows})`,
      )
      if (affectedRows) await this.pg.exec(`VACUUM FULL ANALYZE ${name}`)
    }
  }

  async #save(): Promise<void> {
    const { writeFile } = await import('node:fs/promises')
    const dump = await this.pg.dumpDataDir('none')
    await writeFile(this.task.dataDir, Buffer.from(await dump.arrayBuffer()))
  }

  /** Creates a stream table of the query, changes its sources, and takes everything back. */
  async #try(at: number, query: string): Promise<void> {
    const begin = (what: string) => tell({ begin: at, what })
    begin('query')
    const inside = await this.pg.query('SAVEPOINT pgt').then(
      () => true,
      (error: Failure) => (error.code === '25P02' ? undefined : false),
    )
    if (inside === undefined) return tell({ skipped: at })
    if (!inside) await this.pg.query('BEGIN')
    await this.pg.query('SET LOCAL SESSION AUTHORIZATION DEFAULT')
    try {
      const result = await this.#result(query, begin)
      if (result === undefined) tell({ skipped: at })
      else tell({ result: { at, sql: query, ...result } })
    } catch (error) {
      fatal(error)
      tell({ result: { at, sql: query, kind: 'crash', reason: String(error), comparisons: 0 } })
    } finally {
      begin('rollback')
      await this.pg.exec(inside ? 'ROLLBACK TO pgt; RELEASE pgt' : 'ROLLBACK')
    }
  }

  async #result(query: string, begin: (what: string) => void): Promise<Omit<Result, 'at' | 'sql'> | undefined> {
    // As a view, because that is what a stream table's query must be fit for.
    const failed = await this.#attempt(async () => {
      await this.pg.query(`CREATE TEMP VIEW pgt_plain AS ${query}`)
      const { rows } = await this.pg.query<{ n: number }>(
        'SELECT count(pgt_row::text)::int AS n FROM pg_temp.pgt_plain AS pgt_row',
      )
      await this.pg.query('DROP VIEW pg_temp.pgt_plain')
      if ((rows[0]?.n ?? 0) > MOST_ROWS) throw new Error('too many rows')
    })
    if (failed !== undefined) return undefined
    await this.pg.exec('SAVEPOINT pgt_before')

    begin('create')
    const refused = await this.#attempt(() => this.pg.trickle.createStreamTable(NAME, query))
    if (refused !== undefined) {
      const kind =
        (refused.code === '0A000' && /^a stream table|column name|source/.test(refused.message)) ||
        // A cursor of the script is open.
        refused.code === '55006'
          ? 'refused'
          : 'failed creation'
      return { kind, reason: `${refused.code} ${refused.message}`, comparisons: 0 }
    }
    const { stages } = await this.pg.trickle.explainStreamTable(NAME)
    const rebuilt = stages.find((stage) => stage.way === 'rebuild')
    const changes: string[] = []
    let comparisons = 0
    const outcome = (kind: Result['kind'], reason?: string) => ({
      kind,
      comparisons,
      changes,
      ...(reason && { reason }),
    })
    const compare = async () => {
      comparisons++
      const wrong = difference(await this.#texts(query), await this.#texts(`SELECT * FROM ${NAME}`))
      if (wrong === undefined) return undefined
      begin('shuffle')
      if (await this.#isFree(query)) return outcome('free')
      return outcome(
        'wrong',
        `missing ${wrong.missing.slice(0, 5).join(' ')}, extra ${wrong.extra.slice(0, 5).join(' ')}`,
      )
    }
    let wrong = await compare()
    if (wrong !== undefined) return wrong
    const rng = new Rng(this.task.seed)
    for (let i = 0; i < this.task.changes; i++) {
      begin(`change ${i + 1}`)
      const sources = await this.#sources()
      if (sources.length === 0) break
      const sql = change(rng, sources)
      const error = await this.#attempt(() => this.pg.query(sql))
      if (error !== undefined && !error.where?.includes('Stream table:')) continue
      changes.push(sql)
      if (error !== undefined) {
        if (await this.#failsToo(query, changes)) continue
        return outcome('failed change', `${error.code} ${error.message}`)
      }
      begin(`comparison ${i + 1}`)
      const failed = await this.#attempt(async () => {
        wrong = await compare()
      })
      if (failed !== undefined) throw failed
      if (wrong !== undefined) return wrong
    }
    return rebuilt ? outcome('rebuild', rebuilt.reason ?? '') : outcome('exact')
  }

  /** Whether the query itself fails after the changes, without a stream table. Takes everything back that was done. */
  async #failsToo(query: string, changes: string[]): Promise<boolean> {
    await this.pg.exec('SAVEPOINT pgt_alone')
    try {
      await this.pg.trickle.dropStreamTable(NAME)
      await this.pg.query(changes.at(-1) ?? '')
      await this.#texts(query)
      return false
    } catch (error) {
      fatal(error)
      changes.pop()
      return true
    } finally {
      await this.pg.exec('ROLLBACK TO pgt_alone')
    }
  }

  /** Whether the query has several results: whether it has another one over the same rows in another order. */
  async #isFree(query: string): Promise<boolean> {
    const before = await this.#texts(query)
    await this.pg.exec('SAVEPOINT pgt_shuffle')
    try {
      for (const { name, columns } of await this.#sources()) {
        const names = columns.map((column) => column.name).join(', ')
        const order = `md5(q::text), ${'ctid'}`
        await this.pg.exec(`SET LOCAL session_replication_role = replica;
          CREATE TEMP TABLE pgt_shuffled AS SELECT ${names} FROM ${name} q ORDER BY ${order};
          DELETE FROM ${name}; INSERT INTO ${name} (${names}) SELECT * FROM pgt_shuffled; DROP TABLE pgt_shuffled`)
        if (difference(before, await this.#texts(query)) !== undefined) return true
      }
      for (const setting of [
        'enable_hashagg',
        'enable_sort',
        'enable_seqscan',
        'enable_hashjoin',
        'enable_mergejoin',
        'enable_nestloop',
      ]) {
        await this.pg.exec(`SET LOCAL ${setting} = off`)
        if (difference(before, await this.#texts(query)) !== undefined) return true
      }
      return false
    } finally {
      await this.pg.exec('ROLLBACK TO pgt_shuffle')
    }
  }

  /** The tables that the stream table reads, and what can be written to them. */
  async #sources(): Promise<Source[]> {
    const list = await this.pg.trickle.listStreamTables()
    const names = list.find(({ schema, name }) => `${schema}.${name}` === NAME)?.sources ?? []
    const sources: Source[] = []
    for (const name of names) {
      const columns = await this.pg.query<Source['columns'][number]>(`
        SELECT quote_ident(attname) AS name, format_type(atttypid, NULL) AS type, NOT attnotnull AS "isNullable" FROM pg_attribute
        WHERE attrelid = ${literal(name)}::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a' ORDER BY attnum`)
      const { rows } = await this.pg.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${name}`)
      if (columns.rows.length > 0) sources.push({ name, columns: columns.rows, rows: rows[0]?.rows ?? 0 })
    }
    return sources
  }

  /** The rows of a query, as texts in PostgreSQL's own spelling. */
  async #texts(query: string): Promise<string[]> {
    const { rows } = await this.pg.query<{ row: string }>(`SELECT pgt_row::text AS "row" FROM (${query}\n) AS pgt_row`)
    return rows.map(({ row }) => row)
  }

  /** Does something in a subtransaction. Returns the error, if any. */
  async #attempt(work: () => Promise<unknown>): Promise<Failure | undefined> {
    await this.pg.exec('SAVEPOINT pgt_attempt')
    try {
      await work()
      await this.pg.exec('RELEASE pgt_attempt')
      return undefined
    } catch (error) {
      fatal(error)
      await this.pg.exec('ROLLBACK TO pgt_attempt; RELEASE pgt_attempt')
      return error as Failure
    }
  }
}

/** Throws what is not an error of PostgreSQL: the module has crashed, and cannot go on. */
function fatal(error: unknown): void {
  if ((error as Failure).code === undefined && !/^too many rows/.test((error as Failure).message)) throw error
}

function tell(message: Message): void {
  process.send?.(message)
}

process.once('message', (task: Task) => {
  Worker.start(task).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
