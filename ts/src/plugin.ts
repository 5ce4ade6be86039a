import { AdvanceTimer } from './advance-timer.js'
import { Trickle } from './api.js'
import { attachBundle, STATIC_FILES } from './bundle.js'
import type { Bundles, HostOptions } from './bundle.js'
import { closeFeeds } from './changes.js'
import { installExtension } from './extension.js'
import { internalQuery } from './internal-query.js'
import { checkOptions } from './options.js'
import { hubOf } from './subscribe/hub.js'
import { inTransaction, watchTransactions } from './transactions.js'
import type { Database } from './types.js'

/** Options of `createTrickle`. */
export interface TrickleOptions {
  /** Replacements for the package's own bundles, for bundlers and hosts that cannot serve those. */
  bundles?: Bundles
  /**
   * Calls `advance()` this often, in milliseconds, so that stream tables that depend on the clock follow the time. Not
   * inside transactions, and without effect in a tab of the multi-tab worker: its leader advances.
   */
  advanceEvery?: number
  /**
   * How much memory PGlite may use, in bytes. Near it no stream table is created, and plans are given back. Without it, the
   * limit is PGlite's own, 2 GB, which a browser may refuse to give.
   */
  memoryLimit?: number
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
  const advanceEvery = options?.advanceEvery ?? undefined
  const memoryLimit = options?.memoryLimit ?? undefined
  return {
    name: 'pg_trickle',
    async setup(pg, emscriptenOpts, clientOnly) {
      const namespaceObj = new Trickle(pg)
      watchTransactions(pg, (tx) => inTransaction(new Trickle(tx)))
      // A tab of the multi-tab worker. The extension runs in the leader, and a query awaited here would never return.
      if (clientOnly) {
        hubOf(pg).join()
        return { namespaceObj }
      }
      const timer = advanceEvery === undefined ? undefined : new AdvanceTimer(pg, advanceEvery)
      const hostOptions = emscriptenOpts as HostOptions
      const attached = attachBundle(hostOptions, hostOptions[STATIC_FILES] ?? options?.bundles ?? packageBundles())
      return {
        namespaceObj,
        emscriptenOpts: attached.options,
        async init() {
          attached.check()
          const isNew = await installExtension(pg)
          if (memoryLimit !== undefined) {
            await internalQuery(pg, "SELECT pgtrickle.command('memory_limit', $1)", [String(Math.floor(memoryLimit))])
          }
          await hubOf(pg).listen()
          // Removes what the subscribers of an earlier session left behind.
          if (!isNew) await internalQuery(pg, "SELECT pgtrickle.command('tidy')")
          timer?.start()
        },
        close() {
          timer?.stop()
          hubOf(pg).close()
          closeFeeds(pg)
          return Promise.resolve()
        },
      }
    },
  }
}

/** The plugin: `PGlite.create({ extensions: { trickle } })`. */
export const trickle: TrickleExtension = /* @__PURE__ */ createTrickle()
