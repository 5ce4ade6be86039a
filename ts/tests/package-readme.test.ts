/** The README of the npm package: its snippets type-check, run unchanged, and print what it says. */
import { createCollection } from '@tanstack/db'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { compile as svelte } from 'svelte/compiler'
import * as vue from 'vue/compiler-sfc'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { trickle } from '../dist/index.js'
import * as react from '../dist/react.js'
import { streamTableCollectionOptions } from '../dist/tanstack.js'
import { emptyDataDir, loadModule, openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { blocksOf, printedAccordingTo, runSnippets, tableIn } from './support/readme.js'

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const CODE = blocksOf(README, 'ts').join('\n')

let pg: Database
beforeAll(async () => {
  pg = await openDatabase()
})
afterAll(() => pg?.close())

test('its snippets run in order and print what their comments say', async () => {
  const expected = printedAccordingTo(CODE)
  expect(expected).toHaveLength(CODE.split('console.log(').length - 1)
  const { PGlite } = await loadModule()
  const loadDataDir = await emptyDataDir()
  const create = async (options: object): Promise<unknown> => {
    await pg.close()
    pg = (await PGlite.create({ loadDataDir, ...options })) as unknown as Database
    return pg
  }
  const { outputText } = ts.transpileModule(CODE, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  })
  const given = { PGlite: { create }, trickle, streamTableCollectionOptions, createCollection }
  expect(await runSnippets(outputText, given)).toEqual(expected)
})

test('its snippets type-check', () => {
  const folder = fileURLToPath(new URL(`../../build/readme-${process.pid}`, import.meta.url))
  mkdirSync(folder, { recursive: true })
  const files = { 'snippets.ts': CODE, 'react.tsx': blocksOf(README, 'tsx').join('\n') }
  const paths = Object.entries(files).map(([name, text]) => {
    writeFileSync(`${folder}/${name}`, text)
    return `${folder}/${name}`
  })
  const program = ts.createProgram(paths, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    jsx: ts.JsxEmit.ReactJSX,
    types: ['node'],
  })
  const wrong = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  rmSync(folder, { recursive: true })
  expect(wrong).toEqual([])
})

test('its components compile', () => {
  for (const code of blocksOf(README, 'svelte')) expect(svelte(code, {}).warnings).toEqual([])
  for (const code of blocksOf(README, 'vue')) {
    const { descriptor, errors } = vue.parse(code)
    expect(errors).toEqual([])
    expect(vue.compileScript(descriptor, { id: 'readme', inlineTemplate: true }).content).toContain('_renderList')
  }
  for (const code of blocksOf(README, 'jsx')) {
    const { diagnostics } = ts.transpileModule(code, {
      reportDiagnostics: true,
      fileName: 'readme.jsx',
      compilerOptions: { jsx: ts.JsxEmit.Preserve, allowJs: true },
    })
    expect(diagnostics).toEqual([])
  }
  expect(['svelte', 'vue', 'jsx'].map((language) => blocksOf(README, language).length)).toEqual([1, 1, 1])
})

test('its tables list every method, and every option of the hook', () => {
  const first = (heading: string) => tableIn(README, heading).map(([cell]) => /^`(\w+)/.exec(cell ?? '')?.[1])
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(pg.trickle)).filter((key) => key !== 'constructor')
  expect(new Set(first('API'))).toEqual(new Set(methods))
  // Options exist only for the compiler, which requires this object to have all of them.
  const options: Required<react.UseStreamTableOptions> = {
    db: pg,
    key: 'a',
    orderBy: 'a',
    where: {},
    filter: () => true,
  }
  expect(new Set(first('React'))).toEqual(new Set(Object.keys(options)))
})
