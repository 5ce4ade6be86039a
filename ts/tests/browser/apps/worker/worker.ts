/** The worker that runs the database. */
import { PGlite } from '@electric-sql/pglite'
import { worker } from '@electric-sql/pglite/worker'
import { trickle } from '@pgtrickle/pglite'

void worker({
  init: ({ dataDir }) => PGlite.create({ ...(dataDir !== undefined && { dataDir }), extensions: { trickle } }),
})
