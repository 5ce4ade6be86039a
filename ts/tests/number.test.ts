/** Many stream tables: a change runs each stage that depends on it once, and no others. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { useFreshLab } from './support/use-lab.js'

const lab = useFreshLab()
afterEach(() => lab.exec('ROLLBACK'))

/** The stream tables whose storage a change reads or writes, with the number of rows written. */
async function touched(sql: string): Promise<Map<string, number>> {
  await lab.exec('BEGIN')
  const before = await uses()
  await lab.exec(sql)
  const after = await uses()
  await lab.check(sql)
  await lab.exec('COMMIT')
  const changed = [...after].filter(([name, { reads }]) => reads > (before.get(name)?.reads ?? 0))
  return new Map(changed.map(([name, { writes }]) => [name, writes - (before.get(name)?.writes ?? 0)]))
}

/** Counts reads and writes of storage tables so far. The statistics also cover what came before the transaction. */
async function uses(): Promise<Map<string, { reads: number; writes: number }>> {
  const rows = await lab.exec(`SELECT c.relname AS name, (s.n_tup_ins + s.n_tup_upd + s.n_tup_del)::int AS writes,
      (s.seq_scan + coalesce(s.idx_scan, 0) + s.n_tup_ins)::int AS reads
    FROM pg_stat_xact_all_tables s JOIN pgtrickle.stream_table t ON t.storage = s.relid JOIN pg_class c ON c.oid = t.relid`)
  return new Map(
    rows.map(({ name, reads, writes }) => [String(name), { reads: Number(reads), writes: Number(writes) }]),
  )
}

describe('1,000 stream tables over 50 tables', () => {
  const TABLES = 50
  const names = new Map<string, number[]>()

  test('the last are created as quickly as the first, and a change reaches only what reads the table', async () => {
    for (let i = 0; i < TABLES; i++) {
      await lab.exec(`CREATE TABLE t${i} (id int PRIMARY KEY, k int, v int);
          INSERT INTO t${i} SELECT n, n % 5, n FROM generate_series(1, 20) n`)
    }
    const times: number[] = []
    for (let n = 0; n < 1000; n++) {
      const [i, kind] = [n % TABLES, Math.floor(n / TABLES) % 5]
      const other = (i + 1 + Math.floor(n / TABLES)) % TABLES
      const query = [
        `SELECT k, count(*) AS n, sum(v) AS s FROM t${i} GROUP BY k`,
        `SELECT id, v + ${n} AS v FROM t${i}`,
        `SELECT a.id, b.v FROM t${i} a JOIN t${other} b USING (id)`,
        `SELECT a.id, b.v FROM t${i} a LEFT JOIN t${other} b USING (id)`,
        `SELECT id, rank() OVER (PARTITION BY k ORDER BY v) FROM t${i}`,
      ][kind]
      names.set(`s${n}`, kind === 2 || kind === 3 ? [i, other] : [i])
      const start = performance.now()
      await lab.exec(`SELECT pgtrickle.create_stream_table('s${n}', '${query}')`)
      times.push(performance.now() - start)
      // The oracle compares one of each kind, for some of the tables.
      if (i % 10 === 3 && n < 5 * TABLES) await lab.watch(`s${n}`, query ?? '')
    }
    const median = (part: number[]) => part.sort((a, b) => a - b)[part.length / 2] ?? 0
    const [early, late] = [median(times.slice(0, 200)), median(times.slice(-200))]
    console.log(`creating a stream table: ${early.toFixed(1)} ms of the first 200, ${late.toFixed(1)} ms of the last`)
    expect(late).toBeLessThan(4 * early)

    for (const i of [3, 13, 49]) {
      const readers = [...names].filter(([, tables]) => tables.includes(i)).map(([name]) => name)
      const seen = await touched(`INSERT INTO t${i} VALUES (20 + 1, 1, 1)`)
      expect([...seen.keys()].filter((name) => !readers.includes(name))).toEqual([])
      // Those that contain its rows are written.
      const showing = readers.filter((name) => names.get(name)?.length === 1)
      for (const name of showing) expect(seen.get(name), name).toBeGreaterThan(0)
    }
    expect(await touched('CREATE TABLE other (a int); INSERT INTO other VALUES (1)')).toEqual(new Map())
    for (const sql of [
      'UPDATE t3 SET v = v + 1 WHERE k = 1',
      'WITH x AS (DELETE FROM t13 WHERE id < 3) UPDATE t3 SET k = 2',
      'TRUNCATE t23',
    ])
      await lab.run(sql)
  }, 600_000)
})

describe('a chain of 10, a fan of 100, and diamonds upon diamonds', () => {
  beforeEach(() =>
    lab.exec(
      'CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t SELECT i, i % 4, i FROM generate_series(1, 20) i',
    ),
  )

  async function changes(): Promise<void> {
    await lab.run('INSERT INTO t VALUES (100, 1, 100), (101, 9, 1)')
    await lab.run('UPDATE t SET k = 3 - k WHERE id % 2 = 0')
    await lab.run(
      'BEGIN; DELETE FROM t WHERE k = 1; SAVEPOINT s; TRUNCATE t; ROLLBACK TO s; UPDATE t SET v = 0; COMMIT',
    )
    await lab.run('DELETE FROM t')
    await lab.run('INSERT INTO t VALUES (1, 1, 1)')
  }

  test('a chain: every link is written once', async () => {
    let below = 't'
    for (let depth = 1; depth <= 10; depth++) {
      const query =
        depth % 3 === 0
          ? `SELECT k, sum(v)::int AS v, count(*)::int AS id FROM ${below} GROUP BY k`
          : depth % 3 === 1
            ? `SELECT id, k, v + 1 AS v FROM ${below} WHERE v IS NOT NULL`
            : `SELECT a.id, a.k, b.v FROM ${below} a LEFT JOIN t b ON b.id = a.k`
      await lab.create(`c${depth}`, query)
      below = `c${depth}`
    }
    const seen = await touched('INSERT INTO t VALUES (0, 0, 50)')
    expect([...seen.keys()].sort()).toHaveLength(10)
    await changes()
  })

  test('a fan', async () => {
    for (let n = 0; n < 100; n++) {
      const where = n % 2 === 0 ? `WHERE k = ${n % 5}` : ''
      await lab.create(
        `f${n}`,
        n % 3 === 0 ? `SELECT id, v FROM t ${where}` : `SELECT k, sum(v + ${n}) AS s FROM t ${where} GROUP BY k`,
      )
    }
    await lab.create('ends', `SELECT f0.id, f1.s FROM f0 JOIN f1 ON f1.k = f0.v JOIN f3 ON f3.id = f0.id`)
    const seen = await touched('INSERT INTO t VALUES (200, 7, 7)')
    // One row in each of those without a condition, and none twice.
    for (let n = 1; n < 100; n += 2) expect(seen.get(`f${n}`), `f${n}`).toBe(1)
    await changes()
  })

  test('still once after alterStreamTable has added stages, and after that is rolled back', async () => {
    await lab.create('low', 'SELECT id, k, v FROM t WHERE v > 1')
    await lab.create('mid', 'SELECT id % 4 AS k, sum(v) AS s FROM t GROUP BY 1')
    await lab.create('top', 'SELECT count(*), sum(l.v) AS v, sum(m.s) AS s FROM mid m JOIN low l USING (k)')
    await lab.create('topmost', 'SELECT count(*), sum(l.v) AS v, sum(t.s) AS s FROM top t, low l')
    await lab.create('l1', 'SELECT id, k, v FROM low')
    await lab.create('l2', 'SELECT id, k, v FROM l1')
    const sql = 'UPDATE t SET v = v + 1 WHERE id = 7'
    const expected = { low: 1, mid: 1, top: 1, topmost: 1, l1: 1, l2: 1 }
    expect(Object.fromEntries(await touched(sql))).toEqual(expected)
    const deeper = 'SELECT id % 4 AS k, sum(v) AS s FROM l2 GROUP BY 1'
    lab.forget('mid')
    await lab.exec(`BEGIN; SELECT pgtrickle.alter_stream_table('mid', '${deeper}'); UPDATE t SET v = v + 1; ROLLBACK`)
    expect(Object.fromEntries(await touched(sql))).toEqual(expected)
    await lab.pg.trickle.alterStreamTable('mid', deeper)
    await lab.watch('mid', deeper)
    expect(Object.fromEntries(await touched(sql))).toEqual(expected)
    await changes()
  })

  test('diamonds: the last join runs once, with both sides changed', async () => {
    let below = 't'
    for (let n = 1; n <= 4; n++) {
      await lab.create(`l${n}`, `SELECT id, k, v FROM ${below} WHERE v > ${n}`)
      await lab.create(`r${n}`, `SELECT id, v + 1 AS v FROM ${below}`)
      await lab.create(`d${n}`, `SELECT l.id, l.k, r.v FROM l${n} l JOIN r${n} r USING (id)`)
      below = `d${n}`
    }
    const seen = await touched('INSERT INTO t VALUES (200, 7, 70)')
    expect([...seen.values()]).toEqual(Array.from({ length: 12 }, () => 1))
    await changes()
  })
})
