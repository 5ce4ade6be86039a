/** What wrangler does: one script, and beside it the files that it imports as modules and as data. */
import { build } from 'esbuild'
import { basename, dirname, resolve } from 'node:path'

/**
 * Bundles a Worker. Resolves to the script and the files beside it: `{ script, files: [{ name, path }] }`.
 * `aliases` replace packages with others.
 */
export async function bundleWorker(entry, { aliases = {} } = {}) {
  const files = new Map()
  const beside = {
    name: 'beside',
    setup({ onResolve }) {
      onResolve({ filter: /\.(wasm|bin)$/ }, ({ path, resolveDir }) => {
        files.set(basename(path), resolve(resolveDir, path))
        return { path: `./${basename(path)}`, external: true }
      })
    },
  }
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    // PGlite has nothing of Node in it then, and needs an address of its own to start: 0.5 the first, 0.4 both.
    platform: 'browser',
    define: { 'import.meta.url': '"file:///worker.js"', 'self.location.href': '"file:///worker.js"' },
    external: ['cloudflare:*', 'node:*'],
    loader: { '.html': 'text' },
    alias: aliases,
    plugins: [beside],
    absWorkingDir: dirname(entry),
    logLevel: 'warning',
  })
  return {
    script: outputFiles[0].contents,
    files: [...files].map(([name, path]) => ({ name, path })),
  }
}
