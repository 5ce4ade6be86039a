/** The Markdown documents of the project: the programs that their snippets are, and how these run. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import ts from 'typescript'
import { blocksIn } from './markdown.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** What runs in one scope with one database: the blocks up to the next that opens a database of its own. */
export interface Program {
  document: string
  line: number
  /** TypeScript. */
  code: string
  /** What its comments say that it prints. */
  expected: string[]
}

/** The documents of the project, relative to its root. */
export function documents(): string[] {
  const git = ['-c', 'safe.directory=*', 'ls-files', '--cached', '--others', '--exclude-standard', '*.md']
  return execFileSync('git', git, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n').sort()
}

export const readDocument = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8')

/** The languages that run here. */
export const RUN = new Set(['ts', 'js', 'sql'])

const opensDatabase = (code: string) => /await PGlite\.create\(/.test(code)

/** The programs that the blocks of a document are. */
export function programsIn(document: string): Program[] {
  const programs: Program[] = []
  for (const { language, code, line, isFile, notRun, runBy } of blocksIn(readDocument(document))) {
    if (!RUN.has(language) || isFile || notRun !== undefined || runBy !== undefined) continue
    if (programs.length === 0 || opensDatabase(code)) programs.push({ document, line, code: '', expected: [] })
    const program = programs.at(-1) as Program
    program.code += language === 'sql' ? `await pg.exec(${JSON.stringify(code)})\n` : `${code}\n`
    if (language !== 'sql') program.expected.push(...printedAccordingTo(code))
  }
  return programs
}

/** The output that comments after and below `console.log` promise, in order. */
export function printedAccordingTo(code: string): string[] {
  const found = [...code.matchAll(/console\.log\([^\n]*\n? *\/\/ (.*)$|console\.log\([^\n]*\) \/\/ (.*)$/gm)]
  const promised = found.map((match) => match[2] ?? match[1] ?? '')
  const calls = code.split('console.log(').length - 1
  if (promised.length !== calls) throw new Error(`of ${calls} console.log, ${promised.length} say what they print`)
  return promised
}

const shown = (values: unknown[]): string =>
  values
    .map((value) => (typeof value === 'string' ? value : inspect(value, { breakLength: Infinity, depth: null })))
    .join(' ')

/** Runs a program. `load` imports its modules, and `given` are names that it has without importing them. */
export async function runProgram(
  { code }: Program,
  load: (module: string) => Promise<unknown>,
  given: Record<string, unknown> = {},
): Promise<string[]> {
  const printed: string[] = []
  const names = {
    ...given,
    load,
    console: { ...console, log: (...values: unknown[]) => printed.push(shown(values)) },
  }
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  })
  const body = outputText
    .replace(/^import (\{[^}]*\}) from ('[^']+');?$/gm, (_, names: string, module: string) => {
      return `const ${names.replaceAll(/(\w+) as (\w+)/g, '$1: $2')} = await load(${module});`
    })
    .replace(/^import \* as (\w+) from ('[^']+');?$/gm, 'const $1 = await load($2);')
    .replace(/^export (?!\{)/gm, '')
    .replace(/^export \{\s*\};?$/gm, '')
  const run = new Function(...Object.keys(names), `return (async () => {\n${body}\n})()`) as (
    ...values: unknown[]
  ) => Promise<void>
  await run(...Object.values(names))
  return printed
}
