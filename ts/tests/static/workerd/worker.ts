/**
 * A Worker that does in workerd what the tests ask for by name, and answers with what came of it. `pglite-under-test` and
 * `prepared` are given by the build.
 */
// @ts-expect-error -- named by the build
import { PGlite } from 'pglite-under-test'
// @ts-expect-error -- named by the build
import * as modules from 'prepared/modules.js'
import { trickle } from '../../../dist/index.js'
import { createStatic } from '../../../dist/static.js'
import type { StaticModules } from '../../../dist/static.js'
import { failing, withFailingMemory } from '../../support/failing-memory.js'
import type { Database } from '../../support/modules.js'
import { withoutCompiling } from '../support/without-compiling.js'

type StaticDatabase = Database & { static: { codeGenerations: number } }

const MIB = 1024 * 1024
const given = modules as unknown as StaticModules

async function open(options: object = {}): Promise<StaticDatabase> {
  const created = await createStatic({ modules: given, extensions: { trickle }, ...options })
  return (await (PGlite as { create: (options: object) => Promise<unknown> }).create(created)) as StaticDatabase
}

async function outcome(work: () => Promise<unknown>): Promise<object> {
  try {
    return { done: (await work()) ?? null }
  } catch (error) {
    const { name, message, code, hint } = error as { name: string; message: string; code?: string; hint?: string }
    return { failed: { name, message, code, hint } }
  }
}

const TABLES = `
  CREATE TABLE customers (id int PRIMARY KEY, name text);
  CREATE TABLE orders (id int PRIMARY KEY, customer int, amount int);
  INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(1, 100) n;
  INSERT INTO orders SELECT n, n % 100 + 1, n % 977 FROM generate_series(1, 20000) n`

const QUERIES = {
  totals:
    'SELECT name, count(*)::int AS n, sum(amount)::int AS s FROM orders JOIN customers c ON c.id = customer GROUP BY name',
  large: 'SELECT id, amount FROM orders WHERE amount > 900',
  best: 'SELECT id, amount FROM orders ORDER BY amount DESC, id LIMIT 10',
}

async function createTables(pg: StaticDatabase): Promise<void> {
  await pg.exec(TABLES)
  for (const [name, query] of Object.entries(QUERIES)) await pg.trickle.createStreamTable(name, query)
}

/** For each stream table, how many rows it and its query have that the other has not. */
async function differences(pg: StaticDatabase): Promise<number[]> {
  const counts: number[] = []
  for (const [name, query] of Object.entries(QUERIES)) {
    const each = (a: string, b: string) => `(SELECT count(*)::int FROM (${a} EXCEPT ALL ${b}) d)`
    const sides = [each(`(${query})`, `SELECT * FROM ${name}`), each(`SELECT * FROM ${name}`, `(${query})`)]
    const { rows } = await pg.query<{ n: number }>(`SELECT ${sides.join(' + ')} AS n`)
    counts.push(rows[0]?.n ?? -1)
  }
  return counts
}

const SCENARIOS: Record<string, () => Promise<unknown>> = {
  /** What this host refuses. */
  async refusals() {
    const bytes = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0])
    return [
      await outcome(() => WebAssembly.compile(bytes)),
      await outcome(() => Promise.resolve(new WebAssembly.Module(bytes))),
      await outcome(() => Promise.resolve(new Function('return 1'))),
    ]
  },

  async streamTables() {
    const pg = await open()
    await createTables(pg)
    const told: unknown[] = []
    await pg.trickle.subscribe('totals', (changes) => void told.push(...changes), { initial: false })
    const found = [await differences(pg)]
    for (const sql of [
      'UPDATE orders SET amount = amount + 1 WHERE id = 7',
      'DELETE FROM orders WHERE id % 7 = 0',
      "UPDATE customers SET name = 'somebody' WHERE id < 3",
      'BEGIN; DELETE FROM orders; ROLLBACK',
    ]) {
      await pg.exec(sql)
      found.push(await differences(pg))
    }
    await pg.exec('DO $$ BEGIN PERFORM 1; END $$')
    const { rows } = await pg.query("SELECT to_tsvector('english', 'running')::text AS words")
    const result = {
      differences: found,
      verified: await pg.trickle.verifyStreamTable('totals'),
      firstChange: told[0],
      words: rows[0],
      memory: pg.Module.HEAPU8.length,
      codeGenerations: pg.static.codeGenerations,
    }
    await pg.close()
    return result
  },

  async errors() {
    const pg = await open()
    await pg.exec('CREATE TABLE t (d int); INSERT INTO t VALUES (1)')
    await pg.trickle.createStreamTable('quotients', 'SELECT 1 / d AS q FROM t')
    return [
      await outcome(() => pg.trickle.createStreamTable('wrong', 'SELECT missing FROM t')),
      await outcome(() => pg.exec('INSERT INTO t VALUES (0)')),
      await outcome(() => pg.query("SELECT convert_to('a', 'LATIN1')")),
      await outcome(() => createStatic({ modules: { ...given, libraries: {} } })),
      await outcome(() => open({ initialMemory: MIB })),
      await outcome(async () => (await pg.query('SELECT count(*)::int AS n FROM quotients')).rows),
    ]
  },

  /** Every third allocation of the extension's fails once: the panic becomes an error, and all stays right. */
  async failingAllocations() {
    const pg = await withFailingMemory(() => open())
    await createTables(pg)
    const codes: Record<string, number> = {}
    for (let n = 1; n < 400; n += 3) {
      const [sql] = [`UPDATE orders SET amount = amount + 1 WHERE id = ${n}`]
      await failing(n, async () => {
        const code = await pg.exec(sql).then(
          () => 'none',
          (error: { code?: string; message: string }) => error.code ?? error.message,
        )
        codes[code] = (codes[code] ?? 0) + 1
      })
    }
    return { codes, differences: await differences(pg) }
  },

  /** A statement needs more memory than there is. */
  async exhaustedMemory() {
    const pg = await open({ maximumMemory: 32 * MIB })
    await createTables(pg)
    const failed = await outcome(() => pg.query("SELECT length(repeat('x', 60000000))"))
    const large = await outcome(() => pg.exec("UPDATE customers SET name = repeat('y', 30000000) || id WHERE id < 20"))
    await pg.exec('UPDATE orders SET amount = amount + 1 WHERE id < 100')
    return { failed, large, differences: await differences(pg), memory: pg.Module.HEAPU8.length }
  },
}

export default {
  async fetch(request: Request): Promise<Response> {
    const scenario = SCENARIOS[new URL(request.url).pathname.slice(1)]
    if (scenario === undefined) return new Response('no such scenario', { status: 404 })
    const { result, attempts } = await withoutCompiling(() => outcome(scenario), true)
    return Response.json({ ...result, attempts })
  },
}
