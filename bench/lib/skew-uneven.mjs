// Queries over groups of uneven size, for `just skew --from bench/lib/skew-uneven.mjs`: the first customer has half of all orders,
// the next two have a quarter and an eighth, and two hundred share the rest; half of all items are of one product.

export const GROUPS = 203

/** The values of row `i` of `o`. */
const row = (
  i,
) => `${i}, CASE WHEN ${i} % 2 = 0 THEN 1 WHEN ${i} % 4 = 1 THEN 2 WHEN ${i} % 8 = 3 THEN 3 ELSE 4 + ${i} % 200 END,
 CASE WHEN ${i} % 10 < 9 THEN ${i} % 5 END, (${i} * 7919::bigint % 1009)::int, 'u' || (${i} % 37), TIMESTAMP '2024-01-01' + ${i} * interval '7 minutes', ${i} % 3 = 0`
/** Tables with `n` rows in schema `s`, and the indexes that a careful user of the queries below would create. */
export const tables = (s, n) => `
 CREATE SCHEMA IF NOT EXISTS ${s}; SET search_path=${s};
 CREATE TABLE c (id int PRIMARY KEY, name text NOT NULL, tier int);
 CREATE TABLE o (id int PRIMARY KEY, cid int NOT NULL, st int, v int NOT NULL, u text NOT NULL, ts timestamp NOT NULL, paid boolean NOT NULL);
 CREATE TABLE i (id int PRIMARY KEY, oid int NOT NULL, prod int NOT NULL, n int NOT NULL);
 CREATE TABLE pr (id int PRIMARY KEY, cat text NOT NULL, price int NOT NULL);
 INSERT INTO c SELECT x, 'c' || x, CASE WHEN x % 4 > 0 THEN x % 4 END FROM generate_series(1, 220) x;
 INSERT INTO pr SELECT x, 'cat' || x % 4, x * 3 FROM generate_series(1, 50) x;
 INSERT INTO o SELECT ${row('x')} FROM generate_series(1, ${n}) x;
 INSERT INTO i SELECT x, x % ${n} + 1, CASE WHEN x % 2 = 0 THEN 7 ELSE x % 50 + 1 END, x % 9 FROM generate_series(1, ${n}) x;
 CREATE INDEX ON o (cid); CREATE INDEX ON o (st); CREATE INDEX ON o (u); CREATE INDEX ON o (v, id); CREATE INDEX ON o (cid, ts, id); CREATE INDEX ON i (oid); CREATE INDEX ON i (prod);
 RESET search_path;`
const count = (share, n) => (share ? Math.max(1, Math.round(share * n)) : 1)
const chosen = (share, n) =>
  share === 0 ? `id = ${n / 2}` : share === 1 ? 'true' : `id * 7919::bigint % 1000 < ${1000 * share}`
/** The changes of each table: for `share` 0 of one row, else of that share of its `n` rows. */
export const CHANGES = {
  o: (share, n) => ({
    insert: `INSERT INTO o SELECT ${row('x')} FROM generate_series(${n + 1}, ${n + count(share, n)}) x`,
    update: `UPDATE o SET v = v + 3, paid = NOT paid WHERE ${chosen(share, n)}`,
    move: `UPDATE o SET cid = cid % 4 + 1, st = coalesce(st, 0) + 1, u = u || 'x', ts = ts + interval '1 day' WHERE ${chosen(share, n)}`,
    delete: `DELETE FROM o WHERE ${chosen(share, n)}`,
  }),
  i: (share, n) => ({
    insert: `INSERT INTO i SELECT x, x % ${n} + 1, 7, 3 FROM generate_series(${n + 1}, ${n + count(share, n)}) x`,
    update: `UPDATE i SET n = n + 1 WHERE ${chosen(share, n)}`,
    delete: `DELETE FROM i WHERE ${chosen(share, n)}`,
  }),
}
/** One row of the smaller tables. */
export const OTHERS = {
  c: `UPDATE c SET tier = 9, name = name || 'x' WHERE id = 1`,
  pr: `UPDATE pr SET price = price + 1, cat = 'cat9' WHERE id = 7`,
  i: `DELETE FROM i WHERE id = 500`,
}
const q = (name, query, key, more = {}) => ({ name, query, key, ...more })
/** The queries, as in skew.mjs. */
export const QUERIES = [
  q('group by', 'SELECT cid, count(*) AS n, sum(v) AS s FROM o GROUP BY cid', ['cid']),
  q(
    'join 3',
    'SELECT i.id, c.name, pr.cat, i.n * pr.price AS amount FROM i JOIN o ON o.id = i.oid JOIN c ON c.id = o.cid JOIN pr ON pr.id = i.prod',
    ['id'],
  ),
  q(
    'join 3 grouped',
    'SELECT c.name, pr.cat, sum(i.n * pr.price) AS amount, count(*) AS k FROM i JOIN o ON o.id = i.oid JOIN c ON c.id = o.cid JOIN pr ON pr.id = i.prod GROUP BY c.name, pr.cat',
    ['name', 'cat'],
  ),
  q(
    'join 3 grouped, i',
    'SELECT c.name, pr.cat, sum(i.n * pr.price) AS amount, max(i.n) AS k FROM i JOIN o ON o.id = i.oid JOIN c ON c.id = o.cid JOIN pr ON pr.id = i.prod GROUP BY c.name, pr.cat',
    ['name', 'cat'],
    { table: 'i' },
  ),
  q('having', 'SELECT u, count(*) AS n FROM o WHERE paid GROUP BY u HAVING count(*) > 10', ['u']),
  q('min max avg', 'SELECT st, min(v) AS a, max(v) AS b, avg(v) AS c FROM o GROUP BY st', ['st?']),
  q('bool_and array_agg', 'SELECT st, bool_and(paid) AS a, array_agg(id ORDER BY id) AS l FROM o GROUP BY st', ['st?']),
  q('array_agg unordered', 'SELECT cid, array_agg(DISTINCT u) AS l FROM o GROUP BY cid', ['cid']),
  q('stddev', 'SELECT cid, stddev(v) AS s, corr(v, st) AS r FROM o GROUP BY cid', ['cid']),
  q('count distinct 2', 'SELECT st, count(DISTINCT u) AS a, count(DISTINCT cid) AS b, sum(v) AS s FROM o GROUP BY st', [
    'st?',
  ]),
  q(
    'filter agg',
    'SELECT cid, count(*) FILTER (WHERE paid) AS a, sum(v) FILTER (WHERE v > 500) AS b FROM o GROUP BY cid',
    ['cid'],
  ),
  q('date_trunc', `SELECT date_trunc('day', ts) AS d, st, count(*) AS n, sum(v) AS s FROM o GROUP BY 1, 2`, []),
  q(
    'left join agg having',
    'SELECT c.id, count(o.id) AS n FROM c LEFT JOIN o ON o.cid = c.id AND o.paid GROUP BY c.id HAVING count(o.id) < 5',
    ['id'],
  ),
  q(
    'left join sub agg',
    'SELECT c.id, c.name, coalesce(q.s, 0) AS s FROM c LEFT JOIN (SELECT cid, sum(v) AS s FROM o WHERE paid GROUP BY cid) q ON q.cid = c.id',
    ['id'],
  ),
  q(
    'left lateral latest',
    'SELECT c.id, l.id AS oid, l.ts FROM c LEFT JOIN LATERAL (SELECT id, ts FROM o WHERE o.cid = c.id ORDER BY ts DESC, id DESC LIMIT 1) l ON true',
    ['id'],
  ),
  q(
    'lateral agg',
    'SELECT c.id, l.n, l.s FROM c, LATERAL (SELECT count(*) AS n, sum(v) AS s FROM o WHERE o.cid = c.id AND o.v > c.tier * 100) l',
    ['id'],
  ),
  q('not exists 2', 'SELECT o.id, o.v FROM o WHERE NOT EXISTS (SELECT FROM i WHERE i.oid = o.id AND i.n > 5)', ['id']),
  q('not exists i', 'SELECT o.id, o.v FROM o WHERE NOT EXISTS (SELECT FROM i WHERE i.oid = o.id AND i.n > 5)', ['id'], {
    table: 'i',
  }),
  q(
    'exists same group',
    'SELECT a.id FROM o a WHERE EXISTS (SELECT FROM o b WHERE b.cid = a.cid AND b.v = a.v AND b.id <> a.id)',
    ['id'],
    { most: 20_000 },
  ),
  q('in group', 'SELECT id, v FROM o WHERE cid IN (SELECT cid FROM o GROUP BY cid HAVING count(*) > 100)', ['id']),
  q(
    'scalar two',
    'SELECT c.id, (SELECT max(v) FROM o WHERE o.cid = c.id) AS a, (SELECT count(*) FROM o WHERE o.cid = c.id AND NOT paid) AS b FROM c',
    ['id'],
    { most: 20_000 },
  ),
  q('scalar global share', 'SELECT cid, sum(v) * 100.0 / (SELECT sum(v) FROM o) AS pct FROM o GROUP BY cid', ['cid']),
  q(
    'cte twice',
    'WITH t AS (SELECT cid, sum(v) AS s FROM o GROUP BY cid) SELECT t.cid, t.s, (SELECT avg(s) FROM t) AS a FROM t',
    ['cid'],
  ),
  q(
    'cte above avg',
    'WITH t AS (SELECT cid, sum(v) AS s FROM o GROUP BY cid) SELECT t.cid, t.s FROM t WHERE t.s > (SELECT avg(s) FROM t)',
    ['cid'],
  ),
  q(
    'row_number dedupe',
    'SELECT * FROM (SELECT id, u, v, row_number() OVER (PARTITION BY u ORDER BY ts DESC, id DESC) AS rn FROM o) q WHERE rn = 1',
    ['u'],
  ),
  q(
    'rank <= 5 join',
    'SELECT q.id, c.name, q.r FROM (SELECT id, cid, rank() OVER (PARTITION BY cid ORDER BY v DESC) AS r FROM o) q JOIN c ON c.id = q.cid WHERE r <= 5',
    ['id'],
  ),
  q('dense_rank global', 'SELECT id, dense_rank() OVER (ORDER BY v) AS r FROM o', ['id'], {
    all: 'every higher row changes',
  }),
  q('window count', 'SELECT id, count(*) OVER (PARTITION BY u) AS n FROM o', ['id'], {
    all: 'every row of the partition changes',
  }),
  q(
    'window sum+lag',
    'SELECT id, sum(v) OVER w AS s, lag(v) OVER w AS l FROM o WINDOW w AS (PARTITION BY cid ORDER BY ts, id)',
    ['id'],
    { all: 'every later row of the partition changes' },
  ),
  q(
    'window 2 partitions',
    'SELECT id, row_number() OVER (PARTITION BY cid ORDER BY ts, id) AS a, avg(v) OVER (PARTITION BY u) AS b FROM o',
    ['id'],
    { all: 'every later row of the partition changes' },
  ),
  q(
    'window over group',
    'SELECT cid, st, s, sum(s) OVER (PARTITION BY cid ORDER BY st) AS r FROM (SELECT cid, st, sum(v) AS s FROM o GROUP BY cid, st) q',
    ['cid', 'st?'],
  ),
  q(
    'window over join',
    'SELECT o.id, c.tier, row_number() OVER (PARTITION BY c.tier ORDER BY o.v, o.id) AS n FROM o JOIN c ON c.id = o.cid',
    ['id'],
    { all: 'every higher row of the partition changes' },
  ),
  q('percent_rank', 'SELECT id, percent_rank() OVER (PARTITION BY st ORDER BY v) AS p FROM o', ['id'], {
    all: 'every row of the partition changes',
  }),
  q(
    'first last value',
    'SELECT id, first_value(v) OVER w AS f, last_value(v) OVER w AS l FROM o WINDOW w AS (PARTITION BY cid ORDER BY ts, id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)',
    ['id'],
  ),
  q('lead diff', 'SELECT id, lead(ts) OVER (PARTITION BY u ORDER BY ts, id) - ts AS gap FROM o', ['id']),
  q(
    'gap filter',
    `SELECT id, u FROM (SELECT id, u, ts - lag(ts) OVER (PARTITION BY u ORDER BY ts, id) AS gap FROM o) q WHERE gap > interval '5 hours'`,
    ['id'],
  ),
  q(
    'sessions',
    `SELECT u, s, count(*) AS n, min(ts) AS a FROM (SELECT u, ts, sum(f) OVER (PARTITION BY u ORDER BY ts, id) AS s FROM (SELECT id, u, ts, CASE WHEN ts - lag(ts) OVER (PARTITION BY u ORDER BY ts, id) < interval '260 minutes' THEN 0 ELSE 1 END AS f FROM o) a) b GROUP BY u, s`,
    ['u', 's'],
  ),
  q('distinct join', 'SELECT DISTINCT c.tier, o.st, o.u FROM o JOIN c ON c.id = o.cid', []),
  q(
    'distinct on join',
    'SELECT DISTINCT ON (c.tier) c.tier, o.id, o.v FROM o JOIN c ON c.id = o.cid ORDER BY c.tier, o.v DESC, o.id',
    ['tier?'],
  ),
  q(
    'limit join group',
    'SELECT c.id, c.name, sum(o.v) AS s FROM c JOIN o ON o.cid = c.id GROUP BY c.id, c.name ORDER BY s DESC, c.id LIMIT 5',
    ['id'],
  ),
  q('limit offset', 'SELECT id, v FROM o WHERE paid ORDER BY ts DESC, id DESC LIMIT 20 OFFSET 40', ['id']),
  q('limit with ties', 'SELECT id, v FROM o ORDER BY v DESC FETCH FIRST 10 ROWS WITH TIES', ['id']),
  q(
    'union all group',
    `SELECT k, sum(x) AS s FROM (SELECT cid AS k, v AS x FROM o UNION ALL SELECT prod, n FROM i) q GROUP BY k`,
    ['k'],
  ),
  q('union distinct', 'SELECT u FROM o WHERE paid UNION SELECT u FROM o WHERE v > 900', ['u']),
  q('except all', 'SELECT cid, st FROM o EXCEPT ALL SELECT oid, n FROM i', []),
  q('intersect', 'SELECT cid FROM o WHERE paid INTERSECT SELECT cid FROM o WHERE v < 10', ['cid']),
  q('rollup', 'SELECT st, u, sum(v) AS s FROM o GROUP BY ROLLUP (st, u)', []),
  q(
    'cross totals',
    'SELECT o.id, o.v::numeric / t.s AS share FROM o CROSS JOIN (SELECT sum(v) AS s FROM o) t',
    ['id'],
    { all: 'every row changes' },
  ),
  q('self join prev', 'SELECT a.id, b.id AS bid FROM o a JOIN o b ON b.id = a.id - 1 WHERE a.v > b.v', ['id']),
  q(
    'self join pairs',
    'SELECT a.u, count(*) AS n FROM i x JOIN i y ON x.oid = y.oid AND x.id < y.id JOIN o a ON a.id = x.oid GROUP BY a.u',
    ['u'],
    { table: 'i' },
  ),
  q('theta range', 'SELECT c.id, count(*) AS n FROM c JOIN o ON o.v BETWEEN c.id AND c.id + 5 GROUP BY c.id', ['id']),
  q(
    'full join',
    'SELECT a.cid AS x, b.prod AS y, a.n, b.m FROM (SELECT cid, count(*) AS n FROM o GROUP BY cid) a FULL JOIN (SELECT prod, count(*) AS m FROM i GROUP BY prod) b ON a.cid = b.prod',
    [],
  ),
  q(
    'left join chain grouped',
    'SELECT c.tier, count(DISTINCT o.id) AS a, count(i.id) AS b, sum(i.n) AS s FROM c LEFT JOIN o ON o.cid = c.id LEFT JOIN i ON i.oid = o.id GROUP BY c.tier',
    ['tier?'],
  ),
  q('max by expr', 'SELECT id % 1000 AS k, max(v), min(ts) FROM o GROUP BY 1', ['k']),
  q('max by day', `SELECT date_trunc('day', ts) AS d, max(v) AS m, min(u) AS a FROM o GROUP BY 1`, ['d']),
  q('bits', 'SELECT u, bit_or(v) AS a, bit_and(v) AS b FROM o GROUP BY u', ['u']),
  q(
    'lag over join',
    'SELECT o.id, lag(o.v) OVER (PARTITION BY c.tier ORDER BY o.ts, o.id) AS l FROM o JOIN c ON c.id = o.cid',
    ['id'],
  ),
  q(
    'first over join',
    'SELECT * FROM (SELECT o.id, c.tier, row_number() OVER (PARTITION BY c.tier ORDER BY o.ts DESC, o.id) AS n FROM o JOIN c ON c.id = o.cid) q WHERE n <= 3',
    ['id'],
  ),
  q('limit over join', 'SELECT o.id, c.tier FROM o JOIN c ON c.id = o.cid ORDER BY c.tier, o.ts, o.id LIMIT 20', [
    'id',
  ]),
  q(
    'distinct over 3 joins',
    'SELECT DISTINCT c.name, pr.cat FROM i JOIN o ON o.id = i.oid JOIN c ON c.id = o.cid JOIN pr ON pr.id = i.prod',
    ['name', 'cat'],
  ),
  q(
    'exists over join',
    'SELECT c.id FROM c WHERE EXISTS (SELECT FROM o JOIN i ON i.oid = o.id WHERE o.cid = c.id AND i.n = 8)',
    ['id'],
  ),
  q(
    'string_agg over join',
    `SELECT c.tier, string_agg(o.u, ',' ORDER BY o.id) AS l FROM o JOIN c ON c.id = o.cid GROUP BY c.tier`,
    ['tier?'],
  ),
  q(
    'union of joins',
    'SELECT c.name FROM c JOIN o ON o.cid = c.id WHERE o.paid UNION SELECT pr.cat FROM pr JOIN i ON i.prod = pr.id',
    ['name'],
  ),
  q(
    'left join chain i',
    'SELECT c.tier, count(DISTINCT o.id) AS a, count(i.id) AS b, sum(i.n) AS s FROM c LEFT JOIN o ON o.cid = c.id LEFT JOIN i ON i.oid = o.id GROUP BY c.tier',
    ['tier?'],
    { table: 'i' },
  ),
  q('anti left join', 'SELECT c.id FROM c LEFT JOIN o ON o.cid = c.id AND o.v > 1005 WHERE o.id IS NULL', ['id']),
  q(
    'case when',
    `SELECT CASE WHEN v < 100 THEN 'low' WHEN v < 500 THEN 'mid' ELSE 'high' END AS b, count(*) AS n, avg(v) AS a FROM o GROUP BY 1`,
    ['b'],
  ),
  q('json object', `SELECT cid, jsonb_object_agg(id, v) AS j FROM o GROUP BY cid`, ['cid']),
  q('string_agg distinct', `SELECT cid, string_agg(DISTINCT u, ',' ORDER BY u) AS l FROM o GROUP BY cid`, ['cid']),
  q('median global', 'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY v) AS m, count(*) AS n FROM o', ['n']),
  q(
    'group of left join of groups',
    'SELECT t.tier, sum(q.s) AS s, max(q.n) AS m FROM (SELECT id, tier FROM c) t LEFT JOIN (SELECT cid, sum(v) AS s, count(*) AS n FROM o GROUP BY cid) q ON q.cid = t.id GROUP BY t.tier',
    ['tier?'],
  ),
  q(
    'exists or exists',
    'SELECT c.id FROM c WHERE EXISTS (SELECT FROM o WHERE o.cid = c.id AND o.v = 3) OR EXISTS (SELECT FROM o WHERE o.cid = c.id AND o.st IS NULL)',
    ['id'],
  ),
  q('order by text limit', 'SELECT id, u, v FROM o ORDER BY u DESC, v, id LIMIT 50', ['id']),
  q(
    'generate_series join',
    `SELECT g.d, count(o.id) AS n FROM generate_series(TIMESTAMP '2024-01-01', TIMESTAMP '2024-03-01', interval '1 day') g(d) LEFT JOIN o ON o.ts >= g.d AND o.ts < g.d + interval '1 day' GROUP BY g.d`,
    ['d'],
  ),
  q('any array', 'SELECT id, v FROM o WHERE st = ANY (SELECT tier FROM c WHERE id < 5)', ['id']),
  q(
    'nested agg max of sums',
    'SELECT tier, max(s) AS m FROM (SELECT c.tier, c.id, sum(o.v) AS s FROM c JOIN o ON o.cid = c.id GROUP BY c.tier, c.id) q GROUP BY tier',
    ['tier?'],
  ),
  q(
    'rows with group count',
    'SELECT o.id, q.n FROM o JOIN (SELECT u, count(*) AS n FROM o GROUP BY u) q USING (u)',
    ['id'],
    { all: 'every row of the group changes' },
  ),
  q(
    'top 2 per two keys',
    'SELECT id, cid, st, n FROM (SELECT id, cid, st, row_number() OVER (PARTITION BY cid, st ORDER BY v DESC, id) AS n FROM o) q WHERE n <= 2',
    ['id'],
  ),
]
