// What a change costs when groups grow with the table: beside the query itself, and beside what a person would write who
// runs the query again and stores the difference.
//
//   node bench/skew.mjs [--sizes 10000,100000] [--only 'left join' --only rank] [--relatives | --all]
//     [--changes one,0.001,0.01,0.05,0.3,1,other] [--kinds insert,delete] [--rounds 3] [--no-check] [--json]
//     [--from mine.mjs] [--plot docs/skew.svg]
//
// --relatives measures further queries, with the same operators in other places and combinations, --all both. --from measures your own
// queries over your own tables: a module that exports what bench/lib/skew.mjs does. --plot draws the last of the sizes.
//
// Each figure is CPU time, on which other load on the machine has less influence than on elapsed time, and the least of all
// rounds, since load only adds to it. The maintenance is the time that EXPLAIN ANALYZE shows for triggers: the statement
// itself may take ten times as long, and its time varies by more than that. Of an insert, an update, an update that moves
// rows to other groups, and a delete, the worst counts. The difference is stored by hand as follows: the result of the query
// once into a temporary table, then one MERGE of it into a keyed table and one DELETE of what is gone; without a key, one
// EXCEPT ALL each way. After each change the stream table is compared with its query.

import './lib/cpu-clock.mjs'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { open } from './lib/database.mjs'
import { environment } from './lib/environment.mjs'
import { plot } from './lib/skew-plot.mjs'
import { RELATIVES } from './lib/skew-relatives.mjs'
import { cpuMilliseconds } from './lib/time.mjs'

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    sizes: { type: 'string', default: '10000,100000' },
    only: { type: 'string', multiple: true },
    relatives: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    changes: { type: 'string', default: 'one,0.001,0.01,0.05,0.3,1,other' },
    kinds: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    check: { type: 'boolean', default: true },
    json: { type: 'boolean', default: false },
    from: { type: 'string' },
    plot: { type: 'string' },
  },
})
if ((options.relatives || options.all) && options.from) {
  console.error('--relatives and --all are queries over the tables of this benchmark: they do not go with --from')
  process.exit(2)
}
const { CHANGES, GROUPS, OTHERS, QUERIES, tables } = await import(
  options.from ? pathToFileURL(resolve(options.from)).href : './lib/skew.mjs'
)
/** A change may cost at most this many times as much as the query and storing its difference. */
const DEARER = 1.5
/** A small change of the result may cost at most this share of the query, or three GROUP BY folds. */
const SHARE = 1 / 50
const sizes = options.sizes.split(',').map(Number)
const changes = options.changes.split(',')
const rounds = Number(options.rounds)
const { only } = options
// The first one is the yardstick.
const queries = (options.all ? [...QUERIES, ...RELATIVES.slice(1)] : options.relatives ? RELATIVES : QUERIES).filter(
  ({ name }, n) => !only || only.includes(name) || n === 0,
)

const results = []
let machine
for (const size of sizes) {
  const pg = await open()
  machine ??= await environment(pg)
  // The same tables twice: stream tables are only over `live`.
  for (const schema of ['live', 'plain']) await pg.exec(tables(schema, size))
  await pg.exec('VACUUM ANALYZE')
  for (const query of queries.filter(({ most = size }) => most >= size)) {
    process.stderr.write(`${size} rows: ${query.name}`)
    const result = { size, ...query, changes: {} }
    results.push(result)
    try {
      await measure(pg, result)
    } catch (error) {
      result.error = error.message
    }
    process.stderr.write(`: ${progress(result)}\n`)
    await pg.exec('SET search_path = live')
    await pg.trickle.dropStreamTable('st', { ifExists: true })
    await pg.exec('DROP TABLE IF EXISTS plain.stored')
  }
  await pg.close()
}
judge()
if (options.plot) writeFileSync(options.plot, draw(sizes.at(-1)))
if (options.json) console.log(JSON.stringify({ environment: machine, groups: GROUPS, results }, null, 2))
else print()
if (results.some(({ error, dearer }) => error || dearer.length)) process.exitCode = 1

/** How many times as much as by hand each change costs. */
function progress({ changes: measured, error }) {
  const times = Object.entries(measured).map(([change, kinds]) => {
    const { kind, maintenance, byHand: hand } = heaviest(kinds)
    return `${label(change)} ${(maintenance / hand).toFixed(2)} (${kind})`
  })
  return [...times, ...(error ? [`ERROR ${error}`] : [])].join(', ')
}

/** The statements of one entry of --changes: `[kind, sql]`. */
function statements({ query, table = 'o', kinds = options.kinds?.split(',') }, change, size) {
  if (change === 'other') {
    return Object.entries(OTHERS).filter(([name]) => new RegExp(`\\b(FROM|JOIN|,) ?${name}\\b`).test(query))
  }
  const all = Object.entries(CHANGES[table](change === 'one' ? 0 : Number(change), size))
  return all.filter(([kind]) => !kinds || kinds.includes(kind))
}

async function measure(pg, result) {
  const { size, query, key } = result
  await pg.exec(`SET search_path = plain; CREATE TABLE stored AS ${query}`)
  if (key.length) await pg.exec(`CREATE UNIQUE INDEX ON stored (${key.map((name) => keyColumn('', name)).join(', ')})`)
  result.columns = (await pg.query('SELECT * FROM stored LIMIT 0')).fields.map((field) => field.name)
  await pg.exec('VACUUM ANALYZE stored')
  await pg.exec('SET search_path = live')
  await pg.trickle.createStreamTable('st', query)
  const plan = await pg.trickle.explainStreamTable('st')
  result.ways = plan.stages.map((stage) => stage.way)
  await pg.exec('VACUUM ANALYZE')
  for (const change of changes) {
    const list = statements(result, change, size)
    if (list.length) result.changes[change] = await worst(pg, result, change, list)
  }
}

/** PGlite has no autovacuum, and the dead rows of a turn that took long must not slow the next. */
async function clean(pg, milliseconds) {
  if (milliseconds > 20) await pg.exec('VACUUM')
}

async function worst(pg, result, change, list) {
  const kinds = {}
  // A change of one row takes so little time that it is measured more often.
  const turns = ['one', 'other'].includes(change) ? 3 * rounds : rounds
  for (const [kind, sql] of list) {
    const samples = { maintenance: [], query: [], byHand: [] }
    for (let turn = 0; turn <= turns; turn++) {
      const under = await inTransaction(pg, 'live', async () => {
        const { rows } = await pg.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`)
        if (turn === 0 && options.check) await check(pg, `${change} ${kind}`)
        return rows[0]['QUERY PLAN'][0].Triggers.reduce((sum, { Time }) => sum + Time, 0)
      })
      // The first turn compiles plans and warms up.
      if (turn > 0) samples.maintenance.push(under)
      await clean(pg, under)
    }
    for (let turn = 0; turn < Math.min(3, rounds); turn++) {
      await inTransaction(pg, 'plain', async () => {
        await pg.query(sql)
        samples.query.push(
          await cpuMilliseconds(() => pg.exec(`DO $$ BEGIN PERFORM * FROM (${result.query}) AS q; END $$`)),
        )
        samples.byHand.push(await cpuMilliseconds(() => pg.exec(byHand(result))))
      })
      await clean(pg, samples.byHand.at(-1))
    }
    const [maintenance, query, hand] = [samples.maintenance, samples.query, samples.byHand].map((times) =>
      Math.min(...times),
    )
    kinds[kind] = { maintenance, query, byHand: hand }
  }
  return kinds
}

/** What a person would write: the query once more, and the difference of its result from the stored rows. */
function byHand({ query, key, columns }) {
  const fresh = `CREATE TEMP TABLE fresh ON COMMIT DROP AS ${query}`
  if (key.length === 0) {
    // Of equal rows, as many are deleted as the query lost.
    return `${fresh};
      WITH gone AS (SELECT d::text AS image, count(*) AS copies FROM (SELECT * FROM stored EXCEPT ALL SELECT * FROM fresh) AS d GROUP BY 1),
        added AS MATERIALIZED (SELECT * FROM fresh EXCEPT ALL SELECT * FROM stored),
        numbered AS (SELECT rid, copies, row_number() OVER (PARTITION BY image) AS copy
          FROM (SELECT ctid AS rid, s::text AS image FROM stored AS s) AS s JOIN gone USING (image)),
        deleted AS (DELETE FROM stored AS s USING numbered WHERE ctid = rid AND copy <= copies)
      INSERT INTO stored SELECT * FROM added`
  }
  const pairs = key.map((column) => `${keyColumn('s.', column)} = ${keyColumn('f.', column)}`).join(' AND ')
  const row = (alias) => columns.map((column) => `${alias}.${column}`).join(', ')
  return `${fresh};
    MERGE INTO stored AS s USING fresh AS f ON ${pairs}
      WHEN MATCHED AND ROW(${row('s')}) IS DISTINCT FROM ROW(${row('f')}) THEN
        UPDATE SET ${columns.map((column) => `${column} = f.${column}`).join(', ')}
      WHEN NOT MATCHED THEN INSERT VALUES (${row('f')});
    DELETE FROM stored AS s WHERE NOT EXISTS (SELECT FROM fresh AS f WHERE ${pairs})`
}

/** A key column, with a value in place of a NULL. */
function keyColumn(alias, column) {
  return column.endsWith('?') ? `coalesce(${alias}${column.slice(0, -1)}, -1)` : alias + column
}

async function check(pg, what) {
  const { ok, missing, extra } = await pg.trickle.verifyStreamTable('st')
  if (!ok)
    throw new Error(`after ${what}, the stream table does not equal its query: ${missing} missing, ${extra} extra`)
}

/** Runs an action in a transaction that is rolled back. */
async function inTransaction(pg, schema, action) {
  await pg.exec(`BEGIN; SET LOCAL search_path = ${schema}`)
  try {
    return await action()
  } finally {
    await pg.exec('ROLLBACK')
  }
}

/** Marks the changes that cost too much: `dearer` than by hand, or out of `proportion` to a small change of the result. */
function judge() {
  const slowest = ({ changes }) =>
    Math.max(0, ...Object.values(changes.one ?? {}).map(({ maintenance }) => maintenance))
  for (const result of results) {
    const fold = slowest(results.find(({ size }) => size === result.size))
    const entries = Object.entries(result.changes).map(([change, kinds]) => [change, heaviest(kinds)])
    result.dearer = entries.filter(([, kind]) => kind.maintenance > DEARER * kind.byHand).map(([change]) => change)
    const query = entries.find(([change]) => change === 'one')?.[1].query ?? 0
    result.limit = Math.max(SHARE * query, 3 * fold)
    result.proportional = result.all || result.error ? null : slowest(result) <= result.limit
  }
}

/** The kind of change that costs most beside the work by hand. */
function heaviest(kinds) {
  const [kind, figures] = Object.entries(kinds).reduce((a, b) =>
    a[1].maintenance / a[1].byHand >= b[1].maintenance / b[1].byHand ? a : b,
  )
  return { kind, ...figures }
}

/** The text of the plot of one size. */
function draw(size) {
  const measured = results.filter((result) => result.size === size && !result.error)
  const rows = changes.map((change) => ({
    label: label(change),
    points: measured
      .filter((result) => result.changes[change])
      .map(({ name, changes: own }) => {
        const { maintenance, byHand: hand } = heaviest(own[change])
        return { name, ratio: maintenance / hand }
      }),
  }))
  return plot({
    rows: rows.filter(({ points }) => points.length),
    limit: DEARER,
    size,
    groups: GROUPS,
    environment: machine,
  })
}

function print() {
  const ms = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(0))
  for (const size of sizes) {
    const own = results.filter((result) => result.size === size)
    console.log(
      `\n${size} rows, ${GROUPS} groups. Milliseconds of CPU time: the maintenance of the kind of change that costs most`,
    )
    console.log('beside the query and its difference stored by hand, and in brackets how many times as much it costs.')
    console.log(
      `${''.padEnd(25)}${'query'.padStart(8)}${'by hand'.padStart(9)}${changes.map((change) => label(change).padStart(17)).join('')}`,
    )
    for (const { name, changes: measured, dearer, proportional, error } of own) {
      if (error) {
        console.log(`${name.padEnd(25)} ERROR ${error}`)
        continue
      }
      const { query, byHand: hand } = heaviest(Object.values(measured)[0])
      const cells = changes.map((change) => {
        if (!measured[change]) return ''.padStart(17)
        const { maintenance, byHand: stored } = heaviest(measured[change])
        return `${ms(maintenance)} (${(maintenance / stored).toFixed(2)})${dearer.includes(change) ? ' !' : '  '}`.padStart(
          17,
        )
      })
      const mark = proportional === false ? '  not proportional' : ''
      console.log(`${name.padEnd(25)}${ms(query).padStart(8)}${ms(hand).padStart(9)}${cells.join('')}${mark}`)
    }
    const cheap = own.filter(({ error, dearer }) => !error && !dearer.length)
    const judged = own.filter(({ proportional }) => proportional !== null)
    console.log(`${cheap.length} of ${own.length} queries never cost more than ${DEARER} times as much as by hand (!);`)
    console.log(
      `${judged.filter(({ proportional }) => proportional).length} of ${judged.length} whose result changes little cost at most 1/${1 / SHARE} of the query, or three GROUP BY folds, for one row.`,
    )
  }
}

function label(change) {
  return change === 'one' ? 'one row' : change === 'other' ? 'another table' : `${100 * Number(change)} %`
}
