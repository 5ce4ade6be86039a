// Before the package is published: names the repository in package.json, and makes the README's links lead there, so
// that they work on npm's page too. A fork that publishes under its own name does not have to edit anything.
//
//   name-repository.mjs https://github.com/OWNER/NAME TAG
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Changes `package.json` and `README.md` in the folder of the package, which is `folder` in the repository. */
export function nameRepository(path, folder, url, tag) {
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
  Object.assign(manifest, {
    homepage: `${url}#readme`,
    bugs: `${url}/issues`,
    repository: { type: 'git', url: `git+${url}.git`, directory: folder },
  })
  writeFileSync(join(path, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  const readme = readFileSync(join(path, 'README.md'), 'utf8')
  writeFileSync(join(path, 'README.md'), readme.replaceAll('](../', `](${url}/blob/${tag}/`))
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [url, tag] = process.argv.slice(2)
  if (!url || !tag) {
    console.error('name-repository.mjs https://github.com/OWNER/NAME TAG')
    process.exit(2)
  }
  nameRepository(join(root, 'ts'), 'ts', url, tag)
}
