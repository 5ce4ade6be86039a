/** Waiting for the end of a transaction that has failed. */
import { describe, expect, it } from 'vitest'
import { patiently } from '../../src/subscribe/patiently.js'

const aborted = () => Object.assign(new Error('current transaction is aborted, …'), { code: '25P02' })
/** As a tab of the worker gets it. */
const messageOfIt = () => new Error('current transaction is aborted, commands ignored until end of transaction block')

/** Fails with these errors, one after the other, then no more. */
function failing(...errors: Error[]): { run: () => Promise<void>; calls: () => number } {
  let calls = 0
  const run = async () => {
    const error = errors[calls++]
    if (error) throw error
  }
  return { run, calls: () => calls }
}

describe('patiently', () => {
  it('tries again until the transaction is over', async () => {
    const { run, calls } = failing(aborted(), messageOfIt(), aborted())
    await patiently(run, () => true)
    expect(calls()).toBe(4)
  })

  it('no longer when it is not wanted any more', async () => {
    const { run, calls } = failing(aborted(), aborted(), aborted())
    await patiently(run, () => calls() < 2)
    expect(calls()).toBe(2)
  })

  it('and says what else is wrong', async () => {
    const { run, calls } = failing(aborted(), new Error('PGlite is closed'))
    await expect(patiently(run, () => true)).rejects.toThrow('PGlite is closed')
    expect(calls()).toBe(2)
  })
})
