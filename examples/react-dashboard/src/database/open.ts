import { live } from '@electric-sql/pglite/live'
import { PGliteWorker } from '@electric-sql/pglite/worker'
import { trickle } from '@pgtrickle/pglite'

/** The database, as a tab sees it. */
export type Database = Awaited<ReturnType<typeof open>>

/** Opens the database, which all tabs of this site share. */
export async function open(name: string) {
  const thread = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  return PGliteWorker.create(thread, { dataDir: `idb://${name}`, extensions: { live, trickle } })
}
