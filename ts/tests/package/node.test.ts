/** The packed package, installed into an empty project, in Node: the README's example, as it stands. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { example } from './support/readme.js'

const run = promisify(execFile)
const EXAMPLE = example('ts')

/** The same with `require`, which has no `await` at the top. */
function required(code: string): string {
  const lines = code.split('\n')
  const imports = lines.filter((line) => line.startsWith('import '))
  const rest = lines.filter((line) => !line.startsWith('import '))
  const requires = imports.map((line) => line.replace(/^import (\{.*\}) from (.*)$/, 'const $1 = require($2)'))
  return [...requires, ';(async () => {', ...rest, '})()'].join('\n')
}

test.each([
  ['ESM', 'module', EXAMPLE],
  ['CommonJS', 'commonjs', required(EXAMPLE)],
])('%s', async (_, type, program) => {
  const folder = join(inject('project'), `node-${type}`)
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type }))
  await writeFile(join(folder, 'main.js'), program)
  const { stdout, stderr } = await run('node', ['main.js'], { cwd: folder })
  expect(stderr).toBe('')
  expect(stdout.trim()).toBe(/^\/\/ (.*)$/m.exec(EXAMPLE)?.[1])
})
