/** The fixtures and golden files of the core, `pg_trickle_core/tests`. */
import { readFileSync } from 'node:fs'
import { QUERIES } from '../../../bench/tpch/queries.mjs'
import { INDEXES, SCHEMA } from '../../../bench/tpch/schema.mjs'
import type { TrickleError } from '../../dist/index.js'
import type { Database } from './modules.js'

const core = new URL('../../../pg_trickle_core/tests/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, core), 'utf8')

const SCRIPTS = ['views.sql', 'operators.sql'].map((file) => read(`fixtures/${file}`))
const TPCH = QUERIES.map(({ sql }, n) => ({
  name: `tpch_${String(n + 1).padStart(2, '0')}`,
  schema: 'tpch',
  query: sql,
}))
const VIEW = /^CREATE VIEW (?<name>\w+) AS\s(?<query>[^]*?);$/gm

/** A view of the fixtures; `schema` has its tables. */
export interface Fixture {
  name: string
  schema: string
  query: string
}

/** All but one, whose golden file is that of a role with policies: they do not apply to a superuser. */
export const FIXTURES: Fixture[] = SCRIPTS.flatMap((script) => [...script.matchAll(VIEW)])
  .map(({ groups: { name = '', query = '' } = {} }) => ({ name, schema: 'public', query }))
  .concat(TPCH)
  .filter(({ name }) => name !== 'rebuild_row_security')

/** Creates the views. The `search_path` finds the tables of TPC-H first. */
export async function createFixtures(db: Database): Promise<void> {
  for (const script of SCRIPTS) await db.exec(script)
  await db.exec(`CREATE SCHEMA tpch; SET search_path = tpch, public; ${SCHEMA} ${INDEXES}`)
  for (const { name, query } of TPCH) await db.exec(`CREATE VIEW public.${name} AS ${query}`)
}

/** FNV-1a, as `pg_trickle_core/tests/compile_golden.rs` computes it. */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & (2n ** 64n - 1n)
  return hash.toString(16).padStart(16, '0')
}

/** The fixtures whose plan has other bytes than their golden file says, and how many are refused, as it says. */
export async function compare(
  planOf: (fixture: Fixture) => Promise<string>,
): Promise<{ wrong: string[]; refused: number }> {
  const wrong: string[] = []
  let refused = 0
  for (const fixture of FIXTURES) {
    const golden = read(`golden/${fixture.name}.txt`)
    const expected = /^document: (.*)$/m.exec(golden)?.[1]
    try {
      if (fingerprint(await planOf(fixture)) !== expected) wrong.push(fixture.name)
    } catch (error) {
      const { code, message, hint } = error as TrickleError
      if (expected !== undefined || !golden.includes(`${code}: ${message}; ${hint ?? ''}`)) throw error
      refused += 1
    }
  }
  return { wrong, refused }
}
