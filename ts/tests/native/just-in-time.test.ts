/**
 * Maintenance under PostgreSQL's just-in-time compiler, which Debian has for its 17 and which PGlite lacks: a plan of ours names
 * nodes that are switched off, at costs for which it would be compiled each time.
 */
import { expect, test } from 'vitest'
import { MAJOR } from '../support/pglite.js'
import { Server } from '../support/server.mjs'

test('is not compiled', async ({ skip }) => {
  const server = await Server.start(MAJOR, ['jit=on', 'jit_above_cost=100'])
  try {
    const client = await server.connect()
    const { rows } = await client.query<{ available: string }>('SELECT pg_jit_available() AS available')
    skip(rows[0]!.available !== 't', 'this server has no compiler')
    const plans: string[] = []
    client.on('notice', ({ message = '' }) => plans.push(message))
    await client.query(`
      CREATE EXTENSION pg_trickle;
      CREATE TABLE t (id int PRIMARY KEY, k int, x int);
      CREATE TABLE u (k int, z int);
      INSERT INTO t VALUES (1, 1, 1);
      SELECT pgtrickle.create_stream_table('st', 'SELECT k, sum(x), max(z) FROM t JOIN u USING (k) GROUP BY k');
      LOAD 'auto_explain';
      SET auto_explain.log_min_duration = 0;
      SET auto_explain.log_level = notice;
      SET auto_explain.log_analyze = on;
      SET auto_explain.log_nested_statements = on`)
    plans.length = 0
    await client.query('SELECT sum(n) FROM generate_series(1, 10000) AS n')
    expect(plans.join('\n'), 'the statement of a user').toContain('JIT:')
    plans.length = 0
    await client.query('INSERT INTO u VALUES (1, 2)')
    await client.query('UPDATE t SET x = 5')
    expect(plans.filter((plan) => plan.includes('__pgt')).length, 'plans of ours').toBeGreaterThan(1)
    expect(plans.filter((plan) => plan.includes('JIT:'))).toEqual([])
    await client.end()
  } finally {
    await server.stop()
  }
})
