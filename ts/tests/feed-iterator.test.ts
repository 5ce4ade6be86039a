/** The feed in JavaScript: `keepChanges` and `changes`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { FeedChange, FeedOptions, TrickleError } from '../dist/index.js'
import { emptyDataDir, openDatabase } from './support/pglite.js'
import { useFreshLab } from './support/use-lab.js'

const SUMS = 'SELECT k, sum(v)::int AS s FROM t GROUP BY k'

const lab = useFreshLab([
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
  'INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)',
])

let after: number
beforeEach(async () => {
  await lab.create('sums', SUMS)
  after = (await lab.pg.trickle.keepChanges('sums')) ?? NaN
})

/** A reader in the background, which stops at an error. */
class Reader {
  readonly changes: FeedChange[] = []
  readonly #abort = new AbortController()
  readonly ended: Promise<TrickleError | undefined>

  constructor(name: string, options: FeedOptions = {}, pg = lab.pg) {
    this.ended = this.#run(pg.trickle.changes(name, { signal: this.#abort.signal, ...options })).catch(
      (error: unknown) => error as TrickleError,
    )
  }

  async #run(feed: AsyncIterable<FeedChange>): Promise<undefined> {
    for await (const change of feed) this.changes.push(change)
    return undefined
  }

  /** Waits for this many changes, and returns them in short form. Those of one transaction are sorted: any order is right. */
  async take(count: number): Promise<unknown[]> {
    await expect.poll(() => this.changes.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(count)
    const short = this.changes.splice(0).map(({ tx = 0, op, old, row }) => {
      const rows = [old, row].flatMap((each) => (each ? [Object.values(each)] : []))
      return { tx, text: JSON.stringify([op, ...rows]) }
    })
    short.sort((a, b) => a.tx - b.tx || (a.text < b.text ? -1 : 1))
    return short.map(({ text }) => JSON.parse(text) as unknown)
  }

  stop(): Promise<TrickleError | undefined> {
    this.#abort.abort()
    return this.ended
  }
}

describe('changes', () => {
  test('come as they are committed, numbered, with values as PGlite reads them', async () => {
    await lab.exec('CREATE TABLE big (id bigint PRIMARY KEY, n numeric, at timestamptz, l int[], b bytea, j jsonb)')
    await lab.create('bigs', 'SELECT * FROM big')
    await lab.pg.trickle.keepChanges('bigs')
    const reader = new Reader('bigs')
    await lab.exec(`INSERT INTO big VALUES (9007199254740993, 1.50, '2026-03-04 05:06:07+00', '{1,NULL}', '\\x0102', '{"a": [1]}'),
      (2, NULL, NULL, NULL, NULL, NULL)`)
    await expect.poll(() => reader.changes.length).toBe(2)
    const { rows } = await lab.pg.query('SELECT * FROM bigs')
    expect(reader.changes.map(({ row }) => row)).toEqual(rows)
    const [first, second] = reader.changes
    expect(first?.key).toEqual({ id: 9007199254740993n })
    expect(second?.seq).toBe((first?.seq ?? 0) + 1)
    expect(second?.tx).toBe(first?.tx)
    expect(Math.abs((first?.at.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
    expect(await reader.stop()).toBeUndefined()
  })

  test('go on after a number, with those of the meantime first, in pages', async () => {
    for (const id of [10, 11, 12, 13, 14]) await lab.run(`INSERT INTO t VALUES (${id}, ${id}, ${id})`)
    const reader = new Reader('sums', { after: after + 1, max: 2 })
    expect(await reader.take(4)).toEqual([11, 12, 13, 14].map((k) => ['insert', [k, k]]))
    await lab.run('BEGIN; UPDATE t SET v = 20 WHERE id = 10; DELETE FROM t WHERE id = 11; COMMIT')
    expect(await reader.take(2)).toEqual([
      ['delete', [11, 11]],
      ['update', [10, 10], [10, 20]],
    ])
    await lab.run('BEGIN; DELETE FROM t; ROLLBACK')
    await lab.run('DELETE FROM t WHERE id = 12')
    expect(await reader.take(1)).toEqual([['delete', [12, 12]]])
    await reader.stop()
  })

  test('begin with a snapshot where that is wanted', async () => {
    const reader = new Reader('sums', { snapshot: true })
    expect(await reader.take(3)).toEqual(expect.arrayContaining([['snapshot'], ['insert', [1, 1]], ['insert', [2, 2]]]))
    await lab.run('UPDATE t SET v = 3 WHERE id = 1')
    expect(await reader.take(1)).toEqual([['update', [1, 1], [1, 3]]])
    await reader.stop()
    const ended = await new Reader('sums', { snapshot: true, after: 1 }).ended
    expect(ended).toMatchObject({ code: '22023', message: 'after and snapshot exclude each other' })
  })

  test('follow other columns', async () => {
    const reader = new Reader('sums', { after })
    await lab.pg.trickle.alterStreamTable('sums', 'SELECT k, sum(v)::int AS s, count(*)::int AS n FROM t GROUP BY k')
    lab.forget('sums')
    expect(await reader.take(2)).toEqual([
      ['update', [1, 1, null], [1, 1, 1]],
      ['update', [2, 2, null], [2, 2, 1]],
    ])
    await reader.stop()
  })

  test('several readers do not disturb each other, and one that stops takes nothing from the others', async () => {
    const readers = [new Reader('sums', { after }), new Reader('sums', { after }), new Reader('sums')]
    await lab.run('INSERT INTO t VALUES (3, 3, 3)')
    for (const reader of readers) expect(await reader.take(1)).toEqual([['insert', [3, 3]]])
    await readers[0]?.stop()
    for await (const change of lab.pg.trickle.changes('sums')) {
      expect(change.op).toBe('insert')
      break
    }
    await lab.run('INSERT INTO t VALUES (4, 4, 4)')
    for (const reader of readers.slice(1)) expect(await reader.take(1)).toEqual([['insert', [4, 4]]])
    for (const reader of readers) await reader.stop()
    expect(readers[0]?.changes).toEqual([])
  })

  test('wait for transactions of the app, and survive those that fail', async () => {
    await lab.exec('UNLISTEN *; BEGIN; INSERT INTO t VALUES (3, 3, 3)')
    const reader = new Reader('sums', { after })
    await new Promise((resolve) => setTimeout(resolve, 200))
    await expect(lab.exec('SELECT 1 / 0')).rejects.toThrow()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(reader.changes).toEqual([])
    // LISTEN is rolled back too.
    await lab.exec('ROLLBACK')
    await lab.run('INSERT INTO t VALUES (4, 4, 4)')
    expect(await reader.take(1)).toEqual([['insert', [4, 4]]])
    await lab.exec('BEGIN; INSERT INTO t VALUES (5, 5, 5)')
    await lab.exec('COMMIT')
    expect(await reader.take(1)).toEqual([['insert', [5, 5]]])
    await reader.stop()
  })

  test('arrive after the session has been reset, though later', async () => {
    const reader = new Reader('sums', { after })
    await lab.run('INSERT INTO t VALUES (3, 3, 3)')
    expect(await reader.take(1)).toHaveLength(1)
    await lab.exec('UNLISTEN *')
    await lab.run('INSERT INTO t VALUES (4, 4, 4)')
    expect(await reader.take(1)).toEqual([['insert', [4, 4]]])
    await reader.stop()
  }, 30_000)
})

describe('errors', () => {
  test('a stream table whose changes are not kept, or that is not there', async () => {
    await lab.pg.trickle.keepChanges('sums', { retain: 0 })
    const not = await new Reader('sums').ended
    expect(not).toMatchObject({ name: 'TrickleError', code: '55000', streamTable: 'sums' })
    expect(await new Reader('nothing').ended).toMatchObject({ code: '42P01', streamTable: 'nothing' })
  })

  test('changes that are gone', async () => {
    await lab.pg.trickle.keepChanges('sums', { retain: 1 })
    await lab.run('INSERT INTO t VALUES (3, 3, 3)')
    await lab.run('INSERT INTO t VALUES (4, 4, 4)')
    const error = await new Reader('sums', { after }).ended
    expect(error).toMatchObject({ code: '72T01', streamTable: 'sums' })
    expect(await new Reader('sums', { after: after + 100 }).ended).toMatchObject({ code: '72T01' })
    const reader = new Reader('sums', { after: after + 1 })
    expect(await reader.take(1)).toEqual([['insert', [4, 4]]])
    await reader.stop()
  })

  test('dropped while it is followed', async () => {
    const reader = new Reader('sums', { after })
    await lab.run('INSERT INTO t VALUES (3, 3, 3)')
    await reader.take(1)
    lab.forget('sums')
    await lab.exec("SELECT pgtrickle.drop_stream_table('sums'); CREATE TABLE other (a int)")
    await lab.create('others', 'SELECT a FROM other')
    await lab.pg.trickle.keepChanges('others')
    await lab.exec('INSERT INTO other VALUES (1)')
    expect(await reader.ended).toMatchObject({ code: '42P01' })
  })

  test('inside of a transaction', async () => {
    await lab.pg.transaction(async (tx) => {
      await expect(lab.pg.trickle.changes('sums').next()).rejects.toMatchObject({ code: '25001' })
      expect(await tx.trickle.keepChanges('sums', { maxAge: '1 day' })).toBe(after)
      const methods = tx.trickle as unknown as typeof lab.pg.trickle
      expect(() => methods.changes('sums')).toThrow('tx.trickle.changes does not exist')
    })
    expect(await lab.exec('SELECT retain::int, max_age::text FROM pgtrickle.feeds')).toEqual([
      { retain: 10000, max_age: '1 day' },
    ])
  })

  test('options', async () => {
    const refused = (options: object) => () => lab.pg.trickle.changes('sums', options)
    expect(refused({ after: -1 })).toThrow('the option after of changes must be a whole number, 0 or more, not -1')
    expect(refused({ from: 1 })).toThrow('changes has no option from')
    await expect(lab.pg.trickle.keepChanges('sums', { maxAge: 'long' })).rejects.toMatchObject({ code: '22007' })
    await expect(lab.pg.trickle.keepChanges('sums', { retain: 1.5 })).rejects.toMatchObject({ code: '22023' })
    expect(await lab.pg.trickle.keepChanges('sums', { retain: null })).toBe(after)
    const ended = new AbortController()
    ended.abort()
    expect((await lab.pg.trickle.changes('sums', { signal: ended.signal }).next()).done).toBe(true)
  })
})

test('the feed goes on when the database is opened again, and ends when it is closed', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'feed-'))
  try {
    const first = await openDatabase({ dataDir, loadDataDir: await emptyDataDir() })
    await first.exec('CREATE TABLE t (id int PRIMARY KEY, k int, v int)')
    await first.trickle.createStreamTable('sums', SUMS)
    await first.trickle.keepChanges('sums')
    const reader = new Reader('sums', {}, first)
    await first.exec('INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)')
    await first.exec('INSERT INTO t VALUES (3, 3, 3)')
    await expect.poll(() => reader.changes.length).toBe(3)
    const { seq = NaN } = reader.changes[1] ?? {}
    await first.close()
    expect(await reader.ended).toBeUndefined()

    const second = await openDatabase({ dataDir })
    // Before any call of the plugin.
    await second.exec('DELETE FROM t WHERE id = 1')
    const later = new Reader('sums', { after: seq }, second)
    expect(await later.take(2)).toEqual([
      ['insert', [3, 3]],
      ['delete', [1, 1]],
    ])
    await second.close()
    expect(await later.ended).toBeUndefined()
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})
