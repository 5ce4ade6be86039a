#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { prepare } from './prepare.js'

const USAGE = `pgtrickle-static prepare [FOLDER]

Writes into FOLDER (pgtrickle-static unless given) what @pgtrickle/pglite/static needs, from the packages that are
installed here.

  --extension SPECIFIER#EXPORT   another extension: @electric-sql/pglite/contrib/pg_trgm#pg_trgm
  --library NAME                 another library of PostgreSQL: utf8_and_iso8859_1
  --sql FILE                     run in the database: its schema, its stream tables
  --memory MIB                   the memory to start with: 16 unless given
  --icu                          keep the data of ICU, for its collations
  --pglite SPECIFIER             the package of PGlite: @electric-sql/pglite unless given
`

const MIB = 1024 * 1024

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      extension: { type: 'string', multiple: true },
      library: { type: 'string', multiple: true },
      sql: { type: 'string', multiple: true },
      memory: { type: 'string' },
      icu: { type: 'boolean' },
      pglite: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  const [command, folder, ...rest] = positionals
  if (values.help) return console.log(USAGE)
  if (command !== 'prepare' || rest.length > 0) throw new Error(`no such command\n\n${USAGE}`)
  const memory = values.memory === undefined ? undefined : Number(values.memory)
  if (memory !== undefined && !(Number.isInteger(memory) && memory >= 16 && memory <= 2048)) {
    throw new Error(`--memory ${values.memory}: give whole MiB from 16 to 2048`)
  }
  const sql = await Promise.all((values.sql ?? []).map((file) => readFile(file, 'utf8')))
  const prepared = await prepare({
    ...(folder !== undefined && { folder }),
    ...(values.extension && { extensions: values.extension }),
    ...(values.library && { libraries: values.library }),
    ...(memory !== undefined && { memory }),
    ...(values.icu && { icu: true }),
    ...(values.pglite !== undefined && { pglite: values.pglite }),
    sql,
  })
  let all = 0
  for (const { name, bytes } of prepared.files) {
    const packed = gzipSync(bytes).length
    all += packed
    console.log(`${name.padEnd(28)} ${mib(bytes.length)}   ${mib(packed)} gzipped`)
  }
  console.log(`${'together'.padEnd(28)} ${' '.repeat(9)}   ${mib(all)} gzipped`)
  console.log(`\nPGlite ${prepared.manifest.pglite}, PostgreSQL ${prepared.manifest.postgres}: ${prepared.folder}`)
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(2).padStart(5)} MiB`
}

main().catch((error: unknown) => {
  console.error(`pgtrickle-static: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
