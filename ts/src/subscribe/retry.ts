/** Retries. In a failed transaction every statement is refused until it ends, and PGlite has no event for its end. */
import { TrickleError } from '../errors.js'

/** Milliseconds before the first retry. Each further wait is twice as long, up to the longest. */
const FIRST_WAIT = 10
const LONGEST_WAIT = 1000

/** Runs a statement, and again for as long as a failed transaction refuses it and the caller still wants the result. */
export async function retryWhileAborted(run: () => Promise<unknown>, isWanted: () => boolean): Promise<void> {
  for (let wait = FIRST_WAIT; isWanted(); wait = Math.min(wait * 2, LONGEST_WAIT)) {
    try {
      await run()
      return
    } catch (error) {
      if (!isTransactionAborted(error)) throw error
      await sleep(wait)
    }
  }
}

/** Whether a statement was refused because its transaction had failed. A tab of the worker gets only the message. */
export function isTransactionAborted(error: unknown): boolean {
  const { code, message } = TrickleError.from(error)
  return code === '25P02' || message.startsWith('current transaction is aborted')
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer: unknown = setTimeout(resolve, milliseconds)
    // A transaction that is never ended must not keep a Node process alive.
    ;(timer as { unref?: () => void }).unref?.()
  })
}
