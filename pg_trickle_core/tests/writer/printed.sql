-- aggregate_all
SELECT pg_catalog.count(*) AS n, pg_catalog.sum(r0_1.v) AS s FROM public.item AS r0_1;

-- aggregate_all_having
SELECT pg_catalog.sum(r0_1.v) AS s FROM public.item AS r0_1 HAVING (pg_catalog.count(*) OPERATOR(pg_catalog.>) 1);

-- aggregate_distinct
SELECT r0_1.k AS k, pg_catalog.count(DISTINCT r0_1.v) AS c, pg_catalog.sum(DISTINCT r0_1.m) AS s, pg_catalog.count(*) AS n, pg_catalog.max(DISTINCT r0_1.v) AS x FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_distinct_alone
SELECT pg_catalog.count(DISTINCT r0_1.s) AS c FROM public.item AS r0_1;

-- aggregate_distinct_filter
SELECT r0_1.k AS k, pg_catalog.count(DISTINCT r0_1.v) FILTER (WHERE r0_1.b) AS c, pg_catalog.count(DISTINCT ROW(r0_1.v, r0_1.s)) AS r FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_extrema
SELECT r0_1.k AS k, pg_catalog.min(r0_1.v) AS lo, pg_catalog.max(r0_1.s) AS hi, pg_catalog.max(r0_1.at) AS late FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_extrema_all
SELECT pg_catalog.min(r0_1.v) AS lo, pg_catalog.max(r0_1.m) AS hi FROM public.item AS r0_1 WHERE r0_1.b;

-- aggregate_extrema_joined
SELECT r0_1.k AS k, pg_catalog.max(r0_2.y) AS hi, pg_catalog.count(*) AS n FROM (public.item AS r0_1 JOIN public.part AS r0_2 ON (r0_2.item_id OPERATOR(pg_catalog.=) r0_1.id)) GROUP BY 1;

-- aggregate_float_key
SELECT r0_1.f AS f, pg_catalog.sum(r0_1.v) AS s FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_floats
SELECT r0_1.k AS k, pg_catalog.sum(r0_1.f) AS s, pg_catalog.avg(r0_1.f) AS a, pg_catalog.stddev(r0_1.f) AS d, pg_catalog.corr(r0_1.f, r0_1.f) AS c FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_four_keys
SELECT r0_1.k AS k, r0_1.v AS v, r0_1.s AS s, r0_1.b AS b, pg_catalog.count(*) AS n FROM public.item AS r0_1 GROUP BY 1, 2, 3, 4;

-- aggregate_having
SELECT r0_1.k AS k, pg_catalog.sum(r0_1.v) AS s, (pg_catalog.count(*) OPERATOR(pg_catalog.*) 2) AS d, pg_catalog.upper(pg_catalog.min(r0_1.s)) AS u FROM public.item AS r0_1 GROUP BY 1 HAVING (pg_catalog.sum(r0_1.v) OPERATOR(pg_catalog.>) 5) ORDER BY pg_catalog.count(*) ASC NULLS LAST, 1 ASC NULLS LAST;

-- aggregate_keyless
SELECT r0_1.k AS k, pg_catalog.sum(r0_1.v) AS s FROM public.mark AS r0_1 GROUP BY 1;

-- aggregate_keys
SELECT r0_1.s AS s, (r0_1.k OPERATOR(pg_catalog.%) 2) AS o, r0_2.d AS d, pg_catalog.count(*) AS n FROM public.item AS r0_1, public.pairs AS r0_2 GROUP BY 1, 2, 3;

-- aggregate_list
SELECT r0_1.k AS k, pg_catalog.string_agg(r0_1.s, ','::pg_catalog.text ORDER BY r0_1.id ASC NULLS LAST) AS l, pg_catalog.array_agg(r0_1.v) AS a FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_list_all
SELECT pg_catalog.jsonb_agg(r0_1.v ORDER BY r0_1.id ASC NULLS LAST) AS j FROM public.item AS r0_1 WHERE (r0_1.k OPERATOR(pg_catalog.<) 3);

-- aggregate_moments
SELECT r0_1.k AS k, pg_catalog.var_pop(r0_1.v) AS vp, pg_catalog.variance(r0_1.n) AS vn, pg_catalog.stddev_samp(r0_1.m) AS sm, pg_catalog.stddev_pop(r0_1.v) AS sp, pg_catalog.regr_slope(r0_1.f, r0_1.f) AS r, pg_catalog.regr_count(r0_1.f, r0_1.v::double precision) AS rc, pg_catalog.covar_samp(r0_1.f, r0_1.v::double precision) AS cs FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_nested
SELECT r0_1.n AS n, pg_catalog.count(*) AS times FROM (SELECT r1_1.k AS k, pg_catalog.count(*) AS n FROM public.item AS r1_1 GROUP BY 1) AS r0_1(k, n) GROUP BY 1;

-- aggregate_no_equality
SELECT r0_1.p::pg_catalog.text AS t, pg_catalog.count(r0_1.p) AS n, pg_catalog.json_agg(r0_1.p) AS j FROM public.big AS r0_1 GROUP BY 1;

-- aggregate_numeric_key
SELECT r0_1.n AS n, pg_catalog.count(*) AS c FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_of_rows
SELECT r0_2.e AS e, pg_catalog.count(DISTINCT r0_1.v) AS c FROM public.item AS r0_1, LATERAL pg_catalog.unnest(ARRAY[r0_1.k, r0_1.id]) AS r0_2(e) GROUP BY 1;

-- aggregate_outer
SELECT r0_1.k AS k, (SELECT pg_catalog.sum(r0_1.v) AS sum FROM public.mark AS r1_1 WHERE (r1_1.k OPERATOR(pg_catalog.=) 1)) AS s FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_percentile
SELECT r0_1.k AS k, pg_catalog.percentile_cont('0.5'::numeric::double precision) WITHIN GROUP (ORDER BY r0_1.f ASC NULLS LAST) AS p, pg_catalog.mode() WITHIN GROUP (ORDER BY r0_1.v ASC NULLS LAST) AS m FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_self_join
SELECT r0_1.k AS k, pg_catalog.sum(r0_2.v) AS s FROM (public.mark AS r0_1 JOIN public.mark AS r0_2 ON (r0_1.v OPERATOR(pg_catalog.=) r0_2.k)) GROUP BY 1;

-- aggregate_small
SELECT pg_catalog.sum(r0_1.a) AS s8, pg_catalog.avg(r0_1.z) AS a2, pg_catalog.sum(r0_1.r) AS sr, pg_catalog.avg(r0_1.r) AS ar, pg_catalog.sum(r0_1.z) AS s2, pg_catalog.sum(r0_1.i) AS si, pg_catalog.bit_xor(r0_1.bits) AS x FROM public.big AS r0_1;

-- aggregate_srf
SELECT pg_catalog.generate_series(1, r0_1.k) AS g, pg_catalog.count(*) AS n FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_sums
SELECT r0_1.k AS k, pg_catalog.count(*) AS n, pg_catalog.count(r0_1.v) AS c, pg_catalog.sum(r0_1.v) AS s, pg_catalog.sum(r0_1.n) AS sn, pg_catalog.sum(r0_1.m) AS sm, pg_catalog.avg(r0_1.v) AS a, pg_catalog.avg(r0_1.n) AS an, pg_catalog.avg(r0_1.m) AS am, pg_catalog.sum((r0_1.m OPERATOR(pg_catalog.*) r0_1.v::numeric)) AS p, pg_catalog.sum(r0_1.v) FILTER (WHERE r0_1.b) AS fs FROM public.item AS r0_1 GROUP BY 1;

-- aggregate_truth
SELECT r0_1.k AS k, pg_catalog.bool_and(r0_1.b) AS a, pg_catalog.bool_or((r0_1.v OPERATOR(pg_catalog.>) 4)) AS o, pg_catalog.every((r0_1.s IS NULL)) AS e, pg_catalog.bit_and(r0_1.v) AS ba, pg_catalog.bit_or(r0_1.v) AS bo, pg_catalog.bit_xor(r0_1.v) AS x FROM public.item AS r0_1 GROUP BY 1;

-- distinct_groups
SELECT DISTINCT pg_catalog.count(*) AS n FROM public.item AS r0_1 GROUP BY r0_1.k;

-- distinct_joined
SELECT DISTINCT r0_1.k AS k FROM (public.item AS r0_1 JOIN public.mark AS r0_2 USING (k) AS u0_3);

-- distinct_numeric
SELECT DISTINCT r0_1.n AS n FROM public.item AS r0_1;

-- distinct_on
SELECT DISTINCT ON (1) r0_1.k AS k, r0_1.id AS id, r0_1.v AS v FROM public.item AS r0_1 ORDER BY 1 ASC NULLS LAST, 3 DESC NULLS LAST, 2 ASC NULLS LAST;

-- distinct_rows
SELECT DISTINCT r0_1.k AS k, r0_1.s AS s FROM public.item AS r0_1;

-- expr_arrays
SELECT ((r0_1.marks)[1]) AS a, ((r0_1.marks)[1 : 2]) AS b, ((r0_1.marks)[ : 2]) AS c, ((r0_1.marks)[2 : ]) AS d, ((r0_1.marks)[ : ]) AS e, ((r0_1.doc)['k'::pg_catalog.text]['l'::pg_catalog.text]) AS f, ARRAY[1, r0_1.id] AS g, ARRAY[ARRAY[1, 2], ARRAY[3, r0_1.id]] AS h, ARRAY[]::integer[] AS i, (r0_1.marks OPERATOR(pg_catalog.||) 3) AS j FROM public.customer AS r0_1;

-- expr_bool_tests
SELECT r0_1.id AS id, (r0_1.paid IS TRUE) AS a, (r0_1.paid IS NOT TRUE) AS b, (r0_1.paid IS FALSE) AS c, (r0_1.paid IS NOT FALSE) AS d, (r0_1.paid IS UNKNOWN) AS e, (r0_1.paid IS NOT UNKNOWN) AS f, (r0_1.amount IS NULL) AS g, (NOT (((r0_1.amount IS NOT NULL) AND r0_1.paid) OR (r0_1.id OPERATOR(pg_catalog.>) 3))) AS h FROM public.purchase AS r0_1;

-- expr_calls
SELECT public.named(1) AS a, public.named(1, c => 'q'::pg_catalog.text) AS b, public.named(a => r0_1.id) AS c, public.total(VARIADIC ARRAY[1::numeric, 2::numeric, 3::numeric]) AS d, public.total(VARIADIC ARRAY['1.0'::numeric, '2.0'::numeric]) AS e, pg_catalog.upper(r0_1.name) AS f, pg_catalog.format('%s %s'::pg_catalog.text, r0_1.id, r0_1.name) AS g FROM public.customer AS r0_1;

-- expr_case
SELECT CASE WHEN (r0_1.id OPERATOR(pg_catalog.>) 3) THEN 'big'::pg_catalog.text WHEN (r0_1.id OPERATOR(pg_catalog.>) 1) THEN 'mid'::pg_catalog.text ELSE 'small'::pg_catalog.text END AS a, CASE r0_1.id WHEN 1 THEN 'one'::pg_catalog.text ELSE NULL::pg_catalog.text END AS b, CASE r0_1.level WHEN 'sad'::public.mood THEN 1 ELSE 2 END AS c, COALESCE(r0_1.name, 'x'::pg_catalog.text, 'y'::pg_catalog.text) AS d, GREATEST(r0_1.id, 3) AS e, LEAST(r0_1.name, 'q'::pg_catalog.text) AS f FROM public.customer AS r0_1;

-- expr_casts
SELECT r0_1.id::pg_catalog.text AS a, r0_1.name::integer AS b, r0_1.name::character varying AS c, r0_1.name::character varying::character varying(3) AS d, r0_1.marks::pg_catalog.text[] AS e, r0_1.marks::bigint[] AS f, r0_1.share::double precision AS g, r0_1.id::numeric::public.percent AS h, r0_1.level::pg_catalog.text AS i, 'ok'::public.mood AS j, ARRAY['a'::pg_catalog.text]::pg_catalog.text[]::public.tags AS k, (r0_1.at).x AS l, (ROW(1, 'a'::pg_catalog.text)::public.pair).y AS m, '{1,2}'::integer[] AS n, r0_1.id::pg_catalog.oid::pg_catalog.regclass AS o, r0_1.marks::public.percent[] AS p, r0_1.doc::numeric AS q FROM public.customer AS r0_1;

-- expr_json_aggs
SELECT JSON_OBJECTAGG(r0_1.id : r0_1.name ABSENT ON NULL WITH UNIQUE KEYS RETURNING pg_catalog.jsonb) AS a, JSON_ARRAYAGG(r0_1.name ORDER BY r0_1.id ASC NULLS LAST NULL ON NULL RETURNING json) FILTER (WHERE (r0_1.id OPERATOR(pg_catalog.>) 1)) AS b FROM public.customer AS r0_1;

-- expr_json_constructors
SELECT JSON_OBJECT('k'::pg_catalog.unknown : r0_1.id, 'l'::pg_catalog.unknown : r0_1.raw::pg_catalog.text FORMAT JSON ABSENT ON NULL WITH UNIQUE KEYS RETURNING json) AS a, JSON_ARRAY(r0_1.id, r0_1.name NULL ON NULL RETURNING pg_catalog.jsonb) AS b, JSON(r0_1.name WITH UNIQUE KEYS) AS c, JSON_SCALAR(r0_1.id) AS d, JSON_SERIALIZE(r0_1.doc RETURNING pg_catalog.bytea FORMAT JSON ENCODING UTF8) AS e, (SELECT JSON_ARRAYAGG(r1_1.a ABSENT ON NULL RETURNING json) AS "json_arrayagg" FROM ((SELECT 1 AS "?column?") UNION ALL (SELECT 2 AS "?column?")) AS r1_1(a)) AS f, JSON_OBJECT( RETURNING json) AS g FROM public.customer AS r0_1;

-- expr_json_predicates
SELECT (r0_1.name IS JSON) AS a, (r0_1.name IS JSON OBJECT WITH UNIQUE KEYS) AS b, (NOT (r0_1.name IS JSON ARRAY)) AS c, (r0_1.doc IS JSON SCALAR) AS d FROM public.customer AS r0_1;

-- expr_json_queries
SELECT JSON_EXISTS(r0_1.doc, '$."a"?(@ > $"x")'::pg_catalog.jsonpath PASSING r0_1.id AS x TRUE ON ERROR) AS a, JSON_VALUE(r0_1.doc, '$."a"'::pg_catalog.jsonpath RETURNING integer DEFAULT 0 ON EMPTY ERROR ON ERROR) AS b, JSON_VALUE(r0_1.doc, '$."a"'::pg_catalog.jsonpath RETURNING character varying(3) NULL ON EMPTY NULL ON ERROR) AS c, JSON_QUERY(r0_1.doc, '$."a"'::pg_catalog.jsonpath WITH CONDITIONAL WRAPPER EMPTY ARRAY ON EMPTY NULL ON ERROR) AS d, JSON_QUERY(r0_1.doc, '$."a"'::pg_catalog.jsonpath RETURNING pg_catalog.text OMIT QUOTES NULL ON EMPTY EMPTY OBJECT ON ERROR) AS e, JSON_QUERY(r0_1.raw, '$."b"'::pg_catalog.jsonpath WITH UNCONDITIONAL WRAPPER NULL ON EMPTY NULL ON ERROR) AS f FROM public.customer AS r0_1;

-- expr_operators
SELECT (r0_1.id OPERATOR(pg_catalog.+) 1) AS a, (OPERATOR(pg_catalog.-) r0_1.amount) AS b, (r0_1.amount IS DISTINCT FROM r0_1.weight::numeric) AS c, (NOT (r0_1.amount IS DISTINCT FROM 1::numeric)) AS d, NULLIF(r0_1.amount, 0::numeric) AS e, (r0_1.id OPERATOR(pg_catalog.=) ANY (ARRAY[1, 2])) AS f, (r0_1.id OPERATOR(pg_catalog.<>) ALL ('{1,2}'::bigint[])) AS g, (r0_1.id OPERATOR(pg_catalog.=) ANY (ARRAY[1::bigint, 2::bigint, 3::bigint])) AS h, (r0_1.id OPERATOR(pg_catalog.<>) ALL (ARRAY[4::bigint, 5::bigint])) AS i, (((r0_1.id OPERATOR(pg_catalog.>=) 1) AND (r0_1.id OPERATOR(pg_catalog.<=) 9)) OR ((r0_1.id OPERATOR(pg_catalog.>=) 9) AND (r0_1.id OPERATOR(pg_catalog.<=) 1))) AS j, (r0_1.id OPERATOR(pg_catalog.+) 1) AS k FROM public.purchase AS r0_1;

-- expr_row_tests
SELECT (r0_1.at IS NULL) AS a, (ROW(r0_1.id, r0_1.name) IS NOT NULL) AS b, (ROW(r0_1.id, r0_1.name) OPERATOR(pg_catalog.<) ROW(3, 'x'::pg_catalog.text)) AS c, (ROW(r0_1.id, r0_1.name) OPERATOR(pg_catalog.>=) ROW(1, 'a'::pg_catalog.text)) AS d, ((r0_1.id OPERATOR(pg_catalog.=) 1) AND (r0_1.name OPERATOR(pg_catalog.=) 'a'::pg_catalog.text)) AS e, ((r0_1.id OPERATOR(pg_catalog.<>) 1) OR (r0_1.name OPERATOR(pg_catalog.<>) 'a'::pg_catalog.text)) AS f, ((r0_1.id IS DISTINCT FROM 1) OR (r0_1.name IS DISTINCT FROM 'a'::pg_catalog.text)) AS g, ROW(1, r0_1.name)::public.pair AS h, (ROW(r0_1.id, r0_1.name, r0_1."Odd {name}", r0_1.level, r0_1.at, r0_1.share, r0_1.marks, r0_1.doc, r0_1.raw, r0_1.page, r0_1.born, r0_1.seen) IS NULL) AS i FROM public.customer AS r0_1;

-- expr_rowtype_casts
SELECT r0_1.*::public.child::public.parent AS p FROM public.child AS r0_1;

-- expr_session
SELECT CURRENT_ROLE AS a, CURRENT_USER AS b, USER AS c, SESSION_USER AS d, CURRENT_CATALOG AS e, CURRENT_SCHEMA AS f;

-- expr_sublinks
SELECT r0_1.id AS id, EXISTS (SELECT FROM public.purchase AS r1_1 WHERE (r1_1.customer_id OPERATOR(pg_catalog.=) r0_1.id)) AS a, (r0_1.id OPERATOR(pg_catalog.=) ANY (SELECT r1_1.customer_id AS customer_id FROM public.purchase AS r1_1)) AS b, (NOT (r0_1.id OPERATOR(pg_catalog.=) ANY (SELECT r1_1.customer_id AS customer_id FROM public.purchase AS r1_1))) AS c, (r0_1.id OPERATOR(pg_catalog.>) ALL (SELECT r1_1.customer_id AS customer_id FROM public.purchase AS r1_1)) AS d, (r0_1.id OPERATOR(pg_catalog.<>) ANY (SELECT r1_1.customer_id AS customer_id FROM public.purchase AS r1_1)) AS e, (SELECT pg_catalog.max(r1_1.amount) AS max FROM public.purchase AS r1_1 WHERE (r1_1.customer_id OPERATOR(pg_catalog.=) r0_1.id)) AS f, ARRAY(SELECT r1_1.id AS id FROM public.purchase AS r1_1 ORDER BY r1_1.amount DESC NULLS LAST) AS g, (ROW(r0_1.id, r0_1.name) OPERATOR(pg_catalog.=) ANY (SELECT 1 AS "?column?", 'a'::pg_catalog.text AS "?column?")) AS h, (ROW(r0_1.id, r0_1.name) OPERATOR(pg_catalog.<) (SELECT 1 AS "?column?", 'a'::pg_catalog.text AS "?column?")) AS i, (SELECT (SELECT (r0_1.id OPERATOR(pg_catalog.+) r1_1.id) AS "?column?") AS "?column?" FROM public.purchase AS r1_1 LIMIT 1::bigint) AS j FROM public.customer AS r0_1;

-- expr_text
SELECT (r0_1.name OPERATOR(pg_catalog.~~) 'a%'::pg_catalog.text) AS a, (r0_1.name OPERATOR(pg_catalog.~~*) '%b'::pg_catalog.text) AS b, (r0_1.name OPERATOR(pg_catalog.~) pg_catalog.similar_to_escape('(a|b)%'::pg_catalog.text)) AS c, ((r0_1.name COLLATE pg_catalog."C") OPERATOR(pg_catalog.<) 'm'::pg_catalog.text) AS d, pg_catalog."substring"(r0_1.name, 2, 3) AS e, pg_catalog.btrim(r0_1.name, 'x'::pg_catalog.text) AS f, pg_catalog."position"(r0_1.name, 'a'::pg_catalog.text) AS g, pg_catalog."overlay"(r0_1.name, 'zz'::pg_catalog.text, 2) AS h, (r0_1.name OPERATOR(pg_catalog.||) '!'::pg_catalog.text) AS i, pg_catalog."normalize"(r0_1.name, 'NFC'::pg_catalog.text) AS j, pg_catalog.is_normalized(r0_1.name) AS k FROM public.customer AS r0_1;

-- expr_time
SELECT pg_catalog."extract"('year'::pg_catalog.text, r0_1.seen) AS a, pg_catalog.timezone('UTC'::pg_catalog.text, r0_1.seen) AS b, pg_catalog."overlaps"(r0_1.born::timestamp with time zone, r0_1.born::timestamp with time zone, r0_1.born::timestamp with time zone, 'P1D'::interval) AS c, CURRENT_DATE AS d, CURRENT_TIME AS e, CURRENT_TIME(2) AS f, CURRENT_TIMESTAMP AS g, CURRENT_TIMESTAMP(3) AS h, LOCALTIME AS i, LOCALTIME(1) AS j, LOCALTIMESTAMP AS k, LOCALTIMESTAMP(0) AS l, (r0_1.seen OPERATOR(pg_catalog.+) 'PT1H'::interval) AS m FROM public.customer AS r0_1;

-- expr_var_const
SELECT r0_1.id AS id, r0_1."Odd {name}" AS "Odd {name}", 1 AS one, '-7'::integer AS minus, E'it''s \\ (a) {b}'::pg_catalog.text AS txt, NULL::integer AS nil, '1.50'::numeric AS num, E'\\x00ff'::pg_catalog.bytea AS bin, true AS yes, r0_1.ctid AS tid, r0_1.tableoid AS rel, r0_1.*::public.customer AS whole, 'ab'::character varying::character varying(5) AS cut FROM public.customer AS r0_1;

-- expr_xml
SELECT XMLELEMENT(NAME "r{1}", XMLATTRIBUTES(r0_1.id AS i, r0_1.name AS name), 'x'::pg_catalog.unknown, r0_1.page) AS a, XMLFOREST(r0_1.id AS id, r0_1.name AS n) AS b, XMLCONCAT(r0_1.page, r0_1.page) AS c, XMLPARSE(CONTENT r0_1.name PRESERVE WHITESPACE) AS d, XMLPARSE(DOCUMENT r0_1.name STRIP WHITESPACE) AS e, XMLPI(NAME php, 'echo'::pg_catalog.text) AS f, XMLROOT(r0_1.page, VERSION '1.0'::pg_catalog.text, STANDALONE YES) AS g, XMLSERIALIZE(CONTENT r0_1.page AS pg_catalog.text) AS h, XMLSERIALIZE(DOCUMENT r0_1.page AS character varying(9) INDENT) AS i, (r0_1.page IS DOCUMENT) AS j FROM public.customer AS r0_1;

-- from_cross
SELECT 1 AS x FROM (public.customer AS r0_1 CROSS JOIN ONLY public.parent AS r0_2(a, kind)), public.edge AS r0_4;

-- from_functions
SELECT r0_1.g AS g, r0_2.a AS a, r0_2.b AS b, r0_3.c AS c, r0_3.d AS d, r0_4.ordinality AS ordinality, r0_5.i AS i, r0_5.v AS v, pg_catalog.unnest(ARRAY[1, 2]) AS z FROM pg_catalog.generate_series(1, 3) AS r0_1(g), ROWS FROM (pg_catalog.generate_series(1, 2), pg_catalog.unnest(ARRAY['a'::pg_catalog.text])) AS r0_2(a, b), ROWS FROM (pg_catalog.unnest(ARRAY[1]), pg_catalog.unnest(ARRAY['q'::pg_catalog.text])) AS r0_3(c, d), pg_catalog.generate_series(1, 2) WITH ORDINALITY AS r0_4(o, ordinality), ROWS FROM (public.two() AS (i integer, v character varying(4))) AS r0_5(i, v);

-- from_joins
SELECT r0_1.id AS id, r0_2.amount AS amount, r0_4.weight AS weight, r0_6.id AS rid FROM (((public.customer AS r0_1 JOIN public.purchase AS r0_2 ON ((r0_2.customer_id OPERATOR(pg_catalog.=) r0_1.id) AND r0_2.paid)) LEFT JOIN public.purchase AS r0_4 ON (r0_4.id OPERATOR(pg_catalog.=) r0_2.id)) RIGHT JOIN (SELECT r1_1.id AS id FROM public.customer AS r1_1) AS r0_6(id) ON (r0_6.id OPERATOR(pg_catalog.=) r0_1.id)) WHERE (r0_1.id OPERATOR(pg_catalog.>) 0);

-- from_json_table
SELECT r0_2.o AS o, r0_2.k AS k, r0_2.q AS q, r0_2.z1 AS z1, r0_2.z2 AS z2, r0_2.d1 AS d1, r0_2.y1 AS y1 FROM public.customer AS r0_1, LATERAL JSON_TABLE(r0_1.doc, '$[*]' AS root PASSING r0_1.id AS x COLUMNS (o FOR ORDINALITY, k integer PATH '$."k"' DEFAULT 0 ON EMPTY NULL ON ERROR, q pg_catalog.jsonb FORMAT JSON PATH '$."q"' WITH UNCONDITIONAL WRAPPER KEEP QUOTES NULL ON EMPTY NULL ON ERROR, NESTED PATH '$."z"[*]' AS zz COLUMNS (z1 pg_catalog.text PATH '$' NULL ON EMPTY NULL ON ERROR, z2 boolean EXISTS PATH '$."q"' FALSE ON ERROR, NESTED PATH '$."deep"[*]' AS json_table_path_0 COLUMNS (d1 integer PATH '$' NULL ON EMPTY NULL ON ERROR)), NESTED PATH '$."y"[*]' AS json_table_path_1 COLUMNS (y1 character varying(3) PATH '$' NULL ON EMPTY NULL ON ERROR)) ERROR ON ERROR) AS r0_2(o, k, q, z1, z2, d1, y1);

-- from_lateral
SELECT r0_1.id AS id, r0_2.s AS s, r0_3."?column?" AS "?column?" FROM public.customer AS r0_1, (LATERAL (SELECT pg_catalog.sum(r1_1.amount) AS s FROM public.purchase AS r1_1 WHERE (r1_1.customer_id OPERATOR(pg_catalog.=) r0_1.id)) AS r0_2(s) LEFT JOIN LATERAL (SELECT (r0_1.name OPERATOR(pg_catalog.||) r0_2.s) AS "?column?") AS r0_3("?column?") ON true);

-- from_locked
SELECT r0_1.id AS id FROM (SELECT r1_1.id AS id FROM public.customer AS r1_1) AS r0_1(id), public.purchase AS r0_2 FOR UPDATE OF r0_1 SKIP LOCKED FOR SHARE OF r0_2 NOWAIT;

-- from_no_columns
SELECT FROM public.customer AS r0_1;

-- from_nothing
SELECT 1 AS one WHERE (2 OPERATOR(pg_catalog.>) 1);

-- from_subview
SELECT r0_1.id AS id, r0_1.amount AS amount FROM public.from_joins AS r0_1 WHERE (r0_1.amount OPERATOR(pg_catalog.>) 1::numeric);

-- from_tablesample
SELECT r0_1.id AS id FROM public.customer AS r0_1 TABLESAMPLE pg_catalog.bernoulli((10 OPERATOR(pg_catalog.+) 5)::real) REPEATABLE (42::double precision), public.purchase AS r0_2 TABLESAMPLE pg_catalog.system(1::real);

-- from_using
SELECT u0_3.id AS id, u0_3.id AS uid, r0_1.name AS name, r0_2.amount AS amount, r0_6.one AS one, r0_6.two AS two, r0_6.extra AS extra FROM (public.customer AS r0_1 FULL JOIN public.purchase AS r0_2 USING (id) AS u0_3), (public.parent AS r0_4 JOIN public.child AS r0_5 USING (id, kind) AS u0_6) AS r0_6(one, two, extra);

-- from_values
SELECT r0_1.a AS a, r0_1.b AS b FROM (VALUES (1, 'x'::pg_catalog.text), (2, NULL::pg_catalog.text), ((3 OPERATOR(pg_catalog.+) 1), 'z'::pg_catalog.text)) AS r0_1(a, b);

-- from_values_bare
VALUES (1, 'x'::pg_catalog.text), (2, 'y'::pg_catalog.text);

-- from_xmltable
SELECT r0_2.i AS i, r0_2.o AS o, r0_2.p AS p FROM public.customer AS r0_1, LATERAL XMLTABLE(XMLNAMESPACES('u'::pg_catalog.text AS n, DEFAULT 'w'::pg_catalog.text), ('/r/i'::pg_catalog.text) PASSING (r0_1.page) COLUMNS i integer DEFAULT (3) PATH ('@i'::pg_catalog.text) NOT NULL, o FOR ORDINALITY, p character varying(4)) AS r0_2(i, o, p);

-- group_cubes
SELECT r0_1.customer_id AS customer_id, r0_1.paid AS paid, r0_1.id AS id, pg_catalog.sum(r0_1.amount) AS s, (SELECT GROUPING(r0_1.paid) AS "grouping") AS g FROM public.purchase AS r0_1 GROUP BY DISTINCT ROLLUP (1, (2, 3)), CUBE (2, 3), 1;

-- group_dependent
SELECT r0_1.id AS id, r0_1.name AS name, pg_catalog.count(r0_2.id) AS n FROM (public.customer AS r0_1 LEFT JOIN public.purchase AS r0_2 ON (r0_2.customer_id OPERATOR(pg_catalog.=) r0_1.id)) GROUP BY 1;

-- group_distinct
SELECT DISTINCT r0_1.customer_id AS customer_id, r0_1.paid AS paid FROM public.purchase AS r0_1 ORDER BY 2 DESC NULLS FIRST;

-- group_distinct_on
SELECT DISTINCT ON (1) r0_1.customer_id AS customer_id, r0_1.amount AS amount FROM public.purchase AS r0_1 ORDER BY 1 ASC NULLS LAST, 2 DESC NULLS LAST;

-- group_expression
SELECT ((r0_1.id OPERATOR(pg_catalog.%) 3) OPERATOR(pg_catalog.+) 1) AS g, ((r0_1.id OPERATOR(pg_catalog.%) 3) OPERATOR(pg_catalog.*) 2) AS h, pg_catalog.upper(r0_1.name) AS u, pg_catalog.count(*) AS n FROM public.customer AS r0_1 GROUP BY (r0_1.id OPERATOR(pg_catalog.%) 3), 3 ORDER BY ((r0_1.id OPERATOR(pg_catalog.%) 3) OPERATOR(pg_catalog.+) 5) ASC NULLS LAST, (pg_catalog.upper(r0_1.name) OPERATOR(pg_catalog.||) 'x'::pg_catalog.text) ASC NULLS LAST;

-- group_global
SELECT pg_catalog.max(r0_1.amount) AS m, pg_catalog.min(r0_1.id) AS i FROM public.purchase AS r0_1 HAVING (pg_catalog.count(*) OPERATOR(pg_catalog.>) 0);

-- group_ordered_sets
SELECT pg_catalog.percentile_cont('0.5'::numeric::double precision) WITHIN GROUP (ORDER BY r0_1.weight ASC NULLS LAST) AS med, pg_catalog.mode() WITHIN GROUP (ORDER BY r0_1.paid ASC NULLS LAST) AS m, pg_catalog.rank(3::bigint) WITHIN GROUP (ORDER BY r0_1.id DESC NULLS FIRST) AS r, pg_catalog.json_object_agg(r0_1.id, r0_1.paid) AS j, pg_catalog.concat(VARIADIC pg_catalog.array_agg(r0_1.amount)) AS v FROM public.purchase AS r0_1;

-- group_plain
SELECT r0_1.customer_id AS customer_id, pg_catalog.count(*) AS n, pg_catalog.sum(r0_1.amount) AS s, pg_catalog.count(DISTINCT r0_1.paid) AS d, pg_catalog.avg(r0_1.weight) FILTER (WHERE r0_1.paid) AS w, pg_catalog.string_agg(r0_1.id::pg_catalog.text, ','::pg_catalog.text ORDER BY r0_1.amount DESC NULLS FIRST, r0_1.id ASC NULLS LAST) AS l, public.keep(r0_1.amount) AS k FROM public.purchase AS r0_1 GROUP BY 1 HAVING ((pg_catalog.count(*) OPERATOR(pg_catalog.>) 1) AND (r0_1.customer_id OPERATOR(pg_catalog.<) 9));

-- group_rollup
SELECT r0_1.k AS k, r0_1.s AS s, pg_catalog.count(*) AS n, pg_catalog.sum(r0_1.v) AS t FROM public.item AS r0_1 GROUP BY ROLLUP (1, 2);

-- group_sets
SELECT r0_1.customer_id AS customer_id, r0_1.paid AS paid, GROUPING(r0_1.customer_id, r0_1.paid) AS g, pg_catalog.count(*) AS n FROM public.purchase AS r0_1 GROUP BY GROUPING SETS ((1, 2), 2, ());

-- group_sets_having
SELECT r0_1.k AS k, r0_1.s AS s, GROUPING(r0_1.k) AS g, pg_catalog.max(r0_1.v) AS m FROM public.item AS r0_1 GROUP BY GROUPING SETS (1, 2, ()) HAVING (pg_catalog.count(*) OPERATOR(pg_catalog.>) 1);

-- group_sublinks
SELECT (r0_1.src OPERATOR(pg_catalog.%) 3) AS g, (r0_1.dst OPERATOR(pg_catalog.+) 1) AS h, (SELECT pg_catalog.max(r1_1.amount) AS max FROM public.purchase AS r1_1 WHERE (r1_1.id OPERATOR(pg_catalog.=) (r0_1.dst OPERATOR(pg_catalog.%) 3))) AS a, (SELECT (SELECT pg_catalog.count(*) AS count FROM public.customer AS r2_1 WHERE ((r2_1.id OPERATOR(pg_catalog.=) r0_1.dst) AND (r2_1.id OPERATOR(pg_catalog.=) r1_1.id)) GROUP BY r0_1.dst, (r1_1.id OPERATOR(pg_catalog.+) 1)) AS count FROM public.purchase AS r1_1 LIMIT 1::bigint) AS b, (SELECT pg_catalog.sum(r0_1.src) AS sum FROM public.purchase AS r1_1 WHERE (r1_1.id OPERATOR(pg_catalog.=) 1)) AS outer_sum FROM public.edge AS r0_1 GROUP BY 1, r0_1.dst, (SELECT pg_catalog.count(*) AS count FROM public.purchase AS r1_1 WHERE (r1_1.id OPERATOR(pg_catalog.=) r0_1.dst)) HAVING ((r0_1.src OPERATOR(pg_catalog.%) 3) OPERATOR(pg_catalog.>) (SELECT pg_catalog.min(r1_1.id) AS min FROM public.customer AS r1_1 WHERE (r1_1.id OPERATOR(pg_catalog.=) r0_1.dst)));

-- group_using
SELECT u0_3.id AS id, pg_catalog.count(*) AS n FROM (public.customer AS r0_1 FULL JOIN public.purchase AS r0_2 USING (id) AS u0_3) GROUP BY 1;

-- group_window_over_group
SELECT r0_1.customer_id AS customer_id, pg_catalog.sum(pg_catalog.sum(r0_1.amount)) OVER (ORDER BY r0_1.customer_id ASC NULLS LAST) AS running, JSON_ARRAYAGG(r0_1.customer_id ABSENT ON NULL RETURNING json) OVER () AS j FROM public.purchase AS r0_1 GROUP BY 1;

-- group_windows
SELECT r0_1.id AS id, pg_catalog.rank() OVER w AS r, pg_catalog.sum(r0_1.amount) FILTER (WHERE r0_1.paid) OVER (w ROWS BETWEEN 1::bigint PRECEDING AND CURRENT ROW) AS s, pg_catalog.lag(r0_1.amount, 2, 0::numeric) OVER (PARTITION BY r0_1.paid ORDER BY r0_1.id DESC NULLS FIRST) AS l, pg_catalog.count(*) OVER () AS n, pg_catalog.max(r0_1.weight) OVER (ORDER BY r0_1.weight ASC NULLS LAST RANGE BETWEEN '2.5'::numeric::double precision PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES) AS m, pg_catalog.first_value(r0_1.id) OVER (ORDER BY r0_1.id ASC NULLS LAST GROUPS (2 OPERATOR(pg_catalog.+) 1)::bigint PRECEDING EXCLUDE CURRENT ROW) AS f FROM public.purchase AS r0_1 WINDOW w AS (PARTITION BY r0_1.customer_id ORDER BY r0_1.amount ASC NULLS LAST);

-- join_composite
SELECT r0_1.c AS c, r0_1.d AS d, r0_2.s AS s FROM (public.pairs AS r0_1 JOIN public.item AS r0_2 ON ((r0_2.s OPERATOR(pg_catalog.=) (r0_1.c COLLATE pg_catalog."C")) AND (r0_2.id OPERATOR(pg_catalog.=) r0_1.a)));

-- join_keyless
SELECT r0_1.k AS k, (r0_1.v OPERATOR(pg_catalog.+) 1) AS w FROM public.mark AS r0_1 WHERE (r0_1.v OPERATOR(pg_catalog.>) 3);

-- join_many
SELECT r0_1.k AS k FROM public.mark AS r0_1, public.mark AS r0_2, public.mark AS r0_3, public.mark AS r0_4, public.mark AS r0_5, public.mark AS r0_6, public.mark AS r0_7 WHERE ((r0_1.k OPERATOR(pg_catalog.=) r0_2.k) AND (r0_2.k OPERATOR(pg_catalog.=) r0_3.k) AND (r0_3.k OPERATOR(pg_catalog.=) r0_4.k));

-- join_rows
SELECT r0_1.id AS id, r0_2.x AS x, r0_2.n AS n FROM public.item AS r0_1, LATERAL pg_catalog.unnest(ARRAY[r0_1.k, r0_1.v]) WITH ORDINALITY AS r0_2(x, n);

-- join_scan
SELECT r0_1.id AS id, r0_1.v AS v FROM public.item AS r0_1 WHERE ((r0_1.v OPERATOR(pg_catalog.>) 3) AND (r0_1.s IS NOT NULL));

-- join_self
SELECT r0_1.id AS id, r0_2.id AS other FROM (public.item AS r0_1 JOIN public.item AS r0_2 ON ((r0_1.k OPERATOR(pg_catalog.=) r0_2.v) AND (r0_1.id OPERATOR(pg_catalog.<) r0_2.id)));

-- join_self_keyless
SELECT r0_1.k AS k, r0_2.v AS v FROM public.mark AS r0_1, public.mark AS r0_2 WHERE (r0_1.k OPERATOR(pg_catalog.=) r0_2.v);

-- join_sorted
SELECT r0_1.id AS id, r0_1.v AS ctid, r0_1.k AS __pgt_k FROM public.item AS r0_1 ORDER BY r0_1.s DESC NULLS LAST, 1 ASC NULLS LAST;

-- join_srf
SELECT r0_1.id AS id, pg_catalog.generate_series(1, r0_1.k) AS g FROM public.item AS r0_1;

-- join_stable
SELECT r0_1.id AS id, r0_1.at::timestamp with time zone AS t, pg_catalog.to_char(r0_1.at, 'YYYY'::pg_catalog.text) AS y, pg_catalog.age(r0_1.at, '2020-01-01 00:00:00'::timestamp without time zone) AS a FROM public.item AS r0_1;

-- join_three
SELECT r0_1.id AS id, r0_2.y AS y, r0_4.v AS v FROM ((public.item AS r0_1 JOIN public.part AS r0_2 ON (r0_2.item_id OPERATOR(pg_catalog.=) r0_1.id)) JOIN public.mark AS r0_4 ON (r0_4.k OPERATOR(pg_catalog.=) r0_1.k));

-- join_two
SELECT r0_1.id AS id, r0_2.id AS pid, r0_2.y AS y FROM (public.item AS r0_1 JOIN public.part AS r0_2 ON (r0_2.item_id OPERATOR(pg_catalog.=) r0_1.id)) WHERE (r0_1.k OPERATOR(pg_catalog.=) 1);

-- join_unkeyed_unselected
SELECT r0_1.v AS v FROM public.item AS r0_1;

-- join_values
SELECT r0_1.id AS id, r0_2.name AS name FROM (public.item AS r0_1 JOIN (VALUES (1, 'one'::pg_catalog.text), (2, NULL::pg_catalog.text)) AS r0_2(k, name) USING (k) AS u0_3);

-- join_view
SELECT r0_1.id AS id, r0_2.w AS w FROM (public.join_scan AS r0_1 JOIN public.join_keyless AS r0_2 ON (r0_1.v OPERATOR(pg_catalog.=) r0_2.k));

-- join_whole_row
SELECT r0_1.*::public.item AS whole, r0_1.id AS id FROM public.item AS r0_1;

-- lateral_group
SELECT r0_1.id AS id, r0_2.n AS n FROM public.item AS r0_1, LATERAL (SELECT pg_catalog.count(*) AS n FROM public.mark AS r1_1 WHERE (r1_1.k OPERATOR(pg_catalog.=) r0_1.k)) AS r0_2(n);

-- lateral_keyless
SELECT r0_1.k AS k, r0_2.y AS y FROM (public.mark AS r0_1 CROSS JOIN LATERAL (SELECT r1_1.y AS y FROM public.part AS r1_1 WHERE (r1_1.item_id OPERATOR(pg_catalog.=) r0_1.k) OFFSET 0::bigint) AS r0_2(y));

-- lateral_top
SELECT r0_1.id AS id, r0_2.y AS y FROM (public.item AS r0_1 LEFT JOIN LATERAL (SELECT r1_1.y AS y FROM public.part AS r1_1 WHERE (r1_1.item_id OPERATOR(pg_catalog.=) r0_1.id) ORDER BY 1 ASC NULLS LAST LIMIT 2::bigint) AS r0_2(y) ON true);

-- limit_all
SELECT r0_1.id AS id FROM public.purchase AS r0_1 ORDER BY r0_1.weight ASC NULLS FIRST LIMIT NULL::bigint;

-- limit_groups
SELECT r0_1.k AS k, pg_catalog.count(*) AS n FROM public.item AS r0_1 GROUP BY 1 ORDER BY 2 DESC NULLS FIRST, 1 ASC NULLS LAST FETCH FIRST (2::bigint) ROWS WITH TIES;

-- limit_inside
SELECT pg_catalog.count(*) AS n, pg_catalog.sum(r0_1.v) AS s FROM (SELECT r1_1.v AS v FROM public.item AS r1_1 ORDER BY r1_1.id DESC NULLS FIRST LIMIT 3::bigint) AS r0_1(v);

-- limit_joined
SELECT r0_1.id AS id, r0_2.y AS y FROM (public.item AS r0_1 JOIN public.part AS r0_2 ON (r0_2.item_id OPERATOR(pg_catalog.=) r0_1.id)) ORDER BY 2 ASC NULLS LAST, r0_2.id ASC NULLS LAST OFFSET 1::bigint LIMIT 4::bigint;

-- limit_rows
SELECT r0_1.id AS id FROM public.purchase AS r0_1 ORDER BY r0_1.amount DESC NULLS FIRST, 1 ASC NULLS LAST OFFSET (2 OPERATOR(pg_catalog.+) 1)::bigint LIMIT 5::bigint;

-- limit_sorted
SELECT r0_1.id AS id, r0_1.v AS v FROM public.item AS r0_1 ORDER BY 2 DESC NULLS FIRST, 1 ASC NULLS LAST LIMIT 3::bigint;

-- limit_ties
SELECT r0_1.id AS id FROM public.purchase AS r0_1 ORDER BY r0_1.amount ASC NULLS LAST FETCH FIRST (3::bigint) ROWS WITH TIES;

-- outer_anti
SELECT r0_1.id AS id FROM (public.item AS r0_1 LEFT JOIN public.part AS r0_2 ON (r0_2.item_id OPERATOR(pg_catalog.=) r0_1.id)) WHERE (r0_2.id IS NULL);

-- outer_chain
SELECT r0_1.id AS id, r0_2.y AS y, r0_4.v AS v FROM ((public.item AS r0_1 LEFT JOIN public.part AS r0_2 ON (r0_2.item_id OPERATOR(pg_catalog.=) r0_1.id)) LEFT JOIN public.mark AS r0_4 ON (r0_4.k OPERATOR(pg_catalog.=) r0_2.y));

-- outer_full
SELECT r0_1.id AS id, r0_2.id AS pid FROM (public.item AS r0_1 FULL JOIN public.part AS r0_2 ON ((r0_2.item_id OPERATOR(pg_catalog.=) r0_1.id) AND (r0_2.y OPERATOR(pg_catalog.>) 1)));

-- outer_full_using
SELECT u0_3.k AS k, r0_1.v AS v, r0_2.v AS w FROM (public.item AS r0_1 FULL JOIN public.mark AS r0_2 USING (k) AS u0_3);

-- outer_grouped
SELECT r0_1.k AS k, pg_catalog.count(r0_2.id) AS n, pg_catalog.sum(r0_2.y) AS s FROM (public.item AS r0_1 LEFT JOIN public.part AS r0_2 ON (r0_2.item_id OPERATOR(pg_catalog.=) r0_1.id)) GROUP BY 1;

-- outer_left
SELECT r0_1.id AS id, r0_2.y AS y FROM (public.item AS r0_1 LEFT JOIN public.part AS r0_2 ON (r0_2.item_id OPERATOR(pg_catalog.=) r0_1.id));

-- outer_nested
SELECT r0_1.id AS id, r0_4.y AS y FROM (public.item AS r0_1 LEFT JOIN (public.part AS r0_2 JOIN public.mark AS r0_3 ON (r0_3.k OPERATOR(pg_catalog.=) r0_2.y)) AS r0_4(id, item_id, y, t, k, v) ON ((r0_4.item_id OPERATOR(pg_catalog.=) r0_1.id) AND (r0_1.v OPERATOR(pg_catalog.>) 2)));

-- outer_of_groups
SELECT r0_1.id AS id, r0_2.n AS n FROM (public.item AS r0_1 LEFT JOIN (SELECT r1_1.k AS k, pg_catalog.count(*) AS n FROM public.mark AS r1_1 GROUP BY 1) AS r0_2(k, n) USING (k) AS u0_3);

-- outer_right
SELECT r0_1.id AS id, r0_2.v AS v FROM (public.item AS r0_1 RIGHT JOIN public.mark AS r0_2 USING (k) AS u0_3);

-- rebuild_age
SELECT r0_1.id AS id, pg_catalog.age(r0_1.at) AS a FROM public.item AS r0_1;

-- rebuild_below
SELECT r0_1.k AS k, r0_2.id AS id FROM ((SELECT r1_1.k AS k FROM public.mark AS r1_1 WHERE (CURRENT_USER OPERATOR(pg_catalog.=) 'a'::pg_catalog.name) LIMIT 3::bigint) AS r0_1(k) JOIN public.item AS r0_2 USING (k) AS u0_3);

-- rebuild_object_name
SELECT r0_1.id AS id, r0_1.tableoid::pg_catalog.regclass::pg_catalog.text AS r FROM public.item AS r0_1;

-- rebuild_object_names
SELECT r0_1.id AS id, pg_catalog.format('%s'::pg_catalog.text, ARRAY[pg_catalog.pg_typeof(r0_1.v)]) AS t FROM public.item AS r0_1;

-- rebuild_partition
SELECT r0_1.tableoid AS o, r0_1.id AS id FROM public.split AS r0_1;

-- rebuild_row_security
SELECT r0_1.id AS id FROM public.guarded AS r0_1;

-- rebuild_sampled
SELECT r0_1.k AS k FROM public.mark AS r0_1 TABLESAMPLE pg_catalog.bernoulli(50::real) REPEATABLE (7::double precision);

-- rebuild_settings
SELECT r0_1.id AS id, pg_catalog.current_setting('work_mem'::pg_catalog.text) AS w FROM public.item AS r0_1;

-- rebuild_stored_size
SELECT r0_1.k AS k, pg_catalog.pg_column_size(pg_catalog.max(r0_1.s)) AS w FROM public.item AS r0_1 GROUP BY 1;

-- rebuild_today
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE (r0_1.at OPERATOR(pg_catalog.<) COALESCE(NULL::pg_catalog.text, 'today'::pg_catalog.text)::timestamp without time zone);

-- rebuild_user_function
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE (public.today(r0_1.id) OPERATOR(pg_catalog.>) '2020-01-01'::pg_catalog.date);

-- recursive_all
WITH RECURSIVE t AS ((SELECT r2_1.id AS id, 0 AS depth FROM public.tree AS r2_1 WHERE (r2_1.up IS NULL)) UNION ALL (SELECT r2_1.id AS id, (r2_2.depth OPERATOR(pg_catalog.+) 1) AS "?column?" FROM (public.tree AS r2_1 JOIN t AS r2_2(id, depth) ON (r2_1.up OPERATOR(pg_catalog.=) r2_2.id)))) SELECT r0_1.id AS id, r0_1.depth AS depth FROM t AS r0_1(id, depth);

-- recursive_numeric
WITH RECURSIVE r AS ((SELECT r2_1.n AS n FROM public.item AS r2_1) UNION (SELECT (r2_1.n OPERATOR(pg_catalog.+) 1::numeric) AS "?column?" FROM r AS r2_1(n), public.mark AS r2_2 WHERE (r2_1.n OPERATOR(pg_catalog.<) r2_2.k::numeric))) SELECT r0_1.n AS n FROM r AS r0_1(n);

-- recursive_outer
WITH RECURSIVE r AS ((SELECT r2_1.src AS src FROM public.edge AS r2_1) UNION (SELECT r2_2.dst AS dst FROM (r AS r2_1(src) LEFT JOIN public.edge AS r2_2 ON (r2_2.src OPERATOR(pg_catalog.=) r2_1.src)))) SELECT r0_1.src AS src FROM r AS r0_1(src);

-- recursive_reached
WITH RECURSIVE r AS ((SELECT r2_1.id AS id FROM public.item AS r2_1 WHERE r2_1.b) UNION (SELECT r2_2.dst AS dst FROM (r AS r2_1(id) JOIN public.edge AS r2_2 ON (r2_2.src OPERATOR(pg_catalog.=) r2_1.id)) WHERE (r2_2.dst OPERATOR(pg_catalog.<) 9))) SELECT r0_2.id AS id, r0_2.s AS s FROM (r AS r0_1(id) JOIN public.item AS r0_2 USING (id) AS u0_3);

-- refused_catalog
SELECT r0_1.nspname AS nspname FROM pg_catalog.pg_namespace AS r0_1;

-- refused_materialized
SELECT r0_1.one AS one FROM public.kept AS r0_1;

-- refused_sample
SELECT r0_1.k AS k FROM public.mark AS r0_1 TABLESAMPLE pg_catalog.system(50::real);

-- refused_volatile
SELECT r0_1.id AS id, pg_catalog.random() AS r FROM public.item AS r0_1;

-- refused_volatile_view
SELECT r0_1.id AS id FROM public.refused_volatile AS r0_1;

-- set_except
(SELECT r1_1.k AS k, r1_1.v AS v FROM public.mark AS r1_1) EXCEPT (SELECT r1_1.k AS k, r1_1.v AS v FROM public.item AS r1_1) ORDER BY 1 ASC NULLS LAST;

-- set_except_all
(SELECT r1_1.k AS k FROM public.mark AS r1_1) EXCEPT ALL (SELECT r1_1.k AS k FROM public.item AS r1_1);

-- set_except_numeric
((SELECT r1_1.n AS n FROM public.item AS r1_1) EXCEPT (SELECT r1_1.m AS m FROM public.item AS r1_1)) INTERSECT (SELECT r1_1.f::numeric AS f FROM public.item AS r1_1);

-- set_inside
SELECT r0_1.k AS k, pg_catalog.sum(r0_1.v) AS s FROM ((SELECT r2_1.k AS k, r2_1.v AS v FROM public.item AS r2_1) UNION ALL (SELECT r2_1.k AS k, r2_1.v AS v FROM public.mark AS r2_1)) AS r0_1(k, v) GROUP BY 1;

-- set_intersect
(SELECT r1_1.k AS k, r1_1.v AS v FROM public.item AS r1_1) INTERSECT (SELECT r1_1.k AS k, r1_1.v AS v FROM public.mark AS r1_1);

-- set_intersect_all
(SELECT r1_1.k AS k, r1_1.v AS v FROM public.item AS r1_1) INTERSECT ALL (SELECT r1_1.k AS k, r1_1.v AS v FROM public.mark AS r1_1);

-- set_json
(SELECT r1_1.raw AS raw FROM public.customer AS r1_1) UNION ALL (SELECT NULL::json AS "?column?");

-- set_nested
((SELECT r1_1.id AS id, r1_1.name::character varying::character varying(5) AS v FROM public.customer AS r1_1) EXCEPT ALL (SELECT 1 AS "?column?", 'x'::character varying AS "?column?")) INTERSECT ((SELECT 2 AS "?column?", 'y'::pg_catalog.text AS "?column?") UNION ALL (SELECT r1_1.src AS src, 'z'::pg_catalog.text AS "?column?" FROM public.edge AS r1_1)) ORDER BY 1 ASC NULLS LAST LIMIT 3::bigint;

-- set_types
((SELECT 1 AS n) UNION ALL (SELECT '2.5'::numeric AS "?column?")) UNION ALL (SELECT r1_1.amount AS amount FROM public.purchase AS r1_1);

-- set_union
(SELECT r1_1.id AS id FROM public.customer AS r1_1) UNION (SELECT r1_1.customer_id AS customer_id FROM public.purchase AS r1_1);

-- set_union_all
(SELECT r1_1.k AS k, r1_1.v AS v FROM public.item AS r1_1) UNION ALL (SELECT r1_1.k AS k, r1_1.v AS v FROM public.mark AS r1_1);

-- set_union_all_below_except_all
((SELECT r1_1.k AS k FROM public.mark AS r1_1) UNION ALL (SELECT r1_1.v AS v FROM public.mark AS r1_1)) EXCEPT ALL (SELECT r1_1.k AS k FROM public.item AS r1_1);

-- set_union_all_self
(SELECT r1_1.v AS v FROM public.item AS r1_1) UNION ALL (SELECT r1_1.v AS v FROM public.item AS r1_1 WHERE (r1_1.k OPERATOR(pg_catalog.=) 1));

-- set_union_below_except_all
((SELECT r1_1.k AS k FROM public.mark AS r1_1) UNION (SELECT r1_1.v AS v FROM public.mark AS r1_1)) EXCEPT ALL (SELECT r1_1.k AS k FROM public.item AS r1_1);

-- set_union_below_union_all
((SELECT r1_1.k AS k FROM public.mark AS r1_1) UNION (SELECT r1_1.v AS v FROM public.mark AS r1_1)) UNION ALL (SELECT r1_1.k AS k FROM public.item AS r1_1);

-- set_union_numeric
(SELECT r1_1.n AS n FROM public.item AS r1_1) UNION (SELECT r1_1.m AS m FROM public.item AS r1_1);

-- source_cascading
SELECT r0_1.id AS id, r0_1.name AS name FROM public.tree AS r0_1 WHERE (r0_1.up OPERATOR(pg_catalog.>) 1);

-- source_generated
SELECT r0_1.twice AS twice, pg_catalog.count(*) AS n FROM public.doubled AS r0_1 GROUP BY 1;

-- source_inherited
SELECT r0_1.id AS id, r0_1.kind AS kind FROM public.parent AS r0_1;

-- source_no_columns
SELECT pg_catalog.count(*) AS n FROM public.thin AS r0_1;

-- source_partitioned
SELECT r0_1.k AS k, pg_catalog.count(*) AS n FROM public.split AS r0_1 GROUP BY 1;

-- source_types
SELECT r0_1.g AS g, r0_1.e AS e, pg_catalog.count(*) AS n, pg_catalog.min(r0_1.i) AS i, pg_catalog.max(r0_1.r) AS r FROM public.big AS r0_1 GROUP BY 1, 2;

-- stable_arguments
SELECT r0_1.id AS id, pg_catalog.concat(r0_1.k, r0_1.s) AS c, pg_catalog.jsonb_build_object('v'::pg_catalog.unknown, r0_1.v) AS o, pg_catalog.json_build_array() AS a, pg_catalog.pg_typeof(r0_1.v)::pg_catalog.text AS t, pg_catalog.pg_column_size(r0_1.k) AS w FROM public.item AS r0_1;

-- stable_only
SELECT pg_catalog.count(*) AS n FROM ONLY public.parent AS r0_1;

-- stable_settings
SELECT r0_1.at::timestamp with time zone::pg_catalog.date AS d, pg_catalog.count(*) AS n FROM public.item AS r0_1 GROUP BY 1;

-- stable_table_oid
SELECT r0_1.tableoid::pg_catalog.regclass AS r, r0_1.k AS k, pg_catalog.sum(r0_1.v) AS s FROM public.mark AS r0_1 GROUP BY 1, 2;

-- stage_all
SELECT DISTINCT r0_1.n AS n, pg_catalog.rank() OVER (ORDER BY r0_1.n ASC NULLS LAST) AS r FROM (SELECT r1_1.k AS k, pg_catalog.count(r1_2.id) AS n FROM (public.item AS r1_1 LEFT JOIN public.part AS r1_2 ON (r1_2.item_id OPERATOR(pg_catalog.=) r1_1.id)) GROUP BY 1 HAVING (pg_catalog.count(*) OPERATOR(pg_catalog.>) 1)) AS r0_1(k, n) WHERE (r0_1.k OPERATOR(pg_catalog.=) ANY (SELECT r1_1.k AS k FROM public.mark AS r1_1)) ORDER BY 1 ASC NULLS LAST LIMIT 5::bigint;

-- stage_cte_twice
WITH g AS (SELECT r1_1.k AS k, pg_catalog.sum(r1_1.v) AS s FROM public.item AS r1_1 GROUP BY 1) SELECT r0_1.k AS k, (r0_1.s OPERATOR(pg_catalog.-) r0_2.s) AS d FROM (g AS r0_1(k, s) JOIN g AS r0_2(k, s) ON (r0_1.k OPERATOR(pg_catalog.=) (r0_2.k OPERATOR(pg_catalog.+) 1)));

-- stage_joined_back
SELECT r0_1.id AS id, r0_2.s AS s FROM (public.item AS r0_1 JOIN (SELECT r1_1.k AS k, pg_catalog.sum(r1_1.v) AS s FROM public.item AS r1_1 GROUP BY 1) AS r0_2(k, s) USING (k) AS u0_3);

-- sublink_all
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE (r0_1.v OPERATOR(pg_catalog.>) ALL (SELECT r1_1.v AS v FROM public.mark AS r1_1 WHERE (r1_1.k OPERATOR(pg_catalog.=) r0_1.k)));

-- sublink_any
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE ((r0_1.v OPERATOR(pg_catalog.<) ANY (SELECT r1_1.v AS v FROM public.mark AS r1_1)) OR (ROW(r0_1.k, r0_1.v) OPERATOR(pg_catalog.=) ANY (SELECT r1_1.k AS k, r1_1.v AS v FROM public.mark AS r1_1)));

-- sublink_array
SELECT r0_1.id AS id, ARRAY(SELECT r1_1.y AS y FROM public.part AS r1_1 WHERE (r1_1.item_id OPERATOR(pg_catalog.=) r0_1.id) ORDER BY 1 ASC NULLS LAST) AS ys FROM public.item AS r0_1;

-- sublink_deep
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE EXISTS (SELECT FROM public.part AS r1_1 WHERE ((r1_1.item_id OPERATOR(pg_catalog.=) r0_1.id) AND (NOT EXISTS (SELECT FROM public.mark AS r2_1 WHERE ((r2_1.k OPERATOR(pg_catalog.=) r0_1.k) AND (r2_1.v OPERATOR(pg_catalog.=) r1_1.y))))));

-- sublink_exists
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE EXISTS (SELECT FROM public.part AS r1_1 WHERE ((r1_1.item_id OPERATOR(pg_catalog.=) r0_1.id) AND (r1_1.y OPERATOR(pg_catalog.>) 2)));

-- sublink_exists_alone
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE EXISTS (SELECT FROM public.mark AS r1_1 WHERE (r1_1.v OPERATOR(pg_catalog.>) 3));

-- sublink_having
SELECT r0_1.k AS k, pg_catalog.count(*) AS n FROM public.item AS r0_1 GROUP BY 1 HAVING (pg_catalog.count(*) OPERATOR(pg_catalog.>) (SELECT pg_catalog.count(*) AS count FROM public.mark AS r1_1));

-- sublink_in
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE (r0_1.k OPERATOR(pg_catalog.=) ANY (SELECT r1_1.k AS k FROM public.mark AS r1_1 WHERE (r1_1.v OPERATOR(pg_catalog.>) 1)));

-- sublink_in_group
SELECT r0_1.k AS k, pg_catalog.sum((SELECT pg_catalog.count(*) AS count FROM public.mark AS r1_1 WHERE (r1_1.k OPERATOR(pg_catalog.=) r0_1.k))) AS s FROM public.item AS r0_1 GROUP BY 1;

-- sublink_key
SELECT (SELECT pg_catalog.max(r1_1.v) AS max FROM public.mark AS r1_1 WHERE (r1_1.k OPERATOR(pg_catalog.=) r0_1.k)) AS w, pg_catalog.count(*) AS n FROM public.item AS r0_1 GROUP BY 1;

-- sublink_not_exists
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE (NOT EXISTS (SELECT FROM public.mark AS r1_1 WHERE (r1_1.k OPERATOR(pg_catalog.=) r0_1.k)));

-- sublink_not_in
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE (NOT (r0_1.k OPERATOR(pg_catalog.=) ANY (SELECT r1_1.k AS k FROM public.mark AS r1_1)));

-- sublink_not_in_keys
SELECT r0_1.id AS id FROM public.item AS r0_1 WHERE (NOT (r0_1.id OPERATOR(pg_catalog.=) ANY (SELECT r1_1.item_id AS item_id FROM public.part AS r1_1)));

-- sublink_scalar
SELECT r0_1.id AS id, (SELECT pg_catalog.sum(r1_1.y) AS sum FROM public.part AS r1_1 WHERE (r1_1.item_id OPERATOR(pg_catalog.=) r0_1.id)) AS s FROM public.item AS r0_1;

-- sublink_scalar_alone
SELECT r0_1.id AS id, (r0_1.v::numeric OPERATOR(pg_catalog.-) (SELECT pg_catalog.avg(r1_1.v) AS avg FROM public.mark AS r1_1)) AS d FROM public.item AS r0_1 WHERE (r0_1.v OPERATOR(pg_catalog.>) (SELECT pg_catalog.min(r1_1.v) AS min FROM public.mark AS r1_1));

-- window_all
SELECT r0_1.id AS id, pg_catalog.sum(r0_1.v) OVER (ORDER BY r0_1.id ASC NULLS LAST) AS s FROM public.item AS r0_1;

-- window_expression
SELECT r0_1.id AS id, (pg_catalog.sum(r0_1.v) OVER (PARTITION BY (r0_1.k OPERATOR(pg_catalog.%) 3) ORDER BY (r0_1.s COLLATE pg_catalog."C") ASC NULLS LAST) OPERATOR(pg_catalog.-) r0_1.v) AS d FROM public.item AS r0_1 WHERE r0_1.b;

-- window_groups
SELECT r0_1.k AS k, pg_catalog.sum(r0_1.v) AS s, pg_catalog.rank() OVER (PARTITION BY r0_1.b ORDER BY pg_catalog.sum(r0_1.v) ASC NULLS LAST) AS r FROM public.item AS r0_1 GROUP BY 1, r0_1.b;

-- window_joined
SELECT r0_1.id AS id, r0_2.v AS v, pg_catalog.rank() OVER (PARTITION BY r0_1.k ORDER BY r0_2.v ASC NULLS LAST) AS r FROM (public.item AS r0_1 JOIN public.mark AS r0_2 USING (k) AS u0_3);

-- window_keyless
SELECT r0_1.k AS k, pg_catalog.dense_rank() OVER (PARTITION BY r0_1.k ORDER BY r0_1.v ASC NULLS LAST) AS r FROM public.mark AS r0_1;

-- window_partition
SELECT r0_1.id AS id, pg_catalog.rank() OVER (PARTITION BY r0_1.k ORDER BY r0_1.v ASC NULLS LAST) AS r, pg_catalog.lag(r0_1.v) OVER (PARTITION BY r0_1.k ORDER BY r0_1.id ASC NULLS LAST) AS l FROM public.item AS r0_1;

-- window_top
SELECT r0_1.id AS id, r0_1.v AS v FROM (SELECT r1_1.id AS id, r1_1.v AS v, pg_catalog.rank() OVER (PARTITION BY r1_1.k ORDER BY r1_1.v DESC NULLS FIRST) AS r FROM public.item AS r1_1) AS r0_1(id, v, r) WHERE (r0_1.r OPERATOR(pg_catalog.<=) 3);

-- window_two
SELECT r0_1.id AS id, pg_catalog.sum(r0_1.v) OVER (PARTITION BY r0_1.k) AS a, pg_catalog.count(*) OVER (PARTITION BY r0_1.s, r0_1.k) AS c FROM public.item AS r0_1;

-- with_plain
WITH a AS MATERIALIZED (SELECT r1_1.id AS id FROM public.customer AS r1_1), b(z) AS NOT MATERIALIZED (SELECT r1_1.id AS id FROM a AS r1_1(id)), c AS (WITH d AS (SELECT r2_1.z AS z FROM b AS r2_1(z)) SELECT r1_1.z AS z FROM d AS r1_1(z)) SELECT r0_1.z AS z, (SELECT pg_catalog.count(*) AS count FROM a AS r1_1(id)) AS n FROM (c AS r0_1(z) JOIN b AS r0_2(z) ON (r0_2.z OPERATOR(pg_catalog.=) r0_1.z));

-- with_recursive
WITH RECURSIVE reach AS ((SELECT r2_1.src AS src, r2_1.dst AS dst FROM public.edge AS r2_1) UNION (SELECT r2_1.src AS src, r2_2.dst AS dst FROM (reach AS r2_1(src, dst) JOIN public.edge AS r2_2 ON (r2_2.src OPERATOR(pg_catalog.=) r2_1.dst)))) SELECT r0_1.src AS src, r0_1.dst AS dst FROM reach AS r0_1(src, dst);

-- with_search_cycle
WITH RECURSIVE walk AS ((SELECT r2_1.src AS src, r2_1.dst AS dst FROM public.edge AS r2_1) UNION ALL (SELECT r2_2.src AS src, r2_2.dst AS dst FROM walk AS r2_1(src, dst), public.edge AS r2_2 WHERE (r2_2.src OPERATOR(pg_catalog.=) r2_1.dst))) SEARCH BREADTH FIRST BY src, dst SET ord CYCLE src SET looped TO pg_catalog.text 'Y' DEFAULT pg_catalog.text 'N' USING path SELECT r0_1.src AS src, r0_1.ord::pg_catalog.text AS o, r0_1.looped AS looped, r0_1.path::pg_catalog.text AS p FROM walk AS r0_1(src, dst);

-- with_search_depth
WITH RECURSIVE walk AS ((SELECT r2_1.src AS src, r2_1.dst AS dst FROM public.edge AS r2_1) UNION ALL (SELECT r2_2.src AS src, r2_2.dst AS dst FROM walk AS r2_1(src, dst), public.edge AS r2_2 WHERE (r2_2.src OPERATOR(pg_catalog.=) r2_1.dst))) SEARCH DEPTH FIRST BY src SET ord CYCLE src, dst SET looped TO boolean 't' DEFAULT boolean 'f' USING path SELECT r0_1.src AS src FROM walk AS r0_1(src, dst) ORDER BY r0_1.ord ASC NULLS LAST;

