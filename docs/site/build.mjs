// Builds the documentation as a site, from the same Markdown: build/site. Nothing on it leads nowhere, or this fails.
//
//   build.mjs [--repository https://github.com/OWNER/NAME] [--base /NAME/]
//
// Links to files that are not on the site lead to the repository; where none is named, they are plain text.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Application } from 'typedoc'
import { build as buildApp } from 'vite'
import { build } from 'vitepress'
import { sources } from '../../ci/gates/files.mjs'
import { deadLinks } from './dead-links.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const ROOT = resolve(HERE, '../..')
const PAGES = join(ROOT, 'build/site-pages')
const OUT = join(ROOT, 'build/site')

const { values: options } = parseArgs({ options: { repository: { type: 'string' }, base: { type: 'string' } } })

/** Where the playground is on the site. It is an app of its own, so VitePress must not take the link for a page. */
const PLAYGROUND = `${options.base ?? '/'}playground/index.html`

/** Where a Markdown file of the repository is on the site. */
function pageOf(path) {
  if (path === 'README.md') return 'index.md'
  if (path === 'ts/README.md') return 'package.md'
  if (/^[A-Z]+\.md$/.test(path)) return path.toLowerCase()
  if (/^docs\/(?!site\/)/.test(path)) return path.slice('docs/'.length).replace(/README\.md$/, 'index.md')
  return undefined
}

const pages = new Map(sources(ROOT, /\.md$/).flatMap((path) => (pageOf(path) ? [[path, pageOf(path)]] : [])))

/** A link in a file of the repository, as the site has it; undefined where it leads off the site. */
function linkOnSite(from, target) {
  if (/^[a-z][a-z+.-]*:|^#/i.test(target)) return target
  const [file, anchor] = target.split('#')
  const path = normalize(join(dirname(from), file))
  if (path === 'examples/playground') return PLAYGROUND
  const to = pages.get(path) ?? (/\.(svg|webp)$/.test(path) ? path.replace(/^docs\//, '') : undefined)
  const suffix = anchor === undefined ? '' : `#${anchor}`
  if (to === undefined) return options.repository && `${options.repository}/blob/main/${path}${suffix}`
  const link = relative(dirname(pages.get(from)), to)
  return `${link.startsWith('.') ? link : `./${link}`}${suffix}`
}

function withLinksOfSite(path, text) {
  return text
    .replace(/(!?)\[([^\]]*)\]\(([^\s)]+)\)/g, (_, image, label, target) => {
      const link = linkOnSite(path, target)
      if (link === PLAYGROUND) return `<a href="${link}" target="_self">${label}</a>`
      return link === undefined ? label : `${image}[${label}](${link})`
    })
    .replace(/\b(src|srcset)="([^"]+)"/g, (_, name, target) => `${name}="${linkOnSite(path, target)}"`)
}

rmSync(PAGES, { recursive: true, force: true })
for (const [path, page] of pages) {
  mkdirSync(dirname(join(PAGES, page)), { recursive: true })
  writeFileSync(join(PAGES, page), withLinksOfSite(path, readFileSync(join(ROOT, path), 'utf8')))
}
cpSync(join(ROOT, 'docs/pictures'), join(PAGES, 'pictures'), { recursive: true })
for (const file of readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.svg'))) {
  cpSync(join(ROOT, 'docs', file), join(PAGES, file))
}

const entryPoints = [
  'index',
  'react/index',
  'vue/index',
  'svelte/index',
  'solid/index',
  'tanstack/index',
  'static/index',
  'devtools/index',
]
const reference = await Application.bootstrapWithPlugins({
  entryPoints: entryPoints.map((name) => join(ROOT, `ts/src/${name}.ts`)),
  tsconfig: join(ROOT, 'ts/tsconfig.json'),
  plugin: ['typedoc-plugin-markdown'],
  out: join(PAGES, 'reference'),
  name: '@pgtrickle/pglite',
  readme: 'none',
  entryFileName: 'index',
  disableSources: true,
  excludePrivate: true,
  excludeExternals: true,
  excludeInternal: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  logLevel: 'Error',
})
const project = await reference.convert()
if (!project) throw new Error('the types cannot be read')
await reference.generateOutputs(project)

mkdirSync(join(PAGES, '.vitepress'))
writeFileSync(
  join(PAGES, '.vitepress/config.mjs'),
  `import { siteConfig } from ${JSON.stringify(join(HERE, 'config.mjs'))}\nexport default siteConfig(${JSON.stringify(options)})\n`,
)
await buildApp({
  root: join(ROOT, 'examples/playground'),
  logLevel: 'error',
  build: { outDir: join(PAGES, 'public/playground'), emptyOutDir: true },
})
await build(PAGES, { outDir: OUT })

const dead = deadLinks(OUT, options.base ?? '/')
for (const line of dead) console.error(line)
console.log(`${pages.size} pages and the reference are in ${OUT}`)
console.log(`site: ${dead.length ? 0 : 1} passed, ${dead.length} failed`)
process.exit(dead.length ? 1 : 0)
