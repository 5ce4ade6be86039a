/** A process that is killed in the middle of a statement. */
import { createRequire } from 'node:module'

// The object that PGlite has, not a copy of its functions.
const fs = createRequire(import.meta.url)('node:fs') as typeof import('node:fs')

/**
 * Copies a data directory as it is before the n-th write to a file during `body`: what a process leaves that is killed
 * there, or after `body` if it does not come to that. The process goes on, since PGlite does not end at an exception.
 * Says whether it came to the n-th write.
 */
export async function leftAtWrite(n: number, from: string, to: string, body: () => Promise<unknown>): Promise<boolean> {
  const { writeSync } = fs
  let left = n
  const counted = (...args: Parameters<typeof writeSync>) => {
    left -= 1
    if (left === 0) fs.cpSync(from, to, { recursive: true })
    return writeSync(...args)
  }
  fs.writeSync = counted as typeof writeSync
  try {
    await body()
  } finally {
    fs.writeSync = writeSync
  }
  if (left > 0) fs.cpSync(from, to, { recursive: true })
  return left <= 0
}
