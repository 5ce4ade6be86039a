/** The README that the package carries. */
import { readFileSync } from 'node:fs'
import { blocksOf } from '../../support/readme.js'

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')

/** The first fenced block of a language. */
export function example(language: string): string {
  const [code] = blocksOf(README, language)
  if (code === undefined) throw new Error(`the README has no example in ${language}`)
  return code
}
