/** WITH RECURSIVE: inserts and deletes among trees, cycles and alternative paths, in several tables at once. */
import { describe, expect, test } from 'vitest'
import { useLab } from './support/use-lab.js'
import { runCases } from './support/cases.js'
import { Rng, firstSeed } from './random/rng.js'

const TREE = [
  'CREATE TABLE part (id int PRIMARY KEY, part_of int, name text)',
  `INSERT INTO part VALUES (1, NULL, 'car'), (2, 1, 'wheel'), (3, 1, 'door'), (4, 2, 'tyre'), (5, 2, NULL), (6, 4, 'valve'),
    (7, 77, 'lost')`,
]
const TREE_CHANGES = [
  "INSERT INTO part VALUES (8, 6, 'cap'), (9, 8, 'thread'), (10, 3, 'handle')",
  "UPDATE part SET name = 'Tyre' WHERE id = 4",
  'UPDATE part SET part_of = 3 WHERE id = 4',
  'UPDATE part SET part_of = 4 WHERE id = 2',
  'UPDATE part SET part_of = 1 WHERE id = 2',
  'UPDATE part SET id = id + 100, part_of = part_of + 100',
  'INSERT INTO part VALUES (7, NULL, NULL)',
  'UPDATE part SET part_of = part_of WHERE id > 100',
  'UPDATE part SET part_of = NULL WHERE id = 104',
  'WITH gone AS (DELETE FROM part WHERE id = 102) UPDATE part SET part_of = 101 WHERE part_of = 102',
  'DELETE FROM part WHERE part_of IS NULL',
  "INSERT INTO part VALUES (101, NULL, 'car') ON CONFLICT (id) DO UPDATE SET name = 'again'",
  'TRUNCATE part',
  "INSERT INTO part VALUES (1, NULL, 'one'), (2, 1, 'two')",
]

/** A cycle 1 2 3 with paths out of it, two paths to 5, and NULLs. `link` has no key. */
const GRAPH = [
  'CREATE TABLE edge (id serial PRIMARY KEY, a int, b int, n int DEFAULT 1)',
  'CREATE TABLE link (a int, b int)',
  'CREATE TABLE node (id int PRIMARY KEY, root boolean, name text)',
  'INSERT INTO edge (a, b) VALUES (1, 2), (2, 3), (3, 1), (2, 4), (4, 5), (3, 5), (5, 6), (NULL, 7), (6, NULL)',
  'INSERT INTO link SELECT a, b FROM edge UNION ALL SELECT a, b FROM edge WHERE b > 4',
  "INSERT INTO node SELECT i, i = 1, 'n' || i FROM generate_series(1, 9) i",
]
const GRAPH_CHANGES = [
  'INSERT INTO edge (a, b) VALUES (6, 8), (8, 9), (9, 6)',
  'DELETE FROM edge WHERE a = 4 AND b = 5',
  'INSERT INTO link VALUES (8, 9), (8, 9), (6, 8)',
  // From here on only the cycle itself supports its rows.
  'UPDATE node SET root = (id = 5) WHERE id IN (1, 5)',
  'UPDATE node SET root = (id = 1) WHERE id IN (1, 5)',
  'DELETE FROM edge WHERE a = 5',
  'INSERT INTO edge (a, b) VALUES (4, 8)',
  'DELETE FROM link WHERE ctid = (SELECT min(ctid) FROM link WHERE a = 3 AND b = 5)',
  'UPDATE edge SET a = b, b = a WHERE a < 4',
  'UPDATE link SET b = coalesce(b, 0) + 1',
  'UPDATE edge SET n = n + 1',
  'UPDATE edge SET id = id + 100',
  'WITH e AS (DELETE FROM edge WHERE a = 2), l AS (INSERT INTO link VALUES (1, 4), (NULL, NULL)) UPDATE node SET root = true WHERE id = 3',
  `WITH e AS (INSERT INTO edge (a, b) VALUES (3, 4), (4, 1)), l AS (DELETE FROM link WHERE a = 2)
    UPDATE node SET root = (id = 2), name = name || '!' WHERE id < 4`,
  'DELETE FROM node WHERE root',
  "INSERT INTO node VALUES (1, true, 'x') ON CONFLICT (id) DO UPDATE SET root = true",
  'TRUNCATE link',
  'INSERT INTO link VALUES (1, 2), (2, 1)',
  'DELETE FROM edge',
]
const INDEXES = ['CREATE INDEX ON edge (a)', 'CREATE INDEX ON edge (b)', 'CREATE INDEX ON link (a)']

const UNION = {
  reach: `WITH RECURSIVE r AS (SELECT id FROM node WHERE root UNION SELECT e.b FROM r JOIN edge e ON e.a = r.id) SELECT id FROM r`,
  from_constant: `WITH RECURSIVE r(x) AS (VALUES (1), (NULL) UNION SELECT l.b FROM r, link l WHERE l.a = r.x) SELECT x FROM r ORDER BY x`,
  closure: `WITH RECURSIVE r(a, b) AS (SELECT a, b FROM edge UNION SELECT r.a, e.b FROM r JOIN edge e ON e.a = r.b) SELECT a, b FROM r`,
  filtered: `WITH RECURSIVE r(a, b) AS (SELECT a, b FROM link WHERE b < 9 UNION SELECT r.a, l.b FROM r JOIN link l ON l.a = r.b AND l.b <> 4)
    SELECT a, count(*) AS n FROM r GROUP BY a`,
  depth: `WITH RECURSIVE r(id, d) AS (SELECT id, 0 FROM node WHERE root UNION SELECT e.b, d + 1 FROM r JOIN edge e ON e.a = r.id WHERE d < 4)
    SELECT id, d FROM r`,
  both_tables: `WITH RECURSIVE r(id, name) AS (SELECT id, name FROM node WHERE root
    UNION SELECT m.id, m.name FROM r JOIN edge e ON e.a = r.id JOIN node m ON m.id = e.b) SELECT * FROM r`,
  many_bases: `WITH RECURSIVE r(id) AS ((SELECT id FROM node WHERE root UNION ALL SELECT a FROM link UNION SELECT 3)
    UNION SELECT e.b FROM r JOIN edge e ON e.a = r.id) SELECT id FROM r`,
  grouped_base: `WITH RECURSIVE r(id, n) AS (SELECT a, count(*) FROM link GROUP BY a UNION SELECT e.b, r.n FROM r JOIN edge e ON e.a = r.id)
    SELECT * FROM r`,
  grouped_step: `WITH RECURSIVE s AS (SELECT a, max(b) AS b FROM link GROUP BY a), r(id) AS (SELECT 1 UNION SELECT s.b FROM r JOIN s ON s.a = r.id)
    SELECT id FROM r`,
}
const ALL = {
  ways: `WITH RECURSIVE r(id, d) AS (SELECT id, 0 FROM node WHERE root UNION ALL SELECT e.b, d + 1 FROM r JOIN edge e ON e.a = r.id WHERE d < 4)
    SELECT id, d FROM r`,
  without_key: `WITH RECURSIVE r(id, d) AS (SELECT a, 0 FROM link WHERE b = 2 UNION ALL SELECT l.b, d + 1 FROM r JOIN link l ON l.a = r.id WHERE d < 3)
    SELECT id, d FROM r`,
  paths: `WITH RECURSIVE r(id, path) AS (SELECT id, ARRAY[id] FROM node WHERE root
    UNION ALL SELECT e.b, path || e.b FROM r JOIN edge e ON e.a = r.id WHERE NOT e.b = ANY (path)) SELECT id, path FROM r`,
  material: `WITH RECURSIVE r(top, id, n, d) AS (SELECT a, b, n, 1 FROM edge
    UNION ALL SELECT r.top, e.b, r.n * e.n, d + 1 FROM r JOIN edge e ON e.a = r.id WHERE d < 3)
    SELECT top, id, sum(n) AS n FROM r GROUP BY top, id`,
  both_tables: `WITH RECURSIVE r(id, names, d) AS (SELECT id, name, 0 FROM node WHERE root
    UNION ALL SELECT e.b, r.names || ' ' || m.name, d + 1 FROM r JOIN edge e ON e.a = r.id JOIN node m ON m.id = e.b WHERE d < 2)
    SELECT * FROM r`,
  twice_in_step: `WITH RECURSIVE r(id, d) AS (SELECT id, 0 FROM node WHERE root
    UNION ALL SELECT f.b, d + 1 FROM r JOIN edge e ON e.a = r.id JOIN edge f ON f.a = e.b WHERE d < 2) SELECT * FROM r`,
}
const AROUND = {
  joined: `WITH RECURSIVE r AS (SELECT id FROM node WHERE root UNION SELECT e.b FROM r JOIN edge e ON e.a = r.id)
    SELECT n.id, n.name, l.b FROM r JOIN node n ON n.id = r.id LEFT JOIN link l ON l.a = n.id`,
  exists_in: `WITH RECURSIVE r AS (SELECT id FROM node WHERE root UNION SELECT e.b FROM r JOIN edge e ON e.a = r.id)
    SELECT id, EXISTS (SELECT FROM r WHERE r.id = n.id) AS reached FROM node n`,
  twice: `WITH RECURSIVE r(id, d) AS (SELECT id, 0 FROM node WHERE root UNION SELECT e.b, d + 1 FROM r JOIN edge e ON e.a = r.id WHERE d < 3)
    SELECT x.id, x.d, y.id AS other FROM r x JOIN r y ON y.d = x.d + 1`,
  aggregated: `WITH RECURSIVE r(id, d) AS (SELECT id, 0 FROM node WHERE root UNION SELECT e.b, d + 1 FROM r JOIN edge e ON e.a = r.id WHERE d < 3)
    SELECT count(*), min(d), max(id) FROM r`,
  two_of_them: `WITH RECURSIVE r AS (SELECT id FROM node WHERE root UNION SELECT e.b FROM r JOIN edge e ON e.a = r.id),
    s(id) AS (SELECT 2 UNION SELECT l.b FROM s JOIN link l ON l.a = s.id)
    SELECT r.id AS r, s.id AS s FROM r FULL JOIN s ON s.id = r.id`,
  one_on_another: `WITH RECURSIVE r AS (SELECT id FROM node WHERE root UNION SELECT e.b FROM r JOIN edge e ON e.a = r.id),
    s(id) AS (SELECT id FROM r WHERE id > 1 UNION SELECT l.b FROM s JOIN link l ON l.a = s.id JOIN r ON r.id = l.a) SELECT id FROM s`,
  nested: `SELECT id FROM node WHERE id IN (WITH RECURSIVE r AS (SELECT 1 AS id UNION SELECT e.b FROM r JOIN edge e ON e.a = r.id) SELECT id FROM r)`,
  named: `WITH RECURSIVE "the way" AS (SELECT id AS "node id", 0 AS "Depth" FROM node WHERE root
    UNION ALL SELECT b, "Depth" + 1 FROM "the way" JOIN edge ON a = "node id" WHERE "Depth" < 2)
    SELECT "Depth", "node id" AS x FROM "the way" ORDER BY 1 DESC, "node id"`,
}

runCases('recursion', [
  {
    name: 'trees',
    setup: TREE,
    views: {
      depths: `WITH RECURSIVE tree AS (SELECT id, name, 0 AS depth FROM part WHERE part_of IS NULL
        UNION ALL SELECT p.id, p.name, depth + 1 FROM part p JOIN tree t ON p.part_of = t.id) SELECT * FROM tree`,
      as_set: `WITH RECURSIVE tree AS (SELECT id, name, 0 AS depth FROM part WHERE part_of IS NULL
        UNION SELECT p.id, p.name, depth + 1 FROM part p JOIN tree t ON p.part_of = t.id) SELECT name, depth FROM tree`,
      under_two: `WITH RECURSIVE tree AS (SELECT id, part_of FROM part WHERE id = 2
        UNION SELECT p.id, p.part_of FROM part p JOIN tree t ON p.part_of = t.id) SELECT * FROM tree`,
      above: `WITH RECURSIVE up(id, top) AS (SELECT id, part_of FROM part
        UNION ALL SELECT u.id, p.part_of FROM up u JOIN part p ON p.id = u.top) SELECT id, top FROM up`,
      labels: `WITH RECURSIVE tree(id, label) AS (SELECT id, coalesce(name, '?') FROM part WHERE part_of IS NULL
        UNION ALL SELECT p.id, label || '/' || coalesce(p.name, '?') FROM part p JOIN tree t ON p.part_of = t.id)
        SELECT label FROM tree`,
    },
    steps: TREE_CHANGES,
    way: 'incremental',
  },
  { name: 'UNION over graphs', setup: GRAPH, views: UNION, steps: GRAPH_CHANGES, way: 'incremental' },
  {
    name: 'UNION over graphs with indexes',
    setup: [...GRAPH, ...INDEXES],
    views: UNION,
    steps: GRAPH_CHANGES,
    way: 'incremental',
  },
  { name: 'UNION ALL over graphs', setup: GRAPH, views: ALL, steps: GRAPH_CHANGES, way: 'incremental' },
  {
    name: 'UNION ALL over graphs with indexes',
    setup: [...GRAPH, ...INDEXES],
    views: ALL,
    steps: GRAPH_CHANGES,
    way: 'incremental',
  },
  { name: 'queries around it', setup: GRAPH, views: AROUND, steps: GRAPH_CHANGES, way: 'incremental' },
  {
    name: 'a diamond has as many rows as paths',
    setup: [
      'CREATE TABLE edge (id int PRIMARY KEY, a int, b int)',
      'INSERT INTO edge VALUES (1, 1, 2), (2, 1, 3), (3, 2, 4), (4, 3, 4), (5, 4, 5)',
    ],
    views: {
      ways: 'WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT b FROM r JOIN edge ON a = r.id) SELECT id FROM r',
    },
    steps: [
      'INSERT INTO edge VALUES (6, 1, 4), (7, 4, 5)',
      'DELETE FROM edge WHERE id = 3',
      'UPDATE edge SET b = 4 WHERE id = 1',
      'DELETE FROM edge WHERE id IN (4, 5)',
      // There is no cycle before or after; with both edges there would be one.
      'UPDATE edge SET a = b, b = a WHERE id = 7',
      'INSERT INTO edge VALUES (8, 3, 5)',
    ],
    way: 'fold',
  },
  {
    name: 'rows that are inserted and deleted within one statement',
    setup: [
      'CREATE TABLE item (id int PRIMARY KEY, up int REFERENCES item ON UPDATE CASCADE ON DELETE CASCADE)',
      'INSERT INTO item VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, 1)',
      'CREATE TABLE seen (a int, b int)',
      `CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE seen SET b = b + 1 WHERE a = NEW.a AND b = NEW.b AND b % 2 = 1; RETURN NULL; END $$`,
      'CREATE TRIGGER twice AFTER INSERT OR UPDATE ON seen FOR EACH ROW EXECUTE FUNCTION twice()',
      'INSERT INTO seen VALUES (1, 1), (2, 4)',
    ],
    views: {
      tree: `WITH RECURSIVE r AS (SELECT id, 0 AS d FROM item WHERE up IS NULL UNION ALL SELECT i.id, d + 1 FROM r JOIN item i ON i.up = r.id)
        SELECT * FROM r`,
      below: `WITH RECURSIVE r AS (SELECT id, up FROM item WHERE up = 1 UNION SELECT i.id, i.up FROM r JOIN item i ON i.up = r.id)
        SELECT * FROM r`,
      bag: `WITH RECURSIVE r(x, d) AS (SELECT 1, 0 UNION ALL SELECT b, d + 1 FROM r JOIN seen ON a = x WHERE d < 4) SELECT * FROM r`,
      set: `WITH RECURSIVE r(x) AS (SELECT 1 UNION SELECT b FROM r JOIN seen ON a = x) SELECT * FROM r`,
    },
    steps: [
      'UPDATE item SET id = id * 10 WHERE id IN (2, 3)',
      'INSERT INTO seen VALUES (4, 5), (4, 7), (6, 8), (1, 3)',
      'UPDATE seen SET b = 5 WHERE a = 4',
      'DELETE FROM item WHERE id = 20',
      'UPDATE seen SET b = 1',
      'UPDATE item SET id = id + 1',
    ],
    way: 'incremental',
  },
  {
    name: 'a TRUNCATE, a change of four tables, and errors',
    setup: [
      ...['a', 'b', 'c', 'd'].map((name) => `CREATE TABLE ${name} (id int PRIMARY KEY, x int)`),
      ...['a', 'b', 'c', 'd'].map((name) => `INSERT INTO ${name} SELECT i, i % 3 + 1 FROM generate_series(1, 4) i`),
    ],
    views: {
      long: `WITH RECURSIVE r(n, k) AS (SELECT 1, 0 UNION ALL SELECT d.x, k + 1 FROM r JOIN a ON a.id = n JOIN b ON b.id = a.x
        JOIN c ON c.id = b.x JOIN d ON d.id = c.x WHERE k < 3) SELECT * FROM r`,
      divided: 'WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT 12 / a.x FROM r JOIN a ON a.id = n) SELECT n FROM r',
    },
    steps: [
      'WITH i AS (UPDATE a SET x = 2), j AS (UPDATE b SET x = 3), k AS (UPDATE c SET x = 1) DELETE FROM d WHERE id = 2',
      'WITH i AS (DELETE FROM a WHERE id = 1), j AS (UPDATE b SET x = 4) INSERT INTO c VALUES (9, 9)',
      'INSERT INTO a VALUES (1, 4), (6, 1)',
      '!UPDATE a SET x = 0 WHERE id = 1',
      'UPDATE a SET x = 0 WHERE id = 4',
      'TRUNCATE d',
      'INSERT INTO d VALUES (1, 1), (2, 2)',
      'BEGIN; DELETE FROM a; SAVEPOINT s; INSERT INTO a VALUES (1, 1); ROLLBACK TO s; INSERT INTO a VALUES (1, 12); COMMIT',
    ],
    way: 'incremental',
  },
  {
    name: 'a deleted row is not joined with an inserted one, which would be an error',
    setup: [
      'CREATE TABLE root (id int PRIMARY KEY, v int)',
      'CREATE TABLE edge (id int PRIMARY KEY, a int, b int, w int)',
      'INSERT INTO root VALUES (1, 5), (2, 20)',
      'INSERT INTO edge VALUES (1, 1, 2, 3), (2, 2, 3, 10), (3, 3, 1, 1000)',
      ...INDEXES.slice(0, 2),
    ],
    views: {
      shown: `WITH RECURSIVE r(id, v, d) AS (SELECT id, v, 0 FROM root UNION SELECT e.b, 1000 / (r.v - e.w), d + 1
        FROM r JOIN edge e ON e.a = r.id WHERE d < 3) SELECT id, v FROM r`,
      added_up: `WITH RECURSIVE r(id, v, d) AS (SELECT id, v, 0 FROM root UNION ALL SELECT e.b, 1000 / (r.v - e.w), d + 1
        FROM r JOIN edge e ON e.a = r.id WHERE d < 3) SELECT id, v FROM r`,
      asked: `WITH RECURSIVE r(id, v, d) AS (SELECT id, v, 0 FROM root UNION SELECT e.b, r.v, d + 1
        FROM r JOIN edge e ON e.a = r.id AND 1000 / (r.v - e.w) <> 77 WHERE d < 3) SELECT id, v FROM r`,
    },
    steps: [
      'WITH x AS (UPDATE root SET v = v + 1 WHERE id = 1) UPDATE edge SET w = 5 WHERE id = 1',
      'WITH x AS (UPDATE edge SET w = 6 WHERE id = 1) UPDATE root SET v = v + 2 WHERE id = 1',
      'WITH x AS (DELETE FROM root WHERE id = 1) INSERT INTO edge VALUES (4, 1, 3, 8)',
      'WITH x AS (INSERT INTO root VALUES (1, 9)) UPDATE edge SET b = 1 WHERE id = 4',
      '!INSERT INTO edge VALUES (5, 1, 3, 9)',
    ],
    way: 'incremental',
  },
  {
    name: 'queries that run again',
    setup: GRAPH,
    views: {
      spelled: `WITH RECURSIVE r(x) AS (SELECT 1.0 UNION SELECT b::numeric FROM r JOIN edge ON a = x) SELECT x FROM r`,
      searched: `WITH RECURSIVE r AS (SELECT a, b FROM edge WHERE a = 4 UNION ALL SELECT e.a, e.b FROM r JOIN edge e ON e.a = r.b)
        SEARCH DEPTH FIRST BY a SET seq SELECT a, b FROM r`,
      looped: `WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT e.b FROM r JOIN edge e ON e.a = r.n) CYCLE n SET looped USING path
        SELECT n, looped FROM r`,
      outer_join: `WITH RECURSIVE r(x) AS (SELECT 1 UNION SELECT l.b FROM r JOIN edge e ON e.a = x LEFT JOIN link l ON l.a = e.b)
        SELECT x FROM r`,
      read_twice: `WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL (WITH q AS (SELECT x FROM r WHERE x < 4) SELECT q.x + p.x FROM q, q p, edge e WHERE e.a = q.x))
        SELECT x FROM r`,
      excluded: `WITH RECURSIVE r(x) AS (SELECT 1 UNION SELECT b FROM r JOIN edge e ON a = x
        WHERE NOT EXISTS (SELECT FROM link l WHERE l.a = e.b)) SELECT x FROM r`,
      limited: `WITH RECURSIVE r(x) AS (SELECT 1 UNION SELECT b FROM (SELECT b FROM r JOIN edge ON a = x ORDER BY b LIMIT 1) q)
        SELECT x FROM r`,
      clocked: `WITH RECURSIVE r(x) AS (SELECT 1 UNION SELECT b FROM r JOIN edge ON a = x AND now() > '2020-01-01') SELECT x FROM r`,
    },
    steps: GRAPH_CHANGES.slice(1, 4),
    way: 'rebuild',
  },
])

runCases('an endless recursion', [
  {
    name: 'that EXISTS ends',
    setup: ['CREATE TABLE edge (a int, b int)', 'INSERT INTO edge VALUES (1, 2), (2, 3)'],
    way: 'rebuild',
    views: {
      of_numbers:
        'WITH RECURSIVE r(n) AS (SELECT a FROM edge UNION ALL SELECT n + 1 FROM r) SELECT EXISTS (SELECT FROM r) AS e',
      beyond_some:
        'SELECT b FROM edge WHERE EXISTS (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT FROM r WHERE n > 5)',
    },
    steps: ['INSERT INTO edge VALUES (3, 4)', 'UPDATE edge SET b = 0', 'DELETE FROM edge'],
  },
])

describe('recursion at size', () => {
  const lab = useLab()

  test('a depth of 10,000', async () => {
    await lab.reset()
    await lab.exec(`CREATE TABLE step (id int PRIMARY KEY, prev int); CREATE INDEX ON step (prev);
      INSERT INTO step SELECT i, i - 1 FROM generate_series(1, 10000) i; ANALYZE step`)
    const walk = (union: string) =>
      `WITH RECURSIVE r(id, d) AS (SELECT 0, 0 ${union} SELECT s.id, d + 1 FROM r JOIN step s ON s.prev = r.id) SELECT id, d FROM r`
    await lab.create('counted', walk('UNION ALL'))
    await lab.create('found', walk('UNION'))
    await lab.run('INSERT INTO step VALUES (20001, 10000)')
    await lab.run('UPDATE step SET prev = 4999 WHERE id = 5001')
    await lab.run('DELETE FROM step WHERE id = 2')
    await lab.run('INSERT INTO step VALUES (2, 1)')
  })

  test('a change of a leaf reads its descendants, not the whole tree', async () => {
    await lab.reset()
    await lab.exec(`CREATE TABLE part (id int PRIMARY KEY, up int); CREATE INDEX ON part (up);
      INSERT INTO part SELECT i, i / 3 FROM generate_series(1, 5000) i`)
    for (const union of ['UNION', 'UNION ALL']) {
      const query = `WITH RECURSIVE r(id, d) AS (SELECT 0, 0 ${union} SELECT p.id, d + 1 FROM r JOIN part p ON p.up = r.id) SELECT id, d FROM r`
      await lab.create('tree', query)
      const changes = ['INSERT INTO part VALUES (9000, 5000)', 'UPDATE part SET up = 4999 WHERE id = 9000']
      changes.push('DELETE FROM part WHERE id = 9000')
      for (const sql of [...changes, ...changes]) expect(await read(sql), `${union}: ${sql}`).toBeLessThan(60)
      await lab.check('changes of a leaf')
      const { advice } = await lab.pg.trickle.explainStreamTable('tree')
      expect(advice).toEqual([])
      await lab.exec("SELECT pgtrickle.drop_stream_table('tree')")
      lab.forget('tree')
    }
  })

  test('deleting a row removes nothing else where another row leads the same way', async () => {
    await lab.reset()
    await lab.exec(`CREATE TABLE part (id int PRIMARY KEY, a int, b int); CREATE INDEX ON part (a); CREATE INDEX ON part (b);
      INSERT INTO part SELECT i, i % 31, i * 7 % 29 FROM generate_series(1, 9000) i`)
    await lab.create('r', 'WITH RECURSIVE r(x) AS (SELECT 1 UNION SELECT b FROM r JOIN part ON a = x) SELECT x FROM r')
    for (const id of [1000, 1001, 1002]) {
      expect(await read(`DELETE FROM part WHERE id = ${id}`)).toBeLessThan(400)
      expect(await read(`UPDATE part SET b = 3 WHERE id = ${id + 10}`)).toBeLessThan(400)
    }
    await lab.check('deletions')
    await lab.run('DELETE FROM part WHERE b = 5')
  })

  test('the advice names the columns that need an index', async () => {
    await lab.reset()
    await lab.exec('CREATE TABLE edge (a int, b int)')
    await lab.create('r', 'WITH RECURSIVE r(x) AS (SELECT 1 UNION SELECT b FROM r JOIN edge ON a = x) SELECT x FROM r')
    const { advice } = await lab.pg.trickle.explainStreamTable('r')
    expect(advice.map((line) => line.split(':')[0])).toEqual([
      'CREATE INDEX ON test.edge (b)',
      'CREATE INDEX ON test.edge (a)',
    ])
    await lab.run('INSERT INTO edge VALUES (1, 2), (2, 1)')
    await lab.run('CREATE INDEX ON edge (a); CREATE INDEX ON edge (b)')
    expect((await lab.pg.trickle.explainStreamTable('r')).advice).toEqual([])
    await lab.run('DELETE FROM edge WHERE a = 1')
  })

  test('an endless recursion is stopped like any query, without any effect', async () => {
    await lab.reset()
    await lab.exec(`CREATE TABLE edge (id int PRIMARY KEY, a int, b int); CREATE INDEX ON edge (a);
      INSERT INTO edge SELECT i, i, i + 1 FROM generate_series(1, 20) i`)
    await lab.create(
      'ways',
      'WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT b FROM r JOIN edge ON a = x) SELECT x FROM r',
    )
    await lab.exec("SET work_mem = '64kB'; SET temp_file_limit = '1MB'")
    for (const sql of [
      'INSERT INTO edge VALUES (100, 20, 10)',
      'UPDATE edge SET b = 3 WHERE id = 7',
      'WITH gone AS (DELETE FROM edge WHERE id = 12) UPDATE edge SET b = 2 WHERE id = 9',
    ])
      expect(await lab.fails(sql), sql).toMatchObject({ code: '53400' })
    await lab.run('INSERT INTO edge VALUES (100, 21, 22), (101, 20, 30)')
    await lab.exec('RESET work_mem; RESET temp_file_limit')
  })

  /** Counts the tuples that a statement reads when it runs for the second time. */
  async function read(sql: string): Promise<number> {
    const count = `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS n FROM pg_stat_xact_user_tables
      WHERE relname = 'part' OR relname LIKE 'st\\_%'`
    await lab.exec('BEGIN')
    const [before] = await lab.exec(count)
    await lab.exec(sql)
    const [after] = await lab.exec(count)
    await lab.exec('COMMIT')
    return Number(after?.n) - Number(before?.n)
  }
})

describe('random graphs', () => {
  const lab = useLab()

  const first = firstSeed()
  const rounds = Number(process.env.ROUNDS ?? 15)
  test(`${rounds} rounds from seed ${first}`, { timeout: 60_000 + rounds * 10_000 }, async () => {
    for (let seed = first; seed < first + rounds; seed++) {
      const rng = new Rng(seed)
      await lab.reset()
      await lab.exec(`-- SEED=${seed}\nSELECT`)
      for (const sql of GRAPH) await lab.exec(sql)
      if (rng.chance(0.5)) for (const sql of INDEXES) await lab.exec(sql)
      for (const views of [UNION, ALL, AROUND])
        for (const [name, query] of Object.entries(views))
          if (rng.chance(0.3) && !lab.watched.has(name)) await lab.create(name, query)
      for (let n = 0; n < 12; n++) await lab.run(change(rng))
    }
  })

  function change(rng: Rng): string {
    const number = () => (rng.chance(0.06) ? 'NULL' : String(rng.int(1, 9)))
    const where = () =>
      rng.pick([`a = ${number()}`, `b = ${number()}`, `a % 3 = ${rng.int(0, 2)}`, `b > ${number()}`, 'b IS NULL'])
    const rows = () => rng.times(1, 3, () => `(${number()}, ${number()})`).join(', ')
    const edges = (table: string) =>
      rng.pick([
        () => `INSERT INTO ${table} (a, b) VALUES ${rows()}`,
        () => `DELETE FROM ${table} WHERE ${where()}`,
        () => `DELETE FROM ${table} WHERE ctid = (SELECT min(ctid) FROM ${table} WHERE ${where()})`,
        () => `UPDATE ${table} SET b = ${number()} WHERE ${where()}`,
        () => `UPDATE ${table} SET a = ${number()} WHERE ${where()}`,
        () => `UPDATE ${table} SET a = b, b = a WHERE ${where()}`,
      ])()
    const nodes = () =>
      rng.pick([
        () => `UPDATE node SET root = NOT root WHERE id = ${number()}`,
        () => `UPDATE node SET name = left(name || 'x', 4) WHERE id % 3 = ${rng.int(0, 2)}`,
        () => `DELETE FROM node WHERE id = ${number()}`,
        () =>
          `INSERT INTO node VALUES (${rng.int(1, 9)}, true, 'q') ON CONFLICT (id) DO UPDATE SET root = NOT node.root`,
      ])()
    if (rng.chance(0.25)) return `WITH e AS (${edges('edge')}), l AS (${edges('link')}) ${nodes()}`
    return rng.pick([() => edges('edge'), () => edges('edge'), () => edges('link'), nodes])()
  }
})
