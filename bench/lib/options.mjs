// Command-line options, which are the same for every benchmark.

import { parseArgs } from 'node:util'

const HELP = `Options
  --rows N        rows in the main comparison            (100000)
  --groups N      groups in the query                    (1000)
  --sizes A,B,..  rows in the scaling comparison         (10000,100000,1000000)
  --rounds N      interleaved rounds, over which medians are taken    (15)
  --changes N     statements per loop inside the database             (1000)
  --calls N       statements per round from JavaScript                (20)
  --nullable      columns without NOT NULL (group-by only)
  --quick         a small run: two sizes, few rounds
  --json          print the figures as JSON on stdout; progress goes to stderr
  --help`

const FULL = {
  rows: 100_000,
  groups: 1_000,
  sizes: [10_000, 100_000, 1_000_000],
  rounds: 15,
  warmup: 3,
  changes: 1_000,
  calls: 20,
  liveCalls: 2,
}
const QUICK = { ...FULL, sizes: [10_000, 100_000], rounds: 5, warmup: 1, changes: 500, calls: 10, liveCalls: 1 }

/** Parses `argv`. Prints the help and exits on --help or a wrong option. */
export function readOptions(argv = process.argv.slice(2)) {
  let values
  try {
    ;({ values } = parseArgs({
      args: argv,
      options: {
        rows: { type: 'string' },
        groups: { type: 'string' },
        sizes: { type: 'string' },
        rounds: { type: 'string' },
        changes: { type: 'string' },
        calls: { type: 'string' },
        nullable: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }))
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`)
    process.exit(2)
  }
  if (values.help) {
    console.log(HELP)
    process.exit(0)
  }

  const options = {
    ...(values.quick ? QUICK : FULL),
    json: values.json,
    quick: values.quick,
    nullable: values.nullable,
  }
  for (const name of ['rows', 'groups', 'rounds', 'changes', 'calls']) {
    if (values[name] !== undefined) options[name] = positive(name, values[name])
  }
  if (values.sizes !== undefined) options.sizes = values.sizes.split(',').map((size) => positive('sizes', size))
  // The main comparison is one of the sizes, so that one measurement serves both tables.
  options.sizes = [...new Set([...options.sizes, options.rows])].sort((a, b) => a - b)
  return options
}

function positive(name, text) {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) {
    console.error(`--${name}: "${text}" is not a positive whole number\n\n${HELP}`)
    process.exit(2)
  }
  return value
}
