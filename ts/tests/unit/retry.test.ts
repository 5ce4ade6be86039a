/** Retries until a failed transaction has ended. */
import { describe, expect, it } from 'vitest'
import { retryWhileAborted } from '../../src/subscribe/retry.js'

const aborted = () => Object.assign(new Error('current transaction is aborted, …'), { code: '25P02' })
/** The same error as a tab of the worker gets it. */
const abortedInTab = () => new Error('current transaction is aborted, commands ignored until end of transaction block')

/** Fails with each of these errors in turn, and then succeeds. */
function failing(...errors: Error[]): { run: () => Promise<void>; calls: () => number } {
  let calls = 0
  const run = async () => {
    const error = errors[calls++]
    if (error) throw error
  }
  return { run, calls: () => calls }
}

describe('retryWhileAborted', () => {
  it('retries until the transaction has ended', async () => {
    const { run, calls } = failing(aborted(), abortedInTab(), aborted())
    await retryWhileAborted(run, () => true)
    expect(calls()).toBe(4)
  })

  it('stops when the result is no longer wanted', async () => {
    const { run, calls } = failing(aborted(), aborted(), aborted())
    await retryWhileAborted(run, () => calls() < 2)
    expect(calls()).toBe(2)
  })

  it('throws any other error', async () => {
    const { run, calls } = failing(aborted(), new Error('PGlite is closed'))
    await expect(retryWhileAborted(run, () => true)).rejects.toThrow('PGlite is closed')
    expect(calls()).toBe(2)
  })
})
