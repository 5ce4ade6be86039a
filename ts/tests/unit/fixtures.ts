/** Small archives and WebAssembly modules, assembled by hand. */

/** Makes a ustar archive of these files. */
export function tar(files: Record<string, string | Uint8Array>): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array[] = []
  for (const [name, content] of Object.entries(files)) {
    const data = typeof content === 'string' ? new TextEncoder().encode(content) : content
    const header = new Uint8Array(512)
    const put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at)
    put(name, 0)
    put(data.length.toString(8).padStart(11, '0'), 124)
    put('ustar\u000000', 257)
    put(' '.repeat(8), 148)
    const sum = header.reduce((all, byte) => all + byte, 0)
    put(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    blocks.push(header, data, new Uint8Array((512 - (data.length % 512)) % 512))
  }
  blocks.push(new Uint8Array(1024))
  return concat(blocks)
}

export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** Makes a module that imports functions, globals, tables, memories and tags, and exports functions. */
export function wasm(
  imports: { module?: string; name: string; kind?: Kind }[],
  exports: string[] = [],
): Uint8Array<ArrayBuffer> {
  const descriptions: Record<Kind, number[]> = {
    function: [0, 0],
    table: [1, 0x70, 1, 1, 200, 1],
    memory: [2, 0, 1],
    global: [3, 0x7f, 0],
    tag: [4, 0, 0],
  }
  const entries = imports.map(({ module = 'env', name, kind = 'function' }) => [
    ...text(module),
    ...text(name),
    ...descriptions[kind],
  ])
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(0, [...text('dylink.0'), 1, 2, 3]),
    ...section(1, [1, 0x60, 0, 0]),
    ...section(2, [...number(imports.length), ...entries.flat()]),
    ...section(7, [...number(exports.length), ...exports.flatMap((name) => [...text(name), 0, 0])]),
  ])
}

type Kind = 'function' | 'table' | 'memory' | 'global' | 'tag'

function section(id: number, content: number[]): number[] {
  return [id, ...number(content.length), ...content]
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)]
  return [...number(bytes.length), ...bytes]
}

/** Unsigned LEB128. */
function number(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...number(Math.floor(value / 128))]
}

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}
