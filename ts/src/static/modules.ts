import { TrickleError } from '../errors.js'

/** What the Worker is given in place of what PGlite would compile or fetch. `pgtrickle-static prepare` writes all of it. */
export interface StaticModules {
  manifest: Manifest
  /** PGlite's module. */
  pglite: WebAssembly.Module
  /** PGlite's files, `pglite.data`. */
  data: Bytes
  /** A data directory, as `dumpDataDir` makes it. */
  dataDir: Bytes
  /** See `trampoline.ts`, by number of parameters. */
  trampolines: Record<number, WebAssembly.Module>
  /** The libraries of PostgreSQL and of extensions, by the names of their files without `.so`. */
  libraries: Record<string, WebAssembly.Module>
  /** The other files of each extension, as a tar archive. */
  extensions: Record<string, Bytes>
}

/** What the files were made from. */
export interface Manifest {
  /** The version of PGlite. */
  pglite: string
  /** The major version of PostgreSQL. */
  postgres: number
  /** The size of `pglite.data`, by which the files and the code of a PGlite know each other. */
  dataSize: number
  /** The libraries that were written. */
  libraries: readonly string[]
  /** How much memory to start with, in bytes. */
  initialMemory: number
  /** The arguments for PostgreSQL. */
  startParams: readonly string[]
}

export type Bytes = Uint8Array | ArrayBuffer | Blob

const PREPARE = 'Run `npx pgtrickle-static prepare` again, and import modules.js of the folder that it writes.'

/** SQLSTATE `invalid_parameter_value`. */
const INVALID_PARAMETER = '22023'

/** Refuses what is missing, or is no compiled module where one is needed, by its name. */
export function checkModules(modules: unknown): asserts modules is StaticModules {
  if (typeof modules !== 'object' || modules === null) {
    throw refused(`createStatic needs the option modules, and got ${String(modules)}`)
  }
  const given = modules as Record<string, unknown>
  const manifest = given.manifest as Manifest | undefined
  if (!Array.isArray(manifest?.libraries)) throw refused('the modules for createStatic have no manifest')
  checkModule('pglite', given.pglite)
  for (const name of ['data', 'dataDir']) checkBytes(name, given[name])
  for (const name of ['trampolines', 'libraries', 'extensions']) {
    if (typeof given[name] !== 'object' || given[name] === null) throw refused(`createStatic misses ${name}`)
  }
  for (const parameters of [1, 2]) {
    checkModule(`trampolines[${parameters}]`, (given.trampolines as Record<number, unknown>)[parameters])
  }
  const libraries = given.libraries as Record<string, unknown>
  for (const name of new Set([...manifest.libraries, ...Object.keys(libraries)])) {
    checkModule(`libraries.${name}`, libraries[name])
  }
  for (const [name, files] of Object.entries(given.extensions as object)) checkBytes(`extensions.${name}`, files)
}

function checkModule(name: string, value: unknown): void {
  if (value === undefined) throw refused(`createStatic misses the module ${name}`)
  if (value instanceof WebAssembly.Module) return
  throw new TrickleError(`the module ${name} is ${describe(value)}, not a WebAssembly.Module`, {
    code: INVALID_PARAMETER,
    hint: 'Tell the bundler to take .wasm files as compiled modules (CompiledWasm), or use load.js of the prepared folder.',
  })
}

function checkBytes(name: string, value: unknown): void {
  if (value === undefined) throw refused(`createStatic misses ${name}`)
  if (value instanceof ArrayBuffer || value instanceof Uint8Array || value instanceof Blob) return
  throw new TrickleError(`${name} is ${describe(value)}, and not bytes`, {
    code: INVALID_PARAMETER,
    hint: 'Tell the bundler to take .bin files as binary data (Data), or use load.js of the prepared folder.',
  })
}

function refused(message: string): TrickleError {
  return new TrickleError(message, { code: INVALID_PARAMETER, hint: PREPARE })
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `the text '${value.slice(0, 60)}'`
  return typeof value === 'object' && value !== null ? `of the type ${value.constructor?.name}` : String(value)
}

/** The bytes of any of these. */
export async function bytesOf(source: Bytes): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer())
  return source instanceof ArrayBuffer ? new Uint8Array(source) : (source as Uint8Array<ArrayBuffer>)
}
