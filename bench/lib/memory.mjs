// Fills a heap with stream tables until the guard refuses another one.

import { median } from './stats.mjs'
import { cpuMilliseconds } from './time.mjs'

const MEGABYTE = 2 ** 20

/** How many stream tables share their sources. */
const SHARED = 10

const wide = (columns) => ({
  name: `${columns} columns`,
  tables: (n) =>
    `CREATE TABLE w${n} (id int PRIMARY KEY, ${list(columns, (c) => `c${c} int DEFAULT ${c}`)});
     INSERT INTO w${n} (id) SELECT i FROM generate_series(1, 20) i`,
  query: (n, m) => `SELECT * FROM w${n} WHERE c1 > ${m % SHARED} - 100`,
  changes: (n) => [
    `INSERT INTO w${n} (id) VALUES (1000), (1001)`,
    `UPDATE w${n} SET c1 = c1 + 1, c2 = c2 - 1 WHERE id >= 1000`,
    `DELETE FROM w${n} WHERE id >= 1000`,
  ],
})

/** Kinds of stream tables: their sources, the query of the m-th one over the n-th sources, and changes of these. */
export const KINDS = [
  {
    name: 'three-table join with GROUP BY',
    tables: (n) =>
      `CREATE TABLE a${n} (id int PRIMARY KEY, k int, v int);
       CREATE TABLE b${n} (id int PRIMARY KEY, a int, w int);
       CREATE TABLE c${n} (id int PRIMARY KEY, b int, x int);
       CREATE INDEX ON b${n} (a); CREATE INDEX ON c${n} (b);
       INSERT INTO a${n} SELECT i, i % 5, i FROM generate_series(1, 20) i;
       INSERT INTO b${n} SELECT i, i, i FROM generate_series(1, 20) i;
       INSERT INTO c${n} SELECT i, i, i FROM generate_series(1, 20) i`,
    query: (n, m) =>
      `SELECT a.k, count(*) AS n, sum(c.x + ${m}) AS s FROM a${n} a JOIN b${n} b ON b.a = a.id JOIN c${n} c ON c.b = b.id GROUP BY a.k`,
    changes: (n) => [
      ...three(`a${n}`, '1000, 1, 1', 'k = k + 1'),
      ...three(`b${n}`, '1000, 1, 1', 'a = a + 1'),
      ...three(`c${n}`, '1000, 1, 1', 'x = x + 1'),
    ],
  },
  {
    name: 'window',
    tables: (n) =>
      `CREATE TABLE p${n} (id int PRIMARY KEY, g int, v int);
       INSERT INTO p${n} SELECT i, i % 5, i FROM generate_series(1, 20) i`,
    query: (n, m) =>
      `SELECT id, g, rank() OVER (PARTITION BY g ORDER BY v + ${m}) AS r, sum(v) OVER (PARTITION BY g) AS s FROM p${n}`,
    changes: (n) => three(`p${n}`, '1000, 1, 1', 'v = v + 1'),
  },
  ...[10, 50, 100, 500].map(wide),
]

function list(count, item) {
  return Array.from({ length: count }, (_, n) => item(n + 1)).join(', ')
}

function three(table, row, change) {
  return [
    `INSERT INTO ${table} VALUES (${row})`,
    `UPDATE ${table} SET ${change} WHERE id = 1000`,
    `DELETE FROM ${table} WHERE id = 1000`,
  ]
}

/** What is in use. The function `memory()` needs memory for its own plan. */
export async function memory(pg) {
  const { rows } = await pg.query("SELECT pgtrickle.command('memory') AS json")
  return JSON.parse(rows[0].json)
}

/** What one stream table takes, in bytes: at rest after it was made, with all plans, and after these were given back. */
export async function cost(pg, kind, count = 20) {
  await warm(pg, kind)
  await pg.exec(kind.tables(0))
  await giveBack(pg)
  const empty = await memory(pg)
  await pg.trickle.createStreamTable('warm', kind.query('_warm', 0))
  for (const sql of kind.changes('_warm')) await pg.exec(sql)
  const start = await memory(pg)
  for (let m = 0; m < count; m++) await pg.trickle.createStreamTable(`s${m}`, kind.query(0, m))
  const made = await memory(pg)
  const began = performance.now()
  let slowest = 0
  for (const sql of kind.changes(0)) {
    const before = performance.now()
    await pg.exec(sql)
    slowest = Math.max(slowest, performance.now() - before)
  }
  const firstUse = performance.now() - began
  const used = await memory(pg)
  await giveBack(pg)
  const rests = await memory(pg)
  const per = (from, to) => Math.round((to.used - from.used) / count)
  return {
    made: per(start, made),
    used: per(start, used),
    rests: per(empty, rests),
    plans: Math.round((used.plans - start.plans) / count),
    firstUse: firstUse / count,
    slowest: slowest / count,
  }
}

/** What the first stream table of all needs belongs to none. */
async function warm(pg, kind) {
  await pg.exec(kind.tables('_warm'))
  await pg.trickle.createStreamTable('warm', kind.query('_warm', 0))
  for (const sql of kind.changes('_warm')) await pg.exec(sql)
  await verify(pg, ['warm'])
  await pg.trickle.dropStreamTable('warm')
}

/** Lets the guard give back all that it can: a stream table is refused. Where that is much, one is made first. */
async function giveBack(pg) {
  for (let isRefused = false; !isRefused;) {
    const { used } = await memory(pg)
    await pg.exec(`SET pgtrickle.memory_limit = '${used}'`)
    try {
      await pg.trickle.createStreamTable('refused', 'SELECT 1')
      await pg.trickle.dropStreamTable('refused')
    } catch (error) {
      if (!isGuard(error)) throw error
      isRefused = true
    }
  }
  await pg.exec('RESET pgtrickle.memory_limit')
}

/** What stays free at the least where a stream table is made, in bytes. */
const STAYS_FREE = 12 * 2 ** 20

/** Refuses memory above a size, as a browser does that has no more to give. Returns a function that ends it. */
export function capMemory(bytes) {
  const { grow } = WebAssembly.Memory.prototype
  WebAssembly.Memory.prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * 65_536 > bytes()) throw new RangeError('no more memory')
    return grow.call(this, pages)
  }
  return () => {
    WebAssembly.Memory.prototype.grow = grow
  }
}

/**
 * Makes stream tables of one kind until the guard refuses another one, with changes all the way; changes, deletes and rolls
 * back there; drops half of them, with the sources that nobody reads then, and makes them again; and the same once more
 * after all are dropped. `room` is the limit, in bytes above what is in use at the start; or `left` is what may be taken
 * until the guard fires. `within` runs what follows where there are only so many bytes. Throws if anything but the guard
 * fails, or if a stream table differs from its query.
 */
export async function fill(pg, kind, { room, left, atMost = Infinity, log = () => {}, within = (_, body) => body() }) {
  await warm(pg, kind)
  // What the guard can give back at once is no room that it needs.
  await giveBack(pg)
  const { used } = await memory(pg)
  const limit = left === undefined ? used + room : Math.ceil(Math.max((used + left) / 0.8, used + left + STAYS_FREE))
  await pg.exec(`SET pgtrickle.memory_limit = '${limit}'`)
  const sources = new Set()
  const tables = []
  let slowest = 0
  const change = async (n) => {
    const before = performance.now()
    for (const sql of kind.changes(n)) await pg.exec(sql)
    slowest = Math.max(slowest, performance.now() - before)
  }
  const makeUpTo = async (most) => {
    while (tables.length < most) {
      const m = tables.length
      const n = Math.floor(m / SHARED)
      if (!sources.has(n)) await pg.exec(kind.tables(n))
      sources.add(n)
      try {
        await pg.trickle.createStreamTable(`s${m}`, kind.query(n, m))
      } catch (error) {
        if (!isGuard(error)) throw error
        return false
      }
      tables.push(`s${m}`)
      if (tables.length % SHARED === 0) {
        await change(n)
        log(tables.length)
      }
    }
    return true
  }
  const dropDownTo = async (least) => {
    while (tables.length > least) await pg.trickle.dropStreamTable(tables.pop())
    for (const n of [...sources].filter((n) => n * SHARED >= least)) {
      for (const [, table] of kind.tables(n).matchAll(/CREATE TABLE (\w+)/g)) await pg.exec(`DROP TABLE ${table}`)
      sources.delete(n)
    }
  }
  const result = { limit }
  await within(limit - used, async () => {
    result.isFull = !(await makeUpTo(atMost))
    result.ceiling = tables.length
    const full = await memory(pg)
    await change(0)
    const [, , removal] = kind.changes(0)
    await pg.exec(`BEGIN; ${removal}; ROLLBACK; ${removal}`)
    await verify(pg, tables)
    await dropDownTo(result.ceiling / 2)
    const half = await memory(pg)
    await makeUpTo(result.ceiling)
    result.again = tables.length
    await change(0)
    await verify(pg, tables)
    await dropDownTo(0)
    const empty = await memory(pg)
    await makeUpTo(result.ceiling)
    result.afterAll = tables.length
    await verify(pg, tables)
    await dropDownTo(0)
    result.used = { start: used, full: full.used, half: half.used, empty: empty.used }
  })
  return { ...result, slowest }
}

/** How many tables the stream tables of `many` read. */
const READ = 50

/**
 * Makes so many stream tables with `room` bytes above what is in use at the start, filters and joins in turn; changes every
 * table that they read; and compares some of them with their queries. Returns bytes in use and CPU times in ms.
 */
export async function many(pg, { count, room, compared = 50, log = () => {} }) {
  for (let n = 0; n < READ; n++) {
    await pg.exec(`CREATE TABLE t${n} (id int PRIMARY KEY, k int, v int);
      INSERT INTO t${n} SELECT i, 1 + i % 5, i FROM generate_series(1, 20) i`)
  }
  const query = (m) =>
    m % 2 === 0
      ? `SELECT id, v FROM t${m % READ} WHERE v > ${m % 15}`
      : `SELECT a.id, b.v + ${m} AS v FROM t${m % READ} a JOIN t${(m + 1) % READ} b ON b.id = a.k`
  await pg.trickle.createStreamTable('warm', query(1))
  await pg.exec('UPDATE t1 SET v = v + 1')
  await pg.trickle.dropStreamTable('warm')
  await giveBack(pg)
  const { used: start } = await memory(pg)
  await pg.exec(`SET pgtrickle.memory_limit = '${start + room}'`)
  const times = []
  for (let m = 0; m < count; m++) {
    times.push(await cpuMilliseconds(() => pg.trickle.createStreamTable(`s${m}`, query(m))))
    if (m % 100 === 0) log(`${m} made`)
  }
  const { used: made } = await memory(pg)
  const changes = []
  let most = 0
  for (let n = 0; n < READ; n++) {
    changes.push(await cpuMilliseconds(() => pg.exec(`UPDATE t${n} SET v = v + 1 WHERE id < 4`)))
    await pg.exec(`INSERT INTO t${n} VALUES (100, 1, 100)`)
    most = Math.max(most, (await memory(pg)).used)
    log(`${n + 1} tables changed`)
  }
  const names = Array.from({ length: compared }, (_, n) => `s${Math.floor((n * count) / compared)}`)
  await verify(pg, names)
  const again = await cpuMilliseconds(() => pg.exec('UPDATE t0 SET v = v + 1 WHERE id < 4'))
  await giveBack(pg)
  const { used: rests } = await memory(pg)
  return {
    count,
    compared,
    used: { start, made, most, rests },
    creating: {
      all: times.reduce((a, b) => a + b, 0),
      first: median(times.slice(0, 100)),
      last: median(times.slice(-100)),
    },
    changing: { median: median(changes), again },
  }
}

async function verify(pg, tables) {
  for (const name of tables) {
    const { ok, missing, extra } = await pg.trickle.verifyStreamTable(name)
    if (!ok) throw new Error(`${name} differs from its query: ${missing} missing, ${extra} extra`)
  }
}

/** Whether it is the guard that refused. */
export function isGuard(error) {
  return error?.code === '53200' && /(more than 80 %|have to stay free)$/.test(error.message)
}

export const megabytes = (bytes) => (bytes / MEGABYTE).toFixed(1)
