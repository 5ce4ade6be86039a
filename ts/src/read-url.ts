/** Reads the files of the package. */

/** The bytes behind a URL: of a file, in Node, or of a server. */
export async function readUrl(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === 'file:') {
    // Assembled at run time, so that bundlers for the browser do not try to resolve it.
    const specifier = ['node:fs', 'promises'].join('/')
    const fs = (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as {
      readFile(url: URL): Promise<Uint8Array<ArrayBuffer>>
    }
    return fs.readFile(url)
  }
  const response = await fetch(url)
  if (!response.ok) throw new Error(`HTTP status ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** The bytes without their compression. Some servers send a .gz with `Content-Encoding: gzip`, and fetch has then undone it. */
export async function gunzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
