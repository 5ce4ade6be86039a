/**
 * Chooses and loads the bundle that fits the PostgreSQL version of the running PGlite.
 *
 * PGlite asks for a bundle in `setup()`, before it is known which PostgreSQL it will start. So `setup()` returns none.
 * Instead, a hook runs once the main module has been instantiated. It reads the major version, and adds the bundle to the
 * list that PGlite loads before it starts the backend.
 */
import { TrickleError } from './errors.js'
import { unresolvedImports } from './imports.js'
import { gunzipped, readUrl } from './read-url.js'
import { readTar } from './tar.js'
import type { PostgresMajor } from './types.js'

/** A bundle: its URL, or its bytes (a tar archive, gzipped or not). */
export type BundleSource = URL | Blob

/** A bundle for each PostgreSQL major version. */
export type Bundles = Partial<Record<PostgresMajor, BundleSource>>

/** The part of PGlite's Emscripten module that is used here. */
interface HostModule {
  WASM_PREFIX?: string
  FS: { readFile(path: string): Uint8Array }
  pg_extensions: Record<string, Promise<Blob>>
}

type InstanceCallback = (instance: WebAssembly.Instance, module?: WebAssembly.Module) => unknown

/** The part of PGlite's options for its Emscripten module that is used here. */
export interface HostOptions {
  [STATIC_FILES]?: Bundles
  instantiateWasm?: (imports: WebAssembly.Imports, done: InstanceCallback) => unknown
  postRun?: ((mod: HostModule) => void) | ((mod: HostModule) => void)[]
}

/** PGlite's options with the hooks added. */
export interface BundleAttachment {
  options: HostOptions
  /** Throws the error, if the bundle could not be chosen or loaded. */
  check(): void
}

const EXTENSION = 'pg_trickle'

/** The option by which `@pgtrickle/pglite/static` gives bundles without a library, which it hands over compiled. */
export const STATIC_FILES = Symbol.for('@pgtrickle/pglite/static files')

/** Adds the hooks to PGlite's options. */
export function attachBundle(options: HostOptions, bundles: Bundles): BundleAttachment {
  const hostNames = new Set<string>()
  let failure: unknown = new TrickleError('this PGlite did not ask for the bundle of pg_trickle', {
    code: '0A000',
    hint: 'Use @electric-sql/pglite >=0.4.0 <0.6.',
  })

  const postRun = (mod: HostModule): void => {
    // PGlite awaits this promise only later, so a rejection would count as unhandled and end a Node process.
    mod.pg_extensions[EXTENSION] = loadBundle(mod, bundles, hostNames).then(
      (tar) => {
        failure = undefined
        return tar
      },
      (error: unknown) => {
        failure = error
        return new Blob([])
      },
    )
  }

  return {
    options: {
      ...options,
      ...(options.instantiateWasm && { instantiateWasm: collectNames(options, options.instantiateWasm, hostNames) }),
      postRun: [options.postRun ?? [], postRun].flat(),
    },
    check() {
      if (failure !== undefined) throw failure
    },
  }
}

/** Collects the names that the main module provides to side modules. */
function collectNames(
  options: HostOptions,
  instantiateWasm: NonNullable<HostOptions['instantiateWasm']>,
  hostNames: Set<string>,
): NonNullable<HostOptions['instantiateWasm']> {
  return (imports, done) =>
    instantiateWasm.call(options, imports, (instance, module) => {
      for (const group of ['env', 'wasi_snapshot_preview1']) {
        for (const name of Object.keys(imports[group] ?? {})) hostNames.add(name)
      }
      for (const name of Object.keys(instance.exports)) hostNames.add(name)
      return done(instance, module)
    })
}

async function loadBundle(mod: HostModule, bundles: Bundles, hostNames: ReadonlySet<string>): Promise<Blob> {
  const major = postgresMajor(mod)
  const source = (bundles as Partial<Record<number, BundleSource>>)[major]
  if (source === undefined) {
    throw new TrickleError(`pg_trickle has no bundle for PostgreSQL ${major}`, {
      code: '0A000',
      hint: `Use a PGlite with PostgreSQL ${Object.keys(bundles).join(' or ')}.`,
    })
  }
  const location = source instanceof Blob ? 'the given bundle' : source.href
  if (location === undefined) {
    throw new TrickleError(`a bundle of pg_trickle must be a URL or a Blob, not ${typeof source}: ${String(source)}`, {
      code: '22023',
      hint: `Give bundles: { ${major}: new URL(path, import.meta.url) }.`,
    })
  }
  const bytes = await readBundle(source, location)
  const entries = readTar(bytes)
  if (entries === undefined) {
    throw new TrickleError(`the bundle of pg_trickle is not a tar archive: ${location}`, {
      code: '58P01',
      hint: location.includes('/.vite/deps/')
        ? "Add '@pgtrickle/pglite' to `optimizeDeps.exclude` in the configuration of Vite."
        : 'Check that the server sends the .tar.gz file of the package, and not an HTML page.',
    })
  }
  // A host whose names could not be collected may still work, so it is not checked.
  const missing =
    hostNames.size === 0
      ? []
      : entries.flatMap(({ name, data }) => (name.endsWith('.so') ? unresolvedImports(data, hostNames) : []))
  if (missing.length > 0) {
    throw new TrickleError(`this PGlite does not export what pg_trickle needs: ${missing.join(', ')}`, {
      code: '0A000',
      hint: 'Use a release of @electric-sql/pglite that this version of @pgtrickle/pglite supports.',
    })
  }
  return new Blob([bytes])
}

/** Reads the version from initdb's catalog file, which names it in the first line. */
function postgresMajor(mod: HostModule): number {
  const path = `${mod.WASM_PREFIX ?? '/pglite'}/share/postgresql/postgres.bki`
  let head: string
  try {
    head = new TextDecoder().decode(mod.FS.readFile(path).subarray(0, 64))
  } catch (cause) {
    throw new TrickleError(`cannot find the PostgreSQL version of this PGlite: there is no file ${path}`, {
      code: '58P01',
      cause,
    })
  }
  const major = Number(/^# PostgreSQL (\d+)/.exec(head)?.[1])
  if (!Number.isInteger(major)) {
    throw new TrickleError(`cannot find the PostgreSQL version of this PGlite in ${path}`, { code: '58P01' })
  }
  return major
}

async function readBundle(source: BundleSource, location: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await gunzipped(source instanceof Blob ? new Uint8Array(await source.arrayBuffer()) : await readUrl(source))
  } catch (cause) {
    throw new TrickleError(`cannot load the bundle of pg_trickle: ${location}`, {
      code: '58P01',
      hint: 'The .tar.gz files of @pgtrickle/pglite must be served next to its code.',
      cause,
    })
  }
}
