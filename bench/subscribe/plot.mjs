// Draws the figures as SVG: time and CPU time of a one-row change by the number of rows, on logarithmic axes.

import { round, svg, text } from '../lib/svg.mjs'

const WIDTH = 776
const HEIGHT = 414
const TOP = 106
const PANEL = { width: 300, height: 244 }
const PANELS = [
  { title: 'Milliseconds from change to callback', figure: 'median', left: 56 },
  { title: 'Milliseconds of CPU', figure: 'cpu', left: 436 },
]

/** Colours that remain distinct for colour-blind readers, and marks that do without colour. */
const STYLES = [
  { color: '#0072b2', mark: 'M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z' },
  { color: '#d55e00', mark: 'M-4 -4h8v8h-8z' },
  { color: '#b8860b', mark: 'M0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z' },
  { color: '#009e73', mark: 'M0 -5l5 9h-10z' },
  { color: '#b0609a', mark: 'M0 5l5 -9h-10z' },
  { color: '#808080', mark: 'M-1.5 -5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z' },
]

const STYLE = `
.curve { fill: none; stroke-width: 2 }`

/** Returns the text of the SVG. */
export function plot(figures) {
  const lines = figures.lines.filter(({ cut }) => !cut)
  const names = [...new Set(lines.map(({ name }) => name))]
  const styles = new Map(names.map((name, n) => [name, STYLES[n % STYLES.length]]))
  const powers = powersAround(lines.flatMap(({ median, cpu }) => [median, cpu]))
  const { pglite, node, cpu } = figures.environment
  const [{ left }] = PANELS
  const parts = [
    text(left, 24, 'A change of one row under a count and a sum by group', 'font-size="14" font-weight="600"'),
    legend(styles),
    ...PANELS.map((panel) => drawPanel(panel, figures.sizes, powers, lines, styles)),
    text(left, HEIGHT - 12, `Medians, by rows of the table. PGlite ${pglite}, Node ${node}, ${cpu}.`, 'class="quiet"'),
  ]
  return svg({
    width: WIDTH,
    height: HEIGHT,
    title: `Time and CPU of a change of one row, by the number of rows: ${names.join(', ')}`,
    parts,
    style: STYLE,
  })
}

/** Draws one panel: the axes, and a curve for each contender. */
function drawPanel({ title, figure, left }, sizes, powers, lines, styles) {
  const x = (size) => left + share(Math.log10(size), sizes.map(Math.log10)) * PANEL.width
  const y = (value) => TOP + (1 - share(Math.log10(value), powers)) * PANEL.height
  const parts = [text(left, TOP - 14, title, 'font-weight="600"')]
  for (const power of powers) {
    const at = y(10 ** power)
    parts.push(`<path class="grid" d="M${left} ${round(at)}h${PANEL.width}"/>`)
    parts.push(text(left - 8, at + 4, (10 ** power).toLocaleString('en-US'), 'text-anchor="end" class="quiet"'))
  }
  for (const size of sizes) {
    const label = size.toLocaleString('en-US')
    parts.push(text(x(size), TOP + PANEL.height + 20, label, 'text-anchor="middle" class="quiet"'))
  }
  for (const [name, { color, mark }] of styles) {
    const points = lines.filter((line) => line.name === name).map((line) => [x(line.size), y(line[figure])].map(round))
    parts.push(`<polyline class="curve" stroke="${color}" points="${points.join(' ')}"/>`)
    for (const point of points) parts.push(drawMark(point, color, mark))
  }
  return parts.join('\n')
}

/** Draws the contenders side by side, spaced by the length of their names. */
function legend(styles) {
  let [at, top] = [PANELS[0].left, 42]
  return [...styles]
    .map(([name, { color, mark }]) => {
      const width = 38 + name.length * 6.6
      if (at + width > WIDTH) [at, top] = [PANELS[0].left, top + 18]
      const entry = `${drawMark([at + 5, top], color, mark)}${text(at + 16, top + 4, name, '')}`
      at += width
      return entry
    })
    .join('\n')
}

const drawMark = ([x, y], color, mark) => `<path transform="translate(${x} ${y})" fill="${color}" d="${mark}"/>`

/** The position of a value between the smallest and the largest, from 0 to 1. */
function share(value, all) {
  const [low, high] = [Math.min(...all), Math.max(...all)]
  return (value - low) / (high - low || 1)
}

/** The powers of ten that enclose all values. */
function powersAround(values) {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  return Array.from({ length: high - low + 1 }, (_, n) => low + n)
}
