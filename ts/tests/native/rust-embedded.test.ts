/** The example in Rust: PostgreSQL 18 in a program, with the native extension. The first run builds it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { MAJOR } from '../support/modules.js'

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), '../../../ci/rust-embedded.sh')
/** What the script ends with where the crates, or a C library for them, cannot be had. */
const CANNOT = 75

async function run(...options: string[]) {
  const child = spawn(SCRIPT, options, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (data) => (output += data))
  child.stderr.on('data', (data) => (output += data))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, output }
}

test.skipIf(MAJOR !== 18)(
  'stream tables in a Rust program, and in the next one',
  { timeout: 900_000 },
  async (context) => {
    const { status, output } = await run('--twice')
    if (status === CANNOT) {
      console.log(output)
      return context.skip()
    }
    expect(status, output).toBe(0)
    expect(
      output.match(/^250 changes, \d+ of them undone; 10 stream tables equal their queries/gm),
      output,
    ).toHaveLength(2)
    expect(output).toContain('the database of an earlier run')
    // One that is not maintained is noticed, or the above would say nothing.
    const unmaintained = await run('--unmaintained', '--seed', '7')
    expect(unmaintained.status).toBe(1)
    expect(unmaintained.output).toMatch(/error: change \d+, .*: \w+ differs from its query by \d+ rows/)
  },
)
