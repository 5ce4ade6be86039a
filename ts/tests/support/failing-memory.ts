/**
 * Memory that runs out: of the side module's calls of `malloc` and `realloc`, one fails. The main module's own are not
 * touched.
 */

type Allocate = (...sizes: number[]) => number

/** Calls until one fails; none does when it is infinite. */
let left = Infinity

/** Lets the n-th allocation from now on fail, during `body`. Says whether it came to that. */
export async function failing(n: number, body: () => Promise<void>): Promise<boolean> {
  left = n
  try {
    await body()
    return left <= 0
  } finally {
    left = Infinity
  }
}

function counted(allocate: Allocate): Allocate {
  return (...sizes) => (--left === 0 ? 0 : allocate(...sizes))
}

function isOurs(module: WebAssembly.Module): boolean {
  return WebAssembly.Module.exports(module).some(({ name }) => name === 'pgtrickle_fired')
}

function withFailures(imports: WebAssembly.Imports = {}): WebAssembly.Imports {
  const env = new Proxy(imports.env ?? {}, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      return name === 'malloc' || name === 'realloc' ? counted(value as Allocate) : value
    },
  })
  return { ...imports, env: env as WebAssembly.ModuleImports }
}

/** While `body` runs, side modules of ours are instantiated with allocators that can fail. */
export async function withFailingMemory<T>(body: () => Promise<T>): Promise<T> {
  const { instantiate, Instance } = WebAssembly
  const patched = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source)
    const instance = await instantiate(module, isOurs(module) ? withFailures(imports) : imports)
    return source instanceof WebAssembly.Module ? instance : { module, instance }
  }
  WebAssembly.instantiate = patched as typeof instantiate
  WebAssembly.Instance = function (module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    return new Instance(module, isOurs(module) ? withFailures(imports) : imports)
  } as unknown as typeof Instance
  try {
    return await body()
  } finally {
    Object.assign(WebAssembly, { instantiate, Instance })
  }
}
