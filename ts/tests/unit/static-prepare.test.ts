/** What `pgtrickle-static prepare` does to bytes. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { librariesIn, readTable, withoutUnneeded } from '../../src/static/prepare/data.js'
import { withLeastMemory } from '../../src/static/prepare/memory.js'
import { typesFile } from '../../src/static/prepare/module-files.js'
import { throughTrampoline, trampolineBytes, TRAMPOLINES } from '../../src/static/trampoline.js'

const MIB = 1024 * 1024

describe('the memory that a module starts with', () => {
  /** (module (import "env" "memory" (memory 2048 32768))) */
  const MODULE = Uint8Array.from([
    ...[0, 97, 115, 109, 1, 0, 0, 0, 2, 19, 1, 3, 101, 110, 118, 6, 109, 101, 109, 111, 114, 121],
    ...[2, 1, 0x80, 0x10, 0x80, 0x80, 2],
  ])
  const instantiate = (module: Uint8Array, pages: number) =>
    new WebAssembly.Instance(new WebAssembly.Module(module as BufferSource), {
      env: { memory: new WebAssembly.Memory({ initial: pages, maximum: 32768 }) },
    })

  test('is what was asked for', () => {
    expect(() => instantiate(MODULE, 256)).toThrow(WebAssembly.LinkError)
    const changed = withLeastMemory(MODULE, 16 * MIB)
    expect(changed).toHaveLength(MODULE.length)
    instantiate(changed, 256)
    expect(() => instantiate(changed, 255)).toThrow(WebAssembly.LinkError)
  })

  test('cannot be changed in another module', () => {
    expect(() => withLeastMemory(trampolineBytes(1), 16 * MIB)).toThrow('does not import a memory')
    expect(() => withLeastMemory(MODULE, 2048 * MIB)).toThrow('more than')
  })
})

describe("PGlite's files", () => {
  const NAMES = ['/pglite/lib/postgresql/plpgsql.so', '/pglite/share/postgresql/postgres.bki']
  const OTHERS = ['/pglite/share/postgresql/system_views.sql', '/pglite/share/postgresql/timezonesets/Default']
  const table = [...NAMES, ...OTHERS, '/pglite/icu/root.res'].map((name, n) => ({
    name,
    start: 100 * n,
    end: 100 * n + 100,
  }))
  const data = new Uint8Array(500).fill(7)
  const kept = (icu: boolean) => {
    const left = withoutUnneeded(data, table, icu)
    return table.map(({ start, end }) => left.subarray(start, end).filter((byte) => byte === 7).length)
  }

  test('are read from its code', () => {
    const code = `x({"files":[{"filename":"/a","start":0,"end":5},{filename:"/b.so",start:5,end:9}],y:1})`
    expect(readTable(code)).toEqual([
      { name: '/a', start: 0, end: 5 },
      { name: '/b.so', start: 5, end: 9 },
    ])
  })

  test('lose what a database does not need, and keep their size', () => {
    expect(withoutUnneeded(data, table, false)).toHaveLength(500)
    expect(kept(false)).toEqual([0, 64, 0, 100, 0])
    expect(kept(true)).toEqual([0, 64, 0, 100, 100])
  })

  test('give their libraries', () => {
    expect([...librariesIn(data, table).keys()]).toEqual(['plpgsql'])
  })
})

describe('a trampoline', () => {
  const trampolines = Object.fromEntries(TRAMPOLINES.map((n) => [n, new WebAssembly.Module(trampolineBytes(n))]))

  test('is a function of WebAssembly, as a table takes it', () => {
    const table = new WebAssembly.Table({ initial: 1, element: 'anyfunc' })
    expect(() => table.set(0, (a: number) => a)).toThrow(TypeError)
    table.set(
      0,
      throughTrampoline(trampolines, (a) => (a ?? 0) + 1, 'pi'),
    )
    expect((table.get(0) as (a: number) => number)(41)).toBe(42)
    expect(throughTrampoline(trampolines, (a, b) => (a ?? 0) - (b ?? 0), 'ipi')(5, 3)).toBe(2)
  })

  test('is 32 or 33 bytes', () => {
    expect(TRAMPOLINES.map((n) => trampolineBytes(n).length)).toEqual([32, 33])
  })

  test('does not exist for other signatures', () => {
    for (const signature of ['i', 'iiii', 'vi', 'ij']) {
      expect(() => throughTrampoline(trampolines, () => 0, signature)).toThrow(`signature ${signature}`)
    }
  })
})

test('the example has the types of the modules before they are written', () => {
  const file = new URL('../../../examples/cloudflare-durable-object/pgtrickle-static/modules.d.ts', import.meta.url)
  expect(readFileSync(file, 'utf8')).toBe(typesFile())
})
