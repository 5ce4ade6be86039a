/** `useStreamTable` inside the ecosystem's `PGliteProvider`, and without it. */
import type { PGliteWithLive } from '@electric-sql/pglite/live'
import { makePGliteProvider, PGliteProvider } from '@electric-sql/pglite-react'
import { Component, createElement } from 'react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useStreamTable } from '../../../src/react/index.js'
import { FakeDatabase, insert } from '../../support/fake-database.js'
import { hook, mount, settle } from '../../support/react.js'

let db: FakeDatabase
let errors: ReturnType<typeof vi.spyOn>

beforeEach(() => {
  db = new FakeDatabase()
  db.initial = [insert({ id: 1 })]
  errors = vi.spyOn(console, 'error')
})
afterEach(() => {
  // React complains here about hooks that change from one rendering to the next.
  expect(errors).not.toHaveBeenCalled()
  vi.restoreAllMocks()
})

const inside = (node: ReactNode) =>
  createElement(PGliteProvider, { db: db as unknown as PGliteWithLive, children: node })

test('takes the database of the provider', async () => {
  const hooked = await hook((name: string) => useStreamTable(name), 't', { wrap: inside })
  await settle()
  expect(hooked.last.rows).toEqual([{ id: 1 }])
  await hooked.unmount()
  const again = await hook((name: string) => useStreamTable(name), 't', { wrap: inside })
  expect(again.results[0]?.rows).toEqual([{ id: 1 }])
})

test('the option goes before the provider', async () => {
  const other = new FakeDatabase()
  other.initial = [insert({ id: 2 })]
  const hooked = await hook((name: string) => useStreamTable(name, { db: other }), 't', { wrap: inside })
  await settle()
  expect(hooked.last.rows).toEqual([{ id: 2 }])
  expect(db.subscribed).toBe(0)
})

test('a database that is not open yet is waited for', async () => {
  const hooked = await hook<ReturnType<typeof useStreamTable>, FakeDatabase | undefined>(
    (given) => useStreamTable('t', { db: given }),
    db,
    { wrap: inside },
  )
  await hooked.rerender(undefined)
  await settle()
  expect(hooked.last.rows).toEqual([{ id: 1 }])
})

test('a provider of your own making gives its database by the option', async () => {
  const mine = makePGliteProvider<PGliteWithLive>()
  const wrap = (children: ReactNode) =>
    createElement(mine.PGliteProvider, { db: db as unknown as PGliteWithLive, children })
  const follow = (name: string) => useStreamTable(name, { db: mine.usePGlite() as unknown as FakeDatabase })
  const hooked = await hook(follow, 't', { wrap })
  await settle()
  expect(hooked.last.rows).toEqual([{ id: 1 }])
})

/** Shows what went wrong below it. */
class Boundary extends Component<{ children: ReactNode }, { message?: string }> {
  override state: { message?: string } = {}
  static getDerivedStateFromError(error: Error) {
    return { message: error.message }
  }
  override render() {
    return this.state.message ?? this.props.children
  }
}

test('outside of any provider it says what to do', async () => {
  errors.mockImplementation(() => {})
  const Bare = () => void useStreamTable('t')
  const { container } = await mount(createElement(Boundary, null, createElement(Bare)))
  await settle()
  expect(container.textContent).toContain('use PGliteProvider to provide one')
  errors.mockClear()
})

test('without the package of the provider too', async () => {
  errors.mockImplementation(() => {})
  vi.resetModules()
  vi.doMock('@electric-sql/pglite-react', () => {
    throw new Error('Cannot find package')
  })
  const react = await import('../../../src/react/index.js')
  const given = await hook((name: string) => react.useStreamTable(name, { db }), 't')
  await settle()
  expect(given.last.rows).toEqual([{ id: 1 }])
  const Bare = () => void react.useStreamTable('t')
  const { container } = await mount(createElement(Boundary, null, createElement(Bare)))
  await settle()
  expect(container.textContent).toContain('pass it one as its option db')
  vi.doUnmock('@electric-sql/pglite-react')
  errors.mockClear()
})
