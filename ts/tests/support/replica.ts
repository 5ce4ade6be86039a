/**
 * A copy of a stream table that only its feed maintains: `pgtrickle.changes()`. It checks that changes fit: what is
 * deleted or updated must be there, and a key must have no other row.
 */
import { expect } from 'vitest'
import type { Lab } from './lab.js'
import { literal } from './literal.js'

interface FeedRow {
  seq: number | bigint
  tx: number | bigint | null
  op: string
  key: string | null
  old: string | null
  row: string | null
}

export class Replica {
  /** How many rows there are of each text. */
  readonly #rows = new Map<string, number>()
  /** The row of each key. */
  readonly #keys = new Map<string, string>()
  /** The number of the last change. */
  after = 0
  /** How often it had to begin anew. */
  snapshots = 0

  constructor(
    readonly lab: Lab,
    public name: string,
  ) {}

  /** Begins with all rows. */
  async begin(): Promise<this> {
    this.snapshots += 1
    const rows = await this.#read('snapshot => true')
    expect(rows[0], this.name).toMatchObject({ op: 'snapshot', tx: null, key: null, old: null, row: null })
    this.#rows.clear()
    this.#keys.clear()
    this.after = Number(rows[0]?.seq)
    for (const each of rows.slice(1)) {
      expect(each).toMatchObject({ op: 'insert', old: null })
      expect(Number(each.seq)).toBe(this.after)
      this.#apply(each)
    }
    return this
  }

  /** Applies all changes since the last call, at most `max` at a time. Begins anew where they are no longer kept. */
  async follow(max = 1000): Promise<void> {
    for (;;) {
      let changes: FeedRow[]
      try {
        changes = await this.#read(`after => ${this.after}, max => ${max}`)
      } catch (error) {
        expect(error).toMatchObject({ code: '72T01' })
        await this.begin()
        continue
      }
      for (const change of changes) {
        expect(Number(change.seq), `${this.name}: numbers without a gap`).toBe(this.after + 1)
        this.after = Number(change.seq)
        this.#apply(change)
      }
      if (changes.length < max) return
    }
  }

  /** Compares the copy with the stream table. */
  async check(after: string): Promise<void> {
    const rows = await this.lab.pg.query<{ text: string; count: number }>(
      `SELECT to_jsonb(__row)::text AS text, count(*)::int AS count FROM ${this.name} AS __row GROUP BY 1`,
    )
    const expected = rows.rows.map(({ text, count }) => `${text} ${count}`).sort()
    const found = [...this.#rows].map(([text, count]) => `${text} ${count}`).sort()
    expect(found, `${this.name} after ${after}\n${this.lab.script.slice(-60).join(';\n')}`).toEqual(expected)
  }

  async #read(options: string): Promise<FeedRow[]> {
    const { rows } = await this.lab.pg.query<FeedRow>(
      `SELECT seq, tx, op, key::text, old::text, row::text FROM pgtrickle.changes(${literal(this.name)}, ${options})`,
    )
    return rows
  }

  #apply({ op, key, old, row }: FeedRow): void {
    const fits = {
      insert: old === null && row !== null,
      update: old !== row && old !== null && row !== null,
      delete: old !== null && row === null,
    }
    if (!fits[op as keyof typeof fits]) throw new Error(`${this.name}: not an ${op}: ${old} ${row}`)
    if (key !== null) {
      if ((this.#keys.get(key) ?? null) !== old) throw new Error(`${this.name}: ${op} of ${key} does not fit: ${old}`)
      if (row === null) this.#keys.delete(key)
      else this.#keys.set(key, row)
    }
    if (old !== null) this.#add(old, -1)
    if (row !== null) this.#add(row, 1)
  }

  #add(text: string, by: number): void {
    const count = (this.#rows.get(text) ?? 0) + by
    if (count < 0) throw new Error(`${this.name}: there is no row ${text}`)
    if (count === 0) this.#rows.delete(text)
    else this.#rows.set(text, count)
  }
}
