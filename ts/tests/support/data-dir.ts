/** Makes the empty data directory of a PGlite once. Every test starts from a copy. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    dataDir: string
  }
}

const TS = join(dirname(fileURLToPath(import.meta.url)), '../..')

export default async function setup(project: TestProject): Promise<void> {
  const name = project.config.env.PGLITE ?? 'pglite-0.5'
  project.provide('dataDir', await emptyDataDir(name))
}

async function emptyDataDir(name: string): Promise<string> {
  const { PGlite } = (await import(name)) as typeof import('pglite-0.5')
  const cache = join(TS, 'node_modules/.cache/pg_trickle')
  const file = join(cache, `${name}-${await versionOf(name)}.tar`)
  if (existsSync(file)) return file
  const pg = await PGlite.create()
  const tar = await pg.dumpDataDir('none')
  await pg.close()
  await mkdir(cache, { recursive: true })
  // Renaming is atomic, and another project may make the same file at the same time.
  const draft = `${file}.${process.pid}`
  await writeFile(draft, new Uint8Array(await tar.arrayBuffer()))
  await rename(draft, file)
  return file
}

/** PGlite does not export its package.json, so this searches upwards from its entry point. */
async function versionOf(name: string): Promise<string> {
  let folder = dirname(createRequire(import.meta.url).resolve(name))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }
  return manifest.version
}
