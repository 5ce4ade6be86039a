// Reads as much of a WebAssembly module as the gates need: sections, imports, exports with signatures, function names
// and sizes.

const SECTIONS = ['custom', 'type', 'import', 'function', 'table', 'memory', 'global', 'export', 'start', 'element', 'code',
  'data', 'data count', 'tag'] // prettier-ignore
const KINDS = ['function', 'table', 'memory', 'global', 'tag']
const TYPES = { 0x7f: 'i32', 0x7e: 'i64', 0x7d: 'f32', 0x7c: 'f64', 0x7b: 'v128', 0x70: 'funcref', 0x6f: 'externref' }

class Reader {
  constructor(bytes, offset = 0, end = bytes.length) {
    Object.assign(this, { bytes, offset, end })
  }
  get done() {
    return this.offset >= this.end
  }
  byte() {
    return this.bytes[this.offset++]
  }
  /** An unsigned LEB128 number. */
  number() {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  name() {
    const size = this.number()
    this.offset += size
    return new TextDecoder().decode(this.bytes.subarray(this.offset - size, this.offset))
  }
  list(read) {
    return Array.from({ length: this.number() }, () => read(this))
  }
  limits() {
    const flags = this.byte()
    this.number()
    if (flags & 1) this.number()
  }
}

/** The sections in file order: `{ name, start, size, whole }`, `whole` with the section's own header. */
export function sections(bytes) {
  const reader = new Reader(bytes, 8)
  const found = []
  while (!reader.done) {
    const begin = reader.offset
    const id = reader.byte()
    const size = reader.number()
    const start = reader.offset
    reader.offset = start + size
    const name = id === 0 ? `custom ${new Reader(bytes, start).name()}` : SECTIONS[id]
    found.push({ name, start, size, whole: reader.offset - begin })
  }
  return found
}

function section(bytes, name) {
  const found = sections(bytes).find((each) => each.name === name)
  return found && new Reader(bytes, found.start, found.start + found.size)
}

const signatureOf = (types, index) => types[index] ?? `type ${index}`

function readTypes(bytes) {
  const valueType = (reader) => TYPES[reader.byte()] ?? '?'
  return (
    section(bytes, 'type')?.list((reader) => {
      if (reader.byte() !== 0x60) throw new Error('a type that is not a function')
      return `(${reader.list(valueType)}) -> (${reader.list(valueType)})`
    }) ?? []
  )
}

/** `{ imports: [{ module, name, kind, signature? }], exports: [{ name, kind, signature? }] }` */
export function interfaceOf(bytes) {
  const types = readTypes(bytes)
  const functions = []
  const imports =
    section(bytes, 'import')?.list((reader) => {
      const found = { module: reader.name(), name: reader.name(), kind: KINDS[reader.byte()] }
      if (found.kind === 'function') functions.push((found.signature = signatureOf(types, reader.number())))
      else if (found.kind === 'table') (reader.byte(), reader.limits())
      else if (found.kind === 'memory') reader.limits()
      else if (found.kind === 'global') ((found.signature = TYPES[reader.byte()]), reader.byte())
      else (reader.byte(), reader.number())
      return found
    }) ?? []
  const importedFunctions = functions.length
  section(bytes, 'function')?.list((reader) => functions.push(signatureOf(types, reader.number())))
  const exports =
    section(bytes, 'export')?.list((reader) => {
      const found = { name: reader.name(), kind: KINDS[reader.byte()] }
      const index = reader.number()
      if (found.kind === 'function') found.signature = functions[index]
      return found
    }) ?? []
  return { imports, exports, importedFunctions }
}

/** `[{ name, start, size }]` of the module's own functions; the name is empty in a stripped module. */
export function functions(bytes) {
  const { importedFunctions } = interfaceOf(bytes)
  const found =
    section(bytes, 'code')?.list((reader) => {
      const start = reader.offset
      const size = reader.number()
      reader.offset += size
      return { name: '', start, size: reader.offset - start }
    }) ?? []
  const names = section(bytes, 'custom name')
  if (names) {
    names.name() // the section's own
    while (!names.done) {
      const kind = names.byte()
      const end = names.number() + names.offset
      if (kind === 1) {
        names.list((reader) => {
          const index = reader.number() - importedFunctions
          const name = reader.name()
          if (index >= 0) found[index].name = name
        })
      }
      names.offset = end
    }
  }
  return found
}
