// What stream tables take of PGlite's memory, and how many of them a heap holds.
//
//   node bench/memory.mjs                     bytes per stream table, by kind
//   node bench/memory.mjs --fill 64,128,256   until the guard fires, with so many MB above an empty database
//   node bench/memory.mjs --many 5000         so many at once, with 256 MB above an empty database
//   node bench/memory.mjs --fill 16 --only window [--at-most 5000] [--cap] [--json]
//
// --cap refuses PGlite memory above the limit, as a browser does that has no more.

import { parseArgs } from 'node:util'
import { open } from './lib/database.mjs'
import { environment } from './lib/environment.mjs'
import { KINDS, capMemory, cost, fill, many, megabytes } from './lib/memory.mjs'
import { printEnvironment } from './lib/report.mjs'

const { values: options } = parseArgs({
  options: {
    fill: { type: 'string' },
    many: { type: 'string' },
    only: { type: 'string' },
    'at-most': { type: 'string', default: '5000' },
    cap: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const kinds = KINDS.filter(({ name }) => !options.only || name === options.only)
const figures = []

const first = await open()
const machine = await environment(first)
await first.close()
if (!options.json) printEnvironment(machine)

if (options.many !== undefined) await atOnce(Number(options.many))
else if (options.fill === undefined) await costs()
else for (const room of options.fill.split(',').map(Number)) await ceilings(room)
if (options.json) console.log(JSON.stringify({ environment: machine, figures }, null, 2))

async function costs() {
  row('KB for each stream table', 'made', 'used', 'its plans', 'at rest', 'first use, ms')
  for (const kind of kinds) {
    const pg = await open()
    const { made, used, plans, rests, firstUse } = await cost(pg, kind, kind.name === '500 columns' ? 10 : 20)
    await pg.close()
    figures.push({ kind: kind.name, made, used, plans, rests, firstUse })
    row(kind.name, ...[made, used, plans, rests].map((bytes) => (bytes / 1024).toFixed(1)), firstUse.toFixed(1))
  }
}

async function atOnce(count) {
  const pg = await open()
  const log = (what) => process.stderr.write(`\r${what} `)
  const result = await many(pg, { count, room: 256 * 2 ** 20, log })
  process.stderr.write('\r')
  await pg.close()
  figures.push(result)
  const { used, creating, changing, compared } = result
  const each = (bytes) =>
    `${megabytes(bytes - used.start)} MB, ${((bytes - used.start) / count / 1024).toFixed(1)} KB each`
  row(`${count} stream tables, made`, each(used.made))
  row('most, while all are changed', each(used.most))
  row('at rest afterwards', each(used.rests))
  row('seconds for creating them', (creating.all / 1000).toFixed(0))
  row('ms, one of the first', creating.first.toFixed(1))
  row('ms, one of the last', creating.last.toFixed(1))
  row('ms, the first change of a table', changing.median.toFixed(0))
  row('ms, another change', changing.again.toFixed(0))
  row('equal to their queries', `${compared} of ${compared}`)
}

async function ceilings(room) {
  row(`${room} MB above an empty one`, 'ceiling', 'again', 'MB full', 'MB half', 'slowest, ms')
  for (const kind of kinds) {
    const pg = await open()
    let limit = Infinity
    const uncap = options.cap ? capMemory(() => limit) : () => {}
    try {
      const log = (made) => process.stderr.write(`\r${kind.name}: ${made} `)
      const settings = { room: room * 2 ** 20, atMost: Number(options['at-most']), log }
      limit = pg.Module.HEAPU8.length + settings.room
      const result = await fill(pg, kind, settings)
      process.stderr.write('\r')
      figures.push({ kind: kind.name, room, ...result })
      const more = result.isFull ? '' : 'more than '
      row(
        kind.name,
        `${more}${result.ceiling}`,
        result.again,
        megabytes(result.used.full),
        megabytes(result.used.dropped),
        result.slowest.toFixed(0),
      )
    } finally {
      uncap()
      await pg.close()
    }
  }
}

function row(name, ...cells) {
  if (!options.json) console.log(name.padEnd(32) + cells.map((cell) => String(cell).padStart(14)).join(''))
}
