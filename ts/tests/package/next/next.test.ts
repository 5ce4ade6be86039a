/** The packed package in a Next app, as `next build` makes it. */
import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, inject } from 'vitest'
import { test } from '../../browser/support/browser.js'
import { serveFolder } from '../../browser/support/site.js'

const run = promisify(execFile)
const WORK = fileURLToPath(new URL('../programs/work.js', import.meta.url))

const LAYOUT = `export default function Layout({ children }) {
  return <html lang="en"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>
}
`
const PAGE = `'use client'
import { useEffect, useState } from 'react'
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import { work } from './work.js'

export default function Page() {
  const [rows, setRows] = useState()
  useEffect(() => { PGlite.create({ extensions: { trickle } }).then(work).then(setRows) }, [])
  return <pre>{rows ? JSON.stringify(rows) : ''}</pre>
}
`

test('Next 16', { timeout: 600_000 }, async ({ page }) => {
  const root = inject('project')
  const packages = ['next@16', 'react@19', 'react-dom@19']
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], { cwd: root })
  const app = join(root, 'app')
  await mkdir(app)
  await writeFile(join(app, 'layout.js'), LAYOUT)
  await writeFile(join(app, 'page.js'), PAGE)
  await cp(WORK, join(app, 'work.js'))
  await writeFile(join(root, 'next.config.mjs'), "export default { output: 'export' }\n")
  const environment = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' } as const
  await run(join(root, 'node_modules/.bin/next'), ['build'], { cwd: root, env: environment })

  const out = join(root, 'out')
  const bundles = (await readdir(out, { recursive: true })).filter((name) => name.endsWith('.gz'))
  expect(bundles.sort()).toEqual([
    expect.stringMatching(/pg_trickle-pg17\.tar.*\.gz$/),
    expect.stringMatching(/pg_trickle-pg18\.tar.*\.gz$/),
  ])
  const site = await serveFolder(out)
  try {
    await page.goto(site.url)
    const rows = page.locator('pre:not(:empty)')
    expect(await rows.textContent({ timeout: 120_000 })).toBe('[{"customer_id":7,"n":2},{"customer_id":8,"n":1}]')
  } finally {
    await site.close()
  }
})
