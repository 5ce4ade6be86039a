/** Milliseconds that an action takes. */
export async function milliseconds(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}

/** Milliseconds to run a query whose rows stay inside the database, so that sending them does not count. */
export function timeQueryInside(pg, query) {
  return milliseconds(() => pg.exec(`DO $$ BEGIN PERFORM * FROM (${query}) AS q; END $$`))
}
