/** A host that compiles no WebAssembly: what Cloudflare Workers do, in Node. */

/** What workerd says. */
const REFUSAL = 'Wasm code generation disallowed by embedder'

/**
 * While `body` runs, whatever compiles bytes throws; or is only counted, if `allowed`. Returns what tried to, by the place
 * it was called from.
 */
export async function withoutCompiling<T>(
  body: () => Promise<T>,
  allowed = false,
): Promise<{ result: T; attempts: string[] }> {
  const { Module, compile, compileStreaming, instantiate, instantiateStreaming } = WebAssembly
  const attempts: string[] = []
  const refuse = (): void => {
    const error = new WebAssembly.CompileError(REFUSAL)
    attempts.push(error.stack ?? '')
    if (!allowed) throw error
  }
  const guarded =
    <A extends unknown[], R>(compiling: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      if (!(given[0] instanceof Module)) refuse()
      return compiling(...given)
    }
  WebAssembly.Module = new Proxy(Module, {
    construct(target, given: [BufferSource]) {
      refuse()
      return new target(...given)
    },
  })
  Object.assign(WebAssembly, {
    compile: guarded(compile),
    compileStreaming: guarded(compileStreaming),
    instantiateStreaming: guarded(instantiateStreaming),
    instantiate: guarded(instantiate as (...given: unknown[]) => Promise<unknown>),
  })
  try {
    return { result: await body(), attempts }
  } finally {
    Object.assign(WebAssembly, { Module, compile, compileStreaming, instantiate, instantiateStreaming })
  }
}
