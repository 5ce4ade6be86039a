/** The sales that the tests of subscriptions start from. */
import { Mirror } from './mirror.js'
import type { Lab } from './lab.js'

export const SALES = `
  CREATE TABLE sale (id int PRIMARY KEY, shop int, amount numeric(10,2));
  INSERT INTO sale VALUES (1, 1, 10), (2, 1, 5), (3, 2, 7);`

export const TOTALS = 'SELECT shop, sum(amount) AS total FROM sale GROUP BY shop'

/** Creates a stream table of the totals and subscribes to it. */
export async function openTotals(lab: Lab): Promise<Mirror> {
  await lab.create('totals', TOTALS)
  return Mirror.open(lab.pg, 'totals')
}

interface Queryable {
  query<T>(sql: string): Promise<{ rows: T[] }>
}

/** Counts the triggers that collect changes for subscribers. */
export async function countChangeTriggers(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM pg_trigger
    WHERE tgrelid IN (SELECT storage FROM pgtrickle.stream_table) AND tgname LIKE '\\_\\_pgt%'`)
  return rows[0]?.n ?? -1
}
