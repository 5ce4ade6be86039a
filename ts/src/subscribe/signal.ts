/** Subscriptions that end by an AbortSignal, or with the block that `await using` is in. */
import { TrickleError } from '../errors.js'
import type { ChangeCallback, Unsubscribe } from './types.js'

/** SQLSTATE `query_canceled`. */
const CANCELED = '57014'

/** Subscribes until the signal is aborted. From then on the callback is not called any more. */
export async function abortable(
  name: string,
  signal: AbortSignal | undefined,
  callback: ChangeCallback,
  subscribe: (callback: ChangeCallback) => Promise<Unsubscribe>,
): Promise<Unsubscribe> {
  if (!signal) return subscribe(callback)
  if (signal.aborted) throw aborted(name, signal)
  let fail!: (error: TrickleError) => void
  const failed = new Promise<never>((_, reject) => (fail = reject))
  const subscribed = subscribe((changes, info) => (signal.aborted ? undefined : callback(changes, info)))
  const abort = () => {
    fail(aborted(name, signal))
    // Unsubscribing fails when the database has been closed, which has ended the subscription anyway.
    subscribed.then((end) => end()).catch(() => undefined)
  }
  signal.addEventListener('abort', abort, { once: true })
  const forget = () => signal.removeEventListener('abort', abort)
  try {
    const unsubscribe = await Promise.race([subscribed, failed])
    return disposable(() => {
      forget()
      return unsubscribe()
    })
  } catch (error) {
    forget()
    throw error
  }
}

function aborted(name: string, { reason }: AbortSignal): TrickleError {
  const message = `the subscription to ${name} was aborted`
  return new TrickleError(message, { code: CANCELED, streamTable: name, cause: reason })
}

/** Lets `await using` end a subscription, where JavaScript has that. */
export function disposable(end: () => Promise<void>): Unsubscribe {
  const unsubscribe = () => end()
  // Older browsers have no such symbol.
  const dispose = Symbol.asyncDispose as symbol | undefined
  if (dispose !== undefined) Object.defineProperty(unsubscribe, dispose, { value: unsubscribe })
  return unsubscribe as Unsubscribe
}
