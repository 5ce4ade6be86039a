/** `useStreamTable` and collections of TanStack DB equal the query of a real stream table after every change. */
import { PGliteProvider, useLiveQuery } from '@electric-sql/pglite-react'
import type { PGliteWithLive } from '@electric-sql/pglite/live'
import { createCollection } from '@tanstack/db'
import { act, createElement } from 'react'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { useStreamTable } from '../dist/react.js'
import type { StreamTableState, UseStreamTableOptions } from '../dist/react.js'
import { streamTableCollectionOptions } from '../dist/tanstack.js'
import { openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { mountHook, settleAfter } from './support/react.js'

let pg: Database

beforeAll(async () => {
  pg = await openDatabase()
})
afterAll(() => pg?.close())

beforeEach(() =>
  pg.exec(`
    DROP TABLE IF EXISTS product, sale CASCADE;
    CREATE TABLE product (id int PRIMARY KEY, name text NOT NULL, listed timestamptz DEFAULT '2026-01-01');
    CREATE TABLE sale (id int PRIMARY KEY, product_id int, price numeric(8,2), at timestamptz DEFAULT '2026-01-01');
    INSERT INTO product VALUES (1, 'Tea'), (2, 'Cup'), (3, 'Pot');
    INSERT INTO sale VALUES (1, 1, 4.00), (2, 1, 3.50), (3, 2, 9.00), (4, 3, 20.00), (5, 3, NULL);`),
)

/** Stream tables with and without an order that the hook can keep. */
const QUERIES: Record<string, string> = {
  revenue: `SELECT p.name, sum(s.price) AS total, max(s.at) AS last FROM sale s JOIN product p ON p.id = s.product_id
    GROUP BY p.name HAVING count(*) > 0 ORDER BY total DESC NULLS LAST, p.name`,
  dearest: 'SELECT price, id FROM sale ORDER BY price DESC, id LIMIT 3',
  places: 'SELECT id, rank() OVER (PARTITION BY product_id ORDER BY price) AS place FROM sale ORDER BY id DESC',
  names: 'SELECT name FROM product ORDER BY name',
  unsold: 'SELECT p.name FROM product p LEFT JOIN sale s ON s.product_id = p.id WHERE s.id IS NULL ORDER BY p.name',
}

const CHANGES = [
  "INSERT INTO product VALUES (4, 'Jug'), (5, 'jar'), (6, 'Ümlaut')",
  'INSERT INTO sale VALUES (6, 4, 100.00), (7, 4, 20.00), (8, 9, 1)',
  'UPDATE sale SET price = price * 10 WHERE id IN (2, 5)',
  'UPDATE sale SET product_id = 2 WHERE product_id = 3',
  "UPDATE product SET name = 'Tea pot' WHERE id = 1",
  'DELETE FROM sale WHERE price > 50',
  'INSERT INTO sale SELECT i, i % 7, i % 13 FROM generate_series(20, 400) i',
  'UPDATE sale SET price = -price',
  'DELETE FROM product WHERE id = 2',
  'TRUNCATE sale',
  'INSERT INTO sale VALUES (1, 1, 0.10), (2, 1, 9.90), (3, 1, 10.00)',
]

test('the hook has the rows of the query, in its order, after every change', async () => {
  const hooks: Record<string, { last: StreamTableState }> = {}
  for (const [name, query] of Object.entries(QUERIES)) {
    await pg.trickle.createStreamTable(name, query)
    hooks[name] = await mountHook((input: UseStreamTableOptions) => useStreamTable(name, input), { db: pg })
  }
  for (const sql of ['SELECT 1', ...CHANGES]) {
    await act(() => pg.query(sql))
    await settleAfter(pg)
    for (const [name, query] of Object.entries(QUERIES)) {
      const { rows, loading, error } = hooks[name]?.last ?? {}
      expect({ rows, loading, error }, `${name} after ${sql}`).toEqual({
        rows: (await pg.query(query)).rows,
        loading: false,
        error: undefined,
      })
    }
  }
})

test('a transaction takes one rendering, and a rolled-back one takes none', async () => {
  await pg.trickle.createStreamTable('names', QUERIES.names ?? '')
  const hooked = await mountHook(
    (input: UseStreamTableOptions) => useStreamTable('names', input),
    { db: pg },
    { strict: false },
  )
  await settleAfter(pg)
  const drawn = hooked.results.length
  await act(() =>
    pg.transaction(async (tx) => {
      await tx.query("INSERT INTO product VALUES (7, 'Urn')")
      await tx.query("UPDATE product SET name = 'Jug' WHERE id = 7")
      await tx.query('DELETE FROM product WHERE id = 1')
    }),
  )
  await settleAfter(pg)
  expect(hooked.last.rows.map(({ name }) => name)).toEqual(['Cup', 'Jug', 'Pot'])
  expect(hooked.results).toHaveLength(drawn + 1)
  await act(() =>
    pg.transaction(async (tx) => {
      await tx.query('DELETE FROM product')
      await tx.rollback()
    }),
  )
  await settleAfter(pg)
  expect(hooked.results).toHaveLength(drawn + 1)
})

test('a dropped stream table is an error with its last rows, until it exists again and retry() is called', async () => {
  await pg.trickle.createStreamTable('names', QUERIES.names ?? '')
  const hooked = await mountHook((input: UseStreamTableOptions) => useStreamTable('names', input), { db: pg })
  await settleAfter(pg)
  const { rows } = hooked.last
  expect(rows).toHaveLength(3)
  await act(() => pg.trickle.dropStreamTable('names'))
  await settleAfter(pg)
  expect(hooked.last).toMatchObject({ loading: false, error: { code: '42P01', streamTable: 'names' } })
  expect(hooked.last.rows).toBe(rows)
  await pg.trickle.createStreamTable('names', 'SELECT name FROM product WHERE id > 1 ORDER BY name DESC')
  await act(async () => hooked.last.retry())
  await settleAfter(pg)
  expect(hooked.last.error).toBeUndefined()
  expect(hooked.last.rows).toEqual([{ name: 'Pot' }, { name: 'Cup' }])
})

test('a missing stream table is an error', async () => {
  const hooked = await mountHook((input: UseStreamTableOptions) => useStreamTable('nothing', input), { db: pg })
  await settleAfter(pg)
  expect(hooked.last).toMatchObject({ rows: [], loading: false, error: { code: '42P01' } })
})

test('useLiveQuery of @electric-sql/pglite-react accepts live, and its rows follow the changes', async () => {
  await pg.trickle.createStreamTable('prices', 'SELECT id, price FROM sale')
  const live = await pg.trickle.live<{ id: number; price: string }>('prices', { compare: (a, b) => a.id - b.id })
  const db = pg as unknown as PGliteWithLive
  const hooked = await mountHook(() => useLiveQuery(live), undefined, {
    wrap: (children) => createElement(PGliteProvider, { db, children }),
  })
  for (const sql of ['SELECT 1', ...CHANGES]) {
    await act(() => pg.query(sql))
    await settleAfter(pg)
    const { rows, fields } = await pg.query('SELECT id, price FROM prices ORDER BY id')
    expect(hooked.last, sql).toMatchObject({ rows, fields })
  }
  const drawn = hooked.results.length
  await hooked.unmount()
  await pg.query('DELETE FROM sale')
  await settleAfter(pg)
  expect(hooked.results).toHaveLength(drawn)
})

test('a collection of TanStack DB has the rows of the query after every change', async () => {
  const { revenue = '', places = '' } = QUERIES
  await pg.trickle.createStreamTable('revenue', revenue)
  await pg.trickle.createStreamTable('places', places)
  const collections = [
    {
      query: revenue,
      collection: createCollection(streamTableCollectionOptions({ db: pg, name: 'revenue', key: 'name' })),
    },
    {
      query: places,
      collection: createCollection(streamTableCollectionOptions({ db: pg, name: 'places', key: 'id' })),
    },
  ]
  for (const { collection } of collections) await collection.preload()
  const text = (rows: Record<string, unknown>[]) =>
    rows.map((row) => JSON.stringify(Object.entries(row).filter(([column]) => !column.startsWith('$')))).sort()
  for (const sql of CHANGES) {
    await pg.query(sql)
    await new Promise((done) => setTimeout(done))
    for (const { query, collection } of collections) {
      expect(text(collection.toArray), sql).toEqual(text((await pg.query<Record<string, unknown>>(query)).rows))
    }
  }
})

test('a collection shows a written row until its stream table does, without a gap', async () => {
  await pg.trickle.createStreamTable('list', 'SELECT id, name FROM product')
  type Product = { id: number; name: string }
  const products = createCollection({
    ...streamTableCollectionOptions<Product, number>({ db: pg, name: 'list', key: 'id' }),
    onInsert: async ({ transaction }) => {
      for (const { modified } of transaction.mutations) {
        await pg.query('INSERT INTO product VALUES ($1, upper($2))', [modified.id, modified.name])
      }
    },
  })
  await products.preload()
  const seen: [type: string, name: unknown][] = []
  products.subscribeChanges((changes) => {
    for (const { type, value } of changes) seen.push([type, value?.name])
  })
  const { isPersisted } = products.insert({ id: 8, name: 'Bowl' })
  expect(products.get(8)?.name).toBe('Bowl')
  await isPersisted.promise
  expect(products.get(8)?.name).toBe('BOWL')
  expect(seen.filter(([type]) => type === 'delete')).toEqual([])
})
