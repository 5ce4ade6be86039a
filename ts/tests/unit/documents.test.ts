/**
 * The documents, as far as this needs no database: `documents.test.ts` runs their snippets. Every snippet is run or
 * compiled by a test, or a comment above it says why not; snippets type-check; commands exist; tables are complete.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compile as svelte } from 'svelte/compiler'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import * as vue from 'vue/compiler-sfc'
import { Trickle } from '../../dist/index.js'
import type { UseStreamTableOptions } from '../../dist/react.js'
import { documents, programsIn, readDocument, RUN } from '../support/documents.js'
import { blocksIn, tableIn } from '../support/markdown.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** Documents whose snippets a test of their own runs, and in which languages. */
const OWN_TESTS: Record<string, { test: string; languages: RegExp }> = {
  'docs/tutorials/PGLITE_QUICKSTART.md': { test: 'browser/quickstart.test.ts', languages: /^(html|js|jsx|css)$/ },
  // The components are compiled here; those of the adapters' tests run in Chromium.
  'ts/README.md': { test: 'unit/documents.test.ts', languages: /^(tsx|jsx|vue|svelte)$/ },
}

const BLOCKS = documents().flatMap((document) =>
  blocksIn(readDocument(document)).map((block) => ({ document, ...block })),
)
const inLanguage = (language: string, document?: string) =>
  BLOCKS.filter((block) => block.language === language && (document === undefined || block.document === document))

describe('snippets', () => {
  test.each(BLOCKS)('$document, line $line, is run by a test or says why not', ({ document, runBy }) => {
    if (runBy !== undefined) expect(existsSync(`${ROOT}ts/tests/${runBy}`), runBy).toBe(true)
    const own = OWN_TESTS[document]
    if (own) expect(existsSync(`${ROOT}ts/tests/${own.test}`), own.test).toBe(true)
  })

  test('are in languages that a test runs or reads, unless they say why not', () => {
    const odd = BLOCKS.filter(
      ({ document, language, notRun, runBy }) =>
        !RUN.has(language) &&
        language !== 'sh' &&
        notRun === undefined &&
        runBy === undefined &&
        !OWN_TESTS[document]?.languages.test(language),
    )
    expect(odd.map(({ document, line, language }) => `${document}:${line}: ${language}`)).toEqual([])
  })

  test('type-check', () => {
    const folder = `${ROOT}build/documents-${process.pid}`
    mkdirSync(folder, { recursive: true })
    const sources = [
      ...documents()
        .flatMap(programsIn)
        .map(({ document, line, code }) => ({ name: `${document}-${line}.ts`, code })),
      ...inLanguage('tsx').map(({ document, line, code }) => ({ name: `${document}-${line}.tsx`, code })),
    ]
    const paths = sources.map(({ name, code }) => {
      const path = `${folder}/${name.replaceAll('/', '-')}`
      writeFileSync(path, /PGlite\.create\(|^export /m.test(code) ? code : `${GIVEN}${code}`)
      return path
    })
    const program = ts.createProgram(paths, {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      moduleDetection: ts.ModuleDetectionKind.Force,
      jsx: ts.JsxEmit.ReactJSX,
      types: ['node'],
    })
    const wrong = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
      const line = file?.text.slice(0, start).split('\n').at(-1)
      return `${file?.fileName.slice(folder.length)}: ${line} …: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
    rmSync(folder, { recursive: true })
    expect(wrong).toEqual([])
  })

  test('of components compile', () => {
    for (const { code } of inLanguage('svelte')) expect(svelte(code, {}).warnings).toEqual([])
    for (const { code } of inLanguage('vue')) {
      const { descriptor, errors } = vue.parse(code)
      expect(errors).toEqual([])
      expect(vue.compileScript(descriptor, { id: 'readme', inlineTemplate: true }).content).toContain('_renderList')
    }
    for (const { code } of inLanguage('jsx', 'ts/README.md')) {
      const { diagnostics } = ts.transpileModule(code, {
        reportDiagnostics: true,
        fileName: 'readme.jsx',
        compilerOptions: { jsx: ts.JsxEmit.Preserve, allowJs: true },
      })
      expect(diagnostics).toEqual([])
    }
    const counts = ['svelte', 'vue', 'jsx'].map((language) => inLanguage(language, 'ts/README.md').length)
    expect(counts).toEqual([1, 1, 1])
  })
})

/** What a program has that opens no database. */
const GIVEN = `
import type { PGlite as Given } from '@electric-sql/pglite'
import type { Trickle as GivenTrickle } from '@pgtrickle/pglite'
declare const pg: Given & { trickle: GivenTrickle }
`

describe('commands', () => {
  const scripts = (path: string) =>
    (JSON.parse(readFileSync(`${ROOT}${path}`, 'utf8')) as { scripts: Record<string, string> }).scripts
  const npm = { ...scripts('package.json'), ...scripts('examples/cloudflare-durable-object/package.json') }
  const recipes = new Set(
    [...readFileSync(`${ROOT}justfile`, 'utf8').matchAll(/^([\w-]+)[^:\n]*:(?!=)/gm)].map(([, name]) => name),
  )

  test.each(documents())('of %s exist', (document) => {
    const text = readDocument(document)
    for (const [, name = ''] of text.matchAll(/\bnpm (?:run )?(test|(?<=run )[a-z][a-z:-]*)/g)) {
      expect(npm, `npm run ${name}`).toHaveProperty([name])
    }
    const code = [...text.matchAll(/`([^`\n]+)`/g)].map(([, inline = '']) => inline)
    code.push(...blocksIn(text).flatMap((block) => (block.language === 'sh' ? block.code.split('\n') : [])))
    for (const line of code) {
      const just = /(?:^|[A-Z]+=\S+ )just (?!-)([a-z][\w-]*)|^npm run just -- ([a-z][\w-]*)/.exec(line)
      if (just) expect([...recipes], line).toContain(just[1] ?? just[2])
      for (const [, file] of line.matchAll(/(?:^|\s)(?:node |bash )?((?:ci|bench)\/[\w/.-]+\.(?:mjs|sh))/g)) {
        expect(existsSync(`${ROOT}${file}`), file).toBe(true)
      }
    }
  })
})

describe('tables', () => {
  const first = (document: string, heading: string) =>
    tableIn(readDocument(document), heading).map(([cell]) => /^`(\w+)/.exec(cell ?? '')?.[1])

  test.each([
    ['docs/API.md', 'Methods'],
    ['ts/README.md', 'API'],
  ])('of methods in %s list every method', (document, heading) => {
    const methods = Object.getOwnPropertyNames(Trickle.prototype).filter((key) => key !== 'constructor')
    expect(new Set(first(document, heading))).toEqual(new Set(methods))
  })

  test('of options of the hook list every option', () => {
    // Options exist only for the compiler, which requires this object to have all of them.
    const options: Record<keyof UseStreamTableOptions, true> = {
      db: true,
      key: true,
      orderBy: true,
      where: true,
      filter: true,
      limit: true,
      offset: true,
    }
    expect(new Set(first('ts/README.md', 'React'))).toEqual(new Set(Object.keys(options)))
  })

  test('have cells that can be read at a glance', () => {
    const long = documents().flatMap((document) =>
      readDocument(document)
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .flatMap((line) => line.split('|'))
        .filter((cell) => cell.trim().length > 300)
        .map((cell) => `${document}: ${cell.trim().slice(0, 60)} …`),
    )
    expect(long).toEqual([])
  })
})

test('pictures are small', () => {
  const pictures = documents().flatMap((document) => [
    ...readDocument(document).matchAll(/(?:src|srcset)="(docs\/[^"]+)"/g),
  ])
  expect(pictures.length).toBeGreaterThan(0)
  for (const [, path = ''] of pictures) expect(statSync(`${ROOT}${path}`).size, path).toBeLessThan(100_000)
})
