/** Collections of the real TanStack DB over a fake database. */
import { createCollection, createLiveQueryCollection, eq } from '@tanstack/db'
import { beforeEach, describe, expect, test } from 'vitest'
import { TrickleError } from '../../src/errors.js'
import { streamTableCollectionOptions } from '../../src/tanstack/index.js'
import { FakeDatabase, insert, remove, update } from '../support/fake-database.js'

interface Person {
  id: number
  city: string
}

let db: FakeDatabase
const options = () => streamTableCollectionOptions<Person, number>({ db, name: 'people', key: 'id' })

beforeEach(() => {
  db = new FakeDatabase()
  db.initial = [insert({ id: 1, city: 'Rome' }), insert({ id: 2, city: 'Oslo' })]
})

describe('a collection', () => {
  test('holds the rows, then follows the changes with one event per transaction', async () => {
    const people = createCollection(options())
    await people.preload()
    expect(people.toArray).toMatchObject([
      { id: 1, city: 'Rome' },
      { id: 2, city: 'Oslo' },
    ])
    const events: string[][] = []
    const record = (changes: { type: string; key: number }[]) =>
      void events.push(changes.map(({ type, key }) => `${type} ${key}`).sort())
    people.subscribeChanges(record, { includeInitialState: true })
    db.commit(update({ id: 1, city: 'Bari' }), remove({ id: 2, city: 'Oslo' }), insert({ id: 3, city: 'Cork' }))
    db.commit(insert({ id: 4, city: 'Bonn' }))
    expect(people.toArray).toMatchObject([
      { id: 1, city: 'Bari' },
      { id: 3, city: 'Cork' },
      { id: 4, city: 'Bonn' },
    ])
    expect(events.slice(1)).toEqual([['delete 2', 'insert 3', 'update 1'], ['insert 4']])
  })

  test('a delete and an insert with the same key are an update', async () => {
    db.initial = [insert({ id: 1, city: 'Rome' }, { h: 'a' })]
    const people = createCollection(options())
    await people.preload()
    const types: string[] = []
    const record = (changes: { type: string }[]) => void types.push(...changes.map(({ type }) => type))
    people.subscribeChanges(record, { includeInitialState: true })
    db.commit(insert({ id: 1, city: 'Bari' }, { h: 'b' }), remove({ id: 1, city: 'Rome' }, { h: 'a' }))
    expect(types).toEqual(['insert', 'update'])
    expect(people.get(1)).toMatchObject({ id: 1, city: 'Bari' })
  })

  test('two rows swap their keys', async () => {
    const people = createCollection(options())
    await people.preload()
    const swap = (id: number, from: string, to: string) => update({ id, city: to }, { id, city: from })
    db.commit(swap(1, 'Rome', 'Oslo'), swap(2, 'Oslo', 'Rome'))
    expect([1, 2].map((id) => people.get(id)?.city)).toEqual(['Oslo', 'Rome'])
    // The same swap as a stream table whose own key is the city may report it.
    const moved = (city: string, from: number, to: number) => update({ id: to, city }, { id: from, city }, { city })
    db.commit(moved('Oslo', 1, 2), moved('Rome', 2, 1))
    expect([1, 2].map((id) => people.get(id)?.city)).toEqual(['Rome', 'Oslo'])
  })

  test('can be read by live queries of TanStack DB', async () => {
    const people = createCollection(options())
    const romans = createLiveQueryCollection((q) =>
      q
        .from({ people })
        .where(({ people }) => eq(people.city, 'Rome'))
        .select(({ people }) => ({ id: people.id })),
    )
    await romans.preload()
    db.commit(update({ id: 2, city: 'Rome' }, { id: 2, city: 'Oslo' }))
    expect(romans.toArray.map(({ id }) => id).sort()).toEqual([1, 2])
  })

  test('shows a written row at once, and the resulting row afterwards', async () => {
    const people = createCollection({
      ...options(),
      onInsert: async () => {
        await Promise.resolve()
        db.commit(insert({ id: 3, city: 'CORK' }))
      },
    })
    await people.preload()
    const { isPersisted } = people.insert({ id: 3, city: 'Cork' })
    expect(people.get(3)).toMatchObject({ id: 3, city: 'Cork' })
    await isPersisted.promise
    expect(people.get(3)).toMatchObject({ id: 3, city: 'CORK' })
  })

  test('ends its subscription when it is cleaned up', async () => {
    const people = createCollection(options())
    await people.preload()
    expect(db.open.size).toBe(1)
    await people.cleanup()
    expect(db.open.size).toBe(0)
  })

  test('leaves nothing behind when it is cleaned up before it has started', async () => {
    let open = () => {}
    db.gate = new Promise((done) => (open = done))
    const people = createCollection(options())
    people.startSyncImmediate()
    await people.cleanup()
    open()
    await new Promise((done) => setTimeout(done))
    expect(db.open.size).toBe(0)
  })

  test('has an error when the stream table does not exist, or is dropped', async () => {
    const error = new TrickleError('stream table people does not exist', { code: '42P01' })
    const rows = db.initial
    db.initial = error
    const people = createCollection(options())
    await expect(people.preload()).rejects.toBe(error)
    expect(people.status).toBe('error')
    db.initial = rows
    const others = createCollection(options())
    await others.preload()
    db.fail(error)
    expect(others.status).toBe('error')
  })

  test('has an error when two rows have the same key', async () => {
    db.initial = [insert({ id: 1, city: 'Rome' }, { h: 'a' }), insert({ id: 1, city: 'Oslo' }, { h: 'b' })]
    const people = createCollection(options())
    await expect(people.preload()).rejects.toThrow('already exists')
    expect([people.status, db.open.size]).toEqual(['error', 0])
  })

  test('has a unique id, even for the same stream table of another database', () => {
    const others = () =>
      streamTableCollectionOptions<Person, number>({ db: new FakeDatabase(), name: 'people', key: 'id' })
    const ids = [options(), options(), others()].map(({ id }) => id)
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toContain('people')
    expect(streamTableCollectionOptions({ db, name: 'people', key: 'id', id: 'mine' }).id).toBe('mine')
  })

  test('accepts a function as its key', async () => {
    const people = createCollection(
      streamTableCollectionOptions<Person, string>({ db, name: 'people', key: ({ id, city }) => `${city}/${id}` }),
    )
    await people.preload()
    expect([...people.keys()].sort()).toEqual(['Oslo/2', 'Rome/1'])
  })
})
