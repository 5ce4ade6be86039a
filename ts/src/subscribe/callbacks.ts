/** Calls to an app's code. An error in it goes to the subscriber's `onError` and never disturbs the subscription. */
import { TrickleError } from '../errors.js'
import type { SubscribeOptions } from './types.js'

/** Runs a callback. If it throws, or its promise rejects, the error is reported and the subscription goes on. */
export function runCallback(name: string, options: SubscribeOptions, callback: () => unknown): void {
  const reportFailure = (thrown: unknown) => {
    const error = new TrickleError(`a subscriber of ${name} failed: ${String(thrown)}`, {
      streamTable: name,
      cause: thrown,
      hint: 'The subscription goes on; see cause.',
    })
    reportError(error, options)
  }
  try {
    const result = callback()
    if (isThenable(result)) result.then(undefined, reportFailure)
  } catch (thrown) {
    reportFailure(thrown)
  }
}

/** Passes an error to `onError`, or to the console where there is none. An error in `onError` goes to the console too. */
export function reportError(error: TrickleError, options: SubscribeOptions): void {
  try {
    const result: unknown = options.onError ? options.onError(error) : console.error(error)
    if (isThenable(result)) result.then(undefined, console.error)
  } catch (thrown) {
    console.error(thrown)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function'
}
