/** docs/OPERATORS.md: each operator has a rule, a source, files, tests and measured costs. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { OPERATORS } from '../../../bench/lib/operators.mjs'
import { tableIn } from '../support/markdown.js'

const root = new URL('../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const DOC = read('docs/OPERATORS.md')
const RULES = tableIn(DOC, 'Rules')
const SRC = 'pg_trickle_core/src/'

/** The names in backticks that `pattern` accepts. */
const quoted = (cell: string, pattern: RegExp) =>
  [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '').filter((name) => pattern.test(name))

/** Files and folders of the core that a cell names. */
const filesIn = (cell: string) => quoted(cell, /\.rs$|\/$/).map((name) => SRC + name)

describe('the rules of operators', () => {
  test('the table is there', () => {
    expect(RULES.length).toBeGreaterThan(20)
  })

  test.each(RULES)('of %s', (operator, rule, stored, source, tests) => {
    for (const cell of [rule, stored, source]) expect(cell).toMatch(/\w/)
    for (const path of filesIn(operator)) expect(existsSync(new URL(path, root)), path).toBe(true)
    const names = quoted(tests, /./)
    expect(names).not.toEqual([])
    const texts = names.map((name) => read(`ts/tests/${name}.test.ts`)).join('\n')
    // SQL words of the operator stand in its tests.
    for (const [word] of operator.replace(/\(`.*?\)/g, '').matchAll(/[A-Z]{2,}( (?=[A-Z]{2})[A-Z]+)*|\b\w+_\w+\b/g)) {
      expect(texts, word).toContain(word)
    }
  })

  test('name every operator of the core', () => {
    const named = RULES.flatMap(([operator]) => filesIn(operator ?? ''))
    const operators = readdirSync(new URL(`${SRC}operators/`, root)).filter((name) => name !== 'mod.rs')
    // A full refresh is what a query without a rule falls back to.
    const unnamed = operators.filter((name) => !named.some((path) => path.startsWith(`${SRC}operators/${name}`)))
    expect(unnamed).toEqual(['full_refresh.rs'])
  })
})

describe('the measured costs', () => {
  const measured = tableIn(DOC, 'Measured')

  test('are there for each query of the benchmark, in its order', () => {
    expect(measured.map(([number, name]) => [Number(number), name])).toEqual(
      OPERATORS.map(([number, name]) => [number, name]),
    )
  })

  test('are there for each operator', () => {
    expect([...new Set(measured.map(([number]) => Number(number)))]).toEqual(
      Array.from({ length: 25 }, (_, n) => n + 1),
    )
  })

  test.each(measured)('of %s %s do not grow', (_number, _name, _ways, small, large) => {
    expect(Number(small)).toBeGreaterThan(0)
    expect(Number(large)).toBeLessThanOrEqual(1.5 * Number(small) + 40)
  })
})
