/**
 * Heaps are filled with stream tables until the guard fires, where PGlite has no more memory than the limit: nothing else
 * fails, all stream tables stay exact, and what is dropped makes room for others. `just memory-stress` fills larger heaps.
 */
import { afterEach, expect, test } from 'vitest'
import { KINDS, fill } from '../../bench/lib/memory.mjs'
import { withFailingMemory, withFreeBytes } from './support/failing-memory.js'
import { Watchdog } from './support/watchdog.js'
import { loadModule, openDatabase } from './support/pglite.js'
import type { Database } from './support/modules.js'

/** What may be taken until the guard fires, in MB. */
const LEFT = process.env.LEFT
const kinds = KINDS.filter(({ name }) => LEFT !== undefined || /^(three|window|100)/.test(name))

let pg: Database | undefined
afterEach(() => pg?.close())

test.each(kinds.map((kind) => [kind.name, kind] as const))('%s', { timeout: 24 * 3600_000 }, async (name, kind) => {
  const { PGlite } = await loadModule()
  const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=8MB']
  pg = await withFailingMemory(() => openDatabase({ startParams }))
  const dog = new Watchdog(300_000)
  const log = (made: number) => dog.beat(`${name}: ${made}`)
  const result = await fill(pg, kind, { left: Number(LEFT ?? 0.2) * 2 ** 20, within: withFreeBytes, log }).finally(() =>
    dog.end(),
  )
  console.log(name, JSON.stringify(result))
  expect(result.isFull).toBe(true)
  // Stream tables that were used take more of PostgreSQL's caches than those that were only made: those of the half that
  // is left can fill the room.
  expect(result.again).toBeGreaterThanOrEqual(Math.floor(result.ceiling / 2))
  // And what PostgreSQL remembers of tables that are gone takes of so small a room.
  expect(result.afterAll).toBeGreaterThan(result.ceiling / 8)
})
