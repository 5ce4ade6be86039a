import { live } from '@electric-sql/pglite/live'
import { PGliteWorker } from '@electric-sql/pglite/worker'
import { trickle } from '@pgtrickle/pglite'

/** The database, as a tab sees it. */
export type Database = Awaited<ReturnType<typeof open>>

/** The most flights that are stored. IndexedDB gets whole files again after a change, which takes seconds for more. */
const MOST_STORED = 200_000

/** The data directory for so many flights. */
export const whereToKeep = (name: string, rows: number) =>
  rows > MOST_STORED ? `memory://${name}-${rows}` : `idb://${name}`

/** Opens the database, which all tabs of this site share. */
export async function open(dataDir: string) {
  const thread = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  const failed = new Promise<never>((_, reject) => {
    const fail = (why: string) => reject(new Error(`The database does not open. ${why}`))
    thread.addEventListener('error', ({ message }) => fail(message ?? 'Its worker cannot be loaded.'))
    thread.addEventListener('message', ({ data }) => data.failure && fail(data.failure))
  })
  const options = { dataDir, extensions: { live, trickle } }
  return Promise.race([PGliteWorker.create(thread, options), failed])
}
