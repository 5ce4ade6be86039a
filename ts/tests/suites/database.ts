/** The database that a suite runs in. */
import { readFile } from 'node:fs/promises'
import { trickle } from '../../dist/index.js'
import { loadModule } from '../support/modules.js'
import type { Database } from '../support/modules.js'

/** Opens a data directory that was written to this file, or a new one if there is no such file. */
export async function open(dataDir: string): Promise<Database> {
  const { PGlite } = await loadModule()
  const saved = await readFile(dataDir).catch(() => undefined)
  return (await PGlite.create({
    extensions: { trickle },
    ...(saved && { loadDataDir: new Blob([saved]) }),
  })) as Database
}
