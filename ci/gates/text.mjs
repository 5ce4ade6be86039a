// Source text without what is not code.

/**
 * C or Rust with every comment replaced by a space (line ends kept) and every string by an empty one. Rust's block
 * comments nest, C's do not.
 */
export function codeOnly(text, { nested }) {
  const token =
    /\/\/[^\n]*|\/\*|\b[bc]?r(#*)"|[bc]?"(?:\\[^]|[^"\\])*"|'(?:\\(?:u\{[^}]*\}|x[0-9a-fA-F]{2}|[^])|[^'\\\n])'/g
  let code = ''
  let from = 0
  for (let found; (token.lastIndex = from), (found = token.exec(text));) {
    const [start, hashes] = found
    code += text.slice(from, found.index)
    from = found.index + start.length
    if (start === '/*') from = endOfComment(text, from, nested)
    else if (hashes !== undefined) from = endOf(text, `"${hashes}`, from)
    const isComment = start.startsWith('/')
    const skipped = text.slice(found.index, from).replace(/[^\n]/g, '')
    code += isComment ? ` ${skipped}` : `""${skipped}`
  }
  return code + text.slice(from)
}

function endOf(text, end, from) {
  const at = text.indexOf(end, from)
  return at < 0 ? text.length : at + end.length
}

function endOfComment(text, from, nested) {
  const edge = nested ? /\/\*|\*\//g : /\*\//g
  for (let depth = 1, found; (edge.lastIndex = from), (found = edge.exec(text));) {
    from = found.index + 2
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return from
  }
  return text.length
}

export const linesOf = (text) => text.split('\n').length - (text.endsWith('\n') ? 1 : 0)

/** The strings and templates of TypeScript, without their quotes. */
export function stringsIn(text) {
  const token = /\/\/[^\n]*|\/\*[^]*?\*\/|'((?:\\[^]|[^'\\\n])*)'|"((?:\\[^]|[^"\\\n])*)"|`((?:\\[^]|[^`\\])*)`/g
  return [...text.matchAll(token)].flatMap(([, single, double, template]) => single ?? double ?? template ?? [])
}
