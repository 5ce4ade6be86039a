/** A server compiles to the bytes of the golden files, which PGlite and the planner without a database give too. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compare, createFixtures, FIXTURES } from '../support/golden.js'
import { openDatabase } from '../support/pglite.js'
import type { Database } from '../support/pglite.js'

let db: Database

beforeAll(async () => {
  db = await openDatabase()
  await createFixtures(db)
})

afterAll(() => db.close())

/** What the server says of the stream table of a fixture, with the names that its golden file has. */
async function document(fixture: string): Promise<string> {
  const { rows } = await db.query<{ json: string; id: string }>(
    "SELECT pgtrickle.command('explain_json', $1) AS json, id FROM pgtrickle.stream_table WHERE relid = $1::regclass",
    [`public.s_${fixture}`],
  )
  const { json = '', id = '' } = rows[0] ?? {}
  return json
    .replace(/^\{"name":.*?"asOf":(null|"[^"]*"),/, '{')
    .replaceAll(`pgtrickle.def_${id}`, `pgtrickle.${fixture}`)
    .replace(new RegExp(`\\bst_${id}(?![0-9])`, 'g'), 'st')
}

test('every fixture gives the bytes of the golden files', async () => {
  const { wrong, refused } = await compare(async ({ name, schema, query }) => {
    await db.exec(`SET search_path = ${schema}`)
    await db.trickle.createStreamTable(`public.s_${name}`, query, { withData: false })
    return document(name)
  })
  expect(wrong).toEqual([])
  expect(refused).toBeGreaterThan(3)
  expect(FIXTURES.length).toBeGreaterThan(300)
})
