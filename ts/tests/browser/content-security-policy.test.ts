/** A page whose policy allows `wasm-unsafe-eval` and no `unsafe-eval`, and its service worker. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { preparedFolder } from '../static/support/prepared.js'
import { test } from './support/browser.js'
import type {} from './apps/static.js'

const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"

const PAGE =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="/icon"><script type="module" src="/static.js"></script>'

async function bundle(name: string, prepared: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./apps/static.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    external: ['node:*'],
    target: 'es2022',
    alias: { 'pglite-under-test': name, prepared },
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

describe.each(['pglite-0.4', 'pglite-0.5'])('%s', (name) => {
  let server: Server
  let url: string

  beforeAll(async () => {
    const prepared = await preparedFolder(name)
    const script = await bundle(name, prepared)
    server = createServer((request, response) => {
      const file = basename(request.url ?? '')
      response.setHeader('Content-Security-Policy', POLICY)
      if (file === '') response.setHeader('Content-Type', 'text/html').end(PAGE)
      else if (file === 'static.js') response.setHeader('Content-Type', 'text/javascript').end(script)
      else if (file === 'icon') response.writeHead(204).end()
      else {
        readFile(join(prepared, file)).then(
          (bytes) => response.end(bytes),
          () => response.writeHead(404).end(),
        )
      }
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
  afterAll(() => server?.close())

  const EXPECTED = {
    evalRefused: true,
    attempts: [],
    codeGenerations: 0,
    sums: [{ s: 42 }],
    verified: { ok: true, missing: 0, extra: 0 },
    told: 2, // a row without a key is deleted and inserted
  }

  test('in the page', async ({ page }) => {
    await page.goto(url)
    expect(await page.evaluate(() => run())).toEqual({ ...EXPECTED, where: 'Window' })
  })

  test('in a service worker', async ({ page }) => {
    await page.goto(url)
    const outcome = await page.evaluate(() => inServiceWorker())
    expect(outcome).toEqual({ ...EXPECTED, where: 'ServiceWorkerGlobalScope' })
  })
})
