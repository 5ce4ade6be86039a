/** The feed in SQL: `keep_changes` and `changes`. */
import { describe, expect, test } from 'vitest'
import { useFreshLab } from './support/use-lab.js'

const SUMS = 'SELECT k, sum(v) AS s FROM t GROUP BY k'

const lab = useFreshLab([
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int)',
  'INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)',
])

/** The changes after a number, each as a line. */
async function changes(name: string, rest = ''): Promise<string[]> {
  const rows = await lab.exec(
    `SELECT concat_ws(' ', seq, op, key, old, row) AS line FROM pgtrickle.changes('${name}'${rest})`,
  )
  return rows.map(({ line }) => String(line))
}

describe('changes', () => {
  test('are net for each transaction', async () => {
    await lab.create('sums', SUMS)
    expect(await lab.exec("SELECT pgtrickle.keep_changes('sums', retain => 10000) AS n")).toEqual([{ n: 0 }])
    await lab.run('INSERT INTO t VALUES (4, 1, 4), (5, 3, 5)')
    await lab.run('BEGIN; UPDATE t SET v = 10 WHERE id = 1; DELETE FROM t WHERE id = 3; UPDATE t SET v = 20 WHERE id = 1; COMMIT')
    expect(await changes('sums')).toEqual([])
    expect(await lab.exec("SELECT * FROM pgtrickle.changes('sums', snapshot => true)")).toEqual([])
  })
})
