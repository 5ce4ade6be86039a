// `unsafe` stays at the edge: the files that talk to C, and nowhere else.
import { read, sources } from './files.mjs'
import { codeOnly } from './text.mjs'

export const name = 'unsafe only at the edge'
const EDGE = /^pg_trickle_pglite\/src\/(edge\/ffi\/\w+|edge\/alloc|lib)\.rs$/
const CORE = 'pg_trickle_core/src/lib.rs'

export function check(root) {
  const problems = []
  let uses = 0
  for (const path of sources(root, /\.rs$/)) {
    const code = codeOnly(read(root, path), { nested: true })
    code.split('\n').forEach((line, index) => {
      if (!/\bunsafe\b/.test(line)) return
      uses += 1
      if (!EDGE.test(path)) problems.push(`${path}:${index + 1}: unsafe outside of the edge`)
    })
    if (path === CORE && !/#!\[forbid\([^)]*\bunsafe_code\b/.test(code))
      problems.push(`${path}: no #![forbid(unsafe_code)]`)
  }
  return { problems, notes: [`${uses} lines with unsafe`] }
}
