/** The form in which the extension hands over changes. */
import { describe, expect, it, vi } from 'vitest'
import { readRecords, readRow } from '../../src/subscribe/records.js'

describe('records', () => {
  it('consist of three fields each', () => {
    const bytes = new TextEncoder().encode('+12\0(1,ä)\0(1)\0E12\0\0me/1\0')
    expect(readRecords(bytes)).toEqual([
      { kind: 'insert', streamTable: 12, text: '(1,ä)', keyOrReader: '(1)' },
      { kind: 'snapshotEnd', streamTable: 12, text: '', keyOrReader: 'me/1' },
    ])
    expect(readRecords(new Uint8Array())).toEqual([])
  })

  it('are the same when they are read in pieces, each of which ends with a field', () => {
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
