// A workload is a query, its tables, and one-row changes to them. `install` creates one copy of it, in a separate schema,
// for each competitor and size, so that all of them run interleaved in one database.
//
// A workload is an object:
//   name, title           for the report
//   query(s)              the query over the tables in schema `s`
//   load(s, size)         SQL that creates and fills these tables
//   byHand(s)             SQL that creates and fills `s.agg` and the hand-written triggers that maintain it
//   key                   the column that identifies a row of the result (live.incrementalQuery needs it)
//   changes               [{ name, sql(s, size, i) }]: `i` is an SQL expression that runs from 1 to the number of changes;
//                         together, the changes of a round do not change the size of the tables

export const VARIANTS = ['none', 'hand', 'stream']

export const schemaOf = (variant, rows) => `${variant}_${rows}`

/** Creates one competitor's copy: the tables, what maintains the result, and functions that make the changes. */
export async function install(pg, workload, variant, size) {
  const schema = schemaOf(variant, size.rows)
  await pg.exec(`CREATE SCHEMA ${schema}; ${workload.load(schema, size)}`)
  await pg.exec('ANALYZE')
  if (variant === 'hand') await pg.exec(workload.byHand(schema))
  if (variant === 'stream') await pg.trickle.createStreamTable(`${schema}.agg`, workload.query(schema))
  for (const [index, change] of workload.changes.entries()) {
    await pg.exec(
      `CREATE FUNCTION ${schema}.change_${index}(changes int) RETURNS void LANGUAGE plpgsql AS $loop$
       BEGIN
         FOR i IN 1..changes LOOP
           ${change.sql(schema, size, 'i')};
         END LOOP;
       END $loop$`,
    )
  }
}
