/** What the planner without a database plans from: the analysed tree of a query, and what the catalog says of it. */

/** A query of the catalog by name, what it was about, and the rows of the answer. */
export type CatalogAnswer = [question: string, about: string[], rows: (string | null)[][]]

/** A stream table, or a query that is none yet, as `exportDefinition` gives it: plain JSON, to be stored or sent. */
export interface Definition {
  /** The name of the stream table, null for a query. */
  name: string | null
  schema: string | null
  /** The view that holds the query. */
  definition: string
  /** The table that holds the rows, in the schema `pgtrickle`. */
  storage: string
  /** Why its query runs again after every change, although it need not. */
  fallback: string | null
  /** The analysed query, as PostgreSQL stores it. */
  tree: string
  /** What the catalog says, as far as planning asks. */
  catalog: CatalogAnswer[]
}

const NAME = /^\s*(?:"(?:[^"]|"")+"|[\w$\u0080-\uffff]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$\u0080-\uffff]+))*\s*$/

/** Whether a text is a name, with a schema or without, as in SQL. Anything else is a query. */
export const isName = (text: string): boolean => NAME.test(text)

/** The definition, given what the extension answers. */
export function definitionOf(parts: Omit<Definition, 'tree' | 'catalog'>, json: string): Definition {
  const [first, ...catalog] = JSON.parse(json) as CatalogAnswer[]
  return { ...parts, tree: first?.[2][0]?.[0] ?? '', catalog }
}
