/** What a `TrickleError` carries besides its message. */
export interface TrickleErrorDetails {
  code?: string | undefined
  streamTable?: string | undefined
  fragment?: string | undefined
  hint?: string | undefined
  cause?: unknown
}

/** SQLSTATE `internal_error`: the code of failures that did not come from PostgreSQL and that no other code fits. */
const INTERNAL_ERROR = 'XX000'

/** How many characters of the query to show, from the position of the error. */
const FRAGMENT_LENGTH = 60

/** Every failure of the plugin. */
export class TrickleError extends Error {
  override readonly name = 'TrickleError'
  /** The SQLSTATE. Branch on this, never on the message. */
  readonly code: string
  /** The stream table by the name that the caller used, if there is one. */
  readonly streamTable: string | undefined
  /** The piece of SQL that caused the error, where it is known. */
  readonly fragment: string | undefined
  /** What to do about it. */
  readonly hint: string | undefined
  /** The original error. */
  override readonly cause: unknown

  constructor(message: string, details: TrickleErrorDetails = {}) {
    super(message)
    this.code = details.code ?? INTERNAL_ERROR
    this.streamTable = details.streamTable
    this.fragment = details.fragment
    this.hint = details.hint
    this.cause = details.cause
  }

  /** Wraps any thrown value. An error from PostgreSQL keeps its message, code and hint. */
  static from(error: unknown, streamTable?: string): TrickleError {
    // Not `TrickleError`: esbuild renames a class that refers to itself, and a printed error starts with that name.
    if (error instanceof this) return error
    const fields = readFields(error)
    return new this(fields.message ?? String(error), {
      code: fields.code,
      streamTable: streamTable ?? fields.where?.match(/^Stream table: (.+)$/m)?.[1],
      fragment: fragmentOf(fields),
      hint: fields.hint,
      cause: error,
    })
  }
}

/** The fields of PostgreSQL's ErrorResponse that are used. PGlite's worker passes on only the message. */
interface ErrorFields {
  message?: string
  code?: string
  hint?: string
  detail?: string
  internalPosition?: string
  internalQuery?: string
  where?: string
}

const FIELD_NAMES = ['message', 'code', 'hint', 'detail', 'internalPosition', 'internalQuery', 'where'] as const

function readFields(error: unknown): ErrorFields {
  const fields: ErrorFields = {}
  if (typeof error !== 'object' || error === null) return fields
  const source = error as Record<string, unknown>
  for (const name of FIELD_NAMES) {
    const value = source[name]
    if (typeof value === 'string' && value !== '') fields[name] = value
  }
  return fields
}

/** The extension names the piece of SQL in DETAIL. PostgreSQL gives a position in the query that it ran. */
function fragmentOf(fields: ErrorFields): string | undefined {
  const named = fields.detail?.match(/^Fragment: ([\s\S]+)$/m)?.[1]
  if (named !== undefined) return named.trim()
  const position = Number(fields.internalPosition)
  if (fields.internalQuery === undefined || !(position > 0)) return undefined
  // The position counts characters; JavaScript's strings count UTF-16 units.
  const rest = Array.from(fields.internalQuery).slice(position - 1, position - 1 + FRAGMENT_LENGTH)
  return rest.join('').trim() || undefined
}
