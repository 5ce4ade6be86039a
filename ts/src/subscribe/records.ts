/** The records of a transaction, as the extension hands them over at its commit (pg_trickle_pglite/src/push.rs). */

/**
 * - `+` `-`: a row that came or went, `text`, and the text of its key;
 * - `S` `s` `E`: all rows for the reader `text2`, or for all when it is empty; `text` of `S` describes the columns;
 * - `L`: these were rolled back; `X`: this reader reads no longer; `D`: dropped.
 */
export type Letter = '+' | '-' | 'S' | 's' | 'E' | 'L' | 'X' | 'D'

/** One record. */
export interface StreamRecord {
  letter: Letter
  /** The number of the stream table. */
  id: number
  text: string
  text2: string
}

const decoder = new TextDecoder()

/** How many bytes, and the rest of a text, become one string: what a large transaction tells is longer than one can be. */
const PIECE = 2 ** 27

/** Takes the bytes apart. */
export function readRecords(bytes: Uint8Array, piece = PIECE): StreamRecord[] {
  const texts: string[] = []
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0, from + piece)
    const to = end < 0 ? bytes.length : end
    for (const text of decoder.decode(bytes.subarray(from, to)).split('\0')) texts.push(text)
    from = to + 1
  }
  const records: StreamRecord[] = []
  for (let at = 0; at + 2 < texts.length; at += 3) {
    const [head = '', text = '', text2 = ''] = [texts[at], texts[at + 1], texts[at + 2]]
    records.push({ letter: head[0] as Letter, id: Number(head.slice(1)), text, text2 })
  }
  return records
}

/** The values of a row that PostgreSQL wrote: `(1,"a ""b""",)`. */
export function readRow(text: string): (string | null)[] {
  if (!text.includes('"')) return text.slice(1, -1).split(',').map(orNull)
  const values: (string | null)[] = []
  let at = 1
  while (at < text.length) {
    let value: string | null = null
    // Quoted and plain pieces may alternate.
    for (; text[at] !== ',' && at < text.length - 1;) {
      const quoted = text[at] === '"'
      const end = quoted ? closingQuote(text, at + 1) : plainEnd(text, at)
      const piece = quoted ? text.slice(at + 1, end) : text.slice(at, end)
      value = (value ?? '') + (quoted ? piece.replace(/(["\\])\1/g, '$1') : piece)
      at = quoted ? end + 1 : end
    }
    values.push(value)
    at += 1
  }
  return values
}

function orNull(text: string): string | null {
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

function plainEnd(text: string, from: number): number {
  let at = from
  while (at < text.length - 1 && text[at] !== ',' && text[at] !== '"') at += 1
  return at
}
