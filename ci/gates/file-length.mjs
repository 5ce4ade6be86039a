// A file that is too long to read at one sitting should be two.
import { read, sources } from './files.mjs'
import { linesOf } from './text.mjs'

export const name = 'length of files'
const LIMIT = 600

export function check(root) {
  const lengths = sources(root, /\.(rs|c|h|ts|tsx|mjs|js|sh|sql)$/)
    .map((path) => [linesOf(read(root, path)), path])
    .sort(([a], [b]) => b - a)
  return {
    problems: lengths
      .filter(([lines]) => lines >= LIMIT)
      .map(([lines, path]) => `${path}: ${lines} lines, to be under ${LIMIT}`),
    notes: lengths.length ? [`${lengths.length} files, the longest ${lengths[0].reverse().join(': ')} lines`] : [],
  }
}
