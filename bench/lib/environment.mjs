// The environment of a measurement, without which its figures mean nothing.

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import os from 'node:os'

/** The versions of all components, and the machine. */
export async function environment(pg) {
  const server = await pg.query('SHOW server_version')
  return {
    pglite: packageVersion('@electric-sql/pglite'),
    postgres: server.rows[0].server_version,
    pg_trickle: await extensionVersion(pg, 'pg_trickle'),
    node: process.versions.node,
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    memoryGB: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.arch()}`,
  }
}

/** The version of an installed extension, or null. */
export async function extensionVersion(pg, name) {
  const { rows } = await pg.query('SELECT extversion FROM pg_extension WHERE extname = $1', [name])
  return rows[0]?.extversion ?? null
}

/** The version in a package's package.json, which the package may not export. */
export function packageVersion(name) {
  let folder = dirname(createRequire(import.meta.url).resolve(name))
  for (;;) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (manifest.name === name) return manifest.version
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
    const parent = dirname(folder)
    if (parent === folder) return null
    folder = parent
  }
}
