/**
 * The choice between a program for few rows, one for many, and the whole query: all three give the same rows, and a change
 * that touches most rows of a table reads them about as often as the whole query does.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { measure } from '../../bench/lib/tuples.mjs'
import type { Lab } from './support/lab.js'
import { MAJOR, openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { useLab } from './support/use-lab.js'

/** Customers with as many orders each as make half of the table, and one with none. */
const tables = (rows: number) => `
  CREATE TABLE c (id int PRIMARY KEY, name text, w numeric);
  CREATE TABLE o (id int PRIMARY KEY, cid int, amount numeric, f float8, note text);
  CREATE TABLE bare (k int, v text);
  INSERT INTO c SELECT i, 'c' || i, i FROM generate_series(0, 2) i;
  INSERT INTO o SELECT i, i % 2, i % 97, i / 8.0, 'n' || i % 50 FROM generate_series(1, ${rows}) i;
  INSERT INTO bare SELECT i % 2, 'v' || i % 40 FROM generate_series(1, ${rows}) i;
  CREATE INDEX ON o (cid, amount, id); CREATE INDEX ON o (amount, id); CREATE INDEX ON bare (k)`

const QUERIES: Record<string, string> = {
  left_rows: 'SELECT c.id, c.name, o.id AS oid, o.amount FROM c LEFT JOIN o ON o.cid = c.id',
  left_groups: 'SELECT c.name, count(o.id), sum(o.f) FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.name',
  left_bare: 'SELECT c.name, bare.v FROM c LEFT JOIN bare ON bare.k = c.id',
  scalar: 'SELECT c.id, (SELECT max(amount) FROM o WHERE o.cid = c.id) AS m FROM c',
  above: 'SELECT id, amount FROM o WHERE amount > (SELECT avg(amount) FROM o)',
  semi: 'SELECT o.id, o.note FROM o WHERE EXISTS (SELECT FROM bare WHERE bare.k = o.cid)',
  list: "SELECT cid, string_agg(note, ',' ORDER BY id) AS l FROM o GROUP BY cid",
  median: 'SELECT cid, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS m FROM o GROUP BY cid',
  member: 'SELECT o.id FROM o WHERE o.note IN (SELECT v FROM bare)',
  lagging: 'SELECT id, lag(amount) OVER (PARTITION BY cid ORDER BY id) AS l FROM o',
  ranked: 'SELECT amount, rank() OVER (PARTITION BY cid ORDER BY amount) AS r FROM o',
  quarters: 'SELECT id, ntile(4) OVER (ORDER BY amount, id) AS q FROM o',
  bare_window: 'SELECT v, count(*) OVER (PARTITION BY k) AS n FROM bare',
  latest: 'SELECT DISTINCT ON (cid) cid, id FROM o ORDER BY cid, id DESC',
  first: 'SELECT id, amount FROM o ORDER BY amount DESC, id LIMIT 1100',
  board: 'SELECT id, rank() OVER (ORDER BY amount DESC) AS r FROM o ORDER BY amount DESC, id LIMIT 7',
  scan: 'SELECT id, note FROM o WHERE amount > 3',
  bare_scan: 'SELECT v FROM bare WHERE k < 5',
  joined: 'SELECT o.id, c.name FROM o JOIN c ON c.id = o.cid',
  joined_bare: 'SELECT c.w, bare.v FROM bare JOIN c ON c.id = bare.k',
  joined_groups: 'SELECT c.name, count(*), sum(o.amount), max(o.amount) FROM o JOIN c ON c.id = o.cid GROUP BY c.name',
  groups: 'SELECT note, count(*), avg(amount) FROM o GROUP BY note',
  once: 'SELECT DISTINCT v FROM bare',
  united: 'SELECT amount FROM o UNION SELECT w FROM c',
  doubled: 'SELECT amount FROM o UNION SELECT amount * 2 FROM o',
  lists: "SELECT DISTINCT CASE id % 3 WHEN 0 THEN '{}'::int[] WHEN 1 THEN ARRAY[cid] END AS a FROM o",
  full_rows: 'SELECT c.id, c.name, o.id AS oid, o.amount FROM c FULL JOIN o ON o.cid = c.id',
  running: 'SELECT id, sum(amount) OVER (PARTITION BY cid ORDER BY id) AS s FROM o',
  chain: `WITH RECURSIVE r AS (SELECT 1 AS id UNION SELECT o.id FROM r JOIN o ON o.id = r.id + 1 AND o.amount >= 0)
    SELECT id FROM r`,
  chains_all: `WITH RECURSIVE r AS (SELECT id FROM c UNION ALL SELECT o.id FROM r JOIN o ON o.id = r.id + 3 AND o.amount >= 0)
    SELECT id FROM r`,
  islands: `SELECT id, sum(fresh) OVER (PARTITION BY cid ORDER BY id) AS island FROM (SELECT id, cid,
    CASE WHEN amount > lag(amount) OVER (PARTITION BY cid ORDER BY id) THEN 0 ELSE 1 END AS fresh FROM o) q`,
  steepest: `SELECT id, d FROM (SELECT id, d, row_number() OVER (PARTITION BY cid ORDER BY d DESC NULLS LAST, id) AS n FROM
    (SELECT id, cid, amount - lag(amount) OVER (PARTITION BY cid ORDER BY id) AS d FROM o) q) r WHERE n <= 3`,
  union_groups: 'SELECT count(*), sum(v) FROM (SELECT amount AS v FROM o UNION SELECT amount * 2 FROM o) q',
  chains_groups: `WITH RECURSIVE r AS (SELECT id FROM c UNION SELECT o.id FROM r JOIN o ON o.id = r.id + 3 AND o.amount >= 0)
    SELECT id % 3, count(*) FROM r GROUP BY 1`,
  joined_running:
    'SELECT o.id, row_number() OVER (PARTITION BY c.w ORDER BY o.amount, o.id) AS n FROM o JOIN c ON c.id = o.cid',
  joined_lagging: 'SELECT o.id, lag(c.name) OVER (PARTITION BY c.w ORDER BY o.id) AS l FROM o JOIN c ON c.id = o.cid',
  compared_count: 'SELECT c.id, (SELECT count(*) FROM o WHERE o.amount > c.w * 30) AS n FROM c',
  branches: `SELECT k, count(*), sum(v) FROM (SELECT cid AS k, amount AS v FROM o UNION ALL SELECT k, 1.5 FROM bare) q GROUP BY k`,
  distinct_list: "SELECT cid, string_agg(DISTINCT note, ',') AS l FROM o GROUP BY cid",
  joined_first:
    'SELECT DISTINCT ON (c.w) c.w, o.id, o.amount FROM o JOIN c ON c.id = o.cid ORDER BY c.w, o.amount DESC, o.id',
  joined_median:
    'SELECT c.w, percentile_disc(0.5) WITHIN GROUP (ORDER BY o.f) AS m, count(*) FROM o JOIN c ON c.id = o.cid GROUP BY c.w',
  near_values:
    'SELECT id, count(*) OVER (PARTITION BY cid ORDER BY amount RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS n FROM o',
  ends: 'SELECT id, first_value(note) OVER w AS a, last_value(amount) OVER w AS z FROM o WINDOW w AS (PARTITION BY cid ORDER BY amount, id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)',
  page: 'SELECT id, note FROM o ORDER BY note DESC, id LIMIT 5 OFFSET 20',
  extremes: 'SELECT id % 100 AS k, max(amount), min(note) FROM o GROUP BY 1',
  joined_extremes: 'SELECT c.name, o.id % 40 AS k, max(f), min(o.id) FROM o JOIN c ON c.id = o.cid GROUP BY 1, 2',
  bits: 'SELECT note, bit_or(id), bit_and(id), max(f) FROM o GROUP BY note',
  common: 'SELECT k, v FROM bare INTERSECT ALL SELECT cid, note FROM o',
  unmet: 'SELECT o.id, o.cid FROM o WHERE NOT EXISTS (SELECT FROM bare WHERE bare.v = o.note AND bare.k = 1)',
  met: "SELECT o.id, c.name FROM c JOIN o ON o.cid = c.id AND o.amount > 60 AND o.note <> 'n3'",
  shown: `SELECT id, note, (SELECT count(*) FROM bare WHERE bare.v = o.note) AS n, (SELECT max(p.f) FROM o AS p WHERE p.id = o.id) AS f
    FROM o ORDER BY amount DESC, id LIMIT 5`,
}

/** One row, many rows, and one row that many others refer to. */
const CHANGES: [string, string][] = [
  ['insert one', "INSERT INTO o VALUES (-1, 1, 200, 0.125, 'x'); INSERT INTO bare VALUES (1, 'x')"],
  ['update one', "UPDATE o SET amount = 0.50, note = 'y' WHERE id = 10; UPDATE bare SET v = NULL WHERE v = 'x'"],
  ['move one', 'UPDATE o SET cid = 2 WHERE id = 11; UPDATE o SET cid = NULL WHERE id = 12'],
  ['a change of spelling', 'UPDATE o SET amount = amount * 1.00 WHERE id < 20'],
  ['many', "UPDATE o SET amount = amount + 1, f = -f WHERE id % 3 = 0; UPDATE bare SET v = v || 'z' WHERE v < 'v3'"],
  ['a customer', "UPDATE c SET name = name || 'x', w = w + 1 WHERE id = 1"],
  ['all customers', "UPDATE c SET name = name || 'y', id = id + 3"],
  ['delete one', 'DELETE FROM o WHERE id = 10; DELETE FROM c WHERE id = 2'],
  ['delete half', 'DELETE FROM o WHERE cid = 1; DELETE FROM bare WHERE k = 1'],
  ['insert many', "INSERT INTO o SELECT i, i % 2, i % 5, NULL, 'm' FROM generate_series(10001, 11400) i"],
  ['both in one', 'WITH d AS (DELETE FROM o WHERE id % 2 = 0) UPDATE c SET id = id + 10'],
]

/**
 * What the oracle runs: the same recursion, which finds each next row by the key. PostgreSQL expects few rows of a recursion's
 * table, and otherwise reads all of `o` for each of its 1,200 steps.
 */
function truth(query: string): string {
  return query.replace(/JOIN o ON (o.id = r.id .*0)\)/, 'CROSS JOIN LATERAL (SELECT id FROM o WHERE $1 OFFSET 0) AS o)')
}

const lab: Lab = useLab()

describe.each(['cheapest', 'many', 'whole', 'at once'])('the %s way', (way) => {
  beforeAll(async () => {
    await lab.reset()
    await lab.exec(tables(1200))
    await lab.createAll(QUERIES, { freeSpelling: true })
    for (const [name, query] of Object.entries(QUERIES)) await lab.watch(name, truth(query), { freeSpelling: true })
    await lab.exec(`SELECT pgtrickle.command('choose', '${way}')`)
  })
  afterAll(async () => {
    await lab.exec("SELECT pgtrickle.command('choose', 'cheapest')")
  })

  test.each(CHANGES)('%s', async (_, sql) => {
    await lab.run(sql)
  })
  test('a refresh finds nothing to repair', () => lab.checkRefresh())
})

describe.skipIf(MAJOR !== 18)('tuples read by a change that touches half of a table', () => {
  const ROWS = 5000
  let pg: Database

  beforeAll(async () => {
    pg = await openDatabase()
    await pg.exec(tables(ROWS))
  })
  afterAll(() => pg?.close())

  test.each(Object.entries(QUERIES))('%s', async (_, query) => {
    await new Promise(setImmediate)
    const { reads } = await measure(pg, query, false, [
      ['update o', 'UPDATE o SET amount = amount + 1 WHERE id = 11'],
      ['updates o', 'UPDATE o SET amount = amount + 1 WHERE id <= 300'],
      ['deletes o', 'DELETE FROM o WHERE id > 4850'],
      ['deletes most of o', 'DELETE FROM o WHERE id % 4 > 0'],
      ['update c', "UPDATE c SET name = name || 'x', w = w + 1 WHERE id = 1"],
      ['updates c', "UPDATE c SET name = name || 'x', w = w + 1"],
      ['update bare', "UPDATE bare SET v = v || 'x' WHERE ctid = '(0,1)'"],
    ])
    for (const [change, { tuples }] of Object.entries(reads)) {
      // The query and the comparison read every row twice; counting adds half, and a lower stage as much again.
      expect(tuples, change).toBeLessThan(7 * ROWS)
    }
  })

  test('new results of a window leave its indexes as they are', async () => {
    await pg.trickle.createStreamTable('sums', 'SELECT id, sum(amount) OVER (PARTITION BY cid ORDER BY id) AS s FROM o')
    const size = async () => {
      const { rows } = await pg.query<{ bytes: number }>(
        'SELECT pg_indexes_size(storage)::int AS bytes FROM pgtrickle.stream_table',
      )
      return rows[0]?.bytes ?? 0
    }
    const before = await size()
    expect(before).toBeGreaterThan(100_000)
    await pg.exec('UPDATE o SET amount = amount + 1')
    expect(await size()).toBeLessThan(1.1 * before)
    await pg.trickle.dropStreamTable('sums')
  })

  // The index on cid finds half of the table for each changed row.
  test.each([200, 400])('a program that reads more than the query does not run: %i rows', async (rows) => {
    const query = `SELECT a.cid, count(*) FROM o AS a JOIN o AS b ON b.cid = a.cid AND b.id = a.id + 2 GROUP BY a.cid`
    const updates = `UPDATE o SET cid = 1 - cid WHERE id <= ${rows}`
    const { reads } = await measure(pg, query, false, [['updates o', updates]])
    // The query reads each row twice.
    expect(reads['updates o']?.tuples).toBeLessThan(2.5 * ROWS)
  })
})
