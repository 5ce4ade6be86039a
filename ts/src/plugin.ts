import { Trickle } from './api.js'
import { attachBundle } from './bundle.js'
import type { Bundles, HostOptions } from './bundle.js'
import { TrickleError } from './errors.js'
import { hubOf } from './subscribe/hub.js'
import type { Database } from './types.js'

/** How the plugin is made. */
export interface TrickleOptions {
  /** Bundles to use in place of the package's own, where a bundler or a host cannot serve those. */
  bundles?: Bundles
}

/** What `setup` gives to PGlite. */
export interface TrickleSetup {
  namespaceObj: Trickle
  emscriptenOpts?: object
  init?: () => Promise<void>
  close?: () => Promise<void>
}

/** The plugin, in the shape of PGlite's `Extension`. */
export interface TrickleExtension {
  name: string
  setup(pg: Database, emscriptenOpts: object, clientOnly?: boolean): Promise<TrickleSetup>
}

/** The bundles of the package. Written out in full: this is the form that bundlers find and resolve. */
function ownBundles(): Bundles {
  return {
    17: new URL('./pg_trickle-pg17.tar.gz', import.meta.url),
    18: new URL('./pg_trickle-pg18.tar.gz', import.meta.url),
  }
}

/** Makes the plugin with other bundles than the package's own. */
export function createTrickle(options: TrickleOptions = {}): TrickleExtension {
  return {
    name: 'pg_trickle',
    async setup(pg, emscriptenOpts, clientOnly) {
      const namespaceObj = new Trickle(pg)
      // A tab of the multi-tab worker: the extension runs in the leader, and a query awaited here would never return.
      if (clientOnly) {
        hubOf(pg).join()
        return { namespaceObj }
      }
      const attached = attachBundle(emscriptenOpts as HostOptions, options.bundles ?? ownBundles())
      return {
        namespaceObj,
        emscriptenOpts: attached.options,
        async init() {
          attached.check()
          const isNew = await prepare(pg)
          await hubOf(pg).listen()
          // What subscribers of a session before have left behind.
          if (!isNew) await pg.query("SELECT pgtrickle.command('tidy')")
        },
        close() {
          hubOf(pg).close()
          return Promise.resolve()
        },
      }
    },
  }
}

/** The plugin: `PGlite.create({ extensions: { trickle } })`. */
export const trickle: TrickleExtension = /* @__PURE__ */ createTrickle()

const VERSIONS = `
SELECT a.default_version AS available, e.extversion AS installed
FROM pg_available_extensions a LEFT JOIN pg_extension e ON e.extname = a.name
WHERE a.name = 'pg_trickle'`

/**
 * Loads the library, so that its hooks are there before the first statement, and brings the extension up to date. Says
 * whether it was not there before.
 */
async function prepare(pg: Database): Promise<boolean> {
  try {
    await pg.query("LOAD 'pg_trickle'")
    const [version] = (await pg.query<{ available: string; installed: string | null }>(VERSIONS)).rows
    if (version === undefined) throw new TrickleError('the bundle of pg_trickle has no control file', { code: '58P01' })
    if (version.installed === null) await pg.query('CREATE EXTENSION IF NOT EXISTS pg_trickle')
    else if (version.installed !== version.available) await pg.query('ALTER EXTENSION pg_trickle UPDATE')
    return version.installed === null
  } catch (error) {
    throw TrickleError.from(error)
  }
}
