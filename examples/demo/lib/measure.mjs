// Applies the changes to both databases in turn, times them, and compares each stream table with its query.
//
// The first round compares and is not timed. The following rounds time only the statements. A last comparison checks that
// the timed statements were maintained correctly too.

import { equalsQuery } from '@pgtrickle/bench/lib/compare.mjs'
import { median } from '@pgtrickle/bench/lib/stats.mjs'
import { milliseconds, timeQueryInside } from '@pgtrickle/bench/lib/time.mjs'

/** Rounds stop after this time, so that a slow query does not take too long, but some always run. */
const MIN_ROUNDS = 3
const MAX_MS = 1500

/** Creates a stream table and describes it. */
export async function createStreamTable({ withTables, streamTable: { name, about, query } }) {
  const start = performance.now()
  const { sources } = await withTables.trickle.createStreamTable(name, query)
  const createMs = performance.now() - start
  const { way, reason } = await withTables.trickle.explainStreamTable(name)
  const { rows } = await withTables.query(`SELECT count(*)::int AS count FROM ${name}`)
  return { name, about, query, sources, way, reason, rows: rows[0].count, createMs }
}

/** Measures the changes with one stream table. */
export async function measureStreamTable({ withTables, without, streamTable, changes, rounds }) {
  const effects = []
  for (const change of changes) effects.push(await applyAndCompare({ withTables, without, streamTable, change }))
  const times = await timeRounds({ withTables, without, queries: [streamTable.query], changes, rounds })
  const equalAtTheEnd = await isCorrect(withTables, streamTable)
  return {
    rounds: times.rounds,
    rerunMs: times.rerunMs,
    changes: changes.map((change, index) => ({
      change: change.name,
      sql: change.sql,
      ...effects[index],
      ...times.changes[index],
      equal: effects[index].equal && equalAtTheEnd,
    })),
  }
}

/** Measures the changes with several stream tables at once. */
export async function measureTogether({ withTables, without, streamTables, changes, rounds }) {
  for (const { name, query } of streamTables) await withTables.trickle.createStreamTable(name, query)
  const equal = changes.map(() => true)
  for (const [index, change] of changes.entries()) {
    await apply(without, change)
    await apply(withTables, change)
    for (const streamTable of streamTables)
      equal[index] &&= await equalsQuery(withTables, streamTable.name, streamTable.query)
  }
  const queries = streamTables.map(({ query }) => query)
  const times = await timeRounds({ withTables, without, queries, changes, rounds })
  let equalAtTheEnd = true
  for (const streamTable of streamTables) equalAtTheEnd &&= await isCorrect(withTables, streamTable)
  return {
    streamTables: streamTables.map(({ name }) => name),
    rounds: times.rounds,
    rerunMs: times.rerunMs,
    changes: changes.map((change, index) => ({
      change: change.name,
      ...times.changes[index],
      equal: equal[index] && equalAtTheEnd,
    })),
  }
}

/** Applies one change. Returns its effect on the stream table, and whether the stream table equals its query. */
async function applyAndCompare({ withTables, without, streamTable, change }) {
  const { name, key } = streamTable
  await withTables.exec(`CREATE TEMP TABLE before_change AS SELECT * FROM ${name}`)
  await apply(without, change)
  const sourceRows = await apply(withTables, change)
  const minus = (left, right) => withTables.query(`SELECT * FROM ${left} EXCEPT ALL SELECT * FROM ${right}`)
  const removed = (await minus('before_change', name)).rows
  const added = (await minus(name, 'before_change')).rows
  await withTables.exec('DROP TABLE before_change')

  const identity = (row) => JSON.stringify(key.map((column) => row[column]))
  const old = new Map(removed.map((row) => [identity(row), row]))
  const updated = added.filter((row) => old.has(identity(row)))
  const sample = updated[0] ?? added[0] ?? removed[0]
  return {
    sourceRows,
    inserted: added.length - updated.length,
    deleted: removed.length - updated.length,
    updated: updated.length,
    sample: sample && { before: old.get(identity(sample)) ?? null, after: added.includes(sample) ? sample : null },
    equal: await equalsQuery(withTables, streamTable.name, streamTable.query),
  }
}

/** Medians per change, over rounds in which the two databases take turns to go first. */
async function timeRounds({ withTables, without, queries, changes, rounds }) {
  const samples = changes.map(() => ({ withTables: [], without: [] }))
  const reruns = queries.map(() => [])
  const start = performance.now()
  let done = 0
  while (done < rounds && (done < MIN_ROUNDS || performance.now() - start < MAX_MS)) {
    for (const [index, change] of changes.entries()) {
      const turns = [
        async () => samples[index].without.push(await milliseconds(() => apply(without, change))),
        async () => samples[index].withTables.push(await milliseconds(() => apply(withTables, change))),
      ]
      if (done % 2) turns.reverse()
      for (const turn of turns) await turn()
    }
    for (const [index, query] of queries.entries()) reruns[index].push(await timeQueryInside(without, query))
    done++
  }
  const rerunMs = reruns.reduce((sum, times) => sum + median(times), 0)
  return {
    rounds: done,
    rerunMs,
    changes: samples.map((sample) => {
      const withoutMs = median(sample.without)
      const withMs = median(sample.withTables)
      return { withoutMs, withMs, rerunMs, ratio: (withoutMs + rerunMs) / withMs }
    }),
  }
}

/** Checks by the extension's own comparison, which is stricter (1.0 is not 1.00), and by the demo's. */
async function isCorrect(pg, streamTable) {
  const { ok } = await pg.trickle.verifyStreamTable(streamTable.name)
  return ok && (await equalsQuery(pg, streamTable.name, streamTable.query))
}

async function apply(pg, { sql }) {
  return (await pg.query(sql)).affectedRows
}
