/**
 * From page load to the first stream table. The times are printed but not asserted, because they depend on the machine
 * too. The test asserts what keeps them short: the module is compiled once, and off the main thread.
 */
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { readTar } from '../../src/tar.js'
import { test } from './support/browser.js'
import { testApp } from './support/site.js'
import { useSite } from './support/use-site.js'

interface Compilation {
  way: string
  bytes: number
}

declare global {
  var measured: Promise<Record<string, number>>
  var compilations: Compilation[]
}

const SAMPLES = 3

const site = useSite(testApp('cold-start'))

/** The size of the side module, which distinguishes it from PostgreSQL's module. */
async function moduleSize(): Promise<number> {
  const bundle = await readFile(new URL('../../dist/pg_trickle-pg18.tar.gz', import.meta.url))
  const module = readTar(gunzipSync(bundle))?.find(({ name }) => name.endsWith('pg_trickle.so'))
  if (module === undefined) throw new Error('the bundle has no module')
  return module.data.length
}

/** Runs in the page before anything else, and records what is compiled from bytes. */
function noteCompilations() {
  globalThis.compilations = []
  const record = (way: string, source: unknown) => {
    if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
      compilations.push({ way, bytes: source.byteLength })
    }
  }
  const { instantiate, compile, Module } = WebAssembly
  WebAssembly.instantiate = ((source: unknown, ...rest: []) => {
    record('instantiate', source)
    return instantiate(source as BufferSource, ...rest)
  }) as typeof instantiate
  WebAssembly.compile = (source, ...rest) => {
    record('compile', source)
    return compile(source, ...rest)
  }
  WebAssembly.Module = new Proxy(Module, {
    construct(target, given: [BufferSource]) {
      record('new Module', given[0])
      return new target(...given)
    },
  })
}

test('the first stream table of a page', async ({ browser, context, page }) => {
  await context.addInitScript(noteCompilations)
  await page.goto(site.url)
  await page.evaluate(() => measured)
  const compilations = await page.evaluate(() => globalThis.compilations)
  const bytes = await moduleSize()
  expect(compilations.filter((each) => each.bytes === bytes)).toEqual([{ way: 'instantiate', bytes }])
  // Without the recording, and with empty caches.
  const samples: Record<string, number>[] = []
  while (samples.length < SAMPLES) {
    const fresh = await browser.newContext()
    const sample = await fresh.newPage()
    await sample.goto(site.url)
    samples.push(await sample.evaluate(() => measured))
    await fresh.close()
  }
  const median = (...steps: string[]) => {
    const sums = samples.map((sample) => steps.reduce((sum, step) => sum + (sample[step] ?? NaN), 0))
    return `${sums
      .sort((a, b) => a - b)
      .at(SAMPLES >> 1)
      ?.toFixed(0)} ms`
  }
  console.log(
    `Chromium ${browser.version()}, medians of ${SAMPLES} pages: page load to the first stream table ` +
      `${median('total')}, of these PGlite.create ${median('create')}; CREATE EXTENSION ${median('extension')}, ` +
      `first createStreamTable ${median('streamTable')}, both ${median('extension', 'streamTable')}`,
  )
})
