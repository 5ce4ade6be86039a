/** Whatever is wrong with the modules is an error that names it, and no rejection that nobody handles. */
import { beforeAll, describe, expect, test } from 'vitest'
import { trickle } from '../../dist/index.js'
import { createStatic } from '../../dist/static.js'
import type { StaticModules } from '../../dist/static.js'
import { loadModule, MAJOR } from '../support/pglite.js'
import { preparedModules } from './support/prepared.js'
import { withoutCompiling } from './support/without-compiling.js'

let modules: StaticModules

beforeAll(async () => {
  modules = await preparedModules()
})

/** The error of opening a database with these modules and options. */
async function refusal(
  changed: object,
  options: object = {},
): Promise<{ message: string; hint?: string; code?: string }> {
  const { PGlite } = await loadModule()
  const given = { extensions: { trickle }, ...options, modules: { ...modules, ...changed } }
  let failure: unknown
  const { attempts } = await withoutCompiling(async () => {
    const opened = createStatic(given).then((created) => PGlite.create(created as object))
    failure = await opened.then(
      () => undefined,
      (error: unknown) => error,
    )
  })
  expect(failure).toBeInstanceOf(Error)
  expect(failure).toMatchObject({ name: 'TrickleError', code: expect.stringMatching(/^[0-9A-Z]{5}$/) })
  expect((failure as { hint?: string }).hint).toMatch(/\w{3}/)
  expect(attempts).toEqual([])
  return failure as Error
}

/** A module that is none of PGlite's: it exports nothing, and needs a function that nobody has. */
const FOREIGN = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 14, 1, 3, 101, 110, 118, 6, 97, 98, 115, 101, 110, 116, 0, 0,
])

describe('what is missing or no module', () => {
  test.each<[string, object, RegExp]>([
    ['no manifest', { manifest: undefined }, /no manifest/],
    ['no PGlite', { pglite: undefined }, /misses the module pglite/],
    ['a URL in place of a module', { pglite: '/assets/pglite-1a2b.wasm' }, /pglite is the text '\/assets\/pglite-1a2b/],
    ['bytes in place of a module', { pglite: new Uint8Array(8) }, /pglite is of the type Uint8Array/],
    ['no files', { data: undefined }, /misses data/],
    ['no data directory', { dataDir: undefined }, /misses dataDir/],
    ['a trampoline is not there', { trampolines: {} }, /misses the module trampolines\[1\]/],
    ['a library is text', { libraries: { plpgsql: 'x' } }, /libraries\.plpgsql is the text 'x'/],
    ['the extension is not prepared', { extensions: {} }, /extension trickle is not among the prepared modules/],
  ])('%s', async (_name, changed, message) => {
    expect((await refusal(changed)).message).toMatch(message)
  })

  test('no modules at all', async () => {
    await expect(createStatic({} as never)).rejects.toMatchObject({
      name: 'TrickleError',
      hint: expect.stringContaining('pgtrickle-static prepare'),
    })
  })

  test('another extension that was not prepared', async () => {
    const hstore = { name: 'hstore', setup: () => Promise.resolve({ bundlePath: new URL('file:///hstore.tar.gz') }) }
    const { message, hint } = await refusal({}, { extensions: { trickle, hstore } })
    expect(message).toContain('the extension hstore')
    expect(hint).toContain('--extension')
  })

  test('the library of pg_trickle', async () => {
    const libraries = { ...modules.libraries }
    delete libraries.pg_trickle
    expect((await refusal({ libraries })).message).toBe('createStatic misses the module libraries.pg_trickle')
  })
})

describe('what belongs to another PGlite', () => {
  test('the files', async () => {
    const { manifest } = modules
    const { message, hint } = await refusal({ manifest: { ...manifest, pglite: '0.0.1', dataSize: 1234 } })
    expect(message).toMatch(/PGlite 0\.0\.1.*another version.*1234 bytes/)
    expect(hint).toContain('prepare')
  })

  test('its module', async () => {
    const pglite = await WebAssembly.compile(FOREIGN)
    expect((await refusal({ pglite })).message).toMatch(/pglite\.wasm needs absent/)
  })

  test('a library', async () => {
    const foreign = await WebAssembly.compile(FOREIGN)
    const { message } = await refusal({ libraries: { ...modules.libraries, foreign } })
    expect(message).toMatch(/libraries\.foreign is not for this PGlite, which has no absent/)
  })
})

describe('a data directory', () => {
  test('of another PostgreSQL', async () => {
    const other = MAJOR === 18 ? 17 : 18
    const { message, hint } = await refusal({ manifest: { ...modules.manifest, postgres: other } })
    expect(message).toContain(`one of PostgreSQL ${MAJOR}`)
    expect(hint).toContain('pg_dump')
  })

  test('that is cut off', async () => {
    const whole = new Uint8Array(modules.dataDir as Uint8Array)
    const cut = new Blob([whole.subarray(0, whole.length / 2)])
    expect((await refusal({}, { loadDataDir: cut })).message).toMatch(/cannot be decompressed/)
  })

  test('that is none', async () => {
    const text = new Blob(['no archive'])
    expect((await refusal({}, { loadDataDir: text })).message).toMatch(/no PG_VERSION/)
  })
})

test('less memory than the module was prepared for', async () => {
  expect((await refusal({}, { initialMemory: 8 * 1024 * 1024 })).message).toMatch(
    /initialMemory is 8388608 bytes, less than/,
  )
})

test('a limit of memory that is below its start', async () => {
  expect((await refusal({}, { maximumMemory: 1024 })).message).toMatch(/maximumMemory is 1024 bytes/)
})
