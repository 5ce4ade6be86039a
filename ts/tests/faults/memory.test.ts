/**
 * Memory runs out at every place, one after the other: an error that says so, or success; nothing wrong, and nothing that
 * does not go on. `FAULTS=all` tries every allocation, a number this many of each scenario; `HEAPS` says how many sizes
 * of the free heap. `SEED` repeats a choice.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { firstSeed, Rng } from '../random/rng.js'
import { counting, failing, withFailingMemory, withFreeBytes } from '../support/failing-memory.js'
import { Lab } from '../support/lab.js'
import { Watchdog } from '../support/watchdog.js'
import { SCENARIOS, act, mustSay, places, settle } from './scenarios.js'
import type { Scenario } from './scenarios.js'
import { Session } from './session.js'

const OUT_OF_MEMORY = '53200'
const seed = firstSeed()
const rng = new Rng(seed)
const LIMIT = process.env.FAULTS === 'all' ? 24 * 3600_000 : 300_000

let lab: Lab
let dog: Watchdog
const session = new Session(() => withFailingMemory(() => new Lab().open()))

beforeAll(async () => {
  console.log(`SEED=${seed}`)
  dog = new Watchdog(60_000)
  lab = await session.open()
}, LIMIT)
afterAll(async () => {
  await dog?.end()
  await session.close()
})

async function eachAllocation(scenario: Scenario, which: 'one' | 'all') {
  if (scenario.before) await lab.exec(scenario.before(0))
  const last = await counting(async () => expect(await act(lab, scenario, 0)).toBeUndefined())
  await settle(lab, scenario, 0, scenario.name)
  let failed = 0
  for (const n of places(last, () => rng.next())) {
    const what = `SEED=${seed}: ${scenario.name}, ${which} from allocation ${n} of ${last}`
    dog.beat(what)
    lab = await session.next(lab)
    if (scenario.before) await lab.exec(scenario.before(n))
    await failing(
      n,
      async () => {
        const error = await act(lab, scenario, n)
        if (error) {
          failed += 1
          session.failed()
        }
        mustSay(error, OUT_OF_MEMORY, what)
      },
      which,
    )
    await settle(lab, scenario, n, what)
  }
  return { last, failed }
}

describe.each(['one', 'all'] as const)('an allocation fails, %s', (which) => {
  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    async (name, scenario) => {
      const { last, failed } = await eachAllocation(scenario, which)
      console.log(`${name}: ${last} allocations, ${failed} errors`)
      if (which === 'all' && last > 100 && !name.startsWith('blocks') && !name.startsWith('a cascade'))
        expect(failed, 'nothing was tried').toBeGreaterThan(0)
    },
    LIMIT,
  )
})

/** How much is left of a heap that does not grow. With less than a block of its own PGlite cannot begin a statement. */
const [LEAST, MOST] = [16 * 1024, 4 * 1024 * 1024]

describe('the heap cannot grow', () => {
  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    async (_, scenario) => {
      const trials = Number(process.env.HEAPS ?? 5)
      for (let n = 0; n < trials; n++) {
        const bytes = Math.floor(LEAST * (MOST / LEAST) ** ((n + rng.next()) / trials))
        const what = `SEED=${seed}: ${scenario.name}, ${bytes} bytes free`
        dog.beat(what)
        if (scenario.before) await lab.exec(scenario.before(n))
        await withFreeBytes(bytes, async () => {
          const error = await act(lab, scenario, n)
          if (error) expect(error.code, `${what}: ${error.message}`).toBe(OUT_OF_MEMORY)
          // The query is not to blame.
          expect(error?.hint ?? '').not.toContain('CREATE VIEW')
          await lab.exec('ROLLBACK').catch(() => undefined)
        })
        await settle(lab, scenario, n, what)
      }
    },
    LIMIT,
  )
})
