/**
 * What a stream table holds, as far as committed, and who wants to know of its changes. A feed keeps the text of each
 * row: so the changes of a transaction come to what is different after it, and after a gap the difference is told
 * and nothing else.
 */
import { TrickleError } from '../errors.js'
import type { AnyRow } from '../types.js'
import { contain, report } from './contain.js'
import { readRow } from './records.js'
import type { StreamRecord } from './records.js'
import type { Change, ChangeCallback, ChangeInfo, Field, SubscribeOptions } from './types.js'

/** Turns the text of a value into the value: those of PGlite, by the OIDs of types. */
export type Parsers = Record<number | string, (text: string, type?: number) => unknown>

/** A row as it is held. */
interface Held {
  text: string
  row: AnyRow
}

/** A callback, and how far it is. */
export interface Subscriber {
  callback: ChangeCallback
  options: SubscribeOptions
  /** Has been told the rows that were there. */
  started: boolean
  /** Waits for `subscribe` to end, which tells what goes wrong until then. */
  waiting: boolean
}

/** What the extension says of a stream table with all its rows. */
interface Description {
  schema: string
  name: string
  key: string[]
  columns: [name: string, type: number][]
}

/** The texts of a row with some key, while the records of a transaction are read. */
interface Touched {
  texts: string[]
  /** Gone before they came: a statement may tell in this order. */
  owed: string[]
}

/** The rows of one stream table by one key, and those who follow them. */
export class Feed {
  readonly subscribers = new Set<Subscriber>()
  /** Its rows may be others by now, and have been asked for. */
  isStale = false
  /** Why it has ended. */
  failure: TrickleError | undefined
  /** The rows by their ids; nothing before they have come. */
  #rows: Map<string, Held> | undefined
  /** For rows without a key: how often each text is there. */
  #copies = new Map<string, number>()
  #fields: Field[] = []
  #key: readonly string[] = []
  #layout = ''

  /** `reader` is the name by which the extension knows it. */
  constructor(
    readonly id: number,
    readonly reader: string,
    readonly name: string,
    readonly givenKey: readonly string[] | undefined,
    readonly parsers: () => Parsers,
  ) {}

  /** Has its rows. */
  get isReady(): boolean {
    return this.#rows !== undefined
  }

  add(subscriber: Subscriber): void {
    this.subscribers.add(subscriber)
    if (this.isReady) this.#begin(subscriber)
  }

  /** Takes in the records of one transaction, and tells what they come to. False when some must have been missed. */
  take(records: readonly StreamRecord[]): boolean {
    const isFirst = this.#rows === undefined
    const last = this.#lastState(records)
    const isReplaced = last >= 0
    if (!isReplaced && (isFirst || this.isStale)) return true
    this.isStale = false
    // Where all rows come again behind those that were asked for, what is between them is told too.
    const asked = isFirst ? records.findIndex(({ letter, text2 }) => letter === 'S' && text2 === this.reader) : -1
    if (asked >= 0 && asked < last) this.#replace(records, asked)
    const before = this.#rows
    const patched = this.#patch(isReplaced ? this.#replace(records, last) : records)
    this.#tell(isReplaced && before ? difference(before, this.#rows, this.#identify) : patched.changes)
    return patched.isComplete
  }

  /** Ends all subscriptions. */
  end(error: TrickleError): void {
    const ended = [...this.subscribers]
    this.subscribers.clear()
    this.failure = error
    for (const { options, waiting } of ended) if (!waiting) report(error, options)
  }

  #begin(subscriber: Subscriber): void {
    subscriber.started = true
    if (subscriber.options.initial === false) return
    const rows: Change[] = []
    for (const [id, { row }] of this.#rows ?? []) rows.push({ op: 'insert', row, ...this.#identify(id, row) })
    this.#call(subscriber, rows, true)
  }

  #tell(changes: Change[]): void {
    for (const subscriber of [...this.subscribers]) {
      if (!this.subscribers.has(subscriber)) continue
      // The rows that were there, as they are after the changes, tell of these too.
      const isTold = !subscriber.started && subscriber.options.initial !== false
      if (!subscriber.started) this.#begin(subscriber)
      if (changes.length > 0 && !isTold) this.#call(subscriber, changes, false)
    }
  }

  #call(subscriber: Subscriber, changes: Change[], initial: boolean): void {
    const info: ChangeInfo = { initial, fields: this.#fields }
    // Each has an array of its own, to do with as it likes.
    contain(this.name, subscriber.options, () => subscriber.callback([...changes], info))
  }

  /** Where all rows of this reader begin, the last time: before 0 where they do not. */
  #lastState(records: readonly StreamRecord[]): number {
    const isMine = (record?: StreamRecord) => record?.text2 === '' || record?.text2 === this.reader
    let start = records.length - 1
    while (start >= 0 && !(records[start]?.letter === 'S' && isMine(records[start]))) start -= 1
    return start
  }

  /** Takes all rows, which begin there. Gives the records after them. */
  #replace(records: readonly StreamRecord[], start: number): readonly StreamRecord[] {
    const isSame = !this.#describe(JSON.parse(records[start]?.text ?? '') as Description)
    const rows = new Map<string, Held>()
    const copies = new Map<string, number>()
    let from = start + 1
    for (let record = records[from]; record?.letter === 's'; record = records[++from]) {
      const { text, text2 } = record
      const id = this.#idOf(text, text2) ?? this.#copy(text, copies)
      if (rows.has(id)) this.#refuseKey(id)
      const held = isSame ? this.#rows?.get(id) : undefined
      rows.set(id, held?.text === text ? held : { text, row: this.#read(text) })
    }
    this.#rows = rows
    this.#copies = copies
    return records.slice(from + 1)
  }

  /** True when it was something else before. */
  #describe({ key, columns }: Description): boolean {
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

  /** Applies changed rows. */
  #patch(records: readonly StreamRecord[]): { changes: Change[]; isComplete: boolean } {
    const keyed = new Map<string, Touched>()
    const counted = new Map<string, number>()
    for (const { letter, text, text2 } of records) {
      if (letter !== '+' && letter !== '-') continue
      const id = this.#idOf(text, text2)
      if (id === undefined) counted.set(text, (counted.get(text) ?? 0) + (letter === '+' ? 1 : -1))
      else {
        let touched = keyed.get(id)
        if (touched === undefined) {
          const held = this.#rows?.get(id)
          touched = { texts: held ? [held.text] : [], owed: [] }
          keyed.set(id, touched)
        }
        touch(touched, letter, text)
      }
    }
    return this.#resolve(keyed, counted)
  }

  #resolve(keyed: Map<string, Touched>, counted: Map<string, number>): { changes: Change[]; isComplete: boolean } {
    const changes: Change[] = []
    let isComplete = true
    for (const [id, { texts, owed }] of keyed) {
      if (owed.length > 0) isComplete = false
      if (texts.length > 1) this.#refuseKey(id)
      this.#set(id, texts[0], changes)
    }
    for (const [text, added] of counted) {
      const before = this.#copies.get(text) ?? 0
      if (before + added < 0) isComplete = false
      const after = Math.max(before + added, 0)
      if (after === 0) this.#copies.delete(text)
      else this.#copies.set(text, after)
      for (let n = before; n > after; n -= 1) this.#set(copyId(text, n), undefined, changes)
      for (let n = before + 1; n <= after; n += 1) this.#set(copyId(text, n), text, changes)
    }
    return { changes, isComplete }
  }

  /** Lets a row have this text, or go. */
  #set(id: string, text: string | undefined, changes: Change[]): void {
    const held = this.#rows?.get(id)
    if (held?.text === text) return
    if (text === undefined) {
      if (held === undefined) return
      this.#rows?.delete(id)
      changes.push({ op: 'delete', row: held.row, ...this.#identify(id, held.row) })
      return
    }
    const row = this.#read(text)
    this.#rows?.set(id, { text, row })
    const identity = this.#identify(id, row)
    changes.push(held ? { op: 'update', row, old: held.row, ...identity } : { op: 'insert', row, ...identity })
  }

  /** The id of a row that has a key. */
  #idOf(text: string, key: string): string | undefined {
    if (this.givenKey === undefined) return key === '' ? undefined : key
    const values = readRow(text)
    return JSON.stringify(this.givenKey.map((name) => values[this.#fields.findIndex((field) => field.name === name)]))
  }

  #copy(text: string, copies: Map<string, number>): string {
    const n = (copies.get(text) ?? 0) + 1
    copies.set(text, n)
    return copyId(text, n)
  }

  readonly #identify = (id: string, row: AnyRow): { id: string; key: AnyRow } => {
    if (this.#key.length === 0) return { id, key: { __pgt_id: id } }
    return { id, key: Object.fromEntries(this.#key.map((name) => [name, row[name]])) }
  }

  #read(text: string): AnyRow {
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

function touch(touched: Touched, letter: '+' | '-', text: string): void {
  const { texts, owed } = touched
  const [from, to] = letter === '+' ? [owed, texts] : [texts, owed]
  const place = from.indexOf(text)
  if (place >= 0) from.splice(place, 1)
  else to.push(text)
}

function copyId(text: string, n: number): string {
  return `${text}#${n}`
}

function difference(
  before: Map<string, Held>,
  after: Map<string, Held> | undefined,
  identify: (id: string, row: AnyRow) => { id: string; key: AnyRow },
): Change[] {
  const changes: Change[] = []
  for (const [id, { row }] of before) if (!after?.has(id)) changes.push({ op: 'delete', row, ...identify(id, row) })
  for (const [id, held] of after ?? []) {
    const old = before.get(id)
    const { row } = held
    if (old === undefined) changes.push({ op: 'insert', row, ...identify(id, row) })
    else if (old !== held) changes.push({ op: 'update', row, old: old.row, ...identify(id, row) })
  }
  return changes
}
