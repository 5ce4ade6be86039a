/** What the page shows and does, in the form of React's `useSyncExternalStore`. */
import type { StreamTable, StreamTablePlan, TrickleError } from '@pgtrickle/pglite'
import { load, maintain, measure, open, planOf, RESULT, startMeasuring } from './database'
import type { Cost, Database, Table } from './database'
import { DATASETS } from './datasets'
import type { DatasetName } from './datasets'
import type { Range } from './editor/editor'
import { fromFragment, startOf, toFragment } from './share'
import type { Shared } from './share'

/** An error in the query, and where it is. */
export interface Wrong {
  message: string
  hint: string | undefined
  range: Range | undefined
}

/** How many rows of the stream table a change has inserted, updated and deleted. */
export interface Effect {
  insert: number
  update: number
  delete: number
}

export interface State extends Shared {
  /** What the page waits for, if it does. */
  waitsFor: string | undefined
  /** Why there is no database. */
  failure: string | undefined
  db: Database | undefined
  tables: readonly Table[]
  plan: StreamTablePlan | undefined
  wrong: Wrong | undefined
  /** The stream table, and its number: each query makes another. */
  table: StreamTable | undefined
  generation: number
  /** What the last change said. */
  status: string
  isError: boolean
  effect: Effect | undefined
  costs: readonly Cost[]
  /** Whether changes are made again and again. */
  isChanging: boolean
}

/** Milliseconds without a letter typed after which the plan is made. */
const PAUSE = 200

/** Milliseconds between changes that go on by themselves, and between measurements. */
const BETWEEN_CHANGES = 100
const BETWEEN_MEASUREMENTS = 400

/** How many measurements are kept. */
const COSTS = 30

const FIRST: DatasetName = 'shop'

export class Session {
  #state: State = {
    ...startOf(FIRST),
    waitsFor: 'Starting PostgreSQL in this browser',
    failure: undefined,
    db: undefined,
    tables: [],
    plan: undefined,
    wrong: undefined,
    table: undefined,
    generation: 0,
    status: '',
    isError: false,
    effect: undefined,
    costs: [],
    isChanging: false,
  }
  readonly #listeners = new Set<() => void>()
  /** Steps of several statements run one after the other. */
  #queue: Promise<unknown> = Promise.resolve()
  #planTimer: ReturnType<typeof setTimeout> | undefined
  #measureTimer: ReturnType<typeof setTimeout> | undefined
  #changes = 0
  /** The kinds of changes that the stream table has seen: with the first of a kind, PostgreSQL plans its maintenance. */
  readonly #known = new Set<string>()
  #unsubscribe: (() => Promise<void>) | undefined
  #isStarted = false

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly state = (): State => this.#state

  /** Opens the database and shows what the address says. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    addEventListener('hashchange', () => void this.#follow())
    this.#enqueue(async () => {
      const db = await open()
      await startMeasuring(db)
      this.#set({ db })
      await this.#show((await fromFragment(location.hash)) ?? startOf(FIRST))
    })
  }

  chooseDataset(dataset: DatasetName): void {
    if (location.hash) history.replaceState(null, '', location.pathname + location.search)
    this.#enqueue(() => this.#show(startOf(dataset)))
  }

  setQuery(query: string): void {
    if (query === this.#state.query) return
    this.#set({ query })
    clearTimeout(this.#planTimer)
    this.#planTimer = setTimeout(() => this.#enqueue(() => this.#plan(query)), PAUSE)
  }

  /** Puts a query into the editor and makes it the stream table. */
  chooseQuery(query: string): void {
    this.#set({ query })
    this.run()
  }

  setChange(change: string): void {
    this.#set({ change })
  }

  /** Makes what is in the editor the stream table. */
  run(): void {
    clearTimeout(this.#planTimer)
    this.#enqueue(async () => {
      const { query } = this.#state
      await this.#plan(query)
      if (this.#state.wrong === undefined) await this.#maintain(query)
    })
  }

  /** Runs SQL that changes something. */
  apply(sql: string): void {
    this.#enqueue(() => this.#apply(sql))
  }

  /** Starts or stops changes that go on by themselves. */
  toggleChanges(): void {
    const isChanging = !this.#state.isChanging
    this.#set({ isChanging })
    if (isChanging) this.#goOn()
  }

  /** The address of what is shown. It also becomes that of the page. */
  async share(): Promise<string> {
    history.replaceState(null, '', await toFragment(this.#state))
    return location.href
  }

  async #follow(): Promise<void> {
    const shared = await fromFragment(location.hash)
    if (shared) this.#enqueue(() => this.#show(shared))
  }

  async #show(shared: Shared): Promise<void> {
    await this.#forget()
    this.#set({
      ...shared,
      waitsFor: `Filling the tables of ${DATASETS[shared.dataset].title}`,
      tables: [],
      plan: undefined,
      wrong: undefined,
      status: '',
      isChanging: false,
    })
    this.#set({ tables: await load(this.#db, shared.dataset) })
    await this.#plan(shared.query)
    if (this.#state.wrong === undefined) await this.#maintain(shared.query)
    this.#set({ waitsFor: undefined })
  }

  async #plan(query: string): Promise<void> {
    if (query !== this.#state.query) return
    try {
      this.#set({ plan: await planOf(this.#db, query), wrong: undefined })
    } catch (error) {
      // The last plan stays while someone types.
      this.#set({ wrong: wrongOf(error as TrickleError, query) })
    }
  }

  async #maintain(query: string): Promise<void> {
    await this.#forget()
    try {
      const table = await maintain(this.#db, query)
      this.#unsubscribe = await this.#db.trickle.subscribe(
        RESULT,
        (changes) => {
          const effect: Effect = { insert: 0, update: 0, delete: 0 }
          for (const { op } of changes) effect[op]++
          this.#set({ effect })
        },
        { initial: false, onError: () => {} },
      )
      this.#set({ table, generation: this.#state.generation + 1 })
      this.#known.clear()
      await this.#measure()
    } catch (error) {
      this.#set({ wrong: wrongOf(error as TrickleError, query) })
    }
  }

  /** The stream table on the screen is no longer the one that is wanted. */
  async #forget(): Promise<void> {
    await this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.#set({ table: undefined, effect: undefined, costs: [] })
  }

  async #apply(sql: string): Promise<void> {
    const kind = kindOf(sql)
    const isFirst = !this.#known.has(kind)
    this.#known.add(kind)
    if (isFirst && this.#changes > 0) await this.#measure()
    const start = performance.now()
    try {
      this.#set({ effect: undefined })
      const results = await this.#db.exec(sql)
      const took = performance.now() - start
      const rows = results.reduce((sum, { affectedRows = 0 }) => sum + affectedRows, 0)
      this.#set({
        status: `${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'} changed in ${took.toFixed(1)} ms`,
        isError: false,
      })
      this.#changes++
      if (isFirst) await this.#measure(false)
      else this.#measureTimer ??= setTimeout(() => this.#enqueue(() => this.#measure()), BETWEEN_MEASUREMENTS)
    } catch (error) {
      this.#set({ status: (error as Error).message, isError: true, isChanging: false })
    }
  }

  #goOn(): void {
    if (!this.#state.isChanging) return
    const { changes } = DATASETS[this.#state.dataset]
    // Not the last one, which changes many rows.
    const { sql } = changes[Math.floor(Math.random() * (changes.length - 1))]!
    this.apply(sql)
    void this.#queue.then(() => setTimeout(() => this.#goOn(), BETWEEN_CHANGES))
  }

  /** Measures what the changes since the last measurement have cost. */
  async #measure(counts = true): Promise<void> {
    clearTimeout(this.#measureTimer)
    this.#measureTimer = undefined
    const { table, costs } = this.#state
    const changes = this.#changes
    this.#changes = 0
    if (!table) return
    try {
      const cost = await measure(this.#db, table.query.trim().replace(/;$/, ''), changes)
      // What touches nothing that the query reads costs nothing, and says nothing.
      if (counts && changes > 0 && cost.maintenance > 0) this.#set({ costs: [...costs, cost].slice(-COSTS) })
    } catch {
      // The statement of a change has dropped what the query reads, for example. The stream table says so.
    }
  }

  get #db(): Database {
    if (this.#state.db === undefined) throw new Error('The database is not open yet.')
    return this.#state.db
  }

  #enqueue(step: () => Promise<void>): void {
    this.#queue = this.#queue
      .then(step)
      .catch((error: Error) => this.#set({ failure: error.message, waitsFor: undefined }))
  }

  #set(changed: Partial<State>): void {
    this.#state = { ...this.#state, ...changed }
    for (const listener of this.#listeners) listener()
  }
}

/** Statements that differ in their constants alone are of one kind. */
const kindOf = (sql: string) => sql.replaceAll(/'[^']*'|\d+/g, '?')

/** Where the error is: PostgreSQL says it for what it refuses, and the plugin names the part that it refuses. */
function wrongOf(error: TrickleError, query: string): Wrong {
  const { message, hint, fragment } = error
  const cause = (error.cause ?? {}) as { position?: string; internalPosition?: string }
  const position = Number(cause.internalPosition ?? cause.position) - 1
  const from = position >= 0 ? position : fragment === undefined ? -1 : query.indexOf(fragment)
  if (from < 0) return { message, hint, range: undefined }
  const word = /^\w+|^\S/.exec(query.slice(from))?.[0] ?? ''
  const length = position >= 0 ? word.length : (fragment?.length ?? 0)
  return { message, hint, range: { from, to: from + length } }
}
