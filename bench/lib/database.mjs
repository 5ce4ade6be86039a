// The database under measurement: stock PGlite in memory with the two extensions that are compared.

import { PGlite } from '@electric-sql/pglite'
import { live } from '@electric-sql/pglite/live'
import { trickle } from '@pgtrickle/pglite'

/** With `more` extensions, if need be. */
export function open(more = {}) {
  return PGlite.create({ extensions: { live, trickle, ...more } })
}

/** Whether `relation` holds exactly the rows of `query`, as multisets. */
export async function equalsQuery(pg, relation, query) {
  const { rows } = await pg.query(
    `SELECT count(*)::int AS wrong FROM (
       (SELECT * FROM ${relation} EXCEPT ALL (${query}))
       UNION ALL
       ((${query}) EXCEPT ALL SELECT * FROM ${relation})) AS difference`,
  )
  return rows[0].wrong === 0
}
