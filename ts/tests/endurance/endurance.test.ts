/**
 * Everything at once, for as long as MINUTES says: random statements of every kind in random transactions, while
 * allocations are refused, the heap is full, the guard fires, the module panics, the process is killed and the database
 * opened again. After each statement every stream table equals its query, and what subscribers were told equals the
 * stream table.
 *
 * A failure prints its seed: `SEED=<seed> MINUTES=0 npx vitest run tests/endurance` repeats the round.
 */
import { expect, test } from 'vitest'
import { CLOCK } from '../random/change.js'
import { firstSeed, Rng } from '../random/rng.js'
import { MAJOR } from '../support/pglite.js'
import { Watchdog } from '../support/watchdog.js'
import { EXPECTED, OURS, generate, isOfRule } from '../random-statements/round.js'
import { World } from './world.js'
import type { Fault } from './world.js'

const first = firstSeed()
const minutes = Number(process.env.MINUTES ?? 0)
/** Out of memory; or a panic, where one was asked for. */
const FAULTS: Record<Fault, RegExp> = {
  none: /^$/,
  refused: /^53200$/,
  full: /^53200$/,
  guard: /^53200$/,
  panic: /^XX000$/,
  killed: /^$/,
  reopened: /^$/,
}

function fault(rng: Rng): Fault {
  const roll = rng.next()
  if (roll < 0.5) return 'none'
  if (roll < 0.68) return 'refused'
  if (roll < 0.76) return 'full'
  if (roll < 0.84) return 'guard'
  if (roll < 0.92) return 'panic'
  return roll < 0.98 ? 'killed' : 'reopened'
}

async function round(seed: number, dog: Watchdog, count: Record<string, number>): Promise<void> {
  const { setup, views, steps } = generate(seed, MAJOR)
  const world = new World(new Rng(seed ^ 0x5eed))
  await world.open()
  const { lab, rng } = world
  try {
    await world.reset()
    for (const sql of setup) await lab.exec(sql).catch(() => undefined)
    for (const [name, { sql }] of Object.entries(views))
      await lab.exec(`SELECT pgtrickle.create_stream_table('${name}', '${sql.replaceAll("'", "''")}')`)
    await world.check('setup')
    for (const sql of steps) {
      dog.beat(`SEED=${seed}: ${sql}`)
      if (sql.startsWith(CLOCK)) world.setClock(sql.slice(CLOCK.length))
      else await step(world, sql, fault(rng))
    }
    await lab.exec('ROLLBACK; RESET ROLE')
    await world.reopen()
    await world.check('the end')
    await lab.checkRefresh()
    await world.reset()
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\nscript:')[0] : String(error)
    throw new Error(`SEED=${seed}: ${message}\n${lab.script.slice(-80).join(';\n')}`, { cause: error })
  } finally {
    for (const [what, n] of Object.entries(world.count)) count[what] = (count[what] ?? 0) + n
    await world.close().catch(() => undefined)
  }
}

async function step(world: World, sql: string, fault: Fault): Promise<void> {
  const { lab, rng } = world
  world.note('statements')
  const error = await world.under(fault, sql)
  // Until time has passed for them too, stream tables are right as of an earlier moment.
  if (sql.includes('advance()') && fault !== 'none') await lab.exec(sql)
  if (error?.message.includes('exit(')) {
    // PostgreSQL ends where memory runs out in the middle of writing its log.
    world.note('ended')
    await world.reopen()
  } else if (error) {
    const { code = '', message } = error
    const asked = FAULTS[fault].test(code)
    if (asked) world.note(`errors: ${fault}`)
    // What could not be raised before is raised by the next statement, and a limit can come back with a ROLLBACK.
    const isLate = message.includes('asked for') || message.includes('are in use, more than')
    // The statement that adds this value may have failed under a fault of its own.
    const lacksValue = message === 'invalid input value for enum mood: "glad"'
    const isExpected = asked || isLate || lacksValue || EXPECTED.test(code) || isOfRule(error)
    expect(isExpected, `${fault}: ${code} ${message}`).toBe(true)
    const { where } = error as { where?: string }
    if (OURS.test(code) && where?.includes('Stream table') && !sql.includes('pgtrickle.')) throw error as Error
    const isAborted = await lab.pg.query('SELECT 1').then(
      () => false,
      () => true,
    )
    if (isAborted) return
  }
  await world.check(`${sql} (${fault})`)
  if (!(await world.isAlone())) return
  await lab.exec('RESET ROLE; RESET pgtrickle.memory_limit')
  await world.checkSubscribers(sql)
  if (rng.chance(0.1)) await world.subscribe()
}

test(
  `everything at once, for ${minutes} minutes from seed ${first}`,
  async () => {
    const dog = new Watchdog(180_000)
    const count: Record<string, number> = {}
    const end = Date.now() + minutes * 60_000
    let rounds = 0
    try {
      do {
        const seed = first + rounds
        await round(seed, dog, count)
        rounds += 1
        if (rounds % 20 === 0) console.log(`${rounds} rounds from seed ${first}:`, JSON.stringify(count))
      } while (Date.now() < end)
    } finally {
      await dog.end()
      console.log(`${rounds} rounds from seed ${first}:`, JSON.stringify(count))
    }
  },
  minutes * 60_000 + 600_000,
)
