/** A feed in a dump, which is restored into the same and the next PostgreSQL. */
import { pgDump } from '@electric-sql/pglite-tools/pg_dump'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trickle } from '../dist/index.js'
import { Lab } from './support/lab.js'
import { loadModule, MAJOR, openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { Replica } from './support/replica.js'

const VIEWS: Record<string, string> = {
  'public.sums': 'SELECT k, sum(v) AS s FROM public.t GROUP BY k',
  'public.equal_rows': 'SELECT v FROM public.t WHERE v > 1 UNION ALL SELECT v FROM public.t',
  'public.staged': 'SELECT s, count(*) AS n FROM (SELECT k, sum(v) AS s FROM public.t GROUP BY k) q GROUP BY s',
}

let dump: string
/** The numbers up to which a reader had come. */
const known: Record<string, number> = {}

beforeAll(async () => {
  const lab = await new Lab().open()
  await lab.exec(
    'CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t SELECT i, i % 3, i FROM generate_series(1, 9) i',
  )
  for (const [name, query] of Object.entries(VIEWS)) {
    await lab.create(name, query)
    await lab.exec(`SELECT pgtrickle.keep_changes('${name}', retain => NULL)`)
  }
  await lab.exec('UPDATE t SET v = v + 1')
  for (const name of Object.keys(VIEWS)) known[name] = (await new Replica(lab, name).begin()).after
  await lab.exec('UPDATE t SET v = v + 1 WHERE id < 3; INSERT INTO t VALUES (20, 20, 20)')
  dump = await (await pgDump({ pg: lab.pg })).text()
  await lab.close()
})

async function open(major: number): Promise<Database> {
  if (major === MAJOR) return openDatabase()
  const { PGlite } = await loadModule(major === 17 ? 'pglite-0.4' : 'pglite-0.5')
  return (await PGlite.create({ extensions: { trickle } })) as Database
}

describe.each([17, 18].filter((major) => major >= MAJOR))(`dumped from ${MAJOR}, restored into %i`, (major) => {
  let lab: Lab
  beforeAll(async () => {
    lab = await new Lab().open(await open(major))
    await lab.exec(dump)
    await lab.exec('RESET search_path')
  })
  afterAll(() => lab?.close())

  test('goes on where it was', async () => {
    await lab.pg.trickle.restoreStreamTables()
    const rows = await lab.exec('SELECT schema || $$.$$ || name AS name, last FROM pgtrickle.feeds ORDER BY 1')
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(VIEWS).sort())
    for (const [name, query] of Object.entries(VIEWS)) {
      await lab.watch(name, query)
      const missed = await lab.exec(`SELECT op FROM pgtrickle.changes('${name}', after => ${known[name]})`)
      expect(missed.length, name).toBeGreaterThan(0)
    }
    const replicas = []
    for (const name of Object.keys(VIEWS)) replicas.push(await new Replica(lab, name).begin())
    const before = replicas.map(({ after }) => after)
    await lab.run('UPDATE t SET v = v + 1 WHERE k = 1')
    await lab.run('DELETE FROM t WHERE id = 20')
    for (const replica of replicas) {
      await replica.follow()
      await replica.check('the restore')
    }
    expect(replicas.map(({ after }, n) => after > (before[n] ?? 0))).toEqual([true, true, true])
    expect(replicas.map(({ snapshots }) => snapshots)).toEqual([1, 1, 1])
  })
})
