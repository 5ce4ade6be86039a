/** The plugin's own queries. They bring parsers and serializers, because an app may have replaced PGlite's. */
import type { Database, Notice } from './types.js'

/** By type OID: boolean, bigint and text, the only types that these queries take and return. */
const parsers = { 16: (text: string) => text === 't', 20: Number, 25: String }
const serializers = { 16: String, 25: String }

/** Runs a query of the plugin and returns its rows. */
export async function internalQuery<T>(
  db: Database,
  sql: string,
  params: unknown[] = [],
  onNotice?: (notice: Notice) => void,
): Promise<T[]> {
  return (await db.query<T>(sql, params, { parsers, serializers, ...(onNotice && { onNotice }) })).rows
}
