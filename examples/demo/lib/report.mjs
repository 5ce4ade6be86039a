// Prints the demo's text, at most 80 columns wide.

const WIDTH = 80
const color = process.stdout.isTTY && !process.env.NO_COLOR
const paint = (code) => (text) => (color ? `\x1b[${code}m${text}\x1b[0m` : text)
const bold = paint(1)
const dim = paint(2)
const green = paint(32)
const red = paint(31)

const MEANING = {
  fold: () => 'the change is applied to the stored result',
  rekey: () => 'only the affected keys are recomputed',
  rebuild: (reason) => `the query runs again, because of\n  ${reason}`,
}

export function printHeader({ pglite, postgres, pg_trickle, node, cpu, cores, flights, airports }) {
  console.log(bold('Stream tables on real flights'))
  console.log(
    dim(
      `PGlite ${pglite} (PostgreSQL ${postgres}), pg_trickle ${pg_trickle}, Node ${node}\n` +
        fit(`${cpu}, ${count(cores, 'core')}`),
    ),
  )
  console.log(
    `\n${number(flights)} flights and ${number(airports)} airports, in two databases: one with stream tables,\n` +
      'one without. Times are in ms, medians of all rounds.\n\n' +
      dim(
        '  rows      + inserted, - deleted, ~ updated in the stream table by the change\n' +
          '  without   the statement without stream tables\n' +
          '  with      the same statement, which also keeps the stream table up to date\n' +
          '  re-run    running the query again\n' +
          '  ratio     (without + re-run) / with: how many times faster\n' +
          '  equal     the stream table equals its query (EXCEPT ALL both ways is empty)',
      ),
  )
}

/** Prints the heading of a stream table, before its figures are measured. */
export function printStreamTable({ name, about, query, way, reason, rows, createMs }) {
  console.log(`\n${rule(name, about)}\n`)
  console.log(dim(indent(query)))
  console.log(`\n  ${capital(way)}: ${MEANING[way](reason)}.`)
  console.log(`  ${count(rows, 'row')}, created in ${ms(createMs)} ms.\n`)
}

export function printChanges({ rounds, changes }) {
  print(
    ['change', 'rows', ...FIGURES],
    changes.map((line) => [line.change, delta(line), ...figures(line)]),
  )
  const example = changes.find((line) => line.sample)
  if (example) {
    console.log(dim(`\n  What "${example.change}" did:`))
    if (example.sample.before) console.log(dim(fit(`  - ${row(example.sample.before)}`)))
    if (example.sample.after) console.log(dim(fit(`  + ${row(example.sample.after)}`)))
  }
  console.log(dim(`\n  ${count(rounds, 'round')}.`))
}

export function printTogether({ streamTables, rounds, changes }) {
  const title = `${streamTables.length} at once`
  console.log(`\n${rule(title, 'all that are maintained incrementally')}\n`)
  console.log('  Each change updates all of them; "re-run" runs all of their queries.\n')
  print(
    ['change', ...FIGURES],
    changes.map((line) => [line.change, ...figures(line)]),
  )
  console.log(dim(`\n  ${count(rounds, 'round')}.`))
}

export function printEnd({ equal, comparisons, seconds }) {
  const result = equal
    ? green(`In all ${comparisons} comparisons, the stream table equalled its query.`)
    : red('A stream table did NOT equal its query.')
  console.log(`\n${result} ${dim(`(${seconds.toFixed(0)} s)`)}`)
}

const FIGURES = ['without', 'with', 're-run', 'ratio', 'equal']

function figures({ withoutMs, withMs, rerunMs, ratio, equal }) {
  return [ms(withoutMs), ms(withMs), ms(rerunMs), times(ratio), mark(equal)]
}

/** Prints a table with text in the first column and figures in the others. */
function print(head, lines) {
  const least = (column) => (column === 0 ? 18 : head[column] === 'rows' ? 11 : 7)
  const widths = head.map((_, column) =>
    Math.max(least(column), ...[head, ...lines].map((line) => line[column].length)),
  )
  const format = (line, style = (text) => text) => {
    const cells = line.map((cell, column) => {
      const padded = column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])
      return cell === 'yes' ? green(padded) : cell === 'NO' ? red(padded) : style(padded)
    })
    return `  ${cells.join('  ')}`
  }
  console.log(format(head, dim))
  for (const line of lines) console.log(format(line))
}

function delta({ inserted, deleted, updated }) {
  const parts = [
    [inserted, '+'],
    [deleted, '-'],
    [updated, '~'],
  ].filter(([amount]) => amount > 0)
  return parts.length ? parts.map(([amount, sign]) => `${sign}${amount}`).join(' ') : 'none'
}

function rule(title, about) {
  const text = `── ${title}: ${about} `
  return bold(text) + dim('─'.repeat(Math.max(0, WIDTH - text.length)))
}

function row(values) {
  return Object.values(values)
    .map((value) =>
      value instanceof Date ? value.toISOString().slice(0, 16).replace('T', ' ') : value === null ? 'NULL' : value,
    )
    .join(' | ')
}

const fit = (text) => (text.length <= WIDTH ? text : `${text.slice(0, WIDTH - 1)}…`)
const number = (value) => value.toLocaleString('en-US')
const count = (value, noun) => `${number(value)} ${noun}${value === 1 ? '' : 's'}`
const capital = (text) => text[0].toUpperCase() + text.slice(1)
const mark = (equal) => (equal ? 'yes' : 'NO')
const indent = (text) =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')

function ms(value) {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : number(Math.round(value))
}

function times(value) {
  return `${value < 10 ? value.toFixed(1) : number(Math.round(value))} x`
}
