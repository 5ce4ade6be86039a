// The contenders. Each follows the same query, a count and a sum by group, over its own table of `size` rows.

import { createSchema, createWasmStore, number, table as rindleTable } from '@rindle/wasm'
import { count, createCollection, createLiveQueryCollection, sum } from '@tanstack/db'

const query = (table) => `SELECT shop, count(*) AS n, sum(amount) AS total FROM ${table} GROUP BY shop`

/** The row that the nth change updates. The rows are spread over all groups. */
const rowOf = (n, size) => 1 + ((n * 997) % size)

/** Waits for callbacks: `next()` resolves to the time of the next one. */
function callbackTimer() {
  let resolveNext = () => {}
  return {
    callback: () => resolveNext(performance.now()),
    next: () => new Promise((resolve) => (resolveNext = resolve)),
  }
}

/** Creates a table with `size` rows, and returns a function that makes the nth change to it. */
async function table(pg, name, { size, groups }) {
  await pg.exec(`
    CREATE TABLE ${name} (id int PRIMARY KEY, shop int NOT NULL, amount int NOT NULL);
    INSERT INTO ${name} SELECT g, g % ${groups}, g % 97 FROM generate_series(1, ${size}) AS g;`)
  return (n) => pg.query(`UPDATE ${name} SET amount = amount + 1 WHERE id = $1`, [rowOf(n, size)])
}

/** A contender that uses a method of PGlite's `live` with a key. */
function liveQuery(method, prefix) {
  return {
    samples: 3,
    async start(pg, { size, groups }) {
      const name = `${prefix}${size}`
      const change = await table(pg, name, { size, groups })
      const { callback, next } = callbackTimer()
      await pg.live[method](query(name), [], 'shop', callback)
      return { change, next }
    },
  }
}

/** The contender that the others are compared with. */
export const REFERENCE = 'subscribe'

/**
 * By name. `samples` is the number of changes in a round, smaller where each takes long. `start` subscribes and returns
 * `change(n)`, which makes the nth change, and `next()`, which resolves when a change has been reported.
 */
export const CONTENDERS = {
  [REFERENCE]: {
    samples: 20,
    async start(pg, { size, groups }) {
      const change = await table(pg, `s${size}`, { size, groups })
      await pg.trickle.createStreamTable(streamTable(size), query(`s${size}`))
      const { callback, next } = callbackTimer()
      await pg.trickle.subscribe(streamTable(size), callback)
      return { change, next }
    },
  },
  'live.incrementalQuery': liveQuery('incrementalQuery', 'i'),
  'live.changes': liveQuery('changes', 'c'),
  // pg_ivm has no callbacks, so a live query reads what it maintains.
  'pg_ivm + live.changes': {
    samples: 5,
    async start(pg, { size, groups }) {
      const change = await table(pg, `p${size}`, { size, groups })
      await pg.query('SELECT pgivm.create_immv($1, $2)', [`v${size}`, query(`p${size}`)])
      const { callback, next } = callbackTimer()
      await pg.live.changes(`SELECT shop, n, total FROM v${size}`, [], 'shop', callback)
      return { change, next }
    },
  },
  // All rows are in its memory, and changes arrive as if from a server: nothing is stored.
  '@tanstack/db': {
    samples: 20,
    async start(_, { size, groups }) {
      let server
      const rows = createCollection({
        getKey: (row) => row.id,
        startSync: true,
        sync: {
          rowUpdateMode: 'full',
          sync(given) {
            server = given
            server.begin()
            for (let id = 1; id <= size; id++) {
              server.write({ type: 'insert', value: { id, shop: id % groups, amount: id % 97 } })
            }
            server.commit()
            server.markReady()
          },
        },
      })
      const totals = createLiveQueryCollection((q) =>
        q
          .from({ row: rows })
          .groupBy(({ row }) => row.shop)
          .select(({ row }) => ({ shop: row.shop, n: count(row.id), total: sum(row.amount) })),
      )
      await totals.preload()
      const { callback, next } = callbackTimer()
      totals.subscribeChanges(callback)
      const change = (n) => {
        const row = rows.get(rowOf(n, size))
        server.begin()
        server.write({ type: 'update', value: { ...row, amount: row.amount + 1 } })
        server.commit()
      }
      return { change, next }
    },
  },
  // In memory too. It has no sums, so it counts alone, and a change moves a row to the next group.
  '@rindle/wasm, count alone': {
    samples: 20,
    async start(_, { size, groups }) {
      const rows = rindleTable('row').columns({ id: number(), shop: number(), amount: number() }).primaryKey('id')
      const store = await createWasmStore(createSchema({ tables: [rows] }))
      const shops = Array.from({ length: size + 1 }, (_, id) => id % groups)
      const row = (id) => ({ id, shop: shops[id], amount: id % 97 })
      const AT_ONCE = 10_000
      for (let from = 1; from <= size; from += AT_ONCE) {
        await store.write((tx) => {
          for (let id = from; id < Math.min(from + AT_ONCE, size + 1); id++) tx.add('row', row(id))
        })
      }
      const { callback, next } = callbackTimer()
      store.query.row.groupBy('shop').count().materialize().subscribe(callback)
      const change = (n) => {
        const id = rowOf(n, size)
        const before = row(id)
        shops[id] = (shops[id] + 1) % groups
        return store.write((tx) => tx.edit('row', before, row(id)))
      }
      return { change, next }
    },
  },
}

/** The name of the stream table over `size` rows. */
export function streamTable(size) {
  return `t${size}`
}
