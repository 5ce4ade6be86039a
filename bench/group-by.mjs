// One-row changes under `SELECT k, count(*), sum(x) FROM t GROUP BY k`.
//
//   node bench/group-by.mjs [--quick] [--json] [--help]

import { fileURLToPath } from 'node:url'
import { main } from './lib/benchmark.mjs'
import { triggersByHand } from './lib/by-hand.mjs'
import { readOptions } from './lib/options.mjs'

/** The workload. `nullable` omits NOT NULL, so that the stream table must also count the inputs that are not NULL. */
export function groupBy({ nullable = false } = {}) {
  const constraint = nullable ? '' : 'NOT NULL'
  return {
    name: nullable ? 'group-by-nullable' : 'group-by',
    title: `GROUP BY over one table${nullable ? ', nullable columns' : ''}`,
    key: 'k',
    query: (s) => `SELECT k, count(*) AS n, sum(x) AS total FROM ${s}.t GROUP BY k`,

    load: (s, { rows, groups }) => `
      CREATE TABLE ${s}.t (id int PRIMARY KEY, k int ${constraint}, x int ${constraint});
      INSERT INTO ${s}.t SELECT g, g % ${groups}, g % 97 FROM generate_series(1, ${rows}) AS g;`,

    byHand: (s) => `
      CREATE TABLE ${s}.agg (k int PRIMARY KEY, n bigint NOT NULL, total bigint NOT NULL);
      INSERT INTO ${s}.agg SELECT k, count(*), sum(x) FROM ${s}.t GROUP BY k;
      ${triggersByHand(s, 't', { key: 'k', value: 'x', changed: (rows) => `SELECT k, x FROM ${rows}` })}`,

    // Updates are spread over the whole table; deletes remove the inserted rows.
    changes: [
      {
        name: 'INSERT',
        goal: true,
        sql: (s, { rows, groups }, i) => `INSERT INTO ${s}.t VALUES (${rows} + ${i}, ${i} * 7 % ${groups}, ${i} % 101)`,
      },
      {
        name: 'UPDATE x',
        sql: (s, { rows }, i) => `UPDATE ${s}.t SET x = x + 1 WHERE id = 1 + ${i} * 997 % ${rows}`,
      },
      {
        name: 'UPDATE k',
        sql: (s, { rows, groups }, i) =>
          `UPDATE ${s}.t SET k = (k + 1) % ${groups} WHERE id = 1 + ${i} * 997 % ${rows}`,
      },
      { name: 'DELETE', sql: (s, { rows }, i) => `DELETE FROM ${s}.t WHERE id = ${rows} + ${i}` },
    ],
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = readOptions()
  await main([groupBy(options)], options)
}
