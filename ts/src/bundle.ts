/**
 * Chooses and loads the bundle of the PostgreSQL that the given PGlite is.
 *
 * PGlite asks for a bundle in `setup()`, when nothing tells yet which PostgreSQL it will start. So none is given there:
 * a hook waits until the main module is instantiated, reads its major version, and adds the bundle to the list that
 * PGlite loads before it starts the backend.
 */
import { TrickleError } from './errors.js'
import { unresolvedImports } from './imports.js'
import { readTar } from './tar.js'
import type { PostgresMajor } from './types.js'

/** Where a bundle is: a URL, or its bytes (a tar archive, gzipped or not). */
export type BundleSource = URL | Blob

/** A bundle for each PostgreSQL major version. */
export type Bundles = Partial<Record<PostgresMajor, BundleSource>>

/** The Emscripten module of PGlite, as far as it is used here. */
interface HostModule {
  WASM_PREFIX?: string
  FS: { readFile(path: string): Uint8Array }
  pg_extensions: Record<string, Promise<Blob>>
}

type Instantiated = (instance: WebAssembly.Instance, module?: WebAssembly.Module) => unknown

/** The options that PGlite starts its Emscripten module with, as far as they are used here. */
export interface HostOptions {
  instantiateWasm?: (imports: WebAssembly.Imports, done: Instantiated) => unknown
  postRun?: ((mod: HostModule) => void) | ((mod: HostModule) => void)[]
}

/** PGlite's options with the hooks, and what came of them. */
export interface Attached {
  options: HostOptions
  /** Throws what went wrong while the bundle was chosen and loaded. */
  check(): void
}

const EXTENSION = 'pg_trickle'

/** Adds the hooks to PGlite's options. */
export function attachBundle(options: HostOptions, bundles: Bundles): Attached {
  const host = new Set<string>()
  let failure: unknown = new TrickleError('this PGlite did not ask for the bundle of pg_trickle', {
    code: '0A000',
    hint: 'Use @electric-sql/pglite >=0.4.0 <0.6.',
  })

  const postRun = (mod: HostModule): void => {
    // A rejected promise here would end a Node process: PGlite awaits it only later.
    mod.pg_extensions[EXTENSION] = load(mod, bundles, host).then(
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
      ...(options.instantiateWasm && { instantiateWasm: recordNames(options, options.instantiateWasm, host) }),
      postRun: [options.postRun ?? [], postRun].flat(),
    },
    check() {
      if (failure !== undefined) throw failure
    },
  }
}

/** Notes the names that the main module gives to side modules. */
function recordNames(
  options: HostOptions,
  instantiateWasm: NonNullable<HostOptions['instantiateWasm']>,
  host: Set<string>,
): NonNullable<HostOptions['instantiateWasm']> {
  return (imports, done) =>
    instantiateWasm.call(options, imports, (instance, module) => {
      for (const group of ['env', 'wasi_snapshot_preview1']) {
        for (const name of Object.keys(imports[group] ?? {})) host.add(name)
      }
      for (const name of Object.keys(instance.exports)) host.add(name)
      return done(instance, module)
    })
}

async function load(mod: HostModule, bundles: Bundles, host: ReadonlySet<string>): Promise<Blob> {
  const major = postgresMajor(mod)
  const source = (bundles as Partial<Record<number, BundleSource>>)[major]
  if (source === undefined) {
    throw new TrickleError(`pg_trickle has no bundle for PostgreSQL ${major}`, {
      code: '0A000',
      hint: `Use a PGlite with PostgreSQL ${Object.keys(bundles).join(' or ')}.`,
    })
  }
  const place = source instanceof Blob ? 'the given bundle' : source.href
  if (place === undefined) {
    throw new TrickleError(`a bundle of pg_trickle must be a URL or a Blob, not ${typeof source}: ${String(source)}`, {
      code: '22023',
      hint: `Give bundles: { ${major}: new URL(path, import.meta.url) }.`,
    })
  }
  const bytes = await readBundle(source, place)
  const entries = readTar(bytes)
  if (entries === undefined) {
    throw new TrickleError(`the bundle of pg_trickle is not a tar archive: ${place}`, {
      code: '58P01',
      hint: place.includes('/.vite/deps/')
        ? "Add '@pgtrickle/pglite' to `optimizeDeps.exclude` in the configuration of Vite."
        : 'Check that the server gives the .tar.gz file of the package, and not a page in its place.',
    })
  }
  // A host whose names could not be noted is not checked: that is no reason to refuse it.
  const missing =
    host.size === 0
      ? []
      : entries.flatMap(({ name, data }) => (name.endsWith('.so') ? unresolvedImports(data, host) : []))
  if (missing.length > 0) {
    throw new TrickleError(`this PGlite does not export what pg_trickle needs: ${missing.join(', ')}`, {
      code: '0A000',
      hint: 'Use a release of @electric-sql/pglite that this version of @pgtrickle/pglite supports.',
    })
  }
  return new Blob([bytes])
}

/** initdb's catalog file names the version that it was generated for. */
function postgresMajor(mod: HostModule): number {
  const path = `${mod.WASM_PREFIX ?? '/pglite'}/share/postgresql/postgres.bki`
  let head: string
  try {
    head = new TextDecoder().decode(mod.FS.readFile(path).subarray(0, 64))
  } catch (cause) {
    throw new TrickleError(`cannot tell which PostgreSQL this PGlite is: no file ${path}`, { code: '58P01', cause })
  }
  const major = Number(/^# PostgreSQL (\d+)/.exec(head)?.[1])
  if (!Number.isInteger(major)) {
    throw new TrickleError(`cannot tell which PostgreSQL this PGlite is from ${path}`, { code: '58P01' })
  }
  return major
}

async function readBundle(source: BundleSource, place: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const bytes = source instanceof Blob ? new Uint8Array(await source.arrayBuffer()) : await readUrl(source)
    // Some servers say `Content-Encoding: gzip` for the file, and fetch then gives it unpacked.
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b
    return packed ? await unpack(bytes) : bytes
  } catch (cause) {
    throw new TrickleError(`cannot load the bundle of pg_trickle: ${place}`, {
      code: '58P01',
      hint: 'The .tar.gz files of @pgtrickle/pglite must be served beside its code.',
      cause,
    })
  }
}

async function readUrl(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === 'file:') {
    // Put together, so that bundlers for the browser do not look for it.
    const specifier = ['node:fs', 'promises'].join('/')
    const fs = (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as {
      readFile(url: URL): Promise<Uint8Array<ArrayBuffer>>
    }
    return fs.readFile(url)
  }
  const response = await fetch(url)
  if (!response.ok) throw new Error(`HTTP status ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

async function unpack(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
