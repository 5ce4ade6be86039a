// The measured database: a stock PGlite in memory, with the two extensions that are compared.

import { PGlite } from '@electric-sql/pglite'
import { live } from '@electric-sql/pglite/live'
import { trickle } from '@pgtrickle/pglite'

/** Opens the database, optionally with `more` extensions. */
export function open(more = {}) {
  return PGlite.create({ extensions: { live, trickle, ...more } })
}
