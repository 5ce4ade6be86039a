/** Memory that runs out: of the side module's calls of `malloc` and `realloc`, one fails. */
import { withPatchedModule } from './patched-module.js'

type Allocate = (...sizes: number[]) => number

/** Calls until one fails; none does when it is infinite. */
let left = Infinity

/** Lets the n-th allocation from now on fail, during `body`. Says whether it came to that. */
export async function failing(n: number, body: () => Promise<void>): Promise<boolean> {
  left = n
  try {
    await body()
    return left <= 0
  } finally {
    left = Infinity
  }
}

function counted(allocate: Allocate): Allocate {
  return (...sizes) => (--left === 0 ? 0 : allocate(...sizes))
}

/** While `body` runs, side modules of ours are instantiated with allocators that can fail. */
export function withFailingMemory<T>(body: () => Promise<T>): Promise<T> {
  const patch = (name: string, imported: unknown) =>
    name === 'malloc' || name === 'realloc' ? counted(imported as Allocate) : imported
  return withPatchedModule(patch, body)
}
