// The CPU time of a change of one row in PGlite and in a native PostgreSQL of the same version, with the same stream tables:
// none, a scan, a join, an aggregate, a window, and a recursive query. On the server, pg_ivm is measured beside them, where it
// can maintain the query.
//
//   node bench/wasm-native.mjs [--rows 100000] [--rounds 9] [--changes 500] [--record]
//
// Each kind of change runs in a loop inside the database, and all take turns, so that a slow machine slows all alike. The CPU
// time is that of the backend alone: of the main thread of this process for PGlite. --record writes figures and plot into docs/.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Server } from '../ts/tests/support/server.mjs'
import { open } from './lib/database.mjs'
import { environment } from './lib/environment.mjs'
import { median } from './lib/stats.mjs'
import { page, plot } from './lib/wasm-native.mjs'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '9' },
    changes: { type: 'string', default: '500' },
    record: { type: 'boolean', default: false },
  },
})
const [rows, rounds, changes] = [values.rows, values.rounds, values.changes].map(Number)
const ROOT = new URL('../', import.meta.url)

/** Ten rows of each table for a value of `k`, and trees of 100 rows. */
const TABLES = `
  CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL, x int NOT NULL, parent int NOT NULL);
  CREATE TABLE u (id int PRIMARY KEY, k int NOT NULL, z int NOT NULL);
  INSERT INTO t SELECT g, g % ${rows / 10}, g * 7919 % 1000003, CASE WHEN g % 100 > 0 THEN g - g % 100 + g % 100 / 10 ELSE -1 END
    FROM generate_series(1, ${rows}) AS g;
  INSERT INTO u SELECT g, g % ${rows / 10}, g * 7907 % 1000003 FROM generate_series(1, ${rows}) AS g;
  CREATE INDEX ON t (k, x); CREATE INDEX ON u (k); CREATE INDEX ON t (parent);`

const JOIN = 'SELECT t.id, u.id AS uid, t.x, u.z FROM t JOIN u ON t.k = u.k'
const AGGREGATE = 'SELECT k, count(*) AS n, sum(x) AS x FROM t GROUP BY k'
const SHAPES = {
  'no stream table': {},
  scan: { stream: 'SELECT id, x + 1 AS x FROM t WHERE x % 2 = 0' },
  join: { stream: JOIN },
  aggregate: { stream: AGGREGATE },
  window: { stream: 'SELECT id, k, rank() OVER (PARTITION BY k ORDER BY x, id) FROM t' },
  'recursive query': {
    stream: `WITH RECURSIVE r AS (SELECT id, 0 AS depth FROM t WHERE parent = -1
      UNION ALL SELECT t.id, depth + 1 FROM r JOIN t ON t.parent = r.id) SELECT * FROM r`,
  },
  'pg_ivm, join': { ivm: JOIN },
  'pg_ivm, aggregate': { ivm: AGGREGATE },
}

/** Kinds of changes, of rows that no other change touches. */
const KINDS = {
  insert: `INSERT INTO t VALUES (${rows} + i, i % ${rows / 10}, i, i - i % 100)`,
  update: `UPDATE t SET x = x + 2 WHERE id = ${rows} + i`,
  delete: `DELETE FROM t WHERE id = ${rows} + i`,
}

/** The nanoseconds that a thread has run so far. */
const ran = (task) => Number(readFileSync(`/proc/${task}/schedstat`, 'utf8').split(' ')[0])

async function inWasm() {
  const pg = await open()
  return {
    name: 'PGlite',
    versions: await environment(pg),
    shapes: Object.entries(SHAPES).filter(([, { ivm }]) => !ivm),
    run: (sql) => pg.exec(sql),
    cpu: () => {
      // The kernel brings the figure of a running thread up to date when it stops.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
      return ran('thread-self')
    },
    close: () => pg.close(),
  }
}

async function onServer() {
  const server = await Server.start(18, ['shared_buffers=128MB', 'jit=off'])
  const client = await server.connect()
  await client.query('CREATE EXTENSION pg_trickle; CREATE EXTENSION pg_ivm')
  const { rows: found } =
    await client.query(`SELECT pg_backend_pid() AS pid, current_setting('server_version') AS version,
    (SELECT extversion FROM pg_extension WHERE extname = 'pg_ivm') AS ivm`)
  const [{ pid, version, ivm }] = found
  return {
    name: 'native',
    versions: { version, ivm },
    shapes: Object.entries(SHAPES),
    run: (sql) => client.query(sql),
    cpu: () => ran(pid),
    close: async () => {
      await client.end()
      await server.stop()
    },
  }
}

async function install({ run, shapes }) {
  for (const [i, [, { stream, ivm }]] of shapes.entries()) {
    await run(`CREATE SCHEMA s${i}; SET search_path = s${i}, public; ${TABLES}`)
    if (stream) await run(`SELECT pgtrickle.create_stream_table('st', $$${stream}$$)`)
    // It looks its own functions up along the path.
    if (ivm) await run(`SET search_path = s${i}, public, pgivm, pg_catalog; SELECT pgivm.create_immv('st', $$${ivm}$$)`)
  }
  await run('VACUUM ANALYZE')
}

/** The microseconds of CPU of one change, and of wall time. */
async function measure({ run, cpu }, sql) {
  const [before, started] = [cpu(), performance.now()]
  await run(`DO $do$ BEGIN FOR i IN 1..${changes} LOOP ${sql}; END LOOP; END $do$`)
  return { cpu: (cpu() - before) / changes / 1000, wall: ((performance.now() - started) * 1000) / changes }
}

const contenders = [await inWasm(), await onServer()]
const samples = new Map()
try {
  for (const contender of contenders) {
    console.error(`loading ${contender.name}`)
    await install(contender)
  }
  for (let round = -1; round < rounds; round++) {
    console.error(`round ${round + 1} of ${rounds}`)
    for (const contender of contenders) {
      for (const [i, [shape, { ivm }]] of contender.shapes.entries()) {
        await contender.run(`SET search_path = s${i}, public${ivm ? ', pgivm, pg_catalog' : ''}`)
        for (const [kind, sql] of Object.entries(KINDS)) {
          const sample = await measure(contender, sql)
          const key = JSON.stringify([shape, kind, contender.name])
          // The first round only warms up.
          if (round >= 0) samples.set(key, [...(samples.get(key) ?? []), sample])
        }
      }
    }
  }
} finally {
  for (const contender of contenders) await contender.close()
}

const figure = (shape, kind, name) => {
  const found = samples.get(JSON.stringify([shape, kind, name]))
  return found && { cpu: median(found.map(({ cpu }) => cpu)), wall: median(found.map(({ wall }) => wall)) }
}
const lines = Object.keys(SHAPES).flatMap((shape) =>
  Object.keys(KINDS).map((kind) => ({
    shape,
    kind,
    wasm: figure(shape, kind, 'PGlite'),
    native: figure(shape, kind, 'native'),
  })),
)
const result = { rows, rounds, changes, wasm: contenders[0].versions, native: contenders[1].versions, lines }
mkdirSync(new URL('build/', ROOT), { recursive: true })
writeFileSync(new URL('build/wasm-native.json', ROOT), JSON.stringify(result, null, 2))
console.log(page(result))
if (values.record) {
  writeFileSync(new URL('docs/WASM_VS_NATIVE.md', ROOT), page(result))
  writeFileSync(new URL('docs/wasm-native.svg', ROOT), plot(result))
}
