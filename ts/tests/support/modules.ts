/** The versions of PGlite under test. The environment variable PGLITE chooses one. */
import type { PGlite } from 'pglite-0.5'
import type { Trickle } from '../../dist/index.js'

export type Module = typeof import('pglite-0.5')
export type Database = PGlite & { trickle: Trickle }

const MODULES: Record<string, () => Promise<unknown>> = {
  'pglite-0.4': () => import('pglite-0.4'),
  'pglite-0.4.0': () => import('pglite-0.4.0'),
  'pglite-0.5': () => import('pglite-0.5'),
  'pglite-0.5.0': () => import('pglite-0.5.0'),
}

export const MODULE_NAME = process.env.PGLITE ?? 'pglite-0.5'
export const MAJOR = MODULE_NAME.startsWith('pglite-0.4') ? 17 : 18

/** Whether a native server takes the place of PGlite, which then only says of which PostgreSQL it is. */
export const IS_NATIVE = process.env.NATIVE !== undefined

/** Imports any of the aliases. The types are those of the newest. */
export async function loadModule(name = MODULE_NAME): Promise<Module> {
  const load = MODULES[name]
  if (load === undefined) throw new Error(`PGLITE=${name}: there is no such alias`)
  return (await load()) as Module
}
