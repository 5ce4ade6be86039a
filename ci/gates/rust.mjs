// rustfmt and clippy, those of the toolchain that builds the module: another version may judge otherwise.
import { join } from 'node:path'
import { run, tail } from './files.mjs'

export const name = 'cargo fmt, clippy'

/** The planner is a workspace of its own. */
const WORKSPACES = ['Cargo.toml', 'pg_trickle_core/planner/Cargo.toml']

/** `manifests`, relative to the root, are of crates or workspaces. */
export function check(root, manifests = WORKSPACES) {
  return { problems: manifests.flatMap((manifest) => problemsOf(root, manifest)), notes: [] }
}

function problemsOf(root, manifest) {
  const cargo = (...args) =>
    run(root, join(root, 'ci/toolchain.sh'), ['env', 'CARGO_TARGET_DIR=target/native', 'cargo', ...args])
  const problems = []
  const format = cargo('fmt', '--manifest-path', manifest, '--all', '--check', '--', '--color', 'never')
  if (format.status) problems.push(...tail(format.output))
  const scope = ['--manifest-path', manifest, '--workspace', '--all-targets']
  const lint = cargo('clippy', '--quiet', ...scope, '--', '-D', 'warnings')
  if (lint.status) problems.push(...tail(lint.output, 60))
  return problems
}
