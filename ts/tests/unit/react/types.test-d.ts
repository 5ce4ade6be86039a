/** The types of the entry points for React and TanStack DB. The compiler checks them. */
import type { PGlite, PGliteInterface } from '@electric-sql/pglite'
import type { PGliteWorker } from '@electric-sql/pglite/worker'
import { createCollection } from '@tanstack/db'
import { describe, expectTypeOf, test } from 'vitest'
import type { Trickle, TrickleError } from '../../../dist/index.js'
import { useStreamTable } from '../../../dist/react.js'
import type { StreamTableDatabase, StreamTableState } from '../../../dist/react.js'
import { streamTableCollectionOptions } from '../../../dist/tanstack.js'

interface OrderTotal {
  customer_id: number
  total: string
}

declare const db: StreamTableDatabase

describe('useStreamTable', () => {
  test('returns rows of the given type', () => {
    expectTypeOf(useStreamTable<OrderTotal>('st')).toEqualTypeOf<StreamTableState<OrderTotal>>()
    expectTypeOf(useStreamTable<OrderTotal>('st').rows).toEqualTypeOf<readonly OrderTotal[]>()
    expectTypeOf(useStreamTable('st').rows).toEqualTypeOf<readonly Record<string, unknown>[]>()
    expectTypeOf(useStreamTable('st').error).toEqualTypeOf<TrickleError | undefined>()
    expectTypeOf(useStreamTable('st').loading).toBeBoolean()
  })

  test('checks the columns', () => {
    useStreamTable<OrderTotal>('st', { key: 'customer_id', orderBy: [['total', 'desc'], 'customer_id'] })
    useStreamTable<OrderTotal>('st', { where: { customer_id: 7 }, filter: (row) => row.total !== '0' })
    // @ts-expect-error: no such column
    useStreamTable<OrderTotal>('st', { key: 'id' })
    // @ts-expect-error: no such column
    useStreamTable<OrderTotal>('st', { orderBy: [['id', 'desc']] })
    // @ts-expect-error: not the type of the column
    useStreamTable<OrderTotal>('st', { where: { customer_id: '7' } })
  })

  test('accepts every database of PGlite with the plugin', () => {
    expectTypeOf<PGlite & { trickle: Trickle }>().toExtend<StreamTableDatabase>()
    expectTypeOf<PGliteInterface & { trickle: Trickle }>().toExtend<StreamTableDatabase>()
    expectTypeOf<PGliteWorker & { trickle: Trickle }>().toExtend<StreamTableDatabase>()
    // @ts-expect-error: the plugin is missing
    expectTypeOf<PGlite>().toExtend<StreamTableDatabase>()
  })
})

describe('streamTableCollectionOptions', () => {
  test('makes a collection of the rows', () => {
    const totals = createCollection(
      streamTableCollectionOptions<OrderTotal, number>({ db, name: 'st', key: 'customer_id' }),
    )
    expectTypeOf(totals.get).parameter(0).toEqualTypeOf<number>()
    expectTypeOf(totals.toArray[0]!).toExtend<OrderTotal>()
    // @ts-expect-error: no such column
    streamTableCollectionOptions<OrderTotal, number>({ db, name: 'st', key: 'id' })
    // @ts-expect-error: not the type of the column
    streamTableCollectionOptions<OrderTotal, number>({ db, name: 'st', key: 'total' })
    // @ts-expect-error: NULL cannot be a key
    streamTableCollectionOptions<{ id: number | null }>({ db, name: 'st', key: 'id' })
    streamTableCollectionOptions<OrderTotal>({ db, name: 'st', key: 'total' })
    streamTableCollectionOptions({ db, name: 'st', key: 'anything' })
  })
})
