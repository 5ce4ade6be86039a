/** The functions that the apps put into the page, for the tests to call. */
import type { PGliteInterface } from '@electric-sql/pglite'
import type { Trickle } from '@pgtrickle/pglite'

declare global {
  /** Opens the page's database as `pg`. */
  var openDatabase: (dataDir?: string) => Promise<void>
  var pg: PGliteInterface & { trickle: Trickle }
  /** The rows in which a stream table differs from its query, compared by PostgreSQL and not by the extension. */
  var difference: (name: string, query: string) => Promise<object[]>
}

/** Makes an app from a function that opens a database. */
export function provide(open: (dataDir?: string) => Promise<typeof globalThis.pg>): void {
  globalThis.openDatabase = async (dataDir) => {
    globalThis.pg = await open(dataDir)
  }
  globalThis.difference = async (name, query) => {
    const { rows } = await pg.query<object>(
      `(SELECT 'extra', * FROM (SELECT * FROM ${name} EXCEPT ALL (${query})) e)
       UNION ALL (SELECT 'missing', * FROM ((${query}) EXCEPT ALL SELECT * FROM ${name}) m)`,
    )
    return rows
  }
}
