/** docs/FEED.md: its snippets run unchanged and print what it says, and its SQL runs after them. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { trickle } from '../dist/index.js'
import { emptyDataDir, loadModule } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { blocksOf, printedAccordingTo, runSnippets } from './support/readme.js'

const FEED = readFileSync(new URL('../../docs/FEED.md', import.meta.url), 'utf8')

test('what docs/FEED.md shows', async () => {
  const code = blocksOf(FEED, 'ts').join('\n')
  const expected = printedAccordingTo(code)
  expect(expected).toHaveLength(code.split('console.log(').length - 1)
  const { PGlite } = await loadModule()
  const loadDataDir = await emptyDataDir()
  let pg: Database | undefined
  const create = async (options: object) =>
    (pg = (await PGlite.create({ loadDataDir, ...options })) as unknown as Database)
  expect(await runSnippets(code, { PGlite: { create }, trickle })).toEqual(expected)
  const blocks = blocksOf(FEED, 'sql')
  expect(blocks.length).toBeGreaterThan(2)
  for (const block of blocks) await pg?.exec(block)
  await pg?.close()
})
