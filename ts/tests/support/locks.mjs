/** A stand-in for `navigator.locks` over threads: exclusive locks, in the order in which they were asked for. */
import { MessageChannel } from 'node:worker_threads'

/** Holds all locks, in the main thread. */
export class LockServer {
  #queues = new Map()

  /** A port for a client. Its locks are free again when it closes. */
  port() {
    const { port1, port2 } = new MessageChannel()
    const owner = {}
    port1.on('message', ({ ask, free, name }) => {
      if (ask !== undefined) this.#ask(name, { owner, port: port1, ask })
      else this.#free(name, (entry) => entry.owner === owner && entry.ask === free)
    })
    port1.on('close', () => {
      for (const name of [...this.#queues.keys()]) this.#free(name, (entry) => entry.owner === owner)
    })
    port1.unref()
    return port2
  }

  #ask(name, entry) {
    const queue = this.#queues.get(name) ?? []
    this.#queues.set(name, queue)
    queue.push(entry)
    if (queue.length === 1) entry.port.postMessage(entry.ask)
  }

  #free(name, isFreed) {
    const queue = this.#queues.get(name) ?? []
    const holder = queue[0]
    const left = queue.filter((entry) => !isFreed(entry))
    this.#queues.set(name, left)
    if (left[0] !== undefined && left[0] !== holder) left[0].port.postMessage(left[0].ask)
  }
}

/** `navigator.locks` of a client. */
export function lockManager(port) {
  const granted = new Map()
  let asked = 0
  port.on('message', (ask) => granted.get(ask)?.())
  port.unref()
  return {
    async request(name, callback) {
      const ask = ++asked
      port.ref()
      await new Promise((resolve) => {
        granted.set(ask, resolve)
        port.postMessage({ ask, name })
      })
      try {
        return await callback({ name })
      } finally {
        port.postMessage({ free: ask, name })
      }
    },
  }
}
