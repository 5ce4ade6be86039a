/** Random statements of every kind, in random transactions, as text. Nothing here uses the database. */
import type { Rng } from '../random/rng.js'
import { CLOCK } from '../random/change.js'
import { KEYED, query, TABLES } from './world.js'

const STREAMS = ['s1', 's2', 's3', 's4', 's5', 's6']

export class Statements {
  #nextId = 1

  constructor(
    private readonly rng: Rng,
    /** The PostgreSQL major version. */
    private readonly major: number,
  ) {}

  /** Rows for all tables, starting with those that others reference. */
  initial(): string[] {
    return TABLES.filter((name) => name !== 'parts').map((name) => this.#insert(name, 4))
  }

  /** The stream tables that a round starts with. */
  streams(count: number): Record<string, { sql: string; freeSpelling: boolean }> {
    const made: Record<string, { sql: string; freeSpelling: boolean }> = {}
    for (const name of STREAMS.slice(0, count)) {
      made[name] = { sql: query(this.rng, Object.keys(made), this.major), freeSpelling: false }
    }
    return made
  }

  /** A statement, a transaction with savepoints, or a move of the clock. */
  step(): string[] {
    if (this.rng.chance(0.08))
      return [
        `${CLOCK}2026-01-0${this.rng.int(1, 7)}T${this.rng.pick(['00', '12'])}:00:00Z`,
        'SELECT pgtrickle.advance()',
      ]
    if (this.rng.chance(0.6)) return this.#any()
    const steps = ['BEGIN', ...this.#some()]
    const open: string[] = []
    for (let i = this.rng.int(0, 4); i > 0; i--) {
      const last = open.at(-1)
      if (last === undefined || this.rng.chance(0.5)) {
        open.push(`p${open.length + 1}`)
        steps.push(`SAVEPOINT p${open.length}`)
      } else if (this.rng.chance(0.65)) {
        steps.push(`ROLLBACK TO ${last}`)
      } else {
        steps.push(`RELEASE ${last}`)
        open.pop()
      }
      steps.push(...this.#some())
    }
    if (open.length > 0 && this.rng.chance(0.4)) steps.push('ROLLBACK TO p1', ...this.#some())
    return [...steps, this.rng.pick(['COMMIT', 'COMMIT', 'ROLLBACK'])]
  }

  #some(): string[] {
    return this.rng.times(1, 3, () => this.#any()).flat()
  }

  #any(): string[] {
    const roll = this.rng.next()
    if (roll < 0.62) return [this.#change()]
    if (roll < 0.72) return [this.#command()]
    if (roll < 0.82) return this.#ddl()
    if (roll < 0.9) return this.#around()
    if (roll < 0.94) return [this.#trigger()]
    if (roll < 0.97) return [this.#listener()]
    return [this.#setting()]
  }

  #value(): string {
    return this.rng.chance(0.1) ? 'NULL' : String(this.rng.int(0, 5))
  }

  /** An id that may exist. */
  #known(): number {
    return this.rng.int(1, this.#nextId)
  }

  #insert(table: string, rows: number): string {
    const tuples = this.rng.times(rows, rows, () => {
      const id = table === 'p' || table === 'n' || !this.rng.chance(0.3) ? this.#nextId++ : this.#known()
      const up = table === 'c' || table === 'd' || table === 'n' ? 'NULL' : String(this.#known())
      const k =
        table === 'parts1'
          ? this.rng.int(0, 1)
          : table === 'parts2'
            ? this.rng.int(2, 3)
            : table === 'rest'
              ? 'NULL'
              : this.#value()
      return table === 'p' ? `(${id}, ${k}, ${this.#value()})` : `(${id}, ${up}, ${k}, ${this.#value()})`
    })
    const columns = table === 'p' ? 'id, k, v' : 'id, p_id, k, v'
    return `INSERT INTO ${table} (${columns}) VALUES ${tuples.join(', ')}`
  }

  #where(): string {
    return this.rng.pick([
      `id = ${this.#known()}`,
      `id % ${this.rng.int(2, 4)} = 0`,
      `k = ${this.rng.int(0, 4)}`,
      `v > ${this.rng.int(0, 5)}`,
      'k IS NULL',
      'false',
    ])
  }

  #change(): string {
    const table = this.rng.pick(TABLES)
    const other = this.rng.pick(TABLES)
    const keyed = this.rng.pick(KEYED)
    const one = () =>
      this.rng.pick([
        () => this.#insert(table, this.rng.int(1, 3)),
        () => `UPDATE ${table} SET v = ${this.rng.pick(['v + 1', 'v', this.#value()])} WHERE ${this.#where()}`,
        () => `UPDATE ${table} SET k = ${this.rng.pick(['k + 1', '3 - k', this.#value()])} WHERE ${this.#where()}`,
        () => `DELETE FROM ${table} WHERE ${this.#where()}`,
      ])()
    return this.rng.pick<() => string>([
      one,
      one,
      one,
      () => `UPDATE ${this.rng.pick(['p', 'n'])} SET id = id + 1000 WHERE id = ${this.#known()}`,
      () => `UPDATE ${this.rng.pick(['c', 'd', 'n'])} SET p_id = ${this.#known()} WHERE ${this.#where()}`,
      () => `DELETE FROM ${this.rng.pick(['p', 'n'])} WHERE id % 3 = ${this.rng.int(0, 2)}`,
      () => `WITH x AS (${this.#plain(other)}) ${one()}`,
      () => `WITH x AS (${this.#plain(other)}), y AS (${this.#plain(this.rng.pick(TABLES))}) ${one()}`,
      () =>
        `INSERT INTO ${keyed} (id, k, v) VALUES (${this.#known()}, ${this.#value()}, 1), (${this.#nextId++}, 1, ${this.#value()}) ON CONFLICT (id) DO ${this.rng.pick(['NOTHING', 'UPDATE SET v = EXCLUDED.v', 'UPDATE SET k = EXCLUDED.k WHERE false'])}`,
      () =>
        // In PostgreSQL 17 triggers do not see rows that MERGE deletes from a table with a foreign key to itself.
        `MERGE INTO ${keyed} a USING (SELECT DISTINCT ON (id) id, k, v FROM ${other} ORDER BY id, k, v) b ON a.id = b.id WHEN MATCHED AND b.v > 3 THEN ${this.major === 17 && keyed === 'n' ? 'DO NOTHING' : 'DELETE'} WHEN MATCHED THEN UPDATE SET v = b.v WHEN NOT MATCHED THEN INSERT (id, k, v) VALUES (b.id + 5000, b.k, b.v)`,
      () =>
        `MERGE INTO ${this.rng.pick(['parts', 'base'])} a USING (SELECT DISTINCT ON (id) id, k, v FROM ${other} ORDER BY id, k, v) b ON a.id = b.id ${this.rng.pick(['WHEN MATCHED AND b.v > 3 THEN DELETE ', ''])}WHEN MATCHED THEN UPDATE SET ${this.rng.pick(['k', 'v'])} = b.v${this.rng.pick([' WHEN NOT MATCHED THEN INSERT (id, k, v) VALUES (b.id, b.v, b.k)', ''])}${this.rng.pick([' WHEN NOT MATCHED BY SOURCE THEN DELETE', '', ''])}`,
      () => `UPDATE parts SET k = ${this.rng.pick(['k + 1', '3 - k', '5 - coalesce(k, 0)'])} WHERE ${this.#where()}`,
      () =>
        `COPY (SELECT id, k, v FROM ${other} LIMIT 4) TO '/tmp/rows'; COPY ${this.rng.pick(['bag', 'log', 'parts', 'base'])} (id, k, v) FROM '/tmp/rows'${this.rng.pick(['', ' WHERE v > 1'])}`,
      () =>
        `DO $$ DECLARE c CURSOR FOR SELECT * FROM ${table}; BEGIN FOR r IN c LOOP ${this.rng.pick(['UPDATE', 'UPDATE', 'DELETE FROM'])} ${table} WHERE CURRENT OF c; END LOOP; END $$`.replace(
          `UPDATE ${table} WHERE`,
          `UPDATE ${table} SET v = r.v + 1 WHERE`,
        ),
      () => `SET ROLE other; ${one()}; RESET ROLE`,
      () => `SELECT writes()`,
      () => 'EXECUTE kept',
      () => 'EXECUTE kept',
      () => `UPDATE ${table} a SET v = b.v FROM ${other} b WHERE a.id = b.id`,
      () => `DELETE FROM ${table} a USING ${other} b WHERE a.id = b.id AND b.k = ${this.rng.int(0, 4)}`,
      () => `INSERT INTO bag (id, k, v) SELECT id, k, v FROM ${other} LIMIT 5`,
      () => `INSERT INTO bag (id, k, v) SELECT 0, k, v FROM ${this.rng.pick(STREAMS)} LIMIT 5`,
      () => `SELECT note(id) FROM ${this.rng.pick(['p', 'bag'])} WHERE ${this.#where()}`,
      () => `INSERT INTO log SELECT note(1), 1, 1, 1`,
      () =>
        `TRUNCATE ${this.rng.pick(['bag', 'log', 'parts', 'parts2', 'base', 'ONLY base', 'c, d', 'p CASCADE', 'n', 'loose, g'])}`,
      () => this.#block(),
      () => this.#block(),
    ])()
  }

  #plain(table: string): string {
    return this.rng.pick([
      () => this.#insert(table, 1),
      () => `UPDATE ${table} SET v = v + 1 WHERE ${this.#where()}`,
      () => `DELETE FROM ${table} WHERE ${this.#where()}`,
    ])()
  }

  /** Several statements in a PL/pgSQL block, one of them in a subtransaction that may fail. */
  #block(): string {
    const inside = () => `${this.#plain(this.rng.pick(TABLES))};`
    const raise = this.rng.pick([
      "RAISE EXCEPTION 'back';",
      'PERFORM 1 / 0;',
      '',
      this.rng.pick(['', 'DROP TABLE test.log;']),
    ])
    return `DO $$ BEGIN ${inside()} BEGIN ${inside()} ${inside()} ${raise} EXCEPTION WHEN OTHERS THEN ${inside()} END; ${inside()} END $$`
  }

  #command(): string {
    const name = this.rng.pick(STREAMS)
    const others = STREAMS.filter((other) => other < name)
    const literal = (sql: string) => `'${sql.replaceAll("'", "''")}'`
    const made = literal(query(this.rng, others, this.major))
    return this.rng.pick([
      `SELECT pgtrickle.create_stream_table('${name}', ${made})`,
      `SELECT pgtrickle.create_or_replace_stream_table('${name}', ${made})`,
      `SELECT pgtrickle.create_stream_table_if_not_exists('${name}', ${made})`,
      `SELECT pgtrickle.alter_stream_table('${name}', ${made})`,
      `SELECT pgtrickle.alter_stream_table('${name}', ${literal(query(this.rng, STREAMS, this.major))})`,
      `SELECT pgtrickle.drop_stream_table('${name}')`,
      `SELECT pgtrickle.drop_stream_table('${name}', true)`,
      `SELECT pgtrickle.refresh_stream_table('${name}')`,
      `DO $$ BEGIN PERFORM pgtrickle.alter_stream_table('${name}', ${made}); UPDATE p SET v = v + 1; RAISE EXCEPTION 'back'; EXCEPTION WHEN raise_exception THEN DELETE FROM bag WHERE v = 1; END $$`,
    ])
  }

  /** State that outlives a statement: prepared statements, temporary tables that hide others, materialized views, rules. */
  #around(): string[] {
    const name = this.rng.pick(STREAMS)
    const table = this.rng.pick(['p', 'c', 'bag', 'base', 'parts', 'n', 'm', 'g'])
    return this.rng.pick<() => string[]>([
      () => ['DEALLOCATE ALL', `PREPARE kept AS ${this.#plain(this.rng.pick(TABLES))}`, 'EXECUTE kept'],
      () => ['DEALLOCATE ALL', `PREPARE kept AS ${this.#plain(this.rng.pick(TABLES))}`, ...this.#ddl(), 'EXECUTE kept'],
      () => [
        'CREATE TEMP TABLE log (id int, p_id int, k int, v int)',
        this.#change(),
        'DROP TABLE IF EXISTS pg_temp.log',
      ],
      () => [
        `CREATE MATERIALIZED VIEW mat AS SELECT * FROM ${name}`,
        this.#change(),
        'REFRESH MATERIALIZED VIEW mat',
        'DROP MATERIALIZED VIEW IF EXISTS mat',
      ],
      () => [
        `CREATE RULE also AS ON INSERT TO ${table} DO ALSO INSERT INTO log VALUES (NEW.id, 0, NEW.k, NEW.v)`,
        this.#change(),
        this.#insert(table, 2),
        `DROP RULE IF EXISTS also ON ${table}`,
      ],
      () => [
        `CREATE RULE instead AS ON DELETE TO ${table} DO INSTEAD UPDATE ${table} SET v = 0 WHERE id = OLD.id`,
        `DELETE FROM ${table} WHERE ${this.#where()}`,
        this.#change(),
        `DROP RULE IF EXISTS instead ON ${table}`,
      ],
      () => ['ALTER TABLE bag ENABLE ROW LEVEL SECURITY', `SET ROLE other; UPDATE bag SET v = v + 1; RESET ROLE`],
      () => ['ALTER TABLE bag DISABLE ROW LEVEL SECURITY', `SET ROLE other; DELETE FROM bag WHERE k = 1; RESET ROLE`],
      () => [`ALTER VIEW ${name} OWNER TO other`, this.#change(), `ALTER VIEW ${name} OWNER TO postgres`],
      () => [
        `ALTER TABLE ${table} DISABLE TRIGGER USER; ${this.#insert(table, 2)}; ALTER TABLE ${table} ENABLE TRIGGER USER`,
      ],
      () => [
        'CREATE TABLE filled (LIKE parts); INSERT INTO filled VALUES (1, 1, 1000, 1), (2, 1, 1001, 1)',
        'ALTER TABLE parts ATTACH PARTITION filled FOR VALUES FROM (1000) TO (2000)',
        'UPDATE parts SET k = k - 1000 WHERE k = 1000',
        this.#change(),
        'ALTER TABLE parts DETACH PARTITION filled',
        'DROP TABLE IF EXISTS filled',
      ],
      () => [`ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad'`, `UPDATE m SET mood = 'glad' WHERE ${this.#where()}`],
      () => [
        'ALTER DOMAIN small ADD CONSTRAINT low CHECK (VALUE < 4)',
        this.#insert('m', 2),
        'ALTER DOMAIN small DROP CONSTRAINT IF EXISTS low',
      ],
      () => ['DISCARD ALL', 'SET search_path = test, public'],
      () => [`VACUUM FULL ${table}`],
      () => [`CREATE TABLE copied AS TABLE ${name}; DROP TABLE copied`],
      () => [`ALTER TABLE ${table} ALTER COLUMN v TYPE bigint`, `ALTER TABLE ${table} ALTER COLUMN v TYPE int`],
      () => [
        `ALTER TABLE ${table} ALTER COLUMN k SET NOT NULL`,
        this.#change(),
        `ALTER TABLE ${table} ALTER COLUMN k DROP NOT NULL`,
      ],
    ])()
  }

  #ddl(): string[] {
    const name = this.rng.pick(STREAMS)
    const table = this.rng.pick(['p', 'c', 'bag', 'base', 'parts'])
    const column = this.rng.pick(['k', 'v'])
    return this.rng.pick<() => string[]>([
      () => [`CREATE INDEX ON ${this.rng.pick([name, table])} (${column})`],
      () => [
        `CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT $1 * ${this.rng.int(0, 3)} $$`,
      ],
      () => [
        `CREATE OR REPLACE VIEW w AS SELECT p.id, c.v + ${this.rng.int(0, 3)} AS v FROM p JOIN c ON c.p_id = p.id`,
      ],
      () => [`ALTER TABLE ${table} RENAME TO renamed`, this.#change(), `ALTER TABLE renamed RENAME TO ${table}`],
      () => [
        `ALTER TABLE ${table} RENAME COLUMN ${column} TO z`,
        this.#change(),
        `ALTER TABLE ${table} RENAME COLUMN z TO ${column}`,
      ],
      () => [
        `ALTER TABLE ${table} ADD COLUMN fresh int DEFAULT 1`,
        this.#change(),
        `ALTER TABLE ${table} DROP COLUMN fresh`,
      ],
      () => [
        'ALTER TABLE parts DETACH PARTITION parts1',
        this.#change(),
        'ALTER TABLE parts ATTACH PARTITION parts1 FOR VALUES FROM (MINVALUE) TO (2)',
      ],
      () => ['ALTER TABLE loose INHERIT base', this.#change(), this.#change(), 'ALTER TABLE loose NO INHERIT base'],
      () => [
        'CREATE TABLE parts9 PARTITION OF parts FOR VALUES FROM (100) TO (200)',
        'INSERT INTO parts VALUES (1, 1, 150, 1)',
        'DROP TABLE parts9',
      ],
      () => ['ALTER TABLE g ALTER COLUMN twice SET EXPRESSION AS (v * 3)', this.#change()],
      () => [`ALTER TYPE mood RENAME VALUE '${this.rng.pick(['ok', 'fine'])}' TO '${this.rng.pick(['ok', 'fine'])}'`],
      () => ['ALTER TABLE g DROP CONSTRAINT g_pkey', this.#change(), 'ALTER TABLE g ADD PRIMARY KEY (id)'],
      () => [`ALTER VIEW ${name} RENAME TO moved`, this.#change(), `ALTER VIEW moved RENAME TO ${name}`],
      () => [`DROP VIEW ${name} CASCADE`],
      () => [`BEGIN; DROP TABLE ${table} CASCADE; ROLLBACK`],
      () => [
        'ALTER SCHEMA test RENAME TO test2',
        'SET search_path = test2, public',
        'ALTER SCHEMA test2 RENAME TO test',
        'SET search_path = test, public',
      ],
      () => [`COMMENT ON VIEW ${name} IS 'said'; GRANT SELECT ON ${name} TO PUBLIC`],
      () => [`ANALYZE ${table}`],
      () => [
        `DECLARE cur CURSOR FOR SELECT * FROM ${name}; FETCH 1 FROM cur`,
        this.#change(),
        'FETCH ALL FROM cur; CLOSE cur',
      ],
    ])()
  }

  #trigger(): string {
    const table = this.rng.pick(['p', 'c', 'bag', 'n', 'g', 'base'])
    const [level, time, body] = this.rng.pick([
      ['ROW', 'AFTER INSERT OR DELETE', 'to_log'],
      ['ROW', 'BEFORE INSERT OR UPDATE', 'bend'],
      ['STATEMENT', 'AFTER UPDATE', 'spread'],
      ['ROW', 'AFTER UPDATE', 'complain'],
    ] as const)
    // A trigger on p that changes p would fire itself endlessly.
    if (body === 'spread' && table === 'p') return 'DROP TRIGGER IF EXISTS x ON p'
    return this.rng.pick([
      `CREATE OR REPLACE TRIGGER x ${time} ON ${table} FOR EACH ${level} EXECUTE FUNCTION ${body}()`,
      `CREATE OR REPLACE TRIGGER "X" ${time} ON ${table} FOR EACH ${level} EXECUTE FUNCTION ${body}()`,
      `CREATE CONSTRAINT TRIGGER late AFTER INSERT ON ${table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION to_log()`,
      `DROP TRIGGER IF EXISTS x ON ${table}`,
      `DROP TRIGGER IF EXISTS "X" ON ${table}`,
      `DROP TRIGGER IF EXISTS late ON ${table}`,
    ])
  }

  /** A trigger on a stream table. Those for each row are refused. */
  #listener(): string {
    const name = this.rng.pick(STREAMS)
    const body = this.rng.pick(['hear', 'hear', 'answer'])
    return this.rng.pick([
      `CREATE OR REPLACE TRIGGER ear AFTER ${this.rng.pick(['INSERT', 'UPDATE', 'INSERT OR UPDATE OR DELETE'])} ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION ${body}()`,
      `CREATE OR REPLACE TRIGGER ear AFTER INSERT OR UPDATE OR DELETE ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION ${body}()`,
      `CREATE TRIGGER row INSTEAD OF INSERT ON ${name} FOR EACH ROW EXECUTE FUNCTION ${body}()`,
      `DROP TRIGGER IF EXISTS ear ON ${name}`,
      `ALTER TRIGGER ear ON ${name} RENAME TO other`,
    ])
  }

  #setting(): string {
    return this.rng.pick([
      'SET CONSTRAINTS ALL IMMEDIATE',
      'SET CONSTRAINTS ALL DEFERRED',
      "SET DateStyle = 'German'; SET standard_conforming_strings = off",
      'RESET ALL; SET search_path = test, public',
      'DISCARD PLANS',
      'SET plan_cache_mode = force_custom_plan',
    ])
  }
}
