/** The adapters for Vue, Svelte and Solid with a fake database. They run in the real frameworks in `tests/browser`. */
import { createRoot, createSignal } from 'solid-js'
import { get } from 'svelte/store'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { effectScope, nextTick, reactive, shallowRef } from 'vue'
import { TrickleError } from '../../src/errors.js'
import { useStreamTable as useSolid } from '../../src/solid/index.js'
import { useStreamTable as useSvelte } from '../../src/svelte/index.js'
import { useStreamTable as useVue } from '../../src/vue/index.js'
import { FakeDatabase, insert, remove } from '../support/fake-database.js'
import { eventually } from '../support/eventually.js'

// In Node, Solid's package leads to the build for servers, in which nothing changes.
vi.mock('solid-js', () => vi.importActual('solid-js/dist/solid.js'))

type Row = { id: number }
interface Options {
  db: FakeDatabase | undefined
  filter?: (row: Row) => boolean
}

/** A mounted adapter. `set` changes name or options, where the framework can. */
interface Used {
  ids(): unknown[]
  loading(): boolean
  error(): TrickleError | undefined
  retry(): void
  set?: (name: string, options: Options) => void | Promise<void>
  end(): void
}

const idsOf = (rows: readonly Row[]) => rows.map(({ id }) => id)

const ADAPTERS: Record<string, (name: string, options: Options) => Used> = {
  vue(firstName, firstOptions) {
    const name = shallowRef(firstName)
    const options = shallowRef(firstOptions)
    const scope = effectScope()
    const used = scope.run(() => useVue<Row>(name, options))
    if (used === undefined) throw new Error('the scope is over')
    return {
      ids: () => idsOf(used.rows.value),
      loading: () => used.loading.value,
      error: () => used.error.value,
      retry: used.retry,
      async set(nextName, nextOptions) {
        name.value = nextName
        options.value = nextOptions
        await nextTick()
      },
      end: () => scope.stop(),
    }
  },
  svelte(name, options) {
    const store = useSvelte<Row>(name, options)
    let state = get(store)
    const end = store.subscribe((next) => (state = next))
    return {
      ids: () => idsOf(state.rows),
      loading: () => state.loading,
      error: () => state.error,
      retry: () => state.retry(),
      end,
    }
  },
  solid(firstName, firstOptions) {
    return createRoot((dispose) => {
      const [given, setGiven] = createSignal({ name: firstName, options: firstOptions })
      const used = useSolid<Row>(
        () => given().name,
        () => given().options,
      )
      return {
        ids: () => idsOf(used.rows),
        loading: () => used.loading,
        error: () => used.error,
        retry: () => used.retry(),
        set: (name, options) => void setGiven({ name, options }),
        end: dispose,
      }
    })
  },
}

let db: FakeDatabase
beforeEach(() => {
  db = new FakeDatabase()
  db.initial = [insert({ id: 1 }), insert({ id: 2 })]
})

describe.each(Object.entries(ADAPTERS))('%s', (_, use) => {
  test('is loading, then has the rows, then follows the changes, until its end', async () => {
    const used = use('t', { db })
    expect(used.loading()).toBe(true)
    expect(used.ids()).toEqual([])
    await eventually(() => expect(used.ids()).toEqual([1, 2]))
    expect(used.loading()).toBe(false)
    db.commit(insert({ id: 3 }), remove({ id: 1 }))
    await eventually(() => expect(used.ids()).toEqual([2, 3]))
    used.end()
    db.commit(insert({ id: 4 }))
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(used.ids()).toEqual([2, 3])
  })

  test('has an error, and tries again', async () => {
    const dropped = new TrickleError('stream table t was dropped', { code: '42P01', streamTable: 't' })
    const used = use('t', { db })
    await eventually(() => expect(used.ids()).toEqual([1, 2]))
    db.fail(dropped)
    await eventually(() => expect(used.error()).toBe(dropped))
    expect(used.ids()).toEqual([1, 2])
    used.retry()
    await eventually(() => expect(used.error()).toBeUndefined())
    used.end()
  })

  test('filters, and waits for a database', async () => {
    const filtered = use('t', { db, filter: ({ id }) => id > 1 })
    await eventually(() => expect(filtered.ids()).toEqual([2]))
    filtered.end()
    const waiting = use('t', { db: undefined })
    expect(waiting.loading()).toBe(true)
    waiting.retry()
    await waiting.set?.('t', { db })
    if (waiting.set) await eventually(() => expect(waiting.ids()).toEqual([1, 2]))
    waiting.end()
  })

  test('follows another stream table', async () => {
    const used = use('t', { db })
    await eventually(() => expect(used.ids()).toEqual([1, 2]))
    db.initial = [insert({ id: 7 })]
    await used.set?.('u', { db })
    if (used.set) await eventually(() => expect(used.ids()).toEqual([7]))
    used.end()
  })
})

test('misspelt options and databases without the plugin are refused', () => {
  const misspelt = { db, order: 'id' } as unknown as Options
  const run = vi.fn()
  expect(() => useSvelte('t', misspelt).subscribe(run)).toThrow('useStreamTable has no option order')
  const plain = { db: { query: () => Promise.resolve({ rows: [] }) } } as unknown as Options
  expect(() => useSvelte('t', plain).subscribe(run)).toThrow('has no plugin')
  expect(run).not.toHaveBeenCalled()
})

test('a database inside a reactive object of Vue is used as it is', async () => {
  const scope = effectScope()
  const used = scope.run(() => useVue<Row>('t', () => reactive({ db })))
  await eventually(() => expect(used?.rows.value).toHaveLength(2))
  expect(db.open.size).toBe(1)
  scope.stop()
})
