/** `exportStreamTables`: stream tables as DDL for other engines. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { QUERIES } from '../../bench/tpch/queries.mjs'
import { SCHEMA } from '../../bench/tpch/schema.mjs'
import { TrickleError } from '../dist/index.js'
import type { ExportTarget } from '../dist/index.js'
import { isOnPath, pythonWith } from './drivers/run.mjs'
import { openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'

let db: Database

beforeAll(async () => {
  db = await openDatabase()
  await db.exec(`
    CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, amount numeric(10, 2), note varchar(20), tags text[]);
    CREATE VIEW big AS SELECT id, customer, amount FROM orders WHERE amount > 10;
    CREATE TABLE "unread by any" (a int);
    CREATE SCHEMA app;
    CREATE TABLE app.customers (id int PRIMARY KEY, name text NOT NULL);
  `)
  // By name, this one comes before what it reads.
  await db.trickle.createStreamTable('a_totals', 'SELECT customer, sum(amount) AS total FROM big GROUP BY customer')
  await db.trickle.createStreamTable(
    'app.named',
    'SELECT name, total FROM app.customers c JOIN a_totals t ON t.customer = c.id',
  )
  await db.trickle.createStreamTable(
    '"A top"',
    'SELECT name FROM app.named ORDER BY total DESC FETCH FIRST 2 ROWS WITH TIES',
  )
  await db.trickle.createStreamTable('later', 'SELECT count(*) AS n FROM orders', { withData: false })
})

afterAll(() => db.close())

const exported = (to: ExportTarget) => db.trickle.exportStreamTables({ to })

test('each stream table comes after what it reads', async () => {
  const { streamTables } = await exported('pg_trickle')
  const names = streamTables.map(({ schema, name }) => `${schema}.${name}`)
  expect(names.indexOf('public.a_totals')).toBeLessThan(names.indexOf('app.named'))
  expect(names.indexOf('app.named')).toBeLessThan(names.indexOf('public.A top'))
  expect(names).toHaveLength(4)
  expect(streamTables.find(({ name }) => name === 'named')).toMatchObject({
    sources: ['app.customers', 'public.a_totals'],
    problems: [],
  })
})

test('for pg_trickle, calls that make the same stream tables again', async () => {
  const { sql } = await exported('pg_trickle')
  expect(sql).not.toContain('CREATE TABLE')
  expect(sql).toContain(`name => '"public"."later"'`)
  expect(sql).toContain('initialize => false')
  const before = await db.trickle.listStreamTables()
  for (const name of ['a_totals', 'later']) await db.trickle.dropStreamTable(name, { cascade: true })
  await db.exec(sql)
  const facts = (tables: typeof before) =>
    tables.map(({ name, schema, query, key, columns, status }) => ({ name, schema, query, key, columns, status }))
  expect(facts(await db.trickle.listStreamTables())).toEqual(facts(before))
})

test('for engines, tables and views come first', async () => {
  const { sql } = await exported('risingwave')
  const places = [
    'CREATE TABLE "public"."orders"',
    'CREATE VIEW "public"."big"',
    'CREATE MATERIALIZED VIEW "public"."a_totals"',
  ].map((text) => sql.indexOf(text))
  expect(places[0]).toBeGreaterThanOrEqual(0)
  expect(places).toEqual([...places].sort((one, other) => one - other))
  expect(sql).toContain('"customer" integer NOT NULL')
  expect(sql).toContain('PRIMARY KEY ("id")')
  expect(sql).toContain('"amount" numeric,')
  expect(sql).not.toContain('unread by any')
})

test('what the target cannot do is named', async () => {
  const problems = async (to: ExportTarget) =>
    Object.fromEntries((await exported(to)).streamTables.map((table) => [table.name, table.problems]))
  expect((await problems('materialize'))['A top']).toEqual(['FETCH FIRST .. WITH TIES'])
  expect((await problems('feldera')).named).toEqual(['Feldera has one schema, not those of app.named, app.customers'])
  expect((await problems('risingwave')).a_totals).toEqual([])
  const { sql } = await exported('materialize')
  expect(sql).toContain('-- A top: FETCH FIRST .. WITH TIES\nCREATE MATERIALIZED VIEW "public"."A top" AS')
})

// Feldera's dialect has no parser on PyPI or npm.
test.skipIf(!isOnPath('python3'))('a parser of the dialect reads the queries of TPC-H', async () => {
  await db.exec(`CREATE SCHEMA tpch; SET search_path = tpch; ${SCHEMA}`)
  for (const [n, { sql }] of QUERIES.entries())
    await db.trickle.createStreamTable(`q${n + 1}`, sql, { withData: false })
  await db.exec('RESET search_path')
  const python = pythonWith('../dialects/requirements.txt')
  const script = fileURLToPath(new URL('./dialects/parse.py', import.meta.url))
  for (const to of ['materialize', 'risingwave'] as const) {
    const { sql, streamTables } = await exported(to)
    expect(streamTables.filter(({ schema }) => schema === 'tpch')).toHaveLength(22)
    const kinds = execFileSync(python, [script, to], { input: sql, encoding: 'utf8' }).trim().split('\n')
    expect(kinds.filter((kind) => kind === 'Create VIEW')).toHaveLength(streamTables.length + 1)
    expect(new Set(kinds)).toEqual(new Set(['Create TABLE', 'Create VIEW']))
  }
})

test('a target that there is not', async () => {
  const wrong = db.trickle.exportStreamTables({ to: 'oracle' as ExportTarget })
  await expect(wrong).rejects.toThrow('there is no target "oracle"')
  await expect(wrong).rejects.toBeInstanceOf(TrickleError)
})
