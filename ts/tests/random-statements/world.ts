/** The tables, functions and triggers that random statements use, and the queries of the stream tables. */
import { withoutClock } from '../support/clock.js'
import type { Rng } from '../random/rng.js'

export const WORLD: readonly string[] = [
  'CREATE TABLE p (id int PRIMARY KEY, k int, v int)',
  'CREATE TABLE c (id int PRIMARY KEY, p_id int REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE, k int, v int)',
  'CREATE TABLE d (id int PRIMARY KEY, p_id int REFERENCES p ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED, k int, v int)',
  'CREATE TABLE n (id int PRIMARY KEY, p_id int REFERENCES n ON DELETE CASCADE ON UPDATE CASCADE, k int, v int)',
  'CREATE TABLE parts (id int, p_id int, k int, v int) PARTITION BY RANGE (k)',
  'CREATE TABLE parts1 PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (2)',
  'CREATE TABLE parts2 PARTITION OF parts FOR VALUES FROM (2) TO (4)',
  'CREATE TABLE rest PARTITION OF parts DEFAULT',
  'CREATE TABLE base (id int, p_id int, k int, v int)',
  'CREATE TABLE kid (extra int) INHERITS (base)',
  'CREATE TABLE loose (id int, p_id int, k int, v int)',
  'CREATE TABLE bag (id int, p_id int, k int, v int)',
  'CREATE TABLE log (id int, p_id int, k int, v int)',
  'CREATE TABLE g (id int PRIMARY KEY, p_id int, k int, v int, twice int GENERATED ALWAYS AS (v * 2) STORED)',
  "CREATE TYPE mood AS ENUM ('sad', 'ok')",
  'CREATE DOMAIN small AS int CHECK (VALUE < 100000)',
  'CREATE TABLE m (id int PRIMARY KEY, p_id int, k small, v int, mood mood DEFAULT $$ok$$)',
  'CREATE VIEW w AS SELECT p.id, c.v FROM p JOIN c ON c.p_id = p.id',
  'CREATE VIEW ww AS SELECT id, sum(v) AS v FROM w GROUP BY id',
  'CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT $1 + 1 $$',
  `CREATE FUNCTION note(x int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO test.log VALUES (x, 1, x % 4, x); UPDATE test.n SET v = v + 1 WHERE id = x; RETURN x; END $$`,
  `CREATE FUNCTION to_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO test.log VALUES (coalesce(NEW.id, OLD.id), NULL, 1, 1); RETURN coalesce(NEW, OLD); END $$`,
  `CREATE FUNCTION bend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.v = 3 THEN RETURN NULL; END IF; NEW.k := (NEW.k + 1) % 5; RETURN NEW; END $$`,
  `CREATE FUNCTION spread() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE test.p SET v = v + 1 WHERE k = 1; DELETE FROM test.bag WHERE v = 0; RETURN NULL; END $$`,
  `CREATE FUNCTION writes() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    UPDATE test.parts SET k = 3 - k WHERE k < 4; DELETE FROM test.bag WHERE v = 5; INSERT INTO test.log VALUES (0, 1, 2, 3) $$`,
  `CREATE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.v = 4 THEN RAISE EXCEPTION 'four'; END IF; RETURN NEW; END $$`,
  // For triggers on stream tables. What they write may fire them again.
  'CREATE TABLE heard (name text)',
  `CREATE FUNCTION hear() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO test.heard VALUES (TG_TABLE_NAME); RETURN NULL; END $$`,
  `CREATE FUNCTION answer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF pg_trigger_depth() < 5 THEN INSERT INTO test.bag VALUES (0, 1, 2, 3); UPDATE test.n SET v = 1 - v; END IF; RETURN NULL; END $$`,
  'CREATE ROLE other',
  'GRANT ALL ON SCHEMA test TO other',
  'GRANT ALL ON ALL TABLES IN SCHEMA test TO other',
  'CREATE POLICY some ON bag USING (v % 2 = 0) WITH CHECK (true)',
]

/** Objects that need PostgreSQL 18. */
export const SINCE_18: readonly string[] = ['ALTER TABLE g ADD COLUMN virt int GENERATED ALWAYS AS (k + v) VIRTUAL']

/** Tables to write to. All have the columns id, k and v, and most have p_id. */
export const TABLES = [
  'p',
  'c',
  'd',
  'n',
  'parts',
  'parts1',
  'parts2',
  'rest',
  'base',
  'kid',
  'loose',
  'bag',
  'log',
  'g',
  'm',
]

/** Those with a primary key. */
export const KEYED = ['p', 'c', 'd', 'n', 'g', 'm']

const READ = ['p', 'c', 'd', 'n', 'parts', 'base', 'bag', 'log', 'g', 'm', 'parts2', 'kid', 'loose']

/** A query over two tables, or over stream tables with the columns k and v. */
export function query(rng: Rng, streams: readonly string[], major: number): string {
  const [a, b] = [rng.pick(READ), rng.pick(READ)]
  if (streams.length > 0 && rng.chance(0.3)) {
    const [s, t] = [rng.pick(streams), rng.pick(streams)]
    return rng.pick([
      `SELECT k, sum(v)::int AS v FROM ${s} GROUP BY k`,
      `SELECT x.k, y.v FROM ${s} x JOIN ${t} y ON x.v = y.k`,
      `SELECT x.k, y.v FROM ${s} x LEFT JOIN ${a} y ON x.k = y.k`,
      `SELECT k, v FROM ${s} WHERE EXISTS (SELECT FROM ${a} y WHERE y.k = ${s}.v)`,
    ])
  }
  const special = [
    'SELECT id AS k, v::int FROM ww',
    'SELECT f(k) AS k, count(*)::int AS v FROM p GROUP BY 1',
    'SELECT k, f(v) AS v FROM c',
    'SELECT length(mood::text) AS k, count(*)::int AS v FROM m GROUP BY 1',
    'SELECT twice AS k, v FROM g',
    'SELECT twice AS k, count(*)::int AS v FROM g GROUP BY 1',
    'SELECT p.k, c.v FROM p JOIN c ON c.p_id = p.id JOIN d ON d.p_id = p.id',
    'SELECT x.k, y.v FROM n x LEFT JOIN n y ON y.p_id = x.id',
    'SELECT k, v FROM ONLY base',
    'SELECT k::int AS k, length(max(mood)::text) AS v FROM m GROUP BY 1',
    'SELECT k::int AS k, count(*)::int AS v FROM m GROUP BY ROLLUP (k)',
    'SELECT p.k, count(c.id)::int AS v FROM p LEFT JOIN c ON c.p_id = p.id GROUP BY p.id',
    'SELECT id AS k, v FROM (SELECT * FROM ww ORDER BY id) x LIMIT 2',
    "SELECT length(format('%s-%s', mood, k)) AS k, v FROM m",
    ...(major > 17 ? ['SELECT virt AS k, v FROM g', 'SELECT virt AS k, count(*)::int AS v FROM g GROUP BY 1'] : []),
  ]
  const general = [
    `SELECT k, v FROM ${a}`,
    `SELECT k, v FROM ${a} WHERE v > 1`,
    `SELECT k, sum(v)::int AS v FROM ${a} GROUP BY k`,
    `SELECT k, max(v) AS v FROM ${a} GROUP BY k HAVING count(*) > 1`,
    `SELECT count(*)::int AS k, sum(v)::int AS v FROM ${a}`,
    `SELECT DISTINCT k, v FROM ${a}`,
    `SELECT x.k, y.v FROM ${a} x JOIN ${b} y USING (id)`,
    `SELECT x.k, count(*)::int AS v FROM ${a} x JOIN ${b} y ON x.v = y.v GROUP BY x.k`,
    `SELECT x.k, y.v FROM ${a} x LEFT JOIN ${b} y USING (id)`,
    `SELECT x.k, y.v FROM ${a} x FULL JOIN ${b} y ON x.id = y.id`,
    `SELECT k, v FROM ${a} WHERE id IN (SELECT v FROM ${b})`,
    `SELECT k, v FROM ${a} x WHERE NOT EXISTS (SELECT FROM ${b} y WHERE y.k = x.k)`,
    `SELECT k, (SELECT max(v) FROM ${b} y WHERE y.k = x.k) AS v FROM ${a} x`,
    `SELECT k, v FROM ${a} UNION ALL SELECT k, v FROM ${b}`,
    `SELECT k, v FROM ${a} EXCEPT SELECT k, v FROM ${b}`,
    `SELECT k, (rank() OVER (PARTITION BY k ORDER BY v))::int AS v FROM ${a}`,
    `SELECT DISTINCT ON (k) k, v FROM ${a} ORDER BY k, v`,
    `SELECT k, count(DISTINCT v)::int AS v FROM ${a} GROUP BY k`,
    `SELECT v AS k, n AS v FROM (SELECT v, count(*)::int AS n FROM ${a} GROUP BY v) q`,
    `SELECT n AS k, count(*)::int AS v FROM (SELECT k, count(*)::int AS n FROM ${a} GROUP BY k) q GROUP BY n`,
    `SELECT k, v FROM ${a} ORDER BY v, k LIMIT 3`,
  ]
  const date = "date '2026-01-01' + v"
  const placed = [
    `SELECT k, v FROM (SELECT * FROM ${a} ORDER BY v, k, id) q LIMIT 3`,
    `SELECT k, (row_number() OVER ())::int AS v FROM (SELECT k FROM ${a} ORDER BY k) q`,
    `SELECT k, (array_agg(v))[1] AS v FROM (SELECT k, v FROM ${a} ORDER BY v) q GROUP BY k`,
    `SELECT generate_series(1, v % 3) AS k, count(*)::int AS v FROM ${a} GROUP BY 1`,
    `SELECT generate_series(1, 2) AS k, count(*)::int AS v FROM ${a} GROUP BY ROLLUP (1)`,
    `SELECT i AS k, count(x.id)::int AS v FROM generate_series(0, 4) i LEFT JOIN ${a} x ON x.k = i GROUP BY i`,
    `SELECT i AS k, x.v FROM (VALUES (1), (2), (NULL)) q(i) LEFT JOIN ${a} x ON x.k = i`,
    `SELECT k, v FROM ${a} UNION ALL SELECT 0, 1`,
    `SELECT k, grouping(k) + count(*)::int AS v FROM ${a} GROUP BY ${rng.pick(['k', 'ROLLUP (k)'])} HAVING grouping(k) = 0`,
    `SELECT length(concat_ws('-', k, v)) AS k, length(pg_typeof(k)::text) AS v FROM ${a}`,
    `SELECT k, (sum(v) OVER (ORDER BY k, v ROWS (SELECT count(*) FROM ${b}) PRECEDING))::int AS v FROM ${a}`,
    `SELECT k, v FROM ${a} ORDER BY k, v LIMIT (SELECT count(*) FROM ${b} WHERE k = 1)`,
    `SELECT k, lag(v, (SELECT count(*)::int FROM ${b} WHERE v = 1)) OVER (ORDER BY k, v) AS v FROM ${a}`,
    `SELECT (SELECT max(v) FROM ${b} y WHERE y.k = x.k) AS k, count(*)::int AS v FROM ${a} x GROUP BY 1`,
    `SELECT k, v FROM ${a} x ORDER BY (SELECT count(*) FROM ${b} y WHERE y.k = x.k), k, v LIMIT 3`,
    `SELECT * FROM (VALUES ((SELECT count(*)::int FROM ${a}), 1), (2, (SELECT max(v) FROM ${b}))) q(k, v)`,
    `SELECT k, v FROM ${a} WHERE ${date} <= current_date`,
    `SELECT k, count(*)::int AS v FROM ${a} WHERE ${date} > now() - interval '2 days' GROUP BY k`,
    `SELECT x.k, y.v FROM ${a} x LEFT JOIN (SELECT * FROM ${b} WHERE ${date} = current_date) y ON y.k = x.k`,
    `SELECT k, v FROM ${a} x WHERE NOT EXISTS (SELECT FROM ${b} y WHERE y.k = x.k AND ${date.replace('v', 'y.v')} >= localtimestamp)`,
    `SELECT k, v FROM ${a} WHERE ${date} BETWEEN current_date - 1 AND current_date ORDER BY v, k LIMIT 3`,
  ]
  if (rng.chance(0.3)) return rng.pick(placed)
  return withoutClock(rng.chance(0.25) ? rng.pick(special) : rng.pick(general))
}
