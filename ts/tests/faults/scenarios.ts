/** What is going on when a fault comes, and what has to hold afterwards. */
import { expect } from 'vitest'
import type { Failure, Lab } from '../support/lab.js'
import { Replica } from '../support/replica.js'

export interface Scenario {
  name: string
  /** Before each trial, without a fault. `n` differs from trial to trial. */
  before?: (n: number) => string
  /** SQL during which the fault comes, or what else to do. */
  act: string | ((lab: Lab, n: number) => Promise<unknown>)
  /** After each trial, whether `act` succeeded or not. */
  after?: string
}

/** Copies that follow the feeds of stream tables. */
const replicas: Replica[] = []

/** Stream tables of every kind, over tables of every kind. */
export async function setUp(lab: Lab): Promise<void> {
  await lab.exec(`
    CREATE ROLE helper;
    CREATE TABLE u (id int PRIMARY KEY, name text);
    CREATE TABLE t (id int PRIMARY KEY, u int REFERENCES u ON DELETE CASCADE, k int, v int);
    CREATE TABLE plain (v int);
    CREATE TABLE part (id int, v int) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
    CREATE TABLE log (what text);
    CREATE FUNCTION twice(v int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 2 * v; END';
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO log VALUES (TG_OP); RETURN NULL; END $$;
    INSERT INTO u SELECT n, 'u' || n FROM generate_series(1, 4) n;
    INSERT INTO t SELECT n, n % 4 + 1, n % 3, n FROM generate_series(1, 12) n;
    INSERT INTO plain VALUES (1), (1), (2);
    INSERT INTO part VALUES (1, 1), (2, 2)`)
  const queries = {
    sums: 'SELECT k, count(*) AS n, sum(v) AS s FROM t GROUP BY k',
    joined: 'SELECT t.id, u.name, t.v FROM t JOIN u ON u.id = t.u',
    unmatched: 'SELECT u.id, t.v FROM u LEFT JOIN t ON t.u = u.id AND t.k = 1',
    numbered: 'SELECT id, row_number() OVER (PARTITION BY k ORDER BY v, id) AS r FROM t',
    copies: 'SELECT v FROM plain',
    parts: 'SELECT id, v FROM part WHERE v > 0',
    above: 'SELECT count(*) AS groups, max(s) AS most FROM sums',
    doubled: 'SELECT twice(v) AS v FROM plain',
    twice: 'SELECT v FROM plain UNION ALL SELECT k FROM t',
  }
  for (const [name, query] of Object.entries(queries)) await lab.create(name, query)
  replicas.length = 0
  for (const name of ['sums', 'copies']) {
    await lab.exec(`SELECT pgtrickle.keep_changes('${name}')`)
    replicas.push(await new Replica(lab, name).begin())
  }
  await lab.exec('CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON sums EXECUTE FUNCTION note()')
}

/** Makes everything compiled void, so that it is compiled anew. */
const FORGET = (n: number) => `ALTER ROLE helper CONNECTION LIMIT ${n % 2 === 0 ? 10 : 11}`

const UNDO = `
DO $$ BEGIN
  FOR n IN 1..2 LOOP
    BEGIN
      UPDATE t SET v = v + 1 WHERE id = n;
      IF n = 2 THEN RAISE division_by_zero; END IF;
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
    UPDATE t SET k = (k + 1) % 3 WHERE id = 3;
  END LOOP;
END $$`

export const SCENARIOS: Scenario[] = [
  { name: 'a first change', before: FORGET, act: 'UPDATE t SET v = v + 1, k = (k + 1) % 3 WHERE id = 1' },
  { name: 'a change', act: 'UPDATE t SET v = v + 1, k = (k + 1) % 3 WHERE id = 2' },
  {
    name: 'a change of many rows',
    act: 'INSERT INTO plain SELECT n FROM generate_series(1, 400) n',
    after: 'DELETE FROM plain WHERE v > 2',
  },
  {
    name: 'statements in one statement',
    act: 'WITH p AS (INSERT INTO plain VALUES (2)) UPDATE t SET v = v + 1 WHERE id = 3',
  },
  {
    name: 'a cascade',
    before: (n) => `INSERT INTO u VALUES (100, 'x'); INSERT INTO t VALUES (100, 100, ${n % 3}, 1), (101, 100, 1, 1)`,
    act: 'DELETE FROM u WHERE id = 100',
    after: 'DELETE FROM u WHERE id = 100',
  },
  { name: 'TRUNCATE', act: 'TRUNCATE plain', after: 'INSERT INTO plain VALUES (1), (1)' },
  {
    name: 'a transaction',
    act: 'BEGIN; UPDATE t SET v = v - 1 WHERE id = 4; DELETE FROM plain WHERE v = 1; INSERT INTO plain VALUES (1); COMMIT',
  },
  {
    name: 'savepoints',
    act: 'BEGIN; UPDATE t SET v = 1 WHERE id = 5; SAVEPOINT a; UPDATE t SET v = 2 WHERE id = 5; ROLLBACK TO a; SAVEPOINT b; INSERT INTO plain VALUES (2); RELEASE b; UPDATE t SET k = 1 WHERE id = 6; COMMIT',
  },
  { name: 'blocks that catch every error', act: UNDO },
  {
    name: 'create',
    act: "SELECT pgtrickle.create_stream_table('made', 'SELECT u.name, count(*) AS n, max(t.v) AS m FROM t JOIN u ON u.id = t.u GROUP BY u.name')",
    after: 'DROP VIEW IF EXISTS made',
  },
  {
    name: 'create by the plugin',
    act: (lab) => lab.pg.trickle.createStreamTable('made', 'SELECT DISTINCT k FROM t'),
    after: 'DROP VIEW IF EXISTS made',
  },
  {
    name: 'alter',
    before: (n) => `SELECT pgtrickle.create_or_replace_stream_table('made', 'SELECT k, v + ${n} AS v FROM t')`,
    act: "SELECT pgtrickle.alter_stream_table('made', 'SELECT k, sum(v) AS v FROM t GROUP BY k')",
    after: 'DROP VIEW IF EXISTS made',
  },
  {
    name: 'drop',
    before: () => "SELECT pgtrickle.create_stream_table_if_not_exists('made', 'SELECT k, v FROM t')",
    act: "SELECT pgtrickle.drop_stream_table('made')",
    after: 'DROP VIEW IF EXISTS made',
  },
  {
    name: 'a feed',
    act: async (lab, n) => {
      await lab.exec(
        `SELECT pgtrickle.keep_changes('joined', retain => ${n % 3}); UPDATE u SET name = name || '.' WHERE id = 1`,
      )
      await lab.exec("SELECT pgtrickle.changes('copies', snapshot => true), pgtrickle.changes('sums', max => 10)")
    },
  },
  {
    name: 'refresh and verify',
    act: "SELECT pgtrickle.refresh_stream_table('sums'), pgtrickle.verify_stream_table('joined')",
  },
  {
    name: 'subscribe',
    act: async (lab) => (await lab.pg.trickle.subscribe('sums', () => undefined, { onError: () => undefined }))(),
  },
  {
    name: 'a column more',
    act: 'ALTER TABLE t ADD COLUMN more int; UPDATE t SET v = v + 1 WHERE id = 7',
    after: 'ALTER TABLE t DROP COLUMN IF EXISTS more',
  },
  {
    name: 'another function',
    act: (lab, n) =>
      lab.exec(
        `CREATE OR REPLACE FUNCTION twice(v int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN ${(n % 5) + 2} * v; END'`,
      ),
  },
  {
    name: 'a partition',
    act: 'CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (200)',
    after: 'DROP TABLE IF EXISTS part_2',
  },
  {
    name: 'a table is dropped',
    before: () => "CREATE TABLE gone (v int); SELECT pgtrickle.create_stream_table('over', 'SELECT v FROM gone')",
    act: 'DROP TABLE gone CASCADE',
    after: 'DROP TABLE IF EXISTS gone CASCADE',
  },
  {
    name: 'a renamed stream table',
    act: 'ALTER VIEW copies RENAME TO renamed; ALTER VIEW renamed RENAME TO copies',
    after: 'ALTER VIEW IF EXISTS renamed RENAME TO copies',
  },
  {
    name: 'an index',
    act: 'CREATE INDEX made_index ON joined (v)',
    after: 'DROP INDEX IF EXISTS pgtrickle.made_index',
  },
  { name: 'a role', act: (lab, n) => lab.exec(`${FORGET(n)}; UPDATE t SET v = v + 1 WHERE id = 8`) },
]

/** Runs what a fault comes to. Returns the error. */
export async function act(lab: Lab, scenario: Scenario, n: number): Promise<Failure | undefined> {
  try {
    if (typeof scenario.act === 'string') await lab.exec(scenario.act)
    else await scenario.act(lab, n)
    return undefined
  } catch (error) {
    return error as Failure
  }
}

/** All is exact, and goes on. */
export async function settle(lab: Lab, scenario: Scenario, n: number, what: string): Promise<void> {
  await lab.exec('ROLLBACK')
  await lab.check(what)
  if (scenario.after) await lab.exec(scenario.after)
  await lab.exec(`UPDATE t SET v = v + 1, k = ${n % 3} WHERE id = ${(n % 12) + 1}; UPDATE plain SET v = ${n % 2} WHERE v = 2;
    UPDATE u SET name = name || '.' WHERE id = ${(n % 4) + 1}; UPDATE u SET name = 'u' WHERE length(name) > 9;
    UPDATE part SET v = v + 1; DELETE FROM log`)
  await lab.check(`a change after ${what}`)
  for (const replica of replicas) {
    await replica.follow()
    await replica.check(what)
    expect(replica.snapshots, `${what}: its feed has lost nothing`).toBe(1)
  }
  lab.script.length = 0
}

/** Numbers of allocations or entries to try, of those up to `last`: all, or some of each part. */
export function places(last: number, random: () => number): number[] {
  const some = process.env.FAULTS === 'all' ? last : Number(process.env.FAULTS ?? 8)
  if (last <= some) return Array.from({ length: last }, (_, n) => n + 1)
  const step = last / some
  return Array.from({ length: some }, (_, n) => 1 + Math.floor((n + random()) * step))
}

export function mustSay(error: Failure | undefined, code: string, what: string): void {
  if (error === undefined) return
  expect(error.code, `${what}: ${error.message}`).toBe(code)
  expect(error.hint, `${what}: ${error.message}`).toBeTruthy()
}
