import type { Trickle } from '../api.js'
import type { Database } from '../types.js'

/** A PGlite with the plugin, or a tab's PGliteWorker: what subscriptions need of it. */
export interface StreamTableDatabase extends Database {
  /** What the plugin adds. */
  trickle: Pick<Trickle, 'subscribe'>
}
