/**
 * Random tables, queries and changes under the oracle.
 *
 * A failure prints its seed and the smallest script found. `SEED=<seed> npx vitest run tests/random/` repeats it.
 * ROUNDS sets the number of rounds; the seed increases by one with each round. STEPS multiplies the statements of a round,
 * PATIENCE the time that they may take.
 */
import { expect, test } from 'vitest'
import { PATIENCE } from '../support/patience.js'
import { useLab } from '../support/use-lab.js'
import { asCase, generate, run, shrink, STEPS } from './round.js'
import { firstSeed } from './rng.js'

const given = process.env.SEED
const first = firstSeed()
const rounds = Number(process.env.ROUNDS ?? (given === undefined ? 80 : 1))

const lab = useLab()

test(
  `${rounds} random rounds from seed ${first}`,
  async () => {
    const total = { statements: 0, pairs: 0, skipped: 0, failed: 0, views: 0 }
    for (let seed = first; seed < first + rounds; seed++) {
      const round = generate(seed)
      try {
        const outcome = await run(lab, round)
        total.views += Object.keys(round.views).length
        total.statements += outcome.statements
        total.pairs += outcome.pairs
        total.skipped += outcome.skipped
        total.failed += outcome.failed
      } catch (error) {
        const smallest = await shrink(lab, { round, error })
        throw new Error(`SEED=${seed}: ${messageOf(smallest.error)}\n\n${asCase(smallest.round)}`, { cause: error })
      }
    }
    console.log(`random, from seed ${first}:`, JSON.stringify(total))
    // A generator whose statements mostly fail tests nothing.
    if (rounds >= 20) {
      expect(total.skipped / total.views).toBeLessThan(0.05)
      expect(total.failed / total.statements).toBeLessThan(0.2)
    }
  },
  (rounds * STEPS * 10_000 + 60_000) * PATIENCE,
)

/** The message without the script, which the printed case contains too. */
function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\nscript:')[0] ?? ''
}
