/** The public types match the documentation of the interface. The compiler checks this. */
import type { Extension, PGlite, PGliteInterface, PGliteOptions, Transaction } from '@electric-sql/pglite'
import { PGlite as PGliteClass } from '@electric-sql/pglite'
import { PGlite as PGlite04 } from 'pglite-0.4'
import { describe, expectTypeOf, test } from 'vitest'
import { createTrickle, Trickle, trickle, TrickleError } from '../../dist/index.js'
import type {
  ColumnOf,
  CreateStreamTableOptions,
  DropStreamTableOptions,
  RefreshResult,
  StreamTable,
  StreamTablePlan,
  TransactionTrickle,
  VerifyResult,
  Way,
} from '../../dist/index.js'

interface OrderTotal {
  customer_id: number
  total: string
}

declare const pg: { trickle: Trickle }

describe('the plugin', () => {
  test('is an extension of every supported PGlite', () => {
    expectTypeOf(trickle).toExtend<Extension>()
    expectTypeOf({ extensions: { trickle } }).toExtend<PGliteOptions>()
    expectTypeOf(createTrickle).returns.toExtend<Extension>()
    const opened = () => PGliteClass.create({ extensions: { trickle } })
    expectTypeOf<Awaited<ReturnType<typeof opened>>['trickle']>().toEqualTypeOf<Trickle>()
    const opened04 = () => PGlite04.create({ extensions: { trickle } })
    expectTypeOf<Awaited<ReturnType<typeof opened04>>['trickle']>().toEqualTypeOf<Trickle>()
  })

  test('accepts every database of PGlite', () => {
    expectTypeOf<PGlite>().toExtend<ConstructorParameters<typeof Trickle>[0]>()
    expectTypeOf<PGliteInterface>().toExtend<ConstructorParameters<typeof Trickle>[0]>()
  })
})

test('a transaction has the methods, and cannot subscribe', () => {
  expectTypeOf<Transaction['trickle']>().toEqualTypeOf<TransactionTrickle>()
  expectTypeOf<TransactionTrickle['createStreamTable']>().toEqualTypeOf<Trickle['createStreamTable']>()
  expectTypeOf<TransactionTrickle>().not.toHaveProperty('subscribe')
  expectTypeOf<TransactionTrickle>().not.toHaveProperty('changes')
})

test('the changes of a feed have the rows that their operation says', async () => {
  for await (const change of pg.trickle.changes<OrderTotal>('st', { after: 1, signal: new AbortController().signal })) {
    expectTypeOf(change.seq).toEqualTypeOf<number>()
    if (change.op === 'update') expectTypeOf(change.old).toEqualTypeOf<OrderTotal>()
    if (change.op === 'insert') expectTypeOf(change.row).toEqualTypeOf<OrderTotal>()
    if (change.op === 'delete') expectTypeOf(change.row).toEqualTypeOf<undefined>()
  }
})

describe('the methods', () => {
  test('createStreamTable and alterStreamTable', () => {
    expectTypeOf(pg.trickle.createStreamTable('st', 'q')).resolves.toEqualTypeOf<StreamTable>()
    expectTypeOf(pg.trickle.createStreamTable<OrderTotal>('st', 'q')).resolves.toEqualTypeOf<StreamTable<OrderTotal>>()
    expectTypeOf(pg.trickle.alterStreamTable<OrderTotal>('st', 'q')).resolves.toEqualTypeOf<StreamTable<OrderTotal>>()
    expectTypeOf(pg.trickle.createStreamTable).parameter(2).toEqualTypeOf<CreateStreamTableOptions | undefined>()
    expectTypeOf<CreateStreamTableOptions>().toHaveProperty('ifNotExists').toEqualTypeOf<boolean | undefined>()
    expectTypeOf<CreateStreamTableOptions>().toHaveProperty('orReplace').toEqualTypeOf<boolean | undefined>()
    expectTypeOf<CreateStreamTableOptions>().toHaveProperty('withData').toEqualTypeOf<boolean | undefined>()
    void pg.trickle.createStreamTable('st', { sql: 'q $1', params: [1] })
    void pg.trickle.createStreamTable('st', { sql: 'q $1', parameters: [1] } as const)
    void pg.trickle.createStreamTable('st', 'q $1', { params: [1] })
    // @ts-expect-error: the query is missing
    void pg.trickle.createStreamTable('st')
    // @ts-expect-error: these options exclude each other
    void pg.trickle.createStreamTable('st', 'q', { ifNotExists: true, orReplace: true })
    void pg.trickle.createStreamTable('st', 'q', { ifNotExists: false, orReplace: true })
    void pg.trickle.createStreamTable('st', 'q', { ifNotExists: true, withData: false, onNotice: () => {} })
    // @ts-expect-error: no such option
    void pg.trickle.createStreamTable('st', 'q', { replace: true })
  })

  test('subscribe and live check the columns of a key', () => {
    void pg.trickle.subscribe<OrderTotal>('st', () => {}, { key: 'customer_id' })
    void pg.trickle.subscribe('st', () => {}, { key: ['anything'] })
    void pg.trickle.live<OrderTotal>('st', { key: ['customer_id', 'total'] })
    // @ts-expect-error: no such column
    void pg.trickle.subscribe<OrderTotal>('st', () => {}, { key: ['nope'] })
    // @ts-expect-error: no such column
    void pg.trickle.live<OrderTotal>('st', { key: 'nope' })
  })

  test('the other methods', () => {
    expectTypeOf(pg.trickle.dropStreamTable).parameters.toEqualTypeOf<
      [name: string, options?: DropStreamTableOptions]
    >()
    expectTypeOf(pg.trickle.dropStreamTable).returns.resolves.toBeVoid()
    expectTypeOf<DropStreamTableOptions>().toEqualTypeOf<{ ifExists?: boolean; cascade?: boolean }>()
    expectTypeOf(pg.trickle.refreshStreamTable).returns.resolves.toEqualTypeOf<RefreshResult>()
    expectTypeOf<RefreshResult>().toEqualTypeOf<{ inserted: number; deleted: number; updated: number }>()
    expectTypeOf(pg.trickle.verifyStreamTable).returns.resolves.toEqualTypeOf<VerifyResult>()
    expectTypeOf<VerifyResult>().toEqualTypeOf<{ ok: boolean; missing: number; extra: number }>()
    expectTypeOf(pg.trickle.restoreStreamTables).returns.resolves.toEqualTypeOf<void>()
    expectTypeOf(pg.trickle.listStreamTables).returns.resolves.toEqualTypeOf<StreamTable[]>()
    expectTypeOf(pg.trickle.explainStreamTable).returns.resolves.toEqualTypeOf<StreamTablePlan>()
  })
})

describe('the results', () => {
  test('StreamTable knows the columns of its row type', () => {
    expectTypeOf<StreamTable<OrderTotal>['columns']>().toEqualTypeOf<('customer_id' | 'total')[]>()
    expectTypeOf<ColumnOf<OrderTotal>>().toEqualTypeOf<'customer_id' | 'total'>()
    expectTypeOf<StreamTable['columns']>().toEqualTypeOf<string[]>()
    expectTypeOf<StreamTable['key']>().toEqualTypeOf<string[]>()
    expectTypeOf<StreamTable['sources']>().toEqualTypeOf<string[]>()
    expectTypeOf<StreamTable['createdAt']>().toEqualTypeOf<Date>()
    expectTypeOf<StreamTable['refreshMode']>().toEqualTypeOf<'IMMEDIATE'>()
  })

  test('StreamTablePlan has the way and the SQL per source and event', () => {
    expectTypeOf<Way>().toEqualTypeOf<'fold' | 'rekey' | 'rebuild'>()
    expectTypeOf<StreamTablePlan['way']>().toEqualTypeOf<Way>()
    type Source = StreamTablePlan['stages'][number]['sources'][number]
    expectTypeOf<Source['cost']>().toBeString()
    expectTypeOf<Source['choice']>().toBeString()
    expectTypeOf<Source['insert' | 'update' | 'delete' | 'truncate']>().toEqualTypeOf<string[]>()
    expectTypeOf<StreamTablePlan['advice']>().toEqualTypeOf<string[]>()
  })

  test('TrickleError', () => {
    expectTypeOf<TrickleError>().toExtend<Error>()
    expectTypeOf<TrickleError['code']>().toEqualTypeOf<string>()
    expectTypeOf<TrickleError['streamTable' | 'fragment' | 'hint']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<TrickleError['cause']>().toEqualTypeOf<unknown>()
  })
})
