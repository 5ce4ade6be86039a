/** The build step: `npx pgtrickle-static prepare --sql schema.sql`. */
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const EXAMPLE = fileURLToPath(new URL('..', import.meta.url))

export function prepareModules() {
  const entry = createRequire(import.meta.url).resolve('@pgtrickle/pglite')
  const tool = join(dirname(entry), 'pgtrickle-static.js')
  execFileSync(process.execPath, [tool, 'prepare', '--sql', 'schema.sql'], { cwd: EXAMPLE, stdio: 'inherit' })
}
