/** PGlite with stream tables on a host that compiles nothing, which Node is made to be here. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { trickle } from '../../dist/index.js'
import type { Change } from '../../dist/index.js'
import { createStatic } from '../../dist/static.js'
import type { StaticModules } from '../../dist/static.js'
import { Lab } from '../support/lab.js'
import { emptyDataDir, loadModule, MAJOR, MODULE_NAME } from '../support/pglite.js'
import type { Database } from '../support/pglite.js'
import { preparedModules } from './support/prepared.js'
import { withoutCompiling } from './support/without-compiling.js'

const MIB = 1024 * 1024

type StaticDatabase = Database & { static: { codeGenerations: number } }

let modules: StaticModules
let extension: object

beforeAll(async () => {
  modules = await preparedModules()
  const contrib = (await import(/* @vite-ignore */ `${MODULE_NAME}/contrib/pg_trgm`)) as { pg_trgm: object }
  extension = contrib.pg_trgm
})

async function open(options: object = {}): Promise<StaticDatabase> {
  const { PGlite } = await loadModule()
  const given = await createStatic({ modules, extensions: { trickle, pg_trgm: extension as never }, ...options })
  return (await PGlite.create(given as object)) as unknown as StaticDatabase
}

/** Runs `body` with a database, and expects that nothing was compiled meanwhile. */
async function withDatabase(body: (pg: StaticDatabase) => Promise<void>): Promise<void> {
  const { attempts } = await withoutCompiling(async () => {
    const pg = await open()
    await body(pg)
    expect(pg.static.codeGenerations).toBe(0)
    await pg.close()
  })
  expect(attempts).toEqual([])
}

/** PGlite as it is, but for the main module and the data directory. Only its callbacks are left to compile. */
async function openStock(): Promise<void> {
  const { PGlite } = await loadModule()
  const loadDataDir = await emptyDataDir()
  const pg = await PGlite.create({ pgliteWasmModule: modules.pglite, initialMemory: 16 * MIB, loadDataDir })
  await pg.close()
}

test('PGlite as it is compiles a module for each of its five callbacks', async () => {
  const { attempts } = await withoutCompiling(openStock, true)
  expect(attempts).toHaveLength(5)
  for (const attempt of attempts) expect(attempt).toContain('convertJsFunctionToWasm')
})

// PGlite 0.4 calls the callbacks that it has not got, for ever.
test.runIf(MAJOR === 18)('such a host refuses PGlite as it is', async () => {
  const { attempts } = await withoutCompiling(() => expect(openStock()).rejects.toThrow('disallowed by embedder'))
  expect(attempts).toHaveLength(1)
})

describe('a database', () => {
  const lab = new Lab()
  let attempts: string[]

  // One host for all tests here: it compiles nothing until the last of them is done.
  let done: () => void
  beforeAll(async () => {
    const finished = new Promise<void>((resolve) => (done = resolve))
    await new Promise<void>((resolve, reject) => {
      void withoutCompiling(async () => {
        await lab.open(await open()).then(() => resolve(), reject)
        await finished
      }).then((outcome) => (attempts = outcome.attempts))
    })
  })
  beforeEach(async () => {
    await lab.exec('ROLLBACK')
  })
  afterAll(async () => {
    expect((lab.pg as StaticDatabase).static.codeGenerations).toBe(0)
    await lab.close()
    done()
    await new Promise(setImmediate)
    expect(attempts).toEqual([])
  })

  test('keeps stream tables over 20,000 rows, in 64 MiB', async () => {
    await lab.exec('CREATE TABLE customers (id int PRIMARY KEY, name text)')
    await lab.exec('CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, amount int)')
    await lab.exec("INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(1, 100) n")
    await lab.exec('INSERT INTO orders SELECT n, n % 100 + 1, n % 977 FROM generate_series(1, 20000) n')
    await lab.create(
      'totals',
      'SELECT name, count(*), sum(amount) FROM orders JOIN customers c ON c.id = customer GROUP BY name',
    )
    await lab.create('large', 'SELECT id, amount FROM orders WHERE amount > 900')
    await lab.create('best', 'SELECT id, amount FROM orders ORDER BY amount DESC, id LIMIT 10')
    await lab.run('UPDATE orders SET amount = amount + 1 WHERE id % 50 = 0')
    await lab.run('DELETE FROM orders WHERE id % 7 = 0')
    await lab.run("UPDATE customers SET name = 'somebody' WHERE id < 3")
    await lab.run('BEGIN; DELETE FROM orders; ROLLBACK')
    await lab.checkRefresh()
    expect(lab.pg.Module.HEAPU8.length).toBeLessThan(64 * MIB)
  })

  test('tells subscribers the changed rows', async () => {
    await lab.exec('CREATE TABLE items (id int PRIMARY KEY, k int); INSERT INTO items VALUES (1, 1), (2, 2)')
    await lab.create('counts', 'SELECT k, count(*) AS n FROM items GROUP BY k')
    const told: Change[][] = []
    const unsubscribe = await lab.pg.trickle.subscribe('counts', (changes) => void told.push(changes))
    await lab.run('INSERT INTO items VALUES (3, 2)')
    await expect.poll(() => told.at(-1)).toMatchObject([{ op: 'update', row: { k: 2, n: 2 }, old: { k: 2, n: 1 } }])
    await unsubscribe()
  })

  test('runs PL/pgSQL, text search and another extension', async () => {
    await lab.exec('CREATE EXTENSION pg_trgm')
    await lab.exec('DO $$ BEGIN PERFORM 1; END $$')
    const [row] = await lab.exec("SELECT to_tsvector('english', 'running')::text AS v, similarity('abc', 'abc') AS s")
    expect(row).toEqual({ v: "'run':1", s: 1 })
  })

  test('says of a library that was not handed over that it is not there', async () => {
    const error = await lab.fails("SELECT convert_to('a', 'LATIN1')")
    expect(error.code).toBe('58P01')
    expect(error.message).toContain('utf8_and_iso8859_1')
  })

  test('answers bad SQL as elsewhere', async () => {
    await expect(lab.pg.trickle.createStreamTable('wrong', 'SELECT missing FROM orders')).rejects.toMatchObject({
      name: 'TrickleError',
      code: '42703',
      streamTable: 'wrong',
    })
    await lab.create('quotients', 'SELECT id, 100 / amount AS q FROM orders WHERE amount > 0')
    await lab.exec('CREATE TABLE divisors (d int); INSERT INTO divisors VALUES (1)')
    await lab.create('divided', 'SELECT 1 / d AS q FROM divisors')
    const error = await lab.fails('INSERT INTO divisors VALUES (0)')
    expect(error).toMatchObject({ code: '22012' })
  })
})

test('a dumped database opens again, with its stream tables', async () => {
  await withDatabase(async (pg) => {
    await pg.exec('CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1)')
    await pg.trickle.createStreamTable('sums', 'SELECT sum(v) AS s FROM t')
    const loadDataDir = await pg.dumpDataDir('none')
    const again = await open({ loadDataDir })
    await again.exec('INSERT INTO t VALUES (2, 41)')
    expect((await again.query('SELECT s FROM sums')).rows).toEqual([{ s: 42 }])
    expect(again.static.codeGenerations).toBe(0)
    await again.close()
  })
})
