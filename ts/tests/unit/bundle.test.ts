import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { attachBundle } from '../../src/bundle.js'
import type { Bundles, HostOptions } from '../../src/bundle.js'
import { readTar } from '../../src/tar.js'
import { gzip, tar, wasm } from './fixtures.js'

const SO = 'lib/postgresql/pg_trickle.so'

/** Starts as PGlite does with these options: instantiates the module, then runs the hooks. */
async function start(options: HostOptions, head = '# PostgreSQL 18\n'): Promise<Blob | undefined> {
  options.instantiateWasm?.({ env: { from_js: () => undefined } }, () => undefined)
  const mod = {
    FS: {
      readFile(path: string) {
        if (path !== '/pglite/share/postgresql/postgres.bki' || head === '') throw new Error('no such file')
        return new TextEncoder().encode(head + 'x'.repeat(100))
      },
    },
    pg_extensions: {} as Record<string, Promise<Blob>>,
  }
  for (const hook of [options.postRun ?? []].flat()) hook(mod)
  return mod.pg_extensions.pg_trickle
}

/** The options of a host whose main module exports these names. */
function host(names: string[]): HostOptions {
  const instance = {
    exports: Object.fromEntries(names.map((name) => [name, 0])),
  } as unknown as WebAssembly.Instance
  return { instantiateWasm: (_imports, done) => done(instance) }
}

const bundle = (imports: string[] = []) =>
  tar({ [SO]: wasm(imports.map((name) => ({ name }))), 'share/x.control': 'c' })

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the bundle of the running PostgreSQL', () => {
  const bundles: Bundles = {
    17: new Blob([tar({ seventeen: '17' })]),
    18: new Blob([tar({ eighteen: '18' })]),
  }
  test.each([
    [17, 'seventeen'],
    [18, 'eighteen'],
  ])('%i', async (major, file) => {
    const attached = attachBundle({}, bundles)
    const loaded = await start(attached.options, `# PostgreSQL ${major}\n`)
    attached.check()
    expect(readTar(new Uint8Array((await loaded?.arrayBuffer()) ?? []))?.[0]?.name).toBe(file)
  })

  test('is decompressed if need be, and comes from a file or a server', async () => {
    const packed = await gzip(bundle())
    const folder = await mkdtemp(join(tmpdir(), 'pg_trickle-'))
    try {
      await writeFile(join(folder, 'b.tar.gz'), packed)
      vi.stubGlobal('fetch', () => Promise.resolve(new Response(bundle())))
      const sources = [
        new Blob([packed]),
        new Blob([bundle()]),
        pathToFileURL(join(folder, 'b.tar.gz')),
        new URL('https://host/b.tar.gz'),
      ]
      for (const source of sources) {
        const attached = attachBundle({}, { 18: source })
        const loaded = await start(attached.options)
        attached.check()
        expect(new Uint8Array((await loaded?.arrayBuffer()) ?? [])).toEqual(bundle())
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('the options of PGlite', () => {
  test('are preserved, and its own hooks run first', async () => {
    const order: string[] = []
    const given = {
      print: 'kept',
      postRun: [() => order.push('first'), () => order.push('second')],
      ...host([]),
    }
    const attached = attachBundle(given as HostOptions, { 18: new Blob([bundle()]) })
    expect(attached.options).toMatchObject({ print: 'kept' })
    await start(attached.options)
    attached.check()
    expect(order).toEqual(['first', 'second'])
    expect(given.postRun).toHaveLength(2)
  })

  test('without a loaded bundle, check() fails', () => {
    expect(() => attachBundle({}, {}).check()).toThrowError(
      expect.objectContaining({ name: 'TrickleError', code: '0A000' }),
    )
  })
})

describe('errors are thrown by check(), and never into PGlite', () => {
  async function failure(options: HostOptions, bundles: Bundles, head?: string) {
    const attached = attachBundle(options, bundles)
    expect((await start(attached.options, head))?.size).toBe(0)
    try {
      attached.check()
    } catch (error) {
      expect(error).toMatchObject({ name: 'TrickleError' })
      return error as { message: string; code: string; hint: string; cause: unknown }
    }
    throw new Error('check() did not throw')
  }

  test('a name that the host does not export', async () => {
    const bundles = { 18: new Blob([bundle(['known', 'from_js', 'unknown_a', 'unknown_b'])]) }
    const error = await failure(host(['known']), bundles)
    expect(error.message).toContain('unknown_a, unknown_b')
    expect(error.message).not.toMatch(/\bknown\b|from_js/)
    expect(error).toMatchObject({ code: '0A000', hint: expect.stringContaining('@electric-sql/pglite') })
  })

  test('a host whose names are unknown is not checked', async () => {
    const attached = attachBundle({}, { 18: new Blob([bundle(['anything'])]) })
    await start(attached.options)
    attached.check()
  })

  test('no bundle for this PostgreSQL', async () => {
    const error = await failure({}, { 17: new Blob([bundle()]), 18: new Blob([bundle()]) }, '# PostgreSQL 16\n')
    expect(error).toMatchObject({
      code: '0A000',
      message: expect.stringContaining('16'),
      hint: expect.stringContaining('17 or 18'),
    })
  })

  test('a path instead of a URL', async () => {
    const attached = attachBundle({}, { 18: '/pg_trickle-pg18.tar.gz' } as unknown as Bundles)
    await start(attached.options)
    const expected = expect.objectContaining({
      name: 'TrickleError',
      code: '22023',
      message: expect.stringContaining('/pg_trickle-pg18.tar.gz') as string,
      hint: expect.stringContaining('new URL(') as string,
    }) as Error
    expect(() => attached.check()).toThrow(expected)
  })

  test('a host whose version is unknown', async () => {
    expect(await failure({}, {}, '')).toMatchObject({
      code: '58P01',
      message: expect.stringContaining('postgres.bki'),
    })
    expect(await failure({}, {}, '# MySQL 8\n')).toMatchObject({ code: '58P01' })
  })

  test('an HTML page instead of the bundle', async () => {
    const error = await failure({}, { 18: new Blob(['<!doctype html>'.repeat(100)]) })
    expect(error).toMatchObject({ code: '58P01', message: expect.stringContaining('not a tar archive') })
    expect(error.hint).toContain('.tar.gz')
  })

  test('an HTML page instead of the bundle, because Vite has moved the code', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('<!doctype html>'.repeat(100))))
    const url = new URL('http://localhost:5173/node_modules/.vite/deps/pg_trickle-pg18.tar.gz')
    const error = await failure({}, { 18: url })
    expect(error.hint).toContain('optimizeDeps.exclude')
  })

  test('a server that responds 404, and a missing file', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('', { status: 404 })))
    const error = await failure({}, { 18: new URL('https://host/b.tar.gz') })
    expect(error).toMatchObject({ code: '58P01', message: expect.stringContaining('https://host/b.tar.gz') })
    expect(String(error.cause)).toContain('404')
    expect(await failure({}, { 18: new URL('file:///nowhere/b.tar.gz') })).toMatchObject({ code: '58P01' })
  })

  test('a truncated file', async () => {
    const packed = await gzip(bundle())
    expect(await failure({}, { 18: new Blob([packed.subarray(0, packed.length / 2)]) })).toMatchObject({
      code: '58P01',
    })
  })
})
