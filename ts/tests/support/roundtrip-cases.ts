/** Queries that together contain every kind of node, for `roundtrip.test.ts`. */

interface Options {
  /** Statements that run after the view is created and before its query is written. */
  change?: string[]
  /** The `search_path` under which the written query is analysed. Empty otherwise. */
  path?: string
  /** Compare only the rows, not the trees. For operators and rows that SQL cannot write in the same form. */
  rows?: true
}

const ROWS = { rows: true } as const

/** The queries, by name. */
export const CASES: [name: string, query: string, options?: Options][] = [
  // constants
  ['int const', `select 1 as a, -1 as b, 2147483648 as c, -9223372036854775808 as d, 0`],
  ['numeric const', `select 1.5, -1.50, 1e10, 'NaN'::numeric, 1.5::numeric(5,1)`],
  ['float const', `select 1.5::float8, '-Infinity'::float8, 'NaN'::float4, 0.1::float4`],
  ['text const', `select 'a''b', 'back\\slash', E'new\\nline\\ttab', '', 'é ü 😀', $q$a "b" {c} (d)$q$`],
  ['null const', `select null, null::int, null::text, null::numeric(3,1), null::pair`],
  ['bool const', `select true, false, null::bool`],
  [
    'interval const',
    `select interval '1 day 02:03:04.567', interval '3' year, interval '1-2' year to month, interval(3) '1.23456 s', '-1 mon +2 days -00:00:01'::interval`,
  ],
  ['bit const', `select b'101', x'ff', b'101'::bit(5), b'1'::varbit, '101'::bit varying(2), 5::bit(8)`],
  ['char const', `select 'ab'::char(4), 'ab'::char, 'ab'::bpchar, 'x'::"char", 'ab'::varchar(1), 'nm'::name`],
  [
    'date const',
    `select date '2020-01-02', time '01:02:03.4', timetz '01:02+03', timestamp '2020-01-02 03:04:05.6', timestamptz '2020-01-02 03:04:05+01', 'infinity'::date, timestamp(0) '2020-01-02 03:04:05.6', '0044-03-15 BC'::date`,
  ],
  ['bytea const', `select '\\x00ff'::bytea, 'abc'::bytea`],
  [
    'array const',
    `select '{1,2}'::int[], '{"a b",NULL}'::text[], '{{1,2},{3,4}}'::int[], '{}'::int[], '[2:3]={5,6}'::int[]`,
  ],
  [
    'reg const',
    `select 'app.t'::regclass, 'int4'::regtype, 'now'::regproc, '+(int,int)'::regoperator, 'german'::regcollation, 'app'::regnamespace, nextval('t'::regclass) is null`,
  ],
  ['json const', `select '{"a":1}'::jsonb, '{"a": 1}'::json, '$.a'::jsonpath, '<a/>'::xml`],
  [
    'geo const',
    `select point '(1,2)', box '((0,0),(1,1))', inet '1.2.3.4/8', macaddr '08:00:2b:01:02:03', '12.5'::money is null, 'a & b'::tsquery, 'a:1 b:2'::tsvector, uuid 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`,
  ],
  ['enum const', `select 'sad'::mood, m from t where m > 'ok'`],
  ['range const', `select '[1,3)'::int4range, int4range(1, 3), '{[1,3)}'::int4multirange`],
  ['unknown const', `select pg_typeof('x'), format('%s %s', 'a', 1), concat('a', null, 'b')`],
  ['composite const', `select '(1,a)'::pair, row(1, 'a')::pair, '(1,"a b")'::dpair`],
  ['domain const', `select 5::posint, 'abc'::code, '7'::posint, 12345678::code`],
  // casts
  [
    'length casts',
    `select v::varchar(3), c::varchar(5), n::numeric(4,1), iv::interval(2), ts::timestamptz(0), v::char(2), a::numeric(3,1)[] from t`,
  ],
  ['relabel', `select c::text, c || 'x', c::varchar, v::varchar, bp::text, bp || v, v::name, id::oid from t`],
  ['coerce via io', `select id::text, v::int, d::text, v::mood, m::text, a::text, v::int[], j::text from t`],
  [
    'cast functions',
    `select id::float8, f::int, n::bigint, id::numeric, b::int, id::bool, ts::date, d::timestamp, ts::time, j::int, '5'::text::int8 from t`,
  ],
  [
    'implicit casts',
    `select id + n, id + f, k = 1::bigint, n > id, f * 2, d + 1, d - d, ts + interval '1 day', id || 'x' from t`,
  ],
  ['array coerce', `select a::bigint[], a::text[], array['1','2']::int[], a::varchar(2)[], a::float8[] from t`],
  ['domain casts', `select id::posint, dom + 1, dom::text, v::code, dom::bigint, p::dpair from t`],
  ['row casts', `select child::parent, (child::parent).a from child`],
  ['cast of cast', `select id::text::varchar(3)::text, (v::varchar(3))::varchar(2), n::int::numeric(5,2)::text from t`],
  ['typmod through subquery', `select x.y, x.y || 'a' from (select v::varchar(3) as y from t union select c from t) x`],
  ['function as cast', `select text(id), int4(f), date(ts), "varchar"(v, 7, true), float8(id) from t`],
  // operators and booleans
  ['operators', `select id + k, -id, id % 2, id <> k, v || v, @ f, |/ f, id & k, ~ id from t`],
  ['own operators', `select id operator(app.+|+) k, operator(app.!!!) id, id +|+ 5 from t`],
  ['boolean', `select b and not b or b, not (b or id = 1), b and (b and id = 2), (b or b) and b from t where b`],
  [
    'like',
    `select v like 'a%', v not like '_b', v ilike 'x', v similar to 'a|b', v ~ 'x', v !~* 'y', v like 'a!%' escape '!' from t`,
  ],
  ['between', `select id between 1 and 3, id not between k and 5, id between symmetric k and 1 from t`],
  ['in list', `select id in (1, 2, 3), id not in (1, k), v in ('a', 'b'), id in (1), v in ('a', null) from t`],
  [
    'any all array',
    `select id = any (a), id > all (a), id = any ('{1,2}'), v = any (array['x', v]), v <> all (array[]::text[]), v like any (array['a%', 'b%']) from t`,
  ],
  [
    'any of subquery array',
    `select id = any ((select a from t where id = 1)::int[]), id = any (array(select k from t)), id = any ((select array_agg(k) from t)::int[]) from t`,
  ],
  [
    'distinct from',
    `select v is distinct from 'x', id is not distinct from k, v is distinct from null, p is distinct from null, p is not distinct from null, p is null, p is not null, row(id, k) is distinct from row(k, id) from t`,
  ],
  ['citext distinct', `select id, ci is distinct from 'B' as x, ci is not distinct from v::citext as y from t`, ROWS],
  ['citext nullif', `select id, nullif(ci, 'b') as x from t`, ROWS],
  ['citext case', `select id, case ci when 'a' then 1 when 'B' then 2 else 3 end as x from t`, ROWS],
  [
    'citext',
    `select ci = 'a', ci < 'b', ci || 'x', ci::text, ci like 'A%', ci in ('a', 'B') from t group by ci order by ci desc`,
  ],
  [
    'citext row in',
    `select id from t where (id, ci) in (select id, ci from u) or (ci, id) not in (select ci, id from u)`,
    ROWS,
  ],
  ['citext row order', `select id, (ci, id) < ('b', 2) as x, (id, ci) >= (2, 'A') as y from t`, ROWS],
  ['nullif', `select nullif(id, k), nullif(v, ''), nullif(n, 0) from t`],
  [
    'row compare',
    `select (id, k) = (1, 2), (id, v) < (1, 'a'), row(id, k) >= row(k, 1), (id, v) <> (k, 'x'), row(1) = row(id) from t`,
  ],
  [
    'record operators',
    `select row(id, k)::record = row(k, 1)::record, row(row(id)) = any (select row(row(k)) from t), row(id, k)::record is distinct from row(k, id)::record, row(id, v)::record < row(1, 'a')::record, row(id)::record = (select row(k) from t limit 1), row(id, k)::record = any (array[row(1, 2)]) from t`,
  ],
  [
    'using alias row',
    `select row_to_json(x)::text, (x).k, row_to_json(x.*)::jsonb from s join (select 1 as k, 2 as q) t using (k) as x`,
    ROWS,
  ],
  [
    'null tests',
    `select v is null, v is not null, (v || 'x') isnull, row(id, v) is null, b is true, b is not true, b is false, b is unknown, b is not unknown from t`,
  ],
  [
    'case',
    `select case when id > 1 then 'a' when b then v else 'c' end, case id when 1 then 'x' when k then 'y' end, case v when 'a' then 1 else 2.5 end, case c when v then 1 end from t`,
  ],
  [
    'nested case',
    `select case id when 1 then case k when 2 then 'x' else 'y' end when case k when 1 then 2 end then 'z' end from t`,
  ],
  [
    'case of row',
    `select case (id, v) when (1, 'a') then 1 end, case p when row(1, 'x')::pair then 2 end, case a when '{1}' then 3 end from t`,
  ],
  [
    'coalesce',
    `select coalesce(v, c, 'x'), coalesce(id, n), greatest(id, k, 5), least(v, 'a'), coalesce(dom, 1), greatest(n, 1) from t`,
  ],
  // collations
  [
    'collate',
    `select v collate "C", v < 'x' collate "C", v collate german from t order by v collate "C" desc, v collate german`,
  ],
  ['collated columns', `select x.y < 'b', max(x.y) from (select v collate "C" as y from t) x group by x.y`],
  // containers
  [
    'subscript',
    `select a[1], a[1:2], a[:2], a[1:], a[:], (array[1,2,3])[id], (a)[id + 1], (a || a)[2], ('{{1,2}}'::int[])[1][2] from t`,
  ],
  ['jsonb subscript', `select j['a'], j['a']['b'], j[0], j['a'][id], (j -> 'x')['y'] from t`],
  [
    'array expr',
    `select array[1, id], array['a', v], array[[1, 2], [id, 4]], array[]::int[], array[a, a], array[n, 1], array[null]::text[], array[v, c] from t`,
  ],
  [
    'row expr',
    `select to_json(row(id, v)), to_json(row(1)), row() is null, to_json((id, v)), to_json(row(t.*)), to_json(row(t, 1)), row(id, 'a')::pair, to_json(row(p.a, null)) from t, lateral (select 1 as a) p`,
  ],
  [
    'field select',
    `select (p).a, (p).b || 'x', (mk(id)).a, (outs(id)).r, (row(1, v)::pair).b, (t.p).a, ((select p from t limit 1)).b, (p::dpair).a from t`,
  ],
  ['field of record', `select (x.r).f1, (x.r).f2 from (select row(id, v) as r from t) x`],
  ['field of cte record', `with q as (select row(id, v) as r from t) select (r).f2, (select (q.r).f1) from q`],
  ['field of whole row', `select (x).id, (x.y).v from (select t as y, id from t) x`],
  ['expanded function', `select (outs(id)).*, (mk(id)).* from t`],
  // whole rows
  ['whole row', `select t, t.*::text, count(t), row_to_json(t), (t).id from t group by t.id`],
  ['whole row subquery', `select row_to_json(x), x is null from (select id, v as "V v" from t) x`],
  ['whole row join', `select row_to_json(j), j.id, j.w from (s join u on s.k = u.id) as j`],
  ['whole row function', `select x, g, to_json(y) as y from mk(1) x, generate_series(1, 2) g, tab(3) y`],
  ['whole row as arg', `select pg_typeof(t), to_jsonb(u) - 'id', t = t, x.t from t, u, lateral (select t) x`],
  ['system columns', `select ctid, xmin, tableoid::regclass, cmin, t.xmax from t`],
  // functions
  [
    'calls',
    `select lower(v), abs(-id), coalesce(length(v), 0), now(), pi(), round(n, 1), app.add(1), app.add(id, 3) from t`,
  ],
  [
    'named args',
    `select add(y => 1, x => id), add(id, y => 5), make_interval(days => 10, secs => 1.5), add(x => 1) from t`,
  ],
  [
    'variadic',
    `select vsum(1, 2, id), vsum(variadic a), concat(variadic array[v, 'x']), format('%s', variadic a), jsonb_build_object('a', id, v, b), greatest(1), json_build_array() from t`,
  ],
  [
    'polymorphic',
    `select any2(id, 1), any2('a'::text, v), array_append(a, 1), array_cat(a, '{5}'), any2(k, id) from t`,
  ],
  [
    'sql syntax',
    `select extract(year from d), extract(epoch from ts), overlay(v placing 'x' from 2 for 1), position('a' in v), substring(v from 2 for 3), substring(v from 'a.'), trim(both 'x' from v), trim(v), ltrim(v), ts at time zone 'UTC', ts at time zone iv, (d, d) overlaps (d, iv), collation for (v), v is normalized, normalize(v, nfc), substring(v similar 'a#"b#"' escape '#') from t`,
  ],
  ['at local', `select ts at local from t`],
  [
    'sql values',
    `select current_date, current_time, current_time(2), current_timestamp, current_timestamp(0), localtime, localtimestamp(3), current_user, user, session_user, current_catalog, current_schema, current_role, localtime(1), system_user`,
  ],
  ['srf in targets', `select id, unnest(a), generate_series(1, id) + 1, jsonb_array_elements(j) from t`],
  // aggregates
  [
    'aggregates',
    `select count(*), count(v), sum(id), avg(n), min(v), max(d), bool_and(b), array_agg(id), mysum(k) from t`,
  ],
  [
    'aggregate options',
    `select count(distinct v), sum(distinct id) filter (where b), string_agg(v, ',' order by id desc nulls last, v), array_agg(distinct v order by v), string_agg(distinct v, v order by v), count(*) filter (where id > 1), array_agg(v order by v using ~>~) from t`,
  ],
  [
    'ordered set',
    `select percentile_cont(0.5) within group (order by f), percentile_disc(array[0.1, 0.9]) within group (order by n desc), mode() within group (order by v), rank(3, 'x') within group (order by id, v desc nulls last), dense_rank(k) within group (order by id) from t group by k`,
  ],
  ['variadic aggregate', `select vagg(id, k), vagg(variadic a), percentile_disc(0.5) within group (order by c) from t`],
  ['group by', `select k, count(*), k + 1, v from t group by k, v having count(*) > 1 and k > 0 order by 2 desc, k`],
  [
    'group by expression',
    `select lower(v), count(*) from t group by lower(v), id % 2 having max(id) > 1 order by id % 2`,
  ],
  ['group by constant', `select count(*), 'x' as y from t group by 'a'::text, y`],
  ['functional dependency', `select t.id, t.v, count(u.id) from t left join u on u.k = t.k group by t.id order by t.v`],
  [
    'grouping sets',
    `select k, v, grouping(k, v), count(*) from t group by grouping sets ((k, v), (k), ()) order by 1, 2`,
  ],
  [
    'rollup cube',
    `select k, v, b, sum(id) from t group by rollup (k, (v, b)), cube (d, b), grouping sets (rollup (k), n), id`,
  ],
  [
    'group by distinct',
    `select k, v, grouping(v) from t group by distinct rollup (k, v), rollup (k) having grouping(k) = 0`,
  ],
  ['group by nothing', `select count(*) from t group by ()`],
  ['grouping of expression', `select id % 2 as m, grouping(id % 2), sum(n) from t group by rollup (id % 2)`],
  [
    'outer aggregate',
    `select k, (select max(u.id) from u where u.k = sum(t.id)), (select sum(t.id) filter (where t.b)) from t group by k`,
  ],
  ['distinct', `select distinct v, k from t order by k desc nulls first`],
  ['distinct on', `select distinct on (k, lower(v)) id, v from t order by k, lower(v), id desc`],
  ['distinct on position', `select distinct on (1) k, v from t order by 1, 2`],
  // windows
  [
    'windows',
    `select row_number() over (), rank() over (order by v desc), sum(id) over (partition by k order by d, id), count(*) over w, lag(v, 1, 'x') over w from t window w as (partition by b order by id)`,
  ],
  [
    'window frames',
    `select sum(id) over (order by id rows between 1 preceding and current row), sum(id) over (order by d range between interval '1 day' preceding and interval '2 days' following exclude ties), count(*) over (order by k groups between unbounded preceding and 1 following exclude group), last_value(v) over (rows between current row and unbounded following exclude current row), sum(id) over (order by id rows 2 preceding), first_value(v) over (order by id range unbounded preceding) from t`,
  ],
  [
    'window chains',
    `select sum(id) over (w order by v), count(*) over (w2 rows between 1 preceding and 1 following), sum(k) over w2, max(k) over (w2) from t window w as (partition by k), w2 as (w order by id)`,
  ],
  [
    'window options',
    `select sum(id) filter (where b) over (partition by k), nth_value(v, 2) over (order by id), ntile(4) over (order by id), array_agg(v) over (partition by 1 order by 'x'::text) from t`,
  ],
  [
    'window over aggregate',
    `select k, sum(sum(id)) over (order by k), rank() over (order by count(*) desc) from t group by k`,
  ],
  ['unused window', `select id from t window w as (partition by k order by v using >)`],
  [
    'window order in order by',
    `select id from t order by row_number() over (order by v), sum(id) over (partition by k)`,
  ],
  // sorting and limiting
  ['order by', `select id, v as x, n from t order by x, n desc, id nulls first, k + 1 desc nulls last, 2`],
  ['order by using', `select v from t order by v using ~<~, id using >, c using <`],
  ['order by types', `select id from t order by c, bp, m desc, a, p, ci, dom, r desc, by, b, j`],
  ['limit', `select id from t order by id limit 3 offset 1`],
  ['limit expressions', `select id from t limit (select count(*) from u) offset 1 + 1`],
  ['with ties', `select id from t order by k fetch first 2 rows with ties`],
  ['limit null', `select id from t limit null offset null`],
  ['limit in subquery', `select * from (select id from t order by v limit 1) x where id > 0`],
  ['locks', `select t.id from t join u using (id) for update of t skip locked for key share of u nowait`],
  ['lock all', `select t.id from t, (select id from u) x for share`],
  // FROM
  ['simple', `select * from t`],
  ['no columns', `select from t`],
  ['no from', `select 1 as one where true`],
  ['names', `select "Col", "select", "a""b" as "x""y", "Tab le"."Col" as "Order" from "Tab le"`],
  ['duplicate columns', `select x.* from (select id, id + 1 as id2, v from t) as x(a, b)`],
  ['duplicate names below', `select count(*) from (select id, id from t) x`],
  [
    'joins',
    `select t.v, u.w from t join u on t.id = u.id left join s on s.k = t.k and s.z > 'a' right join parent on true full join child on child.a = parent.a cross join "Tab le"`,
  ],
  ['using', `select id, t.id as tid, u.id as uid, v, w from t join u using (id)`],
  ['using kinds', `select id, k from t left join u using (id, k)`],
  ['using right', `select id from t right join u using (id) where id > 1 and t.id is null`],
  [
    'using full',
    `select id, t.id as a, u.id as b, coalesce(id, 0) from t full join u using (id) where id > 0 order by id`,
  ],
  ['using coerced', `select k, t.v, u.w from t join u using (k)`],
  ['using alias', `select x.id, t.v from t join u using (id) as x`],
  ['using chain', `select id from t full join u using (id) full join (select 1 as id) y using (id) where id > 1`],
  ['using nested', `select k from s full join (t left join u using (id, k)) using (k)`],
  ['natural', `select id, t.v from t natural join (select id, v from t) u`],
  ['natural citext', `select id, t.v, u.w, ci from t natural join u`, ROWS],
  ['full join citext', `select ci, t.id from t full join u using (ci) join (select 1 as id) x on true`, ROWS],
  [
    'full join citext alias',
    `select j.ci, j.w, q.z, q.ci as c2 from (t full join u using (ci)) as j(ci) full join (select citext 'A' as ci, 1 as z) q using (ci)`,
    ROWS,
  ],
  [
    'citext join row',
    `select row_to_json(j)::text as r, j.z from ((select id, v, ci from t) t full join (select id as uid, ci from u) u using (ci)) as j(ci, z)`,
    ROWS,
  ],
  [
    'deep aliases',
    `select j.id, j.q, (select max(i.z) from s i where i.k = j.id) from ((t left join (s cross join (select 5 as q) y) as inside (k2, z2) on t.k = inside.k2) join lateral (select t.id + inside.q as w) l on l.w > inside.k2) as j`,
  ],
  ['natural none', `select * from s natural left join (select 1 as q) x`, ROWS],
  [
    'join alias',
    `select j.id, j.w, j.b from (t join u on t.id = u.id) as j (id, v, n, f, k, b, d, ts, a, j, c, m, p, dom, ci, bp, x, iv, js, r, by, id2)`,
  ],
  [
    'join alias using',
    `select j.id, j.m, x.q from (t full join u using (id)) as j (id, v) join (select 1 as q, 'x' as w) x using (w)`,
  ],
  ['join alias inside', `select j.v from ((t join u using (id)) join s on s.z = u.w and t.v = s.z) as j`],
  [
    'join alias correlated',
    `select (select max(y.k) from u y where y.id = j.id) from (t left join s on t.v = s.z) as j where exists (select from u where u.id = j.id)`,
  ],
  ['self join', `select a.id, b.id, c.id from t a, t b join t c on b.id = c.k where a.k = b.id`],
  ['only', `select * from only parent, child`],
  ['inherited', `select p.tableoid::regclass, p.* from parent p`],
  ['view', `select * from base where k > 1`],
  [
    'catalog',
    `select c.relname, n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and c.oid = 'app.t'::regclass`,
  ],
  ['subquery', `select x.a, y.v from (select id as a from t where k > 1) x, (select * from t) y where x.a = y.id`],
  [
    'lateral',
    `select t.id, x.s, y.m from t, lateral (select sum(u.id) as s from u where u.k = t.k) x left join lateral (select max(s.n) as m from s where s.k = t.id and x.s > 1) y on true`,
  ],
  ['tablesample', `select * from t tablesample bernoulli (10.5) repeatable (42), u tablesample system (50)`],
  [
    'function',
    `select * from generate_series(1, 10) g, unnest(array[1, 2]) with ordinality as x(e, o), current_date as d`,
  ],
  ['function composite', `select x.a, y.q, z.* from mk(3) x, tab(1) as y(q), outs(2) z`],
  ['function lateral', `select t.id, e from t, unnest(t.a) e, lateral generate_series(1, e) g where g > 1`],
  [
    'rows from',
    `select * from rows from (generate_series(1, 3), unnest(array['a', 'b']), mk(1)) with ordinality as z(a, b, c)`,
  ],
  ['unnest many', `select * from unnest(array[1, 2], array['a', 'b', 'c']) as x(n, s)`],
  [
    'column definitions',
    `select * from recs(1) as x(a int, b text), rec(2) as y(n int, s varchar), rows from (recs(3) as (a int, b text collate "C"), generate_series(1, 2)) with ordinality as z`,
  ],
  [
    'json to record',
    `select * from jsonb_to_recordset('[{"a":1}]') as x(a int, b numeric(5,1)), json_to_record('{}') as y(q mood)`,
  ],
  ['cast in from', `select * from cast(5 as text) x, coalesce(1, 2) y, cast(now() as date) z`],
  ['values', `values (1, 'a'), (2, null), (3, 'c')`],
  ['values sorted', `values (1, 'a'), (2, 'b') order by column2 desc, column1 + 1 limit 1`],
  ['values in from', `select v.a, v.b, t.id from (values (1, 'x'), (2.5, 'y')) as v(a, b), t where v.a > t.id`],
  ['values renamed', `with v(a, b) as (values (1, 2)) select * from v, (values (3)) w`],
  ['values lateral', `select * from t, lateral (values (t.id, t.v), (t.k, 'x')) x(a, b)`],
  // subqueries
  [
    'exists',
    `select id from t where exists (select from u where u.k = t.k) and not exists (select 1 from s where s.k = t.k and s.z = t.v)`,
  ],
  [
    'in subquery',
    `select id from t where id in (select k from u) and k not in (select id from u where w = t.v) and (id, k) in (select id, k from u)`,
  ],
  [
    'any all subquery',
    `select id from t where id > any (select k from u) and id <= all (select id from u) and v like any (select w from u) and c = any (select w from u) and (id, v) <> all (select id, w from u)`,
  ],
  [
    'row subquery',
    `select id from t where (id, v) = (select id, w from u limit 1) or (id, v) < (select id, w from u limit 1) or row(id) = (select 1)`,
  ],
  [
    'scalar subquery',
    `select (select max(k) from u where u.id = t.id), array(select id from u where u.k = t.k order by id), (select row(1, 2)) is null, array(select a from t) from t`,
  ],
  [
    'deep correlation',
    `select (select (select t.v || u.w from s where s.k = t.k limit 1) from u where u.id = t.id) from t`,
  ],
  [
    'same names at all levels',
    `select (select count(*) from t where t.id = (select max(t.k) from t where t.id > 1)) from t`,
  ],
  [
    'subquery in odd places',
    `select count(*) filter (where id in (select k from u)) from t group by (select 1), k having sum(id) > (select avg(k) from u) order by (select max(id) from u where u.k = t.k)`,
  ],
  [
    'row of typed in',
    `select (1, 2) in (select id, k from t), id in (select k::smallint from u), k in (select n from t) from t`,
  ],
  // set operations
  ['union', `select id, v from t union select k, w from u union all select 1, 'x'`],
  [
    'set nesting',
    `select id from t except (select k from u intersect all select id from u) union all (select 5 except all select 6)`,
  ],
  [
    'set with order',
    `(select id, v from t order by v limit 2) union all (select id, w from u order by 1 desc) order by 2, 1 desc limit 5`,
  ],
  [
    'set coercion',
    `select 1 as a, null as b, 'x' as c union select 2.5, 'y', 'z'::varchar(3) union all select id, v, c from t`,
  ],
  ['set names', `select id as "A a", v from t union select k, w from u order by "A a"`],
  [
    'set in from',
    `select x.a from (select id as a from t union select k from u) x join (select id from t intersect select id from u) y on x.a = y.id`,
  ],
  [
    'set with cte',
    `with q as (select 1 as a) select a from q union (with q as (select 2 as a) select a from q) except select 3`,
  ],
  ['set collation', `select v collate "C" as x from t union select w collate "C" from u order by x`],
  // CTEs
  [
    'cte',
    `with a as (select * from t), b(x, y) as materialized (select id, k from a), c as not materialized (select x from b) select a.id, c.x from a join c on c.x = a.id join b on true`,
  ],
  [
    'cte shadows',
    `with t as (select 1 as id), q as (select id from t) select q.id, app.t.v from q, app.t, (with q as (select 5 as z) select z from q) w`,
  ],
  [
    'cte in subquery',
    `select (with q as (select t.id as i) select i from q) from t where exists (with z as (select k from u) select from z where z.k = t.k)`,
  ],
  [
    'cte outer',
    `with q as (select id from t) select (select count(*) from q where exists (select from q q2 where q2.id = q.id)) from q`,
  ],
  [
    'recursive',
    `with recursive r(n, p) as (select 1, 'a' union all select n + 1, p || 'x' from r where n < 5) select * from r`,
  ],
  [
    'recursive union',
    `with recursive r as (select id, k from t where k is null union select t.id, t.k from t join r on r.id = t.k) select r.*, q.n from r, (with recursive z(n) as (values (1) union all select n + 1 from z where n < 2) select n from z) q`,
  ],
  [
    'search',
    `with recursive r(id, k) as (select id, k from t union all select t.id, t.k from t join r on r.id = t.k) search depth first by id, k set ord select id, k from r order by ord`,
  ],
  [
    'search breadth',
    `with recursive r(id) as (select id from t union all select t.id from t join r on r.id = t.k) search breadth first by id set ord select id from r order by ord`,
  ],
  [
    'cycle',
    `with recursive r(id, k) as (select id, k from t union all select t.id, t.k from t join r on r.id = t.k) cycle id set is_cycle using path select id, k, is_cycle from r`,
  ],
  [
    'cycle values',
    `with recursive r(id, k) as (select id, k from t union all select t.id, t.k from t join r on r.id = t.k) search breadth first by id set ord cycle id, k set mark to text 'Y' default text 'N' using path select id, mark from r order by path, ord`,
  ],
  [
    'mutual with',
    `with recursive a as (select 1 as x), b as (select x from a union all select x + 1 from b where x < 3) select * from b, a`,
  ],
  // XML
  [
    'xml',
    `select xmlelement(name "a b", xmlattributes(id as "x y", v), v, 'text', xmlelement(name z)), xmlforest(id, v as "V:v"), xmlconcat(x, '<a/>'), xmlpi(name php, 'echo'), xmlparse(document v), xmlparse(content v preserve whitespace), x is document, x is not document from t`,
  ],
  [
    'xml root',
    `select xmlroot(x, version '1.0', standalone yes), xmlroot(x, version no value), xmlroot(x, version v, standalone no value), xmlroot(x, version no value, standalone no), xmlserialize(content x as text), xmlserialize(document x as varchar(10)), xmlserialize(content x as text indent), xmlexists('//a' passing x) from t`,
  ],
  ['xml emoji', `select xmlelement(name "😀 _x0041_")`],
  ['xmlagg', `select xmlagg(x order by id) from t`],
  [
    'xmltable',
    `select q.* from t, xmltable(xmlnamespaces('http://x' as "n s", default 'http://y'), '/r/row' passing t.x columns o for ordinality, a int path '@a' not null, b text default 'zz' path 'b', c numeric(5,2), d varchar(3) path v) q`,
  ],
  [
    'json defaults',
    `select json_value(j, '$.a' returning char(2) default 'x' on error), json_query(j, '$.a' returning code default 'abc' on empty), json_value(j, '$.a' returning varbit(3) default '01' on error) from t`,
    ROWS,
  ],
  [
    'xml declaration',
    `select xml '<?xml version="1.0"?><a/>', xmlserialize(content '<?xml version="1.0"?><a/>' as text)`,
  ],
  ['xmltable simple', `select * from xmltable('/r' passing ('<r/>'::xml) columns a text) as x(b)`],
  // SQL/JSON
  [
    'json constructors',
    `select json_object('a' : id, 'b' : v absent on null with unique keys returning jsonb), json_object(v value id), json_array(id, v, null null on null), json_array(id, v returning text), json_object(), json_array(returning jsonb), json_object('x' : j format json returning bytea format json encoding utf8), json_array(v format json) from t`,
  ],
  [
    'json functions',
    `select json('{"a":1}'), json(v with unique keys), json_scalar(id), json_serialize(j returning text), json_serialize(js), json(by format json), json_scalar(d), json(js) from t`,
  ],
  [
    'json aggregates',
    `select json_objectagg(v : id), json_objectagg(v : id absent on null with unique keys returning jsonb), json_arrayagg(id order by v desc null on null returning jsonb), json_arrayagg(v format json) filter (where b), json_arrayagg(id) over (partition by k), json_objectagg('a' value j) over () from t group by id`,
  ],
  ['json array query', `select json_array(select id from t order by v returning jsonb)`],
  [
    'is json',
    `select v is json, v is not json object, j is json array with unique keys, js is json scalar, by is json from t`,
  ],
  [
    'json query',
    `select json_query(j, '$.a'), json_query(j, '$.a' returning jsonb), json_query(j, '$.a' returning jsonb format json), json_query(j, '$.a' returning text format json), json_query(j, '$.a' returning bytea format json encoding utf8), json_query(j, '$.a' returning text with conditional wrapper), json_query(j, 'strict $.b' passing id as x, v as "Y y" returning int[] omit quotes null on empty error on error), json_query(v, '$' with wrapper empty array on empty empty object on error), json_query(j, '$.a' returning jsonb default '[1]' on empty), json_query(j, '$.x' returning varchar(5) keep quotes), json_query(j, '$.x' without wrapper) from t`,
  ],
  [
    'json value',
    `select json_value(j, '$.a'), json_value(j, '$.a' returning int default 5 on empty error on error), json_value(js, '$.d' returning date), json_value(j, '$.a' returning numeric(5,1) null on error), json_value('{"a":1}', '$.a' returning mood default 'sad' on error), json_value(j, '$' passing d as q returning text) from t`,
  ],
  [
    'json exists',
    `select json_exists(j, '$.a'), json_exists(j, '$.a ? (@ > $x)' passing id as x true on error), json_exists(v, 'strict $' unknown on error), json_exists(by format json, '$') from t`,
  ],
  ['json path variable', `select json_exists(j, v::jsonpath), json_value(j, ('$.' || v)::jsonpath) from t`],
  [
    'json table columns',
    `select q.* from t, json_table(j, '$[*]' as root passing id as x columns (o for ordinality, a int path '$.a' default 5 on empty error on error, b text, e bool exists path '$.z', ei int exists true on error, qj jsonb path '$.q', qt text format json path '$.w' with unconditional wrapper, qo varchar(5) path '$.w' omit quotes, arr int[] path '$.arr' empty array on error, jf jsonb format json)) q`,
  ],
  [
    'json table nested',
    `select * from json_table('[{"a":1}]'::jsonb, '$[*]' columns (a int, nested path '$.n[*]' as nn columns (b int, nested '$.m[*]' columns (c int), d text), nested path '$.o[*]' columns (e int, o for ordinality)) error on error) as jt(x, y)`,
  ],
  ['json table only nested', `select * from json_table(jsonb '[]', 'lax $[*]' columns (nested '$.n' columns (b int)))`],
  [
    'json operators',
    `select j -> 'a', j ->> 0, j #> '{a,b}', j @> '{"a":1}', j ? 'a', j ?| array['a'], jsonb_path_query(j, '$.a'), j @@ '$.a == 1' from t`,
  ],
  // changed after the view was created
  [
    'column renamed',
    `select id, v from t join u using (id) where w > 'a'`,
    { change: [`alter table app.u rename column id to ident`] },
  ],
  [
    'column added',
    `select q.id, q.w, q::text from (s natural join u) q`,
    {
      change: [`alter table app.s add column w text, add column ident int`, `alter table app.u add column z text`],
      ...ROWS,
    },
  ],
  [
    'column dropped',
    `select s.z, x.id from s join t x on x.k = s.k`,
    { change: [`alter table app.s drop column n`], ...ROWS },
  ],
  ['after dropped', `select s.*, s, row(1, 'a', 2)::s from s`],
  ['renamed table', `select * from s`, { change: [`alter table app.s rename to "S s"`] }],
  // search_path
  [
    'hostile path',
    `select v || 'x', id + 1, v = 'a', lower(v), v like 'x', case v when 'a' then 1 end, id in (1, 2), v is distinct from 'q' from t order by v`,
    { path: 'app, pg_catalog, public' },
  ],
  ['empty target names', `select 1, 'a', now(), array[1], case when true then 1 end, (select 2), null`],
]
