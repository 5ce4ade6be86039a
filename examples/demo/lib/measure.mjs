// Applies the changes to both databases in turn, times them, and compares each stream table with its query.
//
// The first round looks and compares and is not timed; the rounds after it time the bare statements; a last comparison
// after these makes sure that what was timed was right as well.

/** One stream table alone: creates it, puts it through the changes, drops it. */
export async function measureStreamTable({ withTables, without, streamTable, changes, rounds }) {
  const { name, query } = streamTable
  const createMs = await milliseconds(() => withTables.trickle.createStreamTable(name, query))
  const plan = await withTables.trickle.explainStreamTable(name)
  const { rows } = await withTables.query(`SELECT count(*)::int AS count FROM ${name}`)

  const seen = []
  for (const change of changes) seen.push(await look({ withTables, without, streamTable, change }))

  const times = await timeRounds({ withTables, without, changes, rounds })
  const rerunMs = median(await repeat(rounds, () => rerun(without, query)))
  const equalAtTheEnd = await equalsQuery(withTables, streamTable)
  await withTables.trickle.dropStreamTable(name)

  return {
    name,
    about: streamTable.about,
    query,
    way: plan.way,
    reason: plan.reason,
    rows: rows[0].count,
    createMs,
    rerunMs,
    changes: changes.map((change, index) => {
      const { withoutMs, withMs } = times[index]
      return {
        change: change.name,
        sql: change.sql,
        ...seen[index],
        withoutMs,
        withMs,
        rerunMs,
        ratio: (withoutMs + rerunMs) / withMs,
        equal: seen[index].equal && equalAtTheEnd,
      }
    }),
  }
}

/** All stream tables at once over the same sources. */
export async function measureTogether({ withTables, without, streamTables, changes, rounds }) {
  for (const { name, query } of streamTables) await withTables.trickle.createStreamTable(name, query)
  const equal = changes.map(() => true)
  for (const [index, change] of changes.entries()) {
    await apply(without, change)
    await apply(withTables, change)
    for (const streamTable of streamTables) equal[index] &&= await equalsQuery(withTables, streamTable)
  }
  const times = await timeRounds({ withTables, without, changes, rounds })
  let rerunMs = 0
  let equalAtTheEnd = true
  for (const streamTable of streamTables) {
    rerunMs += median(await repeat(rounds, () => rerun(without, streamTable.query)))
    equalAtTheEnd &&= await equalsQuery(withTables, streamTable)
  }
  return {
    streamTables: streamTables.map(({ name }) => name),
    rerunMs,
    changes: changes.map((change, index) => {
      const { withoutMs, withMs } = times[index]
      const ratio = (withoutMs + rerunMs) / withMs
      return { change: change.name, withoutMs, withMs, rerunMs, ratio, equal: equal[index] && equalAtTheEnd }
    }),
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
async function timeRounds({ withTables, without, changes, rounds }) {
  const samples = changes.map(() => ({ withTables: [], without: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const [index, change] of changes.entries()) {
      const turns = [
        async () => samples[index].without.push(await milliseconds(() => apply(without, change))),
        async () => samples[index].withTables.push(await milliseconds(() => apply(withTables, change))),
      ]
      if (round % 2) turns.reverse()
      for (const turn of turns) await turn()
    }
  }
  return samples.map((sample) => ({ withoutMs: median(sample.without), withMs: median(sample.withTables) }))
}

/** The oracle: EXCEPT ALL both ways, so that duplicates and NULLs count. */
async function equalsQuery(pg, { name, query }) {
  const { rows } = await pg.query(`
    SELECT count(*)::int AS wrong FROM (
      (SELECT * FROM ${name} EXCEPT ALL (${query}))
      UNION ALL
      ((${query}) EXCEPT ALL SELECT * FROM ${name})) AS difference`)
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

async function repeat(times, action) {
  const results = []
  for (let i = 0; i < times; i++) results.push(await action())
  return results
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
