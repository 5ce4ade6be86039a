/** The README that the package carries. */
import { readFileSync } from 'node:fs'
import { blocksIn } from '../../support/markdown.js'

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')

/** The first fenced block of a language. */
export function example(language: string): string {
  const code = blocksIn(README).find((block) => block.language === language)?.code
  if (code === undefined) throw new Error(`the README has no example in ${language}`)
  return code
}
