/** What the server must know of a statement before PostgreSQL reads it: few kinds, each told by its first words. */

/** A word, a quoted name, a string, or one other character. */
interface Token {
  kind: 'word' | 'name' | 'string' | 'other'
  /** A word in lower case, a name or a string without its quotes. */
  text: string
  start: number
  end: number
}

/** A statement that the server has to know of. */
export type Concern =
  | { kind: 'copy'; target: string; columns: number | undefined; binary: boolean }
  | { kind: 'listen' | 'deallocate'; name: string; start: number; end: number }
  /** Of everything. */
  | { kind: 'unlisten' | 'deallocate'; name: undefined }
  | { kind: 'unlisten'; name: string }
  | { kind: 'discard'; what: string }

export interface Concerns {
  list: Concern[]
  /** The text holds one statement. */
  isSingle: boolean
}

const NONE: Concerns = { list: [], isSingle: true }

/** Most texts hold none of these words, and are not read any further. */
const RELEVANT = /copy|listen|deallocate|discard/i

export function concernsOf(sql: string): Concerns {
  if (!RELEVANT.test(sql)) return NONE
  const statements = splitStatements(sql)
  return { list: statements.flatMap((tokens) => concernOf(sql, tokens) ?? []), isSingle: statements.length === 1 }
}

export function countStatements(sql: string): number {
  return splitStatements(sql).length
}

function concernOf(sql: string, tokens: Token[]): Concern | undefined {
  const [first, second, third] = tokens
  if (first?.kind !== 'word') return undefined
  switch (first.text) {
    case 'copy':
      return copyOf(sql, tokens)
    case 'listen':
      return second && { kind: 'listen', name: second.text, start: second.start, end: second.end }
    case 'unlisten':
      return second && { kind: 'unlisten', name: second.text === '*' ? undefined : second.text }
    case 'deallocate': {
      const name = second?.kind === 'word' && second.text === 'prepare' && third ? third : second
      if (name === undefined) return undefined
      if (name.kind === 'word' && name.text === 'all') return { kind: 'deallocate', name: undefined }
      return { kind: 'deallocate', name: name.text, start: name.start, end: name.end }
    }
    case 'discard':
      return second && { kind: 'discard', what: second.text }
    default:
      return undefined
  }
}

/** `COPY target [(column, ...)] FROM STDIN ...` */
function copyOf(sql: string, tokens: Token[]): Concern | undefined {
  let depth = 0
  let columns: number | undefined
  let targetEnd: number | undefined
  for (const [n, token] of tokens.entries()) {
    if (token.kind === 'other' && token.text === '(') {
      depth += 1
      if (depth === 1 && n > 1) [targetEnd, columns] = [token.start, 1]
    }
    if (token.kind === 'other' && token.text === ')') depth -= 1
    if (token.kind === 'other' && token.text === ',' && depth === 1 && columns !== undefined) columns += 1
    if (depth > 0 || token.kind !== 'word' || token.text !== 'from') continue
    const source = tokens[n + 1]
    if (source?.kind !== 'word' || source.text !== 'stdin') return undefined
    const start = tokens[1]?.start ?? 0
    const rest = tokens.slice(n + 2)
    const binary = rest.some(({ kind, text }) => kind !== 'other' && text.toLowerCase() === 'binary')
    return { kind: 'copy', target: sql.slice(start, targetEnd ?? token.start).trim(), columns, binary }
  }
  return undefined
}

/** The statements of a text, without its comments. */
function splitStatements(sql: string): Token[][] {
  const statements: Token[][] = []
  let current: Token[] = []
  for (const token of tokens(sql)) {
    if (token.kind === 'other' && token.text === ';') {
      if (current.length > 0) statements.push(current)
      current = []
    } else current.push(token)
  }
  if (current.length > 0) statements.push(current)
  return statements
}

const SPACE = /(?:\s+|--[^\n]*)+/y
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y
const NAME = /"((?:[^"]|"")*)"/y
const STRING = /'((?:[^']|'')*)'/y
const ESCAPED = /[eE]'((?:[^'\\]|''|\\[^])*)'/y
const DOLLAR = /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y

function* tokens(sql: string): Generator<Token> {
  let at = 0
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(sql)
  }
  while (at < sql.length) {
    const start = at
    const space = match(SPACE)
    if (space) {
      at += space[0].length
      continue
    }
    if (sql.startsWith('/*', at)) {
      at = endOfComment(sql, at)
      continue
    }
    const string = match(ESCAPED) ?? match(STRING)
    if (string) {
      at += string[0].length
      yield { kind: 'string', text: string[1] ?? '', start, end: at }
      continue
    }
    const word = match(WORD)
    if (word) {
      at += word[0].length
      yield { kind: 'word', text: word[0].toLowerCase(), start, end: at }
      continue
    }
    const name = match(NAME)
    if (name) {
      at += name[0].length
      yield { kind: 'name', text: (name[1] ?? '').replaceAll('""', '"'), start, end: at }
      continue
    }
    const dollar = match(DOLLAR)
    if (dollar) {
      const end = sql.indexOf(dollar[0], at + dollar[0].length)
      at = end < 0 ? sql.length : end + dollar[0].length
      yield { kind: 'string', text: '', start, end: at }
      continue
    }
    at += 1
    yield { kind: 'other', text: sql.charAt(start), start, end: at }
  }
}

/** Comments nest. */
function endOfComment(sql: string, start: number): number {
  let depth = 0
  for (let at = start; at < sql.length; at += 1) {
    if (sql.startsWith('/*', at)) {
      depth += 1
      at += 1
    } else if (sql.startsWith('*/', at)) {
      depth -= 1
      at += 1
      if (depth === 0) return at + 1
    }
  }
  return sql.length
}

/** A text as SQL, whatever `standard_conforming_strings` is. */
export function literal(text: string): string {
  return ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/** A statement that raises an error, in place of one that the server cannot let through. It ends a transaction as any does. */
export function raising(code: string, message: string, hint: string): string {
  const using = `ERRCODE =${literal(code)}, MESSAGE =${literal(message)}, HINT =${literal(hint)}`
  return `DO LANGUAGE plpgsql ${literal(`BEGIN RAISE EXCEPTION USING ${using}; END`)}`
}
