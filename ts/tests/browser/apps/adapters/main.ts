/** The same list in every framework, for the tests to mount. */
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import { provide } from '../database.js'
import type { Mounted, Options } from './list.js'
import { mount as react } from './react.js'
import { mount as solid } from './solid.js'
import { mount as svelte } from './svelte.js'
import { mount as tanstack } from './tanstack.js'
import { mount as vue } from './vue.js'

const FRAMEWORKS = { react, vue, svelte, solid, tanstack }

/** What a test can pass to the page: `filter` is made here, and lets rows from this `n` on through. */
type Given = Omit<Options, 'db' | 'filter'> & { atLeast?: number }

declare global {
  var mount: (framework: string, name: string, options: Given) => void
  var mounted: Mounted
}

provide((dataDir) => PGlite.create({ ...(dataDir !== undefined && { dataDir }), extensions: { trickle } }))

globalThis.mount = (framework, name, { atLeast, ...options }) => {
  const root = document.getElementById('root') as HTMLElement
  globalThis.mounted = FRAMEWORKS[framework as keyof typeof FRAMEWORKS](root, name, {
    db: pg,
    ...options,
    ...(atLeast !== undefined && { filter: ({ n }) => (n as number) >= atLeast }),
  })
}
