/** In a transaction that has failed nothing runs until it ends, and nobody tells of its end. */
import { TrickleError } from '../errors.js'

/** Milliseconds until a statement is tried again, and what they grow to. */
const FIRST_WAIT = 10
const LONGEST_WAIT = 1000

/** Does what needs a transaction that has not failed: again, as long as it is wanted, until the one that has is over. */
export async function patiently(run: () => Promise<unknown>, isWanted: () => boolean): Promise<void> {
  for (let wait = FIRST_WAIT; isWanted(); wait = Math.min(wait * 2, LONGEST_WAIT)) {
    try {
      await run()
      return
    } catch (error) {
      if (!isAborted(error)) throw error
      await pause(wait)
    }
  }
}

/** Whether the transaction has failed before. A tab of the worker is told the message of an error and nothing else. */
export function isAborted(error: unknown): boolean {
  const { code, message } = TrickleError.from(error)
  return code === '25P02' || message.startsWith('current transaction is aborted')
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => {
    const timer: unknown = setTimeout(done, milliseconds)
    // In Node, a transaction that nobody ends is no reason to live on.
    ;(timer as { unref?: () => void }).unref?.()
  })
}
