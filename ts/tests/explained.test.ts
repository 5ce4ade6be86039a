/** What other extensions do with the plans that stream tables keep. */
import { expect, test } from 'vitest'
import { trickle } from '../dist/index.js'
import type { TrickleExtension } from '../dist/index.js'
import { Lab } from './support/lab.js'
import { IS_NATIVE, MODULE_NAME, openDatabase, openWith } from './support/pglite.js'
import type { Database } from './support/pglite.js'

async function open(): Promise<Database> {
  if (IS_NATIVE) return openDatabase()
  const { auto_explain } = (await import(`${MODULE_NAME}/contrib/auto_explain`)) as Record<string, TrickleExtension>
  return (await openWith({ trickle, auto_explain: auto_explain! })) as Database
}

test('auto_explain shows how changes are applied, and they stay incremental', async () => {
  const lab = await new Lab().open(await open())
  try {
    await lab.exec(`CREATE TABLE a (gone int, id int PRIMARY KEY, g int, v int); ALTER TABLE a DROP COLUMN gone;
      CREATE TABLE b (id int PRIMARY KEY, a int);
      INSERT INTO a SELECT n, n % 3, n FROM generate_series(1, 9) n; INSERT INTO b SELECT n, n % 5 FROM generate_series(1, 9) n;
      LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
      SET auto_explain.log_verbose = on; SET auto_explain.log_level = notice`)
    const queries = {
      scan: 'SELECT id, v FROM a WHERE g < 2',
      totals: 'SELECT g, count(*) AS n, sum(v) AS s, max(v) AS m FROM a GROUP BY g',
      pairs: 'SELECT a.id, b.id AS other FROM a LEFT JOIN b ON b.a = a.id',
      ranks: 'SELECT id, row_number() OVER (PARTITION BY g ORDER BY v) AS place FROM a',
    }
    for (const [name, query] of Object.entries(queries)) await lab.create(name, query)
    const plans: string[] = []
    const onNotice = ({ message }: { message?: string | undefined }) => {
      plans.push(message ?? '')
    }
    for (const sql of [
      'INSERT INTO a SELECT n, n % 3, n FROM generate_series(10, 12) n',
      'UPDATE a SET v = v + 1 WHERE id < 3',
      'DELETE FROM b WHERE id = 4',
    ]) {
      await lab.pg.exec(sql, { onNotice })
      await lab.check(sql)
    }
    expect(plans.filter((plan) => plan.includes('Named Tuplestore Scan')).length).toBeGreaterThan(5)
    for (const name of Object.keys(queries)) {
      expect((await lab.pg.trickle.explainStreamTable(name)).way, name).not.toBe('rebuild')
    }
  } finally {
    await lab.close()
  }
})
