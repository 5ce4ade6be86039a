/** The drivers that are ready in seconds. `just drivers` runs all of them. */
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { DRIVERS, isOnPath, pythonWith, runDriver } from '../drivers/run.mjs'
import { MAJOR, MODULE_NAME } from '../support/modules.js'

const TS = join(dirname(fileURLToPath(import.meta.url)), '../..')

test.each(['node-postgres', 'psql', 'psycopg'] as const)('%s', { timeout: 180_000 }, async (name) => {
  if (!DRIVERS[name].needs.every(isOnPath)) return console.log(`${name} is not here`)
  const { failed, passed, status, output } = await runDriver(name, MAJOR)
  expect([failed, status], output).toEqual([[], 0])
  expect(passed).toHaveLength(13)
})

test('the example in Python', { timeout: 180_000 }, async () => {
  if (!isOnPath('python3')) return console.log('Python is not here')
  const python = pythonWith('../../../examples/python/requirements.txt')
  const command = `${process.execPath} ${join(TS, 'dist/pgtrickle.js')}`
  const env = { ...process.env, PGTRICKLE: `${command} --pglite ${MODULE_NAME}`, PYTHONDONTWRITEBYTECODE: '1' }
  const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', join(TS, '../examples/python')]
  const { stdout } = await promisify(execFile)(python, args, { cwd: TS, env })
  expect(stdout).toMatch(/^4 passed/m)
})
