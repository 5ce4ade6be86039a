/** npm finds versions for the packed package and the packages that apps use beside it. Nothing but metadata is fetched. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

const run = promisify(execFile)

/** Each of PGlite's packages wants one exact release of PGlite, so two of them may exclude each other. */
test.each([
  ['@electric-sql/pglite-pgvector'],
  ['@electric-sql/pglite-socket'],
  ['@electric-sql/pglite-tools'],
  ['@electric-sql/pglite-sync'],
  ['@electric-sql/pglite-react react'],
  // Not @electric-sql/pglite-vue, which wants PGlite 0.3.
  ['vue svelte solid-js react @tanstack/db'],
])('beside the newest %s', async (others) => {
  const folder = join(inject('project'), `beside-${others.replaceAll(/\W+/g, '-')}`)
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{ "name": "beside", "private": true }\n')
  const options = ['--package-lock-only', '--no-audit', '--no-fund', '--prefer-offline']
  const packages = ['@electric-sql/pglite', ...others.split(' ')]
  await run('npm', ['install', ...options, inject('tarball'), ...packages], { cwd: folder })
  const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>
  }
  const pglite = Object.entries(lock.packages).filter(([path]) => path.endsWith('/@electric-sql/pglite'))
  expect(pglite.map(([path]) => path)).toEqual(['node_modules/@electric-sql/pglite'])
  expect(pglite[0]?.[1].version).toMatch(/^0\.[45]\./)
})
