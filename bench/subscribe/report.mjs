// Presents the figures: as text for a terminal, and as a section of docs/COMPARISON.md.

import { REFERENCE } from './contenders.mjs'

const GOAL = { than: 'live.incrementalQuery', ratio: 50, at: 100_000, growth: 1.3 }
const BEGIN = '<!-- measured: written by `npm run just -- subscribe --record` -->'
const END = '<!-- /measured -->'

const whole = (number) => number.toLocaleString('en-US')
const names = ({ lines }) => [...new Set(lines.map(({ name }) => name))]
const lineOf = ({ lines }, name, size) => lines.find((line) => line.name === name && line.size === size)

/** How many times as long as the reference it takes. */
const ratio = (figures, name, size) => lineOf(figures, name, size).median / lineOf(figures, REFERENCE, size).median

/** How much longer the reference takes with the largest table than with the smallest. */
function growth(figures) {
  const [first, last] = [Math.min(...figures.sizes), Math.max(...figures.sizes)]
  return lineOf(figures, REFERENCE, last).median / lineOf(figures, REFERENCE, first).median
}

/** Formats milliseconds with the significant digits. */
const milliseconds = (time) => (time < 10 ? time.toFixed(2) : time < 100 ? time.toFixed(1) : whole(Math.round(time)))

const times = (factor) => `${factor < 10 ? factor.toFixed(1) : whole(Math.round(factor))} x`

/** Describes what was measured. */
function setting({ environment: on, groups, rounds }) {
  return (
    `PGlite ${on.pglite} (PostgreSQL ${on.postgres}), pg_ivm ${on.pg_ivm}, @tanstack/db ${on['@tanstack/db']}, ` +
    `@rindle/wasm ${on['@rindle/wasm']}, Node ${on.node}, ${on.cpu}, ${on.cores} cores; ${whole(groups)} groups; medians of ${rounds} rounds`
  )
}

export function print(figures) {
  console.log(`${setting(figures)}\n\nms from change to callback (ms of CPU), by rows of the table\n`)
  const row = (name, cell) =>
    console.log([name.padEnd(24), ...figures.sizes.map((size) => cell(size).padStart(18))].join(''))
  row('', whole)
  for (const name of names(figures)) {
    row(name, (size) => {
      const { median, cpu, cut } = lineOf(figures, name, size)
      return cut ?? `${milliseconds(median)} (${milliseconds(cpu)})`
    })
  }
  console.log('\nratio to subscribe\n')
  for (const name of names(figures).filter((name) => name !== REFERENCE)) {
    row(name, (size) => (lineOf(figures, name, size).cut ? '' : times(ratio(figures, name, size))))
  }
  console.log('')
  if (figures.sizes.includes(GOAL.at)) {
    const reached = ratio(figures, GOAL.than, GOAL.at)
    console.log(
      `goal: ${GOAL.than} takes at least ${GOAL.ratio} x as long at ${whole(GOAL.at)} rows: ${times(reached)}`,
    )
  }
  console.log(
    `goal: the largest table takes at most ${GOAL.growth} x as long as the smallest: ${growth(figures).toFixed(2)} x`,
  )
}

/** The figures as a table, with a summary. */
export function markdown(figures) {
  const { sizes } = figures
  const row = (name, cell) => `| ${[name, ...sizes.map(cell)].join(' | ')} |`
  const compared = sizes.includes(GOAL.at) ? GOAL.at : Math.max(...sizes)
  const cuts = figures.lines.filter(({ cut }) => cut)
  return [
    row('', whole),
    `|---|${sizes.map(() => '---:|').join('')}`,
    ...names(figures).map((name) =>
      row(`\`${name}\``.replace(' + ', '` + `').replace(', count alone`', '`, count alone'), (size) => {
        const { median, cpu, cut } = lineOf(figures, name, size)
        return cut ? '–' : `${milliseconds(median)} (${milliseconds(cpu)})`
      }),
    ),
    '',
    `Milliseconds from a one-row change to the callback, with milliseconds of CPU time in brackets, by the number of rows. At ` +
      `${whole(compared)} rows \`${GOAL.than}\` takes ${times(ratio(figures, GOAL.than, compared))} as long as ` +
      `\`${REFERENCE}\`, which takes ${growth(figures).toFixed(2)} x as long at ${whole(Math.max(...sizes))} rows as at ` +
      `${whole(Math.min(...sizes))}.`,
    ...cuts.map(({ name, size, cut }) => `\`${name}\` at ${whole(size)} rows: ${cut}.`),
    '',
    `${setting(figures)}.`,
  ].join('\n')
}

/** Inserts the text between the two markers of the page. */
export function insertFigures(page, text) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`the page does not contain the markers ${BEGIN} and ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`
}
