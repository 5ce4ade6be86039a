// Counts the tuples that the maintenance of one statement reads, with PostgreSQL's own statistics.

import { CHANGES } from './operators.mjs'

// These counters belong to the transaction, and also hold what the session has not yet sent to the statistics system.
const READ = `SELECT relname::text AS name, seq_tup_read::int AS seq, coalesce(idx_tup_fetch, 0)::int AS idx
  FROM pg_stat_xact_user_tables
  WHERE NOT (schemaname = 'pgtrickle' AND relname IN ('stream_table', 'source', 'stage'))`

/**
 * How a query is maintained. For each one-row change that affects it: how many tuples are read, and which tables are
 * scanned completely. Each statement first runs once to be compiled. With `once` it does not, and the count includes what
 * planning reads, which is the ends of indexes. `changes` are pairs of `EVENT TABLE` and a statement.
 */
export async function measure(pg, query, once = false, changes = CHANGES) {
  await pg.trickle.createStreamTable('st', query)
  try {
    const plan = await pg.trickle.explainStreamTable('st')
    const sources = plan.stages.flatMap((stage) => stage.sources.map(({ name }) => name)).join(' ')
    const reads = {}
    for (const [what, sql] of changes) {
      const table = what.split(/[ .]/)[1]
      if (!new RegExp(`\\b${table}\\b`).test(sources)) continue
      if (!once) await countAndRollBack(pg, sql)
      reads[what] = await countAndRollBack(pg, sql)
    }
    if (!(await pg.trickle.verifyStreamTable('st')).ok) throw new Error('the stream table does not equal its query')
    return { ways: plan.stages.map((stage) => stage.way), advice: plan.advice, reads }
  } finally {
    await pg.trickle.dropStreamTable('st')
  }
}

/**
 * The changes that read more tuples when the tables are larger. Deeper indexes and the distribution of values explain up
 * to half as many again plus 40. A scan of even the smallest table, `v`, reads more than that: 34 and 267 tuples.
 */
export function grown(small, large) {
  return Object.keys(large).filter((what) => small[what] && large[what].tuples > 1.5 * small[what].tuples + 40)
}

/** Runs one statement, counts the tuples, and rolls back. */
async function countAndRollBack(pg, sql) {
  let counts
  await pg.transaction(async (tx) => {
    // Lets the statement itself find its row by the key, even in a small table. Maintenance does so anyway.
    await tx.exec('SET LOCAL enable_seqscan = off')
    const before = new Map((await tx.query(READ)).rows.map((row) => [row.name, row]))
    await tx.query(sql)
    const after = (await tx.query(READ)).rows
    counts = { tuples: 0, scans: [] }
    for (const { name, seq, idx } of after) {
      const earlier = before.get(name) ?? { seq: 0, idx: 0 }
      counts.tuples += seq - earlier.seq + idx - earlier.idx
      if (seq > earlier.seq) counts.scans.push(`${name} ${seq - earlier.seq}`)
    }
    await tx.rollback()
  })
  return counts
}
