// How many tuples the maintenance of one statement reads, by PostgreSQL's own counters.

import { CHANGES } from './operators.mjs'

// The counters are those of the transaction; what a session does not send they still hold.
const READ = `SELECT relname::text AS name, seq_tup_read::int AS seq, coalesce(idx_tup_fetch, 0)::int AS idx
  FROM pg_stat_xact_user_tables
  WHERE NOT (schemaname = 'pgtrickle' AND relname IN ('stream_table', 'source', 'stage'))`

/**
 * How a query is maintained, and for each one-row change that concerns it the tuples that it reads, and which tables it
 * reads from one end to the other. A statement is compiled first; where `once` is set it is not run twice, and what planning
 * reads counts too, which is the ends of indexes.
 */
export async function measure(pg, query, once = false) {
  await pg.trickle.createStreamTable('st', query)
  try {
    const plan = await pg.trickle.explainStreamTable('st')
    const sources = plan.stages.flatMap((stage) => stage.sources.map(({ name }) => name)).join(' ')
    const reads = {}
    for (const [what, sql] of CHANGES) {
      const table = what.split(/[ .]/)[1]
      if (!new RegExp(`\\b${table}\\b`).test(sources)) continue
      if (!once) await undone(pg, sql)
      reads[what] = await undone(pg, sql)
    }
    if (!(await pg.trickle.verifyStreamTable('st')).ok) throw new Error('not equal to its query')
    return { ways: plan.stages.map((stage) => stage.way), advice: plan.advice, reads }
  } finally {
    await pg.trickle.dropStreamTable('st')
  }
}

/**
 * The changes that read more where the tables are larger. A deeper index and the spread of values explain a half more
 * and 40 tuples. What reads the whole of even the smallest table of 500 rows by 4,000, which is `v`, reads 34 and 267.
 */
export function grown(small, large) {
  return Object.keys(large).filter((what) => small[what] && large[what].tuples > 1.5 * small[what].tuples + 40)
}

/** Runs one statement, counts, rolls back. */
async function undone(pg, sql) {
  let counts
  await pg.transaction(async (tx) => {
    // The change itself finds its row by the key also where reading a small table whole would do. Maintenance does anyway.
    await tx.exec('SET LOCAL enable_seqscan = off')
    const before = new Map((await tx.query(READ)).rows.map((row) => [row.name, row]))
    await tx.query(sql)
    const after = (await tx.query(READ)).rows
    counts = { tuples: 0, scans: [] }
    for (const { name, seq, idx } of after) {
      const was = before.get(name) ?? { seq: 0, idx: 0 }
      counts.tuples += seq - was.seq + idx - was.idx
      if (seq > was.seq) counts.scans.push(`${name} ${seq - was.seq}`)
    }
    await tx.rollback()
  })
  return counts
}
