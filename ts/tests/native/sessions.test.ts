/**
 * Several sessions of a server. Each scenario under each isolation level ends right, or with an error that says what to do, and
 * under READ COMMITTED there is none. docs/NATIVE.md has the table.
 */
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MAJOR } from '../support/pglite.js'
import { Server } from '../support/server.mjs'
import { SCENARIOS } from './scenarios.js'
import type { Scenario } from './scenarios.js'

const LEVELS = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const
type Level = (typeof LEVELS)[number]
/** What a transaction may end with where it does not see what others have done: to be retried, or not possible under its level. */
const REFUSALS = new Set(['40001', '25001', '40P01'])

let server: Server
let observer: Client
const rows: string[][] = []

beforeAll(async () => {
  server = await Server.start(MAJOR as 17 | 18, ['deadlock_timeout=200ms'])
  observer = await connect()
  await observer.query('CREATE EXTENSION pg_trickle')
})

afterAll(async () => {
  if (process.env.TABLE) console.log(rows.map((row) => `| ${row.join(' | ')} |`).join('\n'))
  await observer.end()
  await server.stop()
})

async function connect(): Promise<Client> {
  const client = await server.connect()
  await client.query("SET search_path = test, public; SET statement_timeout = '20s'")
  return client
}

/** A statement, and the error code that it ended with. */
async function attempt(client: Client, sql: string): Promise<string | undefined> {
  try {
    await client.query(sql)
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

async function all(client: Client, statements: string[]): Promise<string | undefined> {
  for (const sql of statements) {
    const failed = await attempt(client, sql)
    if (failed) return failed
  }
  return undefined
}

/** The stream tables that differ from their queries. */
async function wrong(): Promise<string[]> {
  const tables = await observer.query<{ name: string; query: string }>(
    'SELECT name, query FROM pgtrickle.stream_tables',
  )
  const found: string[] = []
  for (const { name, query } of tables.rows) {
    const { rows: different } = await observer.query(`SELECT r FROM (SELECT q::text AS r, 1 AS w FROM (${query}) q
      UNION ALL SELECT q::text, -1 FROM ${name} q) d GROUP BY r HAVING sum(w) <> 0`)
    if (different.length) found.push(name)
  }
  return found
}

interface Outcome {
  errors: string[]
  wrong: string[]
}

/** Runs both sessions, with the second one's snapshot taken before the first one does anything. */
async function run(scenario: Scenario, level: Level): Promise<Outcome> {
  await observer.query('DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test')
  for (const sql of scenario.setup) await observer.query(sql)
  for (const [name, query] of Object.entries(scenario.views))
    await observer.query('SELECT pgtrickle.create_stream_table($1, $2)', [name, query])
  const [first, second] = [await connect(), await connect()]
  try {
    for (const client of [second, first]) {
      await client.query(`BEGIN ISOLATION LEVEL ${level}`)
      await client.query('SELECT 1 FROM pg_class LIMIT 1')
    }
    // Both have used what there was before.
    const errors = [await all(first, scenario.first)]
    const waiting = all(second, scenario.second)
    await Promise.race([waiting, new Promise((done) => setTimeout(done, 150))])
    errors.push(errors[0] ? (await attempt(first, 'ROLLBACK'), undefined) : await attempt(first, 'COMMIT'))
    const failed = await waiting
    errors.push(failed, await attempt(second, failed ? 'ROLLBACK' : 'COMMIT'))
    return { errors: errors.filter((code) => code !== undefined), wrong: await wrong() }
  } finally {
    await first.end()
    await second.end()
  }
}

describe.each(LEVELS)('%s', (level) => {
  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', async (name, scenario) => {
    const { errors, wrong: different } = await run(scenario, level)
    rows.push([name, level, errors.join(', ') || 'right'])
    expect(different, `wrong after ${errors.join(', ') || 'no error'}`).toEqual([])
    for (const code of errors) expect(REFUSALS, `ended with ${code}`).toContain(code)
    if (level === 'READ COMMITTED' && !/in two orders/.test(name)) expect(errors).toEqual([])
    if (scenario.makes !== true && level !== 'READ COMMITTED')
      expect(errors.length, 'one session went on').toBeLessThanOrEqual(1)
  })
})

test('without the locks, many of them end wrong: they are what makes the difference', async () => {
  await observer.query(`CREATE FUNCTION public.no_lock() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER no_lock BEFORE INSERT ON pgtrickle.lock FOR EACH ROW EXECUTE FUNCTION public.no_lock()`)
  const found: string[] = []
  for (const scenario of SCENARIOS.filter(({ makes }) => !makes)) {
    if ((await run(scenario, 'READ COMMITTED')).wrong.length) found.push(scenario.name)
  }
  await observer.query('DROP FUNCTION public.no_lock CASCADE')
  if (process.env.TABLE) console.log(`wrong without locks: ${found.join('; ')}`)
  expect(found.length).toBeGreaterThan(5)
}, 120_000)

test('a deadlock is reported as one, with the stream table', async () => {
  await observer.query(`DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test; SET search_path = test;
    CREATE TABLE a (x int); CREATE TABLE b (x int);
    SELECT pgtrickle.create_stream_table('of_a', 'SELECT count(*) FROM a');
    SELECT pgtrickle.create_stream_table('of_b', 'SELECT count(*) FROM b')`)
  const [first, second] = [await connect(), await connect()]
  for (const client of [first, second]) await client.query('BEGIN')
  await first.query('INSERT INTO a VALUES (1)')
  await second.query('INSERT INTO b VALUES (1)')
  const results = await Promise.allSettled([
    first.query('INSERT INTO b VALUES (2)'),
    second.query('INSERT INTO a VALUES (2)'),
  ])
  const failed = results
    .filter((result) => result.status === 'rejected')
    .map(({ reason }) => reason as Record<string, string>)
  expect(failed).toHaveLength(1)
  expect(failed[0]).toMatchObject({ code: '40P01', message: 'deadlock detected' })
  expect(failed[0]?.hint).toContain('Retry the transaction')
  expect(failed[0]?.where).toContain('Stream table: test.of_')
  for (const client of [first, second]) {
    await client.query('COMMIT')
    await client.end()
  }
  expect(await wrong()).toEqual([])
})

test('a prepared transaction is maintained before it is prepared, and keeps its locks', async () => {
  await observer.query(`DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test; SET search_path = test;
    CREATE TABLE a (k int); SELECT pgtrickle.create_stream_table('s', 'SELECT k, count(*) FROM a GROUP BY k')`)
  const [first, second] = [await connect(), await connect()]
  await first.query("BEGIN; INSERT INTO a VALUES (1); PREPARE TRANSACTION 'one'")
  const waiting = second.query('INSERT INTO a VALUES (1)')
  await first.query('SELECT 1')
  await first.query("COMMIT PREPARED 'one'")
  await waiting
  await first.query('INSERT INTO a VALUES (1)')
  for (const client of [first, second]) await client.end()
  expect(await wrong()).toEqual([])
})

test('a session that was there before another one made, altered and dropped stream tables follows', async () => {
  await observer.query(
    'DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test; SET search_path = test; CREATE TABLE a (k int)',
  )
  const writer = await connect()
  const write = async () => {
    await writer.query('INSERT INTO a VALUES (1), (2)')
    expect(await wrong()).toEqual([])
  }
  await write()
  await observer.query("SELECT pgtrickle.create_stream_table('s', 'SELECT k, count(*) AS n FROM a GROUP BY k')")
  await write()
  await observer.query("SELECT pgtrickle.alter_stream_table('s', 'SELECT count(*) AS n FROM a')")
  await write()
  await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
  await observer.query("SELECT pgtrickle.alter_stream_table('s', 'SELECT k FROM a WHERE k > 1')")
  expect(await attempt(writer, "SELECT * FROM pgtrickle.explain_st('s')")).toBe('40001')
  await writer.query('ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
  await observer.query("SELECT pgtrickle.alter_stream_table('s', 'SELECT k FROM a WHERE k > 0')")
  expect(await attempt(writer, 'INSERT INTO a VALUES (2)')).toBe('40001')
  await writer.query('ROLLBACK')
  await write()
  await observer.query("SELECT pgtrickle.drop_stream_table('s')")
  await write()
  await writer.end()
})

test('a number cannot become a function', async () => {
  const { rows: answers } = await observer.query('SELECT 1')
  expect(answers).toHaveLength(1)
  await expect(observer.query("SELECT pgtrickle.command('listen', '12345', 'x')")).rejects.toMatchObject({
    code: '55000',
    hint: expect.stringContaining('pg_notify') as string,
  })
})

describe.each(['READ COMMITTED', 'REPEATABLE READ'] as const)('four writers under %s', (level) => {
  test(
    'change everything at once',
    async () => {
      await observer.query(`DROP SCHEMA IF EXISTS test CASCADE; CREATE SCHEMA test; SET search_path = test;
      CREATE TABLE a (id serial PRIMARY KEY, k int, x int); CREATE TABLE b (id serial PRIMARY KEY, k int, y int);
      INSERT INTO a (k, x) SELECT i % 5, i FROM generate_series(1, 20) i;
      INSERT INTO b (k, y) SELECT i % 5, i FROM generate_series(1, 20) i`)
      const queries = [
        'SELECT a.id AS a, b.id AS b, x, y FROM a JOIN b USING (k)',
        'SELECT k, count(*), sum(x), max(x) FROM a GROUP BY k',
        'SELECT a.id, b.y FROM a LEFT JOIN b ON a.x = b.y',
        'SELECT id, rank() OVER (PARTITION BY k ORDER BY x, id) FROM a',
        'SELECT id FROM b WHERE NOT EXISTS (SELECT FROM a WHERE a.k = b.k AND a.x > b.y)',
        'SELECT DISTINCT x % 7 AS x FROM a',
      ]
      for (const [i, query] of queries.entries())
        await observer.query('SELECT pgtrickle.create_stream_table($1, $2)', [`s${i}`, query])
      const seed = Number(process.env.SEED ?? 1)
      const seconds = 60 * Number(process.env.MINUTES ?? 0.2)
      let until = 0
      const count = { committed: 0, 40001: 0, '40P01': 0 } as Record<string, number>
      const work = async (writer: number) => {
        const client = await connect()
        // Four of them wait for each other.
        await client.query("SET statement_timeout = '100s'")
        let state = seed * 4 + writer + 1
        const random = (n: number) => {
          state = (state * 48271) % 2147483647
          return state % n
        }
        // Each session compiles the stream tables first.
        await client.query('INSERT INTO a (k, x) VALUES (0, 0); INSERT INTO b (k, y) VALUES (0, 0)')
        until ||= Date.now() + seconds * 1000
        while (Date.now() < until || count.committed! < 40) {
          await client.query(`BEGIN ISOLATION LEVEL ${level}`)
          const statements = Array.from({ length: random(3) + 1 }, () => {
            const [table, value] = random(2) ? ['a', 'x'] : ['b', 'y']
            return [
              `INSERT INTO ${table} (k, ${value}) SELECT ${random(5)}, ${random(30)} FROM generate_series(1, ${random(3) + 1})`,
              `UPDATE ${table} SET k = ${random(5)}, ${value} = ${value} + 1 WHERE id % 7 = ${random(7)}`,
              `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} ORDER BY ${value}, id LIMIT ${random(3)})`,
            ][random(3)]!
          })
          const failed = await all(client, statements)
          const code = failed ?? (await attempt(client, 'COMMIT')) ?? 'committed'
          if (failed) await client.query('ROLLBACK')
          count[code] = (count[code] ?? 0) + 1
        }
        await client.end()
      }
      await Promise.all([0, 1, 2, 3].map(work))
      console.log(`four writers under ${level}:`, JSON.stringify(count))
      expect(await wrong()).toEqual([])
      expect(Object.keys(count).sort()).toEqual(['40001', '40P01', 'committed'])
      expect(count.committed).toBeGreaterThan(20)
      if (level === 'READ COMMITTED') expect(count[40001]).toBe(0)
    },
    120_000 + Number(process.env.MINUTES ?? 0.2) * 60_000,
  )
})
