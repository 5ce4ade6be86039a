/** The OIDs of built-in operators in the library's table are PostgreSQL's. */

import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { openDatabase } from './support/pglite.js'

it('the table has the default operators of common types', async () => {
  const source = await readFile(new URL('../../pg_trickle_core/src/catalog.rs', import.meta.url), 'utf8')
  const table = /const USUAL: \[\[Oid; 4\]; (\d+)\] = \[([^;]*)\];/.exec(source)
  const known = [...(table?.[2] ?? '').matchAll(/\[(\d+), (\d+), (\d+), (\d+)\], +\/\/ (\w+)/g)].map(
    ([, type, equal, less, greater, name]) => ({ name, operators: [type, equal, less, greater].map(Number) }),
  )
  expect(known).toHaveLength(Number(table?.[1]))
  const pg = await openDatabase()
  // varchar has no operator class of its own and uses that of text.
  const { rows } = await pg.query(
    `SELECT t.typname AS name, ARRAY[t.oid::int] || ARRAY(
       SELECT o.amopopr::int FROM pg_opclass c JOIN pg_amop o ON o.amopfamily = c.opcfamily
       WHERE c.opcdefault AND c.opcmethod = 403 AND c.opcintype = CASE t.typname WHEN 'varchar' THEN 25 ELSE t.oid END
         AND o.amoplefttype = c.opcintype AND o.amoprighttype = c.opcintype AND o.amopstrategy IN (1, 3, 5)
       ORDER BY o.amopstrategy = 3 DESC, o.amopstrategy) AS operators
     FROM pg_type t WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typname = ANY ($1) ORDER BY t.oid`,
    [known.map(({ name }) => name)],
  )
  expect(rows).toEqual(known)
})
