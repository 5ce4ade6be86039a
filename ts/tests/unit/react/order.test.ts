/** The order of rows: parsing the definition of a view, and comparing values. */
import { describe, expect, test } from 'vitest'
import { comparison, orderOf } from '../../../src/view/order.js'
import type { Ordering } from '../../../src/view/order.js'

const kinds: Ordering['kinds'] = {
  id: 'number',
  total: 'number',
  'Avg "x"': 'number',
  name: 'text',
  at: 'date',
  box: 'none',
}
const view = (order: string) => ` SELECT id,\n    total\n   FROM pgtrickle.st_1 r0_1\n  ORDER BY ${order};`

describe('the ORDER BY of a definition', () => {
  test('is parsed with its directions and its NULLS FIRST or LAST', () => {
    expect(orderOf(view('total DESC, "Avg ""x""" NULLS FIRST, name DESC NULLS LAST, at'), kinds)).toEqual([
      { column: 'total', descending: true, nullsFirst: true },
      { column: 'Avg "x"', descending: false, nullsFirst: true },
      { column: 'name', descending: true, nullsFirst: false },
      { column: 'at', descending: false, nullsFirst: false },
    ])
  })

  test('may name the storage before each column', () => {
    expect(orderOf(view('r0_1.total DESC, r0_1.name'), kinds)).toEqual([
      { column: 'total', descending: true, nullsFirst: true },
      { column: 'name', descending: false, nullsFirst: false },
    ])
  })

  test.each([
    ['there is none', ' SELECT id\n   FROM pgtrickle.st_1 r0_1;'],
    ['it sorts by a hidden column', view('__pgt_o1, id')],
    ['it sorts by a type that JavaScript cannot order', view('box')],
    ['it names a collation', view('name COLLATE "de-x-icu"')],
    ['it names an operator', view('total USING >')],
    ['it sorts by an expression', view('(id + 1)')],
    ['it is of a subquery', ' SELECT id\n   FROM ( SELECT id\n           FROM a\n          ORDER BY id) s;'],
  ])('is unknown when %s', (_, definition) => {
    expect(orderOf(definition, kinds)).toEqual([])
  })
})

describe('comparison of', () => {
  const sorted = (values: unknown[], kind: Ordering['kinds'][string], direction: 'asc' | 'desc' = 'asc') => {
    const compare = comparison<Record<string, unknown>>([['v', direction]], { kinds: { v: kind }, order: [] })
    return values
      .map((v) => ({ v }))
      .sort(compare)
      .map(({ v }) => v)
  }

  test('numbers, and the text of numeric values, exactly', () => {
    expect(sorted(['10.5', '9', '-3', 'NaN', '-10', null, 'Infinity', '-Infinity'], 'number')).toEqual(
      ['-Infinity', '-10', '-3', '9', '10.5', 'Infinity', 'NaN', null], // prettier-ignore
    )
    const close = ['0.30000000000000000002', '0.30000000000000000001', '0.3', '0.300']
    expect(sorted(close, 'number')).toEqual(['0.3', '0.300', '0.30000000000000000001', '0.30000000000000000002'])
    expect(sorted(['-1.5', '-1.50000000000000000001'], 'number')).toEqual(['-1.50000000000000000001', '-1.5'])
    expect(sorted([9007199254740993n, 9007199254740992n, 5], 'number')).toEqual([
      5,
      9007199254740992n,
      9007199254740993n,
    ])
  })

  test('text, by code points as in PostgreSQL', () => {
    expect(sorted(['b', 'B', 'a', '', 'ab', '\u{1F600}', '\uFFFD'], 'text')).toEqual(
      ['', 'B', 'a', 'ab', 'b', '\uFFFD', '\u{1F600}'], // prettier-ignore
    )
  })

  test('dates and booleans, in both directions', () => {
    const [first, last] = [new Date(0), new Date(1)]
    expect(sorted([last, null, first], 'date')).toEqual([first, last, null])
    expect(sorted([true, null, false], 'boolean', 'desc')).toEqual([null, true, false])
  })

  test('nothing, when no order is known or requested', () => {
    expect(comparison(undefined, { kinds: {}, order: [] })).toBeUndefined()
  })
})
