import { describe, expect, test } from 'vitest'
import type { Lab } from './support/lab.js'
import { useFreshLab } from './support/use-lab.js'

const LONGEST = 'n'.repeat(63)

const NAMES = [
  'Capitals',
  'with space',
  'quote"inside',
  "apostrophe's",
  'back\\slash',
  'dollar$$sign',
  'select',
  'größe_名前',
  '🐘',
  'dot.ted',
  '%I %s',
  '{"json": [1]}',
  '1st',
  LONGEST,
  'ü'.repeat(31),
]

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

const lab: Lab = useFreshLab(async () => {
  for (const name of NAMES) await lab.exec(`DROP SCHEMA IF EXISTS ${quote(name)} CASCADE`)
})

describe('schema, stream table, source and columns can have any name', () => {
  test.each(NAMES)('%s', async (name) => {
    const q = quote(name)
    await lab.exec(`CREATE SCHEMA ${q}`)
    const before = await lab.inventory()
    await lab.exec(`CREATE TABLE ${q}.${q} (${q} int PRIMARY KEY, k int, v text)`)
    await lab.exec(`INSERT INTO ${q}.${q} VALUES (1, 1, $v$${name}$v$), (2, 1, NULL)`)
    const st = `${q}.${quote(`${name.slice(0, -3)}_st`)}`
    const query = `SELECT k AS ${q}, count(*), min(v) AS ${quote(`${name.slice(0, -3)}_v`)} FROM ${q}.${q} WHERE v <> $v$${name}!$v$ OR v IS NULL GROUP BY k`
    const created = await lab.pg.trickle.createStreamTable(st, query)
    expect(created).toMatchObject({
      name: `${name.slice(0, -3)}_st`,
      schema: name,
      key: [name],
      sources: [`${bare(name)}.${bare(name)}`],
    })
    await lab.watch(st, query)
    await lab.create(`${q}.over`, `SELECT ${q} + 1 AS k FROM ${st}`)
    await lab.create(`${q}.rebuilt`, `SELECT DISTINCT v FROM ${q}.${q}`)
    await lab.run(`INSERT INTO ${q}.${q} VALUES (3, 2, 'x')`)
    await lab.run(`UPDATE ${q}.${q} SET k = 3, ${q} = ${q} + 10`)
    await lab.run(`DELETE FROM ${q}.${q} WHERE ${q} = 11`)
    await lab.checkRefresh()
    expect((await lab.pg.trickle.explainStreamTable(st)).name).toBe(`${name.slice(0, -3)}_st`)
    lab.watched.clear()
    await lab.exec(`DROP SCHEMA ${q} CASCADE; CREATE SCHEMA ${q}`)
    expect(await lab.inventory()).toEqual(before)
  })
})

/** Like PostgreSQL's quote_ident. */
function bare(name: string): string {
  return name === LONGEST ? name : quote(name)
}

describe('names are resolved as in SQL', () => {
  test('folded to lower case, unless quoted', async () => {
    await lab.exec('CREATE TABLE t (v int)')
    expect(await lab.pg.trickle.createStreamTable('MyTotals', 'SELECT v FROM T')).toMatchObject({
      name: 'mytotals',
    })
    expect(await lab.pg.trickle.createStreamTable('"MyTotals"', 'SELECT v FROM t')).toMatchObject({
      name: 'MyTotals',
    })
    expect(await lab.pg.trickle.createStreamTable(' Test . Spaced ', 'SELECT v FROM t')).toMatchObject({
      name: 'spaced',
      schema: 'test',
    })
    expect((await lab.pg.trickle.listStreamTables()).map(({ name }) => name).sort()).toEqual([
      'MyTotals',
      'mytotals',
      'spaced',
    ])
    await lab.pg.trickle.dropStreamTable('MYTOTALS')
    expect((await lab.pg.trickle.listStreamTables()).map(({ name }) => name).sort()).toEqual(['MyTotals', 'spaced'])
  })

  test('new stream tables go into the first schema of the search path, which is also searched first', async () => {
    await lab.exec('CREATE TABLE t (v int); CREATE SCHEMA test2')
    try {
      await lab.pg.trickle.createStreamTable('test2.st', 'SELECT v FROM test.t')
      await lab.pg.trickle.createStreamTable('st', 'SELECT v + 1 AS w FROM test.t')
      await lab.exec('SET search_path = test2, test')
      expect(await lab.pg.trickle.alterStreamTable('st', 'SELECT v AS x FROM test.t')).toMatchObject({
        schema: 'test2',
        columns: ['x'],
      })
      await lab.pg.trickle.dropStreamTable('st')
      expect(await lab.pg.trickle.listStreamTables()).toMatchObject([{ schema: 'test', columns: ['w'] }])
      await lab.pg.trickle.dropStreamTable('st')
      expect(await lab.pg.trickle.listStreamTables()).toEqual([])
    } finally {
      await lab.exec('SET search_path = test, public; DROP SCHEMA test2 CASCADE')
    }
  })

  test('columns may have the names of hidden columns, and of system columns elsewhere', async () => {
    await lab.exec('CREATE TABLE t (__pgt_count int, __pgt_k1 text, __pgt_hash int, w int, n int, rowid int)')
    await lab.exec("INSERT INTO t VALUES (1, 'a', 1, 1, 1, 1), (1, 'a', 1, 1, 1, 1)")
    await lab.create('st', 'SELECT * FROM t')
    await lab.create(
      'agg',
      'SELECT __pgt_k1, w, count(*) AS __pgt_count, sum(n) AS __pgt_s1, min(rowid) AS __pgt_n FROM t GROUP BY __pgt_k1, w',
    )
    await lab.create('joined', 'SELECT s.n AS d, t.w AS s, s.w AS t FROM t JOIN t s ON s.n = t.w')
    await lab.run("INSERT INTO t VALUES (2, 'b', 2, 2, 2, 2)")
    await lab.run('UPDATE t SET __pgt_count = 5, w = 2')
    await lab.run('DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)')
    await lab.checkRefresh()
  })

  test('as many columns as a table can have', async () => {
    const columns = Array.from({ length: 300 }, (_, i) => `c${i}`)
    await lab.exec(`CREATE TABLE wide (${columns.map((c) => `${c} int DEFAULT ${c.slice(1)}`).join(', ')})`)
    await lab.create('st', 'SELECT * FROM wide')
    await lab.create(
      'agg',
      `SELECT c0, ${columns
        .slice(1, 40)
        .map((c) => `sum(${c}) AS ${c}`)
        .join(', ')} FROM wide GROUP BY c0`,
    )
    await lab.run('INSERT INTO wide DEFAULT VALUES')
    await lab.run('INSERT INTO wide SELECT * FROM wide')
    await lab.run('UPDATE wide SET c5 = 0 WHERE ctid = (SELECT min(ctid) FROM wide)')
    await lab.run('DELETE FROM wide')
  })
})
