// Queries of apps, for `just skew --from bench/lib/skew-apps.mjs`: a help desk with text keys, tags of tickets (many to many),
// events without a key, a tree of categories and prices with ranges. Of eight tenants, the first has half of all
// tickets, the next one a quarter; three users write half of all comments; one tag is on half of all tickets.

export const GROUPS = 8

/** A number from 1 to `n`, of which 1 is half of all, 2 a quarter, and so on; the last ones share the rest. */
const skewed = (i, n) =>
  `CASE WHEN ${i} % 2 = 0 THEN 1 WHEN ${i} % 4 = 1 THEN 2 WHEN ${i} % 8 = 3 THEN 3 ELSE 4 + ${i} / 8 % (${n} - 3) END`
const ticket = (i) =>
  `'t' || ${i}, ${skewed(i, 8)}, 'u' || (${i} * 31 % 400), (ARRAY['open', 'waiting', 'closed', NULL])[1 + ${i} % 4], ${i} * 7919::bigint % 1000, TIMESTAMPTZ '2025-01-01 UTC' + ${i} * interval '3 minutes', CASE WHEN ${i} % 3 = 0 THEN TIMESTAMPTZ '2025-01-03 UTC' + ${i} * interval '4 minutes' END, jsonb_build_object('kind', ${i} % 5, 'labels', jsonb_build_array(${i} % 7, ${i} % 11)), ${i} % 40 + 1`
/** Tables with `n` rows in schema `s`, and the indexes that a careful user of the queries below would create. */
export const tables = (s, n) => `
 CREATE SCHEMA IF NOT EXISTS ${s}; SET search_path=${s};
 CREATE TABLE tenant (id int PRIMARY KEY, name text NOT NULL, plan text);
 CREATE TABLE users (name text PRIMARY KEY, tenant int NOT NULL, city text);
 CREATE TABLE t (id text PRIMARY KEY, tenant int NOT NULL, who text NOT NULL, state text, score int NOT NULL, made timestamptz NOT NULL, done timestamptz, doc jsonb NOT NULL, cat int NOT NULL);
 CREATE TABLE tag (id int PRIMARY KEY, name text NOT NULL);
 CREATE TABLE tt (t text NOT NULL, tag int NOT NULL, PRIMARY KEY (t, tag));
 CREATE TABLE cm (id int PRIMARY KEY, t text NOT NULL, who text NOT NULL, made timestamptz NOT NULL, body text);
 CREATE TABLE ev (at timestamptz NOT NULL, who text NOT NULL, kind int NOT NULL, n int);
 CREATE TABLE cat (id int PRIMARY KEY, parent int, name text NOT NULL);
 CREATE TABLE price (cat int NOT NULL, low int NOT NULL, high int NOT NULL, cents numeric NOT NULL, PRIMARY KEY (cat, low));
 INSERT INTO tenant SELECT x, 'tenant ' || x, CASE WHEN x % 3 > 0 THEN 'plan ' || x % 3 END FROM generate_series(1, 9) x;
 INSERT INTO users SELECT 'u' || x, x % 8 + 1, CASE WHEN x % 5 > 0 THEN 'city ' || x % 17 END FROM generate_series(0, 449) x;
 INSERT INTO cat SELECT x, NULLIF(x / 3, 0), 'cat ' || x FROM generate_series(1, 45) x;
 INSERT INTO price SELECT c, l * 100, l * 100 + 99, c * 10 + l FROM generate_series(1, 40) c, generate_series(0, 9) l;
 INSERT INTO tag SELECT x, 'tag ' || x FROM generate_series(1, 60) x;
 INSERT INTO t SELECT ${ticket('x')} FROM generate_series(1, ${n}) x;
 INSERT INTO tt SELECT DISTINCT 't' || x, ${skewed('(x + k * 13)', 60)} FROM generate_series(1, ${n}) x, generate_series(0, 1) k;
 INSERT INTO cm SELECT x, 't' || (x * 3::bigint % ${n} + 1), 'u' || ${skewed('x', 400)}, TIMESTAMPTZ '2025-01-02 UTC' + x * interval '2 minutes', 'body ' || x % 1000 FROM generate_series(1, ${n}) x;
 INSERT INTO ev SELECT TIMESTAMPTZ '2025-01-01 UTC' + x * interval '1 minute', 'u' || ${skewed('x', 400)}, x % 6, CASE WHEN x % 10 > 0 THEN x % 100 END FROM generate_series(1, ${n}) x;
 CREATE INDEX ON t (tenant, made); CREATE INDEX ON t (who); CREATE INDEX ON t (state); CREATE INDEX ON t (tenant, score); CREATE INDEX ON t (cat); CREATE INDEX ON t (score);
 CREATE INDEX ON tt (tag); CREATE INDEX ON cm (t); CREATE INDEX ON cm (who, made); CREATE INDEX ON ev (who, at); CREATE INDEX ON ev (at); CREATE INDEX ON users (tenant); CREATE INDEX ON cat (parent);
 CREATE VIEW open_tickets AS SELECT * FROM t WHERE state IS DISTINCT FROM 'closed';
 RESET search_path;`
const count = (share, n) => (share ? Math.max(1, Math.round(share * n)) : 1)
const chosen = (share, n, id = 'substr(id, 2)::int') =>
  share === 0
    ? `id = ${id === 'id' ? n / 2 : `'t${n / 2}'`}`
    : share === 1
      ? 'true'
      : `${id} * 7919::bigint % 1000 < ${1000 * share}`
const someEvents = (share, n) =>
  share === 0
    ? `at = TIMESTAMPTZ '2025-01-01 UTC' + ${n / 2} * interval '1 minute'`
    : share === 1
      ? 'true'
      : `extract(epoch FROM at)::bigint / 60 * 7919 % 1000 < ${1000 * share}`
/** The changes of each table: for `share` 0 of one row, else of that share of its `n` rows. */
export const CHANGES = {
  t: (share, n) => ({
    insert: `INSERT INTO t SELECT ${ticket('x')} FROM generate_series(${n + 1}, ${n + count(share, n)}) x`,
    update: `UPDATE t SET score = score + 1, state = 'closed', done = made WHERE ${chosen(share, n)}`,
    move: `UPDATE t SET tenant = tenant % 8 + 1, cat = cat % 40 + 1, who = 'u7', made = made + interval '1 day' WHERE ${chosen(share, n)}`,
    delete: `DELETE FROM t WHERE ${chosen(share, n)}`,
  }),
  tt: (share, n) => ({
    insert: `INSERT INTO tt SELECT 't' || x, 60 FROM generate_series(1, ${count(share, n)}) x ON CONFLICT DO NOTHING`,
    delete: `DELETE FROM tt WHERE ${share ? `substr(t, 2)::int % 1000 < ${1000 * share}` : `t = 't${n / 2}' AND tag = (SELECT min(tag) FROM tt WHERE t = 't${n / 2}')`}`,
  }),
  cm: (share, n) => ({
    insert: `INSERT INTO cm SELECT x, 't' || (x * 3::bigint % ${n} + 1), 'u1', TIMESTAMPTZ '2026-01-02 UTC' + x * interval '2 minutes', 'new' FROM generate_series(${n + 1}, ${n + count(share, n)}) x`,
    update: `UPDATE cm SET made = made + interval '1 hour', body = 'x' WHERE ${chosen(share, n, 'id')}`,
    delete: `DELETE FROM cm WHERE ${chosen(share, n, 'id')}`,
  }),
  ev: (share, n) => ({
    insert: `INSERT INTO ev SELECT TIMESTAMPTZ '2026-01-01 UTC' + x * interval '1 second', 'u1', x % 6, 5 FROM generate_series(1, ${count(share, n)}) x`,
    update: `UPDATE ev SET n = coalesce(n, 0) + 1 WHERE ${someEvents(share, n)}`,
    delete: `DELETE FROM ev WHERE ${someEvents(share, n)}`,
  }),
}
/** One row of the smaller tables. */
export const OTHERS = {
  tenant: `UPDATE tenant SET name = name || 'x', plan = 'plan 9' WHERE id = 1`,
  users: `UPDATE users SET city = 'city 99', tenant = 2 WHERE name = 'u1'`,
  cat: `UPDATE cat SET parent = 2, name = name || 'x' WHERE id = 7`,
  tag: `UPDATE tag SET name = name || 'x' WHERE id = 1`,
  price: `UPDATE price SET cents = cents + 1, high = high - 10 WHERE cat = 7 AND low = 300`,
}
const q = (name, query, key, more = {}) => ({ name, query, key, table: 't', ...more })
/** The queries, as in skew.mjs. */
export const QUERIES = [
  q('group by', 'SELECT tenant, count(*) AS n, sum(score) AS s FROM t GROUP BY tenant', ['tenant']),
  q(
    'open by tenant',
    `SELECT tenant.name, count(t.id) AS n, avg(t.score) AS s FROM tenant LEFT JOIN open_tickets t ON t.tenant = tenant.id GROUP BY tenant.id, tenant.name`,
    ['name'],
  ),
  q(
    'tags of ticket',
    `SELECT t.id, t.state, string_agg(tag.name, ', ' ORDER BY tag.name) AS tags FROM t LEFT JOIN tt ON tt.t = t.id LEFT JOIN tag ON tag.id = tt.tag GROUP BY t.id`,
    ['id'],
  ),
  q(
    'tags of ticket, tt',
    `SELECT t.id, t.state, string_agg(tag.name, ', ' ORDER BY tag.name) AS tags FROM t LEFT JOIN tt ON tt.t = t.id LEFT JOIN tag ON tag.id = tt.tag GROUP BY t.id`,
    ['id'],
    { table: 'tt' },
  ),
  q(
    'tag cloud',
    'SELECT tag.name, t.tenant, count(*) AS n, max(t.made) AS m FROM tag JOIN tt ON tt.tag = tag.id JOIN t ON t.id = tt.t GROUP BY 1, 2',
    ['name', 'tenant'],
  ),
  q(
    'tag cloud, tt',
    'SELECT tag.name, t.tenant, count(*) AS n, max(t.made) AS m FROM tag JOIN tt ON tt.tag = tag.id JOIN t ON t.id = tt.t GROUP BY 1, 2',
    ['name', 'tenant'],
    { table: 'tt' },
  ),
  q(
    'same tags',
    'SELECT a.tag AS a, b.tag AS b, count(*) AS n FROM tt a JOIN tt b ON b.t = a.t AND b.tag > a.tag GROUP BY 1, 2',
    ['a', 'b'],
    { table: 'tt' },
  ),
  q('with all tags', 'SELECT t FROM tt WHERE tag IN (1, 2) GROUP BY t HAVING count(*) = 2', ['t'], { table: 'tt' }),
  q('untagged', 'SELECT id, tenant FROM t WHERE NOT EXISTS (SELECT FROM tt WHERE tt.t = t.id AND tt.tag = 1)', ['id'], {
    table: 'tt',
  }),
  q(
    'last comment',
    'SELECT t.id, c.id AS cid, c.who, c.made FROM t LEFT JOIN LATERAL (SELECT * FROM cm WHERE cm.t = t.id ORDER BY made DESC, id DESC LIMIT 1) c ON true',
    ['id'],
    { table: 'cm' },
  ),
  q(
    'last comment, t',
    'SELECT t.id, t.state, c.id AS cid, c.who, c.made FROM t LEFT JOIN LATERAL (SELECT * FROM cm WHERE cm.t = t.id ORDER BY made DESC, id DESC LIMIT 1) c ON true',
    ['id'],
  ),
  q(
    'inbox',
    `SELECT t.id, t.state, users.city, (SELECT count(*) FROM cm WHERE cm.t = t.id) AS n, (SELECT max(made) FROM cm WHERE cm.t = t.id) AS last FROM t JOIN users ON users.name = t.who WHERE t.state = 'open' ORDER BY t.made DESC LIMIT 50`,
    ['id'],
  ),
  q(
    'inbox, cm',
    `SELECT t.id, t.state, users.city, (SELECT count(*) FROM cm WHERE cm.t = t.id) AS n, (SELECT max(made) FROM cm WHERE cm.t = t.id) AS last FROM t JOIN users ON users.name = t.who WHERE t.state = 'open' ORDER BY t.made DESC LIMIT 50`,
    ['id'],
    { table: 'cm' },
  ),
  q(
    'counts of ticket',
    'SELECT t.id, count(DISTINCT cm.who) AS w, count(DISTINCT tt.tag) AS g FROM t LEFT JOIN cm ON cm.t = t.id LEFT JOIN tt ON tt.t = t.id GROUP BY t.id',
    ['id'],
  ),
  q(
    'cohorts',
    `SELECT date_trunc('week', made) AS w, cat, count(*) AS n, count(done) AS d, percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM done - made)) AS p FROM t GROUP BY 1, 2`,
    ['w', 'cat'],
  ),
  q(
    'per user of tenant',
    'SELECT tenant, who, count(*) AS n, rank() OVER (PARTITION BY tenant ORDER BY count(*) DESC) AS r FROM t GROUP BY tenant, who',
    ['tenant', 'who'],
  ),
  q(
    'best users',
    'SELECT * FROM (SELECT tenant, who, sum(score) AS s, row_number() OVER (PARTITION BY tenant ORDER BY sum(score) DESC, who) AS r FROM t GROUP BY tenant, who) q WHERE r <= 5',
    ['tenant', 'who'],
  ),
  q(
    'labels',
    `SELECT l AS label, tenant, count(*) AS n FROM t, jsonb_array_elements_text(doc->'labels') l GROUP BY 1, 2`,
    ['label', 'tenant'],
  ),
  q(
    'kind above average',
    `SELECT id, score FROM t WHERE score > (SELECT avg(score) FROM t b WHERE b.tenant = t.tenant AND b.cat = t.cat)`,
    ['id'],
  ),
  q(
    'priced',
    'SELECT t.id, price.cents FROM t JOIN price ON price.cat = t.cat AND t.score BETWEEN price.low AND price.high',
    ['id'],
  ),
  q(
    'priced, by tenant',
    'SELECT t.tenant, sum(price.cents) AS c FROM t JOIN price ON price.cat = t.cat AND t.score BETWEEN price.low AND price.high GROUP BY t.tenant',
    ['tenant'],
  ),
  q(
    'unpriced',
    'SELECT t.id FROM t LEFT JOIN price ON price.cat = t.cat AND t.score BETWEEN price.low AND price.high WHERE price.cat IS NULL',
    ['id'],
  ),
  q(
    'tree totals',
    `WITH RECURSIVE up AS (SELECT id AS leaf, id AS top FROM cat UNION ALL SELECT up.leaf, cat.parent FROM up JOIN cat ON cat.id = up.top WHERE cat.parent IS NOT NULL) SELECT up.top, count(t.id) AS n, sum(t.score) AS s FROM up LEFT JOIN t ON t.cat = up.leaf GROUP BY up.top`,
    ['top'],
  ),
  q(
    'events per day',
    `SELECT date_trunc('day', at) AS d, kind, count(*) AS n, count(DISTINCT who) AS w, sum(n) AS s FROM ev GROUP BY 1, 2`,
    ['d', 'kind'],
    { table: 'ev' },
  ),
  q('events last', `SELECT DISTINCT ON (who) who, at, kind FROM ev ORDER BY who, at DESC, kind`, ['who'], {
    table: 'ev',
  }),
  q('event rows', 'SELECT at, who, n * 2 AS n FROM ev WHERE kind < 3', [], { table: 'ev' }),
  q('event distinct', 'SELECT DISTINCT who, kind FROM ev', ['who', 'kind'], { table: 'ev' }),
  q('event gaps', `SELECT who, at, at - lag(at) OVER (PARTITION BY who ORDER BY at) AS gap FROM ev`, [], {
    table: 'ev',
  }),
  q(
    'event sessions',
    `SELECT who, count(*) FILTER (WHERE gap > interval '1 hour') AS s FROM (SELECT who, at - lag(at) OVER (PARTITION BY who ORDER BY at) AS gap FROM ev) q GROUP BY who`,
    ['who'],
    { table: 'ev' },
  ),
  q('event users', 'SELECT ev.at, ev.kind, users.city FROM ev LEFT JOIN users ON users.name = ev.who', [], {
    table: 'ev',
  }),
  q(
    'event range',
    `SELECT ev.who, ev.at, sum(n) OVER (PARTITION BY who ORDER BY at RANGE BETWEEN interval '10 minutes' PRECEDING AND CURRENT ROW) AS s FROM ev`,
    [],
    { table: 'ev' },
  ),
  q('silent users', 'SELECT name FROM users WHERE name NOT IN (SELECT who FROM ev WHERE kind = 1)', ['name'], {
    table: 'ev',
  }),
  q(
    'funnel',
    `SELECT name, EXISTS (SELECT FROM ev WHERE ev.who = users.name AND kind = 1) AS a, EXISTS (SELECT FROM ev WHERE ev.who = users.name AND kind = 2) AS b FROM users`,
    ['name'],
    { table: 'ev' },
  ),
  q(
    'activity',
    `SELECT who, 't' AS what, made AS at FROM t UNION ALL SELECT who, 'c', made FROM cm UNION ALL SELECT who, 'e', at FROM ev`,
    [],
  ),
  q(
    'activity, last 20',
    `SELECT who, what, at FROM (SELECT who, 't' AS what, made AS at FROM t UNION ALL SELECT who, 'c', made FROM cm) q ORDER BY at DESC LIMIT 20`,
    [],
  ),
  q(
    'activity per user',
    `SELECT who, count(*) AS n, max(at) AS last FROM (SELECT who, made AS at FROM t UNION ALL SELECT who, made FROM cm) q GROUP BY who`,
    ['who'],
  ),
  q('both', 'SELECT who FROM t INTERSECT SELECT who FROM cm', ['who']),
  q('never answered', 'SELECT who FROM t EXCEPT SELECT who FROM cm', ['who']),
  q(
    'state changes',
    `SELECT tenant, coalesce(state, 'none') AS state, count(*) AS n, min(made) AS a, max(done) AS b FROM t GROUP BY ROLLUP (1, 2)`,
    [],
  ),
  q(
    'overlap',
    'SELECT a.id AS a, b.id AS b FROM t a JOIN t b ON a.who = b.who AND a.cat = b.cat AND a.id < b.id AND a.made < b.done AND b.made < a.done',
    ['a', 'b'],
  ),
  q(
    'self first',
    'SELECT t.id, t.made - f.first AS since FROM t JOIN (SELECT who, min(made) AS first FROM t GROUP BY who) f ON f.who = t.who',
    ['id'],
  ),
  q('share of cat', 'SELECT cat, count(*) * 100.0 / sum(count(*)) OVER () AS pct FROM t GROUP BY cat', ['cat']),
  q(
    'doc',
    `SELECT tenant.id, jsonb_build_object('name', tenant.name, 'tickets', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'state', t.state) ORDER BY t.made DESC), '[]') FROM t WHERE t.tenant = tenant.id)) AS doc FROM tenant`,
    ['id'],
  ),
  q(
    'doc of ticket',
    `SELECT t.id, to_jsonb(t) || jsonb_build_object('comments', (SELECT coalesce(jsonb_agg(to_jsonb(cm) ORDER BY cm.id), '[]') FROM cm WHERE cm.t = t.id)) AS doc FROM t`,
    ['id'],
    { table: 'cm' },
  ),
  q(
    'any of',
    `SELECT id, score FROM t WHERE cat = ANY (ARRAY(SELECT id FROM cat WHERE parent = 1)) OR tenant IN (SELECT id FROM tenant WHERE plan = 'plan 2')`,
    ['id'],
  ),
  q(
    'max of max',
    'SELECT max(s) AS m, min(s) AS l, count(*) AS n FROM (SELECT who, sum(score) AS s FROM t GROUP BY who) q',
    ['n'],
  ),
  q(
    'histogram',
    'SELECT n, count(*) AS users FROM (SELECT who, count(*) AS n FROM ev GROUP BY who) q GROUP BY n',
    ['n'],
    { table: 'ev' },
  ),
  q(
    'median of groups',
    'SELECT cat, percentile_disc(0.5) WITHIN GROUP (ORDER BY n) AS m FROM (SELECT cat, who, count(*) AS n FROM t GROUP BY cat, who) q GROUP BY cat',
    ['cat'],
  ),
  q('page 3', 'SELECT id, made FROM t ORDER BY made DESC, id LIMIT 20 OFFSET 40', ['id']),
  q(
    'top join',
    'SELECT t.id, t.score, tenant.name FROM t JOIN tenant ON tenant.id = t.tenant ORDER BY t.score DESC, t.id LIMIT 25',
    ['id'],
  ),
]
