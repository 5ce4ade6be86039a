// The demo's text: quiet, and at most 80 columns wide.

const WIDTH = 80
const color = process.stdout.isTTY && !process.env.NO_COLOR
const paint = (code) => (text) => (color ? `\x1b[${code}m${text}\x1b[0m` : text)
const bold = paint(1)
const dim = paint(2)
const green = paint(32)
const red = paint(31)

const MEANING = {
  fold: 'folded: the change itself is added to the stored rows',
  rekey: 'rekeyed: the touched keys are computed again',
  rebuild: 'rebuilt at every change: exact, but no faster than the query',
}

export function printHeader({ pglite, postgres, pg_trickle, node, cpu, cores, flights, rounds }) {
  console.log(bold('Stream tables on real flights'))
  console.log(
    dim(
      `PGlite ${pglite} (PostgreSQL ${postgres}), pg_trickle ${pg_trickle}, Node ${node}\n${cpu}, ${cores} cores\n\n`,
    ) +
      `${number(flights)} flights and their airports, in two databases: one with stream tables,\n` +
      'one without. Times are in ms, medians of ' +
      `${rounds} rounds.\n\n` +
      dim(
        '  rows      of the stream table: + inserted, - deleted, ~ updated by the change\n' +
          '  without   the statement in PGlite as it comes\n' +
          '  with      the same statement, with the stream table kept equal to its query\n' +
          '  ratio     (without + running the query again) / with\n' +
          '  equal     stream table EXCEPT ALL query, both ways, is empty',
      ),
  )
}

export function printStreamTable({ name, about, query, way, rows, createMs, rerunMs, changes }) {
  console.log(`\n${rule(name, about)}\n`)
  console.log(dim(indent(query)))
  console.log(`\n  ${capital(MEANING[way] ?? way)}.`)
  console.log(
    `  ${count(rows, 'row')}, created in ${ms(createMs)} ms; running the query again takes ${ms(rerunMs)} ms.\n`,
  )
  print(
    ['change', 'rows', 'without', 'with', 'ratio', 'equal'],
    changes.map((line) => [
      line.change,
      delta(line),
      ms(line.withoutMs),
      ms(line.withMs),
      ratio(line.ratio),
      mark(line.equal),
    ]),
  )
  const example = changes.find((line) => line.sample)
  if (example) {
    console.log(dim(`\n  For example, "${example.change}":`))
    if (example.sample.before) console.log(dim(fit(`  - ${row(example.sample.before)}`)))
    if (example.sample.after) console.log(dim(fit(`  + ${row(example.sample.after)}`)))
  }
}

export function printTogether({ streamTables, rerunMs, changes }) {
  console.log(`\n${rule(`all ${streamTables.length} together`, 'each change maintains all of them')}\n`)
  console.log(`  Running all of the queries again takes ${ms(rerunMs)} ms.\n`)
  print(
    ['change', 'without', 'with', 'ratio', 'equal'],
    changes.map((line) => [line.change, ms(line.withoutMs), ms(line.withMs), ratio(line.ratio), mark(line.equal)]),
  )
}

/** A table whose first column is text and whose others are figures. */
function print(head, lines) {
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column].length)))
  const format = (line, style = (text) => text) => {
    const cells = line.map((cell, column) => {
      const padded = column === 0 ? cell.padEnd(Math.max(widths[0], 22)) : cell.padStart(Math.max(widths[column], 9))
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

function ratio(value) {
  return `${value < 10 ? value.toFixed(1) : number(Math.round(value))} x`
}
