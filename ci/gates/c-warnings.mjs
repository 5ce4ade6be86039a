// The shim compiles without a warning, against the headers of every PostgreSQL major.
import { join } from 'node:path'
import { run, sources, tail } from './files.mjs'

export const name = 'C warnings'

export function warnings(root, path) {
  const { status, output } = run(root, join(root, 'ci/toolchain.sh'), ['ci/build-wasm.sh', '--check-c', path])
  return status ? tail(output) : []
}

export function check(root) {
  return { problems: sources(root, /^shim\/.*\.c$/).flatMap((path) => warnings(root, path)), notes: [] }
}
