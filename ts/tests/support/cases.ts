/** Table-driven tests: some tables, some stream tables over them, statements, and the oracle after each. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Way } from '../../dist/index.js'
import { Lab } from './lab.js'

export interface Case {
  name: string
  /** Statements before the stream tables are made. */
  setup: string[]
  /** Stream tables, in the order in which they are made. */
  views: Record<string, string>
  /** Statements after which everything must be equal. A leading `!` says that it must fail. */
  steps: string[]
  /** How each stream table must be maintained, where the test is about that. */
  way?: Way
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
    test.each(cases)('$name', (item) => runCase(lab, item, empty))
  })
}

async function runCase(lab: Lab, item: Case, empty: Record<string, number>): Promise<void> {
  lab.script.length = 0
  lab.notices.length = 0
  lab.watched.clear()
  await lab.exec('CREATE SCHEMA test; SET search_path = test, public')
  try {
    for (const sql of item.setup) await lab.exec(sql)
    for (const [name, query] of Object.entries(item.views)) {
      await lab.create(name, query)
      await checkWay(lab, name, item.way)
    }
    for (const sql of item.steps) {
      if (sql.startsWith('!')) await lab.fails(sql.slice(1))
      else await lab.run(sql)
    }
    for (const name of lab.watched.keys()) {
      const changed = await lab.pg.trickle.refreshStreamTable(name)
      expect(changed, `refresh of ${name}`).toEqual({ inserted: 0, deleted: 0, updated: 0 })
    }
  } finally {
    lab.watched.clear()
    // After a failed test the transaction may still be open.
    await lab.exec('ROLLBACK')
    await lab.exec('RESET ALL; DROP SCHEMA test CASCADE')
  }
  expect(await lab.inventory(), 'left behind after DROP SCHEMA CASCADE').toEqual(empty)
}

async function checkWay(lab: Lab, name: string, way: Way | undefined): Promise<void> {
  if (way === undefined) return
  const plan = await lab.pg.trickle.explainStreamTable(name)
  expect(plan.way, `way of ${name}: ${plan.reason}`).toBe(way)
  if (way !== 'rebuild') return
  // What is not incremental is said, not hidden.
  expect(plan.reason, `reason of ${name}`).toBeTruthy()
  expect(lab.notices.join('\n'), `notice for ${name}`).toContain(name)
}
