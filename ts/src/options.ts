import { TrickleError } from './errors.js'

/** What the value of an option is. */
type Kind =
  'boolean' | 'function' | 'columns' | 'array' | 'signal' | 'delay' | 'bytes' | 'count' | 'interval' | 'anything'

/** The options that each method knows. */
const KNOWN = {
  createTrickle: { bundles: 'anything', advanceEvery: 'delay', memoryLimit: 'bytes' },
  'createTrickle({ bundles })': { 17: 'anything', 18: 'anything' },
  createStreamTable: {
    ifNotExists: 'boolean',
    orReplace: 'boolean',
    withData: 'boolean',
    params: 'array',
    windows: 'anything',
    preAggregate: 'boolean',
    onNotice: 'function',
  },
  alterStreamTable: { params: 'array', windows: 'anything', preAggregate: 'boolean', onNotice: 'function' },
  dropStreamTable: { ifExists: 'boolean', cascade: 'boolean' },
  exportStreamTables: { to: 'anything' },
  subscribe: { initial: 'boolean', key: 'columns', signal: 'signal', onError: 'function' },
  keepChanges: { retain: 'count', maxAge: 'interval' },
  changes: { after: 'count', snapshot: 'boolean', max: 'count', signal: 'signal' },
  live: { key: 'columns', signal: 'signal', onError: 'function', compare: 'function' },
  useStreamTable: {
    db: 'anything',
    key: 'anything',
    where: 'anything',
    orderBy: 'anything',
    filter: 'anything',
    limit: 'count',
    offset: 'count',
  },
} as const satisfies Record<string, Record<string, Kind>>

/** SQLSTATE `invalid_parameter_value`. */
const INVALID_PARAMETER = '22023'

/** The longest delay of `setTimeout`, in milliseconds. */
const LONGEST_DELAY = 2 ** 31 - 1

/** All that WebAssembly can address, in bytes. */
const LARGEST_MEMORY = 2 ** 32 - 1

/** How many letters two names may differ in and still be taken for the same. */
const TYPING_ERROR = 3

/**
 * Refuses an option that a method does not know, and a value of another type than its option has. TypeScript does so
 * too, but not for callers in JavaScript.
 */
export function checkOptions(method: keyof typeof KNOWN, options: unknown, streamTable?: string): void {
  const known: Record<string, Kind> = KNOWN[method]
  const names = Object.keys(known)
  const refuse = (message: string, hint: string, fragment: string) => {
    throw new TrickleError(message, { code: INVALID_PARAMETER, streamTable, fragment, hint })
  }
  const list = `Its options are ${names.join(', ')}.`
  if (options === undefined || options === null) return
  if (typeof options !== 'object' || Array.isArray(options)) {
    return refuse(`the options of ${method} must be an object, not ${show(options)}`, list, show(options))
  }
  for (const [name, value] of Object.entries(options)) {
    const kind = known[name]
    if (kind === undefined) {
      const meant = nearest(name, names)
      return refuse(`${method} has no option ${name}`, meant === undefined ? list : `Did you mean ${meant}?`, name)
    }
    if (value !== undefined && value !== null && !fits(value, kind)) {
      const given = show(value)
      return refuse(
        `the option ${name} of ${method} must be ${MUST_BE[kind]}, not ${given}`,
        'Leave it out, or give it such a value.',
        given,
      )
    }
  }
}

const MUST_BE: Record<Kind, string> = {
  boolean: 'true or false',
  function: 'a function',
  columns: 'the name of a column, or an array of names',
  array: 'an array',
  signal: 'an AbortSignal',
  delay: 'a positive number of milliseconds',
  bytes: 'a positive number of bytes',
  count: 'a whole number, 0 or more',
  interval: "an interval of PostgreSQL, such as '7 days'",
  anything: 'anything',
}

function fits(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'columns':
      return [value].flat().every((column) => typeof column === 'string')
    case 'array':
      return Array.isArray(value)
    case 'signal':
      return typeof (value as AbortSignal).aborted === 'boolean'
    case 'delay':
      return typeof value === 'number' && value > 0 && value <= LONGEST_DELAY
    case 'bytes':
      return typeof value === 'number' && value >= 1 && value <= LARGEST_MEMORY
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0
    case 'interval':
      return typeof value === 'string'
    case 'anything':
      return true
    default:
      return typeof value === kind
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}

/** The name that was meant, if one is close enough: it differs in a few letters, or one contains the other. */
function nearest(given: string, names: string[]): string | undefined {
  const [best] = names.map((name) => ({ name, by: distance(simple(given), simple(name)) })).sort((a, b) => a.by - b.by)
  if (best !== undefined && best.by <= TYPING_ERROR) return best.name
  const word = simple(given)
  if (word.length <= TYPING_ERROR) return undefined
  return names.find((name) => simple(name).includes(word) || word.includes(simple(name)))
}

/** `with_data` and `WithData` are `withdata`. */
function simple(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
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
