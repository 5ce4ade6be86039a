/** The hooks into PGlite's start that keep it from compiling anything. They have the shape of an extension of PGlite. */
import { TrickleError } from '../errors.js'
import { bytesOf } from './modules.js'
import type { StaticModules } from './modules.js'
import { throughTrampoline } from './trampoline.js'

/** The part of PGlite's Emscripten module that is used here. */
interface HostModule {
  WASM_PREFIX?: string
  FS: {
    analyzePath(path: string): { exists: boolean }
    mkdirTree(path: string): void
    readdir(path: string): string[]
    unlink(path: string): void
    writeFile(path: string, data: Uint8Array): void
    createPreloadedFile(
      folder: string,
      name: string,
      data: unknown,
      canRead: boolean,
      canWrite: boolean,
      onload: () => void,
      onerror: (error?: unknown) => void,
      dontCreateFile: boolean,
    ): void
  }
  addFunction(callback: unknown, signature: string): number
  pg_extensions: Record<string, Promise<Blob>>
}

type Hooks<F> = F | F[]
type InstanceCallback = (instance: WebAssembly.Instance, module?: WebAssembly.Module) => unknown

/** The part of PGlite's options for its Emscripten module that is used here. */
export interface HostOptions {
  instantiateWasm?: (imports: WebAssembly.Imports, done: InstanceCallback) => unknown
  getPreloadedPackage?: (name: string, size: number) => ArrayBuffer
  wasmMemory?: WebAssembly.Memory
  locateFile?: (path: string, folder: string) => string
  preRun?: Hooks<(mod: HostModule) => void>
  postRun?: Hooks<(mod: HostModule) => void>
}

/** Nothing can be read from here: it is no base64. Of other addresses PGlite 0.4 would at once compile what comes. */
const NOWHERE = 'data:application/octet-stream;base64,!'

/** What has happened at the start of a PGlite. */
export class StaticHost {
  /**
   * How many times something would have been compiled: callbacks without a trampoline. It is 0, or PGlite has not
   * started. A library that was not handed over is not there for PostgreSQL, so nothing compiles it.
   */
  codeGenerations = 0
  readonly #modules: StaticModules
  /** The extensions that PGlite is to load. */
  readonly #extensions: ReadonlySet<string>
  readonly #memory: WebAssembly.Memory | undefined
  #failure: unknown

  /** `memory` replaces PGlite's, which may grow to 2 GiB. */
  constructor(modules: StaticModules, extensions: ReadonlySet<string>, memory?: WebAssembly.Memory) {
    this.#modules = modules
    this.#extensions = extensions
    this.#memory = memory
  }

  /** PGlite's options with the hooks added. */
  attach(options: HostOptions): HostOptions {
    return {
      ...options,
      ...(this.#memory && { wasmMemory: this.#memory }),
      instantiateWasm: (imports, done) => this.#instantiate(imports, done),
      getPreloadedPackage: (name, size) => this.#checkedPackage(options, name, size),
      // After an error of ours, PGlite 0.4 would still read and compile the module: it does not find it.
      locateFile: (path, folder) => (this.#failure === undefined ? folder + path : NOWHERE),
      preRun: [(mod: HostModule) => this.#wrapCallbacks(mod), options.preRun ?? []].flat(),
      postRun: [options.postRun ?? [], (mod: HostModule) => this.#handOver(mod)].flat(),
    }
  }

  /** Throws what went wrong in a hook that could not throw. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Throws when PGlite's code is not that which the modules are for. Otherwise PGlite would wait for ever. */
  #instantiate(imports: WebAssembly.Imports, done: InstanceCallback): object {
    const { pglite } = this.#modules
    try {
      this.check()
      this.#checkVersions(imports)
    } catch (error) {
      this.#failure = error
      throw error
    }
    WebAssembly.instantiate(pglite, imports).then(
      (instance) => done(instance, pglite),
      (cause: unknown) => {
        this.#failure = otherVersion(this.#modules.manifest, `its module pglite.wasm cannot be linked`, cause)
        done(failedInstance(this.#failure))
      },
    )
    return {}
  }

  #checkVersions(imports: WebAssembly.Imports): void {
    const { pglite, libraries, manifest } = this.#modules
    const missing = WebAssembly.Module.imports(pglite).filter(
      ({ module, name }) => imports[module]?.[name] === undefined,
    )
    if (missing.length > 0) {
      throw otherVersion(manifest, `its module pglite.wasm needs ${listed(missing.map(({ name }) => name))}`)
    }
    const exported = WebAssembly.Module.exports(pglite).map(({ name }) => name)
    const provided = new Set([...Object.keys(imports.env ?? {}), ...exported])
    for (const [name, library] of Object.entries(libraries)) checkLibrary(name, library, provided)
  }

  #checkedPackage(options: HostOptions, name: string, size: number): ArrayBuffer {
    const { manifest } = this.#modules
    // Nobody awaits this. What is noted here is thrown when the module is to be instantiated, which comes next.
    try {
      if (manifest.dataSize !== size) {
        throw otherVersion(manifest, `its files pglite.data have ${manifest.dataSize} bytes, and not ${size}`)
      }
      const given = options.getPreloadedPackage?.(name, size)
      if (given === undefined) throw new TrickleError('this PGlite does not ask for its files', { code: '0A000' })
      return given
    } catch (error) {
      this.#failure ??= error
      return new ArrayBuffer(size)
    }
  }

  #wrapCallbacks(mod: HostModule): void {
    const addFunction = mod.addFunction
    mod.addFunction = (callback, signature) => {
      try {
        const { trampolines } = this.#modules
        return addFunction(throughTrampoline(trampolines, callback as () => unknown, signature), signature)
      } catch (error) {
        this.codeGenerations += 1
        this.#failure ??= error
        throw error
      }
    }
  }

  /** Adds to what PGlite awaits before it starts PostgreSQL: the libraries, and the files of the extensions. */
  #handOver(mod: HostModule): void {
    const libraries = `${mod.WASM_PREFIX ?? '/pglite'}/lib/postgresql`
    removeOthers(mod, libraries, this.#modules.libraries)
    const handed = Object.entries(this.#modules.libraries).map(([name, module]) =>
      preload(mod, libraries, name, module),
    )
    mod.pg_extensions['static libraries'] = Promise.all(handed).then(
      () => new Blob([]),
      (error: unknown) => {
        this.#failure ??= error
        return new Blob([])
      },
    )
    for (const name of this.#extensions) {
      const files = this.#modules.extensions[name]
      if (files !== undefined) mod.pg_extensions[name] = bytesOf(files).then((bytes) => new Blob([bytes]))
    }
  }
}

/** Whoever looks at it gets the error: the only way to make PGlite fail at this point. */
function failedInstance(error: unknown): WebAssembly.Instance {
  return {
    get exports(): never {
      throw error
    },
  }
}

function checkLibrary(name: string, library: WebAssembly.Module, provided: ReadonlySet<string>): void {
  const own = new Set(WebAssembly.Module.exports(library).map((each) => each.name))
  const missing = WebAssembly.Module.imports(library)
    .filter((each) => each.module === 'env' && each.kind === 'function')
    .map((each) => each.name)
    .filter((each) => !each.startsWith('invoke_') && !provided.has(each) && !own.has(each))
  if (missing.length === 0) return
  throw new TrickleError(`the module libraries.${name} is not for this PGlite, which has no ${listed(missing)}`, {
    code: '0A000',
    hint: 'Run `npx pgtrickle-static prepare` again: it takes the libraries of the PGlite that is installed.',
  })
}

function otherVersion({ pglite }: StaticModules['manifest'], what: string, cause?: unknown): TrickleError {
  return new TrickleError(`the modules are those of PGlite ${pglite}, and its code is of another version: ${what}`, {
    code: '0A000',
    hint: 'Run `npx pgtrickle-static prepare` again after each update of @electric-sql/pglite.',
    cause,
  })
}

function listed(names: string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : ''
  return names.slice(0, 3).join(', ') + more
}

/** PostgreSQL then says that there is no such file. It would compile the file otherwise. */
function removeOthers(mod: HostModule, folder: string, libraries: Record<string, unknown>): void {
  for (const file of mod.FS.readdir(folder)) {
    if (file.endsWith('.so') && !(file.slice(0, -'.so'.length) in libraries)) mod.FS.unlink(`${folder}/${file}`)
  }
}

/** Puts a module where Emscripten's `dlopen` looks before it reads the file. The file must be there all the same. */
function preload(mod: HostModule, folder: string, name: string, module: WebAssembly.Module): Promise<void> {
  const file = `${name}.so`
  if (!mod.FS.analyzePath(folder).exists) mod.FS.mkdirTree(folder)
  mod.FS.writeFile(`${folder}/${file}`, new TextEncoder().encode('handed over as a compiled module\n'))
  return new Promise((resolve, reject) => {
    const failed = (cause?: unknown) => {
      reject(new TrickleError(`PGlite could not take the module libraries.${name}`, { code: '58P01', cause }))
    }
    mod.FS.createPreloadedFile(folder, file, module, true, true, resolve, failed, true)
  })
}
