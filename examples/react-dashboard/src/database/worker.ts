/** Runs PGlite, in one tab's worker at a time for all tabs. */
import { PGlite } from '@electric-sql/pglite'
import { live } from '@electric-sql/pglite/live'
import { worker } from '@electric-sql/pglite/worker'
import { trickle } from '@pgtrickle/pglite'

void worker({
  init: (options) =>
    PGlite.create({
      dataDir: options.dataDir,
      // A change is shown when it is committed, and written to IndexedDB right after.
      relaxedDurability: true,
      extensions: { live, trickle },
    }),
})
