// The size of what is downloaded: each module, each bundle, and where the bytes of a module come from.
//
// A bundle of more than 496 KB (gzipped) fails, and a planner of more than 304 KB. So does a module or bundle that is
// over 5 % larger than ci/sizes.json says: find out why it grew, then record the new size with `just sizes --record`.
// Every change that lands records its sizes, so that the 5 % measure that change and not the sum of many. And so does a
// document that tells another size of the bundle.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { functions, sections } from './wasm.mjs'

export const name = 'sizes'
const MODULE_LIMIT = 2 * 1024 * 1024
const BUNDLE_LIMIT = 496 * 1024
const PLANNER_LIMIT = 304 * 1024
const GROWTH = 1.05
/** Parts smaller than this may grow as they like. */
const PART_FLOOR = 4096
const BASELINE = 'ci/sizes.json'
const MAJORS = [17, 18]

const STD = /^(core|alloc|std|__rustc|compiler_builtins|hashbrown|panic_unwind|unwind|rustc_demangle)$/

/**
 * The crate that a function is of, from its demangled name, in which C has no `::`. What std makes for a type of ours (a `Vec` of
 * it, its iterators) is ours.
 */
export function crateOf(name) {
  if (name.startsWith('__wasm_')) return 'linker'
  if (!name.includes('::')) return 'shim (C)'
  const [own] = /\bpg_trickle_[a-z]+(?=::)/.exec(name) ?? []
  if (own) return own
  const path = /^\W*(?:(?:mut|dyn) )?\W*(\w+)(?:\[[0-9a-f]+\])?::/.exec(name)?.[1]
  return path && !STD.test(path) ? path : 'std'
}

function sum(pairs) {
  const total = {}
  for (const [key, size] of pairs) total[key] = (total[key] ?? 0) + size
  return Object.fromEntries(Object.entries(total).sort(([, a], [, b]) => b - a))
}

/** `module` is the file that is shipped, `named` the same with the names of its functions. */
export function measure(module, named, bundle) {
  return {
    module: module.length,
    bundle: bundle.length,
    sections: sum(sections(module).map((each) => [each.name, each.whole])),
    crates: sum(functions(named).map((each) => [crateOf(each.name), each.size])),
  }
}

/** What is too large, and what has grown. */
export function judge(label, now, before) {
  const problems = []
  const notes = []
  if (now.module > MODULE_LIMIT) problems.push(`${label}: module of ${now.module} bytes, the limit is ${MODULE_LIMIT}`)
  if (now.bundle > BUNDLE_LIMIT) problems.push(`${label}: bundle of ${now.bundle} bytes, the limit is ${BUNDLE_LIMIT}`)
  if (!before)
    return { problems: [...problems, `${label}: no size recorded in ${BASELINE} (just sizes --record)`], notes }
  for (const what of ['module', 'bundle']) {
    if (now[what] > before[what] * GROWTH)
      problems.push(`${label}: ALERT, the ${what} grew ${growth(now[what], before[what])}`)
  }
  for (const kind of ['sections', 'crates']) {
    for (const [part, size] of Object.entries(now[kind])) {
      const was = before[kind]?.[part] ?? 0
      if (size > was * GROWTH && size - was > PART_FLOOR)
        notes.push(`${label}: ALERT, ${part} grew ${growth(size, was)}`)
    }
  }
  return { problems, notes }
}

const growth = (now, was) => `from ${was} to ${now} bytes${was ? ` (+${((now / was - 1) * 100).toFixed(0)} %)` : ''}`

function measureAll(root) {
  const file = (path) => readFileSync(join(root, path))
  return Object.fromEntries(
    MAJORS.map((major) => [
      `pg${major}`,
      measure(
        file(`build/pg${major}/pg_trickle.so`),
        file(`build/pg${major}/named.wasm`),
        file(`build/pg_trickle-pg${major}.tar.gz`),
      ),
    ]),
  )
}

const kilobytes = (size) => `${(size / 1024).toFixed(1)} KB`

function report(label, now) {
  const parts = (list) =>
    Object.entries(list)
      .filter(([, size]) => size >= 512)
      .map(([part, size]) => `${part} ${kilobytes(size)}`)
      .join(', ')
  return [
    `${label}: module ${kilobytes(now.module)}, bundle ${kilobytes(now.bundle)} gzipped`,
    `  by section: ${parts(now.sections)}`,
    `  code by crate: ${parts(now.crates)}`,
  ]
}

export function check(root) {
  const recorded = existsSync(join(root, BASELINE)) ? JSON.parse(readFileSync(join(root, BASELINE), 'utf8')) : {}
  const problems = []
  const notes = []
  const measured = measureAll(root)
  for (const [label, now] of Object.entries(measured)) {
    const judged = judge(label, now, recorded[label])
    problems.push(...judged.problems)
    notes.push(...report(label, now), ...judged.notes)
  }
  const planner = judgePlanner(readFileSync(join(root, PLANNER)))
  const told = TOLD.flatMap(([path, pattern]) =>
    judgeTold(path, pattern.exec(readFileSync(join(root, path), 'utf8'))?.[1], measured.pg18.bundle),
  )
  return { problems: [...problems, ...planner.problems, ...told], notes: [...notes, ...planner.notes] }
}

/** Where documents say how large the bundle is. */
const TOLD = [
  ['README.md', /It adds (\d+) KB/],
  ['docs/COMPARISON.md', /There are (\d+) KB more to load/],
]

/** A document may be 1 % behind, so that not every change of the core is one of the README. */
export function judgeTold(path, told, size) {
  const is = Math.round(size / 1024)
  return Math.abs(told - is) <= is / 100 ? [] : [`${path}: says that the bundle has ${told} KB; it has ${is}`]
}

const PLANNER = 'build/planner/planner.wasm.gz'

/** The planner, as it is downloaded by the first plan. */
export function judgePlanner({ length }) {
  const problems = length > PLANNER_LIMIT ? [`planner: ${length} bytes, the limit is ${PLANNER_LIMIT}`] : []
  return { problems, notes: [`planner: ${kilobytes(length)} gzipped`] }
}

export function record(root) {
  writeFileSync(join(root, BASELINE), `${JSON.stringify(measureAll(root), null, 2)}\n`)
}
