/** A database that another version of the extension has made. */
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { createTrickle } from '../dist/index.js'
import type { TrickleExtension } from '../dist/index.js'
import { Lab } from './support/lab.js'
import { MAJOR, emptyDataDir, openDatabase, openWith } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { tar } from './unit/fixtures.js'

const QUERIES = {
  sums: 'SELECT k, count(*) AS n, sum(v) AS s FROM t GROUP BY k',
  above: 'SELECT max(s) AS most FROM sums',
  numbered: 'SELECT id, row_number() OVER (ORDER BY v, id) AS r FROM (SELECT DISTINCT id, v FROM t) d',
}

let lab: Lab | undefined
afterEach(async () => {
  await lab?.close()
  lab = undefined
})

/** A database with stream tables, after `change` has made it look like one of another version. */
async function made(change: string): Promise<Blob> {
  const pg = await openDatabase({ loadDataDir: await emptyDataDir() })
  await pg.exec('CREATE TABLE t (id int PRIMARY KEY, k int, v int)')
  await pg.exec('INSERT INTO t SELECT n, n % 3, n FROM generate_series(1, 9) n')
  for (const [name, query] of Object.entries(QUERIES)) await pg.trickle.createStreamTable(name, query)
  await pg.exec(`SET session_replication_role = replica; ${change}`)
  const dump = await pg.dumpDataDir('none')
  await pg.close()
  return dump
}

/** Rows of another meaning in storage whose columns look the same. */
const OLDER_STORAGE = `UPDATE pgtrickle.stream_table SET layout = '0' || substr(layout, strpos(layout, ':'));
  DO $$ DECLARE part regclass; BEGIN
    FOR part IN SELECT storage FROM pgtrickle.stream_table UNION ALL SELECT storage FROM pgtrickle.stage LOOP
      EXECUTE format('DELETE FROM %s', part);
    END LOOP;
  END $$`
const OLDER = `UPDATE pg_extension SET extversion = '0.0.9' WHERE extname = 'pg_trickle'`

/** The plugin with one more file in its bundle. */
async function withScript(name: string, text: string): Promise<TrickleExtension> {
  const packed = await readFile(new URL(`../dist/pg_trickle-pg${MAJOR}.tar.gz`, import.meta.url))
  const bundle = gunzipSync(packed)
  let end = bundle.length
  while (bundle.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512
  const file = tar({ [`share/postgresql/extension/${name}`]: text })
  return createTrickle({ bundles: { [MAJOR]: new Blob([bundle.subarray(0, end), file]) } })
}

async function mustGoOn(opened: Database): Promise<Lab> {
  lab = await new Lab().open(opened)
  for (const [name, query] of Object.entries(QUERIES)) await lab.watch(name, query)
  await lab.run('INSERT INTO t VALUES (10, 1, 100)')
  await lab.run('UPDATE t SET k = 5, v = v + 1 WHERE id < 3')
  await lab.checkRefresh()
  const stored = await lab.exec("SELECT count(*)::int AS n FROM pgtrickle.stream_table WHERE layout NOT LIKE '1: %'")
  expect(stored).toEqual([{ n: 0 }])
  return lab
}

describe('an older version', () => {
  test('is brought to this one, with its storage, when it is opened', async () => {
    const loadDataDir = await made(`${OLDER}; ${OLDER_STORAGE}`)
    const upgraded = await withScript('pg_trickle--0.0.9--0.1.0.sql', 'SELECT 1;')
    const pg = (await openWith({ trickle: upgraded }, { loadDataDir })) as Database
    const { rows } = await pg.query('SELECT k, n::int FROM sums ORDER BY k')
    expect(rows).toEqual([0, 1, 2].map((k) => ({ k, n: 3 })))
    const version = await pg.query("SELECT extversion FROM pg_extension WHERE extname = 'pg_trickle'")
    expect(version.rows).toEqual([{ extversion: '0.1.0' }])
    await mustGoOn(pg)
  })

  test('has other storage: that is made anew at the first change, which says so', async () => {
    const pg = await openDatabase({ loadDataDir: await made(OLDER_STORAGE) })
    const notices: string[] = []
    await pg.exec('INSERT INTO t VALUES (11, 2, 3); INSERT INTO t VALUES (12, 2, 3)', {
      onNotice: ({ message }) => notices.push(message ?? ''),
    })
    expect(notices.filter((notice) => notice.includes('made anew')).sort()).toEqual([
      expect.stringContaining('public.numbered'),
      expect.stringContaining('public.sums'),
    ])
    await mustGoOn(pg)
  })

  test.each(['refresh', 'alter'])('is mended by %s too', async (how) => {
    const pg = await openDatabase({ loadDataDir: await made(OLDER_STORAGE) })
    for (const [name, query] of Object.entries(QUERIES)) {
      if (how === 'alter') await pg.trickle.alterStreamTable(name, query)
      else await pg.trickle.refreshStreamTable(name)
    }
    await mustGoOn(pg)
  })

  test('is made anew for a subscriber', async () => {
    const pg = await openDatabase({ loadDataDir: await made(OLDER_STORAGE) })
    let n = 0
    const end = await pg.trickle.subscribe('sums', (changes) => void (n += changes.length))
    expect(n).toBe(3)
    await end()
    await mustGoOn(pg)
  })

  test('without scripts that lead to this one is refused', async () => {
    const loadDataDir = await made(OLDER)
    await expect(openDatabase({ loadDataDir })).rejects.toMatchObject({ code: '55000' })
  })
})

describe('a later version', () => {
  test('of the extension is refused, and the error says what to do', async () => {
    const loadDataDir = await made("UPDATE pg_extension SET extversion = '9.8.7' WHERE extname = 'pg_trickle'")
    await expect(openDatabase({ loadDataDir })).rejects.toMatchObject({
      name: 'TrickleError',
      code: '55000',
      message: expect.stringContaining('9.8.7'),
      hint: expect.stringContaining('@pgtrickle/pglite'),
    })
  })

  test('of storage is left alone: changes of what it reads fail', async () => {
    const later =
      "UPDATE pgtrickle.stream_table SET layout = '2' || substr(layout, strpos(layout, ':')) WHERE relid = 'sums'::regclass"
    const pg = await openDatabase({ loadDataDir: await made(later) })
    lab = await new Lab().open(pg)
    const error = await lab.fails('INSERT INTO t VALUES (11, 2, 3)')
    expect(error).toMatchObject({ code: '55000', hint: expect.stringContaining('@pgtrickle/pglite') })
    expect(error.message).toContain('public.sums')
    await lab.fails("SELECT pgtrickle.refresh_stream_table('sums')")
    await lab.exec('DROP VIEW sums CASCADE; INSERT INTO t VALUES (11, 2, 3)')
  })
})
