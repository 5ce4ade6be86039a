// Versions and machine, so that the figures can be read later.

import { createRequire } from 'node:module'
import os from 'node:os'

export async function environment(pg) {
  const { rows } = await pg.query(`
    SELECT current_setting('server_version') AS postgres,
           (SELECT extversion FROM pg_extension WHERE extname = 'pg_trickle') AS pg_trickle`)
  return {
    ...rows[0],
    pglite: createRequire(import.meta.url)('@electric-sql/pglite/package.json').version,
    node: process.versions.node,
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
  }
}
