// Versions and machine, so that the figures can be read later.

import { readFileSync } from 'node:fs'
import os from 'node:os'

export async function environment(pg) {
  const { rows } = await pg.query(`
    SELECT current_setting('server_version') AS postgres,
           (SELECT extversion FROM pg_extension WHERE extname = 'pg_trickle') AS pg_trickle`)
  return {
    ...rows[0],
    pglite: versionOf('@electric-sql/pglite'),
    node: process.versions.node,
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
  }
}

/** The package does not export its package.json, which lies above its entry dist/index.js. */
function versionOf(name) {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.resolve(name)), 'utf8')).version
}
