/**
 * PGlite with modules that were compiled beforehand: in the page, and in its service worker, from one script.
 * `pglite-under-test` and `prepared` are given by the build.
 */
// @ts-expect-error -- named by the build
import { PGlite } from 'pglite-under-test'
// @ts-expect-error -- named by the build
import { loadModules } from 'prepared/load.js'
import { trickle } from '../../../dist/index.js'
import { createStatic } from '../../../dist/static.js'
import type { StaticModules } from '../../../dist/static.js'
import type { Database } from '../../support/modules.js'
import { withoutCompiling } from '../../static/support/without-compiling.js'

/** What came of a database with a stream table. */
export interface Outcome {
  where: string
  evalRefused: boolean
  attempts: string[]
  codeGenerations: number
  sums: object[]
  verified: object
  told: number
}

function isEvalRefused(): boolean {
  try {
    return new Function('return false')() as boolean
  } catch {
    return true
  }
}

async function run(): Promise<Outcome> {
  const modules = (await (loadModules as () => Promise<StaticModules>)()) as StaticModules
  const { result, attempts } = await withoutCompiling(async () => {
    const create = (PGlite as { create: (options: object) => Promise<unknown> }).create.bind(PGlite)
    const pg = (await create(await createStatic({ modules, extensions: { trickle } }))) as Database & {
      static: { codeGenerations: number }
    }
    await pg.exec('CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2)')
    await pg.trickle.createStreamTable('sums', 'SELECT sum(v)::int AS s FROM t')
    let told = 0
    await pg.trickle.subscribe('sums', (changes) => void (told += changes.length), { initial: false })
    await pg.exec('INSERT INTO t VALUES (3, 39)')
    await pg.exec('DO $$ BEGIN PERFORM 1; END $$')
    await new Promise((done) => setTimeout(done, 100))
    const { rows } = await pg.query<object>('SELECT s FROM sums')
    const verified = await pg.trickle.verifyStreamTable('sums')
    const { codeGenerations } = pg.static
    await pg.close()
    return { sums: rows, verified, told, codeGenerations }
  })
  return { ...result, attempts, where: globalThis.constructor.name, evalRefused: isEvalRefused() }
}

if ('clients' in globalThis) {
  globalThis.addEventListener('message', (event) => {
    const [port] = (event as MessageEvent).ports
    const answer = (value: object) => port?.postMessage(value)
    const running = run().then(answer, (error: unknown) => answer({ error: String(error) }))
    ;(event as unknown as { waitUntil(work: Promise<unknown>): void }).waitUntil(running)
  })
} else {
  const inServiceWorker = async () => {
    const { active, installing, waiting } = await navigator.serviceWorker.register('/static.js', { type: 'module' })
    const worker = active ?? waiting ?? installing
    const { port1, port2 } = new MessageChannel()
    const answered = new Promise<Outcome>((done) => (port1.onmessage = ({ data }) => done(data as Outcome)))
    await navigator.serviceWorker.ready
    worker?.postMessage(0, [port2])
    return answered
  }
  Object.assign(globalThis, { run, inServiceWorker })
}

declare global {
  var run: () => Promise<Outcome>
  var inServiceWorker: () => Promise<Outcome>
}
