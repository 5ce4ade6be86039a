// Prints the figures as text, 100 columns wide.

import { median } from '../lib/stats.mjs'

/** One line per query. */
export function printQueries(results) {
  line(['', 'table', 'stages', 'create ms', 'rerun ms', 'update ms', 'delete ms', 'insert ms', 'ratio', ''])
  for (const result of results) {
    if (result.error) {
      line([result.name, result.table, '', '', '', '', '', '', '', result.error])
      continue
    }
    const { name, table, ways, create, rerun, change, one, equal } = result
    line([
      name,
      table,
      ways.map((way) => SHORT[way]).join(' '),
      create.toFixed(0),
      rerun.toFixed(1),
      change.update.toFixed(2),
      change.delete.toFixed(2),
      change.insert.toFixed(2),
      `${(rerun / one).toFixed(1)} x`,
      equal ? '' : 'NOT EQUAL',
    ])
  }
  const right = results.filter((result) => !result.error)
  const ratios = right.map((result) => result.rerun / result.one)
  console.log(`\nStages: F fold, K rekey. The times of one-row changes are for the whole statement.`)
  console.log(`Median ratio over ${right.length} queries: ${median(ratios).toFixed(1)} x`)
  for (const { name, reasons } of right) {
    for (const reason of reasons) console.log(`${name} has a rebuild: ${reason}`)
  }
}

/** Prints what went wrong, if anything did. */
export function printChanges(results) {
  const wrong = results.flatMap((change) => change.wrong.map((failure) => ({ what: change.what, ...failure })))
  console.log('\nAfter each statement, every stream table was compared with its query.')
  for (const { what, query, error } of wrong) console.log(`  WRONG after ${what}: ${query}: ${error}`)
  const failed = results.filter((change) => change.wrong.length).length
  console.log(`tpch: ${results.length - failed} passed, ${failed} failed`)
}

const SHORT = { fold: 'F', rekey: 'K', rebuild: 'REBUILD' }
const WIDTHS = [4, 8, 22, 9, 8, 9, 9, 9, 8, 0]

function line(cells) {
  console.log(
    cells
      .map((cell, n) => (n < 3 ? cell.padEnd(WIDTHS[n]) : cell.padStart(WIDTHS[n])))
      .join(' ')
      .trimEnd(),
  )
}
