/** The packed package: what is in it, and that Node, TypeScript and bundlers find their way through it. */
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { readFile } from 'node:fs/promises'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { gunzipSync } from 'node:zlib'
import { expect, inject, test } from 'vitest'
import { readTar } from '../../src/tar.js'

const tarball = () => readFile(inject('tarball'))

/** The files in it, by their paths. */
async function files(): Promise<Map<string, Uint8Array>> {
  const entries = readTar(gunzipSync(await tarball())) ?? []
  return new Map(entries.map(({ name, data }) => [name.replace(/^package\//, ''), data]))
}

test('it holds what was built, and nothing else', async () => {
  const names = [...(await files()).keys()]
  const others = names.filter((name) => !name.startsWith('dist/'))
  expect(others.sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
  expect(names.filter((name) => !/^dist\/[\w-]+\.(js|cjs|d\.ts|d\.cts)(\.map)?$/.test(name)).sort()).toEqual([
    'LICENSE',
    'README.md',
    ...[17, 18].map((major) => `dist/pg_trickle-pg${major}.tar.gz`),
    'dist/planner.wasm.gz',
    'package.json',
  ])
})

test.each([17, 18])('the bundle for PostgreSQL %i has the module where the README says', async (major) => {
  const packed = await files()
  const bundle = readTar(gunzipSync(packed.get(`dist/pg_trickle-pg${major}.tar.gz`) ?? '')) ?? []
  const [module] = bundle.filter(({ name }) => name === 'lib/postgresql/pg_trickle.so')
  expect(WebAssembly.validate(Uint8Array.from(module?.data ?? []))).toBe(true)
})

test('publint has nothing to say', async () => {
  const bytes = await tarball()
  const { messages, pkg } = await publint({ pack: { tarball: Uint8Array.from(bytes).buffer }, strict: true })
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
})

test('its types are right for every way to import it', async () => {
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(await tarball())), {
    excludeEntrypoints: [/\.gz$/],
  })
  if (!result.types) throw new Error('the package has no types')
  expect(Object.keys(result.entrypoints)).toContain('.')
  expect(result.problems).toEqual([])
})
