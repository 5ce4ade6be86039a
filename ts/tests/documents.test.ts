/**
 * Every snippet of every document runs unchanged and prints what its comments say. At the end, all stream tables that it
 * has made equal their queries; those of recipes also after each of many random changes.
 */
import { afterEach, expect, test } from 'vitest'
import { firstSeed, Rng } from './random/rng.js'
import { changeAtRandom } from './support/change-at-random.js'
import { documents, programsIn, runProgram } from './support/documents.js'
import type { Program } from './support/documents.js'
import { Lab } from './support/lab.js'
import { emptyDataDir, loadModule, openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'

const CHANGES = Number(process.env.CHANGES ?? 60)

const PROGRAMS = documents().flatMap(programsIn)

let opened: Database[] = []
afterEach(async () => {
  for (const pg of opened) await pg.close()
  opened = []
})

/** The modules that snippets import, with the PGlite under test. */
const MODULES: Record<string, () => Promise<unknown>> = {
  '@electric-sql/pglite': async () => {
    const module = await loadModule()
    // Each database is in memory, whatever its `dataDir`, and starts without another run of initdb.
    const create = async (options: { dataDir?: string } = {}) => {
      const loadDataDir = await emptyDataDir()
      const pg = await module.PGlite.create({ loadDataDir, ...options, dataDir: 'memory://' })
      opened.push(pg as unknown as Database)
      return pg
    }
    return { ...module, PGlite: { create } }
  },
  '@electric-sql/pglite/live': () => import('@electric-sql/pglite/live'),
  '@electric-sql/pglite-tools/pg_dump': () => import('@electric-sql/pglite-tools/pg_dump'),
  '@electric-sql/pglite-sync': () => import('@electric-sql/pglite-sync'),
  '@pgtrickle/pglite': () => import('../dist/index.js'),
  '@pgtrickle/pglite/tanstack': () => import('../dist/tanstack.js'),
  '@tanstack/db': () => import('@tanstack/db'),
  'drizzle-orm': () => import('drizzle-orm'),
  'drizzle-orm/pg-core': () => import('drizzle-orm/pg-core'),
  'drizzle-orm/pglite': () => import('drizzle-orm/pglite'),
  kysely: () => import('kysely'),
  // As from `build/documents-N`, where snippets are type-checked.
  '../../ts/tests/support/shape-server.js': () => import('./support/shape-server.js'),
}

async function load(module: string): Promise<unknown> {
  const loading = MODULES[module]
  if (loading === undefined) throw new Error(`a snippet imports ${module}: give it to the test`)
  return loading()
}

/** Runs the program and returns the database that it has left. */
async function run(program: Program): Promise<Database> {
  const given: Record<string, Database> = {}
  if (!program.code.includes('await PGlite.create(')) {
    given.pg = await openDatabase()
    opened.push(given.pg)
  }
  expect(await runProgram(program, load, given)).toEqual(program.expected)
  const pg = opened.at(-1)
  if (pg === undefined) throw new Error('it opens no database')
  return pg
}

const isRecipe = (document: string) => /^docs\/recipes\/(?!README)/.test(document)

test('there are recipes', () => {
  expect(PROGRAMS.filter(({ document }) => isRecipe(document)).length).toBeGreaterThanOrEqual(9)
})

test.each(PROGRAMS)('$document, line $line', async (program) => {
  const pg = await run(program)
  if (!('trickle' in pg)) return
  const streamTables = await pg.trickle.listStreamTables()
  for (const { name, schema } of streamTables) {
    expect(await pg.trickle.verifyStreamTable(`"${schema}"."${name}"`), name).toEqual({
      ok: true,
      missing: 0,
      extra: 0,
    })
  }
  if (!isRecipe(program.document) || streamTables.length === 0) return
  const seed = firstSeed()
  const lab = await new Lab().open(pg)
  for (const { name, query } of streamTables) {
    await lab.watch(name, query)
    expect((await pg.trickle.explainStreamTable(name)).way, `the way of ${name}`).not.toBe('rebuild')
  }
  const { done, failed } = await changeAtRandom(lab, new Rng(seed), CHANGES).catch((error: unknown) => {
    throw new Error(`SEED=${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  })
  // A generator whose statements mostly fail tests nothing.
  expect(failed / done, `SEED=${seed}: ${failed} of ${done} fail`).toBeLessThan(0.5)
})
