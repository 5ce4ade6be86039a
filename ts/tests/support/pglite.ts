/** The PGlite under test. The vitest project chooses it with the environment variable PGLITE. */
import { readFile } from 'node:fs/promises'
import type { PGlite, PGliteOptions } from 'pglite-0.5'
import { inject } from 'vitest'
import { trickle } from '../../dist/index.js'
import type { Trickle, TrickleExtension } from '../../dist/index.js'

export type Module = typeof import('pglite-0.5')
export type Database = PGlite & { trickle: Trickle }
type Options = Omit<PGliteOptions, 'extensions'>

const MODULES: Record<string, () => Promise<unknown>> = {
  'pglite-0.4': () => import('pglite-0.4'),
  'pglite-0.4.0': () => import('pglite-0.4.0'),
  'pglite-0.5': () => import('pglite-0.5'),
  'pglite-0.5.0': () => import('pglite-0.5.0'),
}

export const MODULE_NAME = process.env.PGLITE ?? 'pglite-0.5'
export const MAJOR = MODULE_NAME.startsWith('pglite-0.4') ? 17 : 18

/** Imports any of the aliases. The types are those of the newest. */
export async function loadModule(name = MODULE_NAME): Promise<Module> {
  const load = MODULES[name]
  if (load === undefined) throw new Error(`PGLITE=${name}: there is no such alias`)
  return (await load()) as Module
}

/** Opens a new database with the plugin, from an initialised data directory (initdb takes 2 s). */
export async function openDatabase(options: Options = {}): Promise<Database> {
  return (await openWith({ trickle }, options)) as Database
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
