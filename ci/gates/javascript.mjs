// prettier and eslint on everything that they understand.
import { join } from 'node:path'
import { ESLint } from 'eslint'
import * as prettier from 'prettier'
import { read, sources } from './files.mjs'

export const name = 'prettier, eslint'
const FORMATTED = /\.(ts|tsx|mjs|cjs|js|json)$/
const NOT_OURS = /(^|\/)package-lock\.json$/
const LINTED = /\.(ts|tsx|mjs|cjs|js)$/

/** What prettier looks after. */
export const formatted = (root) => sources(root, FORMATTED).filter((path) => !NOT_OURS.test(path))

export async function formatProblem(root, path, text) {
  const options = await prettier.resolveConfig(join(root, path))
  try {
    const right = await prettier.check(text, { ...options, filepath: path })
    return right ? undefined : `${path}: not formatted (npm run fmt)`
  } catch (error) {
    return `${path}: ${error.message}`
  }
}

export async function lintProblems(root, path, text) {
  const results = await new ESLint({ cwd: root }).lintText(text, { filePath: join(root, path) })
  return problemsOf(root, results)
}

const problemsOf = (root, results) =>
  results.flatMap(({ filePath, messages }) =>
    messages.map(({ line, message, ruleId }) => `${filePath.slice(root.length + 1)}:${line}: ${message} (${ruleId})`),
  )

export async function check(root) {
  const problems = []
  const paths = formatted(root)
  for (const path of paths) {
    const problem = await formatProblem(root, path, read(root, path))
    if (problem) problems.push(problem)
  }
  const linted = paths.filter((path) => LINTED.test(path))
  problems.push(...problemsOf(root, await new ESLint({ cwd: root }).lintFiles(linted)))
  return { problems, notes: [`${paths.length} files formatted, ${linted.length} linted`] }
}
