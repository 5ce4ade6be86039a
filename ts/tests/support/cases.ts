/** Table-driven tests: some tables, some stream tables over them, statements, and the oracle after each. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Way } from '../../dist/index.js'
import { Lab } from './lab.js'
import type { Comparison } from './lab.js'
import { MAJOR } from './pglite.js'

/** A stream table that is compared in another way than the rest of its case. */
export interface View extends Comparison {
  query: string
}

export interface Case extends Comparison {
  name: string
  /** Statements before the stream tables are made. */
  setup: string[]
  /** Stream tables by name, in the order in which they are made. */
  views: Record<string, string | View>
  /** Statements after which everything must be equal. A leading `!` says that it must fail. */
  steps: string[]
  /** How each stream table must be maintained, where the test is about that; incremental is anything but rebuild. */
  way?: Way | 'incremental'
  /** The first PostgreSQL that has what the test needs. */
  since?: 18
}

/** Runs every case in a schema of its own, in one database. */
export function runCases(title: string, cases: Case[]): void {
  describe(title, () => {
    let lab: Lab
    let empty: Record<string, number>
    beforeAll(async () => {
      lab = await Lab.open()
      empty = await lab.inventory()
    })
    afterAll(() => lab?.close())
    for (const item of cases) {
      test.skipIf(MAJOR < (item.since ?? 0))(item.name, () => runCase(lab, item, empty))
    }
  })
}

async function runCase(lab: Lab, item: Case, empty: Record<string, number>): Promise<void> {
  lab.script.length = 0
  lab.watched.clear()
  await lab.exec('CREATE SCHEMA test; SET search_path = test, public')
  try {
    for (const sql of item.setup) await lab.exec(sql)
    for (const [name, view] of Object.entries(item.views)) {
      const { query, ...comparison } = typeof view === 'string' ? { query: view } : view
      lab.notices.length = 0
      await lab.create(name, query, { ...comparisonOf(item), ...comparison })
      await checkWay(lab, name, item.way)
    }
    for (const sql of item.steps) {
      if (sql.startsWith('!')) await lab.fails(sql.slice(1))
      else await lab.run(sql)
    }
    await lab.checkRefresh()
  } finally {
    lab.watched.clear()
    // After a failed test the transaction may still be open.
    await lab.exec('ROLLBACK')
    await lab.exec('RESET ALL; DROP SCHEMA test CASCADE')
  }
  expect(await lab.inventory(), 'left behind after DROP SCHEMA CASCADE').toEqual(empty)
}

function comparisonOf({ compare, freeSpelling, ordered, frozen }: Comparison): Comparison {
  return {
    ...(compare !== undefined && { compare }),
    ...(freeSpelling && { freeSpelling }),
    ...(ordered && { ordered }),
    ...(frozen && { frozen }),
  }
}

/** The way is the expected one; and what is not incremental is said, not hidden. */
async function checkWay(lab: Lab, name: string, expected: Case['way']): Promise<void> {
  const { way, reason } = await lab.pg.trickle.explainStreamTable(name)
  if (expected === 'incremental') expect(way, `way of ${name}: ${reason}`).not.toBe('rebuild')
  else if (expected !== undefined) expect(way, `way of ${name}: ${reason}`).toBe(expected)
  const told = lab.notices.filter((notice) => notice.includes(unquoted(name)))
  if (way === 'rebuild') {
    expect(reason, `reason of ${name}`).toBeTruthy()
    expect(told, `notices about ${name}`).toHaveLength(1)
    expect(told[0], `notice about ${name}`).toContain(reason)
  } else {
    expect(told, `notices about ${name}`).toEqual([])
  }
}

function unquoted(name: string): string {
  return name.replaceAll('"', '')
}
