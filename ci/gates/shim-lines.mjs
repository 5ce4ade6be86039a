// The C of the shim stays small: under 500 lines in all of its .c and .h files together, comments and blank lines
// included, as `wc -l` counts them.
import { read, sources } from './files.mjs'
import { linesOf } from './text.mjs'

export const name = 'C lines of the shim'
const LIMIT = 500

export function check(root) {
  const counts = sources(root, /^shim\/.*\.[ch]$/).map((path) => [path, linesOf(read(root, path))])
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  const notes = [`${total} lines: ${counts.map((each) => each.join(' ')).join(', ')}`]
  const problems = total < LIMIT ? [] : [`${total} lines in shim/, to be under ${LIMIT}`]
  if (!counts.length) problems.push('no C files found in shim/')
  return { problems, notes }
}
