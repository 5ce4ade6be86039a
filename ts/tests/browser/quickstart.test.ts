/** The quickstart tutorial: its files are extracted from the text, served and built as it says, and used. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { createServer } from 'vite'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { test } from './support/browser.js'
import { serveApp } from './support/site.js'

const TEXT = await readFile(new URL('../../../docs/tutorials/PGLITE_QUICKSTART.md', import.meta.url), 'utf8')
const BUILD = fileURLToPath(new URL('../../../build/browser', import.meta.url))

/** A block of the text that is a file, or the end of one. */
interface Block {
  path: string
  isAdded: boolean
  code: string
}

const BLOCKS: Block[] = [...TEXT.matchAll(/^```\w+ title="(.+?)"( add)?\n(.*?)^```$/gms)].map(
  ([, path = '', add, code = '']) => ({ path, isAdded: add !== undefined, code }),
)

/** The shell commands, line by line. */
const COMMANDS = [...TEXT.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, code = '']) => code.trim().split('\n'))

/** Inside the repository, whose installed packages the app uses. */
let root: string

beforeAll(async () => {
  await mkdir(BUILD, { recursive: true })
  root = await mkdtemp(join(BUILD, 'quickstart-'))
  await write('package.json', '{ "name": "live-orders" }')
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function write(path: string, code: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), code)
}

const rows = (page: Page) =>
  page.locator('tbody tr').evaluateAll((all) => all.map((row) => (row as HTMLElement).innerText))

async function add(page: Page, customer: string, amount: string): Promise<void> {
  await page.getByLabel('Customer').fill(customer)
  await page.getByLabel('Amount').fill(amount)
  await page.getByRole('button', { name: 'Add' }).click()
  // React clears the form when the order has been stored, which is after it was shown.
  await page.waitForFunction(() => document.querySelector('input')?.value === '')
}

test('it installs exactly the packages that its files import', () => {
  const installed = COMMANDS.filter((line) => line.startsWith('npm install')).flatMap((line) =>
    line.split(' ').filter((word) => !['npm', 'install', '--save-dev'].includes(word)),
  )
  const imported = BLOCKS.flatMap(({ code }) => [...code.matchAll(/^(?:import|export) .*from '([^.'][^']*)'$/gm)]).map(
    ([, name = '']) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
  )
  expect(new Set(installed)).toEqual(new Set([...imported, 'vite']))
  expect(COMMANDS).toContain('npx vite --open')
})

describe('the app', () => {
  test('runs after step 4, on the development server', async ({ page }) => {
    for (const { path, isAdded, code } of BLOCKS) if (!isAdded) await write(path, code)
    const server = await createServer({ root, logLevel: 'error', server: { host: '127.0.0.1', port: 0 } })
    try {
      await server.listen()
      await page.goto(server.resolvedUrls?.local[0] ?? '')
      await page.locator('table').waitFor({ timeout: 120_000 })
      await add(page, 'Ada', '10.50')
      await page.locator('tbody tr').filter({ hasText: '10.50' }).waitFor()
      await add(page, 'Bob', '12')
      await page.locator('tbody tr').nth(1).waitFor()
      await add(page, 'Ada', '4')
      await page.locator('tbody tr').first().filter({ hasText: 'Ada' }).waitFor()
      expect(await rows(page)).toEqual(['Ada\t2\t14.50', 'Bob\t1\t12.00'])
    } finally {
      await server.close()
    }
  })

  test('runs with the additions of step 5, built, and keeps its data', async ({ page }) => {
    for (const { path, isAdded, code } of BLOCKS) {
      if (!isAdded) await write(path, code)
      else await write(path, (await readFile(join(root, path), 'utf8')) + code)
    }
    const app = await readFile(join(root, 'src/App.jsx'), 'utf8')
    await write('src/App.jsx', app.replace('<Totals />', '<Totals />\n      <Podium />'))
    const main = await readFile(join(root, 'src/main.jsx'), 'utf8')
    await write('src/main.jsx', `import './log.js'\n${main}`)
    const said: string[] = []
    page.on('console', (message) => void said.push(message.text()))
    const site = await serveApp(root)
    try {
      await page.goto(site.url)
      await page.locator('table').waitFor({ timeout: 120_000 })
      await add(page, 'Ada', '30')
      await page.locator('li').filter({ hasText: '100.0 %' }).waitFor()
      await add(page, 'Bob', '90')
      await page.locator('li').filter({ hasText: 'Bob: 75.0 %' }).waitFor()
      expect(await page.locator('li').allInnerTexts()).toEqual(['Bob: 75.0 % of all', 'Ada: 25.0 % of all'])
      await add(page, 'Ada', '1')
      await page.locator('tbody tr').filter({ hasText: '31.00' }).waitFor()
      const log = () => said.filter((line) => /^(insert|update)/.test(line))
      await expect.poll(() => log().length, { timeout: 30_000 }).toBe(3)
      expect(log()).toEqual(['insert undefined Ada 30.00', 'insert undefined Bob 90.00', 'update 30.00 Ada 31.00'])
      await page.reload()
      await page.locator('tbody tr').nth(1).waitFor({ timeout: 120_000 })
      expect(await rows(page)).toEqual(['Bob\t1\t90.00', 'Ada\t2\t31.00'])
    } finally {
      await site.close()
    }
  })
})
