/** What a `TrickleError` knows beside its message. */
export interface TrickleErrorDetails {
  code?: string | undefined
  streamTable?: string | undefined
  fragment?: string | undefined
  hint?: string | undefined
  cause?: unknown
}

/** SQLSTATE `internal_error`: the code of failures that did not come from PostgreSQL and fit no other. */
const INTERNAL_ERROR = 'XX000'

/** How much of the query after the point of an error is shown. */
const FRAGMENT_LENGTH = 60

/** Every failure of the plugin. */
export class TrickleError extends Error {
  override readonly name = 'TrickleError'
  /** The SQLSTATE. Branch on this, never on the message. */
  readonly code: string
  /** The stream table as the caller named it, where there is one. */
  readonly streamTable: string | undefined
  /** The piece of SQL to blame, where it is known. */
  readonly fragment: string | undefined
  /** What to do. */
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

  /** Wraps whatever was thrown. An error of PostgreSQL keeps its message, code and hint. */
  static from(error: unknown, streamTable?: string): TrickleError {
    // By its name inside of itself, esbuild would rename the class, and what is printed of an error begins with that.
    if (error instanceof this) return error
    const fields = readFields(error)
    return new this(fields.message ?? String(error), {
      code: fields.code,
      streamTable,
      fragment: fragmentOf(fields),
      hint: fields.hint,
      cause: error,
    })
  }
}

/** The fields of PostgreSQL's ErrorResponse that are read. Of these PGlite's worker passes on the message alone. */
interface ErrorFields {
  message?: string
  code?: string
  hint?: string
  detail?: string
  internalPosition?: string
  internalQuery?: string
}

const FIELD_NAMES = ['message', 'code', 'hint', 'detail', 'internalPosition', 'internalQuery'] as const

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

/** The extension names the piece of SQL in DETAIL; PostgreSQL points into the query it was given. */
function fragmentOf(fields: ErrorFields): string | undefined {
  const named = fields.detail?.match(/^Fragment: ([\s\S]+)$/m)?.[1]
  if (named !== undefined) return named.trim()
  const position = Number(fields.internalPosition)
  if (fields.internalQuery === undefined || !(position > 0)) return undefined
  // PostgreSQL counts characters, JavaScript UTF-16 units.
  const rest = Array.from(fields.internalQuery).slice(position - 1, position - 1 + FRAGMENT_LENGTH)
  return rest.join('').trim() || undefined
}
