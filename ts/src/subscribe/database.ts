import type { AnyRow, Database } from '../types.js'
import type { ChangeCallback, SubscribeOptions } from './types.js'

/** A PGlite with the plugin, or a tab's PGliteWorker: all that subscriptions need of it. */
export interface StreamTableDatabase extends Database {
  /** The plugin's methods. */
  trickle: {
    subscribe<Row = AnyRow>(
      name: string,
      callback: ChangeCallback<Row>,
      options?: SubscribeOptions<Row>,
    ): Promise<() => Promise<void>>
  }
}
