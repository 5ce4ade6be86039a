// Builds the Worker and runs it: npm start, then open the address in several windows. What was ordered is still there
// after a restart; remove the folder .workerd to begin anew.
import { join } from 'node:path'
import { bundleWorker } from './lib/build.mjs'
import { EXAMPLE, prepareModules } from './lib/prepare.mjs'
import { startWorkerd } from './lib/workerd.mjs'

prepareModules()
const bundle = await bundleWorker(join(EXAMPLE, 'src/worker.ts'))
const folder = join(EXAMPLE, '.workerd')
const { url, stop } = await startWorkerd({
  bundle,
  folder,
  port: Number(process.env.PORT ?? 8787),
  durableObject: 'Board',
})
console.log(`\nThe board is at ${url}`)
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop().then(() => process.exit(0)))
