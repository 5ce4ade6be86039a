/**
 * What the owner of a stream table may not read by himself: rows that policies hide from him, and what only a view of
 * another role shows him.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from './support/pglite.js'
import { useFreshLab } from './support/use-lab.js'

const lab = useFreshLab([
  'GRANT ALL ON SCHEMA test TO alice, bob, admin',
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3), (4, NULL, 4)',
  'CREATE TABLE own (k int PRIMARY KEY, name text); INSERT INTO own VALUES (1, $$one$$), (2, $$two$$), (3, $$three$$)',
  'ALTER TABLE own OWNER TO bob',
])
beforeAll(() => lab.exec('CREATE ROLE alice; CREATE ROLE bob; CREATE ROLE admin BYPASSRLS'))

const SUMS = 'SELECT k, count(*) AS n, sum(v) AS s FROM t GROUP BY k'
const CHANGES = [
  'INSERT INTO t VALUES (5, 1, 5), (6, 2, 6), (7, 3, 7)',
  'UPDATE t SET k = 3 WHERE id = 2',
  'UPDATE t SET v = v + 1, k = 4 - k',
  'DELETE FROM t WHERE id IN (1, 4)',
  'TRUNCATE t',
  'INSERT INTO t VALUES (8, 2, 8), (9, 1, 9)',
]

/** Creates a stream table as a role, changes `t`, and compares with what that role sees. Returns how it is maintained. */
async function follow(role: string, query: string, changes = CHANGES): Promise<string> {
  await lab.exec(`SET ROLE ${role}`)
  await lab.pg.trickle.createStreamTable('st', query)
  const { way } = await lab.pg.trickle.explainStreamTable('st')
  await lab.watch('st', query)
  for (const sql of changes) {
    await lab.exec('RESET ROLE')
    await lab.exec(sql)
    await lab.exec(`SET ROLE ${role}`)
    await lab.check(sql)
  }
  await lab.exec('RESET ROLE')
  return way
}

describe('row-level security', () => {
  const ENABLED = 'ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY odd ON t USING (k % 2 = 1)'

  test.each([
    ['a superuser', 'postgres', ''],
    ['a role with BYPASSRLS', 'admin', 'GRANT ALL ON t TO admin'],
    ['the owner of the table', 'alice', 'ALTER TABLE t OWNER TO alice'],
    ['a member of the owner', 'bob', 'ALTER TABLE t OWNER TO alice; GRANT alice TO bob'],
  ])('costs %s nothing', async (_, role, setup) => {
    await lab.exec(`${setup}; ${ENABLED}`)
    try {
      expect(await follow(role, SUMS)).toBe('fold')
    } finally {
      await lab.exec('RESET ROLE; REVOKE alice FROM bob')
    }
  })

  test.each([
    ['another role', 'bob', 'GRANT ALL ON t TO bob'],
    ['the owner, where it is forced', 'alice', 'ALTER TABLE t OWNER TO alice; ALTER TABLE t FORCE ROW LEVEL SECURITY'],
  ])('runs the query again for %s', async (_, role, setup) => {
    await lab.exec(`${setup}; ${ENABLED}`)
    expect(await follow(role, SUMS)).toBe('rebuild')
  })

  test('follows FORCE and the owner of the stream table', async () => {
    await lab.exec(`ALTER TABLE t OWNER TO alice; GRANT ALL ON t TO bob; ${ENABLED}`)
    const way = async () => (await lab.pg.trickle.explainStreamTable('st')).way
    expect(await follow('alice', SUMS)).toBe('fold')
    await lab.exec('ALTER TABLE t FORCE ROW LEVEL SECURITY')
    expect(await way()).toBe('rebuild')
    await lab.exec('INSERT INTO t VALUES (20, 1, 1), (21, 2, 1); SET ROLE alice')
    await lab.check('forced')
    await lab.exec('RESET ROLE; ALTER TABLE t NO FORCE ROW LEVEL SECURITY')
    expect(await way()).toBe('fold')
    await lab.exec('ALTER VIEW st OWNER TO bob')
    expect(await way()).toBe('rebuild')
    await lab.exec('INSERT INTO t VALUES (22, 1, 1), (23, 2, 1); SET ROLE bob')
    await lab.check("bob's")
    await lab.exec('RESET ROLE')
  })

  test('a view shows what its own owner may see, whoever reads it', async () => {
    await lab.exec(
      `GRANT SELECT ON t TO alice; ${ENABLED}; CREATE VIEW v AS SELECT * FROM t; ALTER VIEW v OWNER TO alice`,
    )
    expect(await follow('postgres', 'SELECT k, count(*) AS n, sum(v) AS s FROM v GROUP BY k')).toBe('rebuild')
  })
})

test('a role whose rights have changed unnoticed since its stream table was made', async () => {
  const before = await openDatabase()
  await before.exec(`CREATE ROLE late BYPASSRLS; GRANT ALL ON SCHEMA public TO late;
    CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t VALUES (1, 1, 1), (2, 2, 2); GRANT ALL ON t TO late;
    ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY odd ON t USING (k % 2 = 1); SET ROLE late`)
  await before.trickle.createStreamTable('st', SUMS)
  await before.exec("RESET ROLE; UPDATE pg_authid SET rolbypassrls = false WHERE rolname = 'late'")
  const loadDataDir = await before.dumpDataDir('none')
  await before.close()
  const pg = await openDatabase({ loadDataDir })
  try {
    const notices: (string | undefined)[] = []
    await pg.exec('INSERT INTO t VALUES (3, 1, 3), (4, 2, 4)', { onNotice: ({ message }) => notices.push(message) })
    expect(notices).toEqual([expect.stringContaining('public.st')])
    expect((await pg.query('SELECT k, n::int, s::int FROM st')).rows).toEqual([{ k: 1, n: 2, s: 4 }])
    await pg.exec('SET ROLE late')
    expect(await pg.trickle.verifyStreamTable('st')).toMatchObject({ ok: true })
  } finally {
    await pg.close()
  }
})

describe("another role's view", () => {
  const VIEW = 'CREATE VIEW v AS SELECT id, k, v * 10 AS v FROM t WHERE v > 1'

  test.each([
    ['alone', 'SELECT id, v FROM v WHERE k > 1'],
    ['grouped', 'SELECT k, sum(v) AS s FROM v GROUP BY k'],
    ['joined with a table of its own', 'SELECT own.name, v.id, v.v FROM own LEFT JOIN v ON v.k = own.k'],
    ['in a subquery', 'SELECT name FROM own WHERE EXISTS (SELECT FROM v WHERE v.k = own.k)'],
  ])('may be read without rights on its tables: %s', async (_, query) => {
    await lab.exec(`${VIEW}; GRANT SELECT ON v TO bob`)
    await expect(lab.exec('SET ROLE bob; SELECT * FROM t')).rejects.toMatchObject({ code: '42501' })
    await lab.exec('RESET ROLE')
    await follow('bob', query)
    await lab.exec("UPDATE own SET name = 'uno' WHERE k = 1; DELETE FROM own WHERE k = 2; SET ROLE bob")
    await lab.check('its own table')
    await lab.exec('RESET ROLE')
  })

  test('is part of the query where the rights suffice', async () => {
    await lab.exec(`${VIEW}; GRANT SELECT ON v, t TO bob`)
    expect(await follow('bob', 'SELECT k, sum(v) AS s FROM v GROUP BY k')).toBe('fold')
  })

  test('that runs with the rights of its reader needs them', async () => {
    await lab.exec(`${VIEW.replace('v AS', 'v WITH (security_invoker) AS')}; GRANT SELECT ON v TO bob; SET ROLE bob`)
    await expect(lab.pg.trickle.createStreamTable('st', 'SELECT * FROM v')).rejects.toMatchObject({ code: '42501' })
    await lab.exec('RESET ROLE; GRANT SELECT, TRIGGER ON t TO bob')
    expect(await follow('bob', 'SELECT k, sum(v) AS s FROM v GROUP BY k')).toBe('fold')
  })

  test('over a view, and over a stream table', async () => {
    await lab.pg.trickle.createStreamTable('totals', SUMS)
    await lab.exec(
      `${VIEW}; CREATE VIEW vv AS SELECT v.k, v.v, s FROM v JOIN totals USING (k); GRANT SELECT ON vv, totals TO bob`,
    )
    await follow('bob', 'SELECT k, max(v) AS m, min(s) AS s FROM vv GROUP BY k')
    await lab.exec('SET ROLE bob')
    await lab.pg.trickle.dropStreamTable('st')
    await lab.exec('RESET ROLE')
    await follow('bob', 'SELECT name, s FROM own JOIN totals USING (k)', [
      'INSERT INTO t VALUES (30, 1, 1), (31, 9, 2)',
      'UPDATE t SET k = 1',
    ])
  })
})
