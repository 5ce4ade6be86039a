// Timing. Everything runs in interleaved rounds and in rotating order, so that slow moments of the machine and warm-up
// affect all competitors alike. The reported figures are medians over the rounds.

import { milliseconds, timeQueryInside } from './time.mjs'
import { schemaOf, VARIANTS } from './workload.mjs'

/**
 * Microseconds per statement inside the database, in PL/pgSQL loops.
 *
 * Measured by the host's clock around the loop, less the time of an empty loop. clock_timestamp() in PGlite advances in
 * whole milliseconds, which is too coarse for loops of this length.
 *
 * Returns `samples[change][rows][variant]`, an array with one figure per round.
 */
export async function insideDatabase(pg, workload, options, progress) {
  const { sizes, rounds, warmup, changes } = options
  const samples = workload.changes.map(() => emptySamples(sizes))
  const competitors = sizes.flatMap((rows) => VARIANTS.map((variant) => ({ rows, variant })))
  const call = (schema, index, turns) => milliseconds(() => pg.query(`SELECT ${schema}.change_${index}(${turns})`))
  for (let round = 0; round < warmup + rounds; round++) {
    progress(`inside the database: round ${round + 1} of ${warmup + rounds}`)
    for (const [index] of workload.changes.entries()) {
      for (const { rows, variant } of rotate(competitors, round)) {
        const schema = schemaOf(variant, rows)
        const overhead = await call(schema, index, 0)
        const elapsed = await call(schema, index, changes)
        if (round >= warmup) samples[index][rows][variant].push(((elapsed - overhead) * 1000) / changes)
      }
    }
    // PGlite has no autovacuum, and the dead rows of one round must not slow the next.
    await pg.exec('VACUUM')
  }
  return samples
}

/** Milliseconds per statement as a program sees them, with one `pg.query` for each. Returns the same shape. */
export async function fromJavaScript(pg, workload, options, progress) {
  const { sizes, rounds, warmup, calls } = options
  const samples = workload.changes.map(() => emptySamples(sizes))
  const competitors = sizes.flatMap((rows) => VARIANTS.map((variant) => ({ rows, variant })))
  for (let round = 0; round < warmup + rounds; round++) {
    progress(`from JavaScript: round ${round + 1} of ${warmup + rounds}`)
    for (const [index, change] of workload.changes.entries()) {
      for (let i = 1; i <= calls; i++) {
        for (const { rows, variant } of rotate(competitors, round + i)) {
          const sql = change.sql(schemaOf(variant, rows), { rows, groups: options.groups }, '$1::int')
          const time = await milliseconds(() => pg.query(sql, [i]))
          if (round >= warmup) samples[index][rows][variant].push(time)
        }
      }
    }
    await pg.exec('VACUUM')
  }
  return samples
}

/** Milliseconds from a change to the callback of `live.incrementalQuery` with the same query. */
export async function liveCallback(pg, workload, options, progress) {
  const { rows, rounds, warmup, liveCalls, groups } = options
  const size = { rows, groups }
  const schema = schemaOf('none', rows)
  const samples = workload.changes.map(() => [])
  let called
  const subscription = await pg.live.incrementalQuery({
    query: workload.query(schema),
    params: [],
    key: workload.key,
    callback: () => called?.(),
  })
  for (let round = 0; round < warmup + rounds; round++) {
    progress(`live.incrementalQuery: round ${round + 1} of ${warmup + rounds}`)
    for (const [index, change] of workload.changes.entries()) {
      for (let i = 1; i <= liveCalls; i++) {
        const arrived = new Promise((resolve) => (called = resolve))
        const start = performance.now()
        await pg.query(change.sql(schema, size, '$1::int'), [i])
        await arrived
        if (round >= warmup) samples[index].push(performance.now() - start)
      }
    }
  }
  await subscription.unsubscribe()
  return samples
}

/** Milliseconds to run the query again. */
export async function rerunTimes(pg, workload, options) {
  const query = workload.query(schemaOf('none', options.rows))
  const samples = []
  for (let round = 0; round < options.warmup + options.rounds; round++) {
    const time = await timeQueryInside(pg, query)
    if (round >= options.warmup) samples.push(time)
  }
  return samples
}

function emptySamples(sizes) {
  return Object.fromEntries(sizes.map((rows) => [rows, Object.fromEntries(VARIANTS.map((variant) => [variant, []]))]))
}

function rotate(list, by) {
  const start = by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}
