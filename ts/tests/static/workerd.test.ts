/** In the real workerd, which compiles nothing. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleWorker } from '../../../examples/cloudflare-durable-object/lib/build.mjs'
import { startWorkerd } from '../../../examples/cloudflare-durable-object/lib/workerd.mjs'
import { MODULE_NAME } from '../support/modules.js'
import { preparedFolder } from './support/prepared.js'

const MIB = 1024 * 1024

let folder: string
let server: Awaited<ReturnType<typeof startWorkerd>>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workerd-'))
  const aliases = { 'pglite-under-test': MODULE_NAME, prepared: await preparedFolder() }
  const entry = fileURLToPath(new URL('./workerd/worker.ts', import.meta.url))
  server = await startWorkerd({ bundle: await bundleWorker(entry, { aliases }), folder })
})
afterAll(async () => {
  await server?.stop()
  await rm(folder, { recursive: true })
})

/** What a scenario of the Worker returned. Nothing may have tried to compile, unless `attempted` says so. */
async function run<T>(scenario: string, attempted = 0): Promise<T> {
  const response = await fetch(`${server.url}/${scenario}`)
  const { done, failed, attempts } = (await response.json()) as { done?: T; failed?: unknown; attempts: string[] }
  expect(failed).toBeUndefined()
  expect(attempts, attempts.join('\n')).toHaveLength(attempted)
  return done as T
}

test('it refuses to compile', async () => {
  const refusals = await run<object[]>('refusals', 2)
  for (const each of refusals) {
    expect(each).toMatchObject({ failed: { message: expect.stringContaining('generation') } })
  }
})

test('stream tables over 20,000 rows are kept, subscribed to and verified, in 64 MiB', async () => {
  const { memory, ...result } = await run<{ memory: number }>('streamTables')
  expect(result).toEqual({
    differences: Array(5).fill([0, 0, 0]),
    verified: { ok: true, missing: 0, extra: 0 },
    firstChange: expect.objectContaining({ op: 'update', row: { name: 'customer 8', n: 200, s: expect.any(Number) } }),
    words: { words: "'run':1" },
    codeGenerations: 0,
  })
  expect(memory).toBeLessThan(64 * MIB)
})

test('errors are those of elsewhere', async () => {
  expect(await run('errors')).toMatchObject([
    { failed: { name: 'TrickleError', code: '42703' } },
    { failed: { code: '22012', message: 'division by zero' } },
    { failed: { code: '58P01' } },
    { failed: { name: 'TrickleError', message: expect.stringContaining('libraries.plpgsql') } },
    { failed: { name: 'TrickleError', message: expect.stringContaining('initialMemory') } },
    { done: [{ n: 1 }] },
  ])
})

test('a failed allocation is an error, and nothing worse', async () => {
  const { codes, differences } = await run<{ codes: Record<string, number>; differences: number[] }>(
    'failingAllocations',
  )
  expect(codes).toEqual({ 53200: 133 })
  expect(differences).toEqual([0, 0, 0])
})

test('a statement that needs more memory than there is fails, and the next ones do not', async () => {
  const result = await run<{ memory: number }>('exhaustedMemory')
  expect(result).toMatchObject({
    failed: { failed: { code: '53200' } },
    large: { failed: { code: '53200' } },
    differences: [0, 0, 0],
  })
  expect(result.memory).toBeLessThanOrEqual(32 * MIB)
})
