// The random testers on native servers, one run after the other, each with servers of its own and with further seeds:
//
//   fuzz-native.mjs [VITEST OPTION...]
//
//   MINUTES   new runs begin for so long; without it, there is one
//   ROUNDS    rounds of a run (80 of queries and 20 of statements if not given)
//   SEED      the first seed
//   MAJOR     17 or 18 (18)
//   PATIENCE  by how much everything may take longer: 20 under valgrind
//
// A failure does not end it. The last lines say what ran, and name the seeds that failed.
import { spawn } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ts = resolve(dirname(fileURLToPath(import.meta.url)), '../ts')
const { MINUTES = '0', ROUNDS = '80', MAJOR = '18' } = process.env
const first = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000))
const options = ['--project', `native${MAJOR}`, 'tests/random/', 'tests/random-statements', ...process.argv.slice(2)]

/** Runs both testers from a seed, shows what they print, and returns it. */
function run(seed) {
  const env = { ...process.env, NATIVE: '1', SEED: String(seed), ROUNDS }
  const child = spawn('npx', ['vitest', 'run', ...options], { cwd: ts, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data
      process.stdout.write(data)
    })
  }
  return new Promise((done) => child.on('close', (status) => done({ status, output })))
}

const totals = {}
const failed = []
const start = Date.now()
let seed = first
do {
  const { status, output } = await run(seed)
  if (status !== 0) failed.push(seed)
  for (const [, tester, json] of output.matchAll(/^(random.*), from seed \d+: (\{.*\})$/gm)) {
    totals[tester] ??= { rounds: 0 }
    totals[tester].rounds += Number(ROUNDS)
    for (const [what, count] of Object.entries(JSON.parse(json)))
      totals[tester][what] = (totals[tester][what] ?? 0) + count
  }
  seed += Number(ROUNDS)
} while (Date.now() - start < Number(MINUTES) * 60_000)

console.log(
  `\n${((Date.now() - start) / 60_000).toFixed(1)} minutes on PostgreSQL ${MAJOR}, seeds ${first} to ${seed - 1}`,
)
for (const [tester, total] of Object.entries(totals)) console.log(`${tester}: ${JSON.stringify(total)}`)
for (const each of failed) console.log(`FAILED: the run with SEED=${each} ROUNDS=${ROUNDS}`)
process.exit(failed.length ? 1 : 0)
