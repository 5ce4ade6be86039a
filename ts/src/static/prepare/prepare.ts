/**
 * Writes the files that a Worker is built with, from the packages that are installed: PGlite's module and files, made
 * smaller; the libraries, one by one; a data directory with the extensions in it.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Manifest } from '../modules.js'
import { TRAMPOLINES, trampolineBytes } from '../trampoline.js'
import { librariesIn, readTable, withoutUnneeded } from './data.js'
import { makeDataDir, smallStartParams } from './data-dir.js'
import type { Host } from './data-dir.js'
import { bundleOf, importExtension, importFrom, resolveFrom, takeApart } from './extension.js'
import type { Extension } from './extension.js'
import { withLeastMemory } from './memory.js'
import { importsFile, loaderFile, typesFile } from './module-files.js'
import type { Written } from './module-files.js'

export interface PrepareOptions {
  /** Where to write; `pgtrickle-static` unless given. */
  folder?: string
  /** Where the packages are looked for; the current folder unless given. */
  from?: string
  /** The package of PGlite; `@electric-sql/pglite` unless given. */
  pglite?: string
  /** Extensions besides pg_trickle, as `SPECIFIER#EXPORT`. */
  extensions?: readonly string[]
  /** Libraries of PostgreSQL besides plpgsql and dict_snowball, such as `utf8_and_iso8859_1`. */
  libraries?: readonly string[]
  /** Scripts that are run in the database, such as its schema and its stream tables. */
  sql?: readonly string[]
  /** The memory to start with, in MiB; 16 unless given. */
  memory?: number
  /** Keep the data of ICU, for collations of ICU. */
  icu?: boolean
}

/** PostgreSQL's own: without the first there is no PL/pgSQL, and without the second no text search. */
const LIBRARIES = ['plpgsql', 'dict_snowball']

const MIB = 1024 * 1024

export interface Prepared {
  folder: string
  manifest: Manifest
  /** The names and sizes of the files. */
  files: { name: string; bytes: Uint8Array }[]
}

export async function prepare(options: PrepareOptions = {}): Promise<Prepared> {
  const from = resolve(options.from ?? '.')
  const folder = resolve(from, options.folder ?? 'pgtrickle-static')
  const pglite = options.pglite ?? '@electric-sql/pglite'
  const dist = new URL('.', resolveFrom(pglite, from))
  const read = async (name: string) => new Uint8Array(await readFile(new URL(name, dist)))
  const data = await read('pglite.data')
  const table = readTable(Buffer.from(await read('pglite.js')).toString())
  if (table.at(-1)?.end !== data.length) {
    throw new Error(`${dist.href}pglite.js and pglite.data do not belong together: install ${pglite} again`)
  }
  const postgres = majorIn(data, table)
  const host = (await importFrom(pglite, from)) as Host
  const initialMemory = (options.memory ?? 16) * MIB
  const startParams = smallStartParams(host.PGlite.defaultStartParams, postgres)

  const libraries = new Map<string, Uint8Array>()
  const provided = librariesIn(data, table)
  for (const name of [...LIBRARIES, ...(options.libraries ?? [])]) {
    const library = provided.get(name)
    if (library === undefined) {
      throw new Error(`--library ${name}: PGlite has no such library. It has ${[...provided.keys()].join(', ')}.`)
    }
    libraries.set(name, library)
  }
  const { trickle } = (await import(new URL('./index.js', import.meta.url).href)) as { trickle: Extension }
  const extensions: Record<string, Extension> = { trickle }
  const bundles: Record<string, URL> = { pg_trickle: new URL(`./pg_trickle-pg${postgres}.tar.gz`, import.meta.url) }
  for (const specifier of options.extensions ?? []) {
    const { key, extension } = await importExtension(specifier, from)
    extensions[key] = extension
    bundles[key] = await bundleOf(key, extension)
  }
  const files: Written[] = []
  for (const [name, bundle] of Object.entries(bundles)) {
    const apart = await takeApart(bundle)
    for (const [library, bytes] of apart.libraries) libraries.set(library, bytes)
    files.push({ kind: 'extensions', key: name, file: `${name}.tar.bin`, bytes: apart.files })
  }
  for (const [name, bytes] of libraries) files.push({ kind: 'libraries', key: name, file: `${name}.wasm`, bytes })
  for (const parameters of TRAMPOLINES) {
    const file = `trampoline-${parameters}.wasm`
    files.push({ kind: 'trampolines', key: String(parameters), file, bytes: trampolineBytes(parameters) })
  }
  const small = withLeastMemory(await read('pglite.wasm'), initialMemory)
  files.push({ kind: 'pglite', file: 'pglite.wasm', bytes: small })
  files.push({ kind: 'data', file: 'pglite.data.bin', bytes: withoutUnneeded(data, table, options.icu ?? false) })
  const dataDir = await makeDataDir(host, extensions, startParams, options.sql ?? [])
  files.push({ kind: 'dataDir', file: 'data-dir.tar.gz.bin', bytes: dataDir })

  const manifest: Manifest = {
    pglite: ((await readJson(new URL('../package.json', dist))) as { version: string }).version,
    postgres,
    dataSize: data.length,
    libraries: [...libraries.keys()],
    initialMemory,
    startParams,
  }
  await mkdir(folder, { recursive: true })
  for (const { file, bytes } of files) await writeFile(join(folder, file), bytes)
  await writeFile(join(folder, 'modules.js'), importsFile(manifest, files))
  await writeFile(join(folder, 'load.js'), loaderFile(manifest, files))
  await writeFile(join(folder, 'modules.d.ts'), typesFile())
  return { folder, manifest, files: files.map(({ file, bytes }) => ({ name: file, bytes })) }
}

async function readJson(url: URL): Promise<unknown> {
  return JSON.parse(await readFile(url, 'utf8'))
}

function majorIn(data: Uint8Array, table: { name: string; start: number }[]): number {
  const { start } = table.find(({ name }) => name.endsWith('/postgres.bki')) ?? {}
  const head = start === undefined ? '' : Buffer.from(data.subarray(start, start + 64)).toString()
  const major = Number(/^# PostgreSQL (\d+)/.exec(head)?.[1])
  if (!Number.isInteger(major)) throw new Error('cannot find the version of PostgreSQL in pglite.data')
  return major
}
