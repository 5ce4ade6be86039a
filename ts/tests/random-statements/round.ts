/** One round of random statements, generated from its seed alone and run under the oracle. */
import type { Lab } from '../support/lab.js'
import { literal } from '../support/literal.js'
import { Replica } from '../support/replica.js'
import { CLOCK } from '../random/change.js'
import { clockOf } from '../random/round.js'
import { Rng } from '../random/rng.js'
import type { Outcome, Round } from '../random/round.js'
import { Statements } from './statement.js'
import { SINCE_18, WORLD } from './world.js'

/**
 * The error classes in which random statements may fail, because they do not know what exists. Failures of PostgreSQL or
 * of the extension itself are in none of these classes.
 */
export const EXPECTED =
  /^(0A000|21000|22012|22023|23...|25P01|25P02|25001|26000|27000|2BP01|3B001|34000|3F000|42...|55006|55P04|P0001)$/
/** The error classes in which a wrong maintenance statement would fail. */
export const OURS = /^(23505|23502|42P01|42703|42883|42P07|42704)$/

/** The PostgreSQL major version that the round is for. */
export function generate(seed: number, major: number): Round {
  const rng = new Rng(seed)
  const statements = new Statements(rng, major)
  const setup = [...WORLD, ...(major > 17 ? SINCE_18 : []), ...statements.initial()]
  const views = statements.streams(rng.int(2, 6))
  const steps = rng.times(12, 24, () => statements.step()).flat()
  return { seed, setup, views, steps }
}

/** Runs a round in its own schema. Throws when a stream table differs from its query. */
export async function run(lab: Lab, { setup, views, steps }: Round): Promise<Outcome> {
  const outcome: Outcome = { statements: 0, pairs: 0, skipped: 0, failed: 0 }
  const clock = clockOf(lab.pg)
  clock.set('2026-01-01T09:00:00Z')
  await lab.reset()
  await lab.exec('SET check_function_bodies = off')
  try {
    for (const sql of setup) await lab.exec(sql).catch(tolerable)
    for (const [name, { sql }] of Object.entries(views)) {
      await lab.exec(`SELECT pgtrickle.create_stream_table('${name}', '${sql.replaceAll("'", "''")}')`)
    }
    await check(lab, 'setup')
    const feeds = await keepChanges(lab)
    for (const sql of steps) {
      if (sql.startsWith(CLOCK)) {
        clock.set(sql.slice(CLOCK.length))
        lab.script.push(sql)
      } else {
        await step(lab, sql, outcome)
      }
    }
    await step(lab, 'ROLLBACK', outcome)
    await checkFeeds(lab, feeds)
    await lab.checkRefresh()
  } finally {
    lab.watched.clear()
    await lab.exec('ROLLBACK')
    await lab.exec('RESET ALL; RESET ROLE; DEALLOCATE ALL')
    await lab.exec('DROP SCHEMA IF EXISTS test CASCADE; DROP SCHEMA IF EXISTS test2 CASCADE')
    clock.set()
  }
  return outcome
}

/** Keeps the changes of all stream tables, and copies these, by their number: they may get other names. */
async function keepChanges(lab: Lab): Promise<Map<number, Replica>> {
  const replicas = new Map<number, Replica>()
  for (const { id, name } of await streamTables(lab)) {
    await lab.exec(`SELECT pgtrickle.keep_changes(${literal(name)}, retain => NULL)`)
    replicas.set(id, await new Replica(lab, name).begin())
  }
  return replicas
}

/** What the feeds told of all the statements makes the copies equal to the stream tables that are still there. */
async function checkFeeds(lab: Lab, replicas: Map<number, Replica>): Promise<void> {
  // As the feeds were written.
  await lab.exec('RESET ALL; RESET ROLE; SET search_path = test, public')
  for (const { id, name } of await streamTables(lab)) {
    const replica = replicas.get(id)
    if (replica === undefined) continue
    replica.name = name
    await replica.follow()
    await replica.check('all statements')
    if (replica.snapshots > 1) throw new Error(`the feed of ${name} has lost changes`)
  }
}

async function streamTables(lab: Lab): Promise<{ id: number; name: string }[]> {
  const { rows } = await lab.pg.query<{ id: number; name: string }>(
    'SELECT id, relid::oid::regclass::text AS name FROM pgtrickle.stream_table ORDER BY id',
  )
  return rows
}

/** Runs a statement whose random rows may violate a constraint. */
function tolerable(error: { code?: string }): void {
  if (error.code === undefined || !EXPECTED.test(error.code)) throw error as Error
}

/** PostgreSQL fails a cascading foreign key with an internal error if a rule rewrites what the key does. */
export function isOfRule(error: unknown): boolean {
  return (error as { routine?: string }).routine === 'ri_PerformCheck'
}

async function step(lab: Lab, sql: string, outcome: Outcome): Promise<void> {
  outcome.statements++
  try {
    await lab.exec(sql)
  } catch (error) {
    const { code, where } = error as { code?: string; where?: string }
    if (code === undefined || (!EXPECTED.test(code) && !isOfRule(error))) throw error
    if (OURS.test(code) && where?.includes('Stream table') && !sql.includes('pgtrickle.')) throw error
    // Statements in a failed transaction say nothing about the generator.
    if (code !== '25P02') outcome.failed++
    else outcome.statements--
    const looked = await lab.pg.query('SELECT 1').then(
      () => true,
      () => false,
    )
    if (!looked) return
  }
  await check(lab, sql)
  outcome.pairs += lab.watched.size
}

/** Compares every existing stream table with the view that defines it. */
async function check(lab: Lab, after: string): Promise<void> {
  const { rows } = await lab.pg.query<{ name: string; definition: string }>(
    `SELECT relid::oid::regclass::text AS name, definition::text FROM pgtrickle.stream_table`,
  )
  lab.watched.clear()
  for (const { name, definition } of rows) await lab.watch(name, `SELECT * FROM ${definition}`)
  await lab.check(after)
}
