// The site's navigation and looks, for VitePress.
import { slugOf } from '../../ci/gates/links.mjs'

const items = (...pages) => pages.map(([text, link]) => ({ text, link }))

export function siteConfig({ repository, base = '/' }) {
  return {
    title: 'pg_trickle for PGlite',
    description: 'Stream tables: tables that always equal their query, in PGlite',
    lang: 'en',
    base,
    head: [['link', { rel: 'icon', href: 'data:,' }]],
    cleanUrls: false,
    // Links keep the anchors that they have in the repository.
    markdown: { anchor: { slugify: slugOf } },
    themeConfig: {
      search: { provider: 'local' },
      outline: [2, 3],
      nav: [
        ...items(
          ['Quickstart', '/tutorials/PGLITE_QUICKSTART'],
          ['Recipes', '/recipes/'],
          ['Reference', '/reference/'],
        ),
        // An app of its own beside the pages.
        { text: 'Playground', link: '/playground/index.html', target: '_self' },
      ],
      ...(repository && { socialLinks: [{ icon: 'github', link: repository }] }),
      sidebar: [
        {
          text: 'Start',
          items: items(
            ['Stream tables', '/'],
            ['Quickstart', '/tutorials/PGLITE_QUICKSTART'],
            ['Examples', '/EXAMPLES'],
            ['Frameworks and bundlers', '/package'],
            ['Questions', '/FAQ'],
            ['Comparison', '/COMPARISON'],
          ),
        },
        {
          text: 'Recipes',
          items: items(
            ['Overview', '/recipes/'],
            ['Leaderboard', '/recipes/leaderboard'],
            ['Unread counts', '/recipes/unread-counts'],
            ['Ledger', '/recipes/ledger'],
            ['Inventory', '/recipes/inventory'],
            ['Time series', '/recipes/time-series'],
            ['Tree with totals', '/recipes/tree'],
            ['Star schema', '/recipes/star-schema'],
            ['Permissions', '/recipes/permissions'],
            ['Search', '/recipes/search'],
            ['ORMs and sync', '/ORMS'],
          ),
        },
        {
          text: 'Reference',
          items: items(
            ['API', '/API'],
            ['Types', '/reference/'],
            ['Queries', '/QUERIES'],
            ['Statements', '/STATEMENTS'],
            ['Limits', '/LIMITS'],
            ['Roles', '/ROLES'],
            ['Memory', '/MEMORY'],
            ['Feed', '/FEED'],
            ['Server', '/SERVER'],
            ['Clients', '/HOSTS'],
            ['Native PostgreSQL', '/NATIVE'],
            ['WebAssembly and native', '/WASM_VS_NATIVE'],
            ['Outgrowing PGlite', '/OUTGROWING'],
            ['PostgreSQL 17 and 18', '/PG17_PG18'],
            ['Cloudflare Workers', '/WORKERS'],
            ['Reliability', '/RELIABILITY'],
          ),
        },
        {
          text: 'Inside',
          items: items(
            ['Architecture', '/ARCHITECTURE'],
            ['Operators', '/OPERATORS'],
            ['Building', '/BUILDING'],
            ['Contributing', '/contributing'],
            ['Changes', '/changelog'],
          ),
        },
      ],
    },
  }
}
