/** docs/OPERATORS.md: each operator has a rule, a source, files that state theirs, tests and measured costs. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { OPERATORS } from '../../../bench/lib/operators.mjs'
import { tableIn } from '../support/readme.js'

const root = new URL('../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const DOC = read('docs/OPERATORS.md')
const RULES = tableIn(DOC, 'Rules')
const SRC = 'pg_trickle_core/src/'

/** The names in backticks that `pattern` accepts. */
const quoted = (cell: string, pattern: RegExp) =>
  [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '').filter((name) => pattern.test(name))

/** Files of the core that a cell names; one without a folder lies beside the one before. */
function filesIn(cell: string): string[] {
  let folder = ''
  return quoted(cell, /\.rs$|\/$/).map((name) => {
    const isWhole = /^(op|lower|stage)\//.test(name)
    if (isWhole) folder = name.slice(0, name.indexOf('/') + 1)
    return SRC + (isWhole ? name : folder + name)
  })
}

/** The comment at the head of a Rust file. */
const head = (path: string) => /^(\/\/!.*\n)+/.exec(read(path))?.[0] ?? ''

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

  const files = ['op/', 'lower/', 'lower/set_operation/'].flatMap((folder) =>
    readdirSync(new URL(SRC + folder, root))
      .filter((name) => name.endsWith('.rs'))
      .map((name) => SRC + folder + name),
  )
  const named = RULES.flatMap(([operator]) => filesIn(operator ?? '')).filter((path) => path.endsWith('.rs'))
  const operators = files.filter((path) => path.includes('/op/') && !/(mod|term)\.rs$/.test(path))

  test.each([...new Set([...named, ...operators])])('%s states rule, cost and source, or where they stand', (path) => {
    const text = head(path)
    const elsewhere = /(?:`|docs\/)(op\/\w+\.rs)/.exec(text)?.[1]
    const stated = text + (elsewhere === undefined ? '' : head(SRC + elsewhere))
    if (!path.includes('/stage/')) expect(stated).toMatch(/Cost: /)
    expect(stated).toMatch(/Source: |\b(19|20)\d\d\b/)
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
