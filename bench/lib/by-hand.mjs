// The hand-written triggers that stream tables are compared with. They maintain `agg (key, n, total)`, a count and a sum
// by group, as a careful author would: one upsert for INSERT, and one MERGE for UPDATE and DELETE, which also removes
// empty groups. (An upsert with negative counts and a DELETE of empty groups is slower.) They rely on NOT NULL.

/** Three statement triggers on `table`. `changed(rows)` selects the key and the value of rows in a transition table. */
export function triggersByHand(s, table, { key, value, changed }) {
  return `
      CREATE FUNCTION ${s}.${table}_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO ${s}.agg AS a
        SELECT ${key}, count(*), sum(${value}) FROM (${changed('new_rows')}) AS r GROUP BY ${key}
        ON CONFLICT (${key}) DO UPDATE SET n = a.n + excluded.n, total = a.total + excluded.total;
        RETURN NULL;
      END $$;

      CREATE FUNCTION ${s}.${table}_updated() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        MERGE INTO ${s}.agg AS a
        USING (SELECT ${key}, sum(w) AS n, sum(w * ${value}) AS total
               FROM (SELECT 1 AS w, n.* FROM (${changed('new_rows')}) AS n
                     UNION ALL
                     SELECT -1, o.* FROM (${changed('old_rows')}) AS o) AS r
               GROUP BY ${key}) AS d
        ON a.${key} = d.${key}
        WHEN MATCHED AND a.n + d.n = 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET n = a.n + d.n, total = a.total + d.total
        WHEN NOT MATCHED THEN INSERT VALUES (d.${key}, d.n, d.total);
        RETURN NULL;
      END $$;

      CREATE FUNCTION ${s}.${table}_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        MERGE INTO ${s}.agg AS a
        USING (SELECT ${key}, count(*) AS n, sum(${value}) AS total FROM (${changed('old_rows')}) AS r GROUP BY ${key}) AS d
        ON a.${key} = d.${key}
        WHEN MATCHED AND a.n = d.n THEN DELETE
        WHEN MATCHED THEN UPDATE SET n = a.n - d.n, total = a.total - d.total;
        RETURN NULL;
      END $$;

      CREATE TRIGGER ${table}_inserted AFTER INSERT ON ${s}.${table} REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${s}.${table}_inserted();
      CREATE TRIGGER ${table}_updated AFTER UPDATE ON ${s}.${table}
        REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${s}.${table}_updated();
      CREATE TRIGGER ${table}_deleted AFTER DELETE ON ${s}.${table} REFERENCING OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION ${s}.${table}_deleted();`
}
