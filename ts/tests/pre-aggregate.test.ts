/** Facts that are added up by the key of their dimension before they are joined to it: `preAggregate`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Rng, firstSeed } from './random/rng.js'
import { Lab } from './support/lab.js'
import { emptyDataDir, openDatabase } from './support/pglite.js'
import { useFreshLab } from './support/use-lab.js'

const STAR = `
  CREATE TABLE country (id int PRIMARY KEY, name text, rate numeric);
  CREATE TABLE shop (id int PRIMARY KEY, region text, open boolean, opened date, country int, tags json);
  CREATE TABLE kind (a int, b text, name varchar(9), PRIMARY KEY (a, b));
  CREATE TABLE sale (id int PRIMARY KEY, shop int, country int, a int, b text, small int2, x int, big int8, n numeric, m numeric(10, 2), ok boolean,
    day date, f float8);
  INSERT INTO country SELECT i, 'c' || i % 2, i / 2.0 FROM generate_series(1, 3) i;
  INSERT INTO shop SELECT i, nullif('r' || i % 3, 'r2'), i % 2 = 0, DATE '2026-01-01' + i, nullif(i % 4, 3), '{}' FROM generate_series(1, 8) i;
  INSERT INTO kind SELECT i % 2, 'b' || i, 'k' || i % 3 FROM generate_series(1, 6) i;
  INSERT INTO sale SELECT i, nullif(i % 11, 10), i % 5, i % 2, 'b' || i % 7, i % 3, nullif(i % 7, 6), i * 1000000007::bigint, i / 4.0, i / 8.0, i % 3 = 0,
    DATE '2026-01-01' + i % 9, i / 3.0 FROM generate_series(1, 60) i;`

const JOINED = 'FROM sale s JOIN shop d ON d.id = s.shop'

/** Queries that add up sales first. */
const ADDED = {
  sums: `SELECT d.region, count(*) AS n, sum(s.x) AS x, sum(s.small) AS small, sum(s.big) AS big, sum(s.n) AS sn, sum(s.m) AS m ${JOINED} GROUP BY 1`,
  averages: `SELECT d.region, avg(s.x) AS x, avg(s.small) AS small, avg(s.big) AS big, avg(s.n) AS sn, avg(s.m) AS m, count(s.x) AS n ${JOINED} GROUP BY 1`,
  extremes: `SELECT d.open, min(s.x) AS x, max(s.day) AS day, bool_and(s.ok) AS a, bool_or(s.ok) AS o, every(s.x > 1) AS e, min(s.b) AS b ${JOINED} GROUP BY 1`,
  filters: `SELECT d.region, count(*) FILTER (WHERE s.ok) AS n, sum(s.x * s.small + 1) FILTER (WHERE s.x > 2) AS x, max(s.n) FILTER (WHERE s.ok) AS m,
    avg(s.n) FILTER (WHERE NOT s.ok) AS a ${JOINED} GROUP BY 1`,
  havings: `SELECT d.region || '!' AS r, sum(s.x) * 2 + count(*) AS t, coalesce(avg(s.m), 0) AS a ${JOINED} GROUP BY d.region
    HAVING count(*) > 5 AND coalesce(max(s.x), 9) > 1 ORDER BY sum(s.n) DESC`,
  conditions: `SELECT d.region, d.opened, count(*) AS n, sum(s.n) AS sn FROM sale s, shop d
    WHERE d.id = s.shop AND s.x > 1 AND s.day < DATE '2026-01-07' AND d.open AND d.id <> 4 GROUP BY 1, 2`,
  dependents: `SELECT d.id, d.region, d.tags, count(*) AS n, sum(s.n) AS sn ${JOINED} GROUP BY d.id`,
  keys_of_facts: `SELECT s.shop, d.region, count(*) AS n, min(d.opened) AS first, bool_or(d.open) AS o ${JOINED} GROUP BY 1, 2`,
  two_columns: `SELECT k.name, count(*) AS n, sum(s.x) AS x FROM kind k JOIN sale s ON k.a = s.a AND k.b = s.b GROUP BY k.name`,
  snowflake: `SELECT c.name, sum(s.x) AS x, count(*) AS n ${JOINED} JOIN country c ON c.id = d.country WHERE c.rate < 9 GROUP BY 1`,
  two_dimensions: `SELECT d.region, c.name, sum(s.m) AS m, count(*) AS n ${JOINED} JOIN country c ON c.id = s.country GROUP BY 1, 2`,
  twice: `SELECT t.b, sum(s.x) AS x, count(*) AS n ${JOINED} JOIN sale t ON t.id = s.x GROUP BY 1`,
  no_aggregate: `SELECT d.region ${JOINED} GROUP BY d.region`,
  sets: `SELECT d.region, d.open, count(*) AS n, sum(s.x) AS x ${JOINED} GROUP BY ROLLUP (1, 2)`,
  in_a_subquery: `SELECT open, max(t) AS t FROM (SELECT d.open, d.region, sum(s.x) AS t ${JOINED} GROUP BY 1, 2) q GROUP BY open`,
  by_using:
    'SELECT c.name, count(s.id) AS n FROM (SELECT id, country AS cid, x FROM sale) s JOIN (SELECT id AS cid, name FROM country) c USING (cid) GROUP BY 1',
  ranked: `SELECT d.region, rank() OVER (ORDER BY sum(s.x) DESC NULLS LAST) AS place ${JOINED} GROUP BY 1`,
}

/** Queries that must not. */
const JOINED_FIRST = {
  of_both: `SELECT d.region, sum(s.x + d.id) AS x ${JOINED} GROUP BY 1`,
  of_dimension: `SELECT d.region, sum(s.x) AS x, sum(d.id) AS i ${JOINED} GROUP BY 1`,
  by_fact: `SELECT s.day, d.region, count(*) AS n ${JOINED} GROUP BY 1, 2`,
  outer_joined: 'SELECT d.region, count(s.id) AS n FROM shop d LEFT JOIN sale s ON d.id = s.shop GROUP BY 1',
  no_key: 'SELECT d.region, sum(s.x) AS x FROM sale s JOIN shop d ON d.country = s.country GROUP BY 1',
  no_equality:
    'SELECT d.region, sum(s.x) AS x FROM sale s JOIN shop d ON d.id = s.shop AND d.opened < s.day GROUP BY 1',
  other_type: 'SELECT d.region, sum(s.x) AS x FROM sale s JOIN shop d ON d.id = s.big GROUP BY 1',
  distinct_values: `SELECT d.region, count(DISTINCT s.x) AS n ${JOINED} GROUP BY 1`,
  lists: `SELECT d.region, array_agg(s.x ORDER BY s.id) AS l ${JOINED} GROUP BY 1`,
  floats: `SELECT d.region, round(sum(s.f)::numeric, 6) AS f ${JOINED} GROUP BY 1`,
  may_raise: `SELECT d.region, sum(1 / s.x) AS x ${JOINED} WHERE s.x <> 0 GROUP BY 1`,
  whole: `SELECT count(*) AS n, sum(s.x) AS x ${JOINED}`,
  sublink: `SELECT d.region, count(*) AS n ${JOINED} WHERE EXISTS (SELECT FROM country c WHERE c.id = s.country) GROUP BY 1`,
}

const STEPS = [
  "INSERT INTO sale (id, shop, country, a, b, x, n, ok) VALUES (101, 1, 1, 1, 'b1', 3, 1.5, true), (102, NULL, 2, 0, 'b2', NULL, 2.25, false), (103, 77, 9, 9, 'z', 1, 1, NULL)",
  'UPDATE sale SET x = x + 1, n = n + 0.125, ok = NOT ok WHERE id % 4 = 0',
  'UPDATE sale SET shop = shop % 8 + 1, country = NULL WHERE id % 5 = 0',
  "UPDATE shop SET region = 'r9' WHERE id IN (1, 2)",
  'UPDATE shop SET region = NULL, open = NULL WHERE id = 3',
  "INSERT INTO shop VALUES (77, 'r1', true, '2026-05-05', 1, '[]'), (78, 'new', false, NULL, 2, NULL)",
  'UPDATE shop SET id = 79 WHERE id = 77',
  'UPDATE shop SET id = CASE id WHEN 1 THEN 2 ELSE 1 END WHERE false',
  `WITH moved AS (UPDATE shop SET region = 'r0' WHERE id < 4), more AS (INSERT INTO sale (id, shop, x, n, m) VALUES (110, 2, 5, 0.1, 1), (111, 4, 5, 7, 1)),
     gone AS (DELETE FROM sale WHERE id % 7 = 0) UPDATE country SET name = name || 'x', id = id + 10 WHERE id > 1`,
  "WITH more AS (INSERT INTO shop VALUES (90, 'late', true)) INSERT INTO sale (id, shop, x) VALUES (120, 90, 1), (121, 90, NULL)",
  'WITH gone AS (DELETE FROM shop WHERE id = 90) DELETE FROM sale WHERE id = 120',
  "UPDATE sale SET n = 'NaN' WHERE id = 8",
  "UPDATE sale SET n = 'Infinity' WHERE id IN (9, 111)",
  "UPDATE sale SET n = '-Infinity' WHERE id = 9",
  'UPDATE sale SET n = 1.50000 WHERE id IN (8, 9, 111)',
  'UPDATE sale SET n = 0 WHERE id = 9',
  'UPDATE sale SET big = 9223372036854775807 WHERE id % 2 = 0',
  'UPDATE sale SET big = -9223372036854775808, x = -2147483648, small = -32768 WHERE id % 3 = 0',
  'DELETE FROM sale WHERE shop = 4',
  'DELETE FROM shop WHERE id = 5',
  'DELETE FROM sale WHERE x > 2',
  'TRUNCATE shop',
  "INSERT INTO shop SELECT i, 'r' || i % 2, true, DATE '2026-02-01', i % 3, '{}' FROM generate_series(1, 9) i",
  'TRUNCATE sale',
  "INSERT INTO sale SELECT i, i % 9, i % 4, i % 2, 'b' || i % 7, i % 3, i, i, i / 8.0, i, i % 2 = 0, DATE '2026-01-01' + i % 9 FROM generate_series(1, 30) i",
]

const lab = useFreshLab(STAR)

async function createAll(queries: Record<string, string>, preAggregate?: boolean): Promise<void> {
  for (const [name, query] of Object.entries(queries)) await lab.create(name, query, { preAggregate })
}

/** The plan of a stream table, in which each stage has its text. */
const planOf = async (of: Lab, name: string) => JSON.stringify((await of.pg.trickle.explainStreamTable(name)).stages)
const isAddedUp = async (name: string, of: Lab = lab) => (await planOf(of, name)).includes('added up first')

describe('facts added up first', () => {
  it('are added up where they can be', async () => {
    await createAll(ADDED, true)
    for (const name of Object.keys(ADDED)) {
      expect(await isAddedUp(name), name).toBe(true)
      expect((await lab.pg.trickle.explainStreamTable(name)).way, name).not.toBe('rebuild')
    }
    for (const sql of STEPS) await lab.run(sql)
    await lab.checkRefresh()
  })

  it('are joined first where they cannot, and a notice says so', async () => {
    for (const [name, query] of Object.entries(JOINED_FIRST)) {
      lab.notices.length = 0
      await lab.create(name, query, { preAggregate: true })
      expect(await isAddedUp(name), name).toBe(false)
      expect(lab.notices.join(), name).toContain('no facts can be added up first')
    }
    for (const sql of STEPS) await lab.run(sql)
    await lab.checkRefresh()
  })

  it('are joined first where that is asked for', async () => {
    await createAll(ADDED, false)
    for (const name of Object.keys(ADDED)) expect(await isAddedUp(name), name).toBe(false)
    for (const sql of STEPS.slice(0, 12)) await lab.run(sql)
  })

  it.each(['many', 'whole', 'at once'])('follow changes of many rows (%s)', async (way) => {
    await lab.exec(`SELECT pgtrickle.command('choose', '${way}')`)
    try {
      await createAll(ADDED, true)
      for (const sql of STEPS) await lab.run(sql)
    } finally {
      await lab.exec("SELECT pgtrickle.command('choose', 'cheapest')")
    }
  })

  it('follow random changes, below another stream table as well', async () => {
    await createAll(ADDED, true)
    await lab.create('above', 'SELECT n, count(*) AS groups FROM sums GROUP BY n')
    const seed = firstSeed()
    const rng = new Rng(seed)
    let next = 200
    const value = (most: number) => (rng.chance(0.1) ? 'NULL' : `${rng.int(0, most)}`)
    const kinds = [
      () => `INSERT INTO sale (id, shop, country, a, b, x, n, m, ok) VALUES (${next++}, ${value(9)}, ${value(4)}, 1, 'b${rng.int(0, 7)}', ${value(9)},
        ${rng.pick(['1', '2.50', '0.125'])}, ${value(5)}, ${rng.pick(['true', 'NULL'])})`,
      () =>
        `UPDATE sale SET x = ${value(9)}, n = ${value(9)} / ${rng.pick(['2.0', '4.000'])} WHERE id % ${rng.int(2, 9)} = 0`,
      () => `UPDATE sale SET shop = ${value(9)} WHERE id % ${rng.int(2, 9)} = 1`,
      () => `DELETE FROM sale WHERE id % 17 = ${rng.int(0, 16)}`,
      () =>
        `UPDATE shop SET region = ${rng.pick(["'r0'", "'r5'", 'NULL'])}, open = NOT open WHERE id = ${rng.int(1, 8)}`,
      () => `UPDATE shop SET id = ${next++} WHERE id = ${rng.int(1, 8)}`,
      () => `INSERT INTO shop VALUES (${rng.int(1, 8)}, 'r1', true) ON CONFLICT (id) DO UPDATE SET region = 'r7'`,
      () => `DELETE FROM shop WHERE id = ${rng.int(1, 8)}`,
      () =>
        `WITH s AS (UPDATE shop SET region = 'w' WHERE id = ${rng.int(1, 8)}) UPDATE sale SET x = x + 1 WHERE shop = ${rng.int(1, 8)}`,
    ]
    for (let turn = 0; turn < 40; turn++) await lab.run(rng.pick(kinds)())
    await lab.checkRefresh()
  })

  it('say so in explain, and read no facts for a change of a dimension', async () => {
    await lab.create('sums', ADDED.sums, { preAggregate: true })
    const { stages } = await lab.pg.trickle.explainStreamTable('sums')
    expect(stages).toHaveLength(2)
    expect(JSON.stringify(stages[1]?.operators)).toContain('facts of sale, added up first by shop')
    const shop = stages[1]?.sources.find((source) => source.name.endsWith('shop'))
    expect(JSON.stringify(shop)).not.toContain('sale')
  })
})

describe('the rule', () => {
  const query = `SELECT d.region, count(*) AS n ${JOINED} GROUP BY 1`
  const more = (rows: number) =>
    `INSERT INTO sale (id, shop) SELECT i, i % 8 FROM generate_series(1001, ${1000 + rows}) i`

  it('adds up where there are many more facts than dimensions', async () => {
    await lab.create('few', query)
    await lab.exec(more(2500))
    await lab.create('guessed', query)
    await lab.exec('ANALYZE sale, shop')
    await lab.create('counted', query)
    await lab.create('never', query, { preAggregate: false })
    await lab.exec('INSERT INTO shop SELECT i FROM generate_series(100, 400) i; ANALYZE shop')
    await lab.create('many_shops', query)
    const added = await Promise.all(['few', 'guessed', 'counted', 'never', 'many_shops'].map((name) => isAddedUp(name)))
    expect(added).toEqual([false, false, true, false, false])
    await lab.run("UPDATE shop SET region = 'x' WHERE id < 3")
  })

  it('is asked when a stream table is made, and not again', async () => {
    await lab.create('few', query)
    await lab.exec(`${more(4000)}; ANALYZE sale, shop`)
    await lab.create('many', query)
    await lab.exec('ALTER TABLE shop ADD COLUMN size int; ALTER TABLE sale ADD COLUMN size int')
    await lab.run("UPDATE shop SET region = 'x' WHERE id < 3")
    expect([await isAddedUp('few'), await isAddedUp('many')]).toEqual([false, true])
    await lab.exec('DELETE FROM sale WHERE id > 1000')
    await lab.exec('VACUUM ANALYZE sale')
    await lab.exec('ALTER TABLE shop DROP COLUMN size')
    await lab.run("UPDATE shop SET region = 'y' WHERE id < 3")
    expect([await isAddedUp('few'), await isAddedUp('many')]).toEqual([false, true])
    expect(await lab.exec('SELECT FROM pgtrickle.health_check() WHERE NOT ok')).toEqual([])
  })

  it('asks again for another query, where nobody has chosen', async () => {
    const other = query.replace('count(*)', 'sum(s.x)')
    await lab.create('st', query)
    await lab.create('never', query, { preAggregate: false })
    await lab.exec(`${more(4000)}; ANALYZE sale, shop`)
    const alter = async (name: string, text: string, preAggregate?: boolean) => {
      await lab.pg.trickle.alterStreamTable(name, text, preAggregate === undefined ? {} : { preAggregate })
      await lab.watch(name, text)
      await lab.run("UPDATE shop SET region = region || 'x' WHERE id < 5")
      return isAddedUp(name)
    }
    expect(await alter('st', other)).toBe(true)
    expect(await alter('never', other)).toBe(false)
    await lab.exec('DELETE FROM sale WHERE id > 1000')
    await lab.exec('VACUUM ANALYZE sale')
    expect(await alter('st', query)).toBe(true)
    expect(await alter('st', query, false)).toBe(false)
    expect(await alter('st', other, true)).toBe(true)
    await lab.exec(`SELECT pgtrickle.alter_stream_table('st', $$ ${query} $$, pre_aggregate => false)`)
    await lab.watch('st', query)
    expect(await isAddedUp('st')).toBe(false)
    await lab.exec(`SELECT pgtrickle.create_or_replace_stream_table('st', $$ ${other} $$, pre_aggregate => true)`)
    await lab.watch('st', other)
    expect(await isAddedUp('st')).toBe(true)
    await lab.run("UPDATE shop SET region = region || 'x' WHERE id < 5")
  })

  it('holds in a database that is opened again', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pg_trickle-'))
    try {
      const first = await openDatabase({ dataDir, loadDataDir: await emptyDataDir() })
      await first.exec(`${STAR} ${more(4000)}; ANALYZE sale, shop`)
      await first.trickle.createStreamTable('many', query)
      await first.exec('DELETE FROM sale WHERE id > 1000')
      await first.exec('VACUUM ANALYZE sale')
      await first.close()
      const again = await new Lab().open(await openDatabase({ dataDir }))
      await again.watch('many', query)
      await again.run("UPDATE shop SET region = 'x' WHERE id < 3")
      await again.run('INSERT INTO sale (id, shop) VALUES (9999, 1)')
      expect(await isAddedUp('many', again)).toBe(true)
      await again.checkRefresh()
      await again.close()
    } finally {
      await rm(dataDir, { recursive: true, force: true })
    }
  })
})
