// One version for everything that is released together, and a way to it from every version that was released.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { read, sources } from './files.mjs'

export const name = 'one version'

/** `[[where, version or undefined]]` */
export function versions(root) {
  const json = (path) => JSON.parse(read(root, path))
  const found = [['ts/package.json', json('ts/package.json').version]]
  found.push(['package-lock.json, ts', json('package-lock.json').packages.ts?.version])
  const workspace = /^\[workspace\.package\][^[]*?^version\s*=\s*"([^"]*)"/ms.exec(read(root, 'Cargo.toml'))?.[1]
  found.push(['Cargo.toml', workspace])
  for (const crate of ['pg_trickle_core', 'pg_trickle_pglite']) {
    const own = /^version(?:\s*=\s*"([^"]*)"|\.workspace\s*=\s*true)/m.exec(read(root, `${crate}/Cargo.toml`))
    found.push([`${crate}/Cargo.toml`, own && (own[1] ?? workspace)])
    found.push([
      `Cargo.lock, ${crate}`,
      new RegExp(`name = "${crate}"\\nversion = "([^"]*)"`).exec(read(root, 'Cargo.lock'))?.[1],
    ])
  }
  const control = 'shim/pg_trickle.control'
  found.push([
    control,
    existsSync(join(root, control)) ? /^default_version\s*=\s*'([^']*)'/m.exec(read(root, control))?.[1] : undefined,
  ])
  // An upgrade script is named pg_trickle--OLD--NEW.sql and says nothing about the version that is built.
  const scripts = sources(root, /^shim\/pg_trickle--(?:(?!--).)*\.sql$/)
  for (const path of scripts) found.push([path, /--(.*)\.sql$/.exec(path)[1]])
  if (!scripts.length) found.push(['shim/pg_trickle--VERSION.sql', undefined])
  return found
}

/** The versions that CHANGELOG.md says were released, and that no upgrade scripts lead from to this one. */
export function stranded(root, wanted) {
  const released = [...read(root, 'CHANGELOG.md').matchAll(/^## \[(\d+\.\d+\.\d+)\]/gm)].map(([, version]) => version)
  const steps = sources(root, /^shim\/pg_trickle--.+--.+\.sql$/).map((path) =>
    /pg_trickle--(.+)--(.+)\.sql$/.exec(path).slice(1),
  )
  const reached = new Set([wanted])
  for (const version of reached) for (const [from, to] of steps) if (to === version) reached.add(from)
  return released.filter((version) => !reached.has(version))
}

export function check(root) {
  const found = versions(root)
  const wanted = found[0][1]
  const lost = stranded(root, wanted)
  return {
    problems: [
      ...found
        .filter(([, version]) => !version || version !== wanted)
        .map(([where, version]) => `${where}: ${version ?? 'no version found'}, ts/package.json has ${wanted}`),
      ...lost.map((version) => `no scripts shim/pg_trickle--OLD--NEW.sql lead from ${version} to ${wanted}`),
    ],
    notes: [`${wanted}, in ${found.length} places`],
  }
}
