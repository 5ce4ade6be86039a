/** The bundles of extensions, taken apart into libraries and other files. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { readTar } from '../../tar.js'
import { stem } from './data.js'

/** An extension of PGlite. */
export interface Extension {
  name: string
  setup(pg: object, options: object): Promise<{ bundlePath?: URL; init?: () => Promise<void> }>
}

export interface TakenApart {
  libraries: Map<string, Uint8Array>
  /** A tar archive. */
  files: Uint8Array
}

/** Imports `SPECIFIER#EXPORT` as a module in `folder` would. */
export async function importExtension(
  specifier: string,
  folder: string,
): Promise<{ key: string; extension: Extension }> {
  const [module = '', key = ''] = specifier.split('#')
  if (key === '') throw new Error(`--extension ${specifier}: say which export it is, as ${specifier}#NAME`)
  const exports = (await importFrom(module, folder)) as Record<string, Extension | undefined>
  const extension = exports[key]
  if (typeof extension?.setup !== 'function') {
    throw new Error(`--extension ${specifier}: ${module} has no extension of PGlite named ${key}`)
  }
  return { key, extension }
}

/** Imports what `specifier` is for modules in `folder`. */
export async function importFrom(specifier: string, folder: string): Promise<unknown> {
  return import(resolveFrom(specifier, folder).href) as Promise<unknown>
}

/** The file of a module, by `require`'s conditions: those packages have both. */
export function resolveFrom(specifier: string, folder: string): URL {
  try {
    return pathToFileURL(createRequire(join(folder, 'package.json')).resolve(specifier))
  } catch (cause) {
    throw new Error(`cannot find ${specifier} from ${folder}: install it there`, { cause })
  }
}

/** The URL of an extension's bundle, which its plugin tells. */
export async function bundleOf(key: string, extension: Extension): Promise<URL> {
  const { bundlePath } = await extension.setup({}, {})
  if (bundlePath === undefined) throw new Error(`--extension ${key}: the plugin names no bundle`)
  return bundlePath
}

export async function takeApart(bundle: URL): Promise<TakenApart> {
  const bytes = new Uint8Array(gunzipSync(await readFile(bundle)))
  const entries = readTar(bytes)
  if (entries === undefined) throw new Error(`${bundle.href} is not a tar archive`)
  const isLibrary = (name: string) => name.endsWith('.so')
  const libraries = entries.filter(({ name }) => isLibrary(name)).map(({ name, data }) => [stem(name), data] as const)
  const blocks = entries.filter(({ name }) => !isLibrary(name)).map(({ blocks }) => blocks)
  return { libraries: new Map(libraries), files: Buffer.concat([...blocks, new Uint8Array(1024)]) }
}
