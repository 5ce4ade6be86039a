/** The folder that `pgtrickle-static prepare` writes, for the PGlite under test. Made anew when what it is made of changes. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { StaticModules } from '../../../dist/static.js'
import { MAJOR, MODULE_NAME } from '../../support/modules.js'

const TS = fileURLToPath(new URL('../../..', import.meta.url))
const TOOL = join(TS, 'dist/pgtrickle-static.js')

/** Besides pg_trickle. Every PGlite has it. */
const EXTENSION = `${MODULE_NAME}/contrib/pg_trgm#pg_trgm`

/** The output of `pgtrickle-static`, as a user runs it. */
export async function runTool(...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [TOOL, ...options], { cwd: TS })
  return stdout
}

export async function preparedFolder(): Promise<string> {
  const hash = createHash('sha256').update(EXTENSION)
  const pglite = join(dirname(createRequire(import.meta.url).resolve(MODULE_NAME)), 'pglite.wasm')
  for (const file of [TOOL, join(TS, `dist/pg_trickle-pg${MAJOR}.tar.gz`), pglite]) hash.update(await readFile(file))
  const cache = join(TS, 'node_modules/.cache/pg_trickle')
  const folder = join(cache, `static-${MODULE_NAME}-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(folder)) return folder
  await mkdir(cache, { recursive: true })
  const draft = `${folder}.${process.pid}`
  await runTool('prepare', draft, '--pglite', MODULE_NAME, '--extension', EXTENSION)
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
