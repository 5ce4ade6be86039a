import { TrickleError } from './errors.js'

/** The options that each method knows. */
const KNOWN = {
  createStreamTable: ['ifNotExists', 'orReplace', 'withData', 'onNotice'],
  alterStreamTable: ['onNotice'],
  dropStreamTable: ['ifExists', 'cascade'],
  subscribe: ['initial', 'key', 'onError'],
  live: ['key', 'onError', 'compare'],
} as const

/** SQLSTATE `invalid_parameter_value`. */
const INVALID_PARAMETER = '22023'

/** How many letters two names may differ in and still be taken for the same. */
const TYPING_ERROR = 3

/** Refuses an option that a method does not know. TypeScript does so too, but not for callers in JavaScript. */
export function checkOptions(
  method: keyof typeof KNOWN,
  options: object | null | undefined,
  streamTable: string,
): void {
  const known: readonly string[] = KNOWN[method]
  const unknown = Object.keys(options ?? {}).find((name) => !known.includes(name))
  if (unknown === undefined) return
  const [nearest] = known
    .map((name) => ({ name, by: distance(unknown.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.by - b.by)
  const isTypingError = nearest !== undefined && nearest.by <= TYPING_ERROR
  throw new TrickleError(`${method} has no option ${unknown}`, {
    code: INVALID_PARAMETER,
    streamTable,
    fragment: unknown,
    hint: isTypingError ? `Did you mean ${nearest.name}?` : `Its options are ${known.join(', ')}.`,
  })
}

/** How many letters must be inserted, deleted or replaced to turn one word into another (Levenshtein, 1966). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, n) => n)
  for (const [n, letter] of [...from].entries()) {
    const next = [n + 1]
    for (const [m, other] of [...to].entries()) {
      next.push(Math.min((row[m] ?? 0) + (letter === other ? 0 : 1), (row[m + 1] ?? 0) + 1, (next[m] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
