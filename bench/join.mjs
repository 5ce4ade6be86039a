// One-row changes to either table of a two-table join with GROUP BY.
//
//   node bench/join.mjs [--quick] [--json] [--help]

import { fileURLToPath } from 'node:url'
import { main } from './lib/benchmark.mjs'
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
      ${triggersByHand(s, 'orders', (rows) => changedOrders(s, rows))}
      ${triggersByHand(s, 'customers', (rows) => changedCustomers(s, rows))}`,

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

/** Three statement triggers on `table`. `changed(rows)` selects what the transition table `rows` adds to the result. */
function triggersByHand(s, table, changed) {
  return `
      CREATE FUNCTION ${s}.${table}_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO ${s}.agg AS a SELECT region, count(*), sum(amount) FROM (${changed('new_rows')}) AS r GROUP BY region
        ON CONFLICT (region) DO UPDATE SET n = a.n + excluded.n, total = a.total + excluded.total;
        RETURN NULL;
      END $$;

      CREATE FUNCTION ${s}.${table}_updated() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        MERGE INTO ${s}.agg AS a
        USING (SELECT region, sum(w) AS n, sum(w * amount) AS total
               FROM (SELECT 1 AS w, n.* FROM (${changed('new_rows')}) AS n
                     UNION ALL
                     SELECT -1, o.* FROM (${changed('old_rows')}) AS o) AS r
               GROUP BY region) AS d
        ON a.region = d.region
        WHEN MATCHED AND a.n + d.n = 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET n = a.n + d.n, total = a.total + d.total
        WHEN NOT MATCHED THEN INSERT VALUES (d.region, d.n, d.total);
        RETURN NULL;
      END $$;

      CREATE FUNCTION ${s}.${table}_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        MERGE INTO ${s}.agg AS a
        USING (SELECT region, count(*) AS n, sum(amount) AS total FROM (${changed('old_rows')}) AS r GROUP BY region) AS d
        ON a.region = d.region
        WHEN MATCHED AND a.n = d.n THEN DELETE
        WHEN MATCHED THEN UPDATE SET n = a.n - d.n, total = a.total - d.total;
        RETURN NULL;
      END $$;

      CREATE TRIGGER ${table}_inserted AFTER INSERT ON ${s}.${table} REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${s}.${table}_inserted();
      CREATE TRIGGER ${table}_updated AFTER UPDATE ON ${s}.${table} REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${s}.${table}_updated();
      CREATE TRIGGER ${table}_deleted AFTER DELETE ON ${s}.${table} REFERENCING OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${s}.${table}_deleted();`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = readOptions()
  await main([join()], options)
}
