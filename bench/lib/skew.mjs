// Queries over tables whose groups grow with the table: however many rows `o` has, they belong to ten customers. `c` holds
// these, `k` some of them, `team` ten teams for `player`, `tree` ten trees, `g` a graph in which everything reaches everything.

export const GROUPS = 10

/** Tables with `n` rows in schema `s`, and the indexes that a careful user of the queries below would create. */
export const tables = (s, n) => `
  CREATE SCHEMA IF NOT EXISTS ${s};
  SET search_path = ${s};
  CREATE TABLE c (id int PRIMARY KEY, name text NOT NULL, region int NOT NULL);
  CREATE TABLE k (cid int PRIMARY KEY, w int NOT NULL);
  CREATE TABLE o (id int PRIMARY KEY, cid int NOT NULL, day date NOT NULL, ts timestamp NOT NULL,
    amount numeric(10, 2) NOT NULL, qty int, note text NOT NULL);
  CREATE TABLE p (id int PRIMARY KEY, oid int NOT NULL, paid int NOT NULL);
  CREATE TABLE player (id int PRIMARY KEY, team int NOT NULL, total int NOT NULL);
  CREATE TABLE tree (id int PRIMARY KEY, parent int NOT NULL);
  CREATE TABLE g (src int, dst int, PRIMARY KEY (src, dst));
  INSERT INTO c SELECT i, 'customer ' || i, i % 3 FROM generate_series(1, ${GROUPS + 2}) AS i;
  INSERT INTO k SELECT i, i % 4 FROM generate_series(1, ${GROUPS}, 2) AS i;
  INSERT INTO o SELECT ${order('i')} FROM generate_series(1, ${n}) AS i;
  INSERT INTO p SELECT i, i, i % 100 FROM generate_series(1, ${n}, 2) AS i;
  INSERT INTO player SELECT i, i % ${GROUPS}, i * 7919 % 1000003 FROM generate_series(1, ${n}) AS i;
  INSERT INTO tree SELECT i, CASE WHEN i <= ${GROUPS} THEN 0 ELSE (i - ${GROUPS}) / 2 + 1 END FROM generate_series(1, ${n}) AS i;
  INSERT INTO g SELECT i, i % ${n} + 1 FROM generate_series(1, ${n}) AS i
    UNION SELECT i, i * 7919::bigint % ${n} + 1 FROM generate_series(1, ${n}) AS i;
  UPDATE o SET amount = 10000 WHERE id = ${n / 2};
  CREATE INDEX ON o (cid, id); CREATE INDEX ON o (cid, ts, id); CREATE INDEX ON o (cid, amount, id);
  CREATE INDEX ON o (day); CREATE INDEX ON o (amount, id); CREATE INDEX ON o (qty, cid); CREATE INDEX ON p (oid);
  CREATE INDEX ON o (cid, qty);
  CREATE INDEX ON player (team, total); CREATE INDEX ON player (total); CREATE INDEX ON tree (parent); CREATE INDEX ON g (dst);
  CREATE VIEW large AS SELECT id, cid, amount FROM o WHERE qty > 2;
  RESET search_path;`

/** The values of row `i` of `o`. */
const order = (i) =>
  `${i}, ${i} % ${GROUPS} + 1, DATE '2024-01-01' + ${i} * 7 % ${GROUPS}, TIMESTAMP '2024-01-01' + ${i} * interval '1 minute',
   (${i} * 7919::bigint % 100003) / 100.0, CASE WHEN ${i} % 7 > 0 THEN ${i} % 11 END, 'note ' || ${i}`

/** The changes of each table: for `share` 0 of one row, else of that share of its `n` rows. */
export const CHANGES = {
  o: (share, n) => {
    const some = chosen('id', share, n)
    return {
      insert: `INSERT INTO o SELECT ${order('i')} FROM generate_series(${n + 1}, ${n + count(share, n)}) AS i`,
      update: `UPDATE o SET amount = amount + 1, note = note || 'x', qty = qty % 10 + 1 WHERE ${some}`,
      move: `UPDATE o SET cid = cid % ${GROUPS} + 1, day = day + 1 WHERE ${some}`,
      delete: `DELETE FROM o WHERE ${some}`,
    }
  },
  player: (share, n) => {
    const some = chosen('id', share, n)
    return {
      insert: `INSERT INTO player SELECT i, i % ${GROUPS}, i * 7907 % 1000003 FROM generate_series(${n + 1}, ${n + count(share, n)}) AS i`,
      update: `UPDATE player SET total = total + 1000 WHERE ${some}`,
      delete: `DELETE FROM player WHERE ${some}`,
    }
  },
  tree: (share, n) => {
    const some = `id > ${GROUPS} AND ${chosen('id', share, n, n - 5)}`
    return {
      insert: `INSERT INTO tree SELECT i, i / 2 FROM generate_series(${n + 1}, ${n + count(share, n)}) AS i`,
      update: `UPDATE tree SET parent = id % ${GROUPS} + 1 WHERE ${some}`,
      delete: `DELETE FROM tree WHERE ${some}`,
    }
  },
  g: (share, n) => {
    const some = share ? chosen('src', share, n) : `src = ${n / 2} AND dst = ${n / 2 + 1}`
    return {
      insert: `INSERT INTO g SELECT i, i * 7907::bigint % ${n} + 1 FROM generate_series(1, ${count(share, n)}) AS i ON CONFLICT DO NOTHING`,
      delete: `DELETE FROM g WHERE ${some}`,
    }
  },
}

/** One row of the smaller tables. */
export const OTHERS = {
  c: `UPDATE c SET name = name || 'x', region = region + 1 WHERE id = 3`,
  k: `DELETE FROM k WHERE cid = 5`,
  p: `DELETE FROM p WHERE id = 501`,
}

const count = (share, n) => (share ? Math.max(1, Math.round(share * n)) : 1)

/** A condition for a share of the rows, all over the table, or for one row. */
function chosen(column, share, n, one = n / 2) {
  if (share === 0) return `${column} = ${one}`
  if (share === 1) return 'true'
  return `${column} * 7919::bigint % 1000 < ${1000 * share}`
}

const SUMS = 'count(o.id) AS n, sum(o.amount) AS total'

/**
 * The queries: `name`, `query`, the `key` of its result (`?` after a column that can be NULL), and the
 * table that changes, `o` if not given; `most`, up to how many rows it is run. `all` says why its result changes all over, so that a small change of the table is
 * no small change of the result.
 */
export const QUERIES = [
  { name: 'group by', query: 'SELECT cid, count(*) AS n, sum(amount) AS total FROM o GROUP BY cid', key: ['cid'] },
  { name: 'filter', query: 'SELECT id, amount FROM o WHERE qty > 3', key: ['id'] },
  { name: 'join', query: 'SELECT o.id, name, amount FROM o JOIN c ON c.id = o.cid', key: ['id'] },
  {
    name: 'group over join',
    query: `SELECT region, ${SUMS} FROM o JOIN c ON c.id = o.cid GROUP BY region`,
    key: ['region'],
  },
  {
    name: 'group over join, added up first',
    query: `SELECT region, sum(n)::bigint AS n, sum(total) AS total
      FROM (SELECT cid, ${SUMS} FROM o GROUP BY cid) s JOIN c ON c.id = s.cid GROUP BY region`,
    key: ['region'],
  },
  // Outer joins
  {
    name: 'left join',
    query: 'SELECT c.id, name, o.id AS oid, amount FROM c LEFT JOIN o ON o.cid = c.id',
    key: ['id', 'oid?'],
  },
  {
    name: 'left join, grouped',
    query: `SELECT c.id, ${SUMS} FROM c LEFT JOIN o ON o.cid = c.id GROUP BY c.id`,
    key: ['id'],
  },
  {
    name: 'left join, filtered',
    query: `SELECT c.id, ${SUMS} FROM c LEFT JOIN o ON o.cid = c.id AND o.qty > 5 GROUP BY c.id`,
    key: ['id'],
  },
  {
    name: 'left join to a key',
    query: 'SELECT o.id, amount, c.name FROM o LEFT JOIN c ON c.id = o.cid AND region > 0',
    key: ['id'],
  },
  {
    name: 'two left joins',
    query: `SELECT c.id, name, o.id AS oid, p.id AS pid, paid FROM c LEFT JOIN o ON o.cid = c.id LEFT JOIN p ON p.oid = o.id`,
    key: ['id', 'oid?'],
  },
  {
    name: 'two left joins, grouped',
    query: `SELECT c.id, ${SUMS}, sum(paid) AS paid FROM c LEFT JOIN o ON o.cid = c.id LEFT JOIN p ON p.oid = o.id GROUP BY c.id`,
    key: ['id'],
  },
  {
    name: 'right join',
    query: 'SELECT o.id, amount, c.id AS cid FROM o RIGHT JOIN c ON c.id = o.cid',
    key: ['cid', 'id?'],
  },
  {
    name: 'full join',
    query: 'SELECT k.cid, w, o.id, amount FROM k FULL JOIN o ON o.cid = k.cid',
    key: ['cid?', 'id?'],
  },
  {
    name: 'left join, subquery',
    query: `SELECT c.id, name, q.id AS oid, amount FROM c LEFT JOIN (SELECT id, cid, amount FROM o WHERE qty > 2) q ON q.cid = c.id`,
    key: ['id', 'oid?'],
  },
  {
    name: 'left join, view',
    query: 'SELECT c.id, name, q.id AS oid, amount FROM c LEFT JOIN large q ON q.cid = c.id',
    key: ['id', 'oid?'],
  },
  {
    name: 'left join, groups',
    query: `SELECT c.id, name, n, total FROM c LEFT JOIN (SELECT cid, ${SUMS} FROM o GROUP BY cid) q ON q.cid = c.id`,
    key: ['id'],
  },
  {
    name: 'left join, union all',
    query: `SELECT c.id, name, q.id AS qid FROM c LEFT JOIN (SELECT id, cid FROM o UNION ALL SELECT -cid, cid FROM k) q ON q.cid = c.id`,
    key: ['id', 'qid?'],
  },
  {
    name: 'days left join',
    query: `SELECT d.day, ${SUMS} FROM generate_series(DATE '2024-01-01', DATE '2024-01-15', '1 day') AS d(day)
      LEFT JOIN o ON o.day = d.day GROUP BY d.day`,
    key: ['day'],
  },
  // Subqueries in expressions
  {
    name: 'EXISTS',
    query: 'SELECT id, name FROM c WHERE EXISTS (SELECT FROM o WHERE o.cid = c.id AND amount > 900)',
    key: ['id'],
  },
  {
    name: 'EXISTS in a key',
    query: 'SELECT id, amount FROM o WHERE EXISTS (SELECT FROM k WHERE k.cid = o.cid AND w > 0)',
    key: ['id'],
  },
  {
    name: 'NOT EXISTS',
    query: 'SELECT id, name FROM c WHERE NOT EXISTS (SELECT FROM o WHERE o.cid = c.id)',
    key: ['id'],
  },
  { name: 'IN', query: 'SELECT id, name FROM c WHERE id IN (SELECT cid FROM o WHERE qty = 9)', key: ['id'] },
  {
    name: 'IN, grouped',
    query: 'SELECT region, count(*) AS n FROM c WHERE id IN (SELECT cid FROM o) GROUP BY region',
    key: ['region'],
  },
  { name: 'NOT IN', query: 'SELECT id, name FROM c WHERE id NOT IN (SELECT cid FROM o)', key: ['id'] },
  {
    name: 'scalar count',
    query: 'SELECT id, name, (SELECT count(*) FROM o WHERE o.cid = c.id) AS n FROM c',
    key: ['id'],
  },
  {
    name: 'scalar in WHERE',
    query: 'SELECT id, name FROM c WHERE (SELECT sum(amount) FROM o WHERE o.cid = c.id) > 1000',
    key: ['id'],
  },
  {
    name: 'above its average',
    query: 'SELECT id, amount FROM o WHERE amount > (SELECT avg(amount) FROM o AS a WHERE a.cid = o.cid)',
    key: ['id'],
    // The query itself is quadratic.
    most: 10_000,
  },
  {
    name: 'above the average',
    query: 'SELECT id, amount FROM o WHERE amount > (SELECT avg(amount) FROM o)',
    key: ['id'],
  },
  {
    name: 'LATERAL top 3',
    query: `SELECT c.id, l.id AS oid, l.amount FROM c, LATERAL (SELECT o.id, amount FROM o WHERE o.cid = c.id
      ORDER BY amount DESC, o.id DESC LIMIT 3) l`,
    key: ['id', 'oid'],
  },
  // Aggregates
  { name: 'min, max', query: 'SELECT cid, min(amount), max(amount) FROM o GROUP BY cid', key: ['cid'] },
  { name: 'count DISTINCT', query: 'SELECT cid, count(DISTINCT qty) AS n FROM o GROUP BY cid', key: ['cid'] },
  {
    name: 'string_agg',
    query: `SELECT cid, string_agg(note, ',' ORDER BY id) AS notes FROM o GROUP BY cid`,
    key: ['cid'],
  },
  {
    name: 'jsonb_agg',
    query: `SELECT cid, jsonb_agg(jsonb_build_object('id', id, 'amount', amount) ORDER BY id) AS list FROM o GROUP BY cid`,
    key: ['cid'],
  },
  {
    name: 'string_agg, appended',
    query: `SELECT cid, string_agg(note, ',' ORDER BY id) AS notes FROM o GROUP BY cid`,
    key: ['cid'],
    kinds: ['insert'],
  },
  {
    name: 'jsonb_agg, appended',
    query: `SELECT cid, jsonb_agg(jsonb_build_object('id', id, 'amount', amount) ORDER BY id) AS list, count(*) AS n FROM o GROUP BY cid`,
    key: ['cid'],
    kinds: ['insert'],
  },
  {
    name: 'percentile_cont',
    query: 'SELECT cid, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount::float8) AS median FROM o GROUP BY cid',
    key: ['cid'],
  },
  { name: 'mode', query: 'SELECT cid, mode() WITHIN GROUP (ORDER BY qty) AS usual FROM o GROUP BY cid', key: ['cid'] },
  { name: 'ROLLUP', query: 'SELECT cid, qty, count(*) AS n FROM o GROUP BY ROLLUP (cid, qty)', key: [] },
  // Windows
  {
    name: 'lag',
    query: 'SELECT id, amount - lag(amount) OVER (PARTITION BY cid ORDER BY ts, id) AS d FROM o',
    key: ['id'],
  },
  {
    name: 'moving average',
    query: 'SELECT id, avg(amount) OVER (PARTITION BY cid ORDER BY ts, id ROWS 6 PRECEDING) AS a FROM o',
    key: ['id'],
  },
  {
    name: 'running sum',
    query: 'SELECT id, sum(amount) OVER (PARTITION BY cid ORDER BY ts, id) AS s FROM o',
    key: ['id'],
    all: 'every later row of the partition changes',
  },
  {
    name: 'running sum, appended',
    query: 'SELECT id, sum(amount) OVER (PARTITION BY cid ORDER BY ts, id) AS s FROM o',
    key: ['id'],
    kinds: ['insert'],
  },
  {
    name: 'rank',
    query: 'SELECT id, rank() OVER (PARTITION BY cid ORDER BY amount) AS r FROM o',
    key: ['id'],
    all: 'every higher row of the partition changes',
  },
  {
    name: 'top 3 per group',
    query: `SELECT id, cid, amount, n FROM (SELECT *, row_number() OVER (PARTITION BY cid ORDER BY amount DESC, id DESC) AS n FROM o) q
      WHERE n <= 3`,
    key: ['id'],
  },
  {
    name: 'share of the total',
    query: 'SELECT id, amount / sum(amount) OVER (PARTITION BY cid) AS share FROM o',
    key: ['id'],
    all: 'every row of the partition changes',
  },
  {
    name: 'ntile',
    query: 'SELECT id, ntile(4) OVER (ORDER BY amount, id) AS quarter FROM o',
    key: ['id'],
  },
  {
    name: 'gaps and islands',
    query: `SELECT id, sum(fresh) OVER (PARTITION BY cid ORDER BY ts, id) AS island FROM (SELECT *,
      CASE WHEN qty > lag(qty) OVER (PARTITION BY cid ORDER BY ts, id) THEN 0 ELSE 1 END AS fresh FROM o) q`,
    key: ['id'],
    all: 'every later row of the partition changes',
  },
  {
    name: 'rank of all',
    query: 'SELECT id, rank() OVER (ORDER BY total DESC) AS place FROM player',
    key: ['id'],
    table: 'player',
    all: 'every lower row changes',
  },
  {
    name: 'leaderboard',
    query: 'SELECT id, total, rank() OVER (ORDER BY total DESC) AS place FROM player ORDER BY total DESC, id LIMIT 10',
    key: ['id'],
    table: 'player',
  },
  // DISTINCT, LIMIT, set operations
  { name: 'DISTINCT', query: 'SELECT DISTINCT cid, qty FROM o', key: ['cid', 'qty?'] },
  {
    name: 'DISTINCT ON',
    query: 'SELECT DISTINCT ON (cid) cid, id, ts, note FROM o ORDER BY cid, ts DESC, id',
    key: ['cid'],
  },
  { name: 'LIMIT 10', query: 'SELECT id, amount FROM o ORDER BY amount DESC, id DESC LIMIT 10', key: ['id'] },
  { name: 'LIMIT 1000', query: 'SELECT id, amount FROM o ORDER BY amount DESC, id DESC LIMIT 1000', key: ['id'] },
  { name: 'LIMIT, no index', query: 'SELECT id, note FROM o ORDER BY note DESC, id LIMIT 10', key: ['id'] },
  { name: 'UNION ALL', query: 'SELECT id, cid FROM o UNION ALL SELECT id, oid FROM p', key: [] },
  { name: 'UNION', query: 'SELECT amount FROM o UNION SELECT amount * 2 FROM o', key: ['amount'] },
  { name: 'INTERSECT', query: 'SELECT id FROM o WHERE qty > 3 INTERSECT SELECT oid FROM p', key: ['id'] },
  { name: 'EXCEPT', query: 'SELECT id FROM o EXCEPT SELECT oid FROM p', key: ['id'] },
  // Recursion
  {
    name: 'tree',
    query: `WITH RECURSIVE r AS (SELECT id, 0 AS depth FROM tree WHERE parent = 0
      UNION ALL SELECT t.id, depth + 1 FROM r JOIN tree t ON t.parent = r.id) SELECT id, depth FROM r`,
    key: ['id'],
    table: 'tree',
  },
  {
    name: 'reachable',
    query: 'WITH RECURSIVE r AS (SELECT 1 AS id UNION SELECT dst FROM r JOIN g ON src = r.id) SELECT id FROM r',
    key: ['id'],
    table: 'g',
  },
]
