/** A tab. The database runs in the worker of the leading tab. */
import { PGliteWorker } from '@electric-sql/pglite/worker'
import { trickle } from '@pgtrickle/pglite'
import { provide } from '../database.js'

provide((dataDir) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  return PGliteWorker.create(worker, { ...(dataDir !== undefined && { dataDir }), extensions: { trickle } })
})
