/** The random generator: it works without a database, and must never run out of choices. */
import { expect, test } from 'vitest'
import { asCase, generate } from '../random/round.js'

test('every seed gives a round, and always the same one', () => {
  for (let seed = 0; seed < 3000; seed++) {
    const round = generate(seed)
    expect(Object.keys(round.views).length).toBeGreaterThan(0)
    // Rounds over skewed tables are shorter: their statements change more.
    expect(round.steps.length).toBeGreaterThan(4)
    if (seed % 100 === 0) expect(asCase(generate(seed))).toBe(asCase(round))
  }
})
