/** The published package: its entry points in both module systems, its dependencies, types and documentation. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as esm from '../../dist/index.js'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')

interface Manifest {
  version: string
  dependencies?: object
  peerDependencies: Record<string, string>
  peerDependenciesMeta: object
  exports: Record<string, unknown>
}

async function manifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest
}

/** All file paths in a value of `exports`. */
function paths(value: unknown): string[] {
  return typeof value === 'string' ? [value] : Object.values(value as object).flatMap(paths)
}

describe('the package', () => {
  test('has every file that it exports', async () => {
    const { exports } = await manifest()
    const missing = paths(exports).filter((path) => !existsSync(join(ROOT, path)))
    expect(missing).toEqual([])
  })

  test('exports the same through import and require', () => {
    const cjs = createRequire(import.meta.url)(join(ROOT, 'dist/index.cjs')) as typeof esm
    expect(Object.keys(cjs).sort()).toEqual(Object.keys(esm).sort())
    expect(Object.keys(esm).sort()).toEqual(['Trickle', 'TrickleError', 'createTrickle', 'trickle'])
    expect(cjs.trickle.name).toBe('pg_trickle')
    // A printed error starts with this name.
    for (const { TrickleError } of [esm, cjs]) expect(TrickleError.name).toBe('TrickleError')
  })

  test('has no dependency, a range of PGlite releases as its peer, and only optional other peers', async () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = await manifest()
    expect(dependencies).toBeUndefined()
    expect(peerDependencies['@electric-sql/pglite']).toBe('>=0.4.0 <0.6')
    const optional = Object.keys(peerDependencies).filter((name) => name !== '@electric-sql/pglite')
    expect(peerDependenciesMeta).toEqual(Object.fromEntries(optional.map((name) => [name, { optional: true }])))
  })

  test.each([
    ['react', ['StreamTableProvider', 'useStreamTable'], ['react']],
    ['vue', ['useStreamTable'], ['vue']],
    ['svelte', ['useStreamTable'], []],
    ['solid', ['useStreamTable'], ['solid-js']],
    ['tanstack', ['streamTableCollectionOptions'], []],
    ['static', ['createStatic'], []],
    ['devtools', ['Counters', 'defineDevtools', 'openDevtools'], []],
  ])(
    'exports %s through import and require, and imports nothing that may be missing',
    async (entry, names, imported) => {
      const url = new URL(`../../dist/${entry}.js`, import.meta.url)
      expect(Object.keys((await import(url.href)) as object)).toEqual(names)
      const cjs = createRequire(import.meta.url)(join(ROOT, `dist/${entry}.cjs`)) as object
      expect(Object.keys(cjs)).toEqual(names)
      const code = await readFile(url, 'utf8')
      const found = [...code.matchAll(/^import .*from ["'](.+)["'];$/gm)].map(([, name]) => name)
      expect([...new Set(found)]).toEqual(imported)
    },
  )

  test('refers to its bundles in the form that bundlers recognise', async () => {
    for (const file of ['index.js', 'index.cjs']) {
      const code = await readFile(join(ROOT, 'dist', file), 'utf8')
      for (const major of [17, 18])
        expect(code, file).toMatch(new RegExp(`new URL\\(["']\\./pg_trickle-pg${major}\\.tar\\.gz["'],`))
      // A bundler for the browser must not find an import of a Node module.
      if (file === 'index.js') expect(code, file).not.toMatch(/from ["'](node:)?(fs|path|url|module)\b/)
    }
  })

  test('has no `any` in its public types', async () => {
    const declarations = (await readdir(join(ROOT, 'dist'))).filter((name) => /\.d\.c?ts$/.test(name))
    expect(declarations.length).toBeGreaterThan(0)
    for (const name of declarations) {
      const code = (await readFile(join(ROOT, 'dist', name), 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '')
      expect(code, name).not.toMatch(/\bany\b/)
    }
  })

  test('documents every public item', async () => {
    const all = await readdir(join(ROOT, 'src'), { recursive: true })
    const sources = all.filter((name) => /^((react|tanstack)\/)?[^/]+\.ts$/.test(name) || /\/types\.ts$/.test(name))
    const bare: string[] = []
    for (const name of sources) {
      const lines = (await readFile(join(ROOT, 'src', name), 'utf8')).split('\n')
      lines.forEach((line, i) => {
        const item = /^export (?:async )?(?:class|function|interface|type|const) (\w+)/.exec(line)
        if (item && !/\*\/\s*$/.test(lines[i - 1] ?? '')) bare.push(`${name}: ${item[1]}`)
      })
    }
    expect(bare).toEqual([])
  })
})
