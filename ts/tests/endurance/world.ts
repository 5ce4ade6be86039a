/** A database on disk that survives kills, with the oracle, subscribers and faults. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { TrickleError } from '../../dist/index.js'
import type { Rng } from '../random/rng.js'
import { Clock } from '../support/clock.js'
import { failing, withFailingMemory, withFreeBytes } from '../support/failing-memory.js'
import { leftAtWrite } from '../support/killing.js'
import { Lab } from '../support/lab.js'
import type { Failure } from '../support/lab.js'
import { emptyDataDir, openDatabase } from '../support/pglite.js'

/** What comes during a statement. */
export type Fault = 'none' | 'refused' | 'full' | 'guard' | 'panic' | 'killed' | 'reopened'

interface Subscriber {
  rows: Map<string, unknown>
  errors: TrickleError[]
  end: () => Promise<void>
}

/** The session ends when it is killed or closed: its settings are gone. */
const SESSION = 'SET search_path = test, public; SET check_function_bodies = off'

const newFolder = () => mkdtemp(join(tmpdir(), 'pg_trickle-'))
const remove = (folder: string) => rm(folder, { recursive: true, force: true })

export class World {
  readonly lab = new Lab()
  readonly count: Record<string, number> = {}
  #dataDir = ''
  #time = '2026-01-01T09:00:00Z'
  #clock: Clock | undefined
  /** By the id of the stream table, which can be renamed. */
  #subscribers = new Map<number, Subscriber>()
  /** What stream tables are called, by their ids. */
  #names = new Map<number, string>()

  constructor(readonly rng: Rng) {}

  async open(): Promise<void> {
    this.#dataDir = await newFolder()
    await this.#start(await emptyDataDir())
  }

  async close(): Promise<void> {
    await this.lab.close()
    await remove(this.#dataDir)
  }

  async #start(loadDataDir?: Blob): Promise<void> {
    const pg = await withFailingMemory(() =>
      openDatabase({ dataDir: this.#dataDir, ...(loadDataDir && { loadDataDir }) }),
    )
    await this.lab.open(pg)
    this.#clock = new Clock(pg)
    this.setClock(this.#time)
    // PGlite does not notice that there is no memory for a library, which PL/pgSQL is.
    await this.lab.exec('DO $$ BEGIN END $$')
    if (loadDataDir === undefined) await this.lab.exec(SESSION)
  }

  setClock(time: string): void {
    this.#time = time
    this.#clock?.set(time)
  }

  note(what: string): void {
    this.count[what] = (this.count[what] ?? 0) + 1
  }

  /** Opens the database again: after it was closed, or what a process left of it that was killed. */
  async reopen(left?: string): Promise<void> {
    this.lab.script.push('-- opened again')
    await this.lab.close().catch(() => undefined)
    this.#subscribers.clear()
    if (left !== undefined) {
      await remove(this.#dataDir)
      this.#dataDir = left
    }
    await this.#start()
  }

  /** An empty schema for a round. */
  async reset(): Promise<void> {
    for (const { end } of this.#subscribers.values()) await end()
    this.#subscribers.clear()
    this.lab.watched.clear()
    await this.lab.exec('ROLLBACK; RESET ALL; RESET ROLE; DEALLOCATE ALL')
    await this.lab.exec('DROP SCHEMA IF EXISTS test CASCADE; DROP SCHEMA IF EXISTS test2 CASCADE')
    const [left] = await this.lab.exec(
      "SELECT count(*)::int AS n FROM pg_class WHERE relnamespace = 'pgtrickle'::regnamespace AND relname ~ '^(st|def)_[0-9]'",
    )
    expect(left?.n, 'storage without a stream table').toBe(0)
    this.lab.script.length = 0
    await this.lab.exec(`CREATE SCHEMA test; ${SESSION}`)
  }

  /** Runs a statement under a fault. Returns its error. The session may be another one afterwards. */
  async under(fault: Fault, sql: string): Promise<Failure | undefined> {
    const { lab, rng } = this
    let error: Failure | undefined
    const run = async () => {
      error = await lab.exec(sql).then(
        () => undefined,
        (thrown: unknown) => thrown as Failure,
      )
    }
    const before = (text: string) => lab.exec(text).catch(() => undefined)
    const spread = (most: number) => Math.floor(most ** rng.next())
    this.note(fault)
    switch (fault) {
      case 'none':
        await run()
        break
      case 'refused': {
        const which = rng.pick(['one', 'all'] as const)
        const n = spread(3000)
        lab.script.push(`-- allocation ${n} is refused, ${which}`)
        if (await failing(n, run, which)) this.note('allocations refused')
        break
      }
      case 'full': {
        const bytes = 16_384 * spread(257)
        lab.script.push(`-- ${bytes} bytes are free`)
        if (await withFreeBytes(bytes, run)) this.note('heaps full')
        break
      }
      case 'guard': {
        const { used } = await this.#memory()
        await before(`SET pgtrickle.memory_limit = '${Math.floor(used / rng.pick([0.82, 0.99, 0.99]))}'`)
        await run()
        break
      }
      case 'panic':
        await before(`SELECT pgtrickle.command('panic', '${2 + spread(60)}')`)
        await run()
        break
      case 'killed': {
        const n = spread(5)
        const left = await newFolder()
        lab.script.push(`-- killed at write ${n}`)
        if (await leftAtWrite(n, this.#dataDir, left, run)) this.note('killed at a write')
        error = undefined
        await this.reopen(left)
        break
      }
      case 'reopened':
        await run()
        await this.reopen()
        break
    }
    if (fault === 'guard' || fault === 'panic') await this.#calm()
    return error
  }

  async #memory(): Promise<{ used: number }> {
    const rows = await this.lab.exec("SELECT pgtrickle.command('memory') AS json").catch(() => [])
    return JSON.parse(String(rows[0]?.json ?? '{"used":200000000}')) as { used: number }
  }

  /** Ends a fault that is a setting. */
  async #calm(): Promise<void> {
    const end = "RESET ROLE; RESET pgtrickle.memory_limit; SELECT pgtrickle.command('panic', '0')"
    for (let n = 0; n < 3; n++) {
      const error = await this.lab.exec(end).catch((thrown: unknown) => thrown as Failure)
      if (Array.isArray(error)) return
      if (error.code === 'XX000') expect(error.message).toContain('asked for')
      else expect(error.code).toBe('25P02')
      await this.lab.exec('ROLLBACK').catch(() => undefined)
    }
    await this.lab.exec(end)
  }

  /** Compares every existing stream table with the view that defines it, and every subscriber with its stream table. */
  async check(after: string): Promise<void> {
    const { lab } = this
    const { rows } = await lab.pg.query<{ name: string; definition: string; id: number }>(
      'SELECT relid::oid::regclass::text AS name, definition::text, id FROM pgtrickle.stream_table',
    )
    this.#names = new Map(rows.map(({ id, name }) => [id, name]))
    lab.watched.clear()
    for (const { name, definition } of rows) await lab.watch(name, `SELECT * FROM ${definition}`)
    await lab.check(after)
    this.count.pairs = (this.count.pairs ?? 0) + rows.length
  }

  /** Whether no transaction is open. */
  async isAlone(): Promise<boolean> {
    try {
      await this.lab.pg.exec('SAVEPOINT probe')
    } catch (error) {
      return (error as Failure).code === '25P01'
    }
    await this.lab.pg.exec('RELEASE probe')
    return false
  }

  /** Subscribes to a stream table. Only where no transaction is open. */
  async subscribe(): Promise<void> {
    const others = [...this.#names].filter(([id]) => !this.#subscribers.has(id))
    if (others.length === 0) return
    const [id, name] = this.rng.pick(others)
    const subscriber: Subscriber = { rows: new Map(), errors: [], end: () => Promise.resolve() }
    this.lab.script.push(`-- subscribe to ${name}`)
    const { rows } = subscriber
    subscriber.end = await this.lab.pg.trickle.subscribe(
      name,
      (changes) => {
        for (const { op, id, row } of changes) {
          if (op === 'delete') rows.delete(id)
          else rows.set(id, row)
        }
      },
      { onError: (error) => subscriber.errors.push(error) },
    )
    this.#subscribers.set(id, subscriber)
    this.note('subscriptions')
  }

  /** Compares what subscribers were told with their stream tables. Only where no transaction is open. */
  async checkSubscribers(after: string): Promise<void> {
    for (const [id, subscriber] of this.#subscribers) {
      const name = this.#names.get(id)
      const told = () => sorted([...subscriber.rows.values()])
      const truth = async () => (name ? sorted((await this.lab.pg.query(`SELECT * FROM ${name}`)).rows) : 'dropped')
      for (let n = 0; n < 3000 && subscriber.errors.length === 0; n++) {
        if (told() === (await truth())) break
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      if (subscriber.errors.length > 0) {
        this.#subscribers.delete(id)
        await subscriber.end()
        continue
      }
      expect(told(), `subscriber of ${name} after ${after}`).toBe(await truth())
      this.note('subscribers compared')
    }
  }
}

function sorted(rows: unknown[]): string {
  return rows
    .map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)))
    .sort()
    .join('\n')
}
