/** Comparisons with a value that changes: `WHERE amount > (SELECT avg(amount) FROM o)` re-tests the rows in between. */
import { describe, expect, test } from 'vitest'
import { measure } from '../../bench/lib/tuples.mjs'
import { runCases } from './support/cases.js'
import { MAJOR, openDatabase } from './support/pglite.js'

const TABLES = [
  'CREATE TABLE o (id int PRIMARY KEY, cid int, amount numeric, f float8, day date)',
  'CREATE TABLE bare (v int)',
  'CREATE TABLE bound (name text, k int, low int, high int, PRIMARY KEY (k))',
  "INSERT INTO o SELECT i, i % 3, i % 10, i / 4.0, DATE '2024-01-01' + i % 6 FROM generate_series(1, 30) AS i",
  "INSERT INTO o VALUES (31, NULL, 4, 'NaN', NULL), (32, 1, NULL, '-Infinity', '2024-01-03')",
  'INSERT INTO bare SELECT i % 7 FROM generate_series(1, 20) AS i',
  "INSERT INTO bound VALUES ('a', 1, 2, 8), ('b', 2, 5, NULL), ('c', 3, NULL, 3)",
  'CREATE INDEX ON o (amount); CREATE INDEX ON o (cid, amount)',
]

const CHANGES = [
  'INSERT INTO o VALUES (40, 1, 100, 7, NULL)',
  'INSERT INTO o VALUES (41, 2, 0, 0, NULL), (42, 7, 5, 5, NULL)',
  'UPDATE o SET amount = amount + 1 WHERE id = 5',
  'UPDATE o SET amount = amount, f = f',
  'UPDATE o SET amount = 1000 WHERE id = 40',
  // The bound moves back, and over many rows.
  'UPDATE o SET amount = -1000 WHERE id = 40',
  'UPDATE o SET cid = 2 WHERE cid = 1 AND id < 10',
  'UPDATE o SET id = id + 100 WHERE id < 5',
  'DELETE FROM o WHERE id = 40',
  'INSERT INTO bare VALUES (100), (NULL)',
  'DELETE FROM bare WHERE v = 100',
  // Both sides of the comparison, and rows that only join or leave.
  'WITH b AS (INSERT INTO bare VALUES (60)) UPDATE o SET amount = amount + 3 WHERE id % 2 = 0',
  'WITH b AS (DELETE FROM bare WHERE v > 3), i AS (INSERT INTO o VALUES (50, 1, 4, 4, NULL)) DELETE FROM o WHERE id < 12',
  'UPDATE bound SET low = low + 3, high = high - 2',
  'UPDATE bound SET low = NULL WHERE k = 1',
  'UPDATE bound SET low = 4, high = 6 WHERE k IN (1, 3)',
  "UPDATE bound SET name = name || 'x'",
  'UPDATE bound SET k = k + 1 WHERE k = 3',
  'UPDATE bound SET k = k + 10',
  'WITH u AS (UPDATE bound SET k = k - 10, low = 3) UPDATE o SET amount = amount - 1',
  "INSERT INTO bound VALUES ('d', 5, 1, 9)",
  'DELETE FROM bound WHERE k = 1',
  // From and to no row at all.
  'DELETE FROM bare',
  'INSERT INTO bare VALUES (3)',
  'UPDATE o SET amount = NULL',
  'UPDATE o SET amount = id % 9',
  'DELETE FROM o',
  "INSERT INTO o SELECT i, i % 3, i % 10, i / 4.0, DATE '2024-01-01' + i % 6 FROM generate_series(1, 30) AS i",
  'TRUNCATE bare',
  'INSERT INTO bare VALUES (5), (5)',
  'TRUNCATE o',
  'INSERT INTO o VALUES (1, 1, 5, 1, NULL)',
]

runCases('comparisons with a value that changes', [
  {
    name: 'the rows of a table',
    setup: TABLES,
    views: {
      above: 'SELECT id, amount FROM o WHERE amount > (SELECT avg(amount) FROM o)',
      not_above: 'SELECT id, amount FROM o WHERE amount <= (SELECT avg(amount) FROM o)',
      from_other: 'SELECT id FROM o WHERE amount >= (SELECT avg(v) FROM bare)',
      below: 'SELECT id FROM o WHERE (SELECT max(v) FROM bare) > amount',
      expression: 'SELECT id FROM o WHERE amount * 2 - 1 < (SELECT sum(v) / 10 FROM bare)',
      equal: 'SELECT id FROM o WHERE amount = (SELECT max(v) FROM bare)',
      floats: 'SELECT id, f FROM o WHERE f > (SELECT avg(f) FROM o WHERE id < 31)',
      dates: 'SELECT id, day FROM o WHERE day < (SELECT max(day) FROM o WHERE cid = 1)',
      two: 'SELECT id FROM o WHERE amount > (SELECT min(v) FROM bare) AND amount < (SELECT avg(amount) FROM o)',
      same_twice: 'SELECT id FROM o WHERE amount > (SELECT avg(v) FROM bare) AND f < (SELECT avg(v) FROM bare)',
      selected: 'SELECT id, (SELECT avg(v) FROM bare) AS a FROM o WHERE amount > (SELECT avg(v) FROM bare)',
      no_key: 'SELECT cid FROM o WHERE amount > (SELECT avg(v) FROM bare)',
      bare_rows: 'SELECT v FROM bare WHERE v > (SELECT avg(amount) FROM o)',
      grouped: 'SELECT cid, count(*), sum(amount) FROM o WHERE amount > (SELECT avg(amount) FROM o) GROUP BY cid',
      of_groups:
        'SELECT cid, sum(amount) AS s FROM o GROUP BY cid HAVING sum(amount) > (SELECT sum(amount) / 4 FROM o)',
      ranked:
        'SELECT id, row_number() OVER (PARTITION BY cid ORDER BY id) AS n FROM o WHERE amount > (SELECT avg(v) FROM bare)',
      distinct_rows: 'SELECT DISTINCT cid FROM o WHERE amount > (SELECT avg(amount) FROM o)',
      joined: 'SELECT o.id, name FROM o JOIN bound ON bound.k = o.cid WHERE amount > (SELECT avg(v) FROM bare)',
    },
    steps: CHANGES,
    freeSpelling: true,
  },
  {
    name: 'the rows of a key',
    setup: TABLES,
    views: {
      above_its: 'SELECT id, amount FROM o WHERE amount > (SELECT avg(amount) FROM o AS a WHERE a.cid = o.cid)',
      below_low: 'SELECT o.id, bound.k FROM o JOIN bound ON bound.k = o.cid AND o.amount < low',
      any_low: 'SELECT o.id, bound.k FROM o JOIN bound ON o.amount >= low',
      between: 'SELECT o.id FROM o JOIN bound ON o.amount BETWEEN low AND high',
      named: 'SELECT o.id, name FROM o JOIN bound ON o.amount > high',
      counted: 'SELECT k, count(*) FROM o JOIN bound ON o.amount > high GROUP BY k',
      self: 'SELECT a.k AS k, b.k AS l FROM bound a JOIN bound b ON a.low < b.high',
      unkeyed: 'SELECT bound.k, v FROM bare JOIN bound ON v > low',
    },
    steps: CHANGES,
    freeSpelling: true,
  },
])

describe.skipIf(MAJOR !== 18)('tuples read when the bound moves', () => {
  const query = 'SELECT id, amount FROM o WHERE amount > (SELECT avg(amount) FROM o)'
  const reads = async (rows: number, index: string) => {
    const pg = await openDatabase()
    try {
      await pg.exec(`CREATE TABLE o (id int PRIMARY KEY, amount numeric(10, 2));
        INSERT INTO o SELECT i, i FROM generate_series(1, ${rows}) AS i; ${index}`)
      const { reads, advice } = await measure(pg, query, true, [
        ['insert o', `INSERT INTO o VALUES (0, ${rows / 2})`],
        ['update o', 'UPDATE o SET amount = amount + 1 WHERE id = 7'],
        ['delete o', `DELETE FROM o WHERE id = ${rows / 2}`],
      ])
      return { tuples: Math.max(...Object.values(reads).map(({ tuples }) => tuples)), advice }
    } finally {
      await pg.close()
    }
  }

  test('those in between, by an index', async () => {
    expect((await reads(4000, 'CREATE INDEX ON o (amount)')).tuples).toBeLessThan(40)
  })
  test('without an index, explain advises one', async () => {
    const { advice } = await reads(4000, '')
    expect(advice.join('\n')).toMatch(/CREATE INDEX ON public\.o \(amount\)/)
  })
})
