// A gate that cannot fail guards nothing: each is shown something wrong here, and something right.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { warnings } from './gates/c-warnings.mjs'
import { check as checkLengths } from './gates/file-length.mjs'
import { hostOf, unresolved } from './gates/imports.mjs'
import { formatProblem, lintProblems } from './gates/javascript.mjs'
import { anchors, check as checkLinks, linksIn } from './gates/links.mjs'
import { check as checkRust } from './gates/rust.mjs'
import { check as checkShim } from './gates/shim-lines.mjs'
import { asUser, bodies, check as checkNames, inTypeScript, unqualified } from './gates/sql-names.mjs'
import { crateOf, judge, judgeTold, measure } from './gates/sizes.mjs'
import { codeOnly } from './gates/text.mjs'
import { anyIn, notStrict } from './gates/types.mjs'
import { check as checkUnsafe } from './gates/unsafe.mjs'
import { check as checkVersions, stranded } from './gates/versions.mjs'
import { functions, interfaceOf, sections } from './gates/wasm.mjs'
import { bestOrder, renamed } from './order-functions.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const folders = []
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

/** A checkout with these files. Inside `build/` it can be seen from the toolchain's root. */
function checkout(files, parent = tmpdir()) {
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'gates-'))
  folders.push(folder)
  execFileSync('git', ['init', '--quiet', folder])
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

const lines = (count, line = 'x = 1;') => `${line}\n`.repeat(count)

test('C lines: all lines of all files count', () => {
  const files = { 'shim/shim.c': lines(250) + lines(50, '/* why */') + lines(50, ''), 'shim/shim.h': lines(149) }
  assert.deepEqual(checkShim(checkout(files)).problems, [])
  assert.equal(checkShim(checkout({ ...files, 'shim/more/b.h': lines(1) })).problems.length, 1)
  assert.equal(checkShim(checkout({})).problems.length, 1)
})

test('length of files', () => {
  assert.deepEqual(checkLengths(checkout({ 'a.rs': lines(599) })).problems, [])
  assert.deepEqual(checkLengths(checkout({ 'a.rs': lines(600) })).problems, ['a.rs: 600 lines, to be under 600'])
})

test('links: to files and headings, in every form that Markdown has', () => {
  const good = [
    '# A `b` & [c](docs/b.md)\n\n[other](docs/b.md#second-part), [here](#a-b--c), [folder](docs)',
    '[web](https://example.invalid/x.md) and [mail](mailto:someone@example.invalid)',
    '`[in code](nowhere.md)` ![image](image.svg "title") <a href="docs/b.md">b</a>',
    '[named]: docs/b.md#again-1',
    '```md\n[in a block](nowhere.md)\n```',
    '<!-- [in a comment](nowhere.md) -->',
  ].join('\n')
  const files = { 'docs/b.md': '# B\n## Second part\n## Again\n## Again\n[up](../README.md)\n', 'image.svg': '' }
  assert.deepEqual(checkLinks(checkout({ ...files, 'README.md': good })).problems, [])

  const wrong = [
    '[a](c.md)',
    '[a](docs/b.md#third)',
    '[a](#b)',
    '[a]: c.md',
    '![a](c.svg)',
    '<a href="c.md">a</a>',
    '<source srcset="c.svg" />',
  ]
  wrong.push('[a](image.svg#part)', '[a](docs#part)', '[a](../outside.md)', '[a](/docs/b.md)')
  for (const text of wrong) {
    const { problems } = checkLinks(checkout({ ...files, 'README.md': `# A\n${text}\n` }))
    assert.equal(problems.length, 1, text)
    assert.match(problems[0], /^README\.md:2: /)
  }
  assert.deepEqual(linksIn('```\n[a](b)\n```\n[c](d)'), [{ line: 4, target: 'd' }])
  assert.deepEqual([...anchors('# What `x.y()` costs: a/b\n```sh\n# none\n```\n')], ['what-xy-costs-ab'])
})

test('names in SQL: functions, operators, types and tables have a schema', () => {
  const good = [
    "SELECT pgtrickle.command('open', $1, $2)",
    'SELECT pg_catalog.count(*), a.b::pg_catalog.text, x::bigint FROM pg_catalog.t a WHERE a.b OPERATOR(pg_catalog.=) ANY (a.c)',
    "SELECT coalesce(a.b, 'x = f(y)') FROM s.t a JOIN LATERAL (SELECT 1) AS q(r, k) ON true -- a = b",
    'SELECT s.f(name => $1) FROM (SELECT 1) AS q WHERE EXISTS (SELECT FROM s.u)',
  ]
  for (const sql of good) assert.deepEqual(unqualified(sql), [], sql)
  const wrong = [
    ['SELECT count(*) FROM s.t', 'count()'],
    ['SELECT a::text FROM s.t', '::text'],
    ['SELECT a FROM t', 'FROM t'],
    ['SELECT a FROM s.t JOIN u ON true', 'FROM u'],
    ['SELECT a = b FROM s.t', '='],
    ['SELECT a * 2 FROM s.t', '*'],
    ['SELECT a || b FROM s.t', '||'],
    ['SELECT a IS DISTINCT FROM b.c FROM s.t', 'IS DISTINCT FROM'],
    ['SELECT nullif(a, b) FROM s.t', 'nullif'],
    ['SELECT a FROM s.t JOIN s.u USING (a)', 'USING()'],
    ['SELECT a IN (1) FROM s.t', 'IN'],
    ['SELECT a LIKE b FROM s.t', 'LIKE'],
    ['SELECT CAST (a AS text) FROM s.t', 'CAST'],
    ['SELECT CASE a WHEN 1 THEN 2 END FROM s.t', 'CASE'],
  ]
  for (const [sql, what] of wrong) assert.deepEqual(unqualified(sql), [what], sql)
  assert.deepEqual(inTypeScript("// 'SELECT a()'\nconst A = `\nSELECT b()`, C = 'select', D = \"SELECT 'e'\""), [
    '\nSELECT b()',
    "SELECT 'e'",
  ])
  assert.deepEqual(asUser('spi::as_user(\n"SELECT a \\\n   FROM b", &[])'), ['SELECT a FROM b'])
  assert.deepEqual(bodies('AS $$ SELECT a() $$;'), [' SELECT a() '])
  const files = { 'ts/src/a.ts': "const A = 'SELECT s.f()'", 'shim/a.sql': 'CREATE FUNCTION s.f() RETURN 1;' }
  assert.deepEqual(checkNames(checkout(files)).problems, [])
  const bad = { 'pg_trickle_pglite/src/a.rs': 'as_user("SELECT f()")', 'shim/b.sql': 'AS $$ SELECT f() $$' }
  assert.equal(checkNames(checkout({ ...files, ...bad })).problems.length, 2)
  assert.equal(checkNames(checkout({})).problems.length, 1)
})

test('text: comments nest in Rust, strings and lifetimes are told apart', () => {
  const rust = (text) => codeOnly(text, { nested: true })
  assert.match(rust('/* a /* b */ unsafe */ fn f() {}'), /^ {2}fn f/)
  assert.doesNotMatch(rust(`let a = r#"unsafe " "#; // unsafe\nlet b = "\\"unsafe";`), /unsafe/)
  assert.match(rust(`fn f<'a>(x: &'a str) -> char { '"' } unsafe fn g() {}`), /unsafe fn g/)
  assert.match(rust(`let c = '\\''; unsafe {}`), /unsafe/)
  assert.doesNotMatch(rust(`let c = b'"'; "unsafe"`), /unsafe/)
})

test('unsafe: at the edge only, and forbidden in the core', () => {
  const core = { 'pg_trickle_core/src/lib.rs': '#![forbid(unsafe_code)]\n// unsafe\n' }
  const edge = { 'pg_trickle_pglite/src/edge/ffi/mod.rs': 'unsafe extern "C" {}\n' }
  assert.deepEqual(checkUnsafe(checkout({ ...core, ...edge })).problems, [])
  const inside = { 'pg_trickle_pglite/src/edge/spi.rs': 'fn f() {\n    unsafe { g() }\n}\n' }
  assert.match(checkUnsafe(checkout({ ...core, ...inside })).problems[0], /spi\.rs:2/)
  assert.match(checkUnsafe(checkout({ 'pg_trickle_core/src/lib.rs': '// forbid(unsafe_code)' })).problems[0], /no #!/)
})

test('versions: every place is compared', () => {
  const files = {
    'ts/package.json': '{ "version": "1.2.3" }',
    'package-lock.json': '{ "packages": { "ts": { "version": "1.2.3" } } }',
    'Cargo.toml': '[workspace.package]\nversion = "1.2.3"\n',
    'Cargo.lock': 'name = "pg_trickle_core"\nversion = "1.2.3"\n\nname = "pg_trickle_pglite"\nversion = "1.2.3"\n',
    'pg_trickle_core/Cargo.toml': '[package]\nversion.workspace = true\n',
    'pg_trickle_pglite/Cargo.toml': '[package]\nversion = "1.2.3"\n',
    'shim/pg_trickle.control': "default_version = '1.2.3'\n",
    'shim/pg_trickle--1.2.3.sql': '',
    'shim/pg_trickle--1.0--1.2.3.sql': '',
    'CHANGELOG.md': '## [1.0]\n',
  }
  assert.deepEqual(checkVersions(checkout(files)).problems, [])
  const places = [
    'package-lock.json',
    'Cargo.toml',
    'Cargo.lock',
    'pg_trickle_pglite/Cargo.toml',
    'shim/pg_trickle.control',
  ]
  for (const path of places) {
    const other = { ...files, [path]: files[path].replace('1.2.3', '1.2.4') }
    assert.notDeepEqual(checkVersions(checkout(other)).problems, [], path)
  }
  const { 'shim/pg_trickle--1.2.3.sql': script, ...without } = files
  assert.equal(checkVersions(checkout(without)).problems.length, 1)
  assert.equal(checkVersions(checkout({ ...without, 'shim/pg_trickle--1.2.4.sql': script })).problems.length, 1)
})

test('versions: scripts lead to this one from every version that was released', () => {
  const files = {
    'ts/package.json': '{ "version": "1.2.0" }',
    'CHANGELOG.md':
      '## [Unreleased]\n\n## [1.2.0] - 2026-03-01\n\n## [1.1.0] - 2026-02-01\n\n## [1.0.0] - 2026-01-01\n',
    'shim/pg_trickle--1.0.0--1.1.0.sql': '',
    'shim/pg_trickle--1.1.0--1.2.0.sql': '',
  }
  assert.deepEqual(stranded(checkout(files), '1.2.0'), [])
  const { 'shim/pg_trickle--1.1.0--1.2.0.sql': script, ...without } = files
  assert.deepEqual(stranded(checkout(without), '1.2.0'), ['1.1.0', '1.0.0'])
  const direct = { ...without, 'shim/pg_trickle--1.0.0--1.2.0.sql': script }
  assert.deepEqual(stranded(checkout(direct), '1.2.0'), ['1.1.0'])
})

test('types: any is found where it is a type, and only there', () => {
  assert.deepEqual(anyIn('/** any */\nexport declare function any(company: "any"): unknown\n'), [])
  assert.deepEqual(anyIn('export type A = {\n  b: Record<string, any>\n}\n'), [[2, 'b: Record<string, any>']])
  assert.deepEqual(notStrict({ compilerOptions: { strict: true, noEmit: true } }), [])
  assert.deepEqual(notStrict({ compilerOptions: {} }), ['strict'])
  assert.deepEqual(notStrict({ compilerOptions: { strict: true, strictNullChecks: false } }), ['strictNullChecks'])
})

test('prettier and eslint', async () => {
  assert.equal(await formatProblem(root, 'ts/src/x.ts', "export const a = 'b'\n"), undefined)
  assert.match(await formatProblem(root, 'ts/src/x.ts', 'export const a = "b";\n'), /not formatted/)
  assert.match(await formatProblem(root, 'ts/src/x.ts', 'export const = 1\n'), /x\.ts/)
  assert.deepEqual(await lintProblems(root, 'ts/src/x.ts', "export const a = 'b'\n"), [])
  assert.match((await lintProblems(root, 'ts/src/x.ts', 'export const a: any = 1\n'))[0], /no-explicit-any/)
  assert.match((await lintProblems(root, 'ci/x.mjs', 'nowhere()\n'))[0], /no-undef/)
})

test('rustfmt and clippy', () => {
  const crate = (source) => {
    const manifest = '[package]\nname = "gate"\nversion = "0.1.0"\nedition = "2024"\n[workspace]\n'
    const folder = checkout({ 'Cargo.toml': manifest, 'src/lib.rs': source }, join(root, 'build'))
    return checkRust(root, [join(folder, 'Cargo.toml').slice(root.length + 1)]).problems.join('\n')
  }
  assert.equal(crate('pub fn f(a: u32) -> u32 {\n    a + 1\n}\n'), '')
  assert.match(crate('pub fn f(a: u32) -> u32 { a + 1 }\n'), /Diff in/)
  assert.match(crate('pub fn f(a: u32) -> u32 {\n    return a + 1;\n}\n'), /needless/)
  // Of the project's own clippy.toml.
  const splice = 'pub fn f(a: &mut Vec<u8>) {\n    a.splice(0..0, [1]);\n}\n'
  assert.match(crate(splice), /allocates while it is dropped/)
})

test('C warnings', () => {
  const compile = (source) => {
    const folder = checkout({ 'x.c': `#include "postgres.h"\n${source}` }, join(root, 'build'))
    return warnings(root, join(folder, 'x.c').slice(root.length + 1)).join('\n')
  }
  assert.equal(compile('extern int f(int a);\nint f(int a) { return palloc(a) != NULL; }\n'), '')
  assert.match(compile('extern int f(void);\nint f(void) { int unused; return 1; }\n'), /-Werror,-Wunused-variable/)
  assert.match(
    compile('extern int f(int a, unsigned b);\nint f(int a, unsigned b) { return a < b; }\n'),
    /-Wsign-compare/,
  )
})

// (module (import "env" "f" (func (param i32))) (func (export "g") (param i32 i32)) (func nop nop)), without and with names
const MODULE = [
  [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  [1, 10, 2, 0x60, 1, 0x7f, 0, 0x60, 2, 0x7f, 0x7f, 0],
  [2, 9, 1, 3, 0x65, 0x6e, 0x76, 1, 0x66, 0, 0],
  [3, 3, 2, 1, 1],
  [7, 5, 1, 1, 0x67, 0, 1],
  [10, 9, 2, 2, 0, 0x0b, 4, 0, 1, 1, 0x0b],
]
const NAMES = [0, 15, 4, 0x6e, 0x61, 0x6d, 0x65, 1, 8, 1, 2, 5, 0x61, 0x3a, 0x3a, 0x62, 0x63]
const bytes = (...parts) => Uint8Array.from(parts.flat())
const named = bytes(...MODULE, NAMES)

test('wasm: sections, imports, exports and names are read', () => {
  assert.ok(WebAssembly.validate(named))
  assert.deepEqual(
    sections(named).map((each) => [each.name, each.whole]),
    [
      ['type', 12],
      ['import', 11],
      ['function', 5],
      ['export', 7],
      ['code', 11],
      ['custom name', 17],
    ],
  )
  const { imports, exports } = interfaceOf(named)
  assert.deepEqual(imports, [{ module: 'env', name: 'f', kind: 'function', signature: '(i32) -> ()' }])
  assert.deepEqual(exports, [{ name: 'g', kind: 'function', signature: '(i32,i32) -> ()' }])
  assert.deepEqual(
    functions(named).map((each) => each.size),
    [3, 5],
  )
  assert.equal(functions(named)[1].name, 'a::bc')
})

test('functions that share code stand together, in a module that is the same but for their names', () => {
  const bodies = ['refresh', 'a row of keys', 'refreshed', 'no row of keys', 'refreshing'].map((text) =>
    Buffer.from(text),
  )
  const order = bestOrder(bodies)
  assert.deepEqual([...order].sort(), [0, 1, 2, 3, 4])
  assert.deepEqual(order.slice(0, 3).sort(), [0, 2, 4])

  const changed = renamed(named, ['00001', '00000'])
  assert.ok(WebAssembly.validate(changed))
  assert.deepEqual(
    functions(changed).map((each) => each.name),
    ['00001', '00000'],
  )
  const bodiesOf = (module) => functions(module).map(({ start, size }) => [...module.subarray(start, start + size)])
  assert.deepEqual(bodiesOf(changed), bodiesOf(named))
})

test('imports: missing, of another kind, of another signature', () => {
  const host = {
    exports: new Map([
      ['f', { kind: 'function', signature: '(i32) -> ()' }],
      ['v', { kind: 'global' }],
    ]),
    javascript: new Set(['js']),
  }
  const side = (...imports) => ({ imports, exports: [{ name: 'own', kind: 'function' }] })
  const func = (name, signature = '(i32) -> ()') => ({ module: 'env', name, kind: 'function', signature })
  const got = (module, name) => ({ module, name, kind: 'global' })
  const good = [
    func('f'),
    func('js'),
    func('invoke_vi'),
    got('GOT.func', 'f'),
    got('GOT.mem', 'v'),
    got('GOT.func', 'own'),
  ]
  const memory = { module: 'env', name: 'memory', kind: 'memory' }
  assert.deepEqual(unresolved(side(...good, memory), host), [])
  const wrong = [
    func('g'),
    func('f', '() -> ()'),
    func('v'),
    got('GOT.func', 'g'),
    got('GOT.mem', 'w'),
    got('GOT.mem', 'f'),
  ]
  wrong.push(got('env', 'v'), { module: 'elsewhere', name: 'f', kind: 'function' })
  for (const each of wrong) assert.equal(unresolved(side(each), host).length, 1, JSON.stringify(each))
})

test('imports: a real PGlite lacks what it lacks', () => {
  const host = hostOf(root, 'pglite-0.4')
  const needs = (name, signature) => ({ imports: [{ module: 'env', name, kind: 'function', signature }], exports: [] })
  assert.deepEqual(unresolved(needs('SPI_connect', '() -> (i32)'), host), [])
  assert.deepEqual(unresolved(needs('parse_analyze_varparams', '() -> (i32)'), host), [
    'env.parse_analyze_varparams: missing',
  ])
})

test('sizes: limits, growth, where the bytes come from', () => {
  const size = (module, bundle, std = 10000) => ({ module, bundle, sections: { code: module }, crates: { std } })
  const before = size(100_000, 50_000)
  assert.deepEqual(judge('pg18', size(105_000, 52_500), before), { problems: [], notes: [] })
  assert.match(judge('pg18', size(106_000, 50_000), before).problems[0], /ALERT, the module grew .*\+6 %/)
  assert.match(judge('pg18', size(100_000, 52_501), before).problems[0], /ALERT, the bundle grew/)
  assert.match(judge('pg18', size(100_000, 50_000, 20_000), before).notes[0], /ALERT, std grew/)
  assert.match(judge('pg18', before, undefined).problems[0], /no size recorded/)
  const largest = size(2 ** 21, 507_904)
  assert.deepEqual(judge('pg18', largest, largest).problems, [])
  const larger = size(2 ** 21 + 1, 507_905)
  assert.equal(judge('pg18', larger, larger).problems.length, 2)

  assert.deepEqual(judgeTold('README.md', '484', 484 * 1024), [])
  assert.deepEqual(judgeTold('README.md', '480', 484 * 1024), [])
  assert.deepEqual(judgeTold('README.md', '462', 484 * 1024), [
    'README.md: says that the bundle has 462 KB; it has 484',
  ])
  assert.equal(judgeTold('README.md', undefined, 484 * 1024).length, 1)

  const measured = measure(bytes(...MODULE), named, new Uint8Array(20))
  assert.deepEqual(measured, {
    module: 54,
    bundle: 20,
    sections: { type: 12, import: 11, code: 11, export: 7, function: 5 },
    crates: { 'shim (C)': 3, a: 5 },
  })
  assert.equal(crateOf('<alloc::string::String as core::fmt::Write>::write_char_127'), 'std')
  assert.equal(
    crateOf('<alloc::vec::Vec<pg_trickle_core::query::Rte> as core::clone::Clone>::clone'),
    'pg_trickle_core',
  )
  assert.equal(crateOf('<[u8] as core::fmt::Debug>::fmt'), 'std')
  assert.equal(crateOf('pg_trickle_core::op::scan'), 'pg_trickle_core')
  assert.equal(crateOf('<&pg_trickle_core::op::Op as core::fmt::Debug>::fmt'), 'pg_trickle_core')
  assert.equal(crateOf('pgtrickle_maintain'), 'shim (C)')
})

test('the command: a failing gate gives status 1, an unknown one is refused', () => {
  const files = { 'shim/a.c': lines(500) }
  const folder = checkout(files)
  cpSync(join(root, 'ci'), join(folder, 'ci'), { recursive: true })
  const status = (...args) => {
    try {
      execFileSync('node', ['ci/gates.mjs', ...args], { cwd: folder, stdio: 'pipe' })
      return 0
    } catch (error) {
      return error.status
    }
  }
  assert.equal(status('shim-lines'), 1)
  assert.equal(status('unsafe'), 0)
  assert.equal(status('versions'), 1, 'a gate that cannot look fails')
  assert.equal(status('no-such-gate'), 2)
})
