// SQL of ours that runs under the search_path of the session names everything in full: functions, operators, types and
// tables. Under another path, somebody else's could stand in front of them, and would run as whoever calls us.
//
// That is the SQL of the plugin, what the backend runs as the user (`as_user`), and the bodies of the extension's
// functions. All other SQL of the backend is parsed under a fixed path (pg_trickle_pglite/src/edge/settings.rs).
import { read, sources } from './files.mjs'
import { stringsIn } from './text.mjs'

export const name = 'names in SQL'

/** What SQL itself reads as a call, a type or a relation: no path is searched for it. */
const WORDS = new Set(
  `select from where and or not in on as by any all some exists case when then else end is null limit order group having
  values lateral with union row array coalesce nullif greatest least filter over partition union distinct
  int integer bigint smallint boolean bool numeric real float char varchar bit time timestamp interval json
  current_schema current_user session_user cast`.split(/\s+/),
)
/** Types that the grammar reads as those of pg_catalog. */
const TYPES = new Set(
  'int integer bigint smallint boolean numeric real float char varchar bit time timestamp interval'.split(' '),
)

/** Looks up an operator by its bare name, whatever it is called with. */
const BARE = /\b(IS\s+(?:NOT\s+)?DISTINCT\s+FROM|NULLIF|BETWEEN|I?LIKE|SIMILAR\s+TO|NATURAL|IN|CAST)\b/gi

/** What one piece of SQL looks up along the path. */
export function unqualified(sql) {
  const bare = sql
    .replace(/--[^\n]*/g, ' ')
    .replace(/'(?:[^']|'')*'/g, "''")
    .replace(/\bOPERATOR\s*\(\s*pg_catalog\.[^)\s]+\s*\)/gi, ' ')
  const found = []
  const outside = bare.replace(/"(?:[^"]|"")*"/g, 'q').replace(/\bAS\s+[a-z_]\w*\s*\(/gi, 'AS (')
  for (const [, word] of outside.matchAll(/(?<![\w.$])([a-z_][\w$]*)\s*\(/gi))
    if (!WORDS.has(word.toLowerCase())) found.push(`${word}()`)
  for (const [, type] of outside.matchAll(/::\s*([a-z_][\w$]*)(?![\w$.])/gi))
    if (!TYPES.has(type.toLowerCase())) found.push(`::${type}`)
  for (const [, table] of outside.matchAll(/\b(?:FROM|JOIN)\s+(?:ONLY\s+)?([a-z_][\w$]*)(?![\w$.(])/gi))
    if (!WORDS.has(table.toLowerCase())) found.push(`FROM ${table}`)
  for (const [operator] of outside
    .replace(/::|=>|\$\d+|count\(\*\)|\.\*/g, ' ')
    .matchAll(/[-+/<>=~!@#%^&|`?]+|\s\*\s/g))
    found.push(operator.trim())
  for (const [, word] of outside.matchAll(BARE)) found.push(word)
  for (const [word] of outside.matchAll(/\bCASE\b(?!\s+WHEN\b)/gi)) found.push(word.trim())
  return found
}

const IS_SQL = /^\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES)\b/

/** The SQL in TypeScript: strings and templates that start like a statement. */
export function inTypeScript(text) {
  return stringsIn(text).filter((string) => IS_SQL.test(string))
}

/** The SQL that Rust hands to `as_user`. */
export function asUser(text) {
  return [...text.matchAll(/\bas_user\(\s*"((?:\\[^]|[^"\\])*)"/g)].map(([, sql]) => sql.replace(/\\\n\s*/g, ''))
}

/** Function bodies that are texts, which PostgreSQL parses when they run. */
export function bodies(text) {
  return [...text.matchAll(/\$\$([^]*?)\$\$/g)].map(([, sql]) => sql)
}

export function check(root) {
  const pieces = [
    ...sources(root, /^ts\/src\/.*\.tsx?$/).map((path) => [path, inTypeScript(read(root, path))]),
    ...sources(root, /^pg_trickle_pglite\/src\/.*\.rs$/).map((path) => [path, asUser(read(root, path))]),
    ...sources(root, /^shim\/.*\.sql$/).map((path) => [path, bodies(read(root, path))]),
  ]
  const count = (pattern) =>
    pieces.filter(([path]) => pattern.test(path)).reduce((sum, [, found]) => sum + found.length, 0)
  const counts = [count(/^ts\//), count(/\.rs$/), count(/\.sql$/)]
  const problems = pieces.flatMap(([path, statements]) =>
    statements.flatMap((sql) =>
      unqualified(sql).map(
        (what) => `${path}: ${what} has no schema in: ${sql.replace(/\s+/g, ' ').trim().slice(0, 80)}`,
      ),
    ),
  )
  if (counts[0] === 0) problems.push('no SQL found in the plugin')
  return {
    problems,
    notes: [`${counts[0]} statements of the plugin, ${counts[1]} that run as the user, ${counts[2]} function bodies`],
  }
}
