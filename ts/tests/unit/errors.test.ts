import { describe, expect, test } from 'vitest'
import { TrickleError } from '../../src/errors.js'

describe('TrickleError.from', () => {
  test("keeps PostgreSQL's message, code and hint", () => {
    const cause = Object.assign(new Error('relation "x" does not exist'), { code: '42P01', hint: 'Make it.' })
    const error = TrickleError.from(cause, 'my_st')
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'TrickleError',
      message: 'relation "x" does not exist',
      code: '42P01',
      hint: 'Make it.',
    })
    expect(error).toMatchObject({ streamTable: 'my_st', fragment: undefined, cause })
  })

  test('takes the fragment from DETAIL', () => {
    const of = (detail: string) => TrickleError.from({ message: 'm', code: '0A000', detail }).fragment
    expect(of('Fragment: random()')).toBe('random()')
    expect(of('Called in a filter.\nFragment: a +\n  b')).toBe('a +\n  b')
    expect(of('No fragment here.')).toBeUndefined()
  })

  test('takes the fragment from the position in the query, counted in characters', () => {
    const of = (internalQuery: string, internalPosition: string) =>
      TrickleError.from({ message: 'm', internalQuery, internalPosition }).fragment
    expect(of('SELECT wrong FROM t', '8')).toBe('wrong FROM t')
    expect(of("SELECT '🐘', wrong", '13')).toBe('wrong')
    expect(of('SELECT 1', '0')).toBeUndefined()
    expect(of('SELECT 1', 'x')).toBeUndefined()
    expect(of('SELECT 1', '100')).toBeUndefined()
    expect(of(`SELECT ${'x'.repeat(500)}`, '8')?.length).toBeLessThanOrEqual(60)
  })

  test('wraps any thrown value', () => {
    expect(TrickleError.from('text')).toMatchObject({ message: 'text', code: 'XX000', cause: 'text' })
    expect(TrickleError.from(null)).toMatchObject({ message: 'null', cause: null })
    expect(TrickleError.from({ code: 42, message: '' })).toMatchObject({ code: 'XX000' })
    const error = new TrickleError('m')
    expect(TrickleError.from(error, 'other')).toBe(error)
  })

  test('has a name that identifies it in another realm, and shows its cause', () => {
    const error = TrickleError.from(new TypeError('inner'))
    expect(Object.prototype.toString.call(error)).toBe('[object Error]')
    expect(String(error)).toBe('TrickleError: inner')
    expect(error.cause).toBeInstanceOf(TypeError)
  })
})
