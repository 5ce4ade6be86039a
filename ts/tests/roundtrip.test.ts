/** The SQL that the extension writes for a view's query has the same analysed tree as that query. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PGlite } from 'pglite-0.5'
import { trickle } from '../dist/index.js'
import type { TrickleExtension } from '../dist/index.js'
import { MODULE_NAME, openWith } from './support/pglite.js'
import { CASES } from './support/roundtrip-cases.js'

/** The objects that the queries use. */
const SETUP = [
  `create extension citext`,
  `create schema app`,
  `set search_path = app, public`,
  `create type mood as enum ('sad', 'ok', 'happy')`,
  `create type pair as (a int, b text)`,
  `create domain posint as int check (value > 0)`,
  `create domain code as varchar(5)`,
  `create domain dpair as pair`,
  `create table t (id int primary key, v text, n numeric(10,2), f float8, k int, b bool, d date, ts timestamptz, a int[], j jsonb, c varchar(10), m mood, p pair, dom posint, ci citext, bp char(4), x xml, iv interval, js json, r int4range, by bytea)`,
  `create table u (id int primary key, k bigint, w text, "Odd Name" int, ci citext)`,
  `create table s (k int, z text, n numeric)`,
  `create table parent (a int, b text)`,
  `create table child (extra int) inherits (parent)`,
  `create table "Tab le" ("Col" int, "select" text, "a""b" int)`,
  `create collation german (provider = icu, locale = 'de')`,
  `create function app.add(x int, y int default 2) returns int language sql immutable as 'select x + y'`,
  `create function app.vsum(variadic xs int[]) returns int language sql immutable as 'select sum(q)::int from unnest(xs) q'`,
  `create function app.mk(i int) returns pair language sql immutable as 'select row(i, ''x'')::app.pair'`,
  `create function app.outs(i int, out q int, out r text) language sql immutable as 'select i, ''x'''`,
  `create function app.tab(i int) returns table (q int, r text) language sql immutable as 'select i, ''x'''`,
  `create function app.rec(i int) returns record language sql immutable as 'select i, ''x''::text'`,
  `create function app.recs(i int) returns setof record language sql immutable as 'select i, ''x''::text'`,
  `create function app.any2(anyelement, anyelement) returns anyelement language sql immutable as 'select $1'`,
  `create operator app.+|+ (leftarg = int, rightarg = int, function = app.add)`,
  `create operator app.!!! (rightarg = int, function = int4abs)`,
  `create aggregate app.mysum(int) (sfunc = int4pl, stype = int, initcond = '0')`,
  `create aggregate app.vagg(variadic int[]) (sfunc = array_cat, stype = int[])`,
  `create view app.base as select id, v, k from t`,
  `insert into t (id, v, k, ci, a) values (1, 'a', 1, 'A', '{1,2}'), (2, 'b', null, null, null), (3, null, 1, 'b', '{3}')`,
  `insert into u (id, k, w, ci) values (1, 1, 'x', 'a'), (2, null, 'B', 'B'), (4, 4, null, null)`,
]
let pg: PGlite

beforeAll(async () => {
  const { citext } = (await import(
    /* @vite-ignore */ `${MODULE_NAME}/contrib/citext`
  )) as typeof import('pglite-0.5/contrib/citext')
  pg = await openWith({ trickle, citext: citext as unknown as TrickleExtension })
  for (const sql of SETUP) await pg.exec(sql)
})
afterAll(() => pg?.close())

async function value(sql: string): Promise<string> {
  const { rows } = await pg.query<{ value: string }>(sql)
  return rows[0]!.value
}

/** `(c1, c2, ..)` if a view would otherwise have duplicate column names. */
async function columns(sql: string): Promise<string> {
  const { resultFields } = await pg.describeQuery(sql)
  const names = resultFields.map((field) => field.name)
  return new Set(names).size === names.length ? '' : `(${names.map((_, position) => `c${position}`).join(', ')})`
}

/** The tree without what serves only for display: positions in the text, the form of casts, aliases. */
async function tree(view: string): Promise<string> {
  const text = await value(
    `SELECT ev_action::text AS value FROM pg_catalog.pg_rewrite WHERE ev_class = '${view}'::regclass`,
  )
  return text
    .replace(/ :(location|stmt_location|stmt_len) -?\d+/g, '')
    .replace(/ :(funcformat|coercionformat|coerceformat|relabelformat|convertformat|row_format) \d+/g, '')
    .replace(/ :isNatural (true|false)/g, '')
    .replace(/\{ALIAS :aliasname (?:[^ \\]|\\.)* :colnames (?:<>|\((?:[^()\\]|\\.)*\))\}/g, 'ALIAS')
    .replace(/ :(alias|eref|join_using_alias|operName|aliascolnames) (ALIAS|<>|\((?:[^()\\]|\\.)*\))/g, '')
}

async function rows(view: string): Promise<string[]> {
  const found = await pg.query<{ value: string }>(`SELECT v::text AS value FROM ${view} AS v`)
  return found.rows.map((row) => row.value).sort()
}

describe('the query of a view is written and analysed again', () => {
  test.each(CASES)('%s', async (_name, sql, options = {}) => {
    await pg.exec('BEGIN; SET LOCAL search_path = app, public')
    try {
      await pg.exec(`CREATE VIEW app.original${await columns(sql)} AS ${sql}`)
      for (const change of options.change ?? []) await pg.exec(change)
      const original = await tree('app.original')
      await pg.exec(
        "SET LOCAL search_path = ''; SET LOCAL DateStyle = 'SQL, DMY'; SET LOCAL IntervalStyle = sql_standard",
      )
      const written = await value("SELECT pgtrickle.print_query('app.original'::regclass) AS value")
      if (options.path !== undefined) await pg.exec(`SET LOCAL search_path = ${options.path}`)
      await pg.exec(`CREATE VIEW app.written AS ${written}`)
      if (options.rows) expect(await rows('app.written'), written).toEqual(await rows('app.original'))
      else expect(await tree('app.written'), written).toBe(original)
    } finally {
      await pg.exec('ROLLBACK')
    }
  })
})
