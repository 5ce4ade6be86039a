// Figures for docs/WORKERS.md: memory, start, requests, and how long a change takes to reach many pages.
//
//   npm run measure --workspace examples/cloudflare-durable-object
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundleWorker } from './lib/build.mjs'
import { order, watch } from './lib/client.mjs'
import { EXAMPLE, prepareModules } from './lib/prepare.mjs'
import { startWorkerd } from './lib/workerd.mjs'

const MIB = 1024 * 1024
const PAGES = 100
const ROWS = 20_000
const STARTS = 5
const REQUESTS = 200

let idleMemory = 0

const folder = await mkdtemp(join(tmpdir(), 'measure-'))
try {
  prepareModules()
  const bundle = await bundleWorker(join(EXAMPLE, 'src/worker.ts'))
  await upload(bundle)
  await idle(bundle)
  await measure(bundle)
} finally {
  await rm(folder, { recursive: true })
}

async function upload({ script, files }) {
  const contents = await Promise.all(files.map(({ path }) => readFile(path)))
  const packed = [script, ...contents].map((each) => gzipSync(each).length)
  say('upload, gzipped', packed.reduce((a, b) => a + b) / MIB, 'MiB')
}

/** The same Worker that has not been asked anything for its database. */
async function idle(bundle) {
  const server = await startWorkerd({ bundle, folder: join(folder, 'idle'), durableObject: 'Board' })
  await (await fetch(server.url)).text()
  idleMemory = await residentMemory(server)
  say('workerd with the Worker, idle', idleMemory, 'MiB of RSS')
  await server.stop()
}

async function measure(bundle) {
  const start = () => startWorkerd({ bundle, folder: join(folder, 'board'), durableObject: 'Board' })
  let server = await start()
  const first = await timed(() => state(server), server)
  say('first request, which writes the database', first.time, 'ms')
  say('  computing', first.computed, 'ms')
  const times = []
  let computed = 0
  for (let n = 0; n < STARTS; n++) {
    await server.stop()
    server = await start()
    await (await fetch(server.url)).text()
    const started = await timed(async () => (await fetch(`${server.url}/nothing`)).text(), server)
    times.push(started.time)
    computed += started.computed
  }
  spread(`first request of a new process, ${STARTS} times`, times)
  say('  computing, each', computed / STARTS, 'ms')

  for (let n = 0; n < ROWS; n += 1000) {
    const orders = Array.from({ length: 1000 }, (_, m) => n + m)
    await order(
      server.url,
      orders.map((m) => ({ product: 1 + (m % 3), city: `city ${m % 100}`, quantity: 1 + (m % 9) })),
    )
  }
  const { result } = await timed(() => state(server))
  say(`orders, in ${result.isVerified ? 'verified' : 'WRONG'} stream tables`, result.orders, '')
  say('compilations', result.codeGenerations, '')
  say('memory of WebAssembly', result.memory / MIB, 'MiB')
  say('RSS over idle', (await residentMemory(server)) - idleMemory, 'MiB')

  const posts = []
  const all = await timed(async () => {
    for (let n = 0; n < REQUESTS; n++) {
      posts.push((await timed(() => order(server.url, { product: 1, city: 'city 1', quantity: 1 }))).time)
    }
  }, server)
  spread(`an order, ${REQUESTS} times, with three stream tables`, posts)
  say('  computing, each', all.computed / REQUESTS, 'ms')

  const pages = await Promise.all(Array.from({ length: PAGES }, () => watch(server.url)))
  await Promise.all(pages.map((page) => page.until(({ snapshots }) => snapshots === 1)))
  const reached = []
  for (let n = 0; n < 50; n++) {
    const before = pages.map(({ messages }) => messages.length)
    const { time } = await timed(async () => {
      const ordered = order(server.url, { product: 2, city: 'city 2', quantity: 1 })
      await Promise.all(pages.map((page, i) => page.until(({ messages }) => messages.length >= before[i] + 2)))
      await ordered
    })
    reached.push(time)
  }
  spread(`an order, until ${PAGES} pages have its changes`, reached)
  say('RSS over idle, with all pages', (await residentMemory(server)) - idleMemory, 'MiB')
  await Promise.all(pages.map((page) => page.close()))
  await server.stop()
}

async function state({ url }) {
  return (await fetch(`${url}/state`)).json()
}

/** Wall time, and what workerd computed meanwhile: the second says more on a machine that is busy. */
async function timed(work, server) {
  const computed = server && (await processorTime(server))
  const start = performance.now()
  const result = await work()
  const time = performance.now() - start
  return { result, time, computed: server && (await processorTime(server)) - computed }
}

/** Of the thread that runs the Worker. Of Linux alone. */
async function processorTime({ process }) {
  const [running] = (await readFile(`/proc/${process.pid}/task/${process.pid}/schedstat`, 'utf8')).split(' ')
  return Number(running) / 1e6
}

/** Of Linux alone. */
async function residentMemory({ process }) {
  const status = await readFile(`/proc/${process.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

function say(what, value, unit) {
  console.log(`${what.padEnd(56)} ${value.toFixed(Number.isInteger(value) ? 0 : 1).padStart(8)} ${unit}`)
}

function spread(what, times) {
  const sorted = times.toSorted((a, b) => a - b)
  say(`${what}: median`, sorted[Math.floor(sorted.length / 2)], 'ms')
  say(`${' '.repeat(what.length)}  least`, sorted[0], 'ms')
}
