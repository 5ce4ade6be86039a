// compare-versions.mjs FOUND: prints the versions in the file FOUND, which a build wrote, and where they differ from
// those in ci/toolchain.versions. A difference is no failure: it gives the next surprise a name.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The lines `tool NAME VERSION` of a text, as a map; a version may have spaces. */
export function toolsIn(text) {
  return new Map([...text.matchAll(/^tool (\S+) (.+)$/gm)].map(([, name, version]) => [name, version.trim()]))
}

/** What there is to say of the versions found, line by line. */
export function report(recorded, found) {
  const all = [...found].map(([name, version]) => `${name} ${version}`).join(', ')
  const names = [...new Set([...recorded.keys(), ...found.keys()])]
  const moved = names.filter((name) => found.has(name) && found.get(name) !== recorded.get(name))
  return [
    `Built with ${all}`,
    ...moved.map((name) => {
      const was = recorded.get(name) ?? 'no version of it'
      return `NOTE: ${name} is ${found.get(name)}; ci/toolchain.versions records ${was}`
    }),
    ...names.filter((name) => !found.has(name)).map((name) => `NOTE: the version of ${name} could not be found out`),
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const recorded = join(dirname(process.argv[1]), 'toolchain.versions')
  const [known, found] = [recorded, process.argv[2]].map((path) => toolsIn(readFileSync(path, 'utf8')))
  for (const line of report(known, found)) console.error(`==> ${line}`)
}
