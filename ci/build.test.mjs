// The build, in a checkout of its own whose toolchain is a script of the test: what it takes, what it refuses.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { deadLinks } from '../docs/site/dead-links.mjs'
import { report, toolsIn } from './compare-versions.mjs'
import { judged } from './counts.mjs'
import { nameRepository } from './name-repository.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const folders = []
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

function temporary() {
  const folder = mkdtempSync(join(tmpdir(), 'build-'))
  folders.push(folder)
  return folder
}

/** A checkout with this one's scripts and npm packages, and what the build needs to see of sources. */
function checkout() {
  const folder = temporary()
  cpSync(join(root, 'ci'), join(folder, 'ci'), { recursive: true })
  for (const path of ['package.json', 'package-lock.json', 'ts/package.json', 'Cargo.toml', 'Cargo.lock'])
    cpSync(join(root, path), join(folder, path))
  for (const path of ['pg_trickle_core/src', 'pg_trickle_core/planner/src', 'pg_trickle_pglite/src', 'shim'])
    mkdirSync(join(folder, path), { recursive: true })
  for (const crate of ['pg_trickle_core', 'pg_trickle_core/planner', 'pg_trickle_pglite'])
    writeFileSync(join(folder, crate, 'Cargo.toml'), '')
  writeFileSync(join(folder, 'pg_trickle_core/planner/Cargo.lock'), '')
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** A module that imports `(func (param i32))` by this name from `env`. */
function moduleWith(name) {
  const text = [...Buffer.from(name)]
  const entry = [1, 3, ...Buffer.from('env'), text.length, ...text, 0, 0]
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 1, 0x7f, 0, 2, entry.length, ...entry])
}

/** The files of the planner, which are beside the bundles. */
const PLANNER = ['planner.wasm.gz', 'planner-glue.js']

/** Bundles for both majors, in a folder of their own, with a module that imports `name`. */
function bundlesWith(name, majors = [17, 18]) {
  const folder = temporary()
  mkdirSync(join(folder, 'lib/postgresql'), { recursive: true })
  writeFileSync(join(folder, 'lib/postgresql/pg_trickle.so'), moduleWith(name))
  for (const file of PLANNER) writeFileSync(join(folder, file), file)
  for (const major of majors)
    execFileSync('tar', ['-czf', `pg_trickle-pg${major}.tar.gz`, 'lib/postgresql/pg_trickle.so'], { cwd: folder })
  return folder
}

/** A toolchain that builds nothing: it copies these bundles to where the build looks for its own. */
function fakeToolchain(folder, bundles) {
  const script = `#!/usr/bin/env bash
    set -euo pipefail
    [ "$1" != true ] || exit 0
    if [ "$1" = ci/build-planner.sh ]; then
      mkdir -p build/planner
      cp ${PLANNER.map((file) => join(bundles, file)).join(' ')} build/planner/
      exit 0
    fi
    echo run >>build/runs
    cp ${bundles}/*.tar.gz build/
    for major in 17 18; do
      mkdir -p build/pg$major
      cp ${bundles}/lib/postgresql/pg_trickle.so build/pg$major/pg_trickle.so
      touch build/pg$major/named.wasm
    done
    echo 'tool rustc 1.0.0' >build/toolchain.versions
  `
  writeFileSync(join(folder, 'ci/toolchain.sh'), script)
}

function build(folder, bundles, programs = '') {
  const PATH = `${programs}:${process.env.PATH}`
  const env = { ...process.env, PATH, PG_TRICKLE_BUNDLES: bundles, INIT_CWD: folder }
  const { status, stderr } = spawnSync('bash', ['ci/build.sh', '--wasm'], { cwd: folder, env, encoding: 'utf8' })
  return { status, stderr }
}

const placed = (folder) => existsSync(join(folder, 'ts/dist/pg_trickle-pg17.tar.gz'))

test('bundles of elsewhere are taken, without a toolchain', () => {
  const folder = checkout()
  rmSync(join(folder, 'ci/toolchain.sh'))
  const bundles = bundlesWith('pfree')
  const { status, stderr } = build(folder, bundles)
  assert.equal(status, 0, stderr)
  const same = (path, other) => assert.deepEqual(readFileSync(join(folder, path)), readFileSync(join(bundles, other)))
  for (const major of [17, 18]) {
    same(`ts/dist/pg_trickle-pg${major}.tar.gz`, `pg_trickle-pg${major}.tar.gz`)
  }
  // A relative path starts where npm was called.
  cpSync(bundles, join(folder, 'here'), { recursive: true })
  assert.equal(build(folder, 'here').status, 0)
})

test('a folder without a bundle is refused by name', () => {
  const folder = checkout()
  const { status, stderr } = build(folder, bundlesWith('pfree', [17]))
  assert.equal(status, 1)
  assert.match(stderr, /error: PG_TRICKLE_BUNDLES=.*: there is no file .*\/pg_trickle-pg18\.tar\.gz/)
  assert.ok(!placed(folder))
})

/** A folder with an `npm` whose `npm pack` does this, in `$to`, the folder that the package is to be put into. */
function fakeNpm(script) {
  const folder = temporary()
  const head = '#!/usr/bin/env bash\nset -e\nwhile [ "$1" != --pack-destination ]; do shift; done; to=$2\n'
  writeFileSync(join(folder, 'npm'), head + script, { mode: 0o755 })
  return folder
}

test('bundles of the last release are got from npm once', () => {
  const folder = checkout()
  const missing = build(folder, 'published', fakeNpm('echo "npm error code E404" >&2; exit 1'))
  assert.equal(missing.status, 1)
  assert.match(
    missing.stderr,
    /npm did not give the package @pgtrickle\/pglite\.\nnpm error code E404\nSet PG_TRICKLE_B/,
  )

  const files = temporary()
  cpSync(bundlesWith('pfree'), join(files, 'package/dist'), { recursive: true })
  const { status, stderr } = build(folder, 'published', fakeNpm(`tar -czf $to/p-1.0.0.tgz -C ${files} package`))
  assert.equal(status, 0, stderr)
  assert.ok(placed(folder))
  assert.equal(build(folder, 'published', fakeNpm('exit 1')).status, 0)
})

test('a build whose module imports what a PGlite lacks fails, and fails again', () => {
  const folder = checkout()
  // The function that a header of PostgreSQL 17.12 made of a macro: no PGlite 0.4 has it.
  fakeToolchain(folder, bundlesWith('DatumGetHeapTupleHeader'))
  for (const attempt of ['first', 'second']) {
    const { status, stderr } = build(folder, '')
    assert.notEqual(status, 0, attempt)
    assert.match(stderr, /error: pg17 on PGlite 0\.4\.0: env\.DatumGetHeapTupleHeader: missing/, attempt)
    assert.ok(!placed(folder), attempt)
  }
  assert.notEqual(build(folder, bundlesWith('DatumGetHeapTupleHeader')).status, 0)
  assert.ok(!placed(folder))

  fakeToolchain(folder, bundlesWith('pfree'))
  writeFileSync(join(folder, 'shim/shim.c'), '/* changed */')
  assert.equal(build(folder, '').status, 0)
  assert.ok(placed(folder))
  assert.equal(build(folder, '').status, 0)
  assert.equal(
    readFileSync(join(folder, 'build/runs'), 'utf8'),
    'run\nrun\n',
    'what has not changed is not built again',
  )
})

test('a build says what it was built with', () => {
  const folder = checkout()
  fakeToolchain(folder, bundlesWith('pfree'))
  const { stderr } = build(folder, '')
  assert.match(stderr, /Built with rustc 1\.0\.0/)
  assert.match(stderr, /NOTE: rustc is 1\.0\.0; ci\/toolchain\.versions records \d/)
})

test('versions: moved, new, and not to be found out', () => {
  const recorded = toolsIn('# tool comment 1\ntool a 1.2\ntool b 17.12 (Debian 17.12-0)\npackage c 1\n')
  assert.deepEqual([...recorded.keys()], ['a', 'b'])
  assert.deepEqual(report(recorded, recorded), ['Built with a 1.2, b 17.12 (Debian 17.12-0)'])
  assert.deepEqual(report(recorded, toolsIn('tool a 1.3\ntool c 4\n')), [
    'Built with a 1.3, c 4',
    'NOTE: a is 1.3; ci/toolchain.versions records 1.2',
    'NOTE: c is 4; ci/toolchain.versions records no version of it',
    'NOTE: the version of b could not be found out',
  ])
})

test('versions: the record names every tool that the build looks at, and every package once', () => {
  const text = readFileSync(join(root, 'ci/toolchain.versions'), 'utf8')
  const looked = [...readFileSync(join(root, 'ci/build-wasm.sh'), 'utf8').matchAll(/found_version ([a-z-]+) /g)]
  const headers = [17, 18].map((major) => `postgresql-${major}-headers`)
  assert.deepEqual([...toolsIn(text).keys()], [...looked.map(([, name]) => name), ...headers])
  const packages = [...text.matchAll(/^package (\S+) \S+$/gm)].map(([, name]) => name)
  assert.deepEqual(packages, [...new Set(packages)])
  for (const major of [17, 18]) assert.ok(packages.includes(`postgresql-server-dev-${major}:armhf`))
})

test('a package that is to be published names its repository, and its links lead there', () => {
  const folder = temporary()
  writeFileSync(join(folder, 'package.json'), '{ "name": "p", "license": "Apache-2.0" }')
  const text = 'See [one](../docs/A.md#b), [an\nother](../README.md), [this](#here), [the web](https://example.org/).'
  writeFileSync(join(folder, 'README.md'), text)
  nameRepository(folder, 'ts', 'https://example.org/o/n', 'v1.2.3')
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')), {
    name: 'p',
    license: 'Apache-2.0',
    homepage: 'https://example.org/o/n#readme',
    bugs: 'https://example.org/o/n/issues',
    repository: { type: 'git', url: 'git+https://example.org/o/n.git', directory: 'ts' },
  })
  const at = 'https://example.org/o/n/blob/v1.2.3'
  assert.equal(
    readFileSync(join(folder, 'README.md'), 'utf8'),
    text.replace('(../docs', `(${at}/docs`).replace('(../README', `(${at}/README`),
  )
})

test('a link of the site that leads to no page, file or heading is found', () => {
  const folder = temporary()
  mkdirSync(join(folder, 'a'))
  const good =
    '<h2 id="part">Part</h2><a href="/base/">home</a><a href="#part">part</a><a href="https://example.org">web</a>'
  writeFileSync(join(folder, 'index.html'), `${good}<a href="/base/a/b.html#there">b</a><img src="./c.svg">`)
  writeFileSync(join(folder, 'a/b.html'), '<h1 id="there">B</h1><a href="../index.html#part">up</a>')
  writeFileSync(join(folder, 'c.svg'), '')
  assert.deepEqual(deadLinks(folder, '/base/'), [])
  const wrong = ['/base/a/c.html', '/other/', '#other', 'a/b.html#part', './d.svg']
  writeFileSync(join(folder, 'index.html'), wrong.map((link) => `<a class="x" href="${link}">x</a>`).join(''))
  assert.deepEqual(
    deadLinks(folder, '/base/').filter((line) => line.startsWith('index')),
    wrong.map((link) => `index.html: ${link}`),
  )
})

test('a suite that fails although its tests pass says why', () => {
  const passed = { passed: 3, failed: 0 }
  const output = '\x1b[31mERROR: Coverage for lines (94.9%) is too low\x1b[39m\n 3 passed\n'
  assert.deepEqual(judged('S', passed, 0, output), passed)
  assert.deepEqual(judged('S', passed, 1, output), {
    passed: 3,
    failed: 1,
    failures: ['S: no test failed, but the suite ended with status 1. ERROR: Coverage for lines (94.9%) is too low'],
  })
  assert.equal(judged('S', { passed: 0, failed: 0 }, 0, '').failed, 1)
  assert.deepEqual(judged('S', { passed: 1, failed: 2 }, 1, output), { passed: 1, failed: 2 })
})
