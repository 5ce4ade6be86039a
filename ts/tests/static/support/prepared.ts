/** The folder that `pgtrickle-static prepare` writes, for the PGlite under test. Made anew when what it is made of changes. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { StaticModules } from '../../../dist/static.js'
import { MODULE_NAME } from '../../support/modules.js'

const TS = fileURLToPath(new URL('../../..', import.meta.url))
export const TOOL = join(TS, 'dist/pgtrickle-static.js')
const PREPARE = join(TS, 'dist/prepare.js')

/** What the command runs, in this process, so that coverage counts it. */
export async function prepareHere(): Promise<typeof import('../../../src/static/prepare/prepare.js').prepare> {
  const { href } = pathToFileURL(PREPARE)
  return ((await import(href)) as typeof import('../../../src/static/prepare/prepare.js')).prepare
}

export async function preparedFolder(name = MODULE_NAME): Promise<string> {
  const extension = `${name}/contrib/pg_trgm#pg_trgm` // besides pg_trickle; every PGlite has it
  const hash = createHash('sha256').update(extension)
  const pglite = join(dirname(createRequire(import.meta.url).resolve(name)), 'pglite.wasm')
  const bundles = [17, 18].map((major) => join(TS, `dist/pg_trickle-pg${major}.tar.gz`))
  for (const file of [PREPARE, ...bundles, pglite]) hash.update(await readFile(file))
  const cache = join(TS, 'node_modules/.cache/pg_trickle')
  const folder = join(cache, `static-${name}-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(folder)) return folder
  await mkdir(cache, { recursive: true })
  const draft = `${folder}.${process.pid}`
  await (
    await prepareHere()
  )({ folder: draft, from: TS, pglite: name, extensions: [extension] })
  // Renaming is atomic, and another test file may make the same folder at the same time.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true }))
  return folder
}

/** The modules, compiled now. */
export async function preparedModules(): Promise<StaticModules> {
  const { href } = pathToFileURL(join(await preparedFolder(), 'load.js'))
  const { loadModules } = (await import(/* @vite-ignore */ href)) as { loadModules: () => Promise<StaticModules> }
  return loadModules()
}
