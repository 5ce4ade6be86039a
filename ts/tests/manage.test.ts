import { describe, expect, test } from 'vitest'
import { TrickleError } from '../dist/index.js'
import { useFreshLab } from './support/use-lab.js'

const SUMS = 'SELECT k, sum(v) AS s FROM t GROUP BY k'
/** A query that can only be run again. */
const SAMPLE = 'SELECT v FROM t TABLESAMPLE BERNOULLI (100) REPEATABLE (1)'

const lab = useFreshLab([
  'CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL, v int)',
  'INSERT INTO t VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30)',
])

async function rows(sql: string): Promise<unknown[]> {
  return (await lab.pg.query(sql, [], { rowMode: 'array' })).rows
}

describe('createStreamTable', () => {
  test('returns a description of the stream table', async () => {
    const before = Date.now()
    const st = await lab.pg.trickle.createStreamTable<{ k: number; s: string }>('sums', SUMS)
    expect(st).toMatchObject({ name: 'sums', schema: 'test', refreshMode: 'IMMEDIATE', status: 'ACTIVE' })
    expect(st.columns).toEqual(['k', 's'])
    expect(st.key).toEqual(['k'])
    expect(st.sources).toEqual(['test.t'])
    expect(st.query).toContain('sum(')
    expect(Math.abs(st.createdAt.getTime() - before)).toBeLessThan(60_000)
    await lab.watch('sums', SUMS)
    await lab.run('INSERT INTO t VALUES (4, 2, 5)')
  })

  test('finds the key, if there is one, and the sources behind views and joins', async () => {
    await lab.exec('CREATE TABLE u (w int); CREATE VIEW over_u AS SELECT w FROM u')
    const scan = await lab.pg.trickle.createStreamTable('scan', 'SELECT v, id FROM t')
    expect(scan.key).toEqual(['id'])
    const keyless = await lab.pg.trickle.createStreamTable('keyless', 'SELECT t.v, w FROM t JOIN over_u ON w = v')
    expect(keyless.key).toEqual([])
    expect(keyless.sources.sort()).toEqual(['test.t', 'test.u'])
    const total = await lab.pg.trickle.createStreamTable('total', 'SELECT count(*) FROM t')
    expect(total.columns).toEqual(['count'])
  })

  test('ifNotExists leaves an existing stream table alone', async () => {
    const first = await lab.pg.trickle.createStreamTable('st', SUMS)
    const again = await lab.pg.trickle.createStreamTable('st', 'SELECT v FROM t', { ifNotExists: true })
    expect(again).toEqual(first)
    const fresh = await lab.pg.trickle.createStreamTable('other', 'SELECT v FROM t', { ifNotExists: true })
    expect(fresh.columns).toEqual(['v'])
    await lab.watch('st', SUMS)
    await lab.watch('other', 'SELECT v FROM t')
    await lab.run('UPDATE t SET v = v + 1')
  })

  test('orReplace replaces an existing stream table', async () => {
    await lab.pg.trickle.createStreamTable('st', SUMS)
    const replaced = await lab.pg.trickle.createStreamTable('st', 'SELECT id, v FROM t', { orReplace: true })
    expect(replaced.columns).toEqual(['id', 'v'])
    const fresh = await lab.pg.trickle.createStreamTable('other', 'SELECT DISTINCT v FROM t', {
      orReplace: true,
    })
    expect(fresh.columns).toEqual(['v'])
    await lab.watch('st', 'SELECT id, v FROM t')
    await lab.watch('other', 'SELECT DISTINCT v FROM t')
    await lab.run('UPDATE t SET v = v + 1')
    expect(await lab.pg.trickle.listStreamTables()).toHaveLength(2)
  })

  test('ifNotExists and orReplace exclude each other', async () => {
    const both = lab.pg.trickle.createStreamTable('st', SUMS, { ifNotExists: true, orReplace: true } as object)
    await expect(both).rejects.toBeInstanceOf(TrickleError)
    expect(await lab.pg.trickle.listStreamTables()).toEqual([])
  })

  test('withData: false leaves it empty until a refresh', async () => {
    await lab.pg.trickle.createStreamTable('st', SUMS, { withData: false })
    expect(await rows('TABLE st')).toEqual([])
    expect(await lab.pg.trickle.verifyStreamTable('st')).toEqual({ ok: false, missing: 2, extra: 0 })
    await lab.exec('INSERT INTO t VALUES (4, 3, 1); UPDATE t SET v = 11 WHERE id = 1; DELETE FROM t WHERE id = 3')
    const refreshed = await lab.pg.trickle.refreshStreamTable('st')
    expect(refreshed.deleted).toBe(0)
    await lab.watch('st', SUMS)
    await lab.check('refresh')
    await lab.run('INSERT INTO t VALUES (5, 5, 5)')
    await lab.checkRefresh()
  })

  test('onNotice receives the reason for a rebuild, and nothing else', async () => {
    const notices: string[] = []
    const onNotice = (notice: { message?: string | undefined }) => notices.push(notice.message ?? '')
    await lab.pg.trickle.createStreamTable('folded', SUMS, { onNotice })
    expect(notices).toEqual([])
    await lab.pg.trickle.createStreamTable('rebuilt', SAMPLE, { onNotice })
    expect(notices).toHaveLength(1)
    expect(notices[0]).toContain('rebuilt')
    expect(notices[0]).toContain('TABLESAMPLE')
  })

  test('the functions of the SQL interface do the same', async () => {
    await lab.exec(`SELECT pgtrickle.create_stream_table('st', $$${SUMS}$$, NULL, 'IMMEDIATE', true)`)
    await lab.exec(`SELECT pgtrickle.create_stream_table_if_not_exists('st', 'SELECT 1 AS one')`)
    await lab.exec(
      `SELECT pgtrickle.create_or_replace_stream_table(name => 'st', query => 'SELECT k FROM t', refresh_mode => 'immediate')`,
    )
    await lab.watch('st', 'SELECT k FROM t')
    await lab.run('DELETE FROM t WHERE id = 1')
    await lab.exec("SELECT pgtrickle.alter_stream_table('st', 'SELECT v FROM t')")
    await lab.watch('st', 'SELECT v FROM t')
    await lab.run('DELETE FROM t WHERE id = 2')
    const listed = await lab.exec(
      'SELECT name, schema, refresh_mode, status, columns, sources FROM pgtrickle.stream_tables',
    )
    expect(listed).toEqual([
      {
        name: 'st',
        schema: 'test',
        refresh_mode: 'IMMEDIATE',
        status: 'ACTIVE',
        columns: ['v'],
        sources: ['test.t'],
      },
    ])
    const explained = await lab.exec("SELECT section, key, value FROM pgtrickle.explain_st('st')")
    expect(explained.length).toBeGreaterThan(3)
    lab.watched.clear()
    await lab.exec("SELECT pgtrickle.drop_stream_table('st', cascade => true)")
    expect(await lab.exec('SELECT * FROM pgtrickle.stream_tables')).toEqual([])
  })

  test('the notice about a query that depends on the clock agrees with health_check', async () => {
    const hints: string[] = []
    const onNotice = (notice: { hint?: string | undefined }) => hints.push(notice.hint ?? '')
    await lab.pg.trickle.createStreamTable('clock', 'SELECT 1 AS a, now() AS t', { onNotice })
    expect(hints).toEqual([expect.stringContaining('exact as of the last change')])
    const problems = "SELECT problem FROM pgtrickle.health_check() WHERE stream_table = 'test.clock'"
    expect(await lab.exec(problems)).toEqual([{ problem: null }])
    await lab.pg.trickle.createStreamTable('who', 'SELECT v FROM t WHERE current_user IS NOT NULL', { onNotice })
    expect(hints.pop()).toContain('health_check() reports it')
    await lab.pg.trickle.createStreamTable('sample', 'SELECT v FROM t TABLESAMPLE BERNOULLI (100) REPEATABLE (1)', {
      onNotice,
    })
    expect(hints[1]).toContain('exact')
  })

  test('dependency_tree, list_sources and health_check return rows', async () => {
    await lab.create('a', SUMS)
    await lab.create('b', 'SELECT count(*) AS n FROM a JOIN t USING (k)')
    expect(JSON.stringify(await lab.exec('SELECT * FROM pgtrickle.dependency_tree()'))).toMatch(/"[^"]*\bb\b/)
    const sources = JSON.stringify(await lab.exec("SELECT * FROM pgtrickle.list_sources('b')"))
    expect(sources).toContain('test.t')
    expect(sources).toContain('a')
    expect((await lab.exec('SELECT * FROM pgtrickle.health_check()')).length).toBeGreaterThan(0)
  })
})

describe('alterStreamTable', () => {
  test('changes the query under the same name', async () => {
    await lab.pg.trickle.createStreamTable('st', SUMS)
    const altered = await lab.pg.trickle.alterStreamTable(
      'st',
      'SELECT k, count(*) AS n, max(v) AS m FROM t GROUP BY k',
    )
    expect(altered).toMatchObject({ name: 'st', columns: ['k', 'n', 'm'] })
    await lab.watch('st', 'SELECT k, count(*) AS n, max(v) AS m FROM t GROUP BY k')
    await lab.run('UPDATE t SET v = v + 1')
    await lab.pg.trickle.alterStreamTable('st', 'SELECT DISTINCT v FROM t')
    await lab.watch('st', 'SELECT DISTINCT v FROM t')
    await lab.run('UPDATE t SET v = 1')
  })

  test('keeps grants, indexes and dependents where the columns allow it', async () => {
    await lab.exec('CREATE ROLE reader; GRANT USAGE ON SCHEMA test TO reader')
    try {
      await lab.create('st', SUMS)
      await lab.create('top', 'SELECT max(s) AS m FROM st')
      await lab.exec('CREATE VIEW plain AS SELECT k FROM st; GRANT SELECT ON st TO reader; CREATE INDEX ON st (s)')
      const query = 'SELECT k, sum(v) AS s FROM t WHERE v > 10 GROUP BY k'
      await lab.pg.trickle.alterStreamTable('st', query)
      await lab.watch('st', query)
      await lab.check('alter')
      await lab.run('INSERT INTO t VALUES (4, 2, 40)')
      await lab.exec('SET ROLE reader')
      expect(await lab.exec('SELECT * FROM st')).toHaveLength(2)
      await lab.exec('RESET ROLE')
      expect(await lab.exec('SELECT * FROM plain')).toHaveLength(2)
      const indexed = await rows(
        "SELECT count(*)::int FROM pg_indexes WHERE schemaname = 'pgtrickle' AND indexdef LIKE '%(s)%'",
      )
      expect(indexed).toEqual([[1]])
    } finally {
      await lab.exec('RESET ROLE; DROP OWNED BY reader; DROP ROLE reader')
    }
  })

  test('changes nothing when the new query is wrong', async () => {
    await lab.create('st', SUMS)
    const before = await lab.inventory()
    await expect(lab.pg.trickle.alterStreamTable('st', 'SELECT nothing FROM t')).rejects.toMatchObject({
      code: '42703',
      streamTable: 'st',
    })
    await expect(lab.pg.trickle.alterStreamTable('st', 'SELECT random() AS r FROM t')).rejects.toMatchObject({
      code: '0A000',
    })
    await expect(lab.pg.trickle.alterStreamTable('st', 'SELECT 1 / (v - 10) AS q FROM t')).rejects.toMatchObject({
      code: '22012',
    })
    expect(await lab.inventory()).toEqual(before)
    await lab.run('INSERT INTO t VALUES (4, 2, 5)')
  })

  test('reports an unknown name', async () => {
    await expect(lab.pg.trickle.alterStreamTable('none', SUMS)).rejects.toMatchObject({
      code: '42P01',
      streamTable: 'none',
    })
  })
})

describe('dropStreamTable', () => {
  test('leaves nothing behind', async () => {
    const before = await lab.inventory()
    await lab.pg.trickle.createStreamTable('st', SUMS)
    await lab.pg.trickle.createStreamTable('rebuilt', 'SELECT DISTINCT v FROM t')
    await lab.pg.trickle.dropStreamTable('st')
    await lab.pg.trickle.dropStreamTable('rebuilt')
    expect(await lab.inventory()).toEqual(before)
    await lab.exec('INSERT INTO t VALUES (9, 9, 9)')
    await expect(rows('TABLE st')).rejects.toMatchObject({ code: '42P01' })
    await lab.create('st', 'SELECT v FROM t')
    await lab.run('DELETE FROM t WHERE v = 9')
  })

  test('keeps the triggers that another stream table needs', async () => {
    await lab.create('one', SUMS)
    await lab.create('two', 'SELECT v FROM t')
    lab.forget('one')
    await lab.pg.trickle.dropStreamTable('one')
    await lab.run('INSERT INTO t VALUES (9, 9, 9)')
    await lab.run('TRUNCATE t')
  })

  test('requires cascade when there are dependents', async () => {
    await lab.create('a', SUMS)
    await lab.create('b', 'SELECT s FROM a WHERE s > 1')
    await lab.exec('CREATE VIEW plain AS SELECT s FROM b')
    await expect(lab.pg.trickle.dropStreamTable('a')).rejects.toMatchObject({
      code: '2BP01',
      streamTable: 'a',
      hint: expect.any(String),
    })
    await expect(lab.pg.trickle.dropStreamTable('b')).rejects.toMatchObject({ code: '2BP01' })
    await lab.run('INSERT INTO t VALUES (9, 9, 9)')
    lab.watched.clear()
    await lab.pg.trickle.dropStreamTable('a', { cascade: true })
    expect(await lab.pg.trickle.listStreamTables()).toEqual([])
    await expect(rows('TABLE plain')).rejects.toMatchObject({ code: '42P01' })
    await lab.exec('INSERT INTO t VALUES (10, 9, 9)')
  })

  test('ifExists', async () => {
    await lab.pg.trickle.dropStreamTable('none', { ifExists: true })
    await lab.pg.trickle.dropStreamTable('no_schema.none', { ifExists: true })
    await expect(lab.pg.trickle.dropStreamTable('none')).rejects.toMatchObject({
      code: '42P01',
      streamTable: 'none',
    })
    await lab.pg.trickle.createStreamTable('st', SUMS)
    await lab.pg.trickle.dropStreamTable('st', { ifExists: true })
    expect(await lab.pg.trickle.listStreamTables()).toEqual([])
  })

  test('does not drop anything but a stream table', async () => {
    await lab.exec('CREATE VIEW plain AS SELECT 1 AS one')
    await expect(lab.pg.trickle.dropStreamTable('plain')).rejects.toMatchObject({
      code: expect.stringMatching(/^(42P01|42809)$/),
    })
    await expect(lab.pg.trickle.dropStreamTable('t')).rejects.toMatchObject({
      code: expect.stringMatching(/^(42P01|42809)$/),
    })
    expect(await rows('TABLE plain')).toHaveLength(1)
  })
})

describe('refreshStreamTable and verifyStreamTable', () => {
  for (const [way, query] of [
    ['fold', SUMS],
    ['fold of a keyless scan', 'SELECT k, v FROM t'],
    ['rebuild', 'SELECT DISTINCT k, v FROM t'],
  ] as const) {
    test(`find and repair changes that no trigger saw: ${way}`, async () => {
      await lab.create('st', query)
      await lab.checkRefresh()
      await lab.exec("SET session_replication_role = 'replica'")
      await lab.exec('INSERT INTO t VALUES (4, 3, 40); DELETE FROM t WHERE id = 3; UPDATE t SET v = 11 WHERE id = 1')
      await lab.exec('RESET session_replication_role')
      const stored = await rows('SELECT * FROM st ORDER BY 1, 2')
      const verified = await lab.pg.trickle.verifyStreamTable('st')
      expect(verified).toEqual({ ok: false, missing: 2, extra: 2 })
      expect(await rows('SELECT * FROM st ORDER BY 1, 2')).toEqual(stored)
      const changed = await lab.pg.trickle.refreshStreamTable('st')
      // A changed row may count as an update, or as a delete and an insert.
      expect(changed.inserted + changed.updated).toBe(2)
      expect(changed.deleted + changed.updated).toBe(2)
      await lab.check('refresh')
      await lab.checkRefresh()
      await lab.run('UPDATE t SET v = v + 1')
    })
  }

  test('DISABLE TRIGGER goes unnoticed, but health_check reports it; ENABLE TRIGGER repairs it', async () => {
    for (const which of ['ALL', 'USER']) {
      await lab.create('st', SUMS)
      await lab.create('over', 'SELECT max(s) AS m FROM st')
      await lab.exec(
        `ALTER TABLE t DISABLE TRIGGER ${which}; INSERT INTO t VALUES (4, 3, 400); DELETE FROM t WHERE id = 1`,
      )
      expect(await lab.pg.trickle.verifyStreamTable('st')).toMatchObject({ ok: false })
      const health = 'SELECT stream_table, ok, problem FROM pgtrickle.health_check() ORDER BY 1'
      expect((await lab.exec(health)).at(-1)).toMatchObject({ ok: false, problem: expect.stringContaining('disabled') })
      await lab.run(`ALTER TABLE t ENABLE TRIGGER ${which}`)
      expect((await lab.exec(health)).map(({ ok }) => ok)).toEqual([true, true])
      await lab.run('UPDATE t SET v = v + 1')
      lab.watched.clear()
      await lab.pg.trickle.dropStreamTable('st', { cascade: true })
      await lab.exec('DELETE FROM t WHERE id = 4')
    }
  })

  test.each(['session_replication_role = replica', 'event_triggers = off'])(
    'what a DROP under %s leaves behind does no harm and goes with the next DROP',
    async (setting) => {
      const off = (sql: string) => lab.exec(`SET ${setting}; ${sql}; RESET ${setting.split(' ')[0]}`)
      const empty = await lab.inventory()
      await lab.create('a', SUMS)
      await lab.create('b', 'SELECT s, count(*) FROM (SELECT k, sum(v) AS s FROM t GROUP BY k) q GROUP BY s')
      await lab.create('c', 'SELECT id, v FROM t')
      for (const name of ['a', 'b']) lab.forget(name)
      await off('DROP VIEW a, b')
      await lab.run('UPDATE t SET v = v + 1')
      await lab.run('SELECT pgtrickle.restore_stream_tables()')
      await lab.create('a', SUMS)
      await lab.run('UPDATE t SET v = v + 1')
      lab.watched.clear()
      await off('DROP VIEW a, c')
      await lab.exec('CREATE TABLE other (); DROP TABLE other')
      expect(await lab.inventory()).toEqual(empty)
      expect(await rows('SELECT id FROM pgtrickle.stream_table')).toEqual([])
      await lab.exec('UPDATE t SET v = v + 1')
    },
  )

  test('a refresh updates the stream tables above', async () => {
    await lab.create('a', SUMS)
    await lab.create('b', 'SELECT sum(s) AS total FROM a')
    await lab.exec(
      "SET session_replication_role = 'replica'; INSERT INTO t VALUES (4, 3, 40); RESET session_replication_role",
    )
    await lab.pg.trickle.refreshStreamTable('a')
    await lab.check('refresh')
  })

  test('reports an unknown name', async () => {
    for (const call of ['refreshStreamTable', 'verifyStreamTable', 'explainStreamTable'] as const) {
      await expect(lab.pg.trickle[call]('none'), call).rejects.toBeInstanceOf(TrickleError)
      await expect(lab.pg.trickle[call]('none'), call).rejects.toMatchObject({
        code: '42P01',
        streamTable: 'none',
        hint: expect.any(String),
      })
    }
  })
})

describe('explainStreamTable', () => {
  test('shows way, cost and SQL per source and event', async () => {
    await lab.exec('CREATE TABLE u (k int PRIMARY KEY, label text)')
    await lab.create('st', 'SELECT u.label, count(*), sum(t.v) FROM t JOIN u USING (k) GROUP BY u.label')
    const plan = await lab.pg.trickle.explainStreamTable('st')
    expect(plan).toMatchObject({
      name: 'st',
      schema: 'test',
      way: 'fold',
      reason: null,
      columns: ['label', 'count', 'sum'],
    })
    expect(plan.stages).toHaveLength(1)
    const [stage] = plan.stages
    expect(stage?.operators.length).toBeGreaterThan(1)
    expect(stage?.sources.map(({ name }) => name).sort()).toEqual(['test.t', 'test.u'])
    for (const source of stage?.sources ?? []) {
      expect(source).toMatchObject({ occurrences: 1, way: 'fold', cost: expect.stringMatching(/\w/) })
      for (const event of ['insert', 'delete', 'update'] as const) {
        expect(source[event].length, `${source.name} ${event}`).toBeGreaterThan(0)
        expect(source[event].join('\n')).toContain('__pgt_')
      }
      expect(Array.isArray(source.truncate)).toBe(true)
    }
    expect(Array.isArray(plan.advice)).toBe(true)
  })

  test('says why a stage is rebuilt', async () => {
    await lab.create('st', `${SAMPLE} UNION ALL SELECT v FROM t`)
    const plan = await lab.pg.trickle.explainStreamTable('st')
    expect(plan.way).toBe('rebuild')
    expect(plan.reason).toContain('TABLESAMPLE')
    expect(plan.stages[0]?.sources[0]).toMatchObject({ name: 'test.t', occurrences: 2, way: 'rebuild' })
  })

  test('shows the key of each stage, and what a deleted extremum can cost', async () => {
    await lab.create('st', 'SELECT k, max(n) FROM (SELECT DISTINCT k, v AS n FROM t) q GROUP BY k')
    const { stages } = await lab.pg.trickle.explainStreamTable('st')
    expect(stages.map(({ key }) => key.length)).toEqual([2, 1])
    expect(stages[1]?.key).toEqual(['k'])
    expect(stages.map(({ sources }) => sources[0]?.cost)).toEqual([
      'the change',
      expect.stringContaining('when the value that decided its result is deleted'),
    ])
  })

  test.each([
    ['SELECT label, max(id) FROM i GROUP BY label', '(label)'],
    [
      'SELECT id, rank() OVER (PARTITION BY n / 10, label ORDER BY id) FROM i',
      '(((n OPERATOR(pg_catalog./) 10::numeric))) (label)',
    ],
    ['SELECT n FROM i UNION SELECT -n FROM i', '(n)'],
    ['SELECT * FROM i ORDER BY label DESC, n LIMIT 5', '(label DESC NULLS FIRST, n ASC NULLS LAST)'],
    ['SELECT a.id, b.id AS other FROM i a JOIN i b ON a.n = b.id WHERE a.n = a.n + 1', '(n)'],
    ['SELECT label, sum(id) FROM i GROUP BY label', ''],
    ['SELECT id FROM i WHERE n = n + 1 OR label = label', ''],
    ['SELECT id, rank() OVER (PARTITION BY n > (SELECT 1)) FROM i', ''],
  ])('advises indexes that PostgreSQL accepts, and nothing once they exist: %s', async (query, columns) => {
    await lab.exec('CREATE TABLE i (id int PRIMARY KEY, label text, n numeric)')
    await lab.create('st', query)
    const { advice } = await lab.pg.trickle.explainStreamTable('st')
    expect(advice.map((line) => /ON test\.i (\(.*\)):/.exec(line)?.[1]).join(' ')).toBe(columns)
    for (const line of advice) await lab.exec(line.split(': ')[0] ?? '')
    expect((await lab.pg.trickle.explainStreamTable('st')).advice).toEqual([])
  })

  test('points out a missing index', async () => {
    await lab.exec('CREATE TABLE u (id int PRIMARY KEY, t_id int)')
    await lab.create('st', 'SELECT t.id, u.id AS u FROM t JOIN u ON u.t_id = t.id')
    const { advice } = await lab.pg.trickle.explainStreamTable('st')
    expect(advice.join('\n')).toMatch(/u.*t_id/)
    await lab.exec('CREATE INDEX ON u (t_id)')
    expect((await lab.pg.trickle.explainStreamTable('st')).advice).toEqual([])
  })
})
