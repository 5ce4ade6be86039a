import { beforeAll, describe, expect, test } from 'vitest'
import type { Lab } from './support/lab.js'
import { useLab } from './support/use-lab.js'

const lab: Lab = useLab(async () => {
  await lab.exec('CREATE TABLE t (id int PRIMARY KEY, k int, v numeric, s text)')
  await lab.exec('CREATE TABLE u (k int, w int)')
  await lab.exec('INSERT INTO u SELECT i % 50, i FROM generate_series(1, 100) i')
  await lab.create('scan', 'SELECT k, s FROM t WHERE v > 10')
  await lab.create('agg', 'SELECT k, count(*), sum(v), avg(v), min(v), max(s) FROM t GROUP BY k')
  await lab.create('joined', 'SELECT u.w, count(*), sum(t.v) FROM t JOIN u USING (k) GROUP BY u.w')
  await lab.create('self', 'SELECT a.k, count(*) FROM t a JOIN t b ON a.id = b.id + 1 GROUP BY a.k')
  await lab.create('total', 'SELECT count(*), sum(v), max(id) FROM t')
  await lab.create('rebuilt', 'SELECT DISTINCT k, s FROM t')
  await lab.create('outer_joined', 'SELECT t.id, u.w FROM t LEFT JOIN u ON u.k = t.id AND u.w % 2 = 0')
  await lab.create('ranked', 'SELECT v, rank() OVER (PARTITION BY k ORDER BY v) AS r FROM t')
  await lab.create('running', 'SELECT k, w, sum(w) OVER (PARTITION BY k ORDER BY w) AS s FROM u')
  await lab.create(
    'shares',
    'SELECT id, count(*) OVER (PARTITION BY s) AS n, count(*) OVER () AS m FROM t WHERE k < 20',
  )
  await lab.create(
    'lists',
    "SELECT k, s, string_agg(s, ',') AS l, array_agg(id ORDER BY id) AS ids FROM t GROUP BY k, s",
  )
  await lab.create('latest', 'SELECT DISTINCT ON (k) k, id, v FROM t ORDER BY k, id DESC')
  await lab.create('values_of', 'SELECT v FROM t UNION SELECT w FROM u', { freeSpelling: true })
  await lab.create('values_left', 'SELECT v FROM t EXCEPT ALL SELECT w FROM u', { freeSpelling: true })
})

const ROWS = 5000

async function copy(table: string, lines: string[]): Promise<void> {
  await lab.pg.query(`COPY ${table} FROM '/dev/blob' WITH (FORMAT csv, NULL 'NULL')`, [], {
    blob: new Blob([lines.join('\n')]),
  })
  await lab.check(`COPY ${lines.length} rows into ${table}`)
}

// These tests build on each other: the tables grow, shrink and become empty.
describe('many rows at once, and one among many', () => {
  test('INSERT', () =>
    lab.run(`INSERT INTO t SELECT i, nullif(i % 97, 0), i / 7.0, chr(97 + i % 26) FROM generate_series(1, ${ROWS}) i`))
  test('one row', async () => {
    await lab.run("INSERT INTO t VALUES (-1, 5, 500, 'q')")
    await lab.run('UPDATE t SET k = 6, v = -500 WHERE id = -1')
    await lab.run('DELETE FROM t WHERE id = -1')
  })
  test('UPDATE of all rows, without and with a change', async () => {
    await lab.run('UPDATE t SET v = v')
    await lab.run('UPDATE t SET v = v + 1, k = (k + 1) % 97')
  })
  test('COPY', async () => {
    await copy(
      't',
      Array.from({ length: ROWS }, (_, i) => `${ROWS + 1 + i},${i % 120},${i}.25,x`),
    )
    await copy('t', [`${3 * ROWS},NULL,NULL,NULL`])
    await copy('t', [])
    await copy('u', ['7,1000', '7,1001'])
  })
  test('a COPY that fails half-way', async () => {
    await expect(copy('t', [`${4 * ROWS},1,1,a`, '1,1,1,duplicate'])).rejects.toMatchObject({ code: '23505' })
    await lab.check('failed COPY')
    await expect(copy('t', [`${4 * ROWS},1,1,a`, `${4 * ROWS + 1},1,no number,b`])).rejects.toMatchObject({
      code: '22P02',
    })
    await lab.check('failed COPY')
  })
  test('INSERT .. SELECT from a stream table', () =>
    lab.run(`INSERT INTO u SELECT k, count::int FROM agg WHERE count < 1000`))
  test('both sources in one statement', () =>
    lab.run(
      `WITH d AS (DELETE FROM u WHERE k < 20), x AS (UPDATE t SET k = 21 WHERE k < 5) INSERT INTO u SELECT i, i FROM generate_series(1, 30) i`,
    ))
  test('one row, after the large changes', async () => {
    await lab.run("INSERT INTO t VALUES (-1, 5, 500, 'q')")
    await lab.run('INSERT INTO u VALUES (21, 5)')
    await lab.run('UPDATE t SET k = 21 WHERE id = -1')
  })
  test('one row at a time, through prepared statements with parameters', async () => {
    for (let i = 0; i < 30; i++) {
      await lab.pg.query('INSERT INTO t VALUES ($1, $2, $3, $4)', [-10 - i, i % 3, `${i}.5`, 'p'])
      await lab.pg.query('UPDATE t SET v = v + $1 WHERE id = $2', [i, -10 - i])
      if (i % 3 === 0) await lab.pg.query('DELETE FROM t WHERE id = $1', [-10 - i])
    }
    await lab.check('parameters')
    await lab.pg.transaction(async (tx) => {
      await tx.query('DELETE FROM t WHERE id < $1', [-20])
      await tx.exec("INSERT INTO t VALUES (-500, 1, 1, 'x'); UPDATE t SET k = 2 WHERE id = -500")
    })
    await lab.check('pg.transaction')
    await lab.pg.transaction(async (tx) => {
      await tx.query('DELETE FROM t')
      await tx.rollback()
    })
    await lab.check('rolled back')
  })
  test('DELETE of most rows', () => lab.run('DELETE FROM t WHERE id % 50 <> 0'))
  test('TRUNCATE', () => lab.run('TRUNCATE t'))
  test('INSERT into the empty table', () =>
    lab.run(`INSERT INTO t SELECT i, i % 10, i, 'z' FROM generate_series(1, 300) i`))
  test('a refresh finds nothing to repair', () => lab.checkRefresh())
})

describe('a load into an empty stream table runs the query once', () => {
  const ROWS_OF = 'i, i % 1000, i FROM generate_series'

  beforeAll(async () => {
    await lab.reset()
    await lab.exec(`CREATE SEQUENCE calls; SELECT nextval('calls');
      CREATE FUNCTION counted(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
        $$ BEGIN PERFORM nextval('test.calls'); RETURN true; END $$;
      CREATE TABLE t (id int PRIMARY KEY, k int, x int); CREATE INDEX ON t (k);
      CREATE TABLE u (id int PRIMARY KEY, w int); INSERT INTO u SELECT i, i FROM generate_series(0, 999, 3) i`)
  })

  /** Counts how many times a statement evaluates the condition of the stream table's query. */
  async function calls(sql: string): Promise<number> {
    const last = async () => Number((await lab.exec('SELECT last_value FROM calls'))[0]?.last_value)
    const before = await last()
    await lab.exec(sql)
    const count = (await last()) - before
    await lab.check(sql)
    return count
  }

  const views: [string, string][] = [
    ['a self-join', 'SELECT a.id, b.id AS other FROM t a JOIN t b ON a.k = b.k WHERE counted(a.x)'],
    ['an outer join', 'SELECT t.id, t.k, u.w FROM t LEFT JOIN u ON u.id = t.k WHERE counted(t.x)'],
    [
      'a join with groups',
      'SELECT q.k, q.n, u.w FROM (SELECT k, count(*) AS n FROM t WHERE counted(x) GROUP BY k) q JOIN u ON u.id = q.k',
    ],
  ]
  test.each(views)('%s', async (_, query) => {
    await lab.exec('TRUNCATE t')
    await lab.create('st', query)
    expect(await calls(`INSERT INTO t SELECT ${ROWS_OF}(1, 3000) i`)).toBe(3000)
    await lab.run('DELETE FROM t')
    expect(await calls(`INSERT INTO t SELECT ${ROWS_OF}(1, 1000) i`), 'loaded again').toBe(1000)
    await lab.exec("SELECT pgtrickle.drop_stream_table('st')")
    lab.forget('st')
  })
})

describe('a change of as many rows as are stored runs the query once', () => {
  beforeAll(async () => {
    await lab.reset()
    await lab.exec(`CREATE SEQUENCE calls; SELECT nextval('calls');
      CREATE FUNCTION counted(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
        $$ BEGIN PERFORM nextval('test.calls'); RETURN true; END $$;
      CREATE TABLE t (id int PRIMARY KEY, k int, m money, n numeric, f float8, j json, p point, x xml);
      CREATE TABLE u (k int, w numeric); CREATE INDEX ON u (k)`)
    const rows = `SELECT i, nullif(i % 400, 7), nullif(i % 300, 7)::text::money, (i % 50)::numeric, i % 30 / 4.0,
      json_build_object('a', i % 20), point(i % 9, 1), xmlelement(name a, i % 9)`
    await lab.exec(`INSERT INTO t ${rows} FROM generate_series(1, 600) i`)
    const views = {
      scalar: 'SELECT id, j, p, x, n, f, (SELECT max(w) FROM u WHERE u.k = t.k) AS w FROM t WHERE counted(id)',
      above: `SELECT w, count(*), sum(n) FROM (SELECT n, (SELECT max(w) FROM u WHERE u.k = t.k) AS w FROM t) q GROUP BY w`,
      semi: 'SELECT p, x FROM t WHERE EXISTS (SELECT FROM u WHERE u.k = t.k AND w > 3)',
      list: `SELECT k, m, string_agg(n::text, ',' ORDER BY id) AS l FROM t GROUP BY k, m`,
      prices: `SELECT m, string_agg(n::text, ',' ORDER BY id) AS l FROM t GROUP BY m`,
      first: 'SELECT DISTINCT ON (n) n, id, j FROM t ORDER BY n, id',
      ranked: 'SELECT id, f, rank() OVER (PARTITION BY k ORDER BY f) AS r FROM t',
      everyone: 'SELECT id, sum(n) OVER (ORDER BY id) AS s FROM t',
      common: 'SELECT n FROM t INTERSECT SELECT w FROM u',
      outer_joined: 'SELECT t.n, u.w FROM t LEFT JOIN u ON u.k = t.k',
      above_outer: 'SELECT w, count(*) FROM (SELECT t.n, u.w FROM t LEFT JOIN u ON u.k = t.k) q GROUP BY w',
      full_joined: 'SELECT t.id, u.w FROM t FULL JOIN u ON u.k = t.k',
      keyless: 'SELECT w, (SELECT min(id) FROM t WHERE t.k = u.k) AS first FROM u',
      median: 'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n) AS p, sum(f) AS f FROM t',
    }
    for (const [name, query] of Object.entries(views)) {
      await lab.create(name, query, { freeSpelling: name === 'above' })
    }
  })

  test('subscribers get no change for rows that are deleted and inserted again', async () => {
    await lab.exec('INSERT INTO t (id, k, n) SELECT i, i, 1 FROM generate_series(1001, 1500) i')
    const reported: string[] = []
    const stop = await lab.pg.trickle.subscribe(
      'outer_joined',
      (changes) => reported.push(...changes.map(({ op }) => op)),
      {
        initial: false,
      },
    )
    // 200 of the keys have a row; the others keep their NULL.
    await lab.exec('INSERT INTO u SELECT i, i FROM generate_series(1301, 1900) i')
    expect(reported.filter((op) => op === 'delete')).toHaveLength(200)
    expect(reported.filter((op) => op === 'insert')).toHaveLength(200)
    expect(reported).toHaveLength(400)
    await stop()
    await lab.check('INSERT INTO u')
    await lab.run('DELETE FROM u; DELETE FROM t WHERE id > 1000')
  })
  test('the source of a subquery is filled, and the subquery runs once for each row', async () => {
    const last = async () => Number((await lab.exec('SELECT last_value FROM calls'))[0]?.last_value)
    const before = await last()
    await lab.exec('INSERT INTO u SELECT i % 400, i % 11 FROM generate_series(1, 700) i')
    expect((await last()) - before).toBe(600)
    await lab.check('INSERT INTO u')
  })
  test.each([
    [
      'values equal to the old ones, with different text',
      'UPDATE t SET n = n + 0.00, f = CASE f WHEN 0 THEN -0.0 ELSE f END',
    ],
    ["equal values in a subquery's source", 'UPDATE u SET w = w + 0.0'],
    ['an update without a change', 'UPDATE t SET n = n, j = j; UPDATE u SET w = w'],
    [
      'NaN, NULLs and repeated values',
      `UPDATE t SET f = CASE id % 3 WHEN 0 THEN 'NaN' WHEN 1 THEN f END, n = NULL, k = k % 5`,
    ],
    [
      'changed keys, and values without equality',
      `UPDATE t SET id = 1201 - id, j = '{"a": 1}', x = '<b/>', p = '(1,2)'`,
    ],
    ['two sources', 'WITH d AS (DELETE FROM u WHERE k < 300) UPDATE t SET n = id % 9, k = id % 350, m = 5'],
    ['most rows are deleted', 'DELETE FROM t WHERE id > 700'],
    [
      'more rows are inserted than exist',
      'INSERT INTO t (id, k, n) SELECT i, i % 100, 1 FROM generate_series(5000, 6000) i',
    ],
    ['all rows are deleted', 'DELETE FROM u; DELETE FROM t'],
    [
      'rows are inserted into the empty tables',
      'INSERT INTO u SELECT i, i FROM generate_series(1, 300) i; INSERT INTO t (id, k) SELECT k, k FROM u',
    ],
  ])('%s', async (_, sql) => {
    await lab.run(sql)
  })
  test('a refresh finds nothing to repair', () => lab.checkRefresh())
})
