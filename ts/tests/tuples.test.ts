/**
 * A one-row change reads the same number of tuples whatever the size of the tables. Counted for each operator over 500
 * and over 4,000 rows, with the queries of the benchmarks: in the first half over groups that stay as small when the
 * tables grow, where the ways must be those in docs/OPERATORS.md; in the second half over ten groups that grow with them.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FEWEST, OPERATORS, tables } from '../../bench/lib/operators.mjs'
import { RELATIVES } from '../../bench/lib/skew-relatives.mjs'
import { CHANGES, QUERIES, tables as skewed } from '../../bench/lib/skew.mjs'
import { grown, measure } from '../../bench/lib/tuples.mjs'
import { MAJOR, openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { tableIn } from './support/markdown.js'

const DOCUMENTED = tableIn(readFileSync(new URL('../../docs/OPERATORS.md', import.meta.url), 'utf8'), 'Measured')
/** Removes the schema from operators. */
const plain = (sql: string) => sql.replace(/OPERATOR\(pg_catalog\.(.)\)/g, '$1')
const SOURCES = /^(t|u|v|edge) /

// The statements are the same for both PostgreSQL versions, so one of them is enough.
describe.skipIf(MAJOR !== 18)('tuples read by a one-row change', () => {
  let small: Database
  let large: Database

  beforeAll(async () => {
    small = await openDatabase()
    large = await openDatabase()
    await small.exec(tables(FEWEST))
    await large.exec(tables(8 * FEWEST))
  })
  afterAll(async () => {
    await small?.close()
    await large?.close()
  })

  async function compared(query: string) {
    // PGlite works in microtasks, and vitest needs a turn of the event loop once a minute.
    await new Promise(setImmediate)
    const { reads: few } = await measure(small, query, true)
    const { ways, advice, reads } = await measure(large, query, true)
    const scans = Object.entries(reads).flatMap(([change, { scans }]) => scans.map((scan) => `${scan}: ${change}`))
    return {
      ways: [...new Set(ways)].join(', '),
      advice,
      measured: Object.keys(reads).length,
      growing: grown(few, reads).map((change) => `${change}: ${few[change]?.tuples} -> ${reads[change]?.tuples}`),
      scans: scans.filter((scan) => SOURCES.test(scan)),
    }
  }

  test.each(OPERATORS)('do not grow: %i %s', async (number, name, query) => {
    const { measured, ways, ...found } = await compared(query)
    // No index is missing, nothing grows, and no source is scanned completely.
    expect(found).toEqual({ advice: [], growing: [], scans: [] })
    expect(measured).toBeGreaterThan(2)
    expect(
      DOCUMENTED.find(([no, documented]) => no === String(number) && documented === name)?.[2],
      'the way in OPERATORS.md',
    ).toBe(ways)
  })

  test('grow if the query runs again', async () => {
    const { ways, growing } = await compared("SELECT id FROM v JOIN t USING (k) WHERE now() > '2000-01-01'")
    expect(ways).toBe('fold, rebuild')
    expect(growing.map((change) => change.split(':')[0])).toEqual(
      expect.arrayContaining(['insert t', 'update t.k', 'delete t', 'insert v', 'delete v']),
    )
  })

  test('grow only with the rows of v, the smallest table', async () => {
    const { growing } = await compared('SELECT k, rank() OVER (ORDER BY w) FROM v')
    expect(growing).not.toEqual([])
  })

  test.each([
    ['SELECT u.id, t.id AS other FROM u JOIN t ON t.x = u.p', 'CREATE INDEX ON public.u (p)'],
    ['SELECT id, cume_dist() OVER (PARTITION BY id / 5 ORDER BY x) FROM t', 'CREATE INDEX ON public.t (((id / 5)))'],
    ['SELECT id FROM t ORDER BY f DESC LIMIT 3', 'CREATE INDEX ON public.t (f DESC NULLS FIRST)'],
  ])('grow without an index, until the advised one exists: %s', async (query, index) => {
    const both = (sql: string) => Promise.all([small.exec(sql), large.exec(sql)])
    await both('DROP INDEX IF EXISTS t_expr_idx, advised')
    const without = await compared(query)
    expect(without.growing).not.toEqual([])
    expect(without.scans.join('\n')).toMatch(/^[tu] \d{4}: /m)
    expect(without.advice.map((line) => plain(line.split(': ')[0] ?? ''))).toEqual([index])
    await both(index.replace('INDEX', 'INDEX advised'))
    expect(await compared(query)).toMatchObject({ growing: [], advice: [] })
  })
})

/** Of the queries whose result changes little, those for which a change still reads more when its group is larger. */
const GROWING = new Set(['string_agg', 'jsonb_agg', 'ntile'])

/** Further queries of the benchmark for which no change reads more. */
const FLAT = RELATIVES.filter(({ name }) => ['first_value', 'RANGE'].includes(name))

describe.skipIf(MAJOR !== 18)('tuples read by a one-row change of a group that grows with its table', () => {
  let small: Database
  let large: Database

  beforeAll(async () => {
    small = await openDatabase()
    large = await openDatabase()
    await small.exec(`${skewed('public', FEWEST)}; ANALYZE`)
    await large.exec(`${skewed('public', 8 * FEWEST)}; ANALYZE`)
  })
  afterAll(async () => {
    await small?.close()
    await large?.close()
  })

  test.each([...QUERIES.filter(({ all }) => !all), ...FLAT])('$name', async ({ name, query, table = 'o', kinds }) => {
    await new Promise(setImmediate)
    const read = async (pg: Database, rows: number) => {
      const all = Object.entries(CHANGES[table]?.(0, rows) ?? {}).filter(([kind]) => !kinds || kinds.includes(kind))
      const { reads } = await measure(
        pg,
        query,
        true,
        all.map(([kind, sql]) => [`${kind} ${table}`, sql]),
      )
      return reads
    }
    const few = await read(small, FEWEST)
    const many = await read(large, 8 * FEWEST)
    const growing = grown(few, many).map((change) => `${change}: ${few[change]?.tuples} -> ${many[change]?.tuples}`)
    if (GROWING.has(name)) expect(growing).not.toEqual([])
    else expect(growing).toEqual([])
    expect(Object.keys(many).length).toBeGreaterThan(kinds ? 0 : 1)
  })
})
