// What the gates that read sources share.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files of the checkout that git tracks or would track, relative to `root`, in order. */
export function sources(root, pattern = /./) {
  // The checkout may belong to another user, in a container for example.
  const git = ['-c', 'safe.directory=*', 'ls-files', '--cached', '--others', '--exclude-standard', '-z']
  return execFileSync('git', git, { cwd: root })
    .toString()
    .split('\0')
    .filter((path) => path && pattern.test(path) && existsSync(join(root, path)))
    .sort()
}

export const read = (root, path) => readFileSync(join(root, path), 'utf8')

/** Runs a program and gives its whole output back, with its status; nothing is thrown. */
export function run(root, command, args) {
  try {
    const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 }
    return { status: 0, output: execFileSync(command, args, options) }
  } catch (error) {
    return { status: error.status ?? -1, output: `${error.stdout ?? ''}${error.stderr ?? error.message}` }
  }
}

/** The last lines of an output, as a list of problems. */
export const tail = (output, lines = 40) => output.trimEnd().split('\n').slice(-lines)
