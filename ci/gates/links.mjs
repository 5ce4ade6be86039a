// Links between the Markdown files: the file is there, and so is the heading. Addresses on the web are not fetched.
import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { read, sources } from './files.mjs'

export const name = 'links in Markdown'

export function check(root) {
  const documents = sources(root, /\.md$/)
  const headings = new Map(documents.map((path) => [path, anchors(read(root, path))]))
  let count = 0
  const problems = documents.flatMap((path) => {
    const links = linksIn(read(root, path)).filter(({ target }) => !/^[a-z][a-z+.-]*:|^\/\//i.test(target))
    count += links.length
    return links.flatMap(({ line, target }) => {
      const reason = broken(root, headings, path, target)
      return reason ? [`${path}:${line}: ${target}: ${reason}`] : []
    })
  })
  return { problems, notes: [`${documents.length} files, ${count} links between them`] }
}

/** Why a link leads nowhere, or nothing. */
function broken(root, headings, from, target) {
  const [file, anchor] = decodeURI(target).split('#')
  const path = file ? normalize(join(dirname(from), file)) : from
  if (file.startsWith('/') || path.startsWith('..')) return 'not a path inside the repository'
  if (!existsSync(join(root, path))) return 'no such file'
  if (anchor === undefined) return undefined
  if (statSync(join(root, path)).isDirectory() || !headings.has(path))
    return 'not a Markdown file, so it has no headings'
  return headings.get(path).has(anchor) ? undefined : 'no such heading'
}

/** The targets of links, images, reference definitions and HTML attributes, with their lines. Code holds none. */
export function linksIn(text) {
  const target =
    /\]\(\s*<?([^\s)>]+)>?(?:\s+["'(][^)]*)?\)|^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)|\b(?:href|src|srcset)="([^"]+)"/g
  return withoutCode(text)
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(target)].map((match) => ({ line: index + 1, target: match[1] ?? match[2] ?? match[3] })),
    )
}

/** The anchors that GitHub gives the headings. A heading that occurs again gets a number. */
export function anchors(text) {
  const found = new Set()
  for (const [, heading] of withoutFences(text).matchAll(/^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/gm)) {
    const slug = slugOf(heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1'))
    let anchor = slug
    for (let again = 1; found.has(anchor); again++) anchor = `${slug}-${again}`
    found.add(anchor)
  }
  for (const [, anchor] of withoutCode(text).matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) found.add(anchor)
  return found
}

/** The anchor of a heading, by its text. */
export const slugOf = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
    .replaceAll(' ', '-')

/** Fenced code becomes empty lines, so that line numbers stay right. */
const withoutFences = (text) =>
  text.replace(/^ *(`{3,}|~{3,})[^\n]*\n[^]*?(?:^ *\1[`~]*[ \t]*$|$(?![^]))/gm, (code) => code.replace(/[^\n]/g, ''))

const withoutCode = (text) =>
  withoutFences(text)
    .replace(/<!--[^]*?-->/g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/(`+)(?!`)([^\n]*?[^`])\1(?!`)/g, '')
