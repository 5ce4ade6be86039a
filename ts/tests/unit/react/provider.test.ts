/** `useStreamTable` with and without a provider: its own, or that of `@electric-sql/pglite-react`. */
import type { PGliteWithLive } from '@electric-sql/pglite/live'
import { PGliteProvider, usePGlite } from '@electric-sql/pglite-react'
import { Component, createElement } from 'react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StreamTableProvider, useStreamTable } from '../../../src/react/index.js'
import { FakeDatabase, insert } from '../../support/fake-database.js'
import { mount, mountHook, settle } from '../../support/react.js'

let db: FakeDatabase
let errors: ReturnType<typeof vi.spyOn>

beforeEach(() => {
  db = new FakeDatabase()
  db.initial = [insert({ id: 1 })]
  errors = vi.spyOn(console, 'error')
})
afterEach(() => {
  // React reports an error here when the hooks change between renderings.
  expect(errors).not.toHaveBeenCalled()
  vi.restoreAllMocks()
})

const inside = (node: ReactNode) => createElement(StreamTableProvider, { db }, node)

test('uses the database of the provider', async () => {
  const hooked = await mountHook((name: string) => useStreamTable(name), 't', { wrap: inside })
  await settle()
  expect(hooked.last.rows).toEqual([{ id: 1 }])
  await hooked.unmount()
  const again = await mountHook((name: string) => useStreamTable(name), 't', { wrap: inside })
  expect(again.results[0]?.rows).toEqual([{ id: 1 }])
})

test('the option takes precedence over the provider', async () => {
  const other = new FakeDatabase()
  other.initial = [insert({ id: 2 })]
  const hooked = await mountHook((name: string) => useStreamTable(name, { db: other }), 't', { wrap: inside })
  await settle()
  expect(hooked.last.rows).toEqual([{ id: 2 }])
  expect(db.subscribed).toBe(0)
})

test('waits for a database that is not open yet', async () => {
  const hooked = await mountHook<ReturnType<typeof useStreamTable>, FakeDatabase | undefined>(
    (given) => useStreamTable('t', { db: given }),
    db,
    { wrap: inside },
  )
  await hooked.rerender(undefined)
  await settle()
  expect(hooked.last.rows).toEqual([{ id: 1 }])
})

test('is loading while the provider has no database yet, and where the option says that there is none yet', async () => {
  const wrap = (node: ReactNode) => createElement(StreamTableProvider, { db: undefined }, node)
  const waiting = await mountHook((name: string) => useStreamTable(name), 't', { wrap })
  const bare = await mountHook((name: string) => useStreamTable(name, { db: undefined }), 't')
  await settle()
  for (const { last } of [waiting, bare]) expect(last).toMatchObject({ rows: [], loading: true, error: undefined })
})

test('takes the database of @electric-sql/pglite-react from its hook', async () => {
  const wrap = (children: ReactNode) => createElement(PGliteProvider, { db: db as unknown as PGliteWithLive, children })
  const follow = (name: string) => useStreamTable(name, { db: usePGlite() as unknown as FakeDatabase })
  const hooked = await mountHook(follow, 't', { wrap })
  await settle()
  expect(hooked.last.rows).toEqual([{ id: 1 }])
})

/** Shows the error of the components below it. */
class Boundary extends Component<{ children: ReactNode }, { message?: string }> {
  override state: { message?: string } = {}
  static getDerivedStateFromError(error: Error) {
    return { message: error.message }
  }
  override render() {
    return this.state.message ?? this.props.children
  }
}

test('outside a provider, the error says what to do', async () => {
  errors.mockImplementation(() => {})
  const Bare = () => void useStreamTable('t')
  const { container } = await mount(createElement(Boundary, null, createElement(Bare)))
  await settle()
  expect(container.textContent).toContain('pass one in its option db, or render inside a StreamTableProvider')
  errors.mockClear()
})
