/** A tab's worker in Node: first what PGlite's multi-tab worker expects from a browser, and then the worker itself. */
import { readFile } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { trickle } from '../../dist/index.js'
import { lockManager } from './locks.mjs'

const { module, dataDir, initial } = workerData
Object.defineProperty(globalThis, 'navigator', {
  value: { locks: lockManager(workerData.lockPort) },
  configurable: true,
})
globalThis.postMessage = (message) => parentPort.postMessage(message)
globalThis.addEventListener = (type, listener, options) => {
  if (type === 'message') parentPort[options?.once ? 'once' : 'on']('message', (data) => listener({ data }))
}
const [{ PGlite }, { worker }] = await Promise.all([import(module), import(`${module}/worker`)])
await worker({
  async init() {
    const loadDataDir = initial && new Blob([await readFile(initial)])
    return PGlite.create({ dataDir, ...(loadDataDir && { loadDataDir }), extensions: { trickle } })
  },
})
