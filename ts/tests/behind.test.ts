/**
 * Changes that reach the top stage without the lower ones: these are behind then, and are filled anew after a few such
 * changes. Whatever happens in between, the stream table is right.
 */
import { expect, test } from 'vitest'
import { Mirror } from './support/mirror.js'
import { openDatabase } from './support/pglite.js'
import { useFreshLab } from './support/use-lab.js'

const ROWS = 3000
const lab = useFreshLab([
  `CREATE TABLE o (id int PRIMARY KEY, cid int NOT NULL, amount int NOT NULL);
   INSERT INTO o SELECT i, i % 3, i * 7 % 101 FROM generate_series(1, ${ROWS}) i`,
])
const STEEPEST = `SELECT id, d FROM (SELECT id, d, row_number() OVER (PARTITION BY cid ORDER BY d DESC NULLS LAST, id) AS n
  FROM (SELECT id, cid, amount - lag(amount) OVER (PARTITION BY cid ORDER BY id) AS d FROM o) q) r WHERE n <= 3`
const HALF = 'UPDATE o SET amount = (amount * 31 + id) % 97 WHERE id % 2 = 0'
const ONE = (id: number) => `UPDATE o SET amount = amount + 40 WHERE id = ${id}`

/** How many changes the lower stages have missed. */
const behind = async () =>
  (await lab.exec("SELECT behind FROM pgtrickle.stream_table WHERE relid = 'st'::regclass"))[0]?.behind
/** The rows of the lowest stage, as one value. */
const lowest = async () => {
  const [stage] = await lab.exec(
    "SELECT storage FROM pgtrickle.stage WHERE id = (SELECT id FROM pgtrickle.stream_table WHERE relid = 'st'::regclass) ORDER BY storage DESC",
  )
  return (await lab.exec(`SELECT sum(hashtext(ROW(s.*)::text)) AS h FROM ${String(stage?.storage)} s`))[0]?.h
}

test('a large change leaves the lower stages behind, and the fourth change fills them', async () => {
  await lab.create('st', STEEPEST)
  const before = await lowest()
  await lab.run(HALF)
  expect(await behind()).toBe(1)
  expect(await lowest(), 'nothing was stored below').toBe(before)
  await lab.run(ONE(17))
  await lab.run(`INSERT INTO o VALUES (${ROWS + 1}, 1, 900)`)
  expect(await behind()).toBe(3)
  await lab.run('DELETE FROM o WHERE id = 100')
  expect(await behind(), 'filled').toBe(0)
  expect(await lowest()).not.toBe(before)
  await lab.run(ONE(18))
  expect(await behind(), 'a small change goes through all stages').toBe(0)
})

test('a small change does not skip stages', async () => {
  await lab.create('st', STEEPEST)
  await lab.run(ONE(17))
  await lab.run(`DELETE FROM o WHERE id IN (3, 4, 5)`)
  expect(await behind()).toBe(0)
})

test('a stage is not skipped where its own program costs less', async () => {
  await lab.exec('CREATE TABLE big (id int PRIMARY KEY, v int)')
  await lab.exec('INSERT INTO big SELECT i, i FROM generate_series(1, 20000) i; ANALYZE big')
  try {
    await lab.create(
      'st',
      'SELECT v % 10 AS d, count(*) AS n FROM (SELECT v FROM big EXCEPT SELECT amount FROM o) q GROUP BY 1',
    )
    await lab.run('INSERT INTO big SELECT i, i FROM generate_series(20001, 20500) i')
    expect(await behind(), 'one row in forty').toBe(0)
    await lab.run('UPDATE big SET v = v + 1000000 WHERE id % 2 = 0')
    expect(await behind(), 'every other row').toBe(1)
  } finally {
    await lab.reset()
    await lab.exec('DROP TABLE IF EXISTS big')
  }
})

test('set operations below, computed at once', async () => {
  await lab.exec('CREATE TABLE l (v int, t text); CREATE TABLE r (v int, t text)')
  const side = (table: string) => `SELECT v, t FROM ${table}`
  try {
    let n = 0
    for (const word of ['UNION', 'INTERSECT', 'EXCEPT', 'UNION ALL', 'INTERSECT ALL', 'EXCEPT ALL']) {
      const rows = `${side('l')} ${word} ${side('r')}`
      await lab.create(`grouped_${n}`, `SELECT t, count(*) AS n, sum(v) AS s FROM (${rows}) q GROUP BY t`)
      await lab.create(`joined_${n}`, `SELECT q.v, q.t, o.amount FROM (${rows}) q LEFT JOIN o ON o.id = q.v`)
      await lab.create(`nested_${n}`, `SELECT DISTINCT v FROM (${rows} ${word} SELECT id, NULL FROM o WHERE id < 4) q`)
      n++
    }
    await lab.exec("SELECT pgtrickle.command('choose', 'at once')")
    await lab.run("INSERT INTO l SELECT i % 5, nullif('t' || i % 3, 't0') FROM generate_series(1, 30) i")
    await lab.run("INSERT INTO r SELECT nullif(i % 4, 0), nullif('t' || i % 2, 't0') FROM generate_series(1, 12) i")
    await lab.run('UPDATE l SET v = NULL WHERE v = 2')
    await lab.run('DELETE FROM r WHERE v IS NULL')
    await lab.run('TRUNCATE l')
    await lab.run("INSERT INTO l VALUES (NULL, NULL), (1, 't1'), (1, 't1')")
  } finally {
    await lab.exec("SELECT pgtrickle.command('choose', 'cheapest')")
    await lab.reset()
    await lab.exec('DROP TABLE IF EXISTS l, r')
  }
})

test('what is rolled back does not count', async () => {
  await lab.create('st', STEEPEST)
  await lab.run(`BEGIN; ${HALF}; ROLLBACK`)
  expect(await behind()).toBe(0)
  await lab.run(ONE(17))
  await lab.run('BEGIN')
  await lab.run('SAVEPOINT s')
  await lab.run(HALF)
  expect(await behind()).toBe(1)
  await lab.run('ROLLBACK TO s')
  expect(await behind()).toBe(0)
  await lab.run(ONE(18))
  await lab.run('COMMIT')
  await lab.run(HALF)
  await lab.run(`${ONE(19)}; ${ONE(20)}`)
  expect(await behind()).toBe(3)
  // The fill is rolled back, too.
  await lab.run(`BEGIN; ${ONE(21)}; ROLLBACK`)
  expect(await behind()).toBe(3)
  await lab.run(ONE(22))
  expect(await behind()).toBe(0)
  await lab.run(ONE(23))
})

test('a refresh fills them, and finds nothing to repair', async () => {
  await lab.create('st', STEEPEST)
  await lab.run(HALF)
  expect(await behind()).toBe(1)
  expect(await lab.pg.trickle.refreshStreamTable('st')).toEqual({ inserted: 0, deleted: 0, updated: 0 })
  expect(await behind()).toBe(0)
  await lab.run(ONE(17))
})

test('another query starts anew', async () => {
  await lab.create('st', STEEPEST)
  await lab.run(HALF)
  const query = STEEPEST.replace('n <= 3', 'n <= 2')
  await lab.pg.trickle.alterStreamTable('st', query)
  lab.watched.set('st', { query })
  await lab.check('the new query')
  expect(await behind()).toBe(0)
  await lab.run(ONE(17))
})

test('TRUNCATE, an empty table, and the first rows', async () => {
  await lab.create('st', STEEPEST)
  await lab.run(HALF)
  await lab.run('TRUNCATE o')
  await lab.run(`INSERT INTO o SELECT i, i % 2, i % 11 FROM generate_series(1, 500) i`)
  await lab.run(ONE(17))
  await lab.run(ONE(18))
  await lab.run(ONE(19))
})

test('subscribers and stream tables above see each change once', async () => {
  await lab.create('st', STEEPEST)
  await lab.create('above', 'SELECT count(*) AS n, sum(d) AS s FROM st')
  const mirror = await Mirror.open(lab.pg, 'st')
  for (const step of [HALF, ONE(17), ONE(18), ONE(19), HALF, ONE(20)]) {
    await lab.run(step)
    await mirror.check()
  }
  await mirror.end()
})

test('a query that raises an error leaves everything as it was', async () => {
  await lab.create(
    'st',
    `SELECT id, 1000 / d AS r FROM (SELECT id, d, row_number() OVER (PARTITION BY cid ORDER BY d, id) AS n
      FROM (SELECT id, cid, 200 + amount - lag(amount) OVER (PARTITION BY cid ORDER BY id) AS d FROM o) q) r WHERE n <= 3`,
  )
  await lab.run(HALF)
  expect(await behind()).toBe(1)
  await lab.fails('UPDATE o SET amount = id % 2 * 200')
  expect(await behind()).toBe(1)
  await lab.run(ONE(17))
})

test('a database that is opened again knows', async () => {
  await lab.create('st', STEEPEST)
  await lab.run(HALF)
  const copy = await openDatabase({ loadDataDir: await lab.pg.dumpDataDir('none') })
  try {
    await copy.exec('SET search_path = test')
    for (const step of [ONE(17), ONE(18), ONE(19), ONE(20)]) {
      await copy.exec(step)
      expect(await copy.trickle.verifyStreamTable('st')).toMatchObject({ ok: true })
    }
    const { rows } = await copy.query<{ behind: number }>('SELECT behind FROM pgtrickle.stream_table')
    expect(rows[0]?.behind).toBe(0)
  } finally {
    await copy.close()
  }
})

test('a role without rights on the catalog owns it', async () => {
  await lab.exec('CREATE ROLE keeper; GRANT USAGE, CREATE ON SCHEMA test TO keeper; ALTER TABLE o OWNER TO keeper')
  try {
    await lab.exec('SET ROLE keeper')
    await lab.create('st', STEEPEST)
    for (const step of [HALF, ONE(17), ONE(18), ONE(19), ONE(20)]) await lab.run(step)
    expect(await behind()).toBe(0)
    await lab.run(HALF)
    expect(await behind()).toBe(1)
  } finally {
    await lab.exec('RESET ROLE')
    await lab.reset()
    await lab.exec('DROP OWNED BY keeper; DROP ROLE keeper')
  }
})
