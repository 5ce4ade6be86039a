import { isSameValue } from './equal.js'
import { internalQuery } from '../internal-query.js'
import type { AnyRow, ColumnOf, Database } from '../types.js'

/** A column to sort by, ascending by default. As in SQL, NULLs come last when ascending and first when descending. */
export type OrderTerm<Row = AnyRow> = ColumnOf<Row> | readonly [column: ColumnOf<Row>, direction: 'asc' | 'desc']

/** The columns to sort by, most significant first. */
export type OrderBy<Row = AnyRow> = ColumnOf<Row> | readonly OrderTerm<Row>[]

/** As for `Array.prototype.sort`. */
export type Compare<Row> = (a: Row, b: Row) => number

/** One column to sort by. */
interface Term {
  column: string
  descending: boolean
  nullsFirst: boolean
}

/** How the values of a column sort. `none`: their order cannot be computed in JavaScript. */
type Kind = 'number' | 'text' | 'date' | 'boolean' | 'none'

/** How the columns of a stream table sort, and its own ORDER BY. */
export interface Ordering {
  kinds: Record<string, Kind>
  order: Term[]
}

/** Nothing is known, so only `orderBy` sorts the rows. */
export const NO_ORDERING: Ordering = { kinds: {}, order: [] }

/**
 * Reads the definition of the user's view, which ends with the query's ORDER BY, and how each column sorts. Text sorts in
 * JavaScript as in PostgreSQL when its collation compares code points.
 */
const DESCRIBE = `
SELECT pg_catalog.json_build_object('definition', pg_catalog.pg_get_viewdef(c.oid), 'kinds', (
  SELECT pg_catalog.json_object_agg(a.attname, CASE
    WHEN a.atttypid OPERATOR(pg_catalog.=) ANY ('{20,21,23,26,700,701,1700}'::pg_catalog.oid[]) THEN 'number'
    WHEN a.atttypid OPERATOR(pg_catalog.=) ANY ('{1082,1114,1184}'::pg_catalog.oid[]) THEN 'date'
    WHEN a.atttypid OPERATOR(pg_catalog.=) 16 THEN 'boolean'
    WHEN a.atttypid OPERATOR(pg_catalog.=) 2950 THEN 'text'
    WHEN a.atttypid OPERATOR(pg_catalog.=) ANY ('{25,1043,19}'::pg_catalog.oid[])
      AND CASE WHEN l.oid OPERATOR(pg_catalog.=) 100 THEN d.datcollate ELSE l.collcollate END
        OPERATOR(pg_catalog.=) ANY ('{C,POSIX,C.UTF-8}'::pg_catalog.text[]) THEN 'text'
    ELSE 'none' END)
  FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_collation l ON l.oid OPERATOR(pg_catalog.=) a.attcollation, pg_catalog.pg_database d
  WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0
    AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))::pg_catalog.text AS json
FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)`

/** Looks up how a stream table is ordered. An error here is ignored, because `subscribe` then fails and reports it. */
export async function loadOrdering(db: Database, name: string): Promise<Ordering> {
  try {
    const [row] = await internalQuery<{ json: string }>(db, DESCRIBE, [name])
    const { definition, kinds } = JSON.parse(row?.json ?? '{}') as { definition?: string; kinds?: Ordering['kinds'] }
    return { kinds: kinds ?? {}, order: orderOf(definition ?? '', kinds ?? {}) }
  } catch {
    return NO_ORDERING
  }
}

/**
 * Parses the ORDER BY at the end of a view's definition as PostgreSQL prints it. Empty when there is none, and when
 * JavaScript cannot sort by it: by an expression, or by a column that sorts otherwise there.
 */
export function orderOf(definition: string, kinds: Ordering['kinds']): Term[] {
  const list = /\n {2}ORDER BY ([^\n]+);$/.exec(definition)?.[1]
  if (list === undefined) return []
  const terms: Term[] = []
  // The view has a second item in FROM, so PostgreSQL writes the alias of the storage before each column.
  const term = /(?:[a-z]\w*\.)?(?:"((?:[^"]|"")+)"|([a-z_][a-z0-9_$]*))( DESC)?(?: NULLS (FIRST|LAST))?(?:, |$)/y
  while (term.lastIndex < list.length) {
    const found = term.exec(list)
    const column = found?.[1]?.replaceAll('""', '"') ?? found?.[2] ?? ''
    if (!found || (kinds[column] ?? 'none') === 'none') return []
    const descending = found[3] !== undefined
    terms.push({ column, descending, nullsFirst: found[4] === undefined ? descending : found[4] === 'FIRST' })
  }
  return terms
}

/** The comparison for `orderBy`, or else for the stream table's own order. Undefined when there is neither. */
export function comparison<Row>(orderBy: OrderBy<Row> | undefined, ordering: Ordering): Compare<Row> | undefined {
  const terms = orderBy === undefined ? ordering.order : termsOf(orderBy as OrderBy)
  if (terms.length === 0) return undefined
  return (a, b) => {
    for (const { column, descending, nullsFirst } of terms) {
      const left = (a as AnyRow)[column] ?? null
      const right = (b as AnyRow)[column] ?? null
      if (left === right) continue
      if (left === null) return nullsFirst ? -1 : 1
      if (right === null) return nullsFirst ? 1 : -1
      const order = compareValues(left, right, ordering.kinds[column] ?? 'none')
      if (order !== 0) return descending ? -order : order
    }
    return 0
  }
}

function termsOf(orderBy: OrderBy): Term[] {
  const list = typeof orderBy === 'string' ? [orderBy] : orderBy
  return list.map((term) => {
    const [column, direction] = typeof term === 'string' ? [term, 'asc' as const] : term
    return { column, descending: direction === 'desc', nullsFirst: direction === 'desc' }
  })
}

function compareValues(a: unknown, b: unknown, kind: Kind): number {
  if (kind === 'number') return compareNumbers(a, b)
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (isSameValue(a, b)) return 0
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}

/** Compares numbers, bigints, and the text of numeric values. NaN is the greatest, as in PostgreSQL. */
function compareNumbers(a: unknown, b: unknown): number {
  const left = Number(a)
  const right = Number(b)
  if (left < right) return -1
  if (left > right) return 1
  if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right))
  // They are equal as doubles, so the digits beyond that precision decide.
  return typeof a === 'string' && typeof b === 'string' ? compareDecimals(a, b) : a === b ? 0 : compareExact(a, b)
}

function compareExact(a: unknown, b: unknown): number {
  return typeof a === 'bigint' && typeof b === 'bigint' ? (a < b ? -1 : 1) : 0
}

function compareDecimals(a: string, b: string): number {
  const digits = (text: string, places: number) => {
    const [whole = '', part = ''] = text.split('.')
    return BigInt(whole + part.padEnd(places, '0'))
  }
  if (!/^-?\d+(\.\d+)?$/.test(a) || !/^-?\d+(\.\d+)?$/.test(b)) return 0
  const places = Math.max(a.split('.')[1]?.length ?? 0, b.split('.')[1]?.length ?? 0)
  const difference = digits(a, places) - digits(b, places)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** By code points. UTF-16 units sort the same way, except that surrogates stand for the highest code points. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left === right) continue
    const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff
    return isSurrogate(left) === isSurrogate(right) ? left - right : isSurrogate(left) ? 1 : -1
  }
  return a.length - b.length
}
