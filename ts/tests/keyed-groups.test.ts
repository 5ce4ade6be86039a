/** Correlated aggregates that compare with the enclosing row in other ways than by equality: groups by its key. */
import { test } from 'vitest'
import { runCases } from './support/cases.js'
import { followRandomChanges } from './support/random-changes.js'

const TABLES = [
  'CREATE TABLE c (id int PRIMARY KEY, low int, high int, note text)',
  'CREATE TABLE o (id int PRIMARY KEY, cid int, qty int, amount numeric(8, 2))',
  'CREATE TABLE d (a int, b text, lim int, PRIMARY KEY (a, b))',
  'CREATE TABLE n (lim int)',
  "INSERT INTO c VALUES (1, 2, 5, 'a'), (2, 0, 9, 'b'), (3, NULL, 3, 'c'), (4, 7, NULL, NULL), (5, 20, 1, 'd')",
  'INSERT INTO o SELECT i, i % 6, i % 9, i * 1.5 FROM generate_series(1, 40) i',
  "INSERT INTO d SELECT i, 'k' || i % 3, i FROM generate_series(1, 8) i",
  'INSERT INTO n VALUES (1), (3), (3), (NULL)',
]

const FOLDED = {
  counts: 'SELECT id, (SELECT count(*) FROM o WHERE o.qty > c.low) AS n FROM c',
  in_range:
    'SELECT id, note, (SELECT sum(amount) FROM o WHERE qty BETWEEN c.low AND c.high) AS s, (SELECT avg(qty) FROM o WHERE qty < c.high) AS a FROM c',
  also_equal: 'SELECT id, (SELECT count(*) FROM o WHERE o.cid = c.id AND o.qty >= c.low) AS n FROM c',
  two_columns: 'SELECT a, b, (SELECT count(qty) FROM o WHERE qty <= d.lim) AS n FROM d WHERE lim > 2',
  weighted: 'SELECT id, (SELECT sum(o.qty * c.high) FROM o WHERE o.cid < c.id) AS s FROM c',
  shown: 'SELECT id, (SELECT count(*) + c.low FROM o WHERE o.qty > c.low) AS n FROM c',
  filtered: 'SELECT id FROM c WHERE (SELECT count(*) FROM o WHERE o.qty > c.low) > 10',
  in_from: 'SELECT c.id, l.n, l.s FROM c, LATERAL (SELECT count(*) AS n, sum(qty) AS s FROM o WHERE o.cid <> c.id) l',
  outer_joined: `SELECT c.id, d.b, (SELECT count(*) FROM o WHERE o.qty > c.low) AS n FROM c LEFT JOIN d ON d.a = c.id`,
  distinct_from: 'SELECT id, (SELECT count(*) FROM o WHERE o.qty IS DISTINCT FROM c.low) AS n FROM c',
  conditional: 'SELECT id, (SELECT count(*) FILTER (WHERE o.qty > c.low) FROM o) AS n FROM c',
}

runCases('groups by the key of the enclosing table', [
  {
    name: 'folded',
    setup: TABLES,
    views: FOLDED,
    way: 'fold',
    steps: [
      'INSERT INTO o VALUES (100, 1, 3, 2), (101, NULL, NULL, NULL), (102, 2, 100, 1)',
      'DELETE FROM o WHERE id IN (100, 3, 4)',
      'UPDATE o SET qty = qty + 1 WHERE id % 3 = 0',
      'UPDATE c SET low = 3 WHERE id = 3',
      'UPDATE c SET low = NULL WHERE id = 1',
      'UPDATE c SET id = id + 10, high = 4',
      "INSERT INTO c VALUES (1, 1, 1, 'x'), (6, 4, 4, 'y')",
      'DELETE FROM c WHERE id > 12',
      'UPDATE d SET lim = lim - 1',
      'DELETE FROM o WHERE qty > 4',
      'WITH a AS (UPDATE o SET qty = qty + 2 RETURNING 1) UPDATE c SET low = low + 1',
      'DELETE FROM o',
      'INSERT INTO o SELECT i, i % 4, i % 5, i FROM generate_series(1, 20) i',
      'TRUNCATE c',
      "INSERT INTO c VALUES (1, 2, 5, 'a'), (2, 0, 9, 'b')",
    ],
  },
  {
    name: 'not folded',
    setup: TABLES,
    views: {
      without_key: 'SELECT lim, (SELECT count(*) FROM o WHERE o.qty > n.lim) AS c FROM n',
      extreme: 'SELECT id, (SELECT max(amount) FROM o WHERE o.qty > c.low) AS m FROM c',
      repeated: 'SELECT id, (SELECT count(DISTINCT cid) FROM o WHERE o.qty > c.low) AS n FROM c',
      joined:
        'SELECT c.id, d.b, (SELECT count(*) FROM o WHERE o.qty > c.low) AS n FROM c JOIN d ON d.a = c.id AND c.low <> 0',
      condition:
        'SELECT c.id, CASE WHEN c.low <> 0 THEN (SELECT count(*) FROM o WHERE 10 / c.low > o.qty) END AS n FROM c',
      divided:
        'SELECT c.id, (SELECT count(*) FROM o WHERE 10 / c.low > o.qty) AS n FROM c JOIN d ON d.a = c.id AND c.low <> 0',
      first: 'SELECT c.id, (SELECT count(*) FROM o WHERE o.qty > c.low) AS n FROM c ORDER BY c.id LIMIT 3',
      decides: `SELECT c.id, l.n, d.lim FROM c CROSS JOIN LATERAL (SELECT count(*) AS n FROM o WHERE o.qty > c.low) l LEFT JOIN d ON d.a = l.n`,
      two_tables:
        'SELECT c.id, d.a, (SELECT count(*) FROM o WHERE o.qty > c.low AND o.qty < d.lim) AS n FROM c, d WHERE d.a = c.id',
      nullable:
        'SELECT d.a, c.id, (SELECT count(*) FROM o WHERE o.qty > coalesce(c.low, 1)) AS n FROM d LEFT JOIN c ON c.id = d.a AND c.low > 1',
      list: "SELECT id, (SELECT string_agg(o.id::text, ',' ORDER BY o.id) FROM o WHERE o.qty > c.low) AS l FROM c",
      deeper:
        'SELECT id, (SELECT count(*) FROM o WHERE EXISTS (SELECT FROM d WHERE d.lim > c.low AND d.a = o.cid)) AS n FROM c',
    },
    steps: [
      'INSERT INTO o VALUES (100, 1, 3, 2), (101, NULL, NULL, NULL)',
      'DELETE FROM o WHERE id IN (3, 4)',
      'UPDATE o SET qty = qty + 1 WHERE id % 3 = 0',
      'UPDATE c SET low = coalesce(low, 2) + 1',
      'UPDATE d SET lim = lim - 1',
      'DELETE FROM n WHERE lim = 3',
      'DELETE FROM o',
    ],
  },
])

test('random changes of both tables', () =>
  followRandomChanges(TABLES, FOLDED, 80, (rng) => {
    const bound = () => (rng.int(0, 5) === 0 ? 'NULL' : `${rng.int(0, 9)}`)
    let next = 1001
    return [
      () => `INSERT INTO o VALUES (${next++}, ${bound()}, ${bound()}, ${rng.int(0, 99)})`,
      () => `DELETE FROM o WHERE id % ${rng.int(3, 9)} = 0`,
      () => `INSERT INTO o SELECT ${(next += 20)} - i, i % 5, i % 9, i FROM generate_series(1, ${rng.int(1, 19)}) i`,
      () => `UPDATE o SET qty = ${bound()}, cid = ${bound()} WHERE id % ${rng.int(2, 9)} = 1`,
      () => `UPDATE c SET low = ${bound()} WHERE id % ${rng.int(1, 3)} = 0`,
      () =>
        `UPDATE c SET high = ${bound()}, id = id + 6 WHERE id = ${rng.int(1, 20)} AND id + 6 NOT IN (SELECT id FROM c)`,
      () =>
        `INSERT INTO c VALUES (${rng.int(1, 20)}, ${bound()}, ${bound()}, 'n') ON CONFLICT (id) DO UPDATE SET low = EXCLUDED.low`,
      () => `DELETE FROM c WHERE id = ${rng.int(1, 20)}`,
      () => `UPDATE d SET lim = ${bound()} WHERE a = ${rng.int(1, 8)}`,
      () => `WITH x AS (DELETE FROM o WHERE id % 5 = 0 RETURNING 1) UPDATE c SET low = ${bound()} WHERE id % 2 = 0`,
    ]
  }))
