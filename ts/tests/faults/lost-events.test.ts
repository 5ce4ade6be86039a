/** Memory runs out where PostgreSQL accepts no error: what was lost is told as soon as it can be. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { failing, withFailingMemory } from '../support/failing-memory.js'
import { Lab } from '../support/lab.js'
import { eventually } from '../support/eventually.js'

let lab: Lab

beforeAll(async () => {
  lab = await withFailingMemory(async () => {
    const opened = new Lab()
    await opened.open()
    return opened
  })
  await lab.exec('CREATE TABLE t (id int PRIMARY KEY, k int, v int); CREATE TABLE plain (v int)')
  await lab.exec('INSERT INTO t SELECT n, n % 3, n FROM generate_series(1, 9) n; INSERT INTO plain VALUES (1), (1)')
  await lab.create('sums', 'SELECT k, count(*) AS n, sum(v) AS s FROM t GROUP BY k')
  await lab.create('joined', 'SELECT t.id, p.v FROM t JOIN plain p ON p.v = t.k')
})
afterAll(() => lab?.close())
beforeEach(() => lab.exec('ROLLBACK'))

const OUT_OF_MEMORY = '53200'

describe('a savepoint that was not seen', () => {
  // As many as there is room for: maintenance has made subtransactions too.
  const others = Array.from({ length: 8 }, (_, n) => `SAVEPOINT other_${n}`)
  const script = (n: number) => [
    'BEGIN',
    `INSERT INTO t VALUES (${1000 + n}, 1, 1)`,
    ...others,
    'SAVEPOINT a',
    `INSERT INTO t VALUES (${2000 + n}, 1, 1)`,
    'SAVEPOINT b',
    'DELETE FROM t WHERE id = 1',
    'ROLLBACK TO b',
    'RELEASE a',
  ]

  test.each(['SAVEPOINT a', 'SAVEPOINT b', 'ROLLBACK TO b', 'RELEASE a'])('%s', async (savepoint) => {
    for (let n = 1; n < 6; n++) {
      let came = false
      const errors: string[] = []
      const note = (error: { code?: string; message: string }) => errors.push(error.code ?? error.message)
      for (const sql of script(n)) {
        if (sql !== savepoint) await lab.exec(sql).catch(note)
        else came = await failing(n, () => lab.exec(sql).then(() => undefined, note as never))
      }
      // Either nothing was lost, or the transaction says so: at the next change, or when it is to commit.
      await lab.exec('COMMIT').catch(note)
      await lab.exec('ROLLBACK')
      const [first] = errors
      if (first !== undefined) expect(first).toBe(OUT_OF_MEMORY)
      const { rows } = await lab.pg.query(`SELECT id FROM t WHERE id IN (${1000 + n}, ${2000 + n}, 1)`)
      expect(rows).toHaveLength(first === undefined ? 3 : 1)
      if (savepoint === 'SAVEPOINT a' && n === 1) expect([came, first]).toEqual([true, OUT_OF_MEMORY])
      await lab.run(`DELETE FROM t WHERE id > 1000`)
      if (!came) break
    }
  })
})

test('a subscriber gets a new state when a record was lost', async () => {
  const seen: Record<string, unknown> = {}
  const stop = await lab.pg.trickle.subscribe<{ k: number; n: number }>('sums', (changes) => {
    for (const change of changes) seen[String(change.row.k)] = change.op === 'delete' ? undefined : change.row.n
  })
  const truth = async () => {
    const { rows } = await lab.pg.query<{ k: number; n: number }>('SELECT k, n FROM sums')
    return Object.fromEntries(rows.map(({ k, n }) => [String(k), n]))
  }
  for (let n = 1; n < 60; n++) {
    await failing(n, async () => {
      await lab.exec(`INSERT INTO t VALUES (${3000 + n}, ${n % 3}, 1)`).catch((error: { code?: string }) => {
        expect(error.code, `allocation ${n}`).toBe(OUT_OF_MEMORY)
      })
    })
    await lab.exec('ROLLBACK')
  }
  await lab.run('DELETE FROM t WHERE id > 3000 AND id % 2 = 0')
  const expected = await truth()
  await eventually(() => expect(seen).toEqual(expected))
  await stop()
})
