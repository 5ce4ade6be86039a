// rustfmt and clippy, those of the toolchain that builds the module: another version may judge otherwise.
import { join } from 'node:path'
import { run, tail } from './files.mjs'

export const name = 'cargo fmt, clippy'

/** `manifest`, relative to the root: of one crate or of the workspace. */
export function check(root, manifest = 'Cargo.toml') {
  const cargo = (...args) =>
    run(root, join(root, 'ci/toolchain.sh'), ['env', 'CARGO_TARGET_DIR=target/native', 'cargo', ...args])
  const problems = []
  const format = cargo('fmt', '--manifest-path', manifest, '--all', '--check', '--', '--color', 'never')
  if (format.status) problems.push(...tail(format.output))
  const scope = ['--manifest-path', manifest, '--workspace', '--all-targets']
  const lint = cargo('clippy', '--quiet', ...scope, '--', '-D', 'warnings')
  if (lint.status) problems.push(...tail(lint.output, 60))
  return { problems, notes: [] }
}
