/** What the methods of `pg.trickle` send to a database, with a fake one that records it. */
import { describe, expect, test } from 'vitest'
import { Trickle } from '../../src/api.js'
import { TrickleError } from '../../src/errors.js'
import { createTrickle } from '../../src/plugin.js'
import type { Database } from '../../src/types.js'

interface Sent {
  sql: string
  params: unknown[] | undefined
}

const ROW = {
  name: 'st',
  schema: 'public',
  query: 'SELECT 1 AS a',
  refresh_mode: 'IMMEDIATE',
  status: 'ACTIVE',
  columns: ['a'],
  key: null,
  sources: null,
  created_at: '2026-01-02T03:04:05+00:00',
}

/** A fake database that answers each query with the next of the given results. */
function fakeDatabase(...results: unknown[][]): { db: Database; sent: Sent[] } {
  const sent: Sent[] = []
  const db: Database = {
    async query<T>(sql: string, params?: unknown[]) {
      sent.push({ sql, params })
      return { rows: (results.shift() ?? []) as T[] }
    },
  }
  return { db, sent }
}

const json = (row: unknown) => [{ json: JSON.stringify(row) }]

describe('Trickle', () => {
  test.each([
    [
      'createStreamTable',
      (trickle: Trickle) => trickle.createStreamTable('st', 'q', { ifNotExist: true } as never),
      'Did you mean ifNotExists?',
    ],
    [
      'createStreamTable',
      (trickle: Trickle) => trickle.createStreamTable('st', 'q', { with_data: true } as never),
      'Did you mean withData?',
    ],
    [
      'createStreamTable',
      (trickle: Trickle) => trickle.createStreamTable('st', 'q', { replaceExisting: true } as never),
      'Its options are ifNotExists, orReplace, withData, params, windows, preAggregate, onNotice.',
    ],
    [
      'dropStreamTable',
      (trickle: Trickle) => trickle.dropStreamTable('st', { dropCascade: true } as never),
      'Did you mean cascade?',
    ],
    [
      'alterStreamTable',
      (trickle: Trickle) => trickle.alterStreamTable('st', 'q', { cascade: true } as never),
      'Its options are params, windows, preAggregate, onNotice.',
    ],
    [
      'dropStreamTable',
      (trickle: Trickle) => trickle.dropStreamTable('st', { ifexists: true } as never),
      'Did you mean ifExists?',
    ],
    [
      'subscribe',
      (trickle: Trickle) => trickle.subscribe('st', () => {}, { initail: false } as never),
      'Did you mean initial?',
    ],
    [
      'live',
      (trickle: Trickle) => trickle.live('st', { limit: 3 } as never),
      'Its options are key, signal, onError, compare.',
    ],
  ])('%s refuses an option that it does not know', async (method, call, hint) => {
    const { db, sent } = fakeDatabase()
    const error: unknown = await call(new Trickle(db)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TrickleError)
    expect(error).toMatchObject({ code: '22023', streamTable: 'st', hint })
    expect((error as TrickleError).message).toMatch(`${method} has no option`)
    expect(sent).toEqual([])
  })

  test.each([
    ['createStreamTable', (trickle: Trickle) => trickle.createStreamTable('st', 'q', true as never), 'true'],
    ['dropStreamTable', (trickle: Trickle) => trickle.dropStreamTable('st', 'ifExists' as never), "'ifExists'"],
    [
      'createStreamTable',
      (trickle: Trickle) => trickle.createStreamTable('st', 'q', { withData: 'no' } as never),
      "'no'",
    ],
    ['createStreamTable', (trickle: Trickle) => trickle.createStreamTable('st', 'q', { withData: 0 } as never), '0'],
    ['subscribe', (trickle: Trickle) => trickle.subscribe('st', () => {}, { key: [1] } as never), '1'],
    ['live', (trickle: Trickle) => trickle.live('st', { compare: 'a' } as never), "'a'"],
  ])('%s refuses a value of another type', async (method, call, fragment) => {
    const { db, sent } = fakeDatabase()
    await expect(call(new Trickle(db))).rejects.toMatchObject({
      code: '22023',
      streamTable: 'st',
      fragment,
      message: expect.stringMatching(`${method} must be .*, not ${fragment}$`) as string,
      hint: expect.stringMatching(/\w/) as string,
    })
    expect(sent).toEqual([])
  })

  test('undefined and null count as options that are left out', async () => {
    const { db, sent } = fakeDatabase(json(ROW))
    const options = { ifNotExists: undefined, withData: null, onNotice: undefined } as never
    await new Trickle(db).createStreamTable('st', 'q', options)
    expect(sent[0]?.params?.[3]).toBe('fail')
  })

  test('sends names and queries as parameters, never as SQL', async () => {
    const hostile = `x'); DROP TABLE t; --"`
    const { db, sent } = fakeDatabase(
      json(ROW),
      json(ROW),
      [],
      [{ inserted: 1n, deleted: 2, updated: 3 }],
      [{ ok: true, missing: 0n, extra: 0 }],
      json({}),
    )
    const trickle = new Trickle(db)
    await trickle.createStreamTable(hostile, hostile)
    await trickle.alterStreamTable(hostile, hostile)
    await trickle.dropStreamTable(hostile)
    expect(await trickle.refreshStreamTable(hostile)).toEqual({ inserted: 1, deleted: 2, updated: 3 })
    expect(await trickle.verifyStreamTable(hostile)).toEqual({ ok: true, missing: 0, extra: 0 })
    await trickle.explainStreamTable(hostile)
    expect(sent.map(({ params }) => params?.[0])).toEqual(Array(6).fill(hostile))
    for (const { sql } of sent) expect(sql).not.toContain('DROP')
    expect(sent[0]?.params).toEqual([hostile, hostile, 'true', 'fail', null, null])
  })

  test('converts the catalog row to the shape of the API', async () => {
    const { db } = fakeDatabase(json(ROW))
    const { createdAt, ...rest } = await new Trickle(db).createStreamTable('st', 'q')
    expect(rest).toEqual({
      name: 'st',
      schema: 'public',
      query: 'SELECT 1 AS a',
      refreshMode: 'IMMEDIATE',
      status: 'ACTIVE',
      columns: ['a'],
      key: [],
      sources: [],
    })
    expect(createdAt.toISOString()).toBe('2026-01-02T03:04:05.000Z')
  })

  test('options become parameters', async () => {
    const given: unknown[] = []
    for (const options of [
      {},
      { ifNotExists: true },
      { orReplace: true },
      { withData: false, windows: 'onRead', preAggregate: true },
    ] as const) {
      const { db, sent } = fakeDatabase(json(ROW))
      await new Trickle(db).createStreamTable('st', 'q', options)
      given.push(sent[0]?.params?.slice(2))
    }
    expect(given).toEqual([
      ['true', 'fail', null, null],
      ['true', 'skip', null, null],
      ['true', 'replace', null, null],
      ['false', 'fail', 'onRead', 'true'],
    ])
  })

  test('null counts as no options', async () => {
    const none = null as unknown as undefined
    const { db, sent } = fakeDatabase(json(ROW), json(ROW), [])
    const trickle = new Trickle(db)
    await trickle.createStreamTable('st', 'q', none)
    await trickle.alterStreamTable('st', 'q', none)
    await trickle.dropStreamTable('st', none)
    expect(sent).toHaveLength(3)
    const missing = Object.assign(new Error('no stream table of this name'), { code: '42P01' })
    const refusing = new Trickle({ query: () => Promise.reject(missing) })
    await expect(refusing.subscribe('st', () => undefined, none)).rejects.toMatchObject({ code: '42P01' })
    await expect(refusing.live('st', none)).rejects.toMatchObject({ code: '42P01' })
  })

  test('contradictory options are refused before anything is sent', async () => {
    const { db, sent } = fakeDatabase()
    const both = new Trickle(db).createStreamTable('st', 'q', { ifNotExists: true, orReplace: true } as object)
    await expect(both).rejects.toMatchObject({ name: 'TrickleError', code: '22023', streamTable: 'st' })
    expect(sent).toEqual([])
  })

  test('dropStreamTable with ifExists drops only what exists', async () => {
    const none = fakeDatabase([])
    await new Trickle(none.db).dropStreamTable('st', { ifExists: true })
    expect(none.sent).toHaveLength(1)
    const one = fakeDatabase(json(ROW), [])
    await new Trickle(one.db).dropStreamTable('st', { ifExists: true, cascade: true })
    expect(one.sent[1]?.params).toEqual(['st', true])
  })

  test('every failure is a TrickleError', async () => {
    const cause = Object.assign(new Error('no'), { code: '42P01' })
    const trickle = new Trickle({ query: () => Promise.reject(cause) })
    const calls = [
      trickle.createStreamTable('st', 'q'),
      trickle.alterStreamTable('st', 'q'),
      trickle.dropStreamTable('st'),
      trickle.dropStreamTable('st', { ifExists: true }),
      trickle.refreshStreamTable('st'),
      trickle.verifyStreamTable('st'),
      trickle.explainStreamTable('st'),
    ]
    for (const call of calls) {
      await expect(call).rejects.toBeInstanceOf(TrickleError)
      await expect(call).rejects.toMatchObject({ code: '42P01', streamTable: 'st', cause })
    }
    for (const call of [trickle.listStreamTables(), trickle.restoreStreamTables()]) {
      await expect(call).rejects.toMatchObject({ name: 'TrickleError', streamTable: undefined, cause })
    }
  })

  test('an empty result means that the stream table does not exist', async () => {
    const { db } = fakeDatabase([])
    await expect(new Trickle(db).refreshStreamTable('st')).rejects.toMatchObject({
      code: '42P01',
      streamTable: 'st',
    })
  })
})

describe('the plugin', () => {
  test("in a worker's tab returns only its namespace, and runs no query", async () => {
    const { db, sent } = fakeDatabase()
    const setup = await createTrickle().setup(db, {}, true)
    expect(Object.keys(setup)).toEqual(['namespaceObj'])
    expect(setup.namespaceObj).toBeInstanceOf(Trickle)
    expect(sent).toEqual([])
  })

  test('runs no query before init, and init fails when no bundle was loaded', async () => {
    const { db, sent } = fakeDatabase()
    const setup = await createTrickle().setup(db, { print: 'kept' })
    expect(setup.emscriptenOpts).toMatchObject({ print: 'kept' })
    await expect(setup.init?.()).rejects.toMatchObject({ name: 'TrickleError', code: '0A000' })
    expect(sent).toEqual([])
  })

  test.each([
    [{ bundle: {} }, 'Did you mean bundles?'],
    [{ bundles: { pg17: new Blob() } }, 'Did you mean 17?'],
    [{ bundles: { 16: new Blob() } }, 'Did you mean 17?'],
    [[], 'Its options are bundles, advanceEvery, memoryLimit.'],
  ])('refuses options that it does not know: %j', (options, hint) => {
    expect(() => createTrickle(options as never)).toThrow(expect.objectContaining({ code: '22023', hint }) as Error)
  })
})
