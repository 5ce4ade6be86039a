/**
 * Random statements in random transactions, under the oracle: changes, nested changes, DDL, commands, triggers.
 *
 * A failure prints its seed and the smallest script found. `SEED=<seed> npx vitest run tests/random-statements` repeats
 * it. ROUNDS sets the number of rounds; the seed increases by one with each round.
 */
import { expect, test } from 'vitest'
import { PATIENCE } from '../support/patience.js'
import { useLab } from '../support/use-lab.js'
import { MAJOR } from '../support/pglite.js'
import { asCase, shrink } from '../random/round.js'
import { generate, run } from './round.js'
import { firstSeed } from '../random/rng.js'

const given = process.env.SEED
const first = firstSeed()
const rounds = Number(process.env.ROUNDS ?? (given === undefined ? 20 : 1))

const lab = useLab()

test(
  `${rounds} random rounds of statements from seed ${first}`,
  async () => {
    const total = { statements: 0, pairs: 0, failed: 0 }
    for (let seed = first; seed < first + rounds; seed++) {
      const round = generate(seed, MAJOR)
      try {
        const outcome = await run(lab, round)
        total.statements += outcome.statements
        total.pairs += outcome.pairs
        total.failed += outcome.failed
      } catch (error) {
        const smallest = await shrink(lab, { round, error }, run)
        const message =
          smallest.error instanceof Error ? smallest.error.message.split('\nscript:')[0] : String(smallest.error)
        throw new Error(`SEED=${seed}: ${message}\n\n${asCase(smallest.round)}`, { cause: error })
      }
    }
    console.log(`random statements, from seed ${first}:`, JSON.stringify(total))
    // A generator whose statements mostly fail tests nothing.
    if (rounds >= 20) expect(total.failed / total.statements).toBeLessThan(0.35)
  },
  (rounds * 60_000 + 60_000) * PATIENCE,
)
