/** `pgtrickle-static prepare`: what it writes, and what it says to options that it cannot follow. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MAJOR, MODULE_NAME } from '../support/modules.js'
import { prepareHere, TOOL } from './support/prepared.js'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgtrickle-static-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

const prepare = await prepareHere()

test('a folder holds the modules, the data and the two ways to import them', async () => {
  const trgm = `${MODULE_NAME}/contrib/pg_trgm#pg_trgm`
  const { manifest } = await prepare({
    folder,
    pglite: MODULE_NAME,
    extensions: [trgm],
    libraries: ['utf8_and_iso8859_1'],
    sql: ['CREATE TABLE prepared (a int)'],
    memory: 32,
  })
  expect(manifest).toMatchObject({ postgres: MAJOR, initialMemory: 32 * 1024 * 1024 })
  const libraries = ['plpgsql', 'dict_snowball', 'utf8_and_iso8859_1', 'pg_trickle', 'pg_trgm']
  expect(manifest.libraries).toEqual(libraries)
  const written = await readdir(folder)
  expect(written).toEqual(
    expect.arrayContaining([
      ...['data-dir.tar.gz.bin', 'load.js', 'modules.d.ts', 'modules.js', 'pglite.data.bin', 'pglite.wasm'],
      ...['pg_trgm.tar.bin', 'pg_trickle.tar.bin', 'trampoline-1.wasm', 'trampoline-2.wasm'],
      ...libraries.map((library) => `${library}.wasm`),
    ]),
  )
  const imports = await readFile(join(folder, 'modules.js'), 'utf8')
  for (const file of written.filter((name) => /\.(wasm|bin)$/.test(name))) expect(imports).toContain(`'./${file}'`)
})

describe('options that cannot be followed', () => {
  test.each<[string, Parameters<typeof prepare>[0], RegExp]>([
    ['no such package', { pglite: 'pglite-9' }, /cannot find pglite-9 from .*: install it there/],
    ['no such library', { libraries: ['utf9'] }, /--library utf9: PGlite has no such library. It has .*plpgsql/],
    ['an extension without its export', { extensions: ['x'] }, /--extension x: say which export it is, as x#NAME/],
    [
      'no such export',
      { extensions: [`${MODULE_NAME}#vectors`] },
      /pglite\S+ has no extension of PGlite named vectors/,
    ],
    ['SQL that fails', { sql: ['SELECT 1 FROM nowhere'] }, /nowhere/],
  ])('%s', async (_name, options, message) => {
    await expect(prepare({ pglite: MODULE_NAME, folder: join(folder, 'never'), ...options })).rejects.toThrow(message)
    expect(await readdir(folder)).not.toContain('never')
  })
})

describe('the command', () => {
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [TOOL, ...args], { cwd: folder })

  test('prints how it is used', async () => {
    expect((await run('--help')).stdout).toMatch(/^pgtrickle-static prepare \[FOLDER\]/)
  })

  test.each<[string, string[], RegExp]>([
    ['another command', ['pack'], /no such command/],
    ['another option', ['prepare', '--libary', 'x'], /--libary/],
    ['too little memory', ['prepare', '--memory', '8'], /--memory 8: give whole MiB from 16 to 2048/],
    ['no package there', ['prepare'], /cannot find @electric-sql\/pglite/],
  ])('refuses %s', async (_name, args, message) => {
    await expect(run(...args)).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(message) })
  })
})
