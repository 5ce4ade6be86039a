/** Table-driven tests: tables, stream tables over them, and statements, each of them followed by the oracle. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Way } from '../../dist/index.js'
import type { Comparison, Lab } from './lab.js'
import { MAJOR } from './pglite.js'
import { useLab } from './use-lab.js'

/** A stream table that is not compared in the same way as the rest of its case. */
export interface View extends Comparison {
  query: string
}

export interface Case extends Comparison {
  name: string
  /** Statements that run before the stream tables are created. */
  setup: string[]
  /** Stream tables by name, in the order in which they are created. */
  views: Record<string, string | View>
  /** Statements, after each of which the oracle runs. A leading `!` marks one that must fail. */
  steps: string[]
  /** How each stream table must be maintained, if the test is about that. `incremental` is anything but a rebuild. */
  way?: Way | 'incremental'
  /** The first PostgreSQL version that has what the test needs. */
  since?: 18
}

/** Runs every case in a schema of its own, in one database. */
export function runCases(title: string, cases: Case[]): void {
  describe(title, () => {
    const lab = useLab()
    let empty: Record<string, number>
    beforeAll(async () => {
      empty = await lab.inventory()
    })
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
    // A failed test may have left its transaction open.
    await lab.exec('ROLLBACK')
    await lab.exec('RESET ALL; DROP SCHEMA test CASCADE')
  }
  expect(await lab.inventory(), 'left behind after DROP SCHEMA CASCADE').toEqual(empty)
}

function comparisonOf({ compare, freeSpelling, ordered, frozen, preAggregate }: Comparison): Comparison {
  return {
    ...(compare !== undefined && { compare }),
    ...(freeSpelling && { freeSpelling }),
    ...(ordered && { ordered }),
    ...(frozen && { frozen }),
    ...(preAggregate !== undefined && { preAggregate }),
  }
}

/** Checks the way, and that a notice announces any rebuild. */
async function checkWay(lab: Lab, name: string, expected: Case['way']): Promise<void> {
  const { way, reason } = await lab.pg.trickle.explainStreamTable(name)
  if (expected === 'incremental') expect(way, `way of ${name}: ${reason}`).not.toBe('rebuild')
  else if (expected !== undefined) expect(way, `way of ${name}: ${reason}`).toBe(expected)
  const notices = lab.notices.filter((notice) => notice.includes(unquoted(name)))
  if (way === 'rebuild') {
    expect(reason, `reason of ${name}`).toBeTruthy()
    expect(notices, `notices about ${name}`).toHaveLength(1)
    expect(notices[0], `notice about ${name}`).toContain(reason)
  } else {
    expect(notices, `notices about ${name}`).toEqual([])
  }
}

function unquoted(name: string): string {
  return name.replaceAll('"', '')
}
