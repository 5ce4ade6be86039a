/** The core of the extension, compiled for JavaScript. It is loaded by the first plan. */
import { initSync, plan as compile } from '../../../build/planner/planner-glue.js'
import type { CatalogAnswer, Definition } from '../definition.js'
import { TrickleError } from '../errors.js'
import { gunzipped, readUrl } from '../read-url.js'
import type { StreamTablePlan } from '../types.js'

/** How the storage of a stage is made. */
export interface PlannedStorage {
  name: string
  /** The table and its indexes. */
  create: string[]
  /** Fills it. */
  fill: string
}

/** What `explainStreamTable` says, and how the stream table is made. A query that is no stream table has no name. */
export interface Plan extends Omit<StreamTablePlan, 'name' | 'schema' | 'asOf'> {
  name: string | null
  schema: string | null
  /** Nothing is stored yet, so that no moment is known. */
  asOf: null
  /** For each stage. */
  storage: PlannedStorage[]
  /** The SELECT of the view that users see. */
  view: string
}

/** The planner's module, where the package's own cannot be fetched: a URL, its bytes (gzipped or not), or compiled. */
export type PlannerModule = URL | Uint8Array<ArrayBuffer> | ArrayBuffer | WebAssembly.Module

/** Options of `plan`. */
export interface PlanOptions {
  /** For hosts that do not serve the package's own file, `@pgtrickle/pglite/planner.wasm.gz`. Only the first plan needs it. */
  module?: PlannerModule
}

let loading: Promise<void> | undefined

/** Plans a stream table without a database. Rejects with a `TrickleError` if its query cannot be one. */
export async function plan(definition: Definition, options: PlanOptions = {}): Promise<Plan> {
  loading ??= load(options?.module)
  await loading.catch((cause: unknown) => {
    loading = undefined
    throw new TrickleError('cannot load the planner', {
      code: '58P01',
      hint: 'The file planner.wasm.gz of @pgtrickle/pglite must be served next to its code, or given as the option module.',
      cause,
    })
  })
  const { name, schema, tree, catalog, storage, fallback } = definition
  const json = compile(tree, textOf(catalog), definition.definition, 'pgtrickle', storage, fallback)
  const planned = JSON.parse(json) as Plan | { error: { message: string } & Record<string, string | null> }
  if ('error' in planned) {
    const { message, code, fragment, hint } = planned.error
    throw new TrickleError(message, {
      streamTable: name ?? undefined,
      code: code ?? undefined,
      fragment: fragment ?? undefined,
      hint: hint ?? undefined,
    })
  }
  return { ...planned, name, schema, asOf: null }
}

async function load(given: PlannerModule | undefined): Promise<void> {
  // Bundlers resolve a URL only when it is written out like this.
  const source = given ?? new URL('./planner.wasm.gz', import.meta.url)
  initSync({ module: source instanceof WebAssembly.Module ? source : await compiled(source) })
}

async function compiled(source: URL | Uint8Array<ArrayBuffer> | ArrayBuffer): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await gunzipped(source instanceof URL ? await readUrl(source) : new Uint8Array(source)))
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n' }

/** The answers as `pg_trickle_core/src/answers/recorded.rs` reads them: a line for each row. */
function textOf(catalog: CatalogAnswer[]): string {
  const field = (value: string | null) => value?.replace(/[\\\t\n]/g, (letter) => ESCAPES[letter] ?? letter) ?? '\\N'
  const lines = catalog.flatMap(([question, about, rows]) => {
    // The text of a type depends on its modifier; all else is about one object, whoever asks.
    const object = question === 'typeText' ? about.slice(0, 2).join(' ') : (about[0] ?? '')
    return rows.map((row) => [question, object, ...row].map(field).join('\t'))
  })
  return lines.join('\n')
}
