// Prints the figures as text, 80 columns wide.

const GOAL_HAND = 1.2
const GOAL_SCALE = 1.2

/** Prints the versions and the machine. */
export function printEnvironment(environment) {
  const { pglite, postgres, pg_trickle, node, cpu, cores, memoryGB, platform } = environment
  console.log(`PGlite ${pglite} (PostgreSQL ${postgres}), pg_trickle ${pg_trickle ?? 'not installed'}, Node ${node}`)
  console.log(`${cpu}, ${cores} cores, ${memoryGB} GB, ${platform}`)
}

/** Prints the result of one benchmark, as `benchmark` returns it. */
export function printResult(result) {
  const { options } = result
  console.log(`\n${result.title}\n`)
  console.log(indent(result.query))
  console.log(
    `\n  ${count(options.rows)} rows, ${count(options.groups)} groups. Medians of ${options.rounds} interleaved rounds.`,
  )

  console.log('\nInside the database: µs per statement, loops of ' + `${count(options.changes)} statements`)
  table(
    ['', 'no trigger', 'by hand', 'stream table', '/ by hand', 'goal'],
    result.inside.map((line) => [
      line.change,
      line.none.median.toFixed(1),
      line.hand.median.toFixed(1),
      line.stream.median.toFixed(1),
      times(line.streamToHand),
      line.goal ? `<= ${GOAL_HAND.toFixed(2)} x  ${met(line.streamToHand, GOAL_HAND)}` : '',
    ]),
  )

  console.log('\nFrom JavaScript: ms per pg.query; live: ms from the change to the callback')
  table(
    ['', 'no trigger', 'by hand', 'stream table', 'live', 'live / st'],
    result.javascript.map((line) => [
      line.change,
      line.none.median.toFixed(3),
      line.hand.median.toFixed(3),
      line.stream.median.toFixed(3),
      line.live.median.toFixed(1),
      times(line.liveToStream, 0),
    ]),
  )
  console.log(`  Running the query again takes ${result.rerun.median.toFixed(1)} ms.`)

  const sizes = options.sizes
  console.log('\nScaling: µs per statement inside the database, by source rows')
  table(
    ['', ...sizes.map(count), 'largest / smallest', 'goal'],
    result.scaling.flatMap((line) =>
      [
        ['stream', `${line.change}`],
        ['hand', '  by hand'],
        ['none', '  no trigger'],
      ].map(([variant, label]) => [
        label,
        ...sizes.map((rows) => line[variant].medians[rows].toFixed(1)),
        times(line[variant].growth),
        variant === 'stream' ? `<= ${GOAL_SCALE.toFixed(2)} x  ${met(line[variant].growth, GOAL_SCALE)}` : '',
      ]),
    ),
  )
  console.log(`  Stream tables and hand-written tables equal their query: ${result.equal ? 'yes' : 'NO'}`)
}

function table(head, lines) {
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column].length)))
  for (const line of [head, ...lines]) {
    const cells = line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
    console.log(`  ${cells.join('  ')}`.trimEnd())
  }
}

const count = (value) => value.toLocaleString('en-US')
const times = (ratio, digits = 2) => `${ratio.toFixed(digits)} x`
const met = (ratio, goal) => (ratio <= goal ? 'met' : 'not met')
const indent = (text) =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
