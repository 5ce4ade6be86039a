/**
 * The committed rows of one stream table, and its subscribers. A feed keeps the text of each row. It can therefore
 * reduce the records of a transaction to what differs afterwards, and report the difference after messages were lost.
 */
import { TrickleError } from '../errors.js'
import type { AnyRow } from '../types.js'
import { reportError, runCallback } from './callbacks.js'
import { readRow } from './records.js'
import type { StreamRecord } from './records.js'
import type { Change, ChangeCallback, ChangeInfo, Field, SubscribeOptions } from './types.js'

/** PGlite's parsers: each turns the text of a value into the value. By type OID. */
export type Parsers = Record<number | string, (text: string, type?: number) => unknown>

/** A row with its text. */
interface StoredRow {
  text: string
  row: AnyRow
}

/** A callback and its progress. */
export interface Subscriber {
  callback: ChangeCallback
  options: SubscribeOptions
  /** It has received the initial rows. */
  isStarted: boolean
  /** Its call of `subscribe` has not returned. Until then that call throws the errors. */
  isSubscribing: boolean
}

/** What the extension sends before all rows of a stream table. */
interface Description {
  schema: string
  name: string
  key: string[]
  columns: [name: string, type: number][]
}

/** The rows with one key, while the records of a transaction are applied. */
interface KeyState {
  /** The texts of the rows that are there. */
  texts: string[]
  /** Rows deleted before their insert was seen: a statement may report the two in this order. */
  unmatchedDeletes: string[]
}

/** Changes, and whether their records account for every row that they mention. */
interface Patch {
  changes: Change[]
  isComplete: boolean
}

/** The rows of one stream table under one key, and the subscribers that follow them. */
export class Feed {
  readonly subscribers = new Set<Subscriber>()
  /** Its rows may be out of date, and a new snapshot has been requested. */
  isStale = false
  /** Why it has ended. */
  failure: TrickleError | undefined
  /** The rows by id; undefined until the first snapshot. */
  #rows: Map<string, StoredRow> | undefined
  /** For rows without a key: how many there are of each text. */
  #counts = new Map<string, number>()
  #fields: Field[] = []
  #key: readonly string[] = []
  #layout = ''

  /** `reader` is the name by which the extension knows this feed. */
  constructor(
    readonly id: number,
    readonly reader: string,
    readonly name: string,
    readonly givenKey: readonly string[] | undefined,
    readonly parsers: () => Parsers,
  ) {}

  /** The first snapshot has arrived. */
  get isReady(): boolean {
    return this.#rows !== undefined
  }

  add(subscriber: Subscriber): void {
    this.subscribers.add(subscriber)
    if (this.isReady) this.#start(subscriber)
  }

  /** Applies the records of one transaction and reports the changes. False when earlier records must have been lost. */
  apply(records: readonly StreamRecord[]): boolean {
    const isFirst = this.#rows === undefined
    const last = this.#lastSnapshot(records)
    const hasSnapshot = last >= 0
    if (!hasSnapshot && (isFirst || this.isStale)) return true
    this.isStale = false
    // When another snapshot follows the requested one, subscribers also get the changes between the two.
    const requested = isFirst
      ? records.findIndex(({ kind, keyOrReader }) => kind === 'snapshotStart' && keyOrReader === this.reader)
      : -1
    if (requested >= 0 && requested < last) this.#loadSnapshot(records, requested)
    const before = this.#rows
    const patch = this.#applyRows(hasSnapshot ? this.#loadSnapshot(records, last) : records)
    this.#notify(hasSnapshot && before ? diffRows(before, this.#rows, this.#identify) : patch.changes)
    return patch.isComplete
  }

  /** Ends all subscriptions. */
  end(error: TrickleError): void {
    const ended = [...this.subscribers]
    this.subscribers.clear()
    this.failure = error
    for (const { options, isSubscribing } of ended) if (!isSubscribing) reportError(error, options)
  }

  #start(subscriber: Subscriber): void {
    subscriber.isStarted = true
    if (subscriber.options.initial === false) return
    const rows: Change[] = []
    for (const [id, { row }] of this.#rows ?? []) rows.push({ op: 'insert', row, ...this.#identify(id, row) })
    this.#call(subscriber, rows, true)
  }

  #notify(changes: Change[]): void {
    for (const subscriber of [...this.subscribers]) {
      if (!this.subscribers.has(subscriber)) continue
      // The initial rows already include these changes.
      const isCovered = !subscriber.isStarted && subscriber.options.initial !== false
      if (!subscriber.isStarted) this.#start(subscriber)
      if (changes.length > 0 && !isCovered) this.#call(subscriber, changes, false)
    }
  }

  #call(subscriber: Subscriber, changes: Change[], initial: boolean): void {
    const info: ChangeInfo = { initial, fields: this.#fields }
    // A copy for each subscriber, which may modify it.
    runCallback(this.name, subscriber.options, () => subscriber.callback([...changes], info))
  }

  /** The index of the last snapshot for this reader, or -1. */
  #lastSnapshot(records: readonly StreamRecord[]): number {
    for (let at = records.length - 1; at >= 0; at -= 1) {
      const record = records[at]
      if (record?.kind !== 'snapshotStart') continue
      if (record.keyOrReader === '' || record.keyOrReader === this.reader) return at
    }
    return -1
  }

  /** Replaces all rows with the snapshot that starts at this index. Returns the records after it. */
  #loadSnapshot(records: readonly StreamRecord[], start: number): readonly StreamRecord[] {
    const isSameLayout = !this.#adoptDescription(JSON.parse(records[start]?.text ?? '') as Description)
    const rows = new Map<string, StoredRow>()
    const counts = new Map<string, number>()
    let at = start + 1
    for (let record = records[at]; record?.kind === 'snapshotRow'; record = records[++at]) {
      const { text, keyOrReader } = record
      const id = this.#idOf(text, keyOrReader) ?? nextDuplicateId(text, counts)
      if (rows.has(id)) this.#refuseKey(id)
      const stored = isSameLayout ? this.#rows?.get(id) : undefined
      rows.set(id, stored?.text === text ? stored : { text, row: this.#parseRow(text) })
    }
    this.#rows = rows
    this.#counts = counts
    return records.slice(at + 1)
  }

  /** Adopts the key and columns of a snapshot. True when they have changed. */
  #adoptDescription({ key, columns }: Description): boolean {
    const layout = JSON.stringify([key, columns])
    if (layout === this.#layout) return false
    this.#layout = layout
    this.#fields = columns.map(([name, dataTypeID]) => ({ name, dataTypeID }))
    this.#key = this.givenKey ?? key
    const missing = this.#key.find((name) => !columns.some(([column]) => column === name))
    if (missing !== undefined) {
      throw new TrickleError(`stream table ${this.name} has no column ${missing}, which the key names`, {
        code: '42703',
        streamTable: this.name,
        hint: `Its columns are ${columns.map(([column]) => column).join(', ')}.`,
      })
    }
    return true
  }

  #applyRows(records: readonly StreamRecord[]): Patch {
    const keyed = new Map<string, KeyState>()
    const counted = new Map<string, number>()
    for (const { kind, text, keyOrReader } of records) {
      if (kind !== 'insert' && kind !== 'delete') continue
      const id = this.#idOf(text, keyOrReader)
      if (id === undefined) counted.set(text, (counted.get(text) ?? 0) + (kind === 'insert' ? 1 : -1))
      else {
        let state = keyed.get(id)
        if (state === undefined) {
          const stored = this.#rows?.get(id)
          state = { texts: stored ? [stored.text] : [], unmatchedDeletes: [] }
          keyed.set(id, state)
        }
        applyRecord(state, kind, text)
      }
    }
    return this.#patch(keyed, counted)
  }

  #patch(keyed: Map<string, KeyState>, counted: Map<string, number>): Patch {
    const changes: Change[] = []
    let isComplete = true
    for (const [id, { texts, unmatchedDeletes }] of keyed) {
      if (unmatchedDeletes.length > 0) isComplete = false
      if (texts.length > 1) this.#refuseKey(id)
      this.#set(id, texts[0], changes)
    }
    for (const [text, added] of counted) {
      const before = this.#counts.get(text) ?? 0
      if (before + added < 0) isComplete = false
      const after = Math.max(before + added, 0)
      if (after === 0) this.#counts.delete(text)
      else this.#counts.set(text, after)
      for (let n = before; n > after; n -= 1) this.#set(duplicateId(text, n), undefined, changes)
      for (let n = before + 1; n <= after; n += 1) this.#set(duplicateId(text, n), text, changes)
    }
    return { changes, isComplete }
  }

  /** Stores a row under an id, or deletes it when there is no text, and appends the change. */
  #set(id: string, text: string | undefined, changes: Change[]): void {
    const stored = this.#rows?.get(id)
    if (stored?.text === text) return
    if (text === undefined) {
      if (stored === undefined) return
      this.#rows?.delete(id)
      changes.push({ op: 'delete', row: stored.row, ...this.#identify(id, stored.row) })
      return
    }
    const row = this.#parseRow(text)
    this.#rows?.set(id, { text, row })
    const identity = this.#identify(id, row)
    changes.push(stored ? { op: 'update', row, old: stored.row, ...identity } : { op: 'insert', row, ...identity })
  }

  /** The id of a row, or undefined when it has no key. */
  #idOf(text: string, key: string): string | undefined {
    if (this.givenKey === undefined) return key === '' ? undefined : key
    const values = readRow(text)
    return JSON.stringify(this.givenKey.map((name) => values[this.#fields.findIndex((field) => field.name === name)]))
  }

  readonly #identify = (id: string, row: AnyRow): { id: string; key: AnyRow } => {
    if (this.#key.length === 0) return { id, key: { __pgt_id: id } }
    return { id, key: Object.fromEntries(this.#key.map((name) => [name, row[name]])) }
  }

  #parseRow(text: string): AnyRow {
    const parsers = this.parsers()
    const values = this.#fields.length === 0 ? [] : readRow(text)
    return Object.fromEntries(
      this.#fields.map(({ name, dataTypeID }, n) => {
        const value = values[n] ?? null
        const parse = parsers[dataTypeID]
        return [name, value === null || parse === undefined ? value : parse(value, dataTypeID)]
      }),
    )
  }

  #refuseKey(id: string): never {
    throw new TrickleError(`several rows of ${this.name} have the key ${id}`, {
      code: '23505',
      streamTable: this.name,
      hint: 'Give subscribe a key that no two rows share, or none.',
    })
  }
}

function applyRecord({ texts, unmatchedDeletes }: KeyState, kind: 'insert' | 'delete', text: string): void {
  const [matching, other] = kind === 'insert' ? [unmatchedDeletes, texts] : [texts, unmatchedDeletes]
  const index = matching.indexOf(text)
  if (index >= 0) matching.splice(index, 1)
  else other.push(text)
}

function nextDuplicateId(text: string, counts: Map<string, number>): string {
  const n = (counts.get(text) ?? 0) + 1
  counts.set(text, n)
  return duplicateId(text, n)
}

/** The id of the nth row with this text, where rows have no key. */
function duplicateId(text: string, n: number): string {
  return `${text}#${n}`
}

function diffRows(
  before: Map<string, StoredRow>,
  after: Map<string, StoredRow> | undefined,
  identify: (id: string, row: AnyRow) => { id: string; key: AnyRow },
): Change[] {
  const changes: Change[] = []
  for (const [id, { row }] of before) if (!after?.has(id)) changes.push({ op: 'delete', row, ...identify(id, row) })
  for (const [id, stored] of after ?? []) {
    const old = before.get(id)
    const { row } = stored
    if (old === undefined) changes.push({ op: 'insert', row, ...identify(id, row) })
    else if (old !== stored) changes.push({ op: 'update', row, old: old.row, ...identify(id, row) })
  }
  return changes
}
