/** The texts in which the extension hands over changes. */
import { describe, expect, it, vi } from 'vitest'
import { readRecords, readRow } from '../../src/subscribe/records.js'

describe('records', () => {
  it('are three texts each', () => {
    const bytes = new TextEncoder().encode('+12\0(1,ä)\0(1)\0E12\0\0me/1\0')
    expect(readRecords(bytes)).toEqual([
      { letter: '+', id: 12, text: '(1,ä)', text2: '(1)' },
      { letter: 'E', id: 12, text: '', text2: 'me/1' },
    ])
    expect(readRecords(new Uint8Array())).toEqual([])
  })

  it('are the same read in pieces, of which each ends with a text', () => {
    const bytes = new TextEncoder().encode('+12\0(1,äöü)\0(1)\0-12\0(,)\0\0E12\0\0me/1\0')
    const whole = readRecords(bytes)
    expect(whole).toHaveLength(3)
    const decode = vi.spyOn(TextDecoder.prototype, 'decode')
    expect(readRecords(bytes, 0)).toEqual(whole)
    expect(decode).toHaveBeenCalledTimes(9)
    decode.mockRestore()
    for (let piece = 1; piece <= bytes.length; piece++) expect(readRecords(bytes, piece), `${piece}`).toEqual(whole)
  })

  it.each<[string, (string | null)[]]>([
    ['(1,ab)', ['1', 'ab']],
    ['()', [null]],
    ['(,)', [null, null]],
    ['("")', ['']],
    ['("",,"")', ['', null, '']],
    ['("a,b",c)', ['a,b', 'c']],
    ['("a ""b""","\\\\x01")', ['a "b"', '\\x01']],
    ['(1,"("", ()")', ['1', '(", ()']],
    ['("{""a"": ""\\\\""""}",t)', ['{"a": "\\""}', 't']],
    ['("line\nfeed",)', ['line\nfeed', null]],
    ['(,"""")', [null, '"']],
  ])('rows: %s', (text, values) => {
    expect(readRow(text)).toEqual(values)
  })
})
