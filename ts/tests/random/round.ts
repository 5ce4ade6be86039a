/** One random round, generated from its seed alone, run under the oracle, and shrunk when it fails. */
import type { Lab } from '../support/lab.js'
import { Clock, withoutClock } from '../support/clock.js'
import type { Database } from '../support/pglite.js'
import { Changes, CLOCK } from './change.js'
import { query, skewed } from './query.js'
import type { Query } from './query.js'
import { Rng } from './rng.js'
import { DOMAINS, tables } from './schema.js'

export interface Round {
  seed: number
  setup: string[]
  /** Facts are added up first wherever they can be. */
  preAggregate?: boolean
  views: Record<string, Query>
  steps: string[]
}

/** The outcome of a round. */
export interface Outcome {
  statements: number
  /** How often a stream table was compared with its query after a statement. */
  pairs: number
  /** Queries that PostgreSQL itself refuses. */
  skipped: number
  /** Statements that failed as they would without stream tables. */
  failed: number
}

/** Errors that random statements may cause: a duplicate key, a row changed twice, and the errors that follow. */
const EXPECTED = new Set(['23505', '21000', '27000', '25P02', '3B001'])
/** Errors that a query may raise: a subquery with several rows, a division by zero, a text that is no number. */
const RAISED = new Set(['21000', '22012', '22P02'])
/** How many times as many statements as usual a round has: creating stream tables takes most of its time. */
export const STEPS = Number(process.env.STEPS ?? 1)

export function generate(seed: number): Round {
  const rng = new Rng(seed)
  // Now and then, two groups hold all rows.
  const isSkewed = rng.chance(Number(process.env.SKEWED ?? 0.06))
  const sources = isSkewed ? tables(rng).slice(0, 2) : tables(rng)
  const changes = new Changes(rng, sources)
  // Tables are small, and so are changes: each way of applying them has its rounds.
  const way = process.env.WAY ?? rng.pick(['cheapest', 'cheapest', 'many', 'whole', 'at once'])
  const choice = way === 'cheapest' ? [] : [`SELECT pgtrickle.command('choose', '${way}')`]
  const initial = isSkewed ? changes.skewed() : changes.initial()
  const setup = [...choice, ...DOMAINS, ...sources.flatMap(({ ddl }) => ddl), ...initial]
  const readable = [...sources]
  const views: Round['views'] = {}
  for (let i = rng.int(1, 3); i >= 0; i--) {
    const name = `st${Object.keys(views).length + 1}`
    const { columns, ...made } = isSkewed ? skewed(rng, sources) : query(rng, readable)
    views[name] = { ...made, sql: withoutClock(made.sql) }
    // Sometimes a stream table is a source of the next ones.
    if (columns !== undefined && rng.chance(0.3)) readable.push({ name, columns, keyed: false, ddl: [] })
  }
  const steps = rng.times(STEPS * (isSkewed ? 5 : 8), STEPS * (isSkewed ? 8 : 14), () => changes.step()).flat()
  return { seed, setup, views, steps, ...(seed % 3 === 0 && { preAggregate: true }) }
}

const clocks = new WeakMap<Database, Clock>()

/** The clock of a database, which stands still. */
export function clockOf(pg: Database): Clock {
  const clock = clocks.get(pg) ?? new Clock(pg)
  clocks.set(pg, clock)
  return clock
}

/** Runs a round in its own schema. Throws when a stream table differs from its query. */
export async function run(lab: Lab, { setup, preAggregate, views, steps }: Round): Promise<Outcome> {
  const outcome: Outcome = { statements: 0, pairs: 0, skipped: 0, failed: 0 }
  lab.script.length = 0
  lab.watched.clear()
  const clock = clockOf(lab.pg)
  clock.set('2026-01-01T09:00:00Z')
  await lab.exec('DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test; SET search_path = test, public')
  try {
    for (const sql of setup) await tolerate(lab, sql, outcome)
    for (const [name, { sql, freeSpelling }] of Object.entries(views)) {
      if (await isRefused(lab, sql)) outcome.skipped++
      else await lab.create(name, sql, { freeSpelling, preAggregate })
    }
    for (const sql of steps) {
      if (sql.startsWith(CLOCK)) {
        clock.set(sql.slice(CLOCK.length))
        lab.script.push(sql)
        // Until `advance`, each stream table is right as of its own moment.
        continue
      }
      if (!(await tolerate(lab, sql, outcome, views))) continue
      outcome.pairs += await compare(lab, () => lab.check(sql))
    }
    await tolerate(lab, 'ROLLBACK', outcome)
    await compare(lab, () => lab.checkRefresh(false))
  } finally {
    lab.watched.clear()
    await lab.exec("ROLLBACK; SELECT pgtrickle.command('choose', 'cheapest')")
    clock.set()
  }
  return outcome
}

/** Runs a statement that may fail as expected. True when the database can be queried afterwards. */
async function tolerate(lab: Lab, sql: string, outcome: Outcome, views: Round['views'] = {}): Promise<boolean> {
  outcome.statements++
  try {
    await lab.exec(sql)
    return true
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === undefined || !(EXPECTED.has(code) || RAISED.has(code))) throw error
    outcome.failed++
    const isAlive = await lab.pg.query('SELECT 1').then(
      () => true,
      () => false,
    )
    if (isAlive && RAISED.has(code) && !(await isRaised(lab, sql, views))) throw error
    return isAlive
  }
}

/**
 * Compares the stream tables whose queries do not raise an error with the rows that there are now, and returns how many
 * they are.
 */
async function compare(lab: Lab, check: () => Promise<void>): Promise<number> {
  const all = [...lab.watched]
  try {
    await check()
    return all.length
  } catch (error) {
    if (!RAISED.has((error as { code?: string }).code ?? '')) throw error
    for (const [name, { query }] of all) if (await isRefused(lab, query)) lab.forget(name)
    if (lab.watched.size === all.length) throw error
    await check()
    return lab.watched.size
  } finally {
    for (const [name, watched] of all) lab.watched.set(name, watched)
  }
}

/** Whether the statement fails without stream tables, or one of their queries fails after it. */
async function isRaised(lab: Lab, sql: string, views: Round['views']): Promise<boolean> {
  const names = Object.keys(views).filter((name) => lab.watched.has(name))
  const statements = [
    ...[...names].reverse().map((name) => `DROP VIEW ${name} CASCADE`),
    ...names.map((name) => `CREATE VIEW ${name} AS ${lab.watched.get(name)?.query}`),
    sql,
    ...names.map((name) => `CREATE TEMP TABLE of_${name} ON COMMIT DROP AS SELECT * FROM ${name}`),
  ]
  await lab.pg.exec('BEGIN')
  try {
    for (const statement of statements) await lab.pg.exec(statement)
    return false
  } catch (error) {
    if (!RAISED.has((error as { code?: string }).code ?? '')) throw error
    return true
  } finally {
    await lab.pg.exec('ROLLBACK')
  }
}

/** Whether the query fails without a stream table too. */
async function isRefused(lab: Lab, sql: string): Promise<boolean> {
  return lab.pg.query(`SELECT q::text FROM (${sql}\n) q`).then(
    () => false,
    () => true,
  )
}

/** A failed round with its error. */
export interface Failed {
  round: Round
  error: unknown
}

/** The smallest part of a failing round that still fails with the same kind of error. */
export async function shrink(lab: Lab, failed: Failed, execute = run): Promise<Failed> {
  let smallest = failed
  const attempt = async (round: Round): Promise<boolean> => {
    try {
      await execute(lab, round)
      return false
    } catch (error) {
      if (kindOf(error) !== kindOf(failed.error)) return false
      smallest = { round, error }
      return true
    }
  }
  for (const name of Object.keys(failed.round.views).reverse()) {
    const left = Object.entries(smallest.round.views).filter(([other]) => other !== name)
    await attempt({ ...smallest.round, views: Object.fromEntries(left) })
  }
  for (const part of ['steps', 'setup'] as const) {
    // From the end, so that statements after the failure are removed first.
    for (let i = smallest.round[part].length - 1; i >= 0; i--) {
      await attempt({ ...smallest.round, [part]: smallest.round[part].filter((_, index) => index !== i) })
    }
  }
  for (const part of ['setup', 'steps'] as const) {
    for (let i = 0; i < smallest.round[part].length; i++) {
      for (let row = 0; ;) {
        const list = [...smallest.round[part]]
        const shorter = withoutRow(list[i] ?? '', row)
        if (shorter === undefined) break
        list[i] = shorter
        if (!(await attempt({ ...smallest.round, [part]: list }))) row++
      }
    }
  }
  return smallest
}

/** The statement without this row of its last VALUES list, if the list has it and at least one other. */
function withoutRow(sql: string, row: number): string | undefined {
  const [, head, list] = /^([\s\S]*VALUES )(\([\s\S]*\))$/.exec(sql) ?? []
  // Rows are lists of literals, so `), (` separates two rows unless it is inside a string.
  const rows = list?.slice(1, -1).split('), (')
  if (head === undefined || rows === undefined || rows.length < 2 || row >= rows.length) return undefined
  return `${head}(${rows.filter((_, index) => index !== row).join('), (')})`
}

function kindOf(error: unknown): string {
  const { name, code } = error as { name?: string; code?: string }
  return `${name} ${code}`
}

/** Prints a round as a case for `runCases`, ready to be pasted into a test. */
export function asCase({ seed, setup, preAggregate, views, steps }: Round): string {
  const text = (sql: string) => `\`${sql.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${')}\``
  const list = (items: string[]) => items.map((sql) => `    ${text(sql)},`).join('\n')
  const made = Object.entries(views).map(
    ([name, { sql, freeSpelling }]) =>
      `    ${name}: { query: ${text(sql)}${freeSpelling ? ', freeSpelling: true' : ''}${preAggregate ? ', preAggregate: true' : ''} },`,
  )
  return `{
  name: 'seed ${seed}',
  setup: [\n${list(setup)}\n  ],
  views: {\n${made.join('\n')}\n  },
  steps: [\n${list(steps)}\n  ],
},`
}
