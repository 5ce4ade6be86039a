/** Queries with values: they become constants of the definition, and none of them can become anything else. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { StreamTableQuery } from '../dist/index.js'
import { openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'

let pg: Database
beforeAll(async () => {
  pg = await openDatabase()
  await pg.exec(`
    CREATE TABLE t (id int PRIMARY KEY, name text, amount numeric, at timestamptz, tags text[], bytes bytea, doc jsonb, ok bool);
    INSERT INTO t VALUES (1, 'a', 1.5, '2026-01-01Z', '{a,b}', '\\x00ff', '{"a": 1}', true), (2, 'b', 9, NULL, NULL, NULL, NULL, false)`)
})
afterAll(() => pg.close())
beforeEach(() => pg.trickle.dropStreamTable('st', { ifExists: true }))

async function rowsOf(query: StreamTableQuery, params?: unknown[]): Promise<object[]> {
  await pg.trickle.createStreamTable('st', query, { ...(params && { params }) })
  expect(await pg.trickle.verifyStreamTable('st')).toMatchObject({ ok: true })
  return (await pg.query<object>('SELECT * FROM st')).rows
}

describe('values', () => {
  it('may stand beside the query, in the options, or in what a query builder makes', async () => {
    const sql = 'SELECT id FROM t WHERE amount > $1 AND name = $2'
    for (const given of [
      { sql, params: [1, 'a'] },
      { sql, parameters: [1, 'a'] },
    ]) {
      expect(await rowsOf(given)).toEqual([{ id: 1 }])
      await pg.trickle.dropStreamTable('st')
    }
    expect(await rowsOf(sql, [1, 'a'])).toEqual([{ id: 1 }])
    await pg.trickle.alterStreamTable('st', sql, { params: [5, 'b'] })
    expect((await pg.query('SELECT * FROM st')).rows).toEqual([{ id: 2 }])
    expect(await pg.trickle.listStreamTables()).toMatchObject([{ query: expect.stringContaining("'5'") as string }])
  })

  it.each<[string, string, unknown]>([
    ['a number', 'amount = $1', 1.5],
    ['a bigint', 'id = $1', 1n],
    ['a boolean', 'ok = $1', true],
    ['a date', 'at = $1', new Date('2026-01-01')],
    ['an array', 'name = ANY ($1)', ['a', null, 'x"y\\z']],
    ['an array of arrays', "$1 = '{{1,2},{3,4}}'::int[] AND id = 1", [[1, 2], [3, 4]]], // prettier-ignore
    ['bytes', 'bytes = $1', new Uint8Array([0, 255])],
    ['an object', 'doc = $1', { a: 1 }],
    ['a text', 'name = $1', 'a'],
    ['NULL', '$1::text IS NULL AND id = 1', null],
    ['undefined', '$1::text IS NULL AND id = 1', undefined],
  ])('%s', async (_, condition, value) => {
    expect(await rowsOf(`SELECT id FROM t WHERE ${condition}`, [value])).toEqual([{ id: 1 }])
  })

  it('has the same value as with PGlite, whatever is in it', async () => {
    const texts = ["O'Brien", "'; DROP TABLE t; --", '\\', "\\'", '$1 $2', '$$', '', 'ä🙂\n"', "''"]
    for (const text of texts) {
      expect(await rowsOf('SELECT id, $1 AS x FROM t WHERE id = 1', [text]), text).toEqual([{ id: 1, x: text }])
      await pg.trickle.dropStreamTable('st')
    }
    await pg.exec('SET standard_conforming_strings = off; SET escape_string_warning = off')
    try {
      expect(await rowsOf('SELECT id, $1 AS x FROM t WHERE id = 1', ["\\'"])).toEqual([{ id: 1, x: "\\'" }])
    } finally {
      await pg.exec('RESET standard_conforming_strings; RESET escape_string_warning')
    }
  })

  it('replaces parameters, and nothing that only looks like one', async () => {
    const sql = `SELECT id, '$1''$1' AS a, E'\\'$1' AS b, "$1", $$ $1 $$ AS d, $x$ $$ $1 $x$ AS e, $1 AS f, $2||$1 AS g
      -- $1
      /* $1 /* ' */ $1 */ FROM (SELECT id, 7 AS "$1" FROM t) AS q$1 WHERE id = 1`
    expect(await rowsOf(sql, ['v', 'w'])).toEqual([
      { id: 1, a: "$1'$1", b: "'$1", $1: 7, d: ' $1 ', e: ' $$ $1 ', f: 'v', g: 'wv' },
    ])
  })
})

it.each<[string, StreamTableQuery, unknown[] | undefined, string]>([
  ['a value is missing', 'SELECT $2, $1', [1], 'the query has the parameter $2, for which there is no value'],
  ['there is $0', 'SELECT $0', [1], 'the query has the parameter $0, for which there is no value'],
  ['a value is not used', 'SELECT $1', [1, 2], 'the query does not use the value of $2'],
  ['values come twice', { sql: 'SELECT $1', params: [1] }, [1], 'the values are given twice'],
  ['a value has a zero character', 'SELECT $1', ['a\0'], 'a value of the query has a zero character'],
  ['there is no query', null as unknown as string, undefined, 'the query is neither a text nor an object with sql'],
  ['a builder was not asked', { toSQL: 1 } as never, undefined, 'the query is neither a text nor an object with sql'],
  ['a comment does not end', 'SELECT $1 /* $2', [1, 2], 'the query does not use the value of $2'],
])('refused: %s', async (_, query, params, message) => {
  const creation = pg.trickle.createStreamTable('st', query, { ...(params && { params }) })
  await expect(creation).rejects.toMatchObject({ code: '22023', message: expect.stringContaining(message) as string })
})
