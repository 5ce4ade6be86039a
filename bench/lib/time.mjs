/** Milliseconds that an action takes. */
export async function milliseconds(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}

/** Milliseconds of CPU time that this process has taken. */
export function cpuTime() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Milliseconds of CPU time that an action takes: other load on the machine has less influence on it. */
export async function cpuMilliseconds(action) {
  const before = cpuTime()
  await action()
  return cpuTime() - before
}

/** Milliseconds to run a query whose rows stay inside the database, so that sending them does not count. */
export function timeQueryInside(pg, query) {
  return milliseconds(() => pg.exec(`DO $$ BEGIN PERFORM * FROM (${query}) AS q; END $$`))
}
