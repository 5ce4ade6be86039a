import { runCases } from './support/cases.js'
import { CHANGES, TABLES } from './support/tables.js'

runCases('sets, LIMIT, aggregates without inverse, queries in queries', [
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
    way: 'incremental',
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
        '(SELECT k FROM t EXCEPT SELECT v FROM u) UNION ALL SELECT DISTINCT k FROM u UNION ALL (SELECT v FROM u ORDER BY v LIMIT 1)',
      types: 'SELECT k, s FROM t UNION ALL SELECT v::numeric, NULL FROM u',
      inside: 'SELECT k, sum(v) FROM (SELECT k, v FROM t UNION ALL SELECT k, v FROM u) x GROUP BY k',
    },
    steps: CHANGES,
    way: 'incremental',
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
    way: 'incremental',
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
    way: 'incremental',
  },
  {
    name: 'aggregates that have no inverse',
    setup: [
      ...TABLES,
      'ALTER TABLE t ADD COLUMN f float8',
      'UPDATE t SET f = id / 4.0',
      'CREATE AGGREGATE product(int) (sfunc = int4mul, stype = int, initcond = 1)',
    ],
    views: {
      floats: 'SELECT k, sum(f) AS s, avg(f) AS a FROM t GROUP BY k',
      variances: 'SELECT k, variance(f) AS v, stddev(f) AS sd, corr(f, f) AS c FROM t GROUP BY k',
      lists: "SELECT k, string_agg(s, ',' ORDER BY id) AS l, array_agg(v ORDER BY id DESC) AS a FROM t GROUP BY k",
      json_lists:
        'SELECT k, jsonb_agg(v ORDER BY id) AS j, jsonb_object_agg(id, s) AS o, json_agg(s ORDER BY id) AS t FROM t GROUP BY k',
      ordered_set:
        'SELECT k, percentile_cont(0.5) WITHIN GROUP (ORDER BY f) AS p, percentile_disc(0.5) WITHIN GROUP (ORDER BY v) AS d, mode() WITHIN GROUP (ORDER BY s) AS m FROM t GROUP BY k',
      user_defined: 'SELECT k, product(v) AS p FROM t GROUP BY k',
    },
    steps: CHANGES,
    way: 'incremental',
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
    way: 'incremental',
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
    way: 'incremental',
  },
])
