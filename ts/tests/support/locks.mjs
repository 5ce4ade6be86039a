/** A replacement for `navigator.locks` across threads: exclusive locks, granted in the order of their requests. */
import { MessageChannel } from 'node:worker_threads'

/** Manages all locks, in the main thread. */
export class LockServer {
  #queues = new Map()

  /** A port for a client. Closing it releases the client's locks. */
  port() {
    const { port1, port2 } = new MessageChannel()
    const owner = {}
    port1.on('message', ({ request, release, name }) => {
      if (request !== undefined) this.#request(name, { owner, port: port1, request })
      else this.#release(name, (entry) => entry.owner === owner && entry.request === release)
    })
    port1.on('close', () => {
      for (const name of [...this.#queues.keys()]) this.#release(name, (entry) => entry.owner === owner)
    })
    port1.unref()
    return port2
  }

  #request(name, entry) {
    const queue = this.#queues.get(name) ?? []
    this.#queues.set(name, queue)
    queue.push(entry)
    if (queue.length === 1) entry.port.postMessage(entry.request)
  }

  #release(name, isReleased) {
    const queue = this.#queues.get(name) ?? []
    const holder = queue[0]
    const remaining = queue.filter((entry) => !isReleased(entry))
    this.#queues.set(name, remaining)
    if (remaining[0] !== undefined && remaining[0] !== holder) remaining[0].port.postMessage(remaining[0].request)
  }
}

/** `navigator.locks` for a client. */
export function lockManager(port) {
  const granted = new Map()
  let requestCount = 0
  port.on('message', (id) => granted.get(id)?.())
  port.unref()
  return {
    async request(name, callback) {
      const id = ++requestCount
      port.ref()
      await new Promise((resolve) => {
        granted.set(id, resolve)
        port.postMessage({ request: id, name })
      })
      try {
        return await callback({ name })
      } finally {
        port.postMessage({ release: id, name })
      }
    },
  }
}
