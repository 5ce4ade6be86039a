/** The packed package: what is in it, and that Node, TypeScript and bundlers find their way through it. */
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { readFile } from 'node:fs/promises'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { gunzipSync } from 'node:zlib'
import { expect, inject, test } from 'vitest'
import { readTar } from '../../src/tar.js'

const tarball = () => readFile(inject('tarball'))

test('it holds what was built, and nothing else', async () => {
  const names = (readTar(gunzipSync(await tarball())) ?? []).map(({ name }) => name.replace(/^package\//, ''))
  const others = names.filter((name) => !name.startsWith('dist/'))
  expect(others.sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
  for (const major of [17, 18]) expect(names).toContain(`dist/pg_trickle-pg${major}.tar.gz`)
  expect(names.filter((name) => /\.test\.|\.wasm$|\.so$/.test(name))).toEqual([])
})

test('publint has nothing to say', async () => {
  const bytes = await tarball()
  const { messages, pkg } = await publint({ pack: { tarball: Uint8Array.from(bytes).buffer }, strict: true })
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
})

test('its types are right for every way to import it', async () => {
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(await tarball())), {
    excludeEntrypoints: [/\.tar\.gz$/],
  })
  if (!result.types) throw new Error('the package has no types')
  expect(Object.keys(result.entrypoints)).toContain('.')
  expect(result.problems).toEqual([])
})
