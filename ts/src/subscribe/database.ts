import type { Trickle } from '../api.js'
import type { Database } from '../types.js'

/** A PGlite with the plugin, or a tab's PGliteWorker: all that subscriptions need of it. */
export interface StreamTableDatabase extends Database {
  /** The plugin's methods. */
  trickle: Pick<Trickle, 'subscribe'>
}
