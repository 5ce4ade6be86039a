/** The report of a suite, as text. */
import type { Outcome } from './run.js'
import type { Result } from './worker.js'

const KINDS: [Result['kind'], string][] = [
  ['wrong', 'differ from their query'],
  ['failed change', 'make a change fail that the query would survive'],
  ['failed creation', 'cannot be created, though the query runs'],
  ['crash', 'end the process'],
  ['timeout', 'take too long'],
  ['refused', 'are refused'],
  ['rebuild', 'are rebuilt after each change'],
  ['free', 'have several results, and are not compared'],
]

export function report(pglite: string, outcomes: Outcome[]): string {
  const results = outcomes.flatMap(({ name, results }) => results.map((result) => ({ ...result, name })))
  const skipped = outcomes.reduce((sum, outcome) => sum + outcome.skipped, 0)
  const comparisons = results.reduce((sum, result) => sum + result.comparisons, 0)
  const lines = [
    `${pglite}: ${results.length} views, ${comparisons} comparisons; ${skipped} queries are none without stream tables`,
  ]
  for (const [kind, meaning] of KINDS) {
    const found = results.filter((result) => result.kind === kind)
    lines.push('', `${found.length} ${meaning}`)
    if (kind === 'free') continue
    const reasons = groupBy(found, ({ reason }) => (kind === 'refused' || kind === 'rebuild' ? (reason ?? '') : ''))
    for (const [reason, group] of [...reasons].sort(([, a], [, b]) => b.length - a.length)) {
      if (reason !== '') lines.push(`  ${String(group.length).padStart(4)}  ${reason}`)
      else lines.push(...group.flatMap(details))
    }
  }
  return lines.join('\n')
}

function details({ name, at, sql, reason, changes = [] }: Result & { name: string }): string[] {
  return [
    '',
    `  ${name}, statement ${at}: ${reason}`,
    ...sql.split('\n').map((line) => `    ${line}`),
    ...changes.map((change) => `    -- ${change}`),
  ]
}

function groupBy<T>(items: T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}
