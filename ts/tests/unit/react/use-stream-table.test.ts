/** `useStreamTable` with a fake database. */
import { act } from 'react'
import { renderToString } from 'react-dom/server'
import { createElement } from 'react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TrickleError } from '../../../src/errors.js'
import { useStreamTable } from '../../../src/react/index.js'
import type { StreamTableState, UseStreamTableOptions } from '../../../src/react/index.js'
import { FakeDatabase, insert, remove, update } from '../../support/fake-database.js'
import { mount, mountHook, settle } from '../../support/react.js'

const dropped = new TrickleError('stream table t was dropped', { code: '42P01', streamTable: 't' })
const useTable = (input: UseStreamTableOptions) => useStreamTable('t', input)
const ids = (rows: readonly Record<string, unknown>[]) => rows.map(({ id }) => id)

let db: FakeDatabase

beforeEach(() => {
  db = new FakeDatabase()
  db.initial = [insert({ id: 1, n: 'one' }), insert({ id: 2, n: 'two' })]
})
afterEach(() => vi.useRealTimers())

describe('useStreamTable', () => {
  test('is loading, then has the rows, then follows the changes', async () => {
    const { results, container } = await mountHook(useTable, { db })
    expect(results[0]).toMatchObject({ rows: [], loading: true, error: undefined })
    await settle()
    const last = () => results.at(-1)
    expect(last()).toMatchObject({ loading: false, error: undefined })
    expect(last()?.rows).toEqual([
      { id: 1, n: 'one' },
      { id: 2, n: 'two' },
    ])
    await act(async () => db.commit(insert({ id: 3 }), update({ id: 1, n: 'uno' }), remove({ id: 2 })))
    expect(last()?.rows).toEqual([{ id: 1, n: 'uno' }, { id: 3 }])
    container.remove()
  })

  test('an unchanged row stays the same object, and so does an unchanged result', async () => {
    const hooked = await mountHook(useTable, { db })
    await settle()
    const before = hooked.last
    await act(async () => db.commit(update({ id: 1, n: 'uno' })))
    expect(hooked.last.rows[1]).toBe(before.rows[1])
    expect(hooked.last.rows[0]).not.toBe(before.rows[0])
    expect(before.rows[0]).toEqual({ id: 1, n: 'one' })
    const after = hooked.last
    await hooked.rerender({ db })
    expect(hooked.last).toBe(after)
    // A row that is sent again with the same values has not changed.
    await settle()
    const rendered = hooked.results.length
    await act(async () => db.commit(update({ id: 1, n: 'uno' })))
    await settle()
    expect(hooked.results).toHaveLength(rendered)
  })

  test('shares one subscription, also under StrictMode', async () => {
    await mountHook(useTable, { db })
    await mountHook(useTable, { db })
    await mountHook(useTable, { db, where: { id: 2 } })
    await settle()
    expect([db.subscribed, db.open.size]).toEqual([1, 1])
  })

  test('limit and offset show a window, and changes outside of it render nothing', async () => {
    db.initial = Array.from({ length: 100 }, (_, n) => insert({ id: n, n: 1000 - n }))
    const input: UseStreamTableOptions = { db, orderBy: 'n', offset: 10, limit: 3 }
    const hooked = await mountHook(useTable, input)
    await settle()
    expect(ids(hooked.last.rows)).toEqual([89, 88, 87])
    expect(hooked.last.count).toBe(100)
    const before = hooked.last
    await act(async () => db.commit(update({ id: 5, n: 994 })))
    await settle()
    expect(hooked.last).toBe(before)
    // A row before the window moves all others; a change inside of it leaves the others the same objects.
    await act(async () => db.commit(remove({ id: 99 }), update({ id: 87, n: 913, more: true })))
    await settle()
    expect(ids(hooked.last.rows)).toEqual([88, 87, 86])
    expect(hooked.last.rows[0]).toBe(before.rows[1])
    expect(hooked.last.count).toBe(99)
    // The list is scrolled: one subscription, and the rows are there at once.
    await hooked.rerender({ ...input, offset: 96 })
    expect(ids(hooked.last.rows)).toEqual([2, 1, 0])
    await hooked.rerender({ ...input, offset: 98, limit: 50 })
    expect(ids(hooked.last.rows)).toEqual([0])
    await hooked.rerender({ ...input, offset: 500 })
    expect(hooked.last).toMatchObject({ rows: [], count: 99, loading: false })
    await hooked.rerender({ ...input, limit: 0 })
    expect(hooked.last).toMatchObject({ rows: [], count: 99 })
    expect([db.subscribed, db.open.size]).toEqual([1, 1])
  })

  test('limit and offset count the rows that the filter lets through', async () => {
    db.initial = Array.from({ length: 20 }, (_, n) => insert({ id: n }))
    const filter = ({ id }: Record<string, unknown>) => Number(id) % 2 === 1
    const hooked = await mountHook(useTable, { db, orderBy: 'id', filter, offset: 2, limit: 2 })
    await settle()
    expect(ids(hooked.last.rows)).toEqual([5, 7])
    expect(hooked.last.count).toBe(10)
    await act(async () => db.commit(insert({ id: 101 }), insert({ id: 102 }), insert({ id: 103 })))
    await settle()
    expect(hooked.last.count).toBe(12)
  })

  test('a window that is no whole number is refused', () => {
    expect(() => useStreamTable('t', { db, limit: -1 })).toThrow(
      'the option limit of useStreamTable must be a whole number, 0 or more, not -1',
    )
  })

  test('keeps the subscription for a moment: a component that mounts again has the current rows at once', async () => {
    const first = await mountHook(useTable, { db })
    await settle()
    const [one] = first.last.rows
    await first.unmount()
    await act(async () => db.commit(insert({ id: 3 })))
    const second = await mountHook(useTable, { db })
    expect(second.results[0]).toMatchObject({ loading: false })
    expect(ids(second.results[0]?.rows ?? [])).toEqual([1, 2, 3])
    expect(second.results[0]?.rows[0]).toBe(one)
    expect(db.subscribed).toBe(1)
  })

  test('ends the subscription after that moment, and starts another for the next component', async () => {
    const first = await mountHook(useTable, { db })
    await settle()
    vi.useFakeTimers()
    await first.unmount()
    vi.advanceTimersByTime(4900)
    expect(db.open.size).toBe(1)
    vi.advanceTimersByTime(200)
    expect(db.open.size).toBe(0)
    vi.useRealTimers()
    const second = await mountHook(useTable, { db })
    expect(second.results[0]).toMatchObject({ rows: [], loading: true })
    await settle()
    expect(second.last.rows).toHaveLength(2)
    expect([db.subscribed, db.open.size]).toEqual([2, 1])
  })

  test('a component that unmounts before the first rows leaves nothing behind', async () => {
    let open = () => {}
    db.gate = new Promise((done) => (open = done))
    const first = await mountHook(useTable, { db })
    vi.useFakeTimers()
    await first.unmount()
    vi.advanceTimersByTime(6000)
    vi.useRealTimers()
    open()
    await settle()
    expect(db.open.size).toBe(0)
    expect(first.last.loading).toBe(true)
  })

  test('returns the error when there are no rows, and retry() subscribes again', async () => {
    const rows = db.initial
    db.initial = dropped
    const hooked = await mountHook(useTable, { db })
    await settle()
    expect(hooked.last).toMatchObject({ rows: [], loading: false, error: dropped })
    db.initial = rows
    await act(async () => hooked.last.retry())
    await settle()
    expect(hooked.last).toMatchObject({ loading: false, error: undefined })
    expect(hooked.last.rows).toHaveLength(2)
  })

  test('keeps the last rows when the stream table is dropped, and reuses equal row objects after a retry', async () => {
    const hooked = await mountHook(useTable, { db })
    await settle()
    const before = hooked.last.rows
    await act(async () => db.fail(dropped))
    expect(hooked.last).toMatchObject({ loading: false, error: dropped })
    expect(hooked.last.rows).toBe(before)
    db.initial = [insert({ id: 2, n: 'two' }), insert({ id: 1, n: 'uno' }), insert({ id: 4 })]
    await act(async () => hooked.last.retry())
    await settle()
    expect(new Set(ids(hooked.last.rows))).toEqual(new Set([1, 2, 4]))
    expect(hooked.last.rows).toContain(before[1])
    expect(hooked.last.rows).not.toContain(before[0])
  })

  test('a component that mounts after an error subscribes again', async () => {
    const rows = db.initial
    db.initial = dropped
    const first = await mountHook(useTable, { db })
    await settle()
    db.initial = rows
    const second = await mountHook(useTable, { db })
    await settle()
    for (const { last } of [first, second]) {
      expect(last).toMatchObject({ loading: false, error: undefined })
      expect(last.rows).toHaveLength(2)
    }
  })

  test('another database has its own subscription', async () => {
    const other = new FakeDatabase()
    other.initial = [insert({ id: 9 })]
    const hooked = await mountHook(useTable, { db })
    await settle()
    await hooked.rerender({ db: other })
    await settle()
    expect(ids(hooked.last.rows)).toEqual([9])
  })

  test('an empty stream table is not loading', async () => {
    db.initial = []
    const hooked = await mountHook(useTable, { db })
    await settle()
    expect(hooked.last).toMatchObject({ rows: [], loading: false })
  })

  test('10,000 changed rows take one rendering', async () => {
    const hooked = await mountHook(useTable, { db }, { strict: false })
    await settle()
    const rendered = hooked.results.length
    await act(async () => db.commit(...Array.from({ length: 10_000 }, (_, i) => insert({ id: i + 10 }))))
    expect(hooked.last.rows).toHaveLength(10_002)
    expect(hooked.results).toHaveLength(rendered + 1)
  })

  test('a stream of changes is rendered once per frame, and always the first and the last of them', async () => {
    const hooked = await mountHook(useTable, { db }, { strict: false })
    await settle()
    const rendered = hooked.results.length
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1000)
    await act(async () => {
      for (let i = 0; i < 1000; i++) db.commit(update({ id: 1, n: String(i) }))
    })
    expect(hooked.last.rows[0]).toEqual({ id: 1, n: '0' })
    await act(async () => vi.advanceTimersByTime(16))
    expect(hooked.last.rows[0]).toEqual({ id: 1, n: '999' })
    expect(hooked.results.length - rendered).toBe(2)
    now.mockRestore()
  })

  test('has no rows on a server', () => {
    const Component = () => JSON.stringify(useStreamTable('t', { db }))
    expect(renderToString(createElement(Component))).toContain('loading')
    expect(db.subscribed).toBe(0)
  })

  test('a database without the plugin is refused, and the error says what to do', async () => {
    const plain = { query: db.query } as unknown as FakeDatabase
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {})
    await expect(mount(createElement(() => void useStreamTable('t', { db: plain })))).rejects.toThrow(
      'open it with PGlite.create({ extensions: { trickle } })',
    )
    errors.mockRestore()
  })
})

describe('selections', () => {
  const people = [
    insert({ id: 1, city: 'Rome', age: 30 }),
    insert({ id: 2, city: 'Oslo', age: 20 }),
    insert({ id: 3, city: 'Rome', age: null }),
  ]

  test('where: rows appear when they start to match and disappear when they stop; other changes do not render', async () => {
    db.initial = people
    const hooked = await mountHook(useTable, { db, where: { city: 'Rome' } }, { strict: false })
    await settle()
    expect(ids(hooked.last.rows)).toEqual([1, 3])
    await act(async () => db.commit(update({ id: 2, city: 'Rome', age: 20 }), update({ id: 1, city: 'Bonn', age: 1 })))
    expect(ids(hooked.last.rows)).toEqual([3, 2])
    await settle()
    const rendered = hooked.results.length
    await act(async () => db.commit(update({ id: 1, city: 'Cork', age: 1 }), insert({ id: 8, city: 'Cork' })))
    await settle()
    expect(hooked.results).toHaveLength(rendered)
  })

  test('where: values that only look alike are different', async () => {
    const dates = [new Date(0), new Date(0).toISOString(), new Date(NaN)]
    const values = [null, NaN, Infinity, -Infinity, 0, -0, '0', 0n, 'null', undefined, ...dates, {}, { bigint: '0' }]
    db.initial = values.map((x, id) => insert({ id, x }))
    const all = []
    for (const x of values) all.push(await mountHook(useTable, { db, where: { x } }))
    await settle()
    expect(all.map(({ last }) => ids(last.rows))).toEqual(values.map((_, id) => [id]))
  })

  test('filter: an inline function does not render endlessly', async () => {
    db.initial = people
    const hooked = await mountHook<StreamTableState, number>(
      (n) => useStreamTable('t', { db, filter: ({ age }) => (age as number) > n }),
      10,
    )
    await settle()
    expect(ids(hooked.last.rows)).toEqual([1, 2])
    await hooked.rerender(25)
    expect(ids(hooked.last.rows)).toEqual([1])
  })

  test('orderBy: NULLs come last, or first when descending; changed rows move', async () => {
    db.initial = people
    const up = await mountHook(useTable, { db, orderBy: 'age' })
    const down = await mountHook(useTable, { db, orderBy: [['age', 'desc'], 'id'] })
    await settle()
    expect(ids(up.last.rows)).toEqual([2, 1, 3])
    expect(ids(down.last.rows)).toEqual([3, 1, 2])
    await act(async () => db.commit(update({ id: 2, age: 40 }), insert({ id: 4, age: 35 })))
    expect(ids(up.last.rows)).toEqual([1, 4, 2, 3])
    expect(ids(down.last.rows)).toEqual([3, 2, 4, 1])
  })

  test('the ORDER BY of the stream table applies when it sorts by columns', async () => {
    db.ordering = {
      definition: ' SELECT id,\n    "Total"\n   FROM pgtrickle.st_1 r0_1\n  ORDER BY "Total" DESC NULLS LAST, id;',
      kinds: { id: 'number', Total: 'number' },
    }
    db.initial = [insert({ id: 1, Total: '10.50' }), insert({ id: 2, Total: '9.00' }), insert({ id: 3, Total: null })]
    const hooked = await mountHook(useTable, { db })
    await settle()
    await act(async () => db.commit(insert({ id: 4, Total: '100' }), insert({ id: 5, Total: '9' })))
    expect(ids(hooked.last.rows)).toEqual([4, 1, 2, 5, 3])
  })

  test('the stream table gets a query with another order', async () => {
    const ordered = (by: string) => ({ definition: `SELECT\n  ORDER BY ${by};`, kinds: { id: 'number', n: 'number' } })
    db.ordering = ordered('id')
    db.initial = [insert({ id: 2, n: 1 }), insert({ id: 1, n: 2 })]
    const hooked = await mountHook(useTable, { db })
    await settle()
    expect(ids(hooked.last.rows)).toEqual([1, 2])
    db.ordering = ordered('n')
    db.fields = []
    await act(async () => db.commit(update({ id: 2, n: 0 })))
    await settle()
    expect(ids(hooked.last.rows)).toEqual([2, 1])
  })

  test('key: a changed row keeps its place, and an unchanged row its object, without a key of the stream table', async () => {
    db.initial = [insert({ id: 1, n: 5 }, { h: 'a' }), insert({ id: 2, n: 6 }, { h: 'b' })]
    const keyed = await mountHook(useTable, { db, key: 'id' })
    const plain = await mountHook(useTable, { db })
    await settle()
    const [one, two] = keyed.last.rows
    await act(async () => db.commit(remove({ id: 1, n: 5 }, { h: 'a' }), insert({ id: 1, n: 7 }, { h: 'c' })))
    expect(ids(keyed.last.rows)).toEqual([1, 2])
    expect(ids(plain.last.rows)).toEqual([2, 1])
    expect(keyed.last.rows[1]).toBe(two)
    expect(one).toEqual({ id: 1, n: 5 })
  })

  test('key: an empty list counts as no key', async () => {
    db.initial = [insert({ id: 1, n: 'one' }, { h: 'a' }), insert({ id: 2, n: 'two' }, { h: 'b' })]
    const hooked = await mountHook(useTable, { db, key: [] })
    await settle()
    await act(async () => db.commit(remove({ id: 1, n: 'one' }, { h: 'a' }), insert({ id: 3, n: 'three' }, { h: 'c' })))
    expect(ids(hooked.last.rows)).toEqual([2, 3])
  })

  test('duplicate rows without a key are all there', async () => {
    db.initial = [insert({ n: 1 }, { copy: 1 }), insert({ n: 1 }, { copy: 2 })]
    const hooked = await mountHook(useTable, { db })
    await settle()
    expect(hooked.last.rows).toEqual([{ n: 1 }, { n: 1 }])
    await act(async () => db.commit(remove({ n: 1 }, { copy: 2 })))
    expect(hooked.last.rows).toEqual([{ n: 1 }])
  })
})
