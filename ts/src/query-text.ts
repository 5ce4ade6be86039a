/** The text of a query with its values: `$1` and so on become constants, because a definition has no parameters. */
import { TrickleError } from './errors.js'
import type { StreamTableQuery } from './types.js'

/** SQLSTATE `invalid_parameter_value`. */
const INVALID_PARAMETER = '22023'

/** What may hold a `$1` that is no parameter, and parameters. Block comments nest, so their ends are found by hand. */
const TOKEN = new RegExp(
  [
    String.raw`--[^\n]*`,
    String.raw`(?<comment>/\*)`,
    String.raw`(?<![\w$\u0080-\uffff])[eE]'(?:[^'\\]|''|\\[^])*'`,
    `'(?:[^']|'')*'`,
    `"(?:[^"]|"")*"`,
    String.raw`(?<![\w$\u0080-\uffff])\$(?<tag>(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$[^]*?\$\k<tag>\$`,
    String.raw`(?<![\w$\u0080-\uffff])\$(?<parameter>\d+)`,
  ].join('|'),
  'g',
)

/** The text of a query. `params` are the values that stand beside it. */
export function queryText(
  query: StreamTableQuery,
  params: readonly unknown[] | null | undefined,
  streamTable: string,
): string {
  const refuse = (message: string, hint: string): never => {
    throw new TrickleError(message, { code: INVALID_PARAMETER, streamTable, hint })
  }
  // Callers in JavaScript may pass anything.
  const { sql, ...own } = (typeof query === 'string' ? { sql: query } : (query ?? {})) as { sql?: unknown } & Values
  if (typeof sql !== 'string') {
    return refuse('the query is neither a text nor an object with sql and params', 'A query builder may need toSQL().')
  }
  const inQuery = own.params ?? own.parameters
  if (inQuery && params) refuse('the values are given twice', 'Give them with the query, or as the option params.')
  const values = inQuery ?? params
  return values ? insertValues(sql, values, refuse) : sql
}

interface Values {
  params?: readonly unknown[]
  parameters?: readonly unknown[]
}

function insertValues(
  sql: string,
  values: readonly unknown[],
  refuse: (message: string, hint: string) => never,
): string {
  const used = new Set<number>()
  let text = ''
  let at = 0
  for (;;) {
    TOKEN.lastIndex = at
    const found = TOKEN.exec(sql)
    if (found === null) break
    const { comment, parameter } = found.groups ?? {}
    const end = comment === undefined ? TOKEN.lastIndex : endOfComment(sql, found.index)
    text += sql.slice(at, parameter === undefined ? end : found.index)
    if (parameter !== undefined) {
      const n = Number(parameter)
      if (n < 1 || n > values.length) {
        const hint = `There are ${values.length} values.`
        refuse(`the query has the parameter $${parameter}, for which there is no value`, hint)
      }
      used.add(n)
      // Spaces, so that it joins no token beside it.
      text += ` ${literal(values[n - 1])} `
    }
    at = end
  }
  const unused = values.findIndex((_, n) => !used.has(n + 1))
  if (unused >= 0) refuse(`the query does not use the value of $${unused + 1}`, 'Leave it out.')
  return text + sql.slice(at)
}

/** The index after a block comment, in which others may be nested. */
function endOfComment(sql: string, start: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = start
  let depth = 0
  for (let found = mark.exec(sql); found; found = mark.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
  return sql.length
}

/** A constant of SQL. Like a parameter, it takes its type from where it stands. */
function literal(value: unknown): string {
  const text = valueText(value)
  if (text === null) return 'NULL'
  if (text.includes('\0')) {
    throw new TrickleError('a value of the query has a zero character, which PostgreSQL cannot store', {
      code: INVALID_PARAMETER,
    })
  }
  const quoted = text.replaceAll("'", "''")
  // This form is read the same way whatever the setting standard_conforming_strings says.
  return quoted.includes('\\') ? `E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`
}

/** The text of a value, as PGlite writes it for a parameter. */
function valueText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) {
    return `\\x${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
  }
  if (Array.isArray(value)) return `{${value.map(element).join(',')}}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | bigint | boolean)
}

/** An element of an array in PostgreSQL's notation. */
function element(value: unknown): string {
  if (Array.isArray(value)) return valueText(value) ?? ''
  const text = valueText(value)
  return text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
