/** The records of a transaction, as the extension hands them over at commit (`push` in pg_trickle_pglite). */

/** The kinds of record, by the letter that the extension writes. */
const KINDS = {
  /** A row was added: `text` is the row and `keyOrReader` its key. */
  '+': 'insert',
  /** A row was removed: likewise. */
  '-': 'delete',
  /** All rows follow: `text` describes the columns, and `keyOrReader` is empty when every reader gets them. */
  S: 'snapshotStart',
  /** One row of a snapshot, with its key. */
  s: 'snapshotRow',
  /** The snapshot is complete. */
  E: 'snapshotEnd',
  /** A snapshot for this reader was rolled back, with its transaction or with a savepoint. */
  L: 'snapshotLost',
  /** This reader has unsubscribed. */
  X: 'closed',
  /** The role of this reader may no longer read the stream table. */
  R: 'denied',
  /** The stream table was dropped. */
  D: 'dropped',
  /** Memory ran out, and records of a transaction were lost: of every stream table, so this record is of none. */
  A: 'allLost',
} as const

export type RecordKind = (typeof KINDS)[keyof typeof KINDS]

/** One record. */
export interface StreamRecord {
  kind: RecordKind
  /** The number of the stream table. */
  streamTable: number
  text: string
  /** The key of a row, empty where the stream table has none; for other records, the reader that they are meant for. */
  keyOrReader: string
}

const decoder = new TextDecoder()

/** Bytes decoded at once. A large transaction is longer than the longest string that JavaScript allows. */
const PIECE = 2 ** 27

/** Parses the records of one transaction: three NUL-terminated fields each. */
export function readRecords(bytes: Uint8Array, piece = PIECE): StreamRecord[] {
  const fields: string[] = []
  for (let start = 0; start < bytes.length;) {
    const terminator = bytes.indexOf(0, start + piece)
    const end = terminator < 0 ? bytes.length : terminator
    for (const field of decoder.decode(bytes.subarray(start, end)).split('\0')) fields.push(field)
    start = end + 1
  }
  const records: StreamRecord[] = []
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [head = '', text = '', keyOrReader = ''] = [fields[at], fields[at + 1], fields[at + 2]]
    const kind = KINDS[head[0] as keyof typeof KINDS]
    records.push({ kind, streamTable: Number(head.slice(1)), text, keyOrReader })
  }
  return records
}

/** The values of a row in PostgreSQL's text form: `(1,"a ""b""",)`. */
export function readRow(text: string): (string | null)[] {
  if (!text.includes('"')) return text.slice(1, -1).split(',').map(emptyToNull)
  const values: (string | null)[] = []
  let at = 1
  while (at < text.length) {
    let value: string | null = null
    // One value may consist of quoted and unquoted parts.
    for (; text[at] !== ',' && at < text.length - 1;) {
      const quoted = text[at] === '"'
      const end = quoted ? closingQuote(text, at + 1) : unquotedEnd(text, at)
      const part = quoted ? text.slice(at + 1, end) : text.slice(at, end)
      value = (value ?? '') + (quoted ? part.replace(/(["\\])\1/g, '$1') : part)
      at = quoted ? end + 1 : end
    }
    values.push(value)
    at += 1
  }
  return values
}

function emptyToNull(text: string): string | null {
  return text === '' ? null : text
}

function closingQuote(text: string, from: number): number {
  let at = from
  for (;;) {
    at = text.indexOf('"', at)
    if (text[at + 1] !== '"') return at
    at += 2
  }
}

function unquotedEnd(text: string, from: number): number {
  let at = from
  while (at < text.length - 1 && text[at] !== ',' && text[at] !== '"') at += 1
  return at
}
