/**
 * Random transactions, of which some parts roll back. A copy that follows the feed of each stream table must equal it after
 * every transaction, also where it comes late, in pages, or after what it asks for is gone. `SEED=<seed>` repeats a run.
 */
import { expect, test } from 'vitest'
import { firstSeed, Rng } from './random/rng.js'
import { Replica } from './support/replica.js'
import { useFreshLab } from './support/use-lab.js'

const VIEWS: Record<string, string> = {
  rows_of_t: 'SELECT id, k, v FROM t WHERE v > 2',
  without_key: 'SELECT k, v FROM bag',
  hidden_key: 'SELECT t.v, u.w FROM t JOIN u USING (k)',
  sums: 'SELECT k, sum(v) AS s, avg(v) AS a, count(*) AS n FROM t GROUP BY k',
  total: 'SELECT count(*) AS n, max(v) AS m FROM t',
  distinct_values: 'SELECT DISTINCT v FROM bag',
  ranked: 'SELECT id, rank() OVER (PARTITION BY k ORDER BY v DESC) AS place FROM t',
  outer_rows: 'SELECT u.k, u.w, t.id FROM u LEFT JOIN t USING (k)',
  first_three: 'SELECT id, v FROM t ORDER BY v, id LIMIT 3',
  united: 'SELECT v FROM t UNION ALL SELECT v FROM bag',
  texts: "SELECT k, string_agg(v::text, ',' ORDER BY v, id) AS list FROM t GROUP BY k",
  over_sums: 'SELECT s, count(*) AS n FROM sums GROUP BY s HAVING count(*) > 0',
  rebuilt: 'SELECT id, v FROM t TABLESAMPLE BERNOULLI (100) REPEATABLE (1)',
  repeated: 'SELECT id, generate_series(1, v % 3) AS g FROM t',
}

const lab = useFreshLab([
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
  'CREATE TABLE u (k int PRIMARY KEY, w int)',
  'CREATE TABLE bag (k int, v int)',
  'INSERT INTO t SELECT i, i % 4, i % 5 FROM generate_series(1, 12) i',
  'INSERT INTO u VALUES (1, 1), (2, 1), (7, 3)',
  'INSERT INTO bag VALUES (1, 1), (1, 1), (NULL, NULL)',
])

function statement(rng: Rng): string {
  const [id, k, v] = [
    rng.int(1, 20),
    rng.chance(0.1) ? 'NULL' : rng.int(0, 5),
    rng.chance(0.1) ? 'NULL' : rng.int(0, 6),
  ]
  return rng.pick([
    () => `INSERT INTO t VALUES (${id}, ${k}, ${v}) ON CONFLICT (id) DO UPDATE SET k = excluded.k, v = excluded.v`,
    () => `UPDATE t SET v = ${v} WHERE id BETWEEN ${id} AND ${id + 3}`,
    () => `UPDATE t SET k = ${k} WHERE id = ${id}`,
    () => `UPDATE t SET id = id + 100 WHERE id = ${id}; UPDATE t SET id = id - 100 WHERE id > 100`,
    () => `DELETE FROM t WHERE id = ${id}`,
    () => `DELETE FROM t WHERE k = ${k}`,
    () => `INSERT INTO u VALUES (${rng.int(0, 5)}, ${rng.int(0, 2)}) ON CONFLICT (k) DO UPDATE SET w = u.w + 1`,
    () => `DELETE FROM u WHERE k = ${k}`,
    () => `INSERT INTO bag VALUES (${k}, ${v}), (${k}, ${v})`,
    () => `DELETE FROM bag WHERE ctid = (SELECT min(ctid) FROM bag)`,
    () => `UPDATE bag SET v = ${v} WHERE k = ${k}`,
    () =>
      `WITH gone AS (DELETE FROM bag WHERE k = ${k} RETURNING v) UPDATE t SET v = v + 1 WHERE v IN (SELECT v FROM gone)`,
    () => (rng.chance(0.2) ? `TRUNCATE ${rng.pick(['t', 'bag'])}` : 'UPDATE t SET v = v'),
  ])()
}

/** Statements with savepoints, of which some roll back. */
function body(rng: Rng, depth = 0): string[] {
  return rng
    .times(1, 4, () => {
      if (depth > 2 || !rng.chance(0.3)) return [statement(rng)]
      const name = `s${depth}`
      const end = rng.chance(0.5) ? `ROLLBACK TO ${name}` : `RELEASE ${name}`
      return [`SAVEPOINT ${name}`, ...body(rng, depth + 1), end]
    })
    .flat()
}

test('a copy that follows the feed equals the stream table', async () => {
  const seed = firstSeed()
  const rng = new Rng(seed)
  const replicas: Replica[] = []
  for (const [name, query] of Object.entries(VIEWS)) {
    await lab.create(name, query)
    await lab.exec(`SELECT pgtrickle.keep_changes('${name}', retain => ${rng.pick(['NULL', '1000', '20', '3'])})`)
    replicas.push(await new Replica(lab, name).begin())
  }
  let changes = 0
  const transactions = Number(process.env.ROUNDS ?? 250)
  for (let n = 1; n <= transactions; n++) {
    const statements = rng.chance(0.4)
      ? [statement(rng)]
      : ['BEGIN', ...body(rng), rng.chance(0.8) ? 'COMMIT' : 'ROLLBACK']
    for (const sql of statements) await lab.exec(sql)
    if (n % 50 === 0) {
      const name = rng.pick(['rows_of_t', 'sums'])
      await lab.exec(
        `SELECT pgtrickle.alter_stream_table('${name}', '${VIEWS[name]} ${n % 100 === 0 ? '' : 'ORDER BY 1'}')`,
      )
    }
    for (const replica of replicas) {
      // Some come late.
      if (!rng.chance(0.7)) continue
      const before = replica.after
      await replica.follow(rng.pick([1, 2, 7, 1000]))
      changes += replica.after - before
      await replica.check(`seed ${seed}, transaction ${n}`)
    }
  }
  await lab.check(`seed ${seed}`)
  const snapshots = replicas.reduce((sum, replica) => sum + replica.snapshots, 0)
  console.log(`feed, from seed ${seed}:`, JSON.stringify({ transactions, changes, snapshots }))
  expect(changes).toBeGreaterThan(transactions)
  expect(snapshots).toBeGreaterThan(replicas.length)
}, 300_000)
