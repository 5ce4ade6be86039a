/** Memory that runs out: calls of `malloc` and `realloc` by the side module fail, or the heap cannot grow. */
import { withPatchedModule } from './patched-module.js'

type Allocate = (...sizes: number[]) => number

/** How many calls fail. */
export type Failures = 'one' | 'all'

/** Calls until the first one fails; none does when it is infinite. */
let left = Infinity
let failures: Failures = 'one'
let calls = 0
/** PGlite's own allocator. */
let allocate: Allocate = () => 0
let free: (address: number) => void = () => undefined

/** Lets the n-th allocation from now on fail, alone or with all after it, during `body`. Says whether it came to that. */
export async function failing(n: number, body: () => Promise<void>, which: Failures = 'one'): Promise<boolean> {
  left = n
  failures = which
  try {
    await body()
    return left <= 0
  } finally {
    left = Infinity
  }
}

/** How many allocations `body` makes. */
export async function counting(body: () => Promise<void>): Promise<number> {
  calls = 0
  await body()
  return calls
}

/** Leaves this many bytes of the heap free, which cannot grow, during `body`. Says whether it wanted to grow. */
export async function withFreeBytes(bytes: number, body: () => Promise<void>): Promise<boolean> {
  const kept = allocate(bytes)
  const grow = Object.getOwnPropertyDescriptor(WebAssembly.Memory.prototype, 'grow')
  let isRefused: boolean
  WebAssembly.Memory.prototype.grow = () => {
    isRefused = true
    throw new RangeError('the memory cannot grow: a test')
  }
  const ballast: number[] = []
  try {
    for (let size = 2 ** 26; size >= 64; size /= 2) {
      for (let block = allocate(size); block !== 0; block = allocate(size)) ballast.push(block)
    }
    free(kept)
    isRefused = false
    await body()
    return isRefused
  } finally {
    ballast.forEach((block) => free(block))
    if (grow) Object.defineProperty(WebAssembly.Memory.prototype, 'grow', grow)
  }
}

function counted(allocate: Allocate): Allocate {
  return (...sizes) => {
    calls += 1
    left -= 1
    return left === 0 || (left < 0 && failures === 'all') ? 0 : allocate(...sizes)
  }
}

/** While `body` runs, side modules of ours are instantiated with allocators that can fail. */
export function withFailingMemory<T>(body: () => Promise<T>): Promise<T> {
  const patch = (name: string, imported: unknown) => {
    if (name === 'malloc') allocate = imported as Allocate
    if (name === 'free') free = imported as typeof free
    return name === 'malloc' || name === 'realloc' ? counted(imported as Allocate) : imported
  }
  return withPatchedModule(patch, body)
}
