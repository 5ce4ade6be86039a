/** STABLE functions: each of PostgreSQL's is classed, and what depends on arguments and settings alone is incremental. */
import { describe, expect, test } from 'vitest'
import { runCases } from './support/cases.js'
import { Lab } from './support/lab.js'
import { trickle } from '../dist/index.js'
import type { TrickleExtension } from '../dist/index.js'
import { MODULE_NAME, openWith } from './support/pglite.js'
import type { Database } from './support/pglite.js'
import { CHANGES, TABLES } from './support/tables.js'
import { useLab } from './support/use-lab.js'

/** What a stable function depends on besides its arguments. The first two remain a full refresh. */
const CLASSES = {
  'the clock, the session or the server': `age current_.* get_current_ts_config getdatabaseencoding getpgusername
    inet_.* mxid_age now pg_available_.* pg_backend_pid pg_client_encoding pg_conf_load_time pg_config pg_current_.*
    pg_cursor pg_event_trigger_.* pg_extension_update_paths pg_get_keywords pg_get_replication_slots
    pg_listening_channels pg_my_temp_schema pg_numa_available pg_postmaster_start_time pg_prepared_statement
    pg_replication_origin_oid pg_settings_get_flags pg_show_all_settings pg_split_walfile_name pg_stat_get_.*
    pg_tablespace_.* pg_timezone_.* pg_trigger_depth session_user statement_timestamp system_user
    transaction_timestamp txid_.* version`,
  'the catalog, tables or how values are stored': `aclexplode any.*_send brin_.* col_description database_to_xml.*
    format_type has_.* obj_description oidvectortypes pg_basetype pg_char_to_encoding pg_collation_for
    pg_column_compression pg_column_is_updatable pg_column_toast_chunk_id pg_dependencies_send pg_describe_object
    pg_encoding_to_char pg_filenode_relation pg_get_acl pg_get_catalog_foreign_keys pg_get_constraintdef pg_get_expr
    pg_get_function.* pg_get_indexdef pg_get_object_address pg_get_part.* pg_get_publication_tables
    pg_get_replica_identity_index pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef.* pg_get_triggerdef
    pg_get_userbyid pg_get_viewdef pg_has_role pg_identify_object.* pg_index.*_has_property pg_input_.*
    pg_is_other_temp_schema pg_mcv_list_.* pg_ndistinct_send pg_node_tree_send pg_options_to_table pg_relation_.*
    pg_sequence_parameters .*_is_visible regclass row_security_active schema_to_xml.* shobj_description
    table_to_xml.* to_reg.* ts_debug ts_parse ts_token_type`,
  'settings, such as TimeZone or the text search configuration': `bpcharsend convert convert_from convert_to date
    date_.* extract generate_series in_range interval_pl_timestamptz json_to_tsvector jsonb_path_.*_tz
    jsonb_to_tsvector length make_timestamptz money namesend numeric overlaps phraseto_tsquery plainto_tsquery
    textsend time timestamp timestamp_.* timestamptz timestamptz_.* timetz timezone to_char to_date to_number
    to_timestamp to_tsquery to_tsvector ts_headline ts_match_.* varcharsend websearch_to_tsquery xml
    xml_is_well_formed xml_send`,
  'arguments, and how their types are written': `anytextcat array_send array_to_json array_to_string concat concat_ws
    enum_.* format json_agg.* json_build_.* json_object_agg.* json_populate_.* json_to_record.* jsonb_agg.*
    jsonb_build_.* jsonb_populate_.* jsonb_to_record.* multirange_send pg_column_size pg_typeof quote_literal
    quote_nullable range_send record_send row_to_json textanycat to_json to_jsonb`,
}
const PATTERNS = Object.entries(CLASSES).map(
  ([name, words]) => [name, new RegExp(`^(${words.trim().split(/\s+/).join('|')})$`)] as const,
)
const INCREMENTAL = Object.keys(CLASSES).slice(2)

/** A time of day has the offset of today, whatever the class of the function's other forms. */
const BY_DAY = /^(timetz\(time without time zone|timezone\((text,)?time with time zone)/

/** An argument of a pseudo-type; any other type takes a NULL. */
const ARGUMENTS: Record<string, string> = {
  any: 't.k',
  anyelement: 't.k',
  anynonarray: 't.k',
  anyarray: 'ARRAY[t.k]',
  anycompatiblearray: 'ARRAY[t.k]',
  anyenum: 'NULL::mood',
  anyrange: 'int4range(t.k, NULL)',
  anymultirange: 'int4multirange(int4range(t.k, NULL))',
  record: 'ROW(t.k)',
}

interface Signature {
  name: string
  text: string
  arguments: string[]
  result: string
  /** The last argument is no VARIADIC array. */
  plain: boolean
}

describe("PostgreSQL's stable functions", () => {
  const lab = useLab("CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE t (id int PRIMARY KEY, k int)")

  async function signatures(): Promise<Signature[]> {
    // Others cannot be called by a query: their arguments or results have no values in SQL.
    const { rows } = await lab.pg.query<Signature>(`SELECT proname AS name, oid::regprocedure::text AS text,
        ARRAY(SELECT a::regtype::text FROM unnest(proargtypes) WITH ORDINALITY x(a, n) ORDER BY n) AS arguments,
        prorettype::regtype::text AS result, provariadic IN (0, '"any"'::regtype) AS plain
      FROM pg_proc WHERE provolatile = 's' AND pronamespace = 'pg_catalog'::regnamespace
        AND NOT proargtypes::oid[] && '{internal,cstring}'::regtype[]::oid[]
        AND prorettype <> ALL ('{internal,cstring,void}'::regtype[])
      ORDER BY 1, 2`)
    return rows
  }

  const classOf = (name: string) => PATTERNS.filter(([, pattern]) => pattern.test(name)).map(([className]) => className)

  test('each is in one class', async () => {
    const names = [...new Set((await signatures()).map(({ name }) => name))]
    expect(names.length).toBeGreaterThan(300)
    expect(names.filter((name) => classOf(name).length !== 1).map((name) => [name, classOf(name)])).toEqual([])
  })

  test('the class decides how a query with the function is maintained', { timeout: 300_000 }, async () => {
    const seen = new Set<string>()
    const wrong: string[] = []
    for (const { name, text, arguments: types, result, plain } of await signatures()) {
      // One of each such family, and no functions whose columns the query must tell.
      const family = /^(has_|pg_stat_get_|.*_is_visible)/.exec(name) === null ? text : (classOf(name)[0] ?? '')
      if (seen.has(family) || /_to_record(set)?$/.test(name)) continue
      seen.add(family)
      const values = types.map((type) => ARGUMENTS[type.replaceAll('"', '')] ?? `NULL::${type}`)
      if (!plain) values.push(`VARIADIC ${values.pop()}`)
      const call = `pg_catalog.${text.slice(0, text.indexOf('('))}(${values.join(', ')})`.replace(
        'pg_catalog.pg_catalog.',
        'pg_catalog.',
      )
      const query = `SELECT ${result === 'record' ? `(${call})::text` : call} AS value FROM t`
      const way = await wayOf(query).catch((error: unknown) => `${query}: ${String(error)}`)
      const expected = INCREMENTAL.includes(classOf(name)[0] ?? '') && !BY_DAY.test(text) ? 'incremental' : 'rebuild'
      if (way !== expected) wrong.push(`${text}: ${way}, not ${expected}`)
    }
    expect(wrong).toEqual([])
    expect(seen.size).toBeGreaterThan(250)
  })

  async function wayOf(query: string): Promise<string> {
    await lab.pg.trickle.createStreamTable('st', query)
    const { way, reason } = await lab.pg.trickle.explainStreamTable('st')
    await lab.pg.trickle.dropStreamTable('st')
    if (way !== 'rebuild') return 'incremental'
    return /stable function|CURRENT_|text of/.test(reason ?? '') ? way : `${way} for another reason: ${reason}`
  }
})

/** The changes for tables with rows of every kind. */
const STEPS = CHANGES.filter((sql) => !sql.includes('s = s'))

runCases('functions of arguments and settings are incremental', [
  {
    name: 'JSON of nothing, of columns and of rows',
    setup: TABLES,
    views: {
      nothing: `SELECT id, json_build_array() AS a, json_build_object() AS o, jsonb_build_array() AS ba,
        jsonb_build_object() AS bo FROM t`,
      built: "SELECT id, json_build_object('k', k, 's', s) AS o, jsonb_build_array(k, v, s) AS a FROM t",
      rows_: 'SELECT row_to_json(t) AS r, to_jsonb(t) AS b, to_json(k) AS k FROM t',
      outer_:
        'SELECT t.id, coalesce(jsonb_build_object($$v$$, u.v), jsonb_build_object()) AS o FROM t LEFT JOIN u USING (k)',
      constructed: "SELECT id, JSON_OBJECT('k': k, 's': s) AS o, JSON_ARRAY() AS a FROM t",
      grouped: 'SELECT k, json_agg(s ORDER BY id) AS l, jsonb_object_agg(id, v) AS o FROM t GROUP BY k',
      by_object: 'SELECT jsonb_build_object($$k$$, k) AS o, count(*) AS n FROM t GROUP BY 1',
      populated: `SELECT t.id, r.a, p.k FROM t, json_to_record(json_build_object('a', t.v)) AS r(a int),
        jsonb_populate_record(NULL::u, jsonb_build_object('k', t.k)) AS p`,
    },
    steps: STEPS,
    way: 'incremental',
  },
  {
    name: 'text of values, and their types and sizes',
    setup: TABLES,
    views: {
      joined: "SELECT id, concat(k, s) AS c, concat_ws('-', k, v, s) AS w, format('%s %L', s, k) AS f FROM t",
      lists: "SELECT id, array_to_string(ARRAY[k, v], ',', '*') AS l, array_to_json(ARRAY[s]) AS j FROM t",
      quoted: 'SELECT id, quote_literal(v) AS q, quote_nullable(k) AS n, s || v AS added FROM t',
      types: 'SELECT id, pg_typeof(k) AS k, pg_typeof(s)::text AS s, pg_typeof(1.5)::text || s AS more FROM t',
      sizes: "SELECT id, pg_column_size(k) AS k, pg_column_size(v::int8) AS v, pg_column_size('abc'::text) AS c FROM t",
      filtered: "SELECT id FROM t WHERE concat(k, s) <> '1a' AND pg_typeof(v) = 'int'::regtype",
      counted: 'SELECT concat(k, v) AS kv, count(*) AS n FROM u GROUP BY 1',
      matched: 'SELECT t.id, u.v FROM t JOIN u ON concat(t.k) = concat(u.k)',
    },
    steps: STEPS,
    way: 'incremental',
  },
  {
    name: 'dates and text search',
    setup: [
      "SET TimeZone = 'America/New_York'",
      'CREATE TABLE e (id int PRIMARY KEY, at timestamptz, body text)',
      `INSERT INTO e VALUES (1, '2026-03-08 06:30:00Z', 'a quick fox'), (2, NULL, NULL), (3, '2025-11-02 05:30:00Z', '')`,
    ],
    views: {
      days: 'SELECT at::date AS d, count(*) AS n FROM e GROUP BY 1',
      parts: `SELECT id, date_trunc('day', at) AS d, extract(hour FROM at) AS h, to_char(at, 'HH24:MI TZ') AS c,
        at + interval '1 day' AS next, (at AT LOCAL)::time AS t, at > DATE '2026-01-01' AS later FROM e`,
      text_: "SELECT id, to_tsvector(body) @@ to_tsquery('fox') AS m FROM e",
      read_: "SELECT id, concat('2026-01-0', id)::date AS d, coalesce(body, 'now')::text AS b FROM e",
    },
    steps: [
      "INSERT INTO e VALUES (4, '2026-03-08 07:30:00Z', 'foxes'), (5, '2026-03-08 06:59:59Z', 'hen')",
      "UPDATE e SET at = at + interval '1 hour'",
      "UPDATE e SET body = 'fox' WHERE body IS NULL",
      'DELETE FROM e WHERE id = 1',
    ],
    way: 'incremental',
  },
  {
    name: 'tableoid of tables that no other inherits from',
    setup: [...TABLES, 'CREATE VIEW w AS SELECT tableoid AS o, k, v FROM u'],
    views: {
      column_: 'SELECT tableoid, id FROM t',
      named: 'SELECT tableoid::regclass AS r, count(*) AS n, sum(v) AS v FROM t GROUP BY 1',
      condition: "SELECT id FROM t WHERE tableoid = 't'::regclass",
      joined: 'SELECT a.tableoid AS x, b.tableoid AS y, a.id FROM t a JOIN u b USING (k)',
      of_view: 'SELECT o, count(*) AS n FROM w GROUP BY o',
      correlated: 'SELECT id, (SELECT count(*) FROM u WHERE u.tableoid <> t.tableoid AND u.k = t.k) AS n FROM t',
      preserved: 'SELECT t.tableoid AS x, t.id, u.v FROM t LEFT JOIN u USING (k)',
      keyless: 'SELECT u.tableoid AS x, u.v, t.id FROM u LEFT JOIN t USING (k)',
      twofold: 'SELECT tableoid AS x, k FROM t UNION ALL SELECT tableoid, k FROM u',
      either: 'SELECT tableoid AS x, k FROM t UNION SELECT tableoid, k FROM u',
      numbered: 'SELECT id, rank() OVER (PARTITION BY tableoid, k ORDER BY v) AS r FROM t',
      once: 'SELECT DISTINCT tableoid AS x, k FROM u',
      cube_: 'SELECT tableoid AS x, k, count(*) AS n FROM t GROUP BY CUBE (tableoid, k)',
      first_: 'SELECT tableoid AS x, id FROM t ORDER BY id LIMIT 2',
    },
    steps: STEPS,
    way: 'incremental',
  },
  {
    name: 'tableoid, when the table gets a child and loses it',
    setup: ['CREATE TABLE p (k int)', 'CREATE TABLE c (k int)', 'INSERT INTO p VALUES (1)', 'INSERT INTO c VALUES (1)'],
    views: {
      st: 'SELECT tableoid::regclass AS r, k FROM p',
      agg: 'SELECT tableoid AS r, count(*) AS n FROM p GROUP BY 1',
    },
    steps: [
      'INSERT INTO p VALUES (2)',
      'ALTER TABLE c INHERIT p',
      'UPDATE p SET k = k + 1',
      'INSERT INTO c VALUES (9)',
      'ALTER TABLE c NO INHERIT p',
      'INSERT INTO p VALUES (3)',
      'ALTER TABLE p RENAME TO q; ALTER TABLE q RENAME TO p',
      'UPDATE p SET k = 7',
    ],
  },
])

runCases('what reads the clock, the session, the catalog or the stored form of values is rebuilt', [
  {
    name: 'functions',
    setup: [...TABLES, "CREATE FUNCTION unaccent(text) RETURNS text STABLE LANGUAGE sql AS 'SELECT $1'"],
    views: {
      clock: "SELECT id FROM t WHERE now() > '2000-01-01'",
      day: "SELECT id FROM t WHERE age(TIMESTAMP '2000-01-01') > interval '1 day'",
      session: "SELECT id, current_setting('search_path') AS p FROM t",
      looked_up: 'SELECT id, to_regclass(s) AS r, to_regtype(s) AS y FROM t',
      allowed: "SELECT id FROM t WHERE has_table_privilege('t', 'SELECT')",
      shown: "SELECT id, pg_get_viewdef('pg_views'::regclass) <> s AS v, format_type(23, id) AS f FROM t",
      of_the_user: 'SELECT id, unaccent(s) AS u FROM t',
      offset_: "SELECT id, time '10:00' AT TIME ZONE 'UTC' AS z FROM t",
    },
    steps: STEPS,
    way: 'rebuild',
  },
  {
    name: 'names of objects as text, and text as them',
    setup: [
      ...TABLES,
      'CREATE TABLE r (id int PRIMARY KEY, c regclass, l regtype[])',
      "INSERT INTO r VALUES (1, 't', '{int4,text}'), (2, NULL, NULL)",
    ],
    views: {
      cast_: 'SELECT id, c::text AS c FROM r',
      elements: 'SELECT id, l::text[] AS l FROM r',
      read_: "SELECT id, concat('pg_', 'class')::regclass AS c FROM t",
      concatenated: 'SELECT id, concat(c) AS c FROM r',
      added: "SELECT id, c || '' AS c FROM r",
      formatted: "SELECT id, format('%s', l) AS l FROM r",
      of_row: 'SELECT row_to_json(r) AS r FROM r',
      listed: 'SELECT json_agg(c ORDER BY id) AS l FROM r',
      made_row: 'SELECT to_json(ROW(id, ROW(c))) AS r FROM r',
      of_subquery: 'SELECT to_json(q) AS r FROM (SELECT id, c FROM r) AS q',
      constructed: "SELECT id, JSON_ARRAY(c) AS a, JSON_VALUE(jsonb '\"t\"', '$' RETURNING regclass) AS j FROM r",
      column_: "SELECT t.id, r.c FROM t, json_to_record('{}') AS r(c regclass)",
      of_table: 'SELECT id, tableoid::regclass::text AS n FROM t',
      domain_: 'SELECT id, pg_typeof(v::information_schema.cardinal_number)::text AS n FROM t WHERE v >= 0',
    },
    steps: [
      ...STEPS.slice(0, 6),
      "INSERT INTO r VALUES (3, 'u', '{}')",
      "UPDATE r SET c = 'pg_class' WHERE id = 1",
      'ALTER TABLE u RENAME TO renamed; UPDATE r SET id = -id',
      'ALTER TABLE renamed RENAME TO u; UPDATE r SET id = -id',
      'DELETE FROM r WHERE id = 3',
    ],
    way: 'rebuild',
  },
  {
    name: 'the present as a constant, and times of day with an offset',
    setup: TABLES,
    views: {
      text_: "SELECT id FROM t WHERE 'yesterday'::text::date < '2500-01-01'",
      either:
        "SELECT id, coalesce(s, 'today')::text = s AS same, coalesce(NULL, 'Now ')::timestamptz > '2000-01-01' AS n FROM t",
      offset_: "SELECT id, concat('10:0', id % 10)::timetz AS z FROM t",
    },
    steps: STEPS,
    way: 'rebuild',
  },
  {
    name: 'sizes as stored, and system columns',
    setup: [...TABLES, 'CREATE TABLE p (k int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p DEFAULT'],
    views: {
      size: 'SELECT id, pg_column_size(s) AS s FROM t',
      of_row: 'SELECT id, pg_column_size(t) AS s FROM t',
      of_group: "SELECT k, pg_column_size(max(s || 'x')) AS s FROM t GROUP BY k",
      above: "SELECT pg_column_size(x) AS s FROM (SELECT DISTINCT s || 'x' AS x FROM t) q",
      place: 'SELECT ctid, id FROM t',
      nullable: 'SELECT t.id, u.tableoid AS x FROM t LEFT JOIN u USING (k)',
      partitions: 'SELECT tableoid AS x, k FROM p',
      of_root: 'SELECT k FROM ONLY p',
    },
    steps: [
      ...STEPS,
      'INSERT INTO t SELECT i, i % 2, i, repeat(md5(i::text), 200) FROM generate_series(200, 204) i',
      'UPDATE t SET v = 0',
      'INSERT INTO p VALUES (1), (2)',
      'CREATE TABLE p2 PARTITION OF p FOR VALUES IN (3)',
      'INSERT INTO p VALUES (3)',
      'UPDATE p SET k = 3 WHERE k = 1',
    ],
    way: 'rebuild',
  },
])

test('functions of the extensions that PGlite ships', async () => {
  const shipped = async (file: string) =>
    (await import(`${MODULE_NAME}/contrib/${file}`)) as Record<string, TrickleExtension>
  const [{ pg_trgm }, { unaccent }, { tablefunc }] = [
    await shipped('pg_trgm'),
    await shipped('unaccent'),
    await shipped('tablefunc'),
  ]
  const extensions = { trickle, pg_trgm: pg_trgm!, unaccent: unaccent!, tablefunc: tablefunc! }
  const lab = await new Lab().open((await openWith(extensions)) as Database)
  try {
    await lab.exec('CREATE SCHEMA ext; SET search_path = public, ext')
    await lab.exec('CREATE EXTENSION pg_trgm SCHEMA ext; CREATE EXTENSION unaccent; CREATE EXTENSION tablefunc')
    await lab.exec(`CREATE TABLE w (id int PRIMARY KEY, s text);
      INSERT INTO w VALUES (1, 'word'), (2, 'words'), (3, NULL), (4, 'Hôtel'), (5, 'other word')`)
    const queries: Record<string, [way: string, query: string]> = {
      alike: ['fold', "SELECT id FROM w WHERE s % 'word'"],
      any_: ['fold', "SELECT id FROM w WHERE s %> 'word' OR 'word' <% s OR s %>> 'word' OR 'word' <<% s"],
      pairs: ['fold', 'SELECT a.id, b.id AS other FROM w a JOIN w b ON a.s % b.s AND a.id < b.id'],
      plain: ['fold', 'SELECT unaccent(s) AS s, count(*) AS n FROM w GROUP BY 1'],
      named: ['fold', "SELECT id, unaccent('unaccent', s) AS s FROM w"],
      threshold: ['rebuild', 'SELECT id FROM w WHERE similarity(s, s) > show_limit()'],
      crossed: ['rebuild', "SELECT w.id, c.a FROM w, crosstab('SELECT 1, 2, 3') AS c(r int, a int)"],
    }
    for (const [name, [way, query]] of Object.entries(queries)) {
      await lab.create(name, query)
      expect(await lab.pg.trickle.explainStreamTable(name), name).toMatchObject({ way })
    }
    await lab.run("INSERT INTO w VALUES (6, 'sword'), (7, 'êtes')")
    await lab.run("UPDATE w SET s = 'wordy' WHERE id IN (3, 5)")
    await lab.run('DELETE FROM w WHERE id = 2')
    await lab.checkRefresh()
  } finally {
    await lab.close()
  }
})

describe('ONLY a table with children', () => {
  const family = [
    'CREATE TABLE g (k int, v int)',
    'CREATE TABLE p (id int PRIMARY KEY) INHERITS (g)',
    'CREATE TABLE c (extra text) INHERITS (p)',
    'CREATE TABLE u (k int PRIMARY KEY, w int)',
    'INSERT INTO p (id, k, v) VALUES (1, 1, 1), (2, 2, 2)',
    "INSERT INTO c (id, k, v, extra) VALUES (1, 1, 1, 'x'), (2, 2, 3, 'y'), (3, NULL, NULL, NULL)",
    'INSERT INTO u VALUES (1, 10), (2, 20), (3, 30)',
  ]

  runCases('is incremental for INSERT', [
    {
      name: 'whatever is changed through the table, its parent and its child',
      setup: family,
      views: {
        rows_: 'SELECT * FROM ONLY p',
        agg: 'SELECT k, count(*) AS n, sum(v) AS v, max(v) AS m FROM ONLY p GROUP BY k',
        joined: 'SELECT p.id, u.w FROM ONLY p JOIN u USING (k)',
        outer_: 'SELECT p.id, u.w FROM ONLY p LEFT JOIN u USING (k)',
        inside: 'SELECT k, (SELECT count(*) FROM ONLY p WHERE p.k = u.k) AS n FROM u',
        twofold: 'SELECT id FROM p UNION ALL SELECT id FROM ONLY p',
        not_own: 'SELECT id, k FROM p EXCEPT ALL SELECT id, k FROM ONLY p',
        ranked: 'SELECT id, rank() OVER (PARTITION BY k ORDER BY v) AS r FROM ONLY p',
        once: 'SELECT DISTINCT k FROM ONLY p',
        first_: 'SELECT id FROM ONLY p ORDER BY id LIMIT 2',
        list: "SELECT k, string_agg(id::text, ',' ORDER BY id) AS l FROM ONLY p GROUP BY k",
        own: 'SELECT tableoid AS x, id FROM ONLY p',
      },
      steps: [
        'INSERT INTO p (id, k, v) VALUES (4, 1, 4), (5, NULL, NULL)',
        'INSERT INTO c (id, k, v) VALUES (4, 1, 4), (6, 3, 1)',
        'UPDATE p SET v = v + 1',
        'UPDATE p SET k = 3 WHERE id = 4',
        'UPDATE ONLY p SET v = 0 WHERE k = 1',
        "UPDATE c SET extra = 'unread', k = 1",
        'UPDATE g SET v = v + 1',
        'UPDATE u SET w = w + 1',
        'INSERT INTO p (id, k, v) VALUES (1, 1, 1), (7, 2, 2) ON CONFLICT (id) DO UPDATE SET v = 100',
        'MERGE INTO p USING u ON p.id = u.k WHEN MATCHED THEN UPDATE SET v = w WHEN NOT MATCHED THEN INSERT (id, k, v) VALUES (u.k, u.k, 0)',
        'WITH i AS (INSERT INTO p (id, k, v) VALUES (8, 1, 8) RETURNING k) UPDATE u SET w = 0 FROM i WHERE u.k = i.k',
        'WITH i AS (INSERT INTO p (id, k, v) VALUES (9, 1, 8)) DELETE FROM c WHERE id = 4',
        'WITH i AS (INSERT INTO p (id, k, v) VALUES (10, 1, 8)) DELETE FROM p WHERE id = 2',
        'DELETE FROM p WHERE k = 1 AND v > 5',
        'DELETE FROM ONLY p WHERE id = 5',
        'DELETE FROM g WHERE k = 3',
        'CREATE TABLE d () INHERITS (p); INSERT INTO d (id, k) VALUES (20, 1)',
        'DELETE FROM p WHERE id = 20',
        'TRUNCATE ONLY p',
        'INSERT INTO p (id, k, v) VALUES (1, 1, 1)',
        'TRUNCATE g',
      ],
      way: 'incremental',
    },
  ])

  describe('as explain shows', () => {
    const lab = useLab(family)
    test('UPDATE and DELETE run the query again', async () => {
      await lab.pg.trickle.createStreamTable('st', 'SELECT id, v FROM ONLY p')
      const [stage] = (await lab.pg.trickle.explainStreamTable('st')).stages
      const [source] = stage?.sources ?? []
      for (const event of ['update', 'delete'] as const)
        expect(source?.[event].join(), event).toContain('FROM ONLY public.p')
      expect(source?.insert.join()).toMatch(/^INSERT INTO/)
      expect(source?.insert.join()).not.toContain('ONLY')
    })
  })
})

describe('a sample without REPEATABLE', () => {
  const lab = useLab(['CREATE TABLE t (k int)', 'CREATE VIEW w AS SELECT k FROM t TABLESAMPLE SYSTEM (50)'])
  test.each([
    'SELECT k FROM t TABLESAMPLE BERNOULLI (50)',
    'SELECT k FROM t WHERE EXISTS (SELECT FROM t AS u TABLESAMPLE SYSTEM (10))',
    'WITH s AS (SELECT k FROM t TABLESAMPLE SYSTEM (10)) SELECT count(*) FROM s',
    'SELECT k FROM w',
  ])('is refused: %s', async (query) => {
    await expect(lab.pg.trickle.createStreamTable('st', query)).rejects.toMatchObject({
      code: '0A000',
      message: expect.stringMatching(/sample of [tu] without REPEATABLE/) as string,
      hint: expect.stringContaining('REPEATABLE (1)') as string,
    })
  })
})
