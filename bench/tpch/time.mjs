// Times one query: how it is maintained, and what a one-row change to its largest table costs.

import { median } from '../lib/stats.mjs'
import { milliseconds, timeQueryInside } from '../lib/time.mjs'
import { KEY, TOUCH } from './changes.mjs'

/** The number of rows to change, or fewer if that takes longer than this. */
const ROWS = 40
const BUDGET_MS = 3000

/** Creates the stream table, times changes, compares it with its query, and drops it. */
export async function timeQuery(pg, query) {
  const { name, table, sql, hits } = query
  const create = await milliseconds(() => pg.trickle.createStreamTable(name, sql))
  try {
    const plan = await pg.trickle.explainStreamTable(name)
    const ways = plan.stages.map((stage) => stage.way)
    const reasons = plan.stages.flatMap((stage) => (stage.way === 'rebuild' ? [stage.reason] : []))
    const rerun = await rerunTime(pg, sql)
    await sample(pg, table, hits)
    const change = await changes(pg, table)
    await pg.exec('DROP TABLE tpch_sample')
    const { ok } = await pg.trickle.verifyStreamTable(name)
    return { stages: ways.length, ways, reasons, create, rerun, change, one: median(Object.values(change)), equal: ok }
  } finally {
    await pg.trickle.dropStreamTable(name)
  }
}

/** Milliseconds to run the query again. */
async function rerunTime(pg, sql) {
  const samples = []
  for (let i = 0; i < 3; i++) samples.push(await timeQueryInside(pg, sql))
  return median(samples)
}

/** Selects rows that pass the query's filters, spread over the table and always the same; if too few, others as well. */
async function sample(pg, table, hits) {
  const key = KEY[table].join(', ')
  await pg.exec(
    `CREATE TABLE tpch_sample AS SELECT row_number() OVER () AS n, r.* FROM (
       SELECT ${table}.* ${hits} ORDER BY hashint4(${KEY[table][0]}), ${key} LIMIT ${ROWS}) AS r;
     INSERT INTO tpch_sample SELECT (SELECT count(*) FROM tpch_sample) + row_number() OVER (), r.* FROM (
       SELECT * FROM ${table} WHERE (${key}) NOT IN (SELECT ${key} FROM tpch_sample) ORDER BY ${key} LIMIT ${ROWS}) AS r;
     DELETE FROM tpch_sample WHERE n > ${ROWS};
     ANALYZE tpch_sample`,
  )
}

/** Statements for row `r` of the sample. Together they leave the table unchanged, except for the updated columns. */
function statements(table) {
  const key = KEY[table].map((column) => `${column} = r.${column}`).join(' AND ')
  return {
    update: `UPDATE ${table} SET ${TOUCH[table]} WHERE ${key}`,
    delete: `DELETE FROM ${table} WHERE ${key}`,
    insert: `INSERT INTO ${table} SELECT (jsonb_populate_record(NULL::${table}, to_jsonb(r))).*`,
  }
}

/** Milliseconds per statement, by event. The first row of each is not counted, because it compiles and plans. */
async function changes(pg, table) {
  const times = {}
  let turns = ROWS
  for (const [event, statement] of Object.entries(statements(table))) {
    const run = (from, to) => loop(pg, statement, from, to)
    await run(0, 1)
    const second = await run(1, 2)
    // The rows that are deleted are inserted again afterwards.
    if (event !== 'insert') turns = Math.max(2, Math.min(ROWS, Math.floor(BUDGET_MS / Math.max(second, 0.1))))
    times[event] = turns > 2 ? (await run(2, turns)) / (turns - 2) : second
  }
  return times
}

function loop(pg, statement, from, to) {
  return milliseconds(() =>
    pg.exec(
      `DO $$ DECLARE r record; BEGIN
         FOR r IN SELECT * FROM tpch_sample WHERE n > ${from} AND n <= ${to} ORDER BY n LOOP ${statement}; END LOOP;
       END $$`,
    ),
  )
}
