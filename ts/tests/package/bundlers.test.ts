/** The packed package in an empty project: built by the usual bundlers, and the built app run in Chromium. */
import { build as esbuild } from 'esbuild'
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import * as vite7 from 'vite'
import * as vite8 from 'vite-8'
import { expect, inject } from 'vitest'
import webpack from 'webpack'
import { test } from '../browser/support/browser.js'
import { serveFolder } from '../browser/support/site.js'
import { example } from './support/readme.js'

declare global {
  var result: Promise<unknown>
}

const PROGRAMS = fileURLToPath(new URL('programs', import.meta.url))
const ROWS = [
  { customer_id: 7, n: 2 },
  { customer_id: 8, n: 1 },
]

const documentOf = (script: string) => `<!doctype html>
<html>
  <head><link rel="icon" href="data:," /><script type="module" src="${script}"></script></head>
</html>
`

/** A folder of the empty project with the programs and a page; `out` is where the built app goes. */
async function app(name: string): Promise<{ root: string; out: string }> {
  const root = join(inject('project'), name)
  const out = join(root, 'dist')
  await cp(PROGRAMS, root, { recursive: true })
  await mkdir(out)
  await writeFile(join(root, 'index.html'), documentOf('./main.js'))
  await writeFile(join(out, 'index.html'), documentOf('./app.js'))
  return { root, out }
}

async function rowsIn(tab: Page, folder: string): Promise<unknown> {
  const site = await serveFolder(folder)
  try {
    await tab.goto(site.url)
    await tab.waitForFunction(() => 'result' in globalThis, undefined, { timeout: 0 })
    return await tab.evaluate(() => result)
  } finally {
    await site.close()
  }
}

/** The bundles among the files that a bundler emitted: it may have renamed them. */
async function bundlesIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.gz')).sort()
}

test.for([
  ['Vite 7', vite7],
  ['Vite 8', vite8],
] as const)('%s', async ([name, vite], { page }) => {
  const { root, out } = await app(name.replace(' ', '-'))
  await vite.build({ root, configFile: false, logLevel: 'error', build: { emptyOutDir: true } })
  expect(await bundlesIn(out)).toEqual([
    expect.stringMatching(/^assets\/pg_trickle-pg17\.tar-[\w-]+\.gz$/),
    expect.stringMatching(/^assets\/pg_trickle-pg18\.tar-[\w-]+\.gz$/),
  ])
  expect(await rowsIn(page, out)).toEqual(ROWS)
})

/** React of the repository, which the empty project does not have. Of all that it might have beside it, there is nothing. */
const REACT = Object.fromEntries(
  ['react', 'react-dom'].map((name) => [name, dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))]),
)

test.for([
  ['Vite 7', vite7],
  ['Vite 8', vite8],
] as const)('React with %s, where there is nothing but React', async ([name, vite], { page }) => {
  const { root, out } = await app(`react-${name.replace(' ', '-')}`)
  await writeFile(join(root, 'index.html'), documentOf('./react.js'))
  const resolve = { alias: REACT }
  await vite.build({ root, configFile: false, logLevel: 'error', resolve, build: { emptyOutDir: true } })
  expect(await rowsIn(page, out)).toEqual(ROWS)
  // The same by the server for developers, as in the quickstart.
  const server = await vite.createServer({
    root,
    configFile: false,
    logLevel: 'error',
    resolve: { ...resolve, dedupe: ['react'] },
    optimizeDeps: { exclude: ['@electric-sql/pglite', '@pgtrickle/pglite'] },
    server: { port: 0, host: '127.0.0.1', fs: { strict: false } },
  })
  try {
    await server.listen()
    await page.goto(server.resolvedUrls?.local[0] ?? '')
    await page.waitForFunction(() => 'result' in globalThis, undefined, { timeout: 0 })
    expect(await page.evaluate(() => result)).toEqual(ROWS)
  } finally {
    await server.close()
  }
})

test('esbuild, with the files passed by hand as in the README', async ({ page }) => {
  const { root, out } = await app('esbuild')
  const main = join(root, 'by-hand.js')
  await writeFile(main, `${example('js')}\nimport { work } from './work.js'\nglobalThis.result = work(pg)\n`)
  await esbuild({
    entryPoints: [main],
    outfile: join(out, 'app.js'),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['node:*'],
    loader: { '.wasm': 'file', '.data': 'file', '.gz': 'file' },
    logLevel: 'error',
  })
  expect(await bundlesIn(out)).toEqual([expect.stringMatching(/^pg_trickle-pg18\.tar-\w+\.gz$/)])
  expect(await rowsIn(page, out)).toEqual(ROWS)
})

test('webpack 5', async ({ page }) => {
  const { root, out } = await app('webpack')
  const stats = await new Promise<webpack.Stats | undefined>((done, failed) => {
    webpack(
      {
        mode: 'production',
        context: root,
        entry: './main.js',
        output: { path: out, filename: 'app.js' },
        // PGlite asks for it when it runs in Node.
        externals: { 'node:module': 'undefined' },
      },
      (error, result) => (error ? failed(error) : done(result)),
    )
  })
  expect(stats?.toJson({ all: false, errors: true }).errors).toEqual([])
  expect(await bundlesIn(out)).toHaveLength(2)
  expect(await rowsIn(page, out)).toEqual(ROWS)
})

test.for([
  // Its optimizer moves the code of packages, and not the files beside it.
  ['Vite 7', vite7, { exclude: ['@electric-sql/pglite', '@pgtrickle/pglite'] }],
  ['Vite 8', vite8, {}],
] as const)('the development server of %s', async ([name, vite, optimizeDeps], { page }) => {
  const { root } = await app(`${name.replace(' ', '-')}-dev`)
  const server = await vite.createServer({
    root,
    configFile: false,
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0 },
    optimizeDeps: { ...optimizeDeps },
  } as object)
  await server.listen()
  try {
    await page.goto(server.resolvedUrls?.local[0] ?? '')
    expect(await page.evaluate(() => result)).toEqual(ROWS)
  } finally {
    await server.close()
  }
})
