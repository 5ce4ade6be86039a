/** Packs the package as it would be published, and installs it with PGlite into an empty project, outside of here. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The packed package. */
    tarball: string
    /** A folder with an empty package.json, and both packages in node_modules. */
    project: string
  }
}

const TS = fileURLToPath(new URL('../../..', import.meta.url))
const run = promisify(execFile)

export default async function setup(context: TestProject): Promise<() => Promise<void>> {
  const project = await mkdtemp(join(tmpdir(), 'pg_trickle-package-'))
  const remove = () => rm(project, { recursive: true, force: true })
  try {
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: TS })
    const [packed] = JSON.parse(stdout) as { filename: string }[]
    if (packed === undefined) throw new Error(`npm pack made nothing: ${stdout}`)
    const tarball = join(project, packed.filename)
    await writeFile(join(project, 'package.json'), '{ "name": "empty", "private": true }\n')
    const pglite = `@electric-sql/pglite@${await testedPglite()}`
    await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', pglite, tarball], { cwd: project })
    context.provide('tarball', tarball)
    context.provide('project', project)
  } catch (error) {
    await remove()
    throw error
  }
  return remove
}

async function testedPglite(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(TS, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  return manifest.devDependencies['@electric-sql/pglite'] ?? 'latest'
}
