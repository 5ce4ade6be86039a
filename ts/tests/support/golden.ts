/** The fixtures and golden files of the core, `pg_trickle_core/tests`. */
import { readFileSync } from 'node:fs'
import { QUERIES } from '../../../bench/tpch/queries.mjs'
import { INDEXES, SCHEMA } from '../../../bench/tpch/schema.mjs'
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

/** The views of the fixtures, but for one whose golden file is that of a role with policies, as a superuser is not; `schema` has the tables. */
export const FIXTURES = SCRIPTS.flatMap((script) => [...script.matchAll(VIEW)])
  .map(({ groups: { name = '', query = '' } = {} }) => ({ name, schema: 'public', query }))
  .concat(TPCH)
  .filter(({ name }) => name !== 'rebuild_row_security')

/** Creates the views. The `search_path` finds the tables of TPC-H first. */
export async function createFixtures(db: Database): Promise<void> {
  for (const script of SCRIPTS) await db.exec(script)
  await db.exec(`CREATE SCHEMA tpch; SET search_path = tpch, public; ${SCHEMA} ${INDEXES}`)
  for (const { name, query } of TPCH) await db.exec(`CREATE VIEW public.${name} AS ${query}`)
}

/** The golden file of a fixture, and the fingerprint of its plan; none if its query cannot be a stream table. */
export function golden(name: string): { text: string; document: string | undefined } {
  const text = read(`golden/${name}.txt`)
  return { text, document: /^document: (.*)$/m.exec(text)?.[1] }
}

/** FNV-1a, as `pg_trickle_core/tests/compile_golden.rs` computes it. */
export function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & (2n ** 64n - 1n)
  return hash.toString(16).padStart(16, '0')
}
