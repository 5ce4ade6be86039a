/** Side modules of ours with functions of PGlite's replaced on their way in. The main module's own calls are not touched. */

type Patch = (name: string, imported: unknown, memory: WebAssembly.Memory) => unknown

function isOurs(module: WebAssembly.Module): boolean {
  return WebAssembly.Module.exports(module).some(({ name }) => name === 'pgtrickle_fired')
}

function patchedImports(imports: WebAssembly.Imports, patch: Patch): WebAssembly.Imports {
  const env = new Proxy(imports.env ?? {}, {
    get(target, name) {
      const imported: unknown = Reflect.get(target, name)
      return typeof name === 'string' ? patch(name, imported, target.memory as WebAssembly.Memory) : imported
    },
  })
  return { ...imports, env: env as WebAssembly.ModuleImports }
}

/** While `body` runs, side modules of ours are instantiated with what `patch` makes of their imports. */
export async function withPatchedModule<T>(patch: Patch, body: () => Promise<T>): Promise<T> {
  const { instantiate, Instance } = WebAssembly
  const importsOf = (module: WebAssembly.Module, imports: WebAssembly.Imports = {}) =>
    isOurs(module) ? patchedImports(imports, patch) : imports
  const patched = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source)
    const instance = await instantiate(module, importsOf(module, imports))
    return source instanceof WebAssembly.Module ? instance : { module, instance }
  }
  WebAssembly.instantiate = patched as typeof instantiate
  WebAssembly.Instance = function (module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    return new Instance(module, importsOf(module, imports))
  } as unknown as typeof Instance
  try {
    return await body()
  } finally {
    Object.assign(WebAssembly, { instantiate, Instance })
  }
}
