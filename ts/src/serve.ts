/** A server for clients of PostgreSQL, over one PGlite. */
export { serve } from './serve/server.js'
export type { PostgresServer, ServeOptions } from './serve/server.js'
