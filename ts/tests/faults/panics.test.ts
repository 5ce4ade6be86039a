/**
 * The module panics at every entry, one after the other: an SQL error, or the way that a stream table falls back to;
 * nothing is lost, and the session goes on. `FAULTS=all` tries every entry, a number this many of each scenario.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { firstSeed, Rng } from '../random/rng.js'
import { Lab } from '../support/lab.js'
import { Watchdog } from '../support/watchdog.js'
import { SCENARIOS, act, mustSay, places, settle } from './scenarios.js'
import type { Scenario } from './scenarios.js'
import { Session } from './session.js'

const seed = firstSeed()
const rng = new Rng(seed)
const LIMIT = process.env.FAULTS === 'all' ? 24 * 3600_000 : 300_000
const MANY = 1_000_000
/** The entries with which the statement that asks for a panic ends: its transaction commits. */
const OWN = 2

let lab: Lab
let dog: Watchdog
const session = new Session(() => new Lab().open())

beforeAll(async () => {
  console.log(`SEED=${seed}`)
  dog = new Watchdog(60_000)
  lab = await session.open()
}, LIMIT)
afterAll(async () => {
  await dog?.end()
  await session.close()
})

/** How many entries are left until one panics; raises a panic that could not be raised before. */
async function left(): Promise<number> {
  const [row] = await lab.exec("SELECT pgtrickle.command('panic', '0') AS left")
  return Number(row?.left)
}

/** Lets the n-th entry panic. Returns the error, and the entries that were left. */
async function trial(scenario: Scenario, n: number) {
  await lab.exec(`SELECT pgtrickle.command('panic', '${n + OWN}')`)
  const error = await act(lab, scenario, n)
  await lab.exec('ROLLBACK')
  return { error, left: await left().catch((owed: { message: string }) => owed.message) }
}

test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
  '%s',
  async (name, scenario) => {
    if (scenario.before) await lab.exec(scenario.before(0))
    const whole = await trial(scenario, MANY)
    expect(whole.error).toBeUndefined()
    const last = MANY - Number(whole.left) - 1
    await settle(lab, scenario, 0, name)
    let failed = 0
    for (const n of places(last, () => rng.next())) {
      const what = `SEED=${seed}: ${name}, panic at entry ${n} of ${last}`
      dog.beat(what)
      lab = await session.next(lab)
      if (scenario.before) await lab.exec(scenario.before(n))
      const { error, left } = await trial(scenario, n)
      mustSay(error, 'XX000', what)
      if (error) session.failed()
      if (typeof left === 'string') {
        session.failed()
        expect(left, what).toContain('asked for')
      }
      // What has been given up is to be tried again.
      const given = await lab.exec(
        'SELECT relid::text AS name, query FROM pgtrickle.stream_table WHERE fallback IS NOT NULL',
      )
      if (error || given.length > 0) failed += 1
      for (const row of given) await lab.pg.query('SELECT pgtrickle.alter_stream_table($1, $2)', [row.name, row.query])
      await settle(lab, scenario, n, what)
    }
    console.log(`${name}: ${last} entries, ${failed} errors or full refreshes`)
    expect(failed, 'nothing was tried').toBeGreaterThan(0)
  },
  LIMIT,
)
