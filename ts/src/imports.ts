/**
 * Reads from a side module's bytes what it needs from its host. `WebAssembly.Module.imports` would compile the module a
 * second time, and some hosts forbid that.
 */

const IMPORT_SECTION = 2
const EXPORT_SECTION = 7

/** Provided by the dynamic linker, not by the main module. */
const LINKER_NAMES = new Set([
  'memory',
  '__memory_base',
  '__table_base',
  '__stack_pointer',
  '__indirect_function_table',
])

interface ModuleInterface {
  imports: { module: string; name: string }[]
  exports: Set<string>
}

/**
 * The names that the side module imports and nobody provides.
 *
 * `host` holds what the main module exports and what its JavaScript implements. The linker replaces a missing function
 * with a stub. When that is called, it throws inside the backend, and PGlite never responds again.
 */
export function unresolvedImports(sideModule: Uint8Array, host: ReadonlySet<string>): string[] {
  const { imports, exports } = readInterface(sideModule)
  const missing = imports
    .map(({ name }) => name)
    .filter((name) => !LINKER_NAMES.has(name) && !name.startsWith('invoke_') && !host.has(name) && !exports.has(name))
  return [...new Set(missing)].sort()
}

function readInterface(bytes: Uint8Array): ModuleInterface {
  const reader = new Reader(bytes)
  const found: ModuleInterface = { imports: [], exports: new Set() }
  reader.offset = 8 // magic number and version
  while (!reader.done) {
    const section = reader.byte()
    const size = reader.number()
    const end = reader.offset + size
    if (section === IMPORT_SECTION) {
      for (let n = reader.number(); n > 0; n--) found.imports.push(readImport(reader))
    } else if (section === EXPORT_SECTION) {
      for (let n = reader.number(); n > 0; n--) {
        found.exports.add(reader.name())
        reader.byte()
        reader.number()
      }
    }
    reader.offset = end
  }
  return found
}

function readImport(reader: Reader): { module: string; name: string } {
  const module = reader.name()
  const name = reader.name()
  switch (reader.byte()) {
    case 0: // function: type index
      reader.number()
      break
    case 1: // table: element type, limits
      reader.byte()
      readLimits(reader)
      break
    case 2: // memory: limits
      readLimits(reader)
      break
    case 3: // global: value type, mutability
      reader.byte()
      reader.byte()
      break
    case 4: // tag: attribute, type index
      reader.byte()
      reader.number()
      break
  }
  return { module, name }
}

function readLimits(reader: Reader): void {
  const flags = reader.byte()
  reader.number()
  if (flags & 1) reader.number()
}

class Reader {
  offset = 0
  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.offset >= this.bytes.length
  }

  byte(): number {
    return this.bytes[this.offset++] ?? 0
  }

  /** An unsigned LEB128 number. */
  number(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }

  name(): string {
    const length = this.number()
    const start = this.offset
    this.offset += length
    return new TextDecoder().decode(this.bytes.subarray(start, this.offset))
  }
}
