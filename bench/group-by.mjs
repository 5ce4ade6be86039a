// One-row changes under `SELECT k, count(*), sum(x) FROM t GROUP BY k`.
//
//   node bench/group-by.mjs [--quick] [--json] [--help]

import { fileURLToPath } from 'node:url'
import { main } from './lib/benchmark.mjs'
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

    // What a careful author would write: one upsert for INSERT, and one MERGE for UPDATE and DELETE, which also removes
    // empty groups. (An upsert with negative counts and a DELETE of empty groups is slower.) It relies on NOT NULL.
    byHand: (s) => `
      CREATE TABLE ${s}.agg (k int PRIMARY KEY, n bigint NOT NULL, total bigint NOT NULL);
      INSERT INTO ${s}.agg SELECT k, count(*), sum(x) FROM ${s}.t GROUP BY k;

      CREATE FUNCTION ${s}.t_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO ${s}.agg AS a SELECT k, count(*), sum(x) FROM new_rows GROUP BY k
        ON CONFLICT (k) DO UPDATE SET n = a.n + excluded.n, total = a.total + excluded.total;
        RETURN NULL;
      END $$;

      CREATE FUNCTION ${s}.t_updated() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        MERGE INTO ${s}.agg AS a
        USING (SELECT k, sum(w) AS n, sum(w * x) AS total
               FROM (SELECT k, x, 1 AS w FROM new_rows UNION ALL SELECT k, x, -1 FROM old_rows) AS r
               GROUP BY k) AS d
        ON a.k = d.k
        WHEN MATCHED AND a.n + d.n = 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET n = a.n + d.n, total = a.total + d.total
        WHEN NOT MATCHED THEN INSERT VALUES (d.k, d.n, d.total);
        RETURN NULL;
      END $$;

      CREATE FUNCTION ${s}.t_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        MERGE INTO ${s}.agg AS a
        USING (SELECT k, count(*) AS n, sum(x) AS total FROM old_rows GROUP BY k) AS d
        ON a.k = d.k
        WHEN MATCHED AND a.n = d.n THEN DELETE
        WHEN MATCHED THEN UPDATE SET n = a.n - d.n, total = a.total - d.total;
        RETURN NULL;
      END $$;

      CREATE TRIGGER t_inserted AFTER INSERT ON ${s}.t REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${s}.t_inserted();
      CREATE TRIGGER t_updated AFTER UPDATE ON ${s}.t REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${s}.t_updated();
      CREATE TRIGGER t_deleted AFTER DELETE ON ${s}.t REFERENCING OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${s}.t_deleted();`,

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
