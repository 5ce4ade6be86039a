// Everything that a side module imports is there in every PGlite release that is installed, with the same signature. A
// function that is missing becomes a stub that throws inside the backend, and wedges the database.
//
// How Emscripten's dynamic linker resolves the imports of a side module:
//   env.<function>            an export of the main module, or of its JavaScript (`wasmImports`)
//   env.invoke_<signature>    made by JavaScript when first asked for
//   GOT.func.<name>           address of a function: an export of the main module or of the side module itself
//   GOT.mem.<name>            address of a variable: likewise
//   env.memory and the like   given by the linker
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { interfaceOf } from './wasm.mjs'

export const name = 'imports that PGlite has'

/** The oldest and the newest release of each line: aliases of ts/package.json. */
const RELEASES = { 17: ['pglite-0.4.0', 'pglite-0.4'], 18: ['pglite-0.5.0', 'pglite-0.5'] }

const LINKER = {
  memory: 'memory',
  __indirect_function_table: 'table',
  __memory_base: 'global',
  __table_base: 'global',
  __stack_pointer: 'global',
}

/** What a release of PGlite offers to side modules. */
export function hostOf(root, alias) {
  const require = createRequire(join(root, 'ts/package.json'))
  const folder = dirname(require.resolve(alias))
  const { exports } = interfaceOf(readFileSync(join(folder, 'pglite.wasm')))
  const { version } = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8'))
  return { version, exports: byName(exports), javascript: functionsOfJavaScript(join(folder, 'pglite.js')) }
}

/** The keys of the `wasmImports={...}` literal in Emscripten's JavaScript. */
function functionsOfJavaScript(path) {
  const literal = /\bwasmImports=\{([^{}]*)\}/.exec(readFileSync(path, 'utf8'))?.[1]
  if (!literal) throw new Error(`no table of JavaScript functions found in ${path}`)
  return new Set(literal.split(',').map((entry) => entry.split(':')[0].trim()))
}

const byName = (list) => new Map(list.map((each) => [each.name, each]))

/** What is wrong with one import of the side module, or nothing. */
function problem({ module, name, kind, signature }, own, host) {
  const from = host.exports.get(name)
  if (module === 'env' && LINKER[name] === kind) return
  if (module === 'GOT.mem' || module === 'GOT.func') {
    const wanted = module === 'GOT.mem' ? 'global' : 'function'
    const found = from ?? own.get(name)
    if (!found) return 'missing'
    return found.kind === wanted ? undefined : `a ${found.kind}, not a ${wanted}`
  }
  if (module !== 'env' || kind !== 'function') return `an import of unknown kind: ${module} ${kind}`
  if (!from) return name.startsWith('invoke_') || host.javascript.has(name) ? undefined : 'missing'
  if (from.kind !== 'function') return `a ${from.kind}, not a function`
  return from.signature === signature ? undefined : `${from.signature} there, ${signature} here`
}

/** What a host lacks of what a side module imports. */
export function unresolved(side, host) {
  const own = byName(side.exports)
  return side.imports
    .map((each) => [each, problem(each, own, host)])
    .filter(([, what]) => what)
    .map(([{ module, name }, what]) => `${module}.${name}: ${what}`)
}

/** `modules` is the folder that has the modules as pg17/pg_trickle.so and pg18/pg_trickle.so. */
export function check(root, modules = join(root, 'build')) {
  const problems = []
  const notes = []
  for (const [major, aliases] of Object.entries(RELEASES)) {
    const side = interfaceOf(readFileSync(join(modules, `pg${major}/pg_trickle.so`)))
    for (const host of aliases.map((alias) => hostOf(root, alias))) {
      const wrong = unresolved(side, host)
      notes.push(`pg${major} on PGlite ${host.version}: ${side.imports.length} imports, ${wrong.length} unresolved`)
      problems.push(...wrong.map((each) => `pg${major} on PGlite ${host.version}: ${each}`))
    }
  }
  return { problems, notes }
}
