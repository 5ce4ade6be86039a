/** Stream tables under random changes, each of them followed by the oracle. */
import { expect } from 'vitest'
import { firstSeed, Rng } from '../random/rng.js'
import { Lab } from './lab.js'

/** Makes the stream tables in a new database, and changes it so often by one of the statements that `changes` gives. */
export async function followRandomChanges(
  setup: string[],
  queries: Record<string, string>,
  turns: number,
  changes: (rng: Rng) => (() => string)[],
): Promise<void> {
  const seed = firstSeed()
  const rng = new Rng(seed)
  const lab = new Lab()
  await lab.open()
  for (const sql of setup) await lab.exec(sql)
  for (const [name, query] of Object.entries(queries)) await lab.pg.trickle.createStreamTable(name, query)
  const kinds = changes(rng)
  for (let turn = 0; turn < turns; turn++) {
    const sql = rng.pick(kinds)()
    await lab.exec(sql)
    for (const name of Object.keys(queries)) {
      const { ok } = await lab.pg.trickle.verifyStreamTable(name)
      expect(ok, `SEED=${seed}, change ${turn}, ${name}: ${sql}`).toBe(true)
    }
  }
  await lab.close()
}
