/** docs/QUERIES.md: its table states the way of each operator. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { tableIn } from './support/markdown.js'

const DOC = readFileSync(new URL('../../docs/QUERIES.md', import.meta.url), 'utf8')

/** Queries for each line of the table of operators. A piece of the line identifies it. */
const OPERATORS: Record<string, string[]> = {
  '`WHERE`, expressions': ['SELECT upper(t) FROM a WHERE n > 3', 'SELECT id, g FROM a, generate_series(1, n) g'],
  'inner and cross join': [
    'SELECT a.id, b.id AS other FROM a JOIN b ON b.a_id = a.id',
    'SELECT x.id, y.id AS other FROM a x JOIN a y ON x.id = y.n',
    'SELECT a.id, b.id AS other FROM a, b',
  ],
  '`GROUP BY` with `count`': [
    'SELECT n, count(*), sum(n), avg(m), sum(m) AS m FROM a GROUP BY n',
    'SELECT n, sum(f), avg(f::real), variance(m), stddev(f), corr(f, n), covar_pop(n, f), regr_r2(f, id) FROM a GROUP BY n',
  ],
  'over facts joined': ['SELECT c.t, count(*), sum(a.n) FROM a JOIN c ON c.id = a.n GROUP BY c.t'],
  '`bit_xor`': ['SELECT n, bool_and(id > 3), bool_or(n > 4), every(m > 5), bit_xor(id) FROM a GROUP BY n'],
  'with `DISTINCT`': [
    'SELECT n, count(DISTINCT t), sum(DISTINCT m), avg(DISTINCT id), stddev(DISTINCT id), bit_xor(DISTINCT id) FROM a GROUP BY n',
    'SELECT count(DISTINCT n), count(*) AS rows, sum(DISTINCT id) FILTER (WHERE n > 3) FROM a',
  ],
  '`bit_or`': ['SELECT n, bit_and(id), bit_or(id) FROM a GROUP BY n'],
  'without `GROUP BY`; `HAVING`': [
    'SELECT count(*), sum(n), avg(m) FROM a',
    'SELECT n FROM a GROUP BY n HAVING count(*) FILTER (WHERE id > 3) > 1',
  ],
  '`min`, `max`': ['SELECT n, min(t), max(f), max(id) AS newest FROM a GROUP BY n', 'SELECT max(t) FROM a'],
  '`DISTINCT` |': ['SELECT DISTINCT n, t FROM a'],
  'each also with `ALL`': ['UNION', 'INTERSECT', 'EXCEPT'].flatMap((operation) =>
    ['', ' ALL'].map((all) => `SELECT n FROM a ${operation}${all} SELECT a_id FROM b`),
  ),
  '`LEFT JOIN`': ['LEFT', 'RIGHT', 'FULL'].map(
    (side) => `SELECT a.id, b.id AS other FROM a ${side} JOIN b ON b.a_id = a.id`,
  ),
  '`EXISTS`': [
    'SELECT id FROM a WHERE EXISTS (SELECT FROM b WHERE b.a_id = a.id)',
    'SELECT id FROM a WHERE id IN (SELECT a_id FROM b)',
    'SELECT id FROM a WHERE id NOT IN (SELECT a_id FROM b)',
  ],
  'scalar or `LATERAL`': [
    'SELECT a.id, s FROM a LEFT JOIN LATERAL (SELECT sum(id) AS s FROM b WHERE b.a_id = a.id) l ON true',
    'SELECT id, (SELECT max(id) FROM b WHERE b.a_id = a.id) FROM a',
    'SELECT id FROM a WHERE (SELECT count(*) FROM b WHERE b.a_id = a.id) > 1',
  ],
  'comparison with a subquery of one row': [
    'SELECT id FROM a WHERE n > (SELECT avg(n) FROM a)',
    'SELECT n, sum(id) FROM a WHERE n <= (SELECT max(id) FROM b) GROUP BY n',
  ],
  'the same with another comparison': [
    'SELECT id, (SELECT count(*) FROM b WHERE b.a_id > a.n) AS later FROM a',
    'SELECT a.id, l.s FROM a, LATERAL (SELECT sum(b.id) AS s FROM b WHERE b.a_id = a.id AND b.id < a.n) l',
  ],
  'other `LATERAL`': [
    'SELECT id, (SELECT b.id FROM b WHERE b.a_id = a.id) AS other FROM a',
    'SELECT id FROM a WHERE n = 1 OR EXISTS (SELECT FROM b WHERE b.a_id = a.id)',
    'SELECT a.id, b.id AS other FROM a, LATERAL (SELECT * FROM b WHERE b.a_id = a.id ORDER BY id LIMIT 2) b',
  ],
  '`lag`, `lead`': [
    'SELECT id, lag(m) OVER (PARTITION BY n ORDER BY id), avg(m) OVER (PARTITION BY n ORDER BY id ROWS 6 PRECEDING) FROM a',
    'SELECT id, last_value(t) OVER (ORDER BY at ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM a',
  ],
  '`RANGE` frame': [
    `SELECT id, count(*) OVER (PARTITION BY n ORDER BY at RANGE '1 hour' PRECEDING) FROM a`,
    'SELECT id, sum(m) OVER (ORDER BY n DESC RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM a',
  ],
  'begins or ends with the partition': [
    'SELECT id, first_value(m) OVER w, nth_value(m, 2) OVER w FROM a WINDOW w AS (PARTITION BY n ORDER BY at, id)',
    'SELECT id, last_value(t) OVER (ORDER BY at RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM a',
  ],
  'running `sum`': [
    'SELECT id, row_number() OVER w, rank() OVER w, sum(n) OVER w, max(n) OVER w FROM a WINDOW w AS (PARTITION BY n ORDER BY at, id)',
    'SELECT id, dense_rank() OVER (ORDER BY n), count(*) OVER (ORDER BY n), min(at) OVER (ORDER BY n) FROM a',
  ],
  'in a subquery, compared': [
    'SELECT * FROM (SELECT id, rank() OVER (PARTITION BY n ORDER BY at) AS r FROM a) AS q WHERE r <= 3',
    'SELECT id FROM (SELECT id, row_number() OVER (ORDER BY at DESC, id) AS r FROM a) AS q WHERE r = 1',
  ],
  'other window functions, and': [
    'SELECT id, cume_dist() OVER (PARTITION BY n ORDER BY t), sum(n) OVER (PARTITION BY n, t) FROM a',
    'SELECT id, rank() OVER (PARTITION BY n ORDER BY t), sum(n) OVER (PARTITION BY t) FROM a',
  ],
  '(without `ALL`)': ['SELECT d FROM a UNION SELECT d + 1 FROM a', 'SELECT j FROM a EXCEPT SELECT j FROM a'],
  '`DISTINCT ON`': ['SELECT DISTINCT ON (n) n, id FROM a ORDER BY n, id'],
  '`NOT NULL` columns, alone': [
    "SELECT k, string_agg(t, ',' ORDER BY id) FROM c GROUP BY k",
    'SELECT k, jsonb_agg(t ORDER BY id), count(*), sum(id), min(t) FROM c GROUP BY k',
  ],
  '`percentile_cont` and `percentile_disc`': [
    'SELECT n, percentile_cont(0.5) WITHIN GROUP (ORDER BY id), percentile_disc(0.9) WITHIN GROUP (ORDER BY id), sum(m) FROM a GROUP BY n',
    'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FROM a',
    'SELECT n, percentile_disc(0.9) WITHIN GROUP (ORDER BY id + n) FILTER (WHERE n > 1) FROM a GROUP BY n',
    'SELECT n, percentile_disc(0.9) WITHIN GROUP (ORDER BY b.id) FROM a JOIN b ON b.a_id = a.id GROUP BY n',
  ],
  'of `DISTINCT` values, alone': ["SELECT n, string_agg(DISTINCT t, ',') FROM a GROUP BY n"],
  'without other aggregates': ['SELECT n, mode() WITHIN GROUP (ORDER BY t) FROM a GROUP BY n'],
  ') with `GROUP BY`': [
    "SELECT n, string_agg(t, ',' ORDER BY id), array_agg(f), mode() WITHIN GROUP (ORDER BY t) FROM a GROUP BY n",
  ],
  'by types whose': ['d', 'f', 'i', 'j'].flatMap((column) => [
    `SELECT ${column}, count(*) FROM a GROUP BY ${column}`,
    `SELECT DISTINCT ${column} FROM a`,
    `SELECT n, count(DISTINCT ${column}) FROM a GROUP BY n`,
  ]),
  '`LIMIT`': ['SELECT id FROM a ORDER BY id DESC LIMIT 10', 'SELECT id FROM a ORDER BY id OFFSET 2'],
  'RECURSIVE` with `UNION` |': [
    'WITH RECURSIVE up AS (SELECT id FROM a WHERE id = 1 UNION SELECT a.n FROM a JOIN up USING (id)) SELECT id FROM up',
  ],
  'RECURSIVE` with `UNION ALL`': [
    'WITH RECURSIVE r(id, d) AS (SELECT 1, 0 UNION ALL SELECT a.id, r.d + 1 FROM a JOIN r ON n = r.id) SELECT * FROM r',
  ],
  '`SEARCH` or `CYCLE`': [
    'WITH RECURSIVE r AS (SELECT 1 AS id UNION ALL SELECT a.id FROM a JOIN r ON n = r.id) SEARCH DEPTH FIRST BY id SET s SELECT id FROM r',
    'WITH RECURSIVE r AS (SELECT 1 AS id UNION ALL SELECT a.id FROM a JOIN r ON n = r.id) CYCLE id SET c USING p SELECT id FROM r',
    'WITH RECURSIVE r AS (SELECT 1 AS id UNION SELECT b.id FROM r JOIN a ON n = r.id LEFT JOIN b ON a_id = a.id) SELECT id FROM r',
    'WITH RECURSIVE r AS (SELECT 1 AS id UNION SELECT id FROM (SELECT a.id FROM a JOIN r ON n = r.id LIMIT 1) q) SELECT id FROM r',
  ],
  '`ROLLUP`': [
    'SELECT n, t, count(*) FROM a GROUP BY GROUPING SETS ((n), (t))',
    'SELECT n, t, count(*) FROM a GROUP BY ROLLUP (n, t)',
    'SELECT n, t, count(*) FROM a GROUP BY CUBE (n, t)',
  ],
  'without `PARTITION BY`': ['SELECT id, ntile(4) OVER (ORDER BY n, id) FROM a'],
  'other aggregates without `GROUP BY`': ["SELECT string_agg(t, ',' ORDER BY id) FROM a"],
  'with the clock': [
    'SELECT id FROM a WHERE at < now()',
    "SELECT n, count(*) FROM a WHERE at > now() - interval '1 hour' GROUP BY n",
    'SELECT id FROM a WHERE at::date = current_date',
  ],
  'of the clock': [
    'SELECT id, now() - at FROM a',
    'SELECT id FROM a WHERE to_regclass(t) IS NULL',
    'SELECT id FROM a WHERE t = current_user',
  ],
  '`TABLESAMPLE`': ['SELECT id FROM a TABLESAMPLE BERNOULLI (50) REPEATABLE (1)', 'SELECT id FROM a FOR UPDATE'],
}

describe('the table of operators', () => {
  let pg: Database

  beforeAll(async () => {
    pg = await openDatabase()
    await pg.exec(`
      CREATE TABLE a (id int PRIMARY KEY, n int, m numeric(8, 2), t text, f float8, d numeric, i interval, j jsonb,
        at timestamptz);
      CREATE INDEX ON a (n, id);
      CREATE TABLE b (id int PRIMARY KEY, a_id int);
      CREATE TABLE c (id int PRIMARY KEY, k int NOT NULL, t text)`)
  })
  afterAll(() => pg?.close())

  test.each(tableIn(DOC, 'What a change costs').map((cells) => ({ operator: cells[0] ?? '', way: cells[1] })))(
    'states the way of $operator',
    async ({ operator, way }) => {
      if (operator.startsWith('subquery in `FROM`')) return
      const pieces = Object.keys(OPERATORS).filter((piece) => `${operator} |`.includes(piece))
      expect(pieces, 'the queries for this line').toHaveLength(1)
      for (const query of OPERATORS[pieces[0] ?? ''] ?? []) {
        await pg.trickle.createStreamTable('tried', query, { orReplace: true })
        const plan = await pg.trickle.explainStreamTable('tried')
        expect(plan.way, query).toBe(way)
      }
    },
  )
})
