/** The extension and the plugin come and go. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trickle } from '../dist/index.js'
import type { TrickleError, TrickleExtension } from '../dist/index.js'
import { Lab } from './support/lab.js'
import { withPatchedModule } from './support/patched-module.js'
import { openDatabase, openWith } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { eventually } from './support/eventually.js'

const SUMS = 'SELECT k, sum(v) AS s FROM t GROUP BY k'

describe('the extension', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await withTable(() => new Lab().open())
    await lab.exec('CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t VALUES (1, 1, 1)')
  })
  afterAll(() => lab?.close())

  /** Waits for what is told in microtasks. */
  const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

  test.each([
    ['DROP EXTENSION pg_trickle CASCADE'],
    ['DROP EXTENSION pg_trickle CASCADE; CREATE EXTENSION pg_trickle'],
    [
      "BEGIN; DROP EXTENSION pg_trickle CASCADE; CREATE EXTENSION pg_trickle; SELECT pgtrickle.create_stream_table('other', 'SELECT v FROM t'); INSERT INTO t VALUES (9, 9, 9); DELETE FROM t WHERE id = 9; COMMIT",
    ],
  ])('%s ends subscriptions, and no number comes again', async (drop) => {
    const seen: unknown[] = []
    const errors: TrickleError[] = []
    await lab.pg.trickle.createStreamTable('sums', SUMS)
    const [before] = await lab.exec('SELECT max(id) AS id FROM pgtrickle.stream_table')
    await lab.pg.trickle.subscribe('sums', (changes) => seen.push(...changes), {
      onError: (error) => errors.push(error as TrickleError),
    })
    await lab.exec(drop)
    await settled()
    await eventually(() => expect(errors.map(({ code }) => code)).toEqual(['42P01']))
    seen.length = 0
    await lab.pg.trickle.createStreamTable('sums', 'SELECT v FROM t')
    const [after] = await lab.exec('SELECT min(id) AS id FROM pgtrickle.stream_table')
    expect(Number(after?.id)).toBeGreaterThan(Number(before?.id))
    const again: unknown[] = []
    const end = await lab.pg.trickle.subscribe('sums', (changes) => again.push(...changes))
    await lab.exec('INSERT INTO t VALUES (2, 2, 2)')
    await settled()
    await eventually(() => expect(again).toHaveLength(2))
    expect(seen).toEqual([])
    await end()
    await lab.exec('DELETE FROM t WHERE id = 2; DROP EXTENSION pg_trickle CASCADE')
  })

  test('that is not dropped after all ends nothing', async () => {
    const errors: unknown[] = []
    let n = 0
    await lab.pg.trickle.createStreamTable('sums', SUMS)
    const end = await lab.pg.trickle.subscribe('sums', (changes) => void (n += changes.length), {
      onError: (error) => errors.push(error),
    })
    await lab.exec('BEGIN; DROP EXTENSION pg_trickle CASCADE; ROLLBACK')
    await lab.exec('BEGIN; SAVEPOINT a; DROP EXTENSION pg_trickle CASCADE; ROLLBACK TO a; COMMIT')
    await lab.exec('INSERT INTO t VALUES (3, 3, 3)')
    await settled()
    await eventually(() => expect([errors, n]).toEqual([[], 2]))
    await end()
    await lab.exec('DROP EXTENSION pg_trickle CASCADE')
  })

  test('a stream table is created with its description, or not at all', async () => {
    await lab.pg.trickle.listStreamTables()
    await lab.exec('ALTER VIEW pgtrickle.stream_tables RENAME TO away')
    await expect(lab.pg.trickle.createStreamTable('sums', SUMS)).rejects.toMatchObject({ code: '42P01' })
    await lab.exec('ALTER VIEW pgtrickle.away RENAME TO stream_tables')
    expect(await lab.pg.trickle.listStreamTables()).toEqual([])
    const made = await lab.pg.trickle.createStreamTable('sums', SUMS)
    expect(made).toMatchObject({ name: 'sums', schema: 'public', query: SUMS, columns: ['k', 's'], key: ['k'] })
    expect(await lab.pg.trickle.listStreamTables()).toEqual([made])
  })

  test('dropped and created again, and loaded again, takes no more memory', async () => {
    const round = async () => {
      await lab.exec("DROP EXTENSION pg_trickle CASCADE; CREATE EXTENSION pg_trickle; LOAD 'pg_trickle'")
      await lab.exec("SELECT pgtrickle.create_stream_table('sums', 'SELECT k, sum(v) AS s FROM t GROUP BY k')")
      await lab.exec('UPDATE t SET v = v + 1')
    }
    for (let n = 0; n < 10; n++) await round()
    const before = await used(lab)
    for (let n = 0; n < 90; n++) await round()
    const after = await used(lab)
    console.log('90 rounds:', before, after)
    expect({ ...after, bytes: 0 }).toEqual({ ...before, bytes: 0 })
    // PostgreSQL keeps what it knew of functions and tables that are gone.
    expect(after.bytes - before.bytes).toBeLessThan(90 * 16_384)
  }, 240_000)
})

/** What PGlite calls functions by their number through. */
let functions: WebAssembly.Table | undefined

/** Opens a database, and keeps its table of functions. */
function withTable(open: () => Promise<Lab>): Promise<Lab> {
  return withPatchedModule((name, imported) => {
    if (name === '__indirect_function_table') functions = imported as WebAssembly.Table
    return imported
  }, open)
}

async function used(lab: Lab) {
  const [row] = await lab.exec(`SELECT sum(used_bytes)::float8 AS bytes,
    count(*) FILTER (WHERE name = 'CachedPlan' AND ident LIKE '%pgtrickle.st!_%' ESCAPE '!')::int AS plans
    FROM pg_backend_memory_contexts`)
  const heap = (lab.pg as unknown as { Module: { HEAPU8: Uint8Array } }).Module.HEAPU8.length
  return { bytes: Number(row?.bytes), plans: Number(row?.plans), functions: functions?.length, heap }
}

test('a number that no function has cannot become the function that gets changes', async () => {
  const silent: TrickleExtension = {
    ...trickle,
    async setup(pg, options) {
      const { namespaceObj, emscriptenOpts } = await trickle.setup(pg, options)
      return { namespaceObj, ...(emscriptenOpts && { emscriptenOpts }) }
    },
  }
  const pg = await openWith({ trickle: silent })
  await pg.exec('CREATE EXTENSION pg_trickle')
  for (const number of ['0', '123456789', '4294967295']) {
    const listen = pg.query("SELECT pgtrickle.command('listen', $1, 'x')", [number])
    await expect(listen).rejects.toMatchObject({ code: '22003', message: `there is no function ${number}` })
  }
  expect((await pg.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  await pg.close()
})

describe('the plugin', () => {
  const rounds = Number(process.env.ROUNDS ?? 6)

  /** Opens and closes databases. Returns how many of them JavaScript still holds. */
  async function held(open: () => Promise<{ close(): Promise<void> }>): Promise<number> {
    const refs: WeakRef<object>[] = []
    for (let n = 0; n < rounds; n++) {
      const pg = await open()
      refs.push(new WeakRef(pg))
      await pg.close()
    }
    setFlagsFromString('--expose_gc')
    const collect = runInNewContext('gc') as () => void
    const left = () => refs.filter((ref) => ref.deref() !== undefined).length
    // The last one can still be on the stack.
    for (let n = 0; n < 200 && left() > 1; n++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      collect()
    }
    return left()
  }

  test(
    `leaves nothing behind: ${rounds} databases opened and closed`,
    async () => {
      const plain = await held(() => openWith({}))
      const withPlugin = await held(async () => {
        const pg: Database = await openDatabase()
        await pg.exec('CREATE TABLE t (k int, v int)')
        await pg.trickle.createStreamTable('sums', SUMS)
        await pg.trickle.subscribe('sums', () => undefined)
        await pg.exec('INSERT INTO t VALUES (1, 1)')
        return pg
      })
      console.log(`of ${rounds} databases, JavaScript holds ${plain} without the plugin, ${withPlugin} with it`)
      expect(withPlugin).toBeLessThanOrEqual(Math.max(plain, 1))
    },
    60_000 + rounds * 10_000,
  )
})
