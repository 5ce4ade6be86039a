import { expect, test } from 'vitest'
import { readTar } from '../../src/tar.js'
import { tar } from './fixtures.js'

const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data)

test('returns names and contents of any length', () => {
  const exact = 'x'.repeat(512)
  const long = 'y'.repeat(1300)
  const entries = readTar(tar({ 'a.control': 'one', empty: '', 'lib/exact': exact, 'lib/long': long }))
  expect(entries?.map(({ name }) => name)).toEqual(['a.control', 'empty', 'lib/exact', 'lib/long'])
  expect(entries?.map(({ data }) => text(data))).toEqual(['one', '', exact, long])
})

test('returns undefined for anything that is not an archive', () => {
  expect(readTar(new Uint8Array())).toBeUndefined()
  expect(readTar(new Uint8Array(2048))).toBeUndefined()
  expect(readTar(new TextEncoder().encode('<!doctype html>'.repeat(100)))).toBeUndefined()
  expect(readTar(tar({ a: 'b' }).subarray(0, 300))).toBeUndefined()
})
