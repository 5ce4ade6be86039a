/** Ends the process when something takes too long: a loop inside of WebAssembly, which no timer of its thread can end. */
import { Worker } from 'node:worker_threads'

/** A busy machine lets the process wait: so much longer than in processor time may something take that makes no progress. */
const PATIENCE = 20

const WATCH = `
const { workerData: { beats, labels, limit } } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const [beat, label] = [new Int32Array(beats), new Uint8Array(labels)]
const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }
for (;;) {
  const seen = Atomics.load(beat, 0)
  const [cpu, wall] = [used(), Date.now()]
  while (Atomics.wait(beat, 0, seen, limit / 10) === 'timed-out') {
    if (used() - cpu < limit && Date.now() - wall < ${PATIENCE} * limit) continue
    writeSync(2, 'does not end: ' + Buffer.from(label.slice(0, Atomics.load(beat, 1))).toString() + '\\n')
    process.kill(process.pid, 'SIGKILL')
  }
}`

export class Watchdog {
  readonly #beat = new Int32Array(new SharedArrayBuffer(8))
  readonly #label = new Uint8Array(new SharedArrayBuffer(1000))
  readonly #worker: Worker

  /** `limit`: milliseconds of processor time from one beat to the next. */
  constructor(limit: number) {
    const workerData = { beats: this.#beat.buffer, labels: this.#label.buffer, limit }
    this.#worker = new Worker(WATCH, { eval: true, workerData })
    this.#worker.unref()
  }

  /** All is well; what begins now. */
  beat(label: string): void {
    const { written } = new TextEncoder().encodeInto(label, new Uint8Array(1000))
    this.#label.set(new TextEncoder().encode(label).subarray(0, 1000))
    Atomics.store(this.#beat, 1, written)
    Atomics.add(this.#beat, 0, 1)
    Atomics.notify(this.#beat, 0)
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}
