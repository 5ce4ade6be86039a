-- Use CREATE EXTENSION pg_trickle, not this file.
\echo Use "CREATE EXTENSION pg_trickle" to load this file. \quit

CREATE SCHEMA pgtrickle;
GRANT USAGE ON SCHEMA pgtrickle TO PUBLIC;

-- ---- catalog ----

CREATE SEQUENCE pgtrickle.stream_table_id_seq AS integer;

CREATE TABLE pgtrickle.stream_table (
  id integer PRIMARY KEY,
  relid regclass NOT NULL UNIQUE,        -- the view that users see
  definition regclass NOT NULL,          -- the view that holds the query
  storage regclass NOT NULL UNIQUE,      -- the table that holds the rows
  query text NOT NULL,                   -- as the user wrote it
  refresh_mode text NOT NULL DEFAULT 'IMMEDIATE',
  status text NOT NULL CHECK (status IN ('ACTIVE', 'UNPOPULATED')),
  search_path text NOT NULL,             -- what the functions of the query see
  layout text NOT NULL,                  -- what the storage looks like
  behind integer NOT NULL DEFAULT 0,     -- how many changes have reached the rows, but not the stages below
  fallback text,                         -- why the query is run again after every change, although it need not be
  columns text[] NOT NULL DEFAULT '{}',
  key text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);

-- The tables that a stream table reads: named by its query or a view in it, or a child or parent of such a table.
CREATE TABLE pgtrickle.source (
  id integer NOT NULL,
  relid regclass NOT NULL,
  inherited boolean NOT NULL,
  PRIMARY KEY (id, relid)
);
CREATE INDEX ON pgtrickle.source (relid);

-- The storage of stages below the top, for queries that need more than one.
CREATE TABLE pgtrickle.stage (
  id integer NOT NULL,
  storage regclass NOT NULL UNIQUE,
  is_clock boolean NOT NULL DEFAULT false  -- one row: the moment as of which the stream table is right
);

-- The feeds of stream tables, and what they keep: read with pgtrickle.changes().
CREATE TABLE pgtrickle.feed (
  id integer PRIMARY KEY,                -- 0: the numbers of feeds that are gone
  retain bigint,                         -- how many changes are kept, NULL for all; 0: the feed has ended
  max_age interval,                      -- for how long they are kept, NULL for ever
  start bigint NOT NULL,                 -- the number before the first change
  gone bigint NOT NULL,                  -- the last number that is no longer kept
  trimmed bigint NOT NULL,               -- the last number that has been deleted
  last bigint NOT NULL                   -- the last number
);
CREATE TABLE pgtrickle.change (
  id integer NOT NULL,
  seq bigint NOT NULL,
  tx bigint NOT NULL,
  at timestamptz NOT NULL,
  op text NOT NULL,
  key jsonb,
  old jsonb,
  "row" jsonb,
  PRIMARY KEY (id, seq)
);

GRANT SELECT ON pgtrickle.stream_table, pgtrickle.source, pgtrickle.stage TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('pgtrickle.stream_table', '');
SELECT pg_catalog.pg_extension_config_dump('pgtrickle.source', '');
SELECT pg_catalog.pg_extension_config_dump('pgtrickle.stage', '');
SELECT pg_catalog.pg_extension_config_dump('pgtrickle.feed', '');
SELECT pg_catalog.pg_extension_config_dump('pgtrickle.change', '');
SELECT pg_catalog.pg_extension_config_dump('pgtrickle.stream_table_id_seq', '');

-- ---- functions of the library ----

-- Keeps stream tables equal to their queries. Nobody else makes triggers with it.
CREATE FUNCTION pgtrickle.maintain() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'pgtrickle_fired';
REVOKE ALL ON FUNCTION pgtrickle.maintain() FROM PUBLIC;

-- Lets stream tables follow DDL.
CREATE FUNCTION pgtrickle.ddl() RETURNS event_trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'pgtrickle_fired';

-- What the functions of this schema call: the name of a command and its arguments.
CREATE FUNCTION pgtrickle.command(text, text DEFAULT NULL, text DEFAULT NULL, text DEFAULT NULL, text DEFAULT NULL,
  text DEFAULT NULL, text DEFAULT NULL, text DEFAULT NULL, text DEFAULT NULL) RETURNS text
  LANGUAGE c AS 'MODULE_PATHNAME', 'pgtrickle_command';

-- The bytes of a row: equal for equal rows only.
CREATE FUNCTION pgtrickle.row_image(record) RETURNS bytea
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgtrickle_row_image';

-- A hash of row_image.
CREATE FUNCTION pgtrickle.row_hash(record) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgtrickle_row_hash';

-- ---- aggregates, from sums ----

-- Sums of float8 are kept as numeric: exact, so that what was added can be taken away. Where a group is read, these
-- functions turn the number of inputs and the sums of x, x * x, y, y * y and x * y into what the aggregate of the same
-- name gives; x is the last argument of those with two. NULL where there are too few inputs.

-- A float8 with all its digits; NaN and infinities as numbers below all others.
CREATE FUNCTION pgtrickle.exact(float8) RETURNS numeric
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgtrickle_exact';

-- A sum without trailing zeros: its last decimal tells the smallest of its numbers.
CREATE FUNCTION pgtrickle.float_sum(x numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN CASE
    WHEN scale(x) > 350 THEN CASE
      WHEN scale(x) <= 400 THEN 'Infinity'
      WHEN scale(x) <= 430 AND round(x, 400) = round(x, 350) THEN '-Infinity'
      ELSE float8 'NaN' END
    WHEN round(x, 324) = 0 THEN 0
    ELSE x::float8 END;

CREATE FUNCTION pgtrickle.real_sum(x numeric) RETURNS float4
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.float_sum(x)::float4;

CREATE FUNCTION pgtrickle.float_avg(n bigint, x numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.float_sum(x) / n;

-- The sum of the products of how far x and y are from their averages.
CREATE FUNCTION pgtrickle.float_moment(n bigint, x numeric, y numeric, xy numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN CASE
    WHEN greatest(scale(x), scale(y)) > 350 THEN 'NaN'
    WHEN round((n * xy - x * y) / n, 323) = 0 THEN 0
    ELSE ((n * xy - x * y) / n)::float8 END;

CREATE FUNCTION pgtrickle.float_var_pop(n bigint, x numeric, xx numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.float_moment(n, x, x, xx) / n;
CREATE FUNCTION pgtrickle.float_var_samp(n bigint, x numeric, xx numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.float_moment(n, x, x, xx) / nullif(n - 1, 0);
CREATE FUNCTION pgtrickle.float_stddev_pop(n bigint, x numeric, xx numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN sqrt(pgtrickle.float_var_pop(n, x, xx));
CREATE FUNCTION pgtrickle.float_stddev_samp(n bigint, x numeric, xx numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN sqrt(pgtrickle.float_var_samp(n, x, xx));
CREATE FUNCTION pgtrickle.float_covar_pop(n bigint, x numeric, y numeric, xy numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.float_moment(n, x, y, xy) / n;
CREATE FUNCTION pgtrickle.float_covar_samp(n bigint, x numeric, y numeric, xy numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.float_moment(n, x, y, xy) / nullif(n - 1, 0);
CREATE FUNCTION pgtrickle.float_corr(n bigint, x numeric, xx numeric, y numeric, yy numeric, xy numeric)
  RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN CASE
    WHEN greatest(scale(x), scale(y)) > 350 THEN 'NaN' * nullif(pgtrickle.float_moment(n, x, x, xx), 0)
      * nullif(pgtrickle.float_moment(n, y, y, yy), 0)
    ELSE sign(n * xy - x * y)::float8 * sqrt(round(
      (n * xy - x * y) * (n * xy - x * y) / nullif((n * xx - x * x) * (n * yy - y * y), 0), 60)::float8) END;
CREATE FUNCTION pgtrickle.float_regr_r2(n bigint, x numeric, xx numeric, y numeric, yy numeric, xy numeric)
  RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN CASE WHEN pgtrickle.float_moment(n, x, x, xx) <> 0
    THEN coalesce(pgtrickle.float_corr(n, x, xx, y, yy, xy) ^ 2, 1) END;
CREATE FUNCTION pgtrickle.float_regr_slope(n bigint, x numeric, xx numeric, y numeric, xy numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.float_moment(n, x, y, xy) / nullif(pgtrickle.float_moment(n, x, x, xx), 0);
CREATE FUNCTION pgtrickle.float_regr_intercept(n bigint, x numeric, xx numeric, y numeric, xy numeric) RETURNS float8
  IMMUTABLE PARALLEL SAFE RETURN
    (pgtrickle.float_sum(y) - pgtrickle.float_sum(x) * pgtrickle.float_regr_slope(n, x, xx, y, xy)) / n;

-- The same over integers and numeric, digit by digit as numeric.c computes it: 0 has no decimals, and a root as many as
-- its variance.
CREATE FUNCTION pgtrickle.exact_variance(n bigint, x numeric, xx numeric, divisor bigint) RETURNS numeric
  IMMUTABLE PARALLEL SAFE RETURN CASE WHEN divisor > 0 THEN CASE
    WHEN n * xx > x * x THEN (n * xx - x * x) / (n::numeric * divisor)
    WHEN abs(x) >= 'Infinity' THEN 'NaN' ELSE 0 END END;
CREATE FUNCTION pgtrickle.exact_var_pop(n bigint, x numeric, xx numeric) RETURNS numeric
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.exact_variance(n, x, xx, n);
CREATE FUNCTION pgtrickle.exact_var_samp(n bigint, x numeric, xx numeric) RETURNS numeric
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.exact_variance(n, x, xx, n - 1);
CREATE FUNCTION pgtrickle.exact_root(variance numeric) RETURNS numeric
  IMMUTABLE PARALLEL SAFE RETURN CASE WHEN variance < 'Infinity'
    THEN round(sqrt(round(variance, scale(variance) + 20)), scale(variance)) ELSE variance END;
CREATE FUNCTION pgtrickle.exact_stddev_pop(n bigint, x numeric, xx numeric) RETURNS numeric
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.exact_root(pgtrickle.exact_var_pop(n, x, xx));
CREATE FUNCTION pgtrickle.exact_stddev_samp(n bigint, x numeric, xx numeric) RETURNS numeric
  IMMUTABLE PARALLEL SAFE RETURN pgtrickle.exact_root(pgtrickle.exact_var_samp(n, x, xx));

CREATE FUNCTION pgtrickle.bool_and(n bigint, trues bigint) RETURNS boolean
  IMMUTABLE PARALLEL SAFE RETURN CASE WHEN n > 0 THEN trues = n END;
CREATE FUNCTION pgtrickle.bool_or(n bigint, trues bigint) RETURNS boolean
  IMMUTABLE PARALLEL SAFE RETURN CASE WHEN n > 0 THEN trues > 0 END;

-- ---- commands ----

-- Their bodies are parsed here: the search_path of a caller cannot put other functions or operators into them.

CREATE FUNCTION pgtrickle.create_stream_table(name text, query text, schedule text DEFAULT NULL,
  refresh_mode text DEFAULT 'IMMEDIATE', initialize boolean DEFAULT true, windows text DEFAULT NULL,
  pre_aggregate boolean DEFAULT NULL) RETURNS void
  LANGUAGE sql BEGIN ATOMIC
  SELECT pgtrickle.command('create', $1, $2, $3, $4, $5::pg_catalog.text, 'fail', $6, $7::pg_catalog.text);
END;
COMMENT ON FUNCTION pgtrickle.create_stream_table(text, text, text, text, boolean, text, boolean)
  IS 'makes a view that always equals a query, without running it again';

CREATE FUNCTION pgtrickle.create_stream_table_if_not_exists(name text, query text, schedule text DEFAULT NULL,
  refresh_mode text DEFAULT 'IMMEDIATE', initialize boolean DEFAULT true, windows text DEFAULT NULL,
  pre_aggregate boolean DEFAULT NULL) RETURNS void
  LANGUAGE sql BEGIN ATOMIC
  SELECT pgtrickle.command('create', $1, $2, $3, $4, $5::pg_catalog.text, 'skip', $6, $7::pg_catalog.text);
END;
COMMENT ON FUNCTION pgtrickle.create_stream_table_if_not_exists(text, text, text, text, boolean, text, boolean)
  IS 'the same, unless a stream table of this name is there';

CREATE FUNCTION pgtrickle.create_or_replace_stream_table(name text, query text, schedule text DEFAULT NULL,
  refresh_mode text DEFAULT 'IMMEDIATE', initialize boolean DEFAULT true, windows text DEFAULT NULL,
  pre_aggregate boolean DEFAULT NULL) RETURNS void
  LANGUAGE sql BEGIN ATOMIC
  SELECT pgtrickle.command('create', $1, $2, $3, $4, $5::pg_catalog.text, 'replace', $6, $7::pg_catalog.text);
END;
COMMENT ON FUNCTION pgtrickle.create_or_replace_stream_table(text, text, text, text, boolean, text, boolean)
  IS 'the same, or another query for the stream table that is there';

CREATE FUNCTION pgtrickle.alter_stream_table(name text, query text, windows text DEFAULT NULL,
  pre_aggregate boolean DEFAULT NULL) RETURNS void
  LANGUAGE sql BEGIN ATOMIC
  SELECT pgtrickle.command('alter', $1, $2, $3, $4::pg_catalog.text);
END;
COMMENT ON FUNCTION pgtrickle.alter_stream_table(text, text, text, boolean) IS 'gives a stream table another query';

CREATE FUNCTION pgtrickle.drop_stream_table(name text, cascade boolean DEFAULT false) RETURNS void
  LANGUAGE sql BEGIN ATOMIC
  SELECT pgtrickle.command('drop', $1, $2::pg_catalog.text);
END;
COMMENT ON FUNCTION pgtrickle.drop_stream_table(text, boolean) IS 'drops a stream table';

CREATE FUNCTION pgtrickle.refresh_stream_table(name text, OUT inserted bigint, OUT deleted bigint, OUT updated bigint)
  LANGUAGE sql BEGIN ATOMIC
  SELECT r.inserted, r.deleted, r.updated
  FROM (SELECT pgtrickle.command('refresh', $1)::pg_catalog.json AS answer) a,
    LATERAL pg_catalog.json_to_record(a.answer) AS r(inserted bigint, deleted bigint, updated bigint);
END;
COMMENT ON FUNCTION pgtrickle.refresh_stream_table(text) IS 'runs the query again and says what had to be changed';

CREATE FUNCTION pgtrickle.advance(OUT stream_tables bigint, OUT rows bigint)
  LANGUAGE sql BEGIN ATOMIC
  SELECT r.stream_tables, r.rows
  FROM (SELECT pgtrickle.command('advance')::pg_catalog.json AS answer) a,
    LATERAL pg_catalog.json_to_record(a.answer) AS r(stream_tables bigint, rows bigint);
END;
COMMENT ON FUNCTION pgtrickle.advance()
  IS 'moves the stream tables that depend on the clock to the present, and says what has changed';

CREATE FUNCTION pgtrickle.verify_stream_table(name text, OUT ok boolean, OUT missing bigint, OUT extra bigint)
  LANGUAGE sql BEGIN ATOMIC
  SELECT r.ok, r.missing, r.extra
  FROM (SELECT pgtrickle.command('verify', $1)::pg_catalog.json AS answer) a,
    LATERAL pg_catalog.json_to_record(a.answer) AS r(ok boolean, missing bigint, extra bigint);
END;
COMMENT ON FUNCTION pgtrickle.verify_stream_table(text) IS 'compares a stream table with its query and changes nothing';

CREATE FUNCTION pgtrickle.memory(OUT "limit" bigint, OUT used bigint, OUT plans bigint, OUT plan_limit bigint,
  OUT stream_tables json)
  LANGUAGE sql BEGIN ATOMIC
  SELECT r."limit", r.used, r.plans, r.plan_limit,
    (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('schema', n.nspname, 'name', c.relname,
        'bytes', coalesce(u.size, 0)) ORDER BY coalesce(u.size, 0) DESC, n.nspname, c.relname), '[]')
     FROM pgtrickle.stream_table t
     JOIN pg_catalog.pg_class c ON c.oid = t.relid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN (SELECT (e.pair ->> 0)::integer AS id, (e.pair ->> 1)::bigint AS size
                FROM pg_catalog.json_array_elements(r.stream_tables) AS e(pair)) u ON u.id = t.id)
  FROM (SELECT pgtrickle.command('memory')::pg_catalog.json AS answer) a,
    LATERAL pg_catalog.json_to_record(a.answer)
      AS r("limit" bigint, used bigint, plans bigint, plan_limit bigint, stream_tables pg_catalog.json);
END;
COMMENT ON FUNCTION pgtrickle.memory() IS 'how much memory may be used and is used, and by which stream table, in bytes';

CREATE FUNCTION pgtrickle.keep_changes(name text, retain bigint DEFAULT 10000, max_age interval DEFAULT NULL)
  RETURNS bigint
  LANGUAGE sql BEGIN ATOMIC
  SELECT nullif(pgtrickle.command('keep', $1, $2::pg_catalog.text, $3::pg_catalog.text), '')::bigint;
END;
COMMENT ON FUNCTION pgtrickle.keep_changes(text, bigint, interval)
  IS 'keeps the changes of a stream table from now on, at most so many and for so long; 0 ends it';

CREATE FUNCTION pgtrickle.changes(name text, after bigint DEFAULT NULL, max bigint DEFAULT NULL,
  snapshot boolean DEFAULT false)
  RETURNS TABLE (seq bigint, tx bigint, at timestamptz, op text, key jsonb, old jsonb, "row" jsonb)
  LANGUAGE sql BEGIN ATOMIC
  SELECT r.seq, r.tx, r.at, r.op, r.key, r.old, r."row"
  FROM (SELECT pgtrickle.command('changes', $1, $2::pg_catalog.text, $3::pg_catalog.text, $4::pg_catalog.text)
    ::pg_catalog.json AS answer) a,
    LATERAL pg_catalog.json_to_recordset(a.answer) AS r(seq bigint, tx bigint, at timestamptz, op text,
      key pg_catalog.jsonb, old pg_catalog.jsonb, "row" pg_catalog.jsonb);
END;
COMMENT ON FUNCTION pgtrickle.changes(text, bigint, bigint, boolean)
  IS 'the kept changes of a stream table after a number, or its rows and the number after which to go on';

CREATE FUNCTION pgtrickle.restore_stream_tables() RETURNS void
  LANGUAGE sql BEGIN ATOMIC
  SELECT pgtrickle.command('restore');
END;
COMMENT ON FUNCTION pgtrickle.restore_stream_tables() IS 'makes the stream tables of a restored dump whole again';

CREATE FUNCTION pgtrickle.explain_st(name text) RETURNS TABLE (section text, key text, value text)
  LANGUAGE sql BEGIN ATOMIC
  SELECT e.line ->> 0, e.line ->> 1, e.line ->> 2
  FROM pg_catalog.json_array_elements(pgtrickle.command('explain', $1)::pg_catalog.json) AS e(line);
END;
COMMENT ON FUNCTION pgtrickle.explain_st(text) IS 'how a stream table is maintained';

CREATE FUNCTION pgtrickle.explain_st_json(name text) RETURNS jsonb
  LANGUAGE sql BEGIN ATOMIC
  SELECT pgtrickle.command('explain_json', $1)::pg_catalog.jsonb;
END;
COMMENT ON FUNCTION pgtrickle.explain_st_json(text) IS 'how a stream table is maintained, as one object';

-- ---- what there is ----

CREATE VIEW pgtrickle.stream_tables AS
SELECT c.relname::text AS name, n.nspname::text AS schema, t.query, t.refresh_mode, t.status, t.columns, t.key,
  ARRAY(
    SELECT (pg_catalog.pg_identify_object('pg_catalog.pg_class'::regclass, coalesce(lower.relid, s.relid), 0)).identity
    FROM pgtrickle.source s
    LEFT JOIN pgtrickle.stream_table lower ON lower.storage = s.relid
    WHERE s.id = t.id AND NOT s.inherited AND NOT EXISTS (SELECT FROM pgtrickle.stage g WHERE g.storage = s.relid)
    ORDER BY 1
  ) AS sources,
  t.created_at
FROM pgtrickle.stream_table t
JOIN pg_catalog.pg_class c ON c.oid = t.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace;
COMMENT ON VIEW pgtrickle.stream_tables IS 'the stream tables of this database';
GRANT SELECT ON pgtrickle.stream_tables TO PUBLIC;

CREATE VIEW pgtrickle.feeds AS
SELECT c.relname::text AS name, n.nspname::text AS schema, f.retain, f.max_age, f.gone + 1 AS first, f.last
FROM pgtrickle.feed f
JOIN pgtrickle.stream_table t ON t.id = f.id
JOIN pg_catalog.pg_class c ON c.oid = t.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE f.retain IS DISTINCT FROM 0;
COMMENT ON VIEW pgtrickle.feeds IS 'the stream tables whose changes are kept, and from which number to which';
GRANT SELECT ON pgtrickle.feeds TO PUBLIC;

CREATE FUNCTION pgtrickle.print_query(view regclass) RETURNS text
  LANGUAGE sql BEGIN ATOMIC
  SELECT pgtrickle.command('print', $1::pg_catalog.oid::pg_catalog.text);
END;
COMMENT ON FUNCTION pgtrickle.print_query(regclass) IS 'the query of a view, with every name in full';

CREATE FUNCTION pgtrickle.list_sources(name text) RETURNS TABLE (source text, kind text)
  LANGUAGE sql BEGIN ATOMIC
  SELECT pg_catalog.format('%I.%I', n.nspname, c.relname),
    CASE WHEN lower.id IS NOT NULL THEN 'stream table' WHEN c.relkind = 'p' THEN 'partitioned table' ELSE 'table' END
  FROM (SELECT pgtrickle.command('find', $1)::integer AS id) f
  JOIN pgtrickle.source s ON s.id = f.id AND NOT s.inherited
  LEFT JOIN pgtrickle.stream_table lower ON lower.storage = s.relid
  JOIN pg_catalog.pg_class c ON c.oid = coalesce(lower.relid, s.relid)
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  ORDER BY 1;
END;
COMMENT ON FUNCTION pgtrickle.list_sources(text) IS 'the tables and stream tables that a stream table reads';

CREATE FUNCTION pgtrickle.dependency_tree() RETURNS TABLE (stream_table text, depth integer, source text)
  LANGUAGE sql STABLE BEGIN ATOMIC
  WITH RECURSIVE level AS (
    SELECT t.id, 1 AS depth FROM pgtrickle.stream_table t
    UNION
    SELECT s.id, l.depth + 1
    FROM level l
    JOIN pgtrickle.stream_table below ON below.id = l.id
    JOIN pgtrickle.source s ON s.relid = below.storage
  )
  SELECT pg_catalog.format('%I.%I', v.schema, v.name), l.depth, u.source
  FROM (SELECT id, pg_catalog.max(depth) AS depth FROM level GROUP BY id) l
  JOIN pgtrickle.stream_table t ON t.id = l.id
  JOIN pg_catalog.pg_class c ON c.oid = t.relid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pgtrickle.stream_tables v ON v.name = c.relname AND v.schema = n.nspname
  LEFT JOIN LATERAL pg_catalog.unnest(v.sources) AS u(source) ON true
  ORDER BY 2, 1, 3;
END;
COMMENT ON FUNCTION pgtrickle.dependency_tree() IS 'which stream table reads what, those that others read first';

CREATE FUNCTION pgtrickle.health_check() RETURNS TABLE (stream_table text, ok boolean, problem text)
  LANGUAGE sql BEGIN ATOMIC
  SELECT f.name, f.problem IS NULL, coalesce(f.problem,
    'is right, but runs its query again after every change, please report it: ' || f.fallback)
  FROM (
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
      CASE
        WHEN NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.objid = t.definition AND d.refobjid = t.relid AND d.deptype = 'i'
        ) THEN 'comes from a dump: SELECT pgtrickle.restore_stream_tables()'
        WHEN t.status <> 'ACTIVE' THEN 'not filled yet: refresh it'
        WHEN EXISTS (
          SELECT FROM pgtrickle.source s
          WHERE s.id = t.id AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_trigger g
            WHERE g.tgrelid = s.relid AND g.tgname = '__pgt_before' AND g.tgenabled <> 'D')
        ) THEN 'triggers of a source are missing or disabled: enable them and refresh it'
        WHEN NOT (SELECT v.ok FROM pgtrickle.verify_stream_table(pg_catalog.format('%I.%I', n.nspname, c.relname)) v)
          THEN 'differs from its query: refresh it'
      END AS problem, t.fallback
    FROM pgtrickle.stream_table t
    JOIN pg_catalog.pg_class c ON c.oid = t.relid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  ) f
  ORDER BY 1;
END;
COMMENT ON FUNCTION pgtrickle.health_check() IS 'compares every stream table with its query';

-- ---- DDL ----

CREATE EVENT TRIGGER pg_trickle_drop ON sql_drop EXECUTE FUNCTION pgtrickle.ddl();
CREATE EVENT TRIGGER pg_trickle_change ON ddl_command_end EXECUTE FUNCTION pgtrickle.ddl();
