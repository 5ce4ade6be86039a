/** The JavaScript of the prepared folder. */
import type { Manifest, StaticModules } from '../modules.js'

/** A file of the folder, and which property of the modules it is. */
export interface Written {
  kind: Exclude<keyof StaticModules, 'manifest'>
  /** Its name, where the property is a record. */
  key?: string
  file: string
  bytes: Uint8Array
}

const RECORDS = ['trampolines', 'libraries', 'extensions'] as const

function head(manifest: Manifest): string {
  return `// Written by \`pgtrickle-static prepare\` from PGlite ${manifest.pglite}. Not to be edited, nor published: most of this is PGlite's.\n`
}

function manifestLine(manifest: Manifest): string {
  return `export const manifest = ${JSON.stringify(manifest, null, 2)}\n`
}

/** Imports each file as a module or as bytes, for bundlers that have rules for that, such as wrangler. */
export function importsFile(manifest: Manifest, files: readonly Written[]): string {
  const names = new Map(files.map((each, n) => [each, `file${n}`]))
  const imports = files.map((each) => `import ${names.get(each)} from './${each.file}'\n`).join('')
  const value = (each: Written) => names.get(each) ?? ''
  return (
    head(manifest) +
    imports +
    manifestLine(manifest) +
    exported(files, (name, text) => `export const ${name} = ${text}\n`, value)
  )
}

/** Fetches each file and compiles the modules, for hosts that allow that when they load: browsers, Node, Deno, Bun. */
export function loaderFile(manifest: Manifest, files: readonly Written[]): string {
  const value = ({ kind, file }: Written) => {
    const isModule = kind === 'pglite' || kind === 'libraries' || kind === 'trampolines'
    return `await ${isModule ? 'compiled' : 'bytes'}(new URL('./${file}', import.meta.url))`
  }
  const properties = exported(files, (name, text) => `    ${name}: ${text},\n`, value)
  return `${head(manifest)}${manifestLine(manifest)}
async function bytes(url) {
  if (url.protocol === 'file:') {
    const fs = await import(/* @vite-ignore */ /* webpackIgnore: true */ ['node:fs', 'promises'].join('/'))
    return fs.readFile(url)
  }
  const response = await fetch(url)
  if (!response.ok) throw new Error(\`\${url}: HTTP status \${response.status}\`)
  return new Uint8Array(await response.arrayBuffer())
}

async function compiled(url) {
  return WebAssembly.compile(await bytes(url))
}

/** The modules for createStatic. */
export async function loadModules() {
  return {
    manifest,
${properties}  }
}
`
}

/** The properties besides the manifest, each written by \`write\`. */
function exported(
  files: readonly Written[],
  write: (name: string, text: string) => string,
  value: (file: Written) => string,
): string {
  const single = files.filter(({ key }) => key === undefined).map((each) => write(each.kind, value(each)))
  const records = RECORDS.map((kind) => {
    const entries = files
      .filter((each) => each.kind === kind)
      .map((each) => `${JSON.stringify(each.key)}: ${value(each)}`)
    return write(kind, `{ ${entries.join(', ')} }`)
  })
  return [...single, ...records].join('')
}

export function typesFile(): string {
  return `import type { Bytes, Manifest } from '@pgtrickle/pglite/static'
export declare const manifest: Manifest
export declare const pglite: WebAssembly.Module
export declare const data: Bytes
export declare const dataDir: Bytes
export declare const trampolines: Record<number, WebAssembly.Module>
export declare const libraries: Record<string, WebAssembly.Module>
export declare const extensions: Record<string, Bytes>
`
}
