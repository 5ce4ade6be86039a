// The PGlite under test for commands, as their option `--pglite`. In memory, it starts without another run of initdb.
import { readFile } from 'node:fs/promises'

const { PGlite: Original } = await import(process.env.PGLITE)

export const PGlite = {
  create: async (options) => {
    if (options.dataDir !== undefined) return Original.create(options)
    return Original.create({ ...options, loadDataDir: new Blob([await readFile(process.env.EMPTY_DATA_DIR)]) })
  },
}
