declare module '*/planner-glue.js' {
  export function initSync(options: { module: WebAssembly.Module }): unknown
  export function plan(
    tree: string,
    answers: string,
    definition: string,
    schema: string,
    storage: string,
    fallback: string | null,
  ): string
}
