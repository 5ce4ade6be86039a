/** Who may read a feed, who may start one, and what nobody can do to one. */
import { describe, expect, test } from 'vitest'
import { Replica } from './support/replica.js'
import { SUMS, useRoles } from './support/roles.js'

const { lab, as, refused, create, loot } = useRoles()

async function ops(name = 'test.sums'): Promise<unknown[]> {
  return (await lab.exec(`SELECT op FROM pgtrickle.changes('${name}')`)).map(({ op }) => op)
}

describe('a feed', () => {
  test('is read by who may read the stream table, and started by who owns it', async () => {
    await lab.exec('GRANT ALL ON SCHEMA test TO alice; ALTER TABLE t OWNER TO alice')
    await create('alice', 'test.sums', SUMS)
    await refused('mallory', "SELECT pgtrickle.keep_changes('test.sums')", /^must be owner of stream table test\.sums$/)
    await as('alice', "SELECT pgtrickle.keep_changes('test.sums')")
    await as('alice', 'INSERT INTO test.t VALUES (4, 4, 4)')
    const read = "SELECT * FROM pgtrickle.changes('test.sums')"
    const all = "SELECT * FROM pgtrickle.changes('test.sums', snapshot => true)"
    for (const sql of [read, all]) await refused('mallory', sql, /^permission denied for stream table test\.sums$/)
    await lab.exec('GRANT SELECT ON test.sums TO mallory')
    for (const sql of [read, all]) await as('mallory', sql)
    await refused('mallory', "SELECT pgtrickle.keep_changes('test.sums', retain => 0)")
    await lab.exec('REVOKE SELECT ON test.sums FROM mallory')
    for (const sql of [read, all]) await refused('mallory', sql)
    expect(await ops()).toEqual(['insert'])
  })

  test('is written whoever changes a source', async () => {
    await lab.create('sums', SUMS)
    await lab.exec("SELECT pgtrickle.keep_changes('sums'); GRANT INSERT, UPDATE, SELECT ON t TO mallory")
    await as('mallory', 'INSERT INTO test.t VALUES (4, 4, 4)')
    await as('mallory', 'BEGIN; UPDATE test.t SET v = 5 WHERE id = 4; SET LOCAL ROLE NONE; COMMIT')
    expect(await ops()).toEqual(['insert', 'update'])
  })

  test('cannot be read or written in any other way', async () => {
    await lab.create('sums', SUMS)
    await lab.exec(
      "SELECT pgtrickle.keep_changes('sums'); INSERT INTO t VALUES (4, 4, 4); GRANT SELECT ON sums TO mallory",
    )
    for (const sql of [
      'SELECT * FROM pgtrickle.change',
      'DELETE FROM pgtrickle.change',
      'SELECT * FROM pgtrickle.feed',
      'UPDATE pgtrickle.feed SET last = 0',
      "INSERT INTO pgtrickle.change VALUES (1, 1, 1, now(), 'insert')",
      'CREATE TRIGGER mine AFTER INSERT ON pgtrickle.change FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    ])
      await refused('mallory', sql)
    await as('mallory', 'SELECT name, retain, first, last FROM pgtrickle.feeds')
    expect(await ops()).toEqual(['insert'])
  })

  test('runs no code of those who write or read, in its owner nor in a superuser', async () => {
    await lab.exec(`CREATE FUNCTION mal.to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql AS 'SELECT mal.note(); SELECT NULL::jsonb';
      CREATE FUNCTION mal.pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT mal.note()';
      CREATE FUNCTION mal.json_agg(json) RETURNS json LANGUAGE sql AS 'SELECT mal.note(); SELECT NULL::json';
      CREATE FUNCTION mal.less(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT mal.note(); SELECT false';
      CREATE OPERATOR mal.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = mal.less);
      CREATE OPERATOR mal.<= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = mal.less);
      CREATE FUNCTION mal.times(numeric, integer) RETURNS numeric LANGUAGE sql AS 'SELECT mal.note(); SELECT 0.0';
      CREATE OPERATOR mal.* (LEFTARG = numeric, RIGHTARG = integer, FUNCTION = mal.times)`)
    await lab.create('sums', SUMS)
    await lab.exec("SELECT pgtrickle.keep_changes('sums', retain => 2); GRANT SELECT ON sums TO mallory")
    await lab.exec('SET search_path = mal, pg_catalog')
    await lab.exec('INSERT INTO test.t VALUES (4, 4, 4), (5, 5, 5), (6, 6, 6)')
    await lab.exec(
      "SELECT * FROM pgtrickle.changes('test.sums', max => 1); SELECT * FROM pgtrickle.changes('test.sums', snapshot => true)",
    )
    for await (const { op } of lab.pg.trickle.changes('test.sums', { snapshot: true })) {
      expect(op).toBe('snapshot')
      break
    }
    await lab.exec(
      "SELECT pgtrickle.alter_stream_table('test.sums', 'SELECT k, sum(v) AS s, count(*) AS n FROM test.t GROUP BY k')",
    )
    await lab.exec('SET search_path = test, public')
    expect(await loot()).toEqual([])
    await (await new Replica(lab, 'sums').begin()).check('a hostile search_path')
    lab.forget('sums')
  })
})
