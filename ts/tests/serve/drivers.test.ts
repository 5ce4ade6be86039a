/** The drivers that are ready in seconds. `just drivers` runs all of them. */
import { expect, test } from 'vitest'
import { DRIVERS, isOnPath, runDriver } from '../drivers/run.mjs'
import { MAJOR } from '../support/modules.js'

test.each(['node-postgres', 'psql', 'psycopg'] as const)('%s', { timeout: 180_000 }, async (name) => {
  if (!DRIVERS[name].needs.every(isOnPath)) return console.log(`${name} is not here`)
  const { failed, passed, status, output } = await runDriver(name, MAJOR)
  expect([failed, status], output).toEqual([[], 0])
  expect(passed).toHaveLength(12)
})
