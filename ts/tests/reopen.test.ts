import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTrickle } from '../dist/index.js'
import type { Bundles } from '../dist/index.js'
import { emptyDataDir, openDatabase, openWith } from './support/pglite.js'
import type { Database } from './support/pglite.js'

const SUMS = 'SELECT k, sum(v) AS s FROM t GROUP BY k'

let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'pg_trickle-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

async function fill(pg: Database): Promise<void> {
  await pg.exec(
    'CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)',
  )
  await pg.trickle.createStreamTable('sums', SUMS)
  await pg.trickle.createStreamTable('vs', 'SELECT DISTINCT v FROM t')
  await pg.trickle.createStreamTable('top', 'SELECT max(s) AS m FROM sums')
}

async function sums(pg: { query: Database['query'] }): Promise<unknown[]> {
  return (await pg.query('SELECT k, s::int FROM sums ORDER BY k', [], { rowMode: 'array' })).rows
}

async function changes(pg: Database): Promise<void> {
  await pg.exec('INSERT INTO t VALUES (4, 2, 4)')
  await pg.exec('UPDATE t SET k = 3 WHERE id = 1')
  await pg.exec('DELETE FROM t WHERE id = 2')
  expect(await sums(pg)).toEqual([
    [2, 7],
    [3, 1],
  ])
  for (const name of ['sums', 'vs', 'top']) {
    expect(await pg.trickle.verifyStreamTable(name)).toEqual({ ok: true, missing: 0, extra: 0 })
  }
}

describe('a database on disk', () => {
  test('continues after it is opened again, before any call of the plugin', async () => {
    const first = await openDatabase({ dataDir, loadDataDir: await emptyDataDir() })
    await fill(first)
    await first.close()
    const second = await openDatabase({ dataDir })
    try {
      await changes(second)
      expect((await second.trickle.listStreamTables()).map(({ name }) => name)).toEqual(['sums', 'top', 'vs'])
      await second.exec('DROP TABLE t CASCADE')
      expect(await second.trickle.listStreamTables()).toEqual([])
    } finally {
      await second.close()
    }
  })

  test('can be read without the plugin, reports what is missing, and can be repaired', async () => {
    const first = await openDatabase({ dataDir, loadDataDir: await emptyDataDir() })
    await fill(first)
    await first.close()

    const without = await openWith({}, { dataDir })
    expect(await sums(without)).toEqual([
      [1, 3],
      [2, 3],
    ])
    const error = await without.exec('INSERT INTO t VALUES (9, 9, 9)').catch((thrown: unknown) => thrown)
    // A change to a source fails and names the library, so nothing becomes silently stale.
    expect(error).toMatchObject({ message: expect.stringContaining('pg_trickle') })
    expect((await without.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 3 }])
    await without.close()

    const again = await openDatabase({ dataDir })
    try {
      await changes(again)
    } finally {
      await again.close()
    }
  })

  test('allows the extension to be dropped without the plugin', async () => {
    const first = await openDatabase({ dataDir, loadDataDir: await emptyDataDir() })
    await fill(first)
    await first.close()
    const without = await openWith({}, { dataDir })
    try {
      for (const ddl of ['CREATE TABLE other (v int)', 'DROP VIEW top', 'DROP TABLE t CASCADE'])
        await expect(without.exec(ddl)).rejects.toMatchObject({ code: '58P01' })
      await without.exec('DROP EXTENSION pg_trickle CASCADE')
      await without.exec('INSERT INTO t VALUES (9, 9, 9); CREATE TABLE other (v int)')
    } finally {
      await without.close()
    }
  })
})

describe('a database in memory', () => {
  test('can be moved by a dump of its data directory', async () => {
    const first = await openDatabase()
    await fill(first)
    const dump = await first.dumpDataDir('none')
    await first.close()
    const second = await openDatabase({ loadDataDir: dump })
    try {
      await changes(second)
    } finally {
      await second.close()
    }
  })

  test('DROP EXTENSION removes everything, and the next call creates it again', async () => {
    const pg = await openDatabase()
    try {
      await fill(pg)
      await pg.exec('DROP EXTENSION pg_trickle CASCADE')
      await pg.exec('INSERT INTO t VALUES (9, 9, 9)')
      await expect(pg.query('SELECT * FROM sums')).rejects.toMatchObject({ code: '42P01' })
      expect((await pg.query("SELECT 1 FROM pg_namespace WHERE nspname = 'pgtrickle'")).rows).toEqual([])
      expect(await pg.trickle.listStreamTables()).toEqual([])
      await pg.trickle.createStreamTable('sums', SUMS)
      await pg.exec('UPDATE t SET k = 5')
      expect(await sums(pg)).toEqual([[5, 15]])
    } finally {
      await pg.close()
    }
  })

  test('a clone is independent', async () => {
    const pg = await openDatabase()
    await fill(pg)
    const clone = (await pg.clone()) as Database
    try {
      await changes(clone)
      expect(await sums(pg)).toEqual([
        [1, 3],
        [2, 3],
      ])
    } finally {
      await clone.close()
      await pg.close()
    }
  })
})

/** Returns the error of opening a database with these bundles. */
async function failure(bundles: Bundles): Promise<unknown> {
  try {
    await (await openWith({ trickle: createTrickle({ bundles }) })).close()
  } catch (error) {
    return error
  }
  return undefined
}

describe('a bundle that cannot be used', () => {
  test('causes an error, and the database does not hang', async () => {
    const page = new Blob(['<!doctype html><title>Not found</title>'])
    expect(await failure({ 17: page, 18: page })).toMatchObject({ name: 'TrickleError', code: '58P01' })
    const absent = new URL('./no-such-bundle.tar.gz', import.meta.url)
    expect(await failure({ 17: absent, 18: absent })).toMatchObject({ name: 'TrickleError', code: '58P01' })
    expect(await failure({})).toMatchObject({ name: 'TrickleError', code: '0A000' })
  })
})
