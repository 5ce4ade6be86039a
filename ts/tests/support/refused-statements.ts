/** Statements of the extension that PostgreSQL refuses: it gets them with a character that no SQL begins with. */
import { withPatchedModule } from './patched-module.js'

type Prepare = (text: number, ...others: number[]) => number

let refuses: ((sql: string) => boolean) | undefined

/** During `body`, PostgreSQL refuses the statements of the extension that `which` selects. */
export async function refusing<T>(which: (sql: string) => boolean, body: () => Promise<T>): Promise<T> {
  refuses = which
  try {
    return await body()
  } finally {
    refuses = undefined
  }
}

function refused(prepare: Prepare, memory: WebAssembly.Memory): Prepare {
  return (text, ...others) => {
    const bytes = new Uint8Array(memory.buffer)
    const sql = new TextDecoder().decode(bytes.subarray(text, bytes.indexOf(0, text)))
    if (!refuses?.(sql)) return prepare(text, ...others)
    const [first = 0] = bytes.subarray(text)
    bytes[text] = '!'.charCodeAt(0)
    try {
      return prepare(text, ...others)
    } finally {
      new Uint8Array(memory.buffer)[text] = first
    }
  }
}

/** While `body` runs, side modules of ours are instantiated so that {@link refusing} works. */
export function withRefusedStatements<T>(body: () => Promise<T>): Promise<T> {
  const patch = (name: string, imported: unknown, memory: WebAssembly.Memory) =>
    name === 'SPI_prepare' ? refused(imported as Prepare, memory) : imported
  return withPatchedModule(patch, body)
}
