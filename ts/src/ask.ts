/** The plugin's own queries: an app may have given PGlite other parsers and serializers, which are for its own ones. */
import type { Database, Notice } from './types.js'

/** By the OIDs of the types that these queries take and give: boolean, bigint, text. */
const parsers = { 16: (text: string) => text === 't', 20: Number, 25: String }
const serializers = { 16: String, 25: String }

/** Runs a query and gives its rows. */
export async function ask<T>(
  db: Database,
  sql: string,
  params: unknown[] = [],
  onNotice?: (notice: Notice) => void,
): Promise<T[]> {
  return (await db.query<T>(sql, params, { parsers, serializers, ...(onNotice && { onNotice }) })).rows
}
