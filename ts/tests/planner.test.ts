/** The planner without a database: the same bytes as in PostgreSQL, and as from the core in plain Rust. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { QUERIES } from '../../bench/tpch/queries.mjs'
import { plan, renderMermaid, renderPlan, TrickleError } from '../dist/planner.js'
import type { CatalogAnswer, Definition, Plan } from '../dist/planner.js'
import { compare, createFixtures, FIXTURES } from './support/golden.js'
import { openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'

let db: Database

beforeAll(async () => {
  db = await openDatabase()
  await createFixtures(db)
})

afterAll(() => db.close())

/** The members of a plan that a database tells, too, in its order. */
const document = ({
  way,
  reason,
  key,
  columns,
  stages,
  advice,
}: Pick<Plan, 'way' | 'reason' | 'key' | 'columns' | 'stages' | 'advice'>) =>
  JSON.stringify({ way, reason, key, columns, stages, advice })

/** The definition of a view, as that of a stream table whose storage is `st`. */
async function ofView(name: string): Promise<Definition> {
  const { rows } = await db.query<{ json: string }>("SELECT pgtrickle.command('export', $1, 'st', NULL) AS json", [
    `public.${name}`,
  ])
  const [tree, ...catalog] = JSON.parse(rows[0]?.json ?? '') as CatalogAnswer[]
  const parts = { name: null, schema: null, definition: `pgtrickle.${name}`, storage: 'st', fallback: null }
  return { ...parts, tree: tree?.[2][0]?.[0] ?? '', catalog }
}

test('every fixture gives the bytes of the golden files', async () => {
  const { wrong, refused } = await compare(async ({ name }) => document(await plan(await ofView(name))))
  expect(wrong).toEqual([])
  expect(refused).toBeGreaterThan(3)
  expect(FIXTURES.length).toBeGreaterThan(300)
})

test('a stream table has the plan that the database explains', async () => {
  for (const [n, { sql }] of QUERIES.entries()) {
    const name = `q${n + 1}`
    await db.trickle.createStreamTable(name, sql, { withData: false })
    const planned = await plan(await db.trickle.exportDefinition(name))
    // As the extension writes it: `explain_st_json` returns jsonb, which has an order of its own.
    const { rows } = await db.query<{ json: string }>("SELECT pgtrickle.command('explain_json', $1) AS json", [name])
    const text = document(planned).replace('{', `{"name":"${name}","schema":"tpch","asOf":null,`)
    expect(text).toBe(rows[0]?.json)
    expect([planned.name, planned.schema]).toEqual([name, 'tpch'])
  }
})

describe('definitions', () => {
  test('a query that is no stream table yet', async () => {
    const planned = await plan(
      await db.trickle.exportDefinition('SELECT o_custkey, count(*) AS n FROM orders GROUP BY 1'),
    )
    expect(planned.name).toBeNull()
    expect(planned.stages.map((stage) => stage.way)).toEqual(['fold'])
    expect(planned.storage[0]?.create[0]).toMatch(/^CREATE TABLE pgtrickle\.st_0 /)
    const { rows } = await db.query("SELECT FROM pg_class WHERE relname LIKE '\\_\\_pgt\\_export%'")
    expect(rows).toEqual([])
  })

  test('values become constants, and inside a transaction it works, too', async () => {
    const query = { sql: 'SELECT o_orderkey FROM orders WHERE o_custkey = $1', params: [7] }
    const outside = await db.trickle.exportDefinition(query)
    const inside = await db.transaction((tx) => tx.trickle.exportDefinition(query))
    expect((await plan(inside)).view).toBe((await plan(outside)).view)
  })

  test('it is plain JSON, and independent of the database', async () => {
    const definition = await db.trickle.exportDefinition('q3')
    const copy = JSON.parse(JSON.stringify(definition)) as Definition
    expect(await plan(copy)).toEqual(await plan(definition))
  })

  test('a query that cannot be one is refused with the same error', async () => {
    const query = 'SELECT o_orderkey, random() AS r FROM orders'
    const refused = await plan(await db.trickle.exportDefinition(query)).catch((error: unknown) => error)
    const created = await db.trickle.createStreamTable('never', query).catch((error: unknown) => error)
    const facts = (error: unknown) => {
      const { message, code, hint, fragment } = error as TrickleError
      return { message, code, hint, fragment }
    }
    expect(refused).toBeInstanceOf(TrickleError)
    expect(facts(refused)).toEqual(facts(created))
  })

  test('errors', async () => {
    await expect(db.trickle.exportDefinition('nowhere')).rejects.toMatchObject({ code: '42P01' })
    await expect(db.trickle.exportDefinition('SELECT * FROM nowhere')).rejects.toMatchObject({ code: '42P01' })
    const definition = await db.trickle.exportDefinition('q1')
    await expect(plan({ ...definition, catalog: [] })).rejects.toThrow('nothing is known of')
    await expect(plan({ ...definition, tree: 'nonsense' })).rejects.toBeInstanceOf(TrickleError)
  })
})

describe('pictures', () => {
  /** The numbers of what is drawn. */
  const count = (svg: string, what: string) => svg.split(what).length - 1

  test('a plan of the planner and one of the database', async () => {
    const explained = await db.trickle.explainStreamTable('q5')
    const planned = await plan(await db.trickle.exportDefinition('q5'))
    expect(renderPlan(planned)).toBe(renderPlan(explained))
    const svg = renderPlan(explained)
    const tables = ['customer', 'orders', 'lineitem', 'supplier', 'nation', 'region']
    for (const table of tables) expect(svg).toContain(`>tpch.${table}<`)
    expect(count(svg, 'class="edge ')).toBe(explained.stages.reduce((sum, { sources }) => sum + sources.length, 1))
    expect(svg).toMatch(/^<svg [^>]*role="img" aria-labelledby="(\w+)t \1d"/)
    expect(svg).toContain('<title id=')
    expect(svg).toMatch(/<desc id="\w+">[^<]*A change of tpch\.lineitem reaches [^<]* its cost is /)
    expect(renderPlan(explained, { title: 'a & b' })).toContain('>a &amp; b</title>')
  })

  test('themes', async () => {
    const explained = await db.trickle.explainStreamTable('q1')
    expect(renderPlan(explained)).toContain('prefers-color-scheme:dark')
    expect(renderPlan(explained, { theme: 'dark' })).not.toContain('prefers-color-scheme')
    expect(renderPlan(explained, { theme: 'dark' })).not.toBe(renderPlan(explained, { theme: 'light' }))
  })

  test('names cannot break out', async () => {
    await db.exec(`CREATE TABLE "<script>""&'" (a int PRIMARY KEY)`)
    await db.trickle.createStreamTable('odd', `SELECT a AS "]]>" FROM "<script>""&'"`)
    const explained = await db.trickle.explainStreamTable('odd')
    expect(renderPlan(explained)).not.toContain('<script')
    expect(renderMermaid(explained)).not.toContain('<script')
  })

  test('Mermaid', async () => {
    const text = renderMermaid(await db.trickle.explainStreamTable('q1'))
    expect(text).toMatch(/^flowchart LR\n {2}source1\[\("tpch\.lineitem<br>a change runs 1 stage"\)\]\n/)
    expect(text).toContain('source1 -->|')
    expect(text).toContain('class stage1,result fold')
  })
})
