/** An app, built by Vite and served by Vite's preview server, which adds no headers. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, preview } from 'vite'
import type { PreviewServer } from 'vite'

const TESTS = fileURLToPath(new URL('..', import.meta.url))
const BUILD = fileURLToPath(new URL('../../../../build/browser', import.meta.url))

/** Build options that are not in the app's own configuration. */
interface BuildOptions {
  /** The package to use as PGlite: an alias in package.json. */
  pglite?: string
  define?: Record<string, string>
}

export interface Site {
  url: string
  close(): Promise<void>
}

/** The folder of a test app. */
export function testApp(name: string): string {
  return join(TESTS, 'apps', name)
}

/** Builds the app in the folder `root`, with its own Vite configuration if there is one, and serves the result. */
export async function serveApp(root: string, options: BuildOptions = {}): Promise<Site> {
  await mkdir(BUILD, { recursive: true })
  const outDir = await mkdtemp(join(BUILD, 'app-'))
  const remove = () => rm(outDir, { recursive: true, force: true })
  try {
    await buildApp(root, outDir, options)
    const site = await serveFolder(outDir)
    return { url: site.url, close: () => site.close().then(remove) }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Serves the files in a folder. */
export async function serveFolder(outDir: string): Promise<Site> {
  const server = await preview({
    root: outDir,
    configFile: false,
    logLevel: 'error',
    build: { outDir },
    preview: { port: 0, host: '127.0.0.1', strictPort: false },
  })
  return { url: addressOf(server), close: () => server.close() }
}

async function buildApp(root: string, outDir: string, { pglite, define = {} }: BuildOptions): Promise<void> {
  // The test runner sets NODE_ENV to `test`, for which Vite would build the development version of React.
  const environment = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  try {
    await build({
      root,
      logLevel: 'error',
      resolve: { alias: pglite === undefined ? {} : { '@electric-sql/pglite': pglite } },
      define,
      build: { outDir, emptyOutDir: true },
    })
  } finally {
    process.env.NODE_ENV = environment
  }
}

function addressOf(server: PreviewServer): string {
  const url = server.resolvedUrls?.local[0]
  if (url === undefined) throw new Error('the preview server has no address')
  return url
}
