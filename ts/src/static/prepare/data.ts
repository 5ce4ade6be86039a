/** PGlite's files: one file `pglite.data`, and a table in its code that says what is where. */

/** A file in `pglite.data`. */
export interface PackedFile {
  name: string
  start: number
  end: number
}

/** Reads the table from the code of PGlite, `pglite.js`. */
export function readTable(code: string): PackedFile[] {
  const entry = /"?filename"?:\s*"([^"]+)",\s*"?start"?:\s*(\d+),\s*"?end"?:\s*(\d+)/g
  return [...code.matchAll(entry)].map(([, name, start, end]) => ({
    name: name ?? '',
    start: Number(start),
    end: Number(end),
  }))
}

/** Files that a database needs which is there already: not those for initdb, for compiling extensions, or to be read. */
function isNeeded(name: string, icu: boolean): boolean {
  if (name.endsWith('.so') || name.includes('/pgxs/') || name.endsWith('.sample')) return false
  if (name.startsWith('/pglite/icu/')) return icu
  return !/\/share\/postgresql\/[^/]+\.(sql|txt)$/.test(name)
}

/** The first line of this file tells the version. */
const CATALOG = '/share/postgresql/postgres.bki'
const FIRST_LINE = 64

/** The same file with zeros for what is not needed. Its size stays, for the code checks it; zeros compress to nothing. */
export function withoutUnneeded(data: Uint8Array, table: PackedFile[], icu: boolean): Uint8Array {
  const kept = data.slice()
  for (const { name, start, end } of table) {
    if (name.endsWith(CATALOG)) kept.fill(0, Math.min(start + FIRST_LINE, end), end)
    else if (!isNeeded(name, icu)) kept.fill(0, start, end)
  }
  return kept
}

/** The libraries of PostgreSQL in the file, by the names of their files without `.so`. */
export function librariesIn(data: Uint8Array, table: PackedFile[]): Map<string, Uint8Array> {
  const libraries = table.filter(({ name }) => name.endsWith('.so'))
  return new Map(libraries.map(({ name, start, end }) => [stem(name), data.subarray(start, end)]))
}

/** `/pglite/lib/postgresql/plpgsql.so` is plpgsql. */
export function stem(path: string): string {
  return (path.split('/').at(-1) ?? '').replace(/\.so$/, '')
}
