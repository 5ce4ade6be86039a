// check-imports.mjs FOLDER: fails when a module in FOLDER (pg17/pg_trickle.so, pg18/pg_trickle.so) imports something that
// a supported PGlite lacks. For the build; ci/gates/imports.mjs says what is compared.
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check } from './gates/imports.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const { problems, notes } = check(root, resolve(process.argv[2]))
for (const line of notes) console.error(`==> ${line}`)
if (problems.length) {
  for (const line of problems) console.error(`error: ${line}`)
  console.error('error: the module would not load there; docs/BUILDING.md says what to do about a missing import')
  process.exit(1)
}
