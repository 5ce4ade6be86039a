/** What goes wrong in an app's callbacks goes to its `onError`, and no further. */
import { TrickleError } from '../errors.js'
import type { SubscribeOptions } from './types.js'

/** Calls back. What is thrown, or what a promise is rejected with, is told and ends nothing. */
export function contain(name: string, options: SubscribeOptions, call: () => unknown): void {
  const failed = (thrown: unknown) => {
    const error = new TrickleError(`a subscriber of ${name} failed: ${String(thrown)}`, {
      streamTable: name,
      cause: thrown,
      hint: 'The subscription goes on; see cause.',
    })
    report(error, options)
  }
  try {
    const answer = call()
    if (isThenable(answer)) answer.then(undefined, failed)
  } catch (thrown) {
    failed(thrown)
  }
}

/** Tells an error to a subscriber, whatever that does with it. */
export function report(error: TrickleError, options: SubscribeOptions): void {
  try {
    const answer: unknown = options.onError ? options.onError(error) : console.error(error)
    if (isThenable(answer)) answer.then(undefined, console.error)
  } catch (thrown) {
    console.error(thrown)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function'
}
