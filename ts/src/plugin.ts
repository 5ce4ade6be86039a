import { Trickle } from './api.js'
import { attachBundle } from './bundle.js'
import type { Bundles, HostOptions } from './bundle.js'
import { TrickleError } from './errors.js'
import { internalQuery } from './internal-query.js'
import { checkOptions } from './options.js'
import { hubOf } from './subscribe/hub.js'
import type { Database } from './types.js'

/** Options of `createTrickle`. */
export interface TrickleOptions {
  /** Replacements for the package's own bundles, for bundlers and hosts that cannot serve those. */
  bundles?: Bundles
}

/** What `setup` returns to PGlite. */
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

/** The bundles of the package. Bundlers resolve a URL only when it is written out like this. */
function packageBundles(): Bundles {
  return {
    17: new URL('./pg_trickle-pg17.tar.gz', import.meta.url),
    18: new URL('./pg_trickle-pg18.tar.gz', import.meta.url),
  }
}

/** Creates the plugin with bundles other than the package's own. */
export function createTrickle(options: TrickleOptions = {}): TrickleExtension {
  checkOptions('createTrickle', options)
  checkOptions('createTrickle({ bundles })', options?.bundles)
  return {
    name: 'pg_trickle',
    async setup(pg, emscriptenOpts, clientOnly) {
      const namespaceObj = new Trickle(pg)
      // A tab of the multi-tab worker. The extension runs in the leader, and a query awaited here would never return.
      if (clientOnly) {
        hubOf(pg).join()
        return { namespaceObj }
      }
      const attached = attachBundle(emscriptenOpts as HostOptions, options.bundles ?? packageBundles())
      return {
        namespaceObj,
        emscriptenOpts: attached.options,
        async init() {
          attached.check()
          const isNew = await installExtension(pg)
          await hubOf(pg).listen()
          // Removes what the subscribers of an earlier session left behind.
          if (!isNew) await internalQuery(pg, "SELECT pgtrickle.command('tidy')")
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

/** Returns no row when the extension is not installed, and then reads none of the files that describe extensions. */
const IS_CURRENT = `
SELECT extversion = (SELECT default_version FROM pg_available_extensions WHERE name = extname) AS is_current
FROM pg_extension WHERE extname = 'pg_trickle'`

/** SQLSTATE `insufficient_privilege`. */
const INSUFFICIENT_PRIVILEGE = '42501'

/**
 * Loads the library, so that its hooks are in place before the first statement, and installs or updates the extension.
 * True when the extension is new.
 */
async function installExtension(pg: Database): Promise<boolean> {
  try {
    await loadLibrary(pg)
    const [installed] = await internalQuery<{ is_current: boolean | null }>(pg, IS_CURRENT)
    if (installed === undefined) await internalQuery(pg, 'CREATE EXTENSION pg_trickle')
    else if (!installed.is_current) await internalQuery(pg, 'ALTER EXTENSION pg_trickle UPDATE')
    return installed === undefined
  } catch (cause) {
    const error = TrickleError.from(cause)
    if (error.code !== INSUFFICIENT_PRIVILEGE) throw error
    const hint = 'Open the database once without the option `username`: that installs or updates the extension.'
    throw new TrickleError(error.message, { code: INSUFFICIENT_PRIVILEGE, hint, cause })
  }
}

/** Only a superuser may run LOAD. For other roles, `listen` loads the library by calling a function of it. */
async function loadLibrary(pg: Database): Promise<void> {
  try {
    await internalQuery(pg, "LOAD 'pg_trickle'")
  } catch (error) {
    if (TrickleError.from(error).code !== INSUFFICIENT_PRIVILEGE) throw error
  }
}
