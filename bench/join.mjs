// One-row changes to either table of a two-table join with GROUP BY.
//
//   node bench/join.mjs [--quick] [--json] [--help]

import { fileURLToPath } from 'node:url'
import { main } from './lib/benchmark.mjs'
import { triggersByHand } from './lib/by-hand.mjs'
import { readOptions } from './lib/options.mjs'

/** Each customer has ten orders, and the customers are spread evenly over the groups. */
const ORDERS_PER_CUSTOMER = 10

const customersOf = (rows) => Math.ceil(rows / ORDERS_PER_CUSTOMER)

export function join() {
  // The changed rows of either table, joined with the other table after the statement. If one statement changes both,
  // pairs of new rows count twice. Hand-written triggers usually have this gap, and it is left open here.
  const changedOrders = (s, rows) =>
    `SELECT c.region, o.amount FROM ${rows} AS o JOIN ${s}.customers AS c ON c.id = o.customer_id`
  const changedCustomers = (s, rows) =>
    `SELECT c.region, o.amount FROM ${rows} AS c JOIN ${s}.orders AS o ON o.customer_id = c.id`
  const columns = { key: 'region', value: 'amount' }

  return {
    name: 'join',
    title: 'GROUP BY over a join of two tables',
    key: 'region',
    query: (s) =>
      `SELECT c.region, count(*) AS n, sum(o.amount) AS total\n` +
      `FROM ${s}.orders AS o JOIN ${s}.customers AS c ON c.id = o.customer_id\n` +
      `GROUP BY c.region`,

    load: (s, { rows, groups }) => `
      CREATE TABLE ${s}.customers (id int PRIMARY KEY, region int NOT NULL);
      CREATE TABLE ${s}.orders (id int PRIMARY KEY, customer_id int NOT NULL, amount int NOT NULL);
      INSERT INTO ${s}.customers SELECT g, g % ${groups} FROM generate_series(1, ${customersOf(rows)}) AS g;
      INSERT INTO ${s}.orders SELECT g, 1 + g % ${customersOf(rows)}, g % 97 FROM generate_series(1, ${rows}) AS g;
      CREATE INDEX ON ${s}.orders (customer_id);`,

    byHand: (s) => `
      CREATE TABLE ${s}.agg (region int PRIMARY KEY, n bigint NOT NULL, total bigint NOT NULL);
      INSERT INTO ${s}.agg
        SELECT c.region, count(*), sum(o.amount)
        FROM ${s}.orders AS o JOIN ${s}.customers AS c ON c.id = o.customer_id GROUP BY c.region;
      ${triggersByHand(s, 'orders', { ...columns, changed: (rows) => changedOrders(s, rows) })}
      ${triggersByHand(s, 'customers', { ...columns, changed: (rows) => changedCustomers(s, rows) })}`,

    changes: [
      {
        name: 'INSERT order',
        sql: (s, { rows }, i) =>
          `INSERT INTO ${s}.orders VALUES (${rows} + ${i}, 1 + ${i} * 7 % ${customersOf(rows)}, ${i} % 101)`,
      },
      {
        name: 'UPDATE order',
        sql: (s, { rows }, i) => `UPDATE ${s}.orders SET amount = amount + 1 WHERE id = 1 + ${i} * 997 % ${rows}`,
      },
      {
        // Moves a customer, with all orders, to another group.
        name: 'UPDATE customer',
        sql: (s, { rows, groups }, i) =>
          `UPDATE ${s}.customers SET region = (region + 1) % ${groups} WHERE id = 1 + ${i} * 97 % ${customersOf(rows)}`,
      },
      { name: 'DELETE order', sql: (s, { rows }, i) => `DELETE FROM ${s}.orders WHERE id = ${rows} + ${i}` },
    ],
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = readOptions()
  await main([join()], options)
}
