/** Takes a script of psql apart, as psql does: statements, COPY with its rows, and the few backslash commands that matter. */

export interface Statement {
  sql: string
  /** The rows of a `COPY .. FROM STDIN`. */
  rows?: string
}

/** What may stand between two statements or inside one, longest first. The last alternative is any character. */
const TOKEN = new RegExp(
  [
    String.raw`--[^\n]*`,
    String.raw`'(?:[^']|'')*'`,
    String.raw`"(?:[^"]|"")*"`,
    String.raw`\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'`,
    String.raw`\$(\w*)\$[\s\S]*?\$\1\$`,
    String.raw`:'\w+'|:"\w+"`,
    String.raw`[A-Za-z_]\w*`,
    String.raw`\\[^\n]*`,
    String.raw`\s+|[\s\S]`,
  ].join('|'),
  'y',
)

/** The statements of a script. `abs_srcdir` is the folder of the suite, where the script finds its data. */
export function statementsOf(script: string, folder: string): Statement[] {
  const statements: Statement[] = []
  const variables = new Map([['abs_srcdir', folder]])
  let sql = ''
  let open = 0
  let at = 0
  const end = () => {
    if (sql.trim() !== '') statements.push({ sql: sql.trim() })
    sql = ''
    open = 0
  }
  while (at < script.length) {
    if (script.startsWith('/*', at)) {
      at = endOfComment(script, at)
      sql += ' '
      continue
    }
    TOKEN.lastIndex = at
    const token = TOKEN.exec(script)?.[0] ?? script.slice(at)
    at += token.length
    if (token.startsWith('--')) continue
    if (token.startsWith('\\')) {
      if (token.startsWith('\\;')) {
        end()
        at += 2 - token.length
      } else if (sql.trim() === '') setVariable(token, variables)
      // \g, \gset, \gexec and their like send what is there.
      else if (/^\\(g|crosstab|bind|parse)/.test(token)) end()
      continue
    }
    if (token === '(') open++
    if (token === ')') open--
    if (/^atomic$/i.test(token) && /begin\s+$/i.test(sql)) open++
    if (/^end$/i.test(token) && /begin\s+atomic/i.test(sql) && !isInsideCase(sql)) open--
    if (token !== ';' || open > 0) {
      sql += variable(token, variables)
      continue
    }
    end()
    const last = statements.at(-1)
    if (last === undefined || !/^copy\b[\s\S]*\bfrom\s+stdin\b/i.test(last.sql)) continue
    const start = script.indexOf('\n', at) + 1
    const stop = /^\\\.$/m.exec(script.slice(start))
    if (stop === null) continue
    last.rows = script.slice(start, start + stop.index)
    at = start + stop.index + 3
  }
  end()
  return statements
}

function endOfComment(script: string, start: number): number {
  let depth = 0
  for (const match of script.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return start + match.index + 2
  }
  return script.length
}

/** Whether the END that follows closes a CASE. */
function isInsideCase(sql: string): boolean {
  const count = (word: RegExp) => sql.match(word)?.length ?? 0
  return count(/\bcase\b/gi) > count(/\bend\b/gi)
}

/** `\set name :other 'text'` */
function setVariable(command: string, variables: Map<string, string>): void {
  const [, name, rest] = /^\\set\s+(\w+)\s+(.*)$/.exec(command) ?? []
  if (name === undefined || rest === undefined) return
  const parts = rest.match(/:'?\w+'?|'(?:[^']|'')*'|[^\s']+/g) ?? []
  const valueOf = (part: string) =>
    part.startsWith(':') ? (variables.get(part.replace(/[:']/g, '')) ?? part) : part.replace(/^'|'$/g, '')
  variables.set(name, parts.map(valueOf).join(''))
}

function variable(token: string, variables: Map<string, string>): string {
  const [, quote, name] = /^:(['"])(\w+)\1$/.exec(token) ?? []
  const value = name === undefined ? undefined : variables.get(name)
  return value === undefined ? token : `${quote}${value}${quote}`
}

/** The queries that a statement contains: itself, what it explains, or what it makes a view, table or cursor of. */
export function queryOf(sql: string): string | undefined {
  const text = sql.replace(
    /^\s*(explain\s*(\([^)]*\)|(analyze|verbose|costs|off|\s)*)|create\s+(or\s+replace\s+)?((temp(orary)?|recursive|unlogged|materialized)\s+)*(view|table)\s+(if\s+not\s+exists\s+)?("[^"]+"|[\w.])+\s*(\([\w\s,"]*\)\s*)?(with\s*\([^)]*\)\s*)?as\b|declare\s+\w+\s+.*?\bfor\b)\s*/i,
    '',
  )
  const isQuery = /^[\s(]*(select|with|values|table)\b/i.test(text)
  const isPlain =
    !/\$\d|\binto\b/i.test(text) &&
    !/^[\s(]*with\b[\s\S]*\b(insert\s+into|update|delete\s+from|merge\s+into)\b/i.test(text)
  return isQuery && isPlain
    ? text.replace(/\bwith\s+(no\s+)?(data|(local\s+|cascaded\s+)?check\s+option)\s*$/i, '')
    : undefined
}
