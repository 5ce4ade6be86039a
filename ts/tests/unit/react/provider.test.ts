/** `useStreamTable` with and without the `PGliteProvider` of `@electric-sql/pglite-react`. */
import type { PGliteWithLive } from '@electric-sql/pglite/live'
import { makePGliteProvider, PGliteProvider } from '@electric-sql/pglite-react'
import { Component, createElement } from 'react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useStreamTable } from '../../../src/react/index.js'
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

const inside = (node: ReactNode) =>
  createElement(PGliteProvider, { db: db as unknown as PGliteWithLive, children: node })

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

test("an app's own provider passes its database through the option", async () => {
  const mine = makePGliteProvider<PGliteWithLive>()
  const wrap = (children: ReactNode) =>
    createElement(mine.PGliteProvider, { db: db as unknown as PGliteWithLive, children })
  const follow = (name: string) => useStreamTable(name, { db: mine.usePGlite() as unknown as FakeDatabase })
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
  expect(container.textContent).toContain('use PGliteProvider to provide one')
  errors.mockClear()
})

test("also without the provider's package", async () => {
  errors.mockImplementation(() => {})
  vi.resetModules()
  vi.doMock('@electric-sql/pglite-react', () => {
    throw new Error('Cannot find package')
  })
  const react = await import('../../../src/react/index.js')
  const given = await mountHook((name: string) => react.useStreamTable(name, { db }), 't')
  await settle()
  expect(given.last.rows).toEqual([{ id: 1 }])
  const Bare = () => void react.useStreamTable('t')
  const { container } = await mount(createElement(Boundary, null, createElement(Bare)))
  await settle()
  expect(container.textContent).toContain('pass one in its option db')
  vi.doUnmock('@electric-sql/pglite-react')
  errors.mockClear()
})
