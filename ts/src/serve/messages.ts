/** The messages of PostgreSQL's protocol, version 3: one byte of type, four of length, a body. */

/** A message as it travels, and its parts. */
export interface Message {
  type: string
  body: Buffer
  /** Type, length and body. */
  bytes: Buffer
}

/** Bytes of the type and the length. */
const HEAD = 5

/** Makes a message. A string becomes its text and the zero that ends it; a number, four bytes. */
export function message(type: string, ...parts: (string | number | Uint8Array)[]): Buffer {
  const body = Buffer.concat(parts.map(encode))
  const head = Buffer.alloc(HEAD)
  head.write(type, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function encode(part: string | number | Uint8Array): Uint8Array {
  if (typeof part === 'string') return Buffer.from(`${part}\0`)
  if (typeof part === 'number') return int32(part)
  return part
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

/** The messages in what the database has answered. */
export function split(bytes: Buffer): Message[] {
  const messages: Message[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    messages.push({
      type: String.fromCharCode(bytes[at] ?? 0),
      body: bytes.subarray(at + HEAD, end),
      bytes: bytes.subarray(at, end),
    })
    at = end
  }
  return messages
}

/** The text up to the next zero, and where the rest begins. */
export function textAt(body: Buffer, at = 0): [text: string, next: number] {
  const end = body.indexOf(0, at)
  if (end < 0) throw new ProtocolError('a text in a message does not end')
  return [body.toString('utf8', at, end), end + 1]
}

/** The value of the first column of a DataRow. */
export function firstValue(body: Buffer): string | null {
  const length = body.readInt32BE(2)
  return length < 0 ? null : body.toString('utf8', 6, 6 + length)
}

/** What an ErrorResponse says. */
export interface ErrorFields {
  severity?: string
  code: string
  message: string
  detail?: string | undefined
  hint?: string | undefined
}

export function errorResponse({ severity = 'ERROR', code, message: text, detail, hint }: ErrorFields): Buffer {
  const fields: [string, string | undefined][] = [
    ['S', severity],
    ['V', severity],
    ['C', code],
    ['M', text],
    ['D', detail],
    ['H', hint],
  ]
  const given = fields.flatMap(([field, value]) => (value === undefined ? [] : [Buffer.from(field), value]))
  return message('E', ...given, Buffer.alloc(1))
}

export function readError(body: Buffer): ErrorFields {
  const fields = new Map<string, string>()
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const [text, next] = textAt(body, at + 1)
    fields.set(String.fromCharCode(body[at] ?? 0), text)
    at = next
  }
  return {
    code: fields.get('C') ?? 'XX000',
    message: fields.get('M') ?? 'the database gave no message',
    detail: fields.get('D'),
    hint: fields.get('H'),
  }
}

/** The client has sent something that is no message, or no message that may come here. */
export class ProtocolError extends Error {}

/** Reads a client's bytes. Nothing is read ahead of what is asked for, so a client that sends too fast has to wait. */
export class Input {
  readonly #chunks: AsyncIterator<Buffer>
  #left = Buffer.alloc(0)
  /** For bytes of the client. */
  isWaiting = false

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** So many bytes; undefined when the client is gone before they are all there. */
  async take(length: number): Promise<Buffer | undefined> {
    if (this.#left.length < length) {
      const parts = [this.#left]
      let have = this.#left.length
      while (have < length) {
        this.isWaiting = true
        const next = await this.#chunks.next().catch(() => ({ done: true, value: undefined }) as const)
        this.isWaiting = false
        if (next.done) return undefined
        parts.push(next.value as Buffer<ArrayBuffer>)
        have += next.value.length
      }
      this.#left = Buffer.concat(parts)
    }
    const taken = this.#left.subarray(0, length)
    this.#left = this.#left.subarray(length)
    return taken
  }

  /** The next message, whose body may have so many bytes; undefined when the client is gone. */
  async message(limit: number): Promise<Message | undefined> {
    const head = await this.take(HEAD)
    if (head === undefined) return undefined
    const type = String.fromCharCode(head[0] ?? 0)
    const length = head.readInt32BE(1) - 4
    if (length < 0) throw new ProtocolError(`a message of type ${JSON.stringify(type)} has the length ${length + 4}`)
    if (length > limit) {
      throw new ProtocolError(`a message of ${length} bytes is larger than the ${limit} that the server takes`)
    }
    const body = await this.take(length)
    return body && { type, body, bytes: Buffer.concat([head, body]) }
  }
}
