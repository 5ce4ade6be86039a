import { runCases } from './support/cases.js'

const TABLES = [
  'CREATE TABLE t (id int PRIMARY KEY, k int, v int, s text)',
  'CREATE TABLE u (k int, v int)',
  `INSERT INTO t VALUES (1, 1, 5, 'a'), (2, 1, 5, 'b'), (3, 2, 7, 'a'), (4, NULL, 1, NULL), (5, 3, NULL, 'c')`,
  'INSERT INTO u VALUES (1, 5), (1, 5), (2, 8), (NULL, 1)',
]
const CHANGES = [
  "INSERT INTO t VALUES (6, 1, 9, 'd'), (7, NULL, NULL, NULL)",
  'INSERT INTO u VALUES (3, NULL), (1, 9)',
  'UPDATE t SET k = 2 WHERE id = 1',
  'UPDATE t SET v = v + 1 WHERE k = 2',
  'WITH d AS (DELETE FROM u WHERE k = 1) DELETE FROM t WHERE id = 2',
  'UPDATE u SET v = 5',
  'UPDATE t SET s = s, v = v',
  'UPDATE t SET s = NULL WHERE s = $$a$$',
  'DELETE FROM t WHERE k IS NULL',
  'DELETE FROM u WHERE ctid = (SELECT min(ctid) FROM u)',
  'INSERT INTO t SELECT i, i % 3, i % 4, chr(97 + i % 2) FROM generate_series(100, 120) i',
  'DELETE FROM t WHERE id > 110',
  'TRUNCATE u',
  'DELETE FROM t',
]

runCases('what is not folded is rebuilt', [
  {
    name: 'DISTINCT and DISTINCT ON',
    setup: TABLES,
    views: {
      d: 'SELECT DISTINCT k, v FROM t',
      joined: 'SELECT DISTINCT t.k FROM t JOIN u ON t.k = u.k',
      d_on: 'SELECT DISTINCT ON (k) k, id, v FROM t ORDER BY k, v DESC NULLS LAST, id',
      grouped: 'SELECT DISTINCT count(*) AS n FROM t GROUP BY k',
      in_aggregate: 'SELECT k, count(DISTINCT v) AS n, sum(DISTINCT v) AS s FROM t GROUP BY k',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'set operations',
    setup: TABLES,
    views: {
      union_all: 'SELECT k, v FROM t UNION ALL SELECT k, v FROM u',
      union_self: 'SELECT v FROM t UNION ALL SELECT v FROM t',
      union_distinct: 'SELECT k, v FROM t UNION SELECT k, v FROM u',
      intersect_all: 'SELECT k, v FROM t INTERSECT ALL SELECT k, v FROM u',
      intersect_distinct: 'SELECT k, v FROM t INTERSECT SELECT k, v FROM u',
      except_all: 'SELECT k, v FROM u EXCEPT ALL SELECT k, v FROM t',
      except_distinct: 'SELECT k, v FROM u EXCEPT SELECT k, v FROM t',
      nested:
        '(SELECT k FROM t EXCEPT SELECT v FROM u) UNION ALL SELECT 1 UNION ALL (SELECT v FROM u ORDER BY v LIMIT 1)',
      types: 'SELECT k, s FROM t UNION ALL SELECT v::numeric, NULL FROM u',
      inside: 'SELECT k, sum(v) FROM (SELECT k, v FROM t UNION ALL SELECT k, v FROM u) x GROUP BY k',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'window functions',
    setup: TABLES,
    views: {
      ranked:
        'SELECT id, rank() OVER (PARTITION BY k ORDER BY v) AS r, dense_rank() OVER w AS d FROM t WINDOW w AS (ORDER BY v)',
      numbered:
        'SELECT id, row_number() OVER (ORDER BY id) AS n, lag(v) OVER (ORDER BY id) AS prev, lead(v, 2, -1) OVER (ORDER BY id) AS next FROM t',
      framed: `SELECT id, sum(v) OVER (PARTITION BY k ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s,
        avg(v) OVER (ORDER BY v RANGE BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW) AS a,
        count(*) OVER (ORDER BY v GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS g FROM t`,
      grouped: 'SELECT k, sum(v) AS s, rank() OVER (ORDER BY sum(v) DESC) AS r FROM t GROUP BY k',
      edges:
        'SELECT id, first_value(id) OVER w AS f, last_value(id) OVER w AS l, ntile(2) OVER w AS n, nth_value(id, 2) OVER w AS nth FROM t WINDOW w AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'LIMIT, OFFSET and FETCH',
    setup: TABLES,
    views: {
      top: 'SELECT id, v FROM t ORDER BY v DESC NULLS LAST, id LIMIT 2',
      later: 'SELECT id, v FROM t ORDER BY id LIMIT 2 OFFSET 1',
      from_offset: 'SELECT id FROM t ORDER BY id OFFSET 3',
      ties: 'SELECT v FROM t ORDER BY v FETCH FIRST 2 ROWS WITH TIES',
      none: 'SELECT id FROM t LIMIT 0',
      computed: 'SELECT id FROM t ORDER BY id LIMIT 1 + 1',
      groups: 'SELECT k, count(*) AS n FROM t GROUP BY k ORDER BY n DESC, k NULLS FIRST LIMIT 1',
      inside: 'SELECT count(*), sum(v) FROM (SELECT v FROM t ORDER BY id DESC LIMIT 3) x',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'GROUPING SETS, ROLLUP and CUBE',
    setup: TABLES,
    views: {
      rolled: 'SELECT k, s, count(*), sum(v) FROM t GROUP BY ROLLUP (k, s)',
      cubed: 'SELECT k, s, grouping(k, s) AS g, count(*) FROM t GROUP BY CUBE (k, s)',
      sets: 'SELECT k, s, sum(v) FROM t GROUP BY GROUPING SETS ((k), (s), ()) HAVING count(*) > 0',
      empty_set: 'SELECT count(*) FROM u GROUP BY GROUPING SETS ((), ())',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'aggregates that have no fold',
    setup: [
      ...TABLES,
      'ALTER TABLE t ADD COLUMN f float8',
      'UPDATE t SET f = id / 4.0',
      'CREATE AGGREGATE product(int) (sfunc = int4mul, stype = int, initcond = 1)',
    ],
    views: {
      floats: 'SELECT k, sum(f) AS s, avg(f) AS a FROM t GROUP BY k',
      float_total: 'SELECT sum(f::float4) AS s FROM t',
      variances: 'SELECT k, variance(f) AS v, stddev(f) AS sd, corr(f, f) AS c FROM t GROUP BY k',
      lists: "SELECT k, string_agg(s, ',' ORDER BY id) AS l, array_agg(v ORDER BY id DESC) AS a FROM t GROUP BY k",
      json_lists:
        'SELECT k, jsonb_agg(v ORDER BY id) AS j, jsonb_object_agg(id, s) AS o, json_agg(s ORDER BY id) AS t FROM t GROUP BY k',
      ordered_set:
        'SELECT k, percentile_cont(0.5) WITHIN GROUP (ORDER BY f) AS p, percentile_disc(0.5) WITHIN GROUP (ORDER BY v) AS d, mode() WITHIN GROUP (ORDER BY s) AS m FROM t GROUP BY k',
      hypothetical: 'SELECT rank(5) WITHIN GROUP (ORDER BY v) AS r FROM t',
      user_defined: 'SELECT k, product(v) AS p FROM t GROUP BY k',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'booleans and bits, whichever way they are maintained',
    setup: TABLES,
    views: {
      booleans: 'SELECT k, bool_and(v > 4) AS a, bool_or(v > 4) AS o, every(s IS NULL) AS e FROM t GROUP BY k',
      bits: 'SELECT k, bit_and(v) AS a, bit_or(v) AS o, bit_xor(v) AS x FROM t GROUP BY k',
      any_one: 'SELECT k, any_value(k) AS same FROM t GROUP BY k',
      exact_variance: 'SELECT k, var_samp(v) AS v, stddev_pop(v) AS s FROM t GROUP BY k',
    },
    steps: CHANGES,
  },
  {
    name: 'without tables, and functions, VALUES and samples in FROM',
    setup: TABLES,
    views: {
      constant: 'SELECT 1 AS one, NULL::int AS nothing',
      filtered_constant: 'SELECT 1 AS one WHERE false',
      values_list: "VALUES (1, 'a'), (2, NULL), (2, NULL)",
      values_joined: "SELECT t.id, x.label FROM t JOIN (VALUES (1, 'one'), (2, 'two')) x(k, label) USING (k)",
      series: 'SELECT i FROM generate_series(1, 3) i',
      series_of: 'SELECT t.id, i FROM t, generate_series(1, v) i',
      set_in_list: 'SELECT id, generate_series(1, k) AS i FROM t',
      ordinality: 'SELECT t.id, x.e, x.n FROM t, unnest(ARRAY[k, v]) WITH ORDINALITY x(e, n)',
      rows_from: 'SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY[5, 6, 7])) r(a, b)',
      json_rows: `SELECT t.id, j.x FROM t, JSON_TABLE(jsonb_build_array(t.k, t.v), '$[*]' COLUMNS (x int PATH '$')) j`,
      sampled: 'SELECT id FROM t TABLESAMPLE BERNOULLI (50) REPEATABLE (7)',
      no_columns: 'SELECT FROM t',
    },
    steps: CHANGES.filter((sql) => !sql.includes('s = s')),
  },
  {
    name: 'aggregates of aggregates, and subqueries with groups',
    setup: TABLES,
    views: {
      nested: 'SELECT n, count(*) AS times FROM (SELECT k, count(*) AS n FROM t GROUP BY k) g GROUP BY n',
      joined_back: 'SELECT t.id, g.s FROM t JOIN (SELECT k, sum(v) AS s FROM t GROUP BY k) g USING (k)',
      filtered: 'SELECT * FROM (SELECT k, max(v) AS m FROM t GROUP BY k) g WHERE m > 5',
      through_view: 'SELECT count(*) FROM (SELECT DISTINCT v FROM t) d',
      cte: 'WITH g AS (SELECT k, sum(v) AS s FROM t GROUP BY k) SELECT x.k, x.s - y.s AS d FROM g x JOIN g y ON x.k = y.k + 1',
    },
    steps: CHANGES,
    way: 'rebuild',
  },
  {
    name: 'WITH RECURSIVE',
    setup: ['CREATE TABLE e (a int, b int)', 'INSERT INTO e VALUES (1, 2), (2, 3), (3, 1), (1, 4), (4, 5), (5, NULL)'],
    views: {
      reach: 'WITH RECURSIVE r (n) AS (SELECT 1 UNION SELECT e.b FROM r JOIN e ON e.a = r.n) SELECT n FROM r',
      paths:
        'WITH RECURSIVE r (n, depth) AS (SELECT 1, 0 UNION ALL SELECT e.b, depth + 1 FROM r JOIN e ON e.a = r.n WHERE depth < 4) SELECT n, depth FROM r',
      grouped:
        'WITH RECURSIVE r (n) AS (SELECT a FROM e WHERE a > 2 UNION SELECT e.b FROM r JOIN e ON e.a = r.n) SELECT count(*), sum(n) FROM r',
      searched:
        'WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT e.b FROM r JOIN e ON e.a = r.n) CYCLE n SET looped USING path SELECT n, looped FROM r',
    },
    steps: [
      'INSERT INTO e VALUES (5, 6), (6, 7)',
      'DELETE FROM e WHERE a = 2',
      'INSERT INTO e VALUES (2, 3)',
      'DELETE FROM e WHERE a = 1 AND b = 2',
      'UPDATE e SET a = 3 WHERE a = 4',
      'UPDATE e SET b = 1',
      'DELETE FROM e',
    ],
    way: 'rebuild',
  },
  {
    name: 'types without equality or order',
    setup: [
      'CREATE TABLE t (id int PRIMARY KEY, j json, p point, x xml)',
      `INSERT INTO t VALUES (1, '{"a":  1}', '(1,2)', NULL), (2, NULL, NULL, NULL)`,
      'CREATE TABLE u (id int)',
      'INSERT INTO u VALUES (1), (1)',
    ],
    views: {
      outer_join: 'SELECT u.id, t.j, t.p FROM u LEFT JOIN t USING (id)',
      only_json: 'SELECT t.j FROM u LEFT JOIN t USING (id)',
      top: 'SELECT j, p, x FROM t ORDER BY id LIMIT 2',
    },
    steps: [
      `UPDATE t SET j = '{"a": 1}' WHERE id = 1`,
      'UPDATE t SET p = $$(1,3)$$ WHERE id = 1',
      'INSERT INTO u VALUES (2), (3)',
      'DELETE FROM t WHERE id = 1',
      'DELETE FROM u WHERE ctid = (SELECT min(ctid) FROM u)',
      'TRUNCATE t',
    ],
    way: 'rebuild',
  },
])
