/** A tab that receives what the leader relays. */
import { expect, test, vi } from 'vitest'
import { Tab } from '../../src/subscribe/relay.js'
import { eventually } from '../support/eventually.js'

/** A promise that the test settles. */
function deferred<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((...given) => ([resolve, reject] = given))
  return { promise, resolve, reject }
}

test('a leader that closes before it answers does not disturb the next one', async () => {
  const answers = [deferred<string>(), deferred<string>()]
  const findChannel = vi.fn(
    () => answers[findChannel.mock.calls.length - 1]?.promise ?? Promise.reject(new Error('queried again')),
  )
  const receive = vi.fn()
  const tab = new Tab('tab', { findChannel, receive, missed: vi.fn() })

  const first = tab.join(1)
  await eventually(() => expect(findChannel).toHaveBeenCalledTimes(1))
  tab.leave()
  const second = tab.join(1)
  await eventually(() => expect(findChannel).toHaveBeenCalledTimes(2))
  answers[1]?.resolve('relay-test')
  await second
  answers[0]?.reject(new Error('gone'))
  await expect(first).rejects.toThrow('gone')
  await tab.join(1)

  const leader = new BroadcastChannel('relay-test')
  leader.postMessage({ number: 1, bytes: new Uint8Array(1) })
  await eventually(() => expect(receive).toHaveBeenCalled())
  expect(receive).toHaveBeenCalledTimes(1)
  leader.close()
  tab.leave()
})
