// Draws the figures of bench/skew.mjs: for each size of a change, how many times as much each query costs as by hand.

import { escapeXml, svg, text } from './svg.mjs'

const WIDTH = 776
const LEFT = 104
const RIGHT = 24
const TOP = 84
/** Points of the same place lie above each other, this far apart. */
const STEP = 5
const COLORS = { cheap: '#0072b2', dear: '#d55e00' }
/** The axis, as powers of ten. */
const [LOW, HIGH] = [-3, 1]

const x = (ratio) =>
  LEFT + ((Math.log10(Math.min(10 ** HIGH, Math.max(10 ** LOW, ratio))) - LOW) / (HIGH - LOW)) * (WIDTH - LEFT - RIGHT)

/** Returns the text of the SVG. `rows` are `{ label, points: { name, ratio }[] }`, one for each size of a change. */
export function plot({ rows, limit, size, groups, environment }) {
  const parts = [
    text(
      16,
      24,
      'What a change costs, beside the query and storing the difference by hand',
      'font-size="14" font-weight="600"',
    ),
    text(
      16,
      46,
      `Each point is one query, by its most expensive kind of change; ${size.toLocaleString('en-US')} rows in ${groups} groups.`,
      'class="quiet"',
    ),
  ]
  let top = TOP
  const drawn = []
  for (const { label, points } of rows) {
    const columns = new Map()
    const marks = points
      .toSorted((a, b) => a.ratio - b.ratio)
      .map(({ name, ratio }) => {
        const column = Math.round(x(ratio) / STEP)
        const above = columns.get(column) ?? 0
        columns.set(column, above + 1)
        return { name, ratio, at: column * STEP, above }
      })
    const height = 26 + STEP * Math.max(...columns.values())
    const base = top + height - 12
    drawn.push(text(LEFT - 12, base + 3, label, 'text-anchor="end"'))
    drawn.push(`<path class="grid" d="M${LEFT} ${base + 5}H${WIDTH - RIGHT}"/>`)
    for (const { name, ratio, at, above } of marks) {
      const color = ratio > limit ? COLORS.dear : COLORS.cheap
      drawn.push(
        `<circle cx="${at}" cy="${base - above * STEP}" r="2.3" fill="${color}"><title>${escapeXml(name)}: ${ratio.toFixed(ratio < 0.1 ? 3 : 2)}</title></circle>`,
      )
    }
    top += height
  }
  for (let power = LOW; power <= HIGH; power++) {
    const at = x(10 ** power)
    parts.push(`<path class="grid" d="M${at} ${TOP - 8}V${top}"/>`)
    parts.push(
      text(at, TOP - 14, power === LOW ? `≤ ${10 ** power}` : 10 ** power, 'text-anchor="middle" class="quiet"'),
    )
  }
  parts.push(`<path stroke="${COLORS.dear}" stroke-dasharray="4 3" d="M${x(limit)} ${TOP - 8}V${top}"/>`)
  parts.push(text(x(limit) + 4, top + 14, `${limit} times`, `fill="${COLORS.dear}" font-size="11"`))
  const { pglite, node, cpu } = environment
  parts.push(
    ...drawn,
    text(16, top + 34, `CPU time. PGlite ${pglite}, Node ${node}, ${cpu}.`, 'class="quiet" font-size="11"'),
  )
  return svg({
    width: WIDTH,
    height: top + 46,
    title: 'CPU time of changes of several sizes, divided by that of the query and its difference stored by hand',
    parts,
  })
}
