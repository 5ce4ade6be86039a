// Compares a relation with a query, as multisets: duplicates and NULLs count.

/** Counts the rows of the query that the relation lacks, and the rows that it has in excess. */
export async function differences(pg, relation, query) {
  const { rows } = await pg.query(
    `WITH q AS MATERIALIZED (${query}), r AS MATERIALIZED (SELECT * FROM ${relation})
     SELECT (SELECT count(*)::int FROM (SELECT * FROM q EXCEPT ALL SELECT * FROM r) AS d) AS missing,
       (SELECT count(*)::int FROM (SELECT * FROM r EXCEPT ALL SELECT * FROM q) AS d) AS extra`,
  )
  return rows[0]
}

/** Whether the relation has exactly the rows of the query. */
export async function equalsQuery(pg, relation, query) {
  const { missing, extra } = await differences(pg, relation, query)
  return missing === 0 && extra === 0
}
