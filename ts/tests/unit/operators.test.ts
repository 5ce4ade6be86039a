/** docs/OPERATORS.md: each operator has a rule, a source, existing files, tests and measured costs. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { OPERATORS } from '../../../bench/lib/operators.mjs'
import { tableIn } from '../support/readme.js'

const root = new URL('../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const DOC = read('docs/OPERATORS.md')
const RULES = tableIn(DOC, 'Rules')
const SRC = 'pg_trickle_core/src/'

/** The names in backticks that match a pattern. */
const quoted = (cell: string, pattern: RegExp) =>
  [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '').filter((name) => pattern.test(name))

/** The files of the core that a cell names. One without a folder is next to the one before it. */
function filesIn(cell: string): string[] {
  let folder = ''
  return quoted(cell, /\.rs$|\/$/).map((name) => {
    const isWhole = name.slice(0, -1).includes('/')
    if (isWhole) folder = name.slice(0, name.indexOf('/') + 1)
    return SRC + (isWhole ? name : folder + name)
  })
}

describe('the rules of operators', () => {
  test('are in the table', () => {
    expect(RULES.length).toBeGreaterThan(20)
  })

  test.each(RULES)('of %s', (operator, rule, stored, source, tests) => {
    for (const cell of [rule, stored, source]) expect(cell).toMatch(/\w/)
    for (const path of filesIn(operator)) expect(existsSync(new URL(path, root)), path).toBe(true)
    const names = quoted(tests, /./)
    expect(names).not.toEqual([])
    const texts = names.map((name) => read(`ts/tests/${name}.test.ts`)).join('\n')
    // The tests contain the SQL keywords of the operator.
    for (const [word] of operator.replace(/\(`.*?\)/g, '').matchAll(/[A-Z]{2,}( (?=[A-Z]{2})[A-Z]+)*|\b\w+_\w+\b/g)) {
      expect(texts, word).toContain(word)
    }
  })
})

describe('the measured costs', () => {
  const measured = tableIn(DOC, 'Measured')

  test('exist for each query of the benchmark, in its order', () => {
    expect(measured.map(([number, name]) => [Number(number), name])).toEqual(
      OPERATORS.map(([number, name]) => [number, name]),
    )
  })

  test('exist for each operator', () => {
    expect([...new Set(measured.map(([number]) => Number(number)))]).toEqual(
      Array.from({ length: 25 }, (_, n) => n + 1),
    )
  })

  test.each(measured)('of %s %s do not grow', (_number, _name, _ways, small, large) => {
    expect(Number(small)).toBeGreaterThan(0)
    expect(Number(large)).toBeLessThanOrEqual(1.5 * Number(small) + 40)
  })
})
