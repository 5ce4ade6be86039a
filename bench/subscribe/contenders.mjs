// What is compared: each follows the same view, count and sum by group, over `size` rows of its own.

import { count, createCollection, createLiveQueryCollection, sum } from '@tanstack/db'

const query = (table) => `SELECT shop, count(*) AS n, sum(amount) AS total FROM ${table} GROUP BY shop`

/** The row that the nth change is made to: a different one each time, spread over all groups. */
const rowOf = (n, size) => 1 + ((n * 997) % size)

/** Waits for callbacks: `next()` is the time at which the next one comes. */
function ear() {
  let heard = () => {}
  return {
    hear: () => heard(performance.now()),
    next: () => new Promise((resolve) => (heard = resolve)),
  }
}

/** A table with `size` rows, and how the nth change is made to it. */
async function table(pg, name, { size, groups }) {
  await pg.exec(`
    CREATE TABLE ${name} (id int PRIMARY KEY, shop int NOT NULL, amount int NOT NULL);
    INSERT INTO ${name} SELECT g, g % ${groups}, g % 97 FROM generate_series(1, ${size}) AS g;`)
  return (n) => pg.query(`UPDATE ${name} SET amount = amount + 1 WHERE id = $1`, [rowOf(n, size)])
}

/** A query of PGlite's `live` that tells changes by key, by the name of its method. */
function liveQuery(method, letter) {
  return {
    samples: 3,
    async start(pg, { size, groups }) {
      const name = `${letter}${size}`
      const change = await table(pg, name, { size, groups })
      const { hear, next } = ear()
      await pg.live[method](query(name), [], 'shop', hear)
      return { change, next }
    },
  }
}

/** The one that the others are compared with. */
export const OURS = 'subscribe'

/**
 * By name: `samples`, the changes in a round, fewer where each takes long; and `start`, which opens what follows the rows and gives
 * `change(n)`, which makes the nth change, and `next()`, which resolves when it has been told.
 */
export const CONTENDERS = {
  [OURS]: {
    samples: 20,
    async start(pg, { size, groups }) {
      const change = await table(pg, `s${size}`, { size, groups })
      await pg.trickle.createStreamTable(streamTable(size), query(`s${size}`))
      const { hear, next } = ear()
      await pg.trickle.subscribe(streamTable(size), hear)
      return { change, next }
    },
  },
  'live.incrementalQuery': liveQuery('incrementalQuery', 'i'),
  'live.changes': liveQuery('changes', 'c'),
  // pg_ivm calls nobody back: the way to be told is a live query of what it maintains.
  'pg_ivm + live.changes': {
    samples: 5,
    async start(pg, { size, groups }) {
      const change = await table(pg, `p${size}`, { size, groups })
      await pg.query('SELECT pgivm.create_immv($1, $2)', [`v${size}`, query(`p${size}`)])
      const { hear, next } = ear()
      await pg.live.changes(`SELECT shop, n, total FROM v${size}`, [], 'shop', hear)
      return { change, next }
    },
  },
  // All rows in its memory, and changes that come to it as from a server: nothing is stored.
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
      const { hear, next } = ear()
      totals.subscribeChanges(hear)
      const change = (n) => {
        const row = rows.get(rowOf(n, size))
        server.begin()
        server.write({ type: 'update', value: { ...row, amount: row.amount + 1 } })
        server.commit()
      }
      return { change, next }
    },
  },
}

/** The name of the stream table over `size` rows. */
export function streamTable(size) {
  return `t${size}`
}
