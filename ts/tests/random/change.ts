/** Random statements that change the tables, as text. Nothing here uses the database. */
import { Expressions } from './expression.js'
import type { Rng } from './rng.js'
import { TYPES, value } from './schema.js'
import type { Column, Table } from './schema.js'

/** Begins a step that sets the clock. SQL takes it for a comment. */
export const CLOCK = '-- clock: '

/** Times around the dates in the tables. */
const TIMES = [
  '2025-12-31T23:00:00Z',
  '2026-01-01T00:00:00Z',
  '2026-01-01T18:30:00Z',
  '2026-01-02T12:00:00Z',
  '2026-01-03T00:00:00Z',
  '2026-02-27T23:59:59Z',
  '2026-02-28T06:00:00Z',
  '2026-03-02T00:00:00Z',
]

export class Changes {
  #nextId = 1

  constructor(
    private readonly rng: Rng,
    private readonly tables: readonly Table[],
  ) {}

  /** Rows for each table, inserted before the stream tables are created. */
  initial(): string[] {
    return this.tables.filter(() => this.rng.chance(0.85)).map((table) => this.#insert(table, this.rng.int(1, 8)))
  }

  /** Many rows in two groups: the first table has 500 rows, the others have 40. */
  skewed(): string[] {
    return this.tables.map((table, position) => {
      const rows = position === 0 ? 500 : 40
      const values = table.columns.map(({ name, type, domain }, column) => {
        if (name === 'id') return `${this.#nextId} + i`
        // The columns that tables are joined by have two values.
        const cast = `::${TYPES[type]}`
        const [a, b, c] = this.rng.times(3, 3, () => value(this.rng, type, domain === undefined ? 0.1 : 0) + cast)
        return `(CASE i % ${column < 3 ? 2 : 5} WHEN 0 THEN ${a} WHEN 1 THEN ${b} ELSE ${c} END)`
      })
      if (table.keyed) this.#nextId += rows + 1
      return `INSERT INTO ${table.name} SELECT ${values.join(', ')} FROM generate_series(1, ${rows}) AS i`
    })
  }

  /** One statement, or several that form a transaction. */
  step(): string[] {
    if (this.rng.chance(0.15)) return [`${CLOCK}${this.rng.pick(TIMES)}`, 'SELECT pgtrickle.advance()']
    if (!this.rng.chance(0.15)) return [this.#statement()]
    const inside = () => this.rng.times(1, 2, () => this.#statement())
    const end = this.rng.pick(['COMMIT', 'COMMIT', 'ROLLBACK'])
    if (this.rng.chance(0.5)) return ['BEGIN', ...inside(), end]
    const back = this.rng.pick(['ROLLBACK TO s', 'ROLLBACK TO s', 'RELEASE s'])
    return ['BEGIN', ...inside(), 'SAVEPOINT s', ...inside(), back, ...inside(), end]
  }

  #statement(): string {
    if (this.rng.chance(0.2)) return this.#several()
    const table = this.rng.pick(this.tables)
    if (this.rng.chance(0.04))
      return `TRUNCATE ${this.rng.chance(0.3) ? this.tables.map(({ name }) => name).join(', ') : table.name}`
    if (this.rng.chance(0.04)) return this.#insert(table, 60)
    return this.#one(table)
  }

  #one(table: Table): string {
    return this.rng.pick([
      () => this.#insert(table, this.rng.int(1, 4)),
      () => this.#copy(table),
      () => this.#update(table),
      () => this.#update(table),
      () => this.#delete(table),
      () => this.#upsert(table),
    ])()
  }

  /** A data-modifying CTE: one statement that changes several tables, or one table several times. */
  #several(): string {
    const parts = this.rng.times(1, 2, (i) => `w${i + 1} AS (${this.#one(this.rng.pick(this.tables))})`)
    return `WITH ${parts.join(', ')} ${this.#one(this.rng.pick(this.tables))}`
  }

  #insert(table: Table, rows: number): string {
    const tuples = Array.from(
      { length: rows },
      () => `(${table.columns.map((column) => this.#value(column)).join(', ')})`,
    )
    return `INSERT INTO ${table.name} VALUES ${tuples.join(', ')}`
  }

  #value({ name, type, domain }: Column): string {
    return name === 'id' ? String(this.#nextId++) : value(this.rng, type, domain === undefined ? undefined : 0)
  }

  /** Copies of existing rows. */
  #copy(table: Table): string {
    if (table.keyed) return this.#insert(table, 2)
    return `INSERT INTO ${table.name} SELECT * FROM ${table.name} WHERE ${this.#condition(table)} LIMIT 20`
  }

  #upsert(table: Table): string {
    if (!table.keyed) return this.#insert(table, 1)
    const column = this.rng.pick(table.columns.slice(1)).name
    const known = this.rng.int(1, this.#nextId)
    const tuple = (id: string) => `(${[id, ...table.columns.slice(1).map((c) => this.#value(c))].join(', ')})`
    const action = this.rng.pick(['NOTHING', `UPDATE SET ${column} = EXCLUDED.${column}`])
    return `INSERT INTO ${table.name} VALUES ${tuple(String(known))}, ${tuple(String(this.#nextId++))} ON CONFLICT (id) DO ${action}`
  }

  #update(table: Table): string {
    const columns = table.columns.filter(({ name }) => name !== 'id')
    const expressions = new Expressions(
      this.rng,
      table.columns.map(({ name, type }) => ({ sql: name, type })),
    )
    const chosen = new Set(this.rng.times(1, 2, () => this.rng.pick(columns)))
    const set = [...chosen].map((column) => {
      // In a long run a computed value may overflow its column; a column or a literal cannot.
      const computed = () => expressions.of(column.type, 0)
      if (this.rng.chance(0.5)) return `${column.name} = ${this.#value(column)}`
      return `${column.name} = ${column.domain === undefined ? computed() : `coalesce(${computed()}, ${this.#value(column)})`}`
    })
    return `UPDATE ${table.name} SET ${set.join(', ')} WHERE ${this.#condition(table)}`
  }

  #delete(table: Table): string {
    if (!table.keyed && this.rng.chance(0.3)) {
      return `DELETE FROM ${table.name} WHERE ctid = (SELECT min(ctid) FROM ${table.name} WHERE ${this.#condition(table)})`
    }
    return `DELETE FROM ${table.name} WHERE ${this.#condition(table)}`
  }

  #condition(table: Table): string {
    if (table.keyed && this.rng.chance(0.4)) return `id % ${this.rng.int(2, 5)} = ${this.rng.int(0, 1)}`
    if (this.rng.chance(0.05)) return 'true'
    return new Expressions(
      this.rng,
      table.columns.map(({ name, type }) => ({ sql: name, type })),
    ).condition(1)
  }
}
