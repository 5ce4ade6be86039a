/** The PGlite under test. The vitest project chooses it with the environment variable PGLITE. */
import { readFile } from 'node:fs/promises'
import type { PGlite, PGliteOptions } from 'pglite-0.5'
import { inject } from 'vitest'
import { trickle } from '../../dist/index.js'
import type { TrickleExtension } from '../../dist/index.js'
import { IS_NATIVE, loadModule, MAJOR } from './modules.js'
import type { Database } from './modules.js'

export * from './modules.js'

type Options = Omit<PGliteOptions, 'extensions'>

/** Opens a new database with the plugin, from an initialised data directory (initdb takes 2 s). */
export async function openDatabase(options: Options = {}): Promise<Database> {
  if (!IS_NATIVE) return (await openWith({ trickle }, options)) as Database
  const { openNative } = await import('./native.js')
  return openNative(MAJOR)
}

/** Opens a new database with the given extensions. */
export async function openWith(extensions: Record<string, TrickleExtension>, options: Options = {}): Promise<PGlite> {
  const { PGlite } = await loadModule()
  const loadDataDir = options.dataDir === undefined ? await emptyDataDir() : undefined
  return PGlite.create({ ...(loadDataDir && { loadDataDir }), ...options, extensions })
}

/** The data directory that initdb made for this PGlite. */
export async function emptyDataDir(): Promise<Blob> {
  return new Blob([await readFile(inject('dataDir'))])
}
