import { TrickleError } from '../errors.js'
import { readTar } from '../tar.js'
import { STATIC_FILES } from '../bundle.js'
import { StaticHost } from './host.js'
import type { HostOptions } from './host.js'
import { bytesOf, checkModules } from './modules.js'
import type { Bytes, StaticModules } from './modules.js'

/** An extension of PGlite: its plugin, or the URL of its bundle, which is not read here. */
type AnyExtension = URL | { name: string; setup: (...args: never[]) => Promise<object> }

type Extensions = Record<string, AnyExtension>

/** Options of PGlite's, of which some have a meaning of their own here. */
export interface StaticOptions<E extends Extensions> {
  /** What `pgtrickle-static prepare` wrote: `import * as modules from './pgtrickle-static/modules.js'`. */
  modules: StaticModules
  extensions?: E
  /** The data directory to start with, in place of the prepared one; `false` if there is one in `fs` or `dataDir`. */
  loadDataDir?: Blob | false
  /** In bytes. What is prepared starts with 16 MiB, and grows. */
  initialMemory?: number
  /** In bytes. What needs more fails with an error of PostgreSQL's, before the host ends the whole Worker. */
  maximumMemory?: number
  startParams?: string[]
}

/** What `setup` of an extension of PGlite's returns. */
interface Setup {
  emscriptenOpts?: object
  bundlePath?: URL
}

/** Told of a PGlite that was created by these options: `pg.static`. */
export interface StaticNamespace {
  /** How many times something would have been compiled. 0 in every PGlite that has started. */
  readonly codeGenerations: number
}

type StaticExtension = {
  name: string
  setup: (pg: never, options: object) => Promise<{ namespaceObj: StaticNamespace }>
}

type Created<E extends Extensions, O> = Omit<O, 'modules' | 'extensions' | keyof StaticOptions<E>> & {
  extensions: { static: StaticExtension } & E
  loadDataDir?: Blob
  initialMemory: number
  startParams: string[]
  pgliteWasmModule: WebAssembly.Module
  initdbWasmModule: WebAssembly.Module
  fsBundle: Blob
}

/** The options for `PGlite.create` on a host that compiles no WebAssembly at run time. All other options are PGlite's. */
export async function createStatic<E extends Extensions = Record<never, never>, O extends object = object>(
  options: O & StaticOptions<E>,
): Promise<Created<E, O>> {
  const { modules, extensions, loadDataDir, maximumMemory, ...others } = options
  checkModules(modules)
  const { manifest } = modules
  const used = new Set<string>()
  const initialMemory = options.initialMemory ?? manifest.initialMemory
  if (!(initialMemory >= manifest.initialMemory)) {
    throw new TrickleError(
      `initialMemory is ${initialMemory} bytes, less than the ${manifest.initialMemory} that the modules start with`,
      { code: '22023', hint: 'Leave it out, or run `npx pgtrickle-static prepare --memory MIB` with less.' },
    )
  }
  const memory = maximumMemory === undefined ? undefined : limitedMemory(initialMemory, maximumMemory)
  const host = new StaticHost(modules, used, memory)
  const wrapped: Extensions = {}
  for (const [key, extension] of Object.entries(extensions ?? {}))
    wrapped[key] = handedOver(key, extension, modules, used)
  const dataDir = loadDataDir === false ? undefined : await checkedDataDir(loadDataDir ?? modules.dataDir, manifest)
  const created = {
    startParams: [...manifest.startParams],
    ...others,
    initialMemory,
    extensions: { static: hostExtension(host), ...wrapped },
    ...(dataDir && { loadDataDir: dataDir }),
    pgliteWasmModule: modules.pglite,
    // PGlite fetches initdb unless it is given. Nothing runs it: the data directory is there already.
    initdbWasmModule: modules.trampolines[1],
    fsBundle: new Blob([await bytesOf(modules.data)]),
  }
  return created as unknown as Created<E, O>
}

const PAGE = 64 * 1024

function limitedMemory(initialMemory: number, maximumMemory: number): WebAssembly.Memory {
  const [initial, maximum] = [Math.ceil(initialMemory / PAGE), Math.floor(maximumMemory / PAGE)]
  if (!(maximum >= initial)) {
    throw new TrickleError(`maximumMemory is ${maximumMemory} bytes, less than the ${initialMemory} to start with`, {
      code: '22023',
      hint: 'Give a number of bytes, such as 64 * 1024 * 1024.',
    })
  }
  return new WebAssembly.Memory({ initial, maximum })
}

function hostExtension(host: StaticHost): object {
  return {
    name: 'static',
    setup: (_pg: unknown, options: HostOptions) =>
      Promise.resolve({
        namespaceObj: host,
        emscriptenOpts: host.attach(options),
        init: async () => host.check(),
      }),
  }
}

/** An extension that gets its files from the modules, and whose bundle is not read. */
function handedOver(key: string, extension: AnyExtension, modules: StaticModules, used: Set<string>): AnyExtension {
  const find = (bundle?: URL): string => {
    const stem = bundle?.pathname.split('/').at(-1)?.split('.')[0]
    const name = [extension instanceof URL ? undefined : extension.name, key, stem].find(
      (each) => each !== undefined && Object.hasOwn(modules.extensions, each),
    )
    if (name === undefined) {
      throw new TrickleError(`the extension ${key} is not among the prepared modules`, {
        code: '58P01',
        hint: `Run \`npx pgtrickle-static prepare --extension SPECIFIER#${key}\`, with the module that exports it.`,
      })
    }
    used.add(name)
    return name
  }
  if (extension instanceof URL) {
    find(extension)
    return { name: key, setup: () => Promise.resolve({}) }
  }
  return {
    ...extension,
    async setup(pg: never, options: never, clientOnly: never) {
      if (extension.name === 'pg_trickle') {
        const files = modules.extensions[find()] as Bytes
        const given = { [modules.manifest.postgres]: new Blob([await bytesOf(files)]) }
        return extension.setup(pg, { ...(options as object), [STATIC_FILES]: given } as never, clientOnly)
      }
      const { bundlePath, ...setup } = (await extension.setup(pg, options, clientOnly)) as Setup
      if (bundlePath !== undefined) find(bundlePath)
      return setup
    },
  }
}

/** The data directory, uncompressed, if it is one of this PostgreSQL. PGlite would exit on another. */
async function checkedDataDir(source: Bytes, manifest: StaticModules['manifest']): Promise<Blob> {
  const bytes = await uncompressed(await bytesOf(source))
  const version = readTar(bytes)?.find(({ name }) => /^\.?\/?PG_VERSION$/.test(name))
  if (version === undefined) {
    throw new TrickleError(
      'the data directory is not an archive that dumpDataDir of PGlite made: no PG_VERSION in it',
      {
        code: '22023',
        hint: 'Give loadDataDir what dumpDataDir returned, or leave it out for the prepared data directory.',
      },
    )
  }
  const major = new TextDecoder().decode(version.data).trim()
  if (major !== String(manifest.postgres)) {
    throw new TrickleError(
      `the data directory is one of PostgreSQL ${major}, and PGlite ${manifest.pglite} is PostgreSQL ${manifest.postgres}`,
      { code: '22023', hint: 'Dump it with pg_dump in the PGlite that wrote it, and restore that here.' },
    )
  }
  return new Blob([bytes])
}

async function uncompressed(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    const chunks: Uint8Array<ArrayBuffer>[] = []
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader()
    // Not by a Response, for whose sake Node compiles a module of its own.
    for (let read = await reader.read(); !read.done; read = await reader.read()) chunks.push(read.value)
    return new Uint8Array(await new Blob(chunks).arrayBuffer())
  } catch (cause) {
    throw new TrickleError('the data directory cannot be decompressed', {
      code: '22023',
      hint: 'The archive is damaged or cut off. Take an older copy.',
      cause,
    })
  }
}
