/** What docs/ORMS.md says about the tools of Drizzle and Kysely, by running them. */
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import { Kysely, PGliteDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trickle } from '../dist/index.js'
import { readDocument } from './support/documents.js'
import { blocksIn } from './support/markdown.js'
import { emptyDataDir, MAJOR, openDatabase } from './support/pglite.js'

const BUILD = fileURLToPath(new URL('../../build', import.meta.url))
const run = promisify(execFile)

const DOC = readDocument('docs/ORMS.md')
/** The one migration in SQL that the page has. */
const STREAM_TABLE = blocksIn(DOC).find(({ language }) => language === 'sql')?.code ?? ''

const SCHEMA = `
import { bigint, integer, numeric, pgTable, pgView, text } from 'drizzle-orm/pg-core'
export const orders = pgTable('orders', { id: integer('id').primaryKey(), customer: text('customer'), amount: numeric('amount') })
export const orderTotals = pgView('order_totals', { customer: text('customer'), orders: bigint('orders', { mode: 'number' }) }).existing()
`
const CONFIG = `
import { defineConfig } from 'drizzle-kit'
export default defineConfig({
  dialect: 'postgresql', driver: 'pglite', schema: './schema.ts', out: './migrations', dbCredentials: { url: './database' } })
`

// It opens the PGlite that is installed under its own name, whatever the one under test.
describe.skipIf(MAJOR < 18)('drizzle-kit', () => {
  let folder: string
  beforeAll(() => {
    mkdirSync(BUILD, { recursive: true })
    folder = mkdtempSync(join(BUILD, 'drizzle-'))
    writeFileSync(join(folder, 'schema.ts'), SCHEMA)
    writeFileSync(join(folder, 'drizzle.config.ts'), CONFIG)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const kit = (...options: string[]) => run('npx', ['drizzle-kit', ...options], { cwd: folder })
  const migrations = () => readdirSync(join(folder, 'migrations')).filter((name) => name.endsWith('.sql'))

  test('generates migrations without the stream table, and the app runs one that makes it', async () => {
    await kit('generate', '--name', 'tables')
    const [tables = ''] = migrations()
    const text = readFileSync(join(folder, 'migrations', tables), 'utf8')
    expect(text).toContain('CREATE TABLE "orders"')
    expect(text).not.toContain('order_totals')

    await kit('generate', '--custom', '--name', 'order_totals')
    writeFileSync(join(folder, 'migrations', migrations()[1] ?? ''), STREAM_TABLE)
    const pg = await PGlite.create({ loadDataDir: await emptyDataDir(), extensions: { trickle } })
    const open = () => migrate(drizzle({ client: pg }), { migrationsFolder: join(folder, 'migrations') })
    await open()
    await open()
    await pg.exec("INSERT INTO orders VALUES (1, 'Ada', 2)")
    expect((await pg.query('SELECT * FROM order_totals')).rows).toEqual([{ customer: 'Ada', orders: 1, total: '2' }])
    await pg.close()
  })

  test('pulls a schema without the storage', async () => {
    const options = { dataDir: join(folder, 'database'), loadDataDir: await emptyDataDir(), extensions: { trickle } }
    const pg = await PGlite.create(options)
    await pg.exec(`CREATE TABLE orders (id int PRIMARY KEY, customer text, amount numeric); ${STREAM_TABLE}`)
    await pg.close()
    await kit('pull', '--out', './pulled', '--dialect', 'postgresql', '--driver', 'pglite', '--url', './database')
    const text = readFileSync(join(folder, 'pulled', 'schema.ts'), 'utf8')
    expect([...text.matchAll(/pg(?:Table|View|Schema)\("(\w+)"/g)].map(([, name]) => name).sort()).toEqual([
      'order_totals',
      'orders',
    ])
    expect(text).toMatch(/pgView\("order_totals"[^]*\.as\(/)
  })
})

test("Kysely's migrator makes stream tables, and drops them again", async () => {
  const pg = await openDatabase()
  const db = new Kysely<unknown>({ dialect: new PGliteDialect({ pglite: pg }) })
  const migrator = new Migrator({
    db,
    provider: {
      getMigrations: () =>
        Promise.resolve({
          '1': {
            up: (db) => sql`CREATE TABLE orders (id int PRIMARY KEY, customer text, amount numeric)`.execute(db).then(),
          },
          '2': {
            up: (db) => sql.raw(STREAM_TABLE).execute(db).then(),
            down: (db) => sql`SELECT pgtrickle.drop_stream_table('order_totals')`.execute(db).then(),
          },
        }),
    },
  })
  expect((await migrator.migrateToLatest()).error).toBeUndefined()
  await pg.exec("INSERT INTO orders VALUES (1, 'Ada', 2)")
  expect(await pg.trickle.verifyStreamTable('order_totals')).toEqual({ ok: true, missing: 0, extra: 0 })
  expect((await migrator.migrateDown()).error).toBeUndefined()
  expect(await pg.trickle.listStreamTables()).toEqual([])
  await pg.close()
})
