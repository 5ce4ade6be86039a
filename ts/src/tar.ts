const BLOCK = 512

/** A file in an archive. */
export interface TarEntry {
  name: string
  data: Uint8Array
  /** All of the archive that belongs to it: the header and the padded data. */
  blocks: Uint8Array
}

/** The files of a ustar archive, or undefined when the bytes are not one. */
export function readTar(bytes: Uint8Array): TarEntry[] | undefined {
  const entries: TarEntry[] = []
  let offset = 0
  while (offset + BLOCK <= bytes.length && bytes[offset] !== 0) {
    const header = bytes.subarray(offset, offset + BLOCK)
    if (text(header, 257, 5) !== 'ustar') return undefined
    const size = Number.parseInt(text(header, 124, 12), 8) || 0
    const start = offset + BLOCK
    const end = start + Math.ceil(size / BLOCK) * BLOCK
    entries.push({
      name: text(header, 0, 100),
      data: bytes.subarray(start, start + size),
      blocks: bytes.subarray(offset, end),
    })
    offset = end
  }
  return entries.length > 0 ? entries : undefined
}

function text(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)).trim()
}
