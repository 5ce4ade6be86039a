// The package's types: strict, and no `any` in what its users see.
import { join } from 'node:path'
import ts from 'typescript'
import { read, run, tail } from './files.mjs'

export const name = 'TypeScript strict, no any in public types'
const DECLARATIONS = ['index', 'react', 'tanstack', 'static', 'devtools'].flatMap((entry) => [
  `ts/dist/${entry}.d.ts`,
  `ts/dist/${entry}.d.cts`,
])
const CHECKED = ['ts', 'examples/react-dashboard', 'examples/playground', 'examples/cloudflare-durable-object']

/** Where a declaration file says `any`: `[line, text]`. */
export function anyIn(text, path = 'index.d.ts') {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found = []
  const visit = (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      const line = file.getLineAndCharacterOfPosition(node.getStart()).line
      found.push([line + 1, text.split('\n')[line].trim()])
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** A type whose module is not found is `any` too, without saying so. */
function unresolved(root, path) {
  const program = ts.createProgram([join(root, path)], {
    strict: true,
    noEmit: true,
    types: ['node'],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  })
  const file = program.getSourceFile(join(root, path))
  return ts.getPreEmitDiagnostics(program, file).map((each) => ts.flattenDiagnosticMessageText(each.messageText, '\n'))
}

/** What is not strict about a tsconfig.json. */
export function notStrict(config) {
  const { compilerOptions: options = {} } = config
  const weaker = Object.keys(options).filter((key) => /^(no|strict)[A-Z]/.test(key) && options[key] === false)
  return options.strict === true ? weaker : ['strict', ...weaker]
}

export function check(root) {
  const { config, error } = ts.parseConfigFileTextToJson('tsconfig.json', read(root, 'ts/tsconfig.json'))
  const problems = error ? [`ts/tsconfig.json: ${error.messageText}`] : []
  for (const option of notStrict(config ?? {})) problems.push(`ts/tsconfig.json: ${option} is off`)
  for (const workspace of CHECKED) {
    const { status, output } = run(root, 'npm', ['run', '--silent', 'typecheck', '--workspace', workspace])
    if (status) problems.push(...tail(output))
  }
  for (const path of DECLARATIONS) {
    for (const [line, text] of anyIn(read(root, path), path))
      problems.push(`${path}:${line}: any in a public type: ${text}`)
    for (const message of unresolved(root, path)) problems.push(`${path}: ${message}`)
  }
  return { problems, notes: [] }
}
