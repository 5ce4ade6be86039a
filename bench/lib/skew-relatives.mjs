import { QUERIES } from './skew.mjs'

/** Further queries over the tables of skew.mjs, with the same operators in other places and combinations: `just skew --relatives`. */
export const RELATIVES = [
  QUERIES[0],
  // Joins of few keys
  {
    name: 'self-join, grouped',
    query:
      'SELECT a.cid, count(*) AS n FROM o AS a JOIN o AS b ON b.cid = a.cid AND b.amount = a.amount + 1 GROUP BY a.cid',
    key: ['cid'],
  },
  {
    name: 'self left join',
    query:
      'SELECT a.id, b.id AS bid FROM player AS a LEFT JOIN player AS b ON b.team = a.team AND b.total = a.total + 10',
    key: ['id', 'bid?'],
    table: 'player',
  },
  {
    name: 'theta join',
    query: 'SELECT k.cid, o.id FROM k JOIN o ON o.qty < k.w',
    key: ['cid', 'id'],
  },
  {
    name: 'left join without a match',
    query: 'SELECT o.id, o.amount FROM o LEFT JOIN p ON p.oid = o.id WHERE p.id IS NULL',
    key: ['id'],
  },
  {
    name: 'left join, distinct',
    query: 'SELECT c.id, q.qty FROM c LEFT JOIN (SELECT DISTINCT cid, qty FROM o) q ON q.cid = c.id',
    key: ['id', 'qty?'],
  },
  {
    name: 'left join, first row',
    query: `SELECT c.id, name, q.id AS oid FROM c LEFT JOIN (SELECT id, cid,
      row_number() OVER (PARTITION BY cid ORDER BY ts DESC, id DESC) AS n FROM o) q ON q.cid = c.id AND q.n = 1`,
    key: ['id'],
  },
  {
    name: 'full join of groups',
    query: `SELECT a.cid, a.n, b.cid AS bid, b.w FROM (SELECT cid, count(*) AS n FROM o GROUP BY cid) a
      FULL JOIN (SELECT cid, sum(w) AS w FROM k GROUP BY cid) b ON b.cid = a.cid`,
    key: ['cid?', 'bid?'],
  },
  {
    name: 'rows of the maximum',
    query: `SELECT o.id, o.cid, amount FROM o JOIN (SELECT cid, max(amount) AS m FROM o GROUP BY cid) q
      ON q.cid = o.cid AND q.m = o.amount`,
    key: ['id'],
  },
  {
    name: 'rows beside their average',
    query:
      'SELECT o.id, amount - q.a AS d FROM o JOIN (SELECT cid, avg(amount) AS a FROM o GROUP BY cid) q ON q.cid = o.cid',
    key: ['id'],
    all: 'every row of the group changes',
  },
  // Subqueries in expressions
  {
    name: 'EXISTS under OR',
    query: 'SELECT id, name FROM c WHERE region = 1 OR EXISTS (SELECT FROM o WHERE o.cid = c.id AND qty = 9)',
    key: ['id'],
  },
  {
    name: 'EXISTS in a key under OR',
    query: 'SELECT id, amount FROM o WHERE qty = 1 OR EXISTS (SELECT FROM k WHERE k.cid = o.cid AND w > 0)',
    key: ['id'],
  },
  {
    name: 'EXISTS selected',
    query: 'SELECT id, EXISTS (SELECT FROM o WHERE o.cid = c.id AND qty = 9) AS e FROM c',
    key: ['id'],
  },
  {
    name: 'EXISTS, by another column',
    query: 'SELECT id, amount FROM o WHERE EXISTS (SELECT FROM p WHERE p.paid = o.qty)',
    key: ['id'],
  },
  {
    name: 'EXISTS, compared',
    query: 'SELECT id, name FROM c WHERE EXISTS (SELECT FROM o WHERE o.qty > c.region AND o.cid = c.id + 1)',
    key: ['id'],
  },
  {
    name: 'IN, by key',
    query: 'SELECT id, amount FROM o WHERE id IN (SELECT oid FROM p WHERE paid > 50)',
    key: ['id'],
  },
  { name: 'NOT IN, by key', query: 'SELECT id, amount FROM o WHERE id NOT IN (SELECT oid FROM p)', key: ['id'] },
  {
    name: 'scalar count, compared',
    query: 'SELECT id, (SELECT count(*) FROM o WHERE o.qty > c.region) AS n FROM c',
    key: ['id'],
  },
  {
    name: 'scalar LIMIT 1',
    query: 'SELECT id, (SELECT note FROM o WHERE o.cid = c.id ORDER BY ts DESC, id DESC LIMIT 1) AS latest FROM c',
    key: ['id'],
  },
  {
    name: 'equal to its maximum',
    query: 'SELECT id, amount FROM o WHERE amount = (SELECT max(amount) FROM o AS b WHERE b.cid = o.cid)',
    key: ['id'],
  },
  {
    name: 'IN, of a small table',
    query: 'SELECT id, amount FROM o WHERE qty IN (SELECT region FROM c WHERE id < 5)',
    key: ['id'],
  },
  {
    name: 'HAVING, a share',
    query: 'SELECT cid, sum(amount) AS s FROM o GROUP BY cid HAVING sum(amount) > (SELECT sum(amount) / 10 FROM o)',
    key: ['cid'],
  },
  {
    name: 'share of the sum',
    query: 'SELECT qty, sum(amount) / (SELECT sum(amount) FROM o) AS s FROM o WHERE qty > 0 GROUP BY qty',
    key: ['qty'],
  },
  {
    name: 'LATERAL rows',
    query: 'SELECT c.id, l.id AS oid FROM c, LATERAL (SELECT o.id FROM o WHERE o.cid = c.id AND amount > 900) l',
    key: ['id', 'oid'],
  },
  {
    name: 'LATERAL, compared',
    query: 'SELECT c.id, l.m FROM c, LATERAL (SELECT max(amount) AS m FROM o WHERE o.cid <= c.id) l',
    key: ['id'],
  },
  {
    name: 'LATERAL window',
    query: `SELECT c.id, l.id AS oid, l.n FROM c, LATERAL (SELECT o.id, row_number() OVER (ORDER BY amount, o.id) AS n
      FROM o WHERE o.cid = c.id) l`,
    key: ['id', 'oid'],
    all: 'every higher row of the customer changes',
  },
  // Groups
  {
    name: 'groups of groups',
    query: 'SELECT n % 5 AS f, count(*) AS n FROM (SELECT cid, count(*) AS n FROM o GROUP BY cid) q GROUP BY 1',
    key: ['f'],
  },
  { name: 'CUBE', query: 'SELECT cid, day, sum(amount) AS s FROM o GROUP BY CUBE (cid, day)', key: [] },
  {
    name: 'groups of UNION',
    query: 'SELECT cid, count(*) AS n FROM (SELECT cid, qty FROM o UNION SELECT cid, w FROM k) q GROUP BY cid',
    key: ['cid'],
  },
  {
    name: 'groups of UNION, many rows',
    query: 'SELECT count(*) AS n FROM (SELECT amount FROM o UNION SELECT amount * 2 FROM o) q',
    key: ['n'],
  },
  {
    name: 'groups of EXCEPT',
    query: 'SELECT id % 10 AS d, count(*) AS n FROM (SELECT id FROM o EXCEPT SELECT oid FROM p) q GROUP BY 1',
    key: ['d'],
  },
  { name: 'array_agg DISTINCT', query: 'SELECT cid, array_agg(DISTINCT qty) AS a FROM o GROUP BY cid', key: ['cid'] },
  {
    name: 'max of an expression',
    query: 'SELECT cid, max(amount * qty) AS m FROM o GROUP BY cid',
    key: ['cid'],
  },
  {
    name: 'min, max of many groups',
    query: 'SELECT id % 1000 AS k, min(note) AS a, max(amount) AS b FROM o GROUP BY 1',
    key: ['k'],
  },
  {
    name: 'max over joins',
    query: `SELECT name, qty, max(paid) AS m, count(*) AS n FROM p JOIN o ON o.id = p.oid JOIN c ON c.id = o.cid
      GROUP BY name, qty`,
    key: ['name', 'qty?'],
  },
  // Windows
  {
    name: 'row_number over a join',
    query:
      'SELECT o.id, row_number() OVER (PARTITION BY region ORDER BY amount, o.id) AS n FROM o JOIN c ON c.id = o.cid',
    key: ['id'],
    all: 'every higher row of the partition changes',
  },
  {
    name: 'lag over a join',
    query: 'SELECT o.id, lag(amount) OVER (PARTITION BY region ORDER BY ts, o.id) AS l FROM o JOIN c ON c.id = o.cid',
    key: ['id'],
  },
  {
    name: 'window of a window',
    query: `SELECT id, rank() OVER (PARTITION BY cid ORDER BY s DESC) AS r FROM (SELECT id, cid,
      sum(amount) OVER (PARTITION BY cid ORDER BY ts, id) AS s FROM o) q`,
    key: ['id'],
    all: 'every later row of the partition changes',
  },
  {
    name: 'first rows of a window',
    query: `SELECT id, cid, d FROM (SELECT id, cid, d, row_number() OVER (PARTITION BY cid ORDER BY d DESC NULLS LAST, id) AS n FROM
      (SELECT id, cid, amount - lag(amount) OVER (PARTITION BY cid ORDER BY ts, id) AS d FROM o) q) r WHERE n <= 3`,
    key: ['id'],
  },
  {
    name: 'first rows, joined, grouped',
    query: `SELECT region, count(*) AS n, sum(amount) AS s FROM (SELECT *, row_number() OVER
      (PARTITION BY cid ORDER BY amount DESC, id DESC) AS n FROM o) q JOIN c ON c.id = q.cid WHERE n <= 3 GROUP BY region`,
    key: ['region'],
  },
  {
    name: 'RANGE',
    query: `SELECT id, count(*) OVER (PARTITION BY cid ORDER BY ts RANGE interval '1 hour' PRECEDING) AS n FROM o`,
    key: ['id'],
  },
  {
    name: 'first_value',
    query: 'SELECT id, first_value(note) OVER (PARTITION BY cid ORDER BY ts, id) AS f FROM o',
    key: ['id'],
  },
  {
    name: 'cume_dist',
    query: 'SELECT id, cume_dist() OVER (PARTITION BY cid ORDER BY amount) AS c FROM o',
    key: ['id'],
    all: 'every row of the partition changes',
  },
  {
    name: 'distinct window',
    query: 'SELECT DISTINCT cid, max(amount) OVER (PARTITION BY cid) AS m FROM o',
    key: ['cid'],
  },
  {
    name: 'rank of groups',
    query:
      'SELECT cid, s, rank() OVER (ORDER BY s DESC) AS r FROM (SELECT cid, sum(amount) AS s FROM o GROUP BY cid) q',
    key: ['cid'],
  },
  // LIMIT
  {
    name: 'LIMIT of a join',
    query: 'SELECT o.id, name, amount FROM o JOIN c ON c.id = o.cid ORDER BY amount DESC, o.id DESC LIMIT 10',
    key: ['id'],
  },
  {
    name: 'LIMIT of groups',
    query: 'SELECT qty, count(*) AS n FROM o GROUP BY qty ORDER BY n DESC, qty LIMIT 3',
    key: ['qty?'],
  },
  { name: 'OFFSET', query: 'SELECT id, amount FROM o ORDER BY amount, id LIMIT 10 OFFSET 1000', key: ['id'] },
  // Recursion
  {
    name: 'groups of a tree',
    query: `WITH RECURSIVE r AS (SELECT id, id AS root FROM tree WHERE parent = 0
      UNION ALL SELECT t.id, root FROM r JOIN tree t ON t.parent = r.id) SELECT root, count(*) AS n FROM r GROUP BY root`,
    key: ['root'],
    table: 'tree',
  },
  {
    name: 'tree, joined',
    query: `WITH RECURSIVE r AS (SELECT id, id AS root FROM tree WHERE parent = 0
      UNION ALL SELECT t.id, root FROM r JOIN tree t ON t.parent = r.id) SELECT o.id, root FROM r JOIN o ON o.id = r.id`,
    key: ['id'],
    table: 'tree',
  },
]
