import { expect, test } from 'vitest'
import { unresolvedImports } from '../../src/imports.js'
import { wasm } from './fixtures.js'

const host = new Set(['SPI_connect', 'palloc', 'CurrentMemoryContext'])

test('lists the names that nobody provides, once each and sorted', () => {
  const module = wasm([
    { name: 'palloc' },
    { name: 'zzz' },
    { name: 'SPI_execute_snapshot' },
    { module: 'GOT.func', name: 'zzz' },
  ])
  expect(unresolvedImports(module, host)).toEqual(['SPI_execute_snapshot', 'zzz'])
})

test('reads every kind of import', () => {
  const module = wasm([
    { name: 'memory', kind: 'memory' },
    { name: '__indirect_function_table', kind: 'table' },
    { name: '__stack_pointer', kind: 'global' },
    { module: 'GOT.mem', name: 'CurrentMemoryContext', kind: 'global' },
    { name: 'an_exception', kind: 'tag' },
    { name: 'SPI_connect' },
    { name: 'last' },
  ])
  expect(unresolvedImports(module, host)).toEqual(['an_exception', 'last'])
})

test("a module's own exports, the linker's names and invoke_* are not missing", () => {
  const module = wasm(
    [{ module: 'GOT.func', name: 'own' }, { name: 'invoke_viii' }, { name: '__memory_base', kind: 'global' }],
    ['own'],
  )
  expect(unresolvedImports(module, host)).toEqual([])
})

test('long names and many imports', () => {
  const names = Array.from({ length: 300 }, (_, i) => ({ name: `n${i}`.padEnd(200, 'ü') }))
  expect(unresolvedImports(wasm(names), new Set(names.slice(1).map(({ name }) => name)))).toEqual([names[0]?.name])
})

test('agrees with WebAssembly itself', () => {
  const module = wasm([{ name: 'palloc' }, { name: 'memory', kind: 'memory' }, { name: 'other' }])
  const known = WebAssembly.Module.imports(new WebAssembly.Module(module)).map(({ name }) => name)
  expect(known).toEqual(['palloc', 'memory', 'other'])
  expect(unresolvedImports(module, new Set())).toEqual(['other', 'palloc'])
})
