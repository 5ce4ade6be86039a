// Rewrites with prettier what the gate looks at.
import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as prettier from 'prettier'
import { read } from './gates/files.mjs'
import { formatted } from './gates/javascript.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
for (const path of formatted(root)) {
  const text = read(root, path)
  const right = await prettier.format(text, { ...(await prettier.resolveConfig(join(root, path))), filepath: path })
  if (right === text) continue
  writeFileSync(join(root, path), right)
  console.log(path)
}
