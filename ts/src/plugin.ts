import { Trickle } from './api.js'
import { ask } from './ask.js'
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
          if (!isNew) await ask(pg, "SELECT pgtrickle.command('tidy')")
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

/** No row where it is not installed; the files of extensions are read only where it is. */
const IS_CURRENT = `
SELECT extversion = (SELECT default_version FROM pg_available_extensions WHERE name = extname) AS is_current
FROM pg_extension WHERE extname = 'pg_trickle'`

/** SQLSTATE `insufficient_privilege`. */
const NOT_ALLOWED = '42501'

/**
 * Loads the library, so that its hooks are there before the first statement, and brings the extension up to date. Says
 * whether it was not there before.
 */
async function prepare(pg: Database): Promise<boolean> {
  try {
    await load(pg)
    const [installed] = await ask<{ is_current: boolean | null }>(pg, IS_CURRENT)
    if (installed === undefined) await ask(pg, 'CREATE EXTENSION pg_trickle')
    else if (!installed.is_current) await ask(pg, 'ALTER EXTENSION pg_trickle UPDATE')
    return installed === undefined
  } catch (cause) {
    const error = TrickleError.from(cause)
    if (error.code !== NOT_ALLOWED) throw error
    const hint = 'Open the database once without the option `username`: that installs or updates the extension.'
    throw new TrickleError(error.message, { code: NOT_ALLOWED, hint, cause })
  }
}

/** A role that is no superuser may not; then the first call of one of the extension's functions does, in `listen`. */
async function load(pg: Database): Promise<void> {
  try {
    await ask(pg, "LOAD 'pg_trickle'")
  } catch (error) {
    if (TrickleError.from(error).code !== NOT_ALLOWED) throw error
  }
}
