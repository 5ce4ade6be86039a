// Checks that are not tests of behaviour: what must hold of the sources and of what is built from them.
//
//   gates.mjs                  all of them; the status is 1 if one fails
//   gates.mjs NAME...          only these: versions, sizes, imports, ... (file names of ci/gates/)
//   gates.mjs sizes --record   records the sizes as they are as the ones to compare with
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const GATES = [
  'versions',
  'shim-lines',
  'file-length',
  'links',
  'unsafe',
  'sql-names',
  'c-warnings',
  'rust',
  'javascript',
  'types',
  'imports',
  'sizes',
]

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const wanted = process.argv.slice(2).filter((each) => !each.startsWith('--'))
const unknown = wanted.filter((each) => !GATES.includes(each))
if (unknown.length) {
  console.error(`no gate named ${unknown.join(', ')}; there are: ${GATES.join(', ')}`)
  process.exit(2)
}

if (process.argv.includes('--record')) {
  const sizes = await import('./gates/sizes.mjs')
  sizes.record(root)
}

let failed = 0
let passed = 0
for (const id of wanted.length ? wanted : GATES) {
  const gate = await import(`./gates/${id}.mjs`)
  const { problems, notes } = await resultOf(gate)
  console.log(`${problems.length ? 'FAIL' : 'ok  '} ${gate.name}`)
  for (const line of [...notes, ...problems]) console.log(`       ${line}`)
  if (problems.length) failed += 1
  else passed += 1
}
console.log(`gates: ${passed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0)

/** A gate that cannot even look has failed; the others still run. */
async function resultOf(gate) {
  try {
    return await gate.check(root)
  } catch (error) {
    return { problems: [error.message], notes: [] }
  }
}
