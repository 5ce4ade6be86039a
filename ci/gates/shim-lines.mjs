// The C of the shim stays small: under 500 lines in all of its .c and .h files together. Lines that hold only a
// comment or nothing do not count, so that nobody saves on explanations.
import { read, sources } from './files.mjs'
import { codeOnly } from './text.mjs'

export const name = 'C lines of the shim'
const LIMIT = 500

export function countCode(text) {
  return codeOnly(text, { nested: false })
    .split('\n')
    .filter((line) => line.trim()).length
}

export function check(root) {
  const counts = sources(root, /^shim\/.*\.[ch]$/).map((path) => [path, countCode(read(root, path))])
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  const notes = [`${total} lines of code: ${counts.map((each) => each.join(' ')).join(', ')}`]
  const problems = total < LIMIT ? [] : [`${total} lines of code in shim/, to be under ${LIMIT}`]
  if (!counts.length) problems.push('no C files found in shim/')
  return { problems, notes }
}
