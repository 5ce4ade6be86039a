// The page and the plot of bench/wasm-native.mjs.

import { svg, text } from './svg.mjs'
import { median } from './stats.mjs'

const ratio = ({ wasm, native }) => wasm.cpu / native.cpu

/** The figures of both, for the shapes that both have. */
const compared = (lines) => lines.filter(({ wasm }) => wasm)

/** The page, in Markdown. */
export function page(result) {
  const { rows, rounds, changes, wasm, native, lines } = result
  const both = compared(lines)
  const streams = both.filter(({ shape }) => shape !== 'no stream table').map(ratio)
  const ivm = lines
    .filter(({ shape }) => shape.startsWith('pg_ivm'))
    .map((line) => {
      const ours = lines.find(({ shape, kind }) => kind === line.kind && line.shape.endsWith(shape))
      return { ...line, ours }
    })
  const micros = (value) => (value < 10 ? value.toFixed(1) : value.toFixed(0))
  const times = (value) => `${value.toFixed(value < 10 ? 2 : 0)} x`
  return `# WebAssembly and native PostgreSQL

The same sources make the module for PGlite and a native extension ([NATIVE.md](NATIVE.md)). This page compares what a change of
one row costs in both. \`just wasm-native --record\` measures it and writes this page and its plot.

![CPU time of a change of one row, in PGlite and natively](wasm-native.svg)

In WebAssembly, a change with a stream table takes **${times(median(streams))}** the CPU time that it takes natively
(${times(Math.min(...streams))} to ${times(Math.max(...streams))}).

| stream table | change | native, µs | PGlite, µs | PGlite / native |
|---|---|---|---|---|
${both.map((line) => `| ${line.shape} | ${line.kind} | ${micros(line.native.cpu)} | ${micros(line.wasm.cpu)} | ${times(ratio(line))} |`).join('\n')}

pg_ivm ${native.ivm} maintains two of these queries too. Natively, on the same server:

| query | change | this extension, µs | pg_ivm, µs | pg_ivm / this |
|---|---|---|---|---|
${ivm.map(({ shape, kind, native: theirs, ours }) => `| ${shape.replace('pg_ivm, ', '')} | ${kind} | ${micros(ours.native.cpu)} | ${micros(theirs.cpu)} | ${times(theirs.cpu / ours.native.cpu)} |`).join('\n')}

The figures include the statement itself: a parser, an executor, an index, as in the lines without a stream table.

## How it was measured

- Tables of ${rows.toLocaleString('en-US')} rows, ten of them in each group and partition, and trees of 100. One stream table in each schema.
- Each kind of change runs ${changes} times in a loop inside the database. PGlite and the server take turns for ${rounds} rounds; the figures are
  medians.
- CPU time is that of the backend alone, from \`/proc/../schedstat\`: of the process on the server, of the main thread of Node.js
  for PGlite, without the threads that compile WebAssembly. Wall time is in \`build/wasm-native.json\`; it says little where others
  use the machine.
- The server is PostgreSQL ${native.version}, with \`jit = off\`; the extension is that of \`just native\`. PGlite ${wasm.pglite} is PostgreSQL
  ${wasm.postgres}, in Node.js ${wasm.node}. ${wasm.cpu}, ${wasm.cores} cores.
- Neither writes to a disk: the server runs with \`fsync = off\`, PGlite in memory. The server has a lock to take once per transaction
  ([Several sessions](NATIVE.md#several-sessions)), which all changes of one loop share.
`
}

const WIDTH = 776
const LEFT = 190
const RIGHT = 70
const BAR = 11
const COLORS = { native: '#0072b2', wasm: '#d55e00', ivm: '#009e73' }

/** The bars of each kind of change, on a logarithmic axis. */
export function plot({ lines, wasm, native }) {
  const all = lines.flatMap((line) => [line.native.cpu, line.wasm?.cpu].filter(Boolean))
  const [low, high] = [Math.floor(Math.log10(Math.min(...all))), Math.ceil(Math.log10(Math.max(...all)))]
  const x = (value) => Math.round(LEFT + ((Math.log10(value) - low) / (high - low)) * (WIDTH - LEFT - RIGHT))
  const top = 84
  const parts = []
  let y = top
  let shape
  for (const line of compared(lines)) {
    if (line.shape !== shape) {
      y += shape ? 14 : 0
      shape = line.shape
      parts.push(text(16, y + 13, shape, 'font-weight="600"'))
    }
    const ivm = lines.find((other) => other.shape === `pg_ivm, ${shape}` && other.kind === line.kind)
    const bars = [['native', line.native.cpu], ['wasm', line.wasm.cpu], ...(ivm ? [['ivm', ivm.native.cpu]] : [])]
    parts.push(text(LEFT - 8, y + 13, line.kind, 'text-anchor="end" class="quiet"'))
    for (const [name, value] of bars) {
      parts.push(`<rect x="${LEFT}" y="${y}" width="${x(value) - LEFT}" height="${BAR - 2}" fill="${COLORS[name]}"/>`)
      parts.push(
        text(x(value) + 5, y + 8, value < 10 ? value.toFixed(1) : value.toFixed(0), 'font-size="10" class="quiet"'),
      )
      y += BAR
    }
    y += 6
  }
  const height = y + 52
  const axis = []
  for (let power = low; power <= high; power++) {
    axis.push(`<path class="grid" d="M${x(10 ** power)} ${top - 6}V${y}"/>`)
    axis.push(text(x(10 ** power), y + 16, (10 ** power).toLocaleString('en-US'), 'text-anchor="middle" class="quiet"'))
  }
  const legend = [
    ['native', 'native PostgreSQL'],
    ['wasm', 'PGlite'],
    ['ivm', 'native, pg_ivm'],
  ].map(
    ([name, label], n) =>
      `<rect x="${16 + n * 160}" y="42" width="11" height="11" fill="${COLORS[name]}"/>${text(33 + n * 160, 52, label)}`,
  )
  const source = `PostgreSQL ${native.version}, pg_ivm ${native.ivm}, PGlite ${wasm.pglite}, Node ${wasm.node}, ${wasm.cpu}.`
  return svg({
    width: WIDTH,
    height,
    title: 'Microseconds of CPU of a change of one row, natively, in PGlite, and with pg_ivm',
    parts: [
      text(16, 24, 'Microseconds of CPU of a change of one row', 'font-size="14" font-weight="600"'),
      ...legend,
      ...axis,
      ...parts,
      text(16, height - 12, source, 'class="quiet" font-size="11"'),
    ],
  })
}
