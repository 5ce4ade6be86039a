/** Options of PGlite that change the results and rights of queries do not affect the plugin. */
import { afterEach, describe, expect, test } from 'vitest'
import { TrickleError } from '../dist/index.js'
import { useStreamTable } from '../dist/react.js'
import { Mirror } from './support/mirror.js'
import { openDatabase, openWith } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { mountHook, settleAfter } from './support/react.js'

let pg: Database | undefined
afterEach(() => pg?.close())

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)'
const SUMS = 'SELECT k, sum(v) AS s FROM t GROUP BY k ORDER BY k'

describe('parsers and serializers of an app', () => {
  test("do not affect the plugin's own queries", async () => {
    const odd = (text: string) => `<${text}>`
    pg = await openDatabase({
      parsers: { 16: odd, 20: odd, 25: odd },
      serializers: { 16: () => 'no boolean', 25: (value) => `<${String(value)}>` },
    })
    await pg.exec(TABLE)
    const { trickle } = pg
    expect(await trickle.createStreamTable('sums', SUMS)).toMatchObject({ name: 'sums', columns: ['k', 's'] })
    expect(await trickle.verifyStreamTable('sums')).toEqual({ ok: true, missing: 0, extra: 0 })
    expect(await trickle.refreshStreamTable('sums')).toEqual({ inserted: 0, deleted: 0, updated: 0 })
    expect(await trickle.listStreamTables()).toHaveLength(1)
    expect(await trickle.explainStreamTable('sums')).toMatchObject({ name: 'sums' })
    await trickle.restoreStreamTables()

    const mirror = await Mirror.open(pg, 'sums')
    await pg.exec('UPDATE t SET v = 10 WHERE id = 1')
    await mirror.check()
    // Rows have the values that the app's own queries return.
    expect([...mirror.rows.values()]).toContainEqual({ k: 1, s: '<12>' })
    await mirror.end()

    const table = await mountHook((name: string) => useStreamTable(name, { db: pg as Database }), 'sums')
    await settleAfter(pg)
    expect(table.last.error).toBeUndefined()
    expect(table.last.rows).toEqual((await pg.query(SUMS)).rows)
    await table.unmount()
    await trickle.dropStreamTable('sums', { cascade: true })
    expect(await trickle.listStreamTables()).toEqual([])
  })
})

describe('username: a role that is not a superuser', () => {
  /** The data directory of a database that a superuser has created. */
  async function createAsSuperuser(sql: string): Promise<Blob> {
    const first = await openDatabase()
    await first.exec(`CREATE ROLE joe LOGIN; ${TABLE}`)
    await first.trickle.createStreamTable('sums', SUMS)
    await first.exec(sql)
    const dump = await first.dumpDataDir('none')
    await first.close()
    return dump
  }

  test('opens the database, and may do what its rights allow', async () => {
    const rights =
      'GRANT ALL ON SCHEMA public TO joe; GRANT SELECT, INSERT, UPDATE, TRIGGER ON t TO joe; GRANT SELECT ON sums TO joe'
    pg = await openDatabase({ loadDataDir: await createAsSuperuser(rights), username: 'joe' })
    expect((await pg.query('SELECT current_user::text AS u')).rows).toEqual([{ u: 'joe' }])
    const mirror = await Mirror.open(pg, 'sums')
    await pg.exec('INSERT INTO t VALUES (4, 2, 4)')
    await mirror.check()
    expect([...mirror.rows.values()]).toContainEqual({ k: 2, s: 7 })
    await mirror.end()

    await pg.trickle.createStreamTable('mine', 'SELECT max(v) AS m FROM t')
    await pg.exec('UPDATE t SET v = 20 WHERE id = 1')
    expect((await pg.query('SELECT m FROM mine')).rows).toEqual([{ m: 20 }])
    expect(await pg.trickle.verifyStreamTable('mine')).toEqual({ ok: true, missing: 0, extra: 0 })
    await pg.trickle.dropStreamTable('mine')
    await expect(pg.trickle.dropStreamTable('sums')).rejects.toMatchObject({ code: '42501' })
  })

  test('needs the rights that PostgreSQL requires', async () => {
    pg = await openDatabase({ loadDataDir: await createAsSuperuser(''), username: 'joe' })
    await expect(Mirror.open(pg, 'sums')).rejects.toMatchObject({ code: '42501' })
    await expect(pg.trickle.createStreamTable('mine', 'SELECT v FROM t')).rejects.toMatchObject({ code: '42501' })
    expect(await pg.trickle.listStreamTables()).toHaveLength(1)
  })

  test('cannot install the extension, and the error says who can', async () => {
    const plain = await openWith({})
    await plain.exec('CREATE ROLE joe LOGIN')
    const loadDataDir = await plain.dumpDataDir('none')
    await plain.close()
    pg = undefined
    const error = await openDatabase({ loadDataDir, username: 'joe' }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TrickleError)
    expect(error).toMatchObject({ code: '42501', hint: expect.stringContaining('username') as string })
  })
})
