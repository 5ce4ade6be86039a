/** The quickstart tutorial: its files are extracted from the text, served and built as it says, and used. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { createServer } from 'vite'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { test } from './support/browser.js'
import { look } from './support/look.js'
import { serveApp } from './support/site.js'
import type { Site } from './support/site.js'

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

/** The finished app. */
let site: Site | undefined

/** Inside the repository, whose installed packages the app uses. */
let root: string

beforeAll(async () => {
  await mkdir(BUILD, { recursive: true })
  root = await mkdtemp(join(BUILD, 'quickstart-'))
  await write('package.json', '{ "name": "live-orders" }')
})
afterAll(async () => {
  await site?.close()
  await rm(root, { recursive: true, force: true })
})

async function write(path: string, code: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), code)
}

const rows = (page: Page) =>
  page.locator('tbody tr').evaluateAll((all) => all.map((row) => (row as HTMLElement).innerText))

/** As fast as keys can be pressed: no wait for the order before. */
async function add(page: Page, ...orders: [customer: string, amount: string][]): Promise<void> {
  await page.getByLabel('Customer').focus()
  for (const [customer, amount] of orders) {
    await page.keyboard.type(customer)
    await page.keyboard.press('Tab')
    await page.keyboard.type(amount)
    await page.keyboard.press('Enter')
  }
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
  test('runs after step 4, on the development server, in two tabs', async ({ page, context }) => {
    for (const { path, isAdded, code } of BLOCKS) if (!isAdded) await write(path, code)
    const server = await createServer({ root, logLevel: 'error', server: { host: '127.0.0.1', port: 0 } })
    try {
      await server.listen()
      const url = server.resolvedUrls?.local[0] ?? ''
      await page.goto(url)
      await page.locator('table').waitFor({ timeout: 120_000 })
      const second = await context.newPage()
      await second.goto(url)
      await second.locator('table').waitFor({ timeout: 120_000 })
      await add(page, ['Ada', '10.50'], ['Bob', '12'], ['Ada', '4'])
      for (const tab of [page, second]) {
        await expect.poll(() => rows(tab), { timeout: 30_000 }).toEqual(['Ada\t2\t14.50', 'Bob\t1\t12.00'])
      }
      await add(second, ['Bob', '3'])
      for (const tab of [page, second]) {
        await expect.poll(() => rows(tab), { timeout: 30_000 }).toEqual(['Bob\t2\t15.00', 'Ada\t2\t14.50'])
      }
      await look(page, 'quickstart-orders')
    } finally {
      await server.close()
    }
  })

  test('runs with the additions of step 5, built, and keeps its data', async ({ page, complaints }) => {
    for (const { path, isAdded, code } of BLOCKS) {
      if (!isAdded) await write(path, code)
      else await write(path, (await readFile(join(root, path), 'utf8')) + code)
    }
    const app = await readFile(join(root, 'src/App.jsx'), 'utf8')
    const [, podium = ''] = /put `(.*)` below/.exec(TEXT) ?? []
    await write('src/App.jsx', app.replace('{db && <Totals db={db} />}', `$&\n      ${podium}`))
    const main = await readFile(join(root, 'src/main.jsx'), 'utf8')
    await write('src/main.jsx', `import './log.js'\n${main}`)
    const said: string[] = []
    page.on('console', (message) => void said.push(message.text()))
    site = await serveApp(root)
    await page.goto(site.url)
    await page.getByRole('status').filter({ hasText: 'Opening the database' }).waitFor()
    await look(page, 'quickstart-opening')
    await page.locator('table').waitFor({ timeout: 120_000 })
    await add(page, ['Ada', '30'])
    await page.locator('li').filter({ hasText: '100.0 %' }).waitFor()
    await add(page, ['Bob', '90'])
    await page.locator('li').filter({ hasText: 'Bob: 75.0 %' }).waitFor()
    expect(await page.locator('li').allInnerTexts()).toEqual(['Bob: 75.0 % of all', 'Ada: 25.0 % of all'])
    await add(page, ['Ada', '1'])
    await page.locator('tbody tr').filter({ hasText: '31.00' }).waitFor()
    const log = () => said.filter((line) => /^(insert|update)/.test(line))
    await expect.poll(log, { timeout: 30_000 }).toHaveLength(3)
    expect(log()).toEqual(['insert Ada 30.00', 'insert Bob 90.00', 'update Ada 30.00 to 31.00'])
    await look(page, 'quickstart-podium')
    await page.reload()
    await page.locator('tbody tr').nth(1).waitFor({ timeout: 120_000 })
    expect(await rows(page)).toEqual(['Bob\t1\t90.00', 'Ada\t2\t31.00'])
    // What an order cannot be, the database says.
    await add(page, ['Eve', '1e9'])
    await page.getByRole('alert').filter({ hasText: 'numeric field overflow' }).waitFor()
    await look(page, 'quickstart-refused')
    // PGlite's worker writes it to the console as well.
    expect(complaints.splice(0)).toEqual([expect.stringContaining('numeric field overflow')])
  })

  test('says that it does not open', async ({ page, complaints }) => {
    await page.route('**/*.wasm', (route) => route.abort())
    await page.goto(site?.url ?? '')
    await page.getByRole('alert').filter({ hasText: 'The database does not open.' }).waitFor()
    await look(page, 'quickstart-failed')
    expect(complaints.splice(0).join()).toContain('Failed to fetch')
  })
})
