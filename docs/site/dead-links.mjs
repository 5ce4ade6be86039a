// Links in built pages that lead to no page, no file or no heading of the site.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

const IDS = /\s(?:id|name)="([^"]+)"/g
const LINKS = /<(?:a|img|source|link|script)\b[^>]*?\s(?:href|src|srcset)="([^"]+)"/g

/** The links of all pages in `folder`, which is served below `base`, that lead nowhere, as `page: link`. */
export function deadLinks(folder, base) {
  const pages = readdirSync(folder, { recursive: true }).filter((path) => path.endsWith('.html'))
  const texts = new Map(pages.map((path) => [path, readFileSync(join(folder, path), 'utf8')]))
  const anchors = new Map(
    [...texts].map(([path, text]) => [path, new Set([...text.matchAll(IDS)].map(([, id]) => decode(id)))]),
  )
  return [...texts].flatMap(([page, text]) =>
    [...new Set([...text.matchAll(LINKS)].map(([, link]) => decode(link)))]
      .filter((link) => !/^[a-z][a-z+.-]*:|^\/\//i.test(link) && isDead(folder, base, anchors, page, link))
      .map((link) => `${page}: ${link}`),
  )
}

function isDead(folder, base, anchors, page, link) {
  const [target, anchor] = link.split('#')
  let path = page
  if (target.startsWith('/')) {
    if (!target.startsWith(base)) return true
    path = target.slice(base.length)
  } else if (target !== '') path = posix.join(dirname(page), target)
  const file = [path, `${path}.html`, posix.join(path, 'index.html')].find(
    (each) => each && existsSync(join(folder, each)) && (anchors.has(each) || /\.\w+$/.test(each)),
  )
  if (file === undefined) return true
  return Boolean(anchor) && anchors.has(file) && !anchors.get(file).has(decodeURIComponent(anchor))
}

const decode = (text) =>
  text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>')
