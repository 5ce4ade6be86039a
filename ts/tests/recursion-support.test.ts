/**
 * Deletions under a recursive UNION: a row stays while it has support that does not depend on it, and no other row is
 * touched. Ranks, which say what depends on what, are valid, out of date, or mixed.
 */
import { describe, expect, test } from 'vitest'
import { useLab } from './support/use-lab.js'
import { runCases } from './support/cases.js'
import { Rng, firstSeed } from './random/rng.js'

const TABLES = [
  'CREATE TABLE edge (id serial PRIMARY KEY, a int, b int)',
  'CREATE TABLE link (a int NOT NULL, b int NOT NULL, PRIMARY KEY (a, b))',
  'CREATE TABLE loose (a int, b int)',
  'CREATE TABLE node (id int PRIMARY KEY, root boolean NOT NULL)',
  'CREATE INDEX ON edge (a)',
  'CREATE INDEX ON edge (b)',
  'CREATE INDEX ON link (b)',
  'CREATE INDEX ON loose (a)',
  'CREATE INDEX ON loose (b)',
]
const REACH = 'WITH RECURSIVE r AS (SELECT id FROM node WHERE root UNION SELECT e.b FROM r JOIN edge e ON e.a = r.id)'
const VIEWS = {
  reach: `${REACH} SELECT id FROM r`,
  by_link: `WITH RECURSIVE r AS (SELECT id FROM node WHERE root UNION SELECT l.b FROM r JOIN link l ON l.a = r.id) SELECT id FROM r`,
  by_loose: `WITH RECURSIVE r(id) AS (SELECT 1 UNION SELECT l.b FROM r JOIN loose l ON l.a = r.id) SELECT id FROM r`,
  closure: `WITH RECURSIVE r(a, b) AS (SELECT a, b FROM link UNION SELECT r.a, l.b FROM r JOIN link l ON l.a = r.b) SELECT a, b FROM r`,
  colours: `WITH RECURSIVE r(id, root) AS (SELECT id, id FROM node WHERE root UNION SELECT e.b, r.root FROM r JOIN edge e ON e.a = r.id)
    SELECT id, root FROM r`,
  steps: `WITH RECURSIVE r(id, d) AS (SELECT id, 0 FROM node WHERE root UNION SELECT l.b, d + 1 FROM r JOIN link l ON l.a = r.id WHERE d < 4)
    SELECT id, d FROM r`,
  over_nodes: `WITH RECURSIVE r(id) AS (SELECT id FROM node WHERE root UNION SELECT n.id FROM r JOIN link l ON l.a = r.id JOIN node n ON n.id = l.b)
    SELECT id FROM r`,
  two_edges: `WITH RECURSIVE r(id) AS (SELECT id FROM node WHERE root UNION SELECT m.b FROM r JOIN link l ON l.a = r.id JOIN link m ON m.a = l.b)
    SELECT id FROM r`,
  filtered: `WITH RECURSIVE r(id) AS (SELECT id FROM node WHERE root UNION SELECT 100 / l.b FROM r JOIN link l ON l.a = r.id WHERE l.b > 0)
    SELECT id FROM r`,
  grouped: `${REACH} SELECT id % 3 AS k, count(*) AS n FROM r GROUP BY 1`,
  joined: `${REACH} SELECT r.id, l.b FROM r JOIN link l ON l.a = r.id`,
}
/** Edges of all three tables. */
const edges = (...pairs: [number | string, number | string][]) => {
  const values = pairs.map(([a, b]) => `(${a}, ${b})`).join(', ')
  return `WITH l AS (INSERT INTO link VALUES ${values}), f AS (INSERT INTO loose VALUES ${values}) INSERT INTO edge (a, b) VALUES ${values}`
}
const without = (where: string) =>
  `WITH l AS (DELETE FROM link WHERE ${where}), f AS (DELETE FROM loose WHERE ${where}) DELETE FROM edge WHERE ${where}`
const nodes = 'INSERT INTO node SELECT i, i = 1 FROM generate_series(1, 12) i'
const WHOLE = "SELECT pgtrickle.command('choose', 'whole')"
const CHEAPEST = "SELECT pgtrickle.command('choose', 'cheapest')"

const CASES: [name: string, edges: string, steps: string[]][] = [
  [
    'a cycle that only supports itself',
    edges([1, 2], [2, 3], [3, 4], [4, 2], [4, 5]),
    [without('a = 1 AND b = 2'), edges([1, 4]), without('a = 4 AND b = 2'), without('a = 1')],
  ],
  [
    'a cycle with two entries',
    edges([1, 2], [2, 3], [3, 4], [4, 2], [1, 5], [5, 4]),
    [without('a = 1 AND b = 2'), edges([1, 2]), without('a = 5'), without('a = 1 AND b = 2')],
  ],
  [
    'two cycles that hold each other',
    edges([1, 2], [2, 3], [3, 2], [3, 4], [4, 5], [5, 4], [5, 3]),
    [without('a = 1'), edges([1, 5]), without('a = 5 AND b = 3'), without('a = 1')],
  ],
  [
    'two paths',
    edges([1, 2], [1, 3], [2, 4], [3, 4], [4, 5], [5, 6]),
    [without('a = 2'), edges([2, 4]), without('a = 3'), without('b = 4'), edges([3, 4]), without('a = 1 AND b = 3')],
  ],
  [
    'diamonds in a row',
    edges([1, 2], [1, 3], [2, 4], [3, 4], [4, 5], [4, 6], [5, 7], [6, 7], [7, 8], [7, 9], [8, 10], [9, 10], [10, 2]),
    [without('b = 5'), without('a = 8'), without('a = 9'), edges([9, 10]), without('a = 3 OR b = 2'), without('a = 1')],
  ],
  [
    'loops of one edge',
    edges([1, 1], [1, 2], [2, 2], [2, 3], [3, 3]),
    [without('a = 1 AND b = 2'), edges([1, 2]), without('a = b'), 'UPDATE node SET root = (id = 3) WHERE id IN (1, 3)'],
  ],
  [
    'a path that gets another beginning in the same statement',
    edges([1, 2], [2, 3], [3, 4], [4, 5], [1, 6]),
    [
      'WITH l AS (UPDATE link SET a = 6 WHERE b = 2), f AS (UPDATE loose SET a = 6 WHERE b = 2) UPDATE edge SET a = 6 WHERE b = 2',
      'WITH l AS (UPDATE link SET a = 5 WHERE b = 2), f AS (UPDATE loose SET a = 5 WHERE b = 2) UPDATE edge SET a = 5 WHERE b = 2',
      'WITH l AS (UPDATE link SET a = 1 WHERE b = 2), f AS (UPDATE loose SET a = 1 WHERE b = 2) UPDATE edge SET a = 1 WHERE b = 2',
    ],
  ],
  [
    'a ladder',
    edges(...Array.from({ length: 9 }, (_, i): [number, number] => [i + 1, i + 2]), ...skips(9)),
    [
      without('a = 1 AND b = 2'),
      without('a = 3 AND b = 4'),
      edges([1, 2]),
      without('b = 3'),
      without('a < 3'),
      edges([1, 11]),
    ],
  ],
]

/** From each number to the one after the next, and back to the one before. */
function skips(n: number): [number, number][] {
  return Array.from({ length: n }, (_, i): [number, number][] => [
    [i + 1, i + 3],
    [i + 3, i + 1],
  ]).flat()
}

runCases('support', [
  ...CASES.map(([name, first, steps]) => ({ name, setup: [...TABLES, nodes, first], views: VIEWS, steps })),
  ...CASES.map(([name, first, steps]) => ({
    name: `${name}, with ranks that are out of date`,
    setup: [...TABLES, nodes],
    views: VIEWS,
    steps: [WHOLE, first, CHEAPEST, ...steps],
  })),
  {
    name: 'NULL as a node',
    setup: [
      ...TABLES,
      'INSERT INTO edge (a, b) VALUES (1, 2), (2, NULL), (NULL, 3)',
      'INSERT INTO loose SELECT a, b FROM edge',
      nodes,
    ],
    views: { reach: VIEWS.reach, by_loose: VIEWS.by_loose, colours: VIEWS.colours },
    steps: [
      'INSERT INTO edge (a, b) VALUES (1, NULL), (3, NULL)',
      'DELETE FROM edge WHERE a = 2',
      'DELETE FROM edge WHERE b IS NULL',
      'INSERT INTO loose VALUES (1, NULL), (1, NULL)',
      'DELETE FROM loose WHERE ctid = (SELECT min(ctid) FROM loose WHERE b IS NULL)',
      'DELETE FROM loose WHERE b IS NULL',
    ],
    way: 'rekey' as const,
  },
])

describe('random dense graphs', () => {
  const lab = useLab()

  const first = firstSeed()
  const rounds = Number(process.env.ROUNDS ?? 8)
  test(`${rounds} rounds from seed ${first}`, { timeout: 60_000 + rounds * 10_000 }, async () => {
    for (let seed = first; seed < first + rounds; seed++) {
      const rng = new Rng(seed)
      const size = rng.pick([6, 12, 30])
      await lab.reset()
      await lab.exec(`-- SEED=${seed}\nSELECT`)
      for (const sql of TABLES) await lab.exec(sql)
      await lab.exec(`INSERT INTO node SELECT i, i = 1 FROM generate_series(1, ${size}) i`)
      await lab.exec(some(rng, size, 2 * size))
      for (const [name, query] of Object.entries(VIEWS)) if (rng.chance(0.5)) await lab.create(name, query)
      for (let n = 0; n < 15; n++) {
        // The whole query puts ranks out of date.
        const whole = rng.chance(0.15)
        if (whole) await lab.exec(WHOLE)
        await lab.run(change(rng, size))
        if (whole) await lab.exec(CHEAPEST)
      }
    }
  })

  function some(rng: Rng, size: number, count: number): string {
    const node = () => rng.int(1, size)
    const rows = rng.times(count, count, (): [number, number] => [node(), node()])
    const values = [...new Set(rows.map(([a, b]) => `(${a}, ${b})`))].join(', ')
    const link = `INSERT INTO link VALUES ${values} ON CONFLICT DO NOTHING`
    return `WITH l AS (${link}), f AS (INSERT INTO loose VALUES ${values}) INSERT INTO edge (a, b) VALUES ${values}`
  }

  function change(rng: Rng, size: number): string {
    const node = () => rng.int(1, size)
    const where = () =>
      rng.pick([
        `a = ${node()}`,
        `b = ${node()}`,
        `a = ${node()} OR b = ${node()}`,
        `(a * 7 + b * 3) % 5 = ${rng.int(0, 4)}`,
        `(a * 5 + b) % 11 = ${rng.int(0, 10)}`,
        'a > b',
      ])
    const moved = (table: string) => {
      const to = rng.pick([`b = ${node()}`, `a = ${node()}`, 'a = b, b = a', `b = b % ${size} + 1`])
      return `UPDATE ${table} SET ${to} WHERE ${where()}`
    }
    const roots = () => `UPDATE node SET root = NOT root WHERE id = ${node()}`
    const gone = where()
    return rng.pick([
      () => some(rng, size, rng.int(1, 5)),
      () => without(where()),
      () => without(gone),
      () => `WITH f AS (${moved('loose')}) ${moved('edge')}`,
      () => `WITH l AS (DELETE FROM link WHERE ${gone}), f AS (DELETE FROM edge WHERE ${gone}) ${roots()}`,
      () => `WITH l AS (DELETE FROM link WHERE ${gone} RETURNING b, a) INSERT INTO edge (a, b) SELECT * FROM l`,
      roots,
      () => `DELETE FROM node WHERE id = ${node()}`,
      () => `INSERT INTO node VALUES (${node()}, true) ON CONFLICT (id) DO UPDATE SET root = true`,
    ])()
  }
})

describe('support at size', () => {
  const lab = useLab()

  /** A graph in which each node leads to two others, and everything is reached from node 1. */
  async function graph(size: number): Promise<void> {
    await lab.reset()
    await lab.exec(`CREATE TABLE g (src int, dst int, PRIMARY KEY (src, dst)); CREATE INDEX ON g (dst);
      INSERT INTO g SELECT i, i % ${size} + 1 FROM generate_series(1, ${size}) i
        UNION SELECT i, i * 7919::bigint % ${size} + 1 FROM generate_series(1, ${size}) i; ANALYZE g`)
    await lab.create(
      'r',
      'WITH RECURSIVE r AS (SELECT 1 AS id UNION SELECT dst FROM r JOIN g ON src = r.id) SELECT id FROM r',
    )
  }

  /** Deletes an edge of each of these nodes, and counts the tuples that this reads; the counts in ascending order. */
  async function reads(from: number, count: number): Promise<number[]> {
    const sum = `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS n FROM pg_stat_xact_user_tables
      WHERE relname = 'g' OR relname LIKE 'st\\_%'`
    const found: number[] = []
    for (let n = from; n < from + count; n++) {
      await lab.exec('BEGIN')
      const [before] = await lab.exec(sum)
      await lab.exec(`DELETE FROM g WHERE src = ${n} AND dst = ${n + 1}`)
      const [after] = await lab.exec(sum)
      await lab.exec('COMMIT')
      found.push(Number(after?.n) - Number(before?.n))
    }
    await lab.check('deletions')
    return found.sort((a, b) => a - b)
  }

  test('an edge with alternatives costs the rows at its end, not what they lead to', async () => {
    for (const size of [1000, 8000]) {
      await graph(size)
      await reads(500, 1)
      const found = await reads(501, 20)
      expect(found[10], `the median of ${found.join(', ')}`).toBeLessThan(60)
      expect(found[19], `the most of ${found.join(', ')}`).toBeLessThan(size)
    }
  })

  test('where ranks are out of date, the first deletion that takes much apart makes them valid', async () => {
    await graph(3000)
    await lab.pg.trickle.refreshStreamTable('r')
    expect((await reads(500, 1))[0]).toBeGreaterThan(3000)
    await reads(501, 1)
    const found = await reads(502, 20)
    expect(found[10], `the median of ${found.join(', ')}`).toBeLessThan(60)
  })

  test('a tree that is 1,500 rows deep, and a cut that takes too many rounds', async () => {
    await lab.reset()
    await lab.exec(`CREATE TABLE step (id int PRIMARY KEY, prev int); CREATE INDEX ON step (prev);
      INSERT INTO step SELECT i, i - 1 FROM generate_series(1, 1500) i;
      INSERT INTO step SELECT i, i % 20 FROM generate_series(1501, 30000) i; ANALYZE step`)
    const walk = 'WITH RECURSIVE r(id) AS (SELECT 0 UNION SELECT s.id FROM r JOIN step s ON s.prev = r.id)'
    await lab.create('deep', `${walk} SELECT id FROM r`)
    await lab.create('counted', `${walk} SELECT id % 10 AS k, count(*) AS n FROM r GROUP BY 1`)
    await lab.run('DELETE FROM step WHERE id = 700')
    await lab.run('INSERT INTO step VALUES (700, 699)')
    await lab.run('DELETE FROM step WHERE id = 25')
    await lab.run('UPDATE step SET prev = 1400 WHERE id = 26')
    await lab.run('INSERT INTO step VALUES (25, 24)')
    await lab.run('UPDATE step SET prev = 25 WHERE id = 26')
    await lab.run('DELETE FROM step WHERE id > 1500')
  })
})
