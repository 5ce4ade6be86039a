// Applies the changes to both databases in turn, times them, and compares each stream table with its query.
//
// The first round looks and compares and is not timed; the rounds after it time the bare statements; a last comparison
// after these makes sure that what was timed was right as well.

/** Rounds are timed until this much time has gone by, but at least 3, so that a slow query takes not too long. */
const LEAST_ROUNDS = 3
const ENOUGH_MS = 1500

/** Creates a stream table and says what it is. */
export async function createStreamTable({ withTables, streamTable: { name, about, query } }) {
  const start = performance.now()
  const { sources } = await withTables.trickle.createStreamTable(name, query)
  const createMs = performance.now() - start
  const { way, reason } = await withTables.trickle.explainStreamTable(name)
  const { rows } = await withTables.query(`SELECT count(*)::int AS count FROM ${name}`)
  return { name, about, query, sources, way, reason, rows: rows[0].count, createMs }
}

/** Puts one stream table through the changes. */
export async function measureStreamTable({ withTables, without, streamTable, changes, rounds }) {
  const seen = []
  for (const change of changes) seen.push(await look({ withTables, without, streamTable, change }))
  const times = await timeRounds({ withTables, without, queries: [streamTable.query], changes, rounds })
  const equalAtTheEnd = await isRight(withTables, streamTable)
  return {
    rounds: times.rounds,
    rerunMs: times.rerunMs,
    changes: changes.map((change, index) => ({
      change: change.name,
      sql: change.sql,
      ...seen[index],
      ...times.changes[index],
      equal: seen[index].equal && equalAtTheEnd,
    })),
  }
}

/** Puts several stream tables over the same sources through the changes, all of them at once. */
export async function measureTogether({ withTables, without, streamTables, changes, rounds }) {
  for (const { name, query } of streamTables) await withTables.trickle.createStreamTable(name, query)
  const equal = changes.map(() => true)
  for (const [index, change] of changes.entries()) {
    await apply(without, change)
    await apply(withTables, change)
    for (const streamTable of streamTables) equal[index] &&= await equalsQuery(withTables, streamTable)
  }
  const queries = streamTables.map(({ query }) => query)
  const times = await timeRounds({ withTables, without, queries, changes, rounds })
  let equalAtTheEnd = true
  for (const streamTable of streamTables) equalAtTheEnd &&= await isRight(withTables, streamTable)
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

/** Applies one change and says what it did to the stream table, and whether this equals its query. */
async function look({ withTables, without, streamTable, change }) {
  const { name, key } = streamTable
  await withTables.exec(`CREATE TEMP TABLE before_change AS SELECT * FROM ${name}`)
  await apply(without, change)
  const sourceRows = await apply(withTables, change)
  const minus = (left, right) => withTables.query(`SELECT * FROM ${left} EXCEPT ALL SELECT * FROM ${right}`)
  const gone = (await minus('before_change', name)).rows
  const came = (await minus(name, 'before_change')).rows
  await withTables.exec('DROP TABLE before_change')

  const identity = (row) => JSON.stringify(key.map((column) => row[column]))
  const old = new Map(gone.map((row) => [identity(row), row]))
  const updated = came.filter((row) => old.has(identity(row)))
  const sample = updated[0] ?? came[0] ?? gone[0]
  return {
    sourceRows,
    inserted: came.length - updated.length,
    deleted: gone.length - updated.length,
    updated: updated.length,
    sample: sample && { before: old.get(identity(sample)) ?? null, after: came.includes(sample) ? sample : null },
    equal: await equalsQuery(withTables, streamTable),
  }
}

/** Medians per change, over rounds in which the two databases take turns in going first. */
async function timeRounds({ withTables, without, queries, changes, rounds }) {
  const samples = changes.map(() => ({ withTables: [], without: [] }))
  const reruns = queries.map(() => [])
  const start = performance.now()
  let done = 0
  while (done < rounds && (done < LEAST_ROUNDS || performance.now() - start < ENOUGH_MS)) {
    for (const [index, change] of changes.entries()) {
      const turns = [
        async () => samples[index].without.push(await milliseconds(() => apply(without, change))),
        async () => samples[index].withTables.push(await milliseconds(() => apply(withTables, change))),
      ]
      if (done % 2) turns.reverse()
      for (const turn of turns) await turn()
    }
    for (const [index, query] of queries.entries()) reruns[index].push(await rerun(without, query))
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

/** The extension's own comparison, which is stricter (1.0 is not 1.00), and the one below. */
async function isRight(pg, streamTable) {
  const { ok } = await pg.trickle.verifyStreamTable(streamTable.name)
  return ok && (await equalsQuery(pg, streamTable))
}

/** The oracle: EXCEPT ALL both ways, so that duplicates and NULLs count. */
async function equalsQuery(pg, { name, query }) {
  const { rows } = await pg.query(`
    WITH truth AS MATERIALIZED (${query})
    SELECT count(*)::int AS wrong FROM (
      (SELECT * FROM ${name} EXCEPT ALL SELECT * FROM truth)
      UNION ALL
      (SELECT * FROM truth EXCEPT ALL SELECT * FROM ${name})) AS difference`)
  return rows[0].wrong === 0
}

/** Runs the query with its rows left inside the database, so that sending them does not count. */
function rerun(pg, query) {
  return milliseconds(() => pg.exec(`DO $$ BEGIN PERFORM * FROM (${query}) AS q; END $$`))
}

async function apply(pg, { sql }) {
  return (await pg.query(sql)).affectedRows
}

async function milliseconds(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
