/** The least memory that a module of PGlite starts with. As it is published, that is 128 MiB. */

const IMPORT = [...ascii('\x03env\x06memory'), 0x02, 0x01]
const PAGE = 64 * 1024

/**
 * The same module, which can start with less memory: the number of pages in its import of the memory is another. The
 * number keeps its length, so that nothing else moves.
 */
export function withLeastMemory(module: Uint8Array, bytes: number): Uint8Array {
  const pages = Math.ceil(bytes / PAGE)
  const found = Buffer.from(module.buffer, module.byteOffset, module.byteLength).indexOf(Buffer.from(IMPORT))
  if (found < 0) throw new Error('pglite.wasm does not import a memory with two limits: is it of a newer PGlite?')
  const start = found + IMPORT.length
  let length = 1
  while ((module[start + length - 1] ?? 0) & 0x80) length += 1
  if (pages >= 2 ** (7 * length)) throw new Error(`${bytes} bytes of memory are more than pglite.wasm can be told`)
  const changed = module.slice()
  for (let n = 0; n < length; n++) {
    changed[start + n] = ((pages >> (7 * n)) & 0x7f) | (n + 1 < length ? 0x80 : 0)
  }
  return changed
}

function ascii(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0))
}
