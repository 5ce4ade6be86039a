/** `exportStreamTables`: the stream tables of a database as DDL for another engine. */
import { TrickleError } from './errors.js'
import { quoted } from './quoted.js'

/** Where stream tables can go. */
export type ExportTarget = 'pg_trickle' | 'materialize' | 'risingwave' | 'feldera'

/** One stream table for another engine. */
export interface ExportedStreamTable {
  name: string
  schema: string
  /** The statements that make it there. */
  sql: string
  /** The tables, views and stream tables that it reads, as qualified names. */
  sources: string[]
  /** The columns that identify a row; empty when there can be duplicate rows. */
  key: string[]
  /** What the target cannot do, or does otherwise. */
  problems: string[]
}

/** What the target needs, in the order in which it has to run. */
export interface StreamTableExport {
  to: ExportTarget
  /** The whole script: tables, if the target has none of its own, and then stream tables. Problems are comments in it. */
  sql: string
  streamTables: ExportedStreamTable[]
}

/** Options of `exportStreamTables`. */
export interface ExportOptions {
  to: ExportTarget
}

/** A stream table, a view or a table, as the database describes it. */
interface Relation {
  oid: number
  kind: 'stream table' | 'view' | 'table'
  name: string
  schema: string
  columns: { name: string; type: string; notNull: boolean; generated: boolean }[]
  /** The primary key of a table, or what identifies a row of a stream table. */
  key: string[]
  /** The query of a stream table, as its user wrote it, or of a view. */
  query: string
  active: boolean
  searchPath: string
  /** The view whose query reads the sources: of a stream table, a hidden one. */
  reader: number
}

/** What reads what: the OIDs of a view and of a relation in its query. */
interface Reads {
  reader: number
  source: number
}

/** Runs a query whose rows are JSON. */
export type Ask = <T>(sql: string) => Promise<T[]>

const RELATIONS = `
SELECT pg_catalog.json_build_object('oid', c.oid::pg_catalog.int8,
  'kind', CASE WHEN t.id IS NOT NULL THEN 'stream table' WHEN c.relkind OPERATOR(pg_catalog.=) 'v' THEN 'view' ELSE 'table' END,
  'name', c.relname, 'schema', n.nspname,
  'columns', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname,
    'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull,
    'generated', a.attgenerated OPERATOR(pg_catalog.<>) '') ORDER BY a.attnum), '[]')
    FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0
    AND NOT a.attisdropped),
  'key', CASE WHEN t.id IS NOT NULL THEN coalesce(t.key, '{}') ELSE ARRAY(SELECT a.attname::pg_catalog.text
    FROM pg_catalog.pg_index x, pg_catalog.unnest(x.indkey) WITH ORDINALITY AS k(attnum, place), pg_catalog.pg_attribute a
    WHERE x.indrelid OPERATOR(pg_catalog.=) c.oid AND x.indisprimary AND k.place OPERATOR(pg_catalog.<=) x.indnkeyatts
    AND a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.=) k.attnum ORDER BY k.place) END,
  'query', CASE WHEN t.id IS NOT NULL THEN t.query WHEN c.relkind OPERATOR(pg_catalog.=) 'v' THEN pg_catalog.pg_get_viewdef(c.oid)
    ELSE '' END,
  'active', coalesce(t.status OPERATOR(pg_catalog.=) 'ACTIVE', true), 'searchPath', coalesce(t.search_path, ''),
  'reader', coalesce(t.definition::pg_catalog.oid, c.oid)::pg_catalog.int8)::pg_catalog.text AS json
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
LEFT JOIN pgtrickle.stream_table t ON t.relid::pg_catalog.oid OPERATOR(pg_catalog.=) c.oid
WHERE (c.relkind OPERATOR(pg_catalog.=) 'r' OR c.relkind OPERATOR(pg_catalog.=) 'p' OR c.relkind OPERATOR(pg_catalog.=) 'v')
  AND NOT n.nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ('{pg_catalog,information_schema,pgtrickle,pg_toast}'::pg_catalog.text[])
ORDER BY n.nspname, c.relname`

const READS = `
SELECT DISTINCT pg_catalog.json_build_object('reader', w.ev_class::pg_catalog.int8, 'source', d.refobjid::pg_catalog.int8)::pg_catalog.text AS json
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_rewrite w ON w.oid OPERATOR(pg_catalog.=) d.objid
WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid
  AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
  AND d.refobjid OPERATOR(pg_catalog.<>) w.ev_class`

const TARGETS: readonly ExportTarget[] = ['pg_trickle', 'materialize', 'risingwave', 'feldera']

/** What a query contains that a target does not have. The text is looked at without its strings and comments. */
interface Lack {
  pattern: RegExp
  problem: string
}

const lacks = (pattern: RegExp, problem: string): Lack => ({ pattern, problem })

const AGES = lacks(
  /\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|current_(?:date|time|timestamp)|localtime\w*)\b/i,
  'it reads the clock, which the target treats in its own way',
)
const LIMITED = lacks(/\bwith\s+ties\b/i, 'FETCH FIRST .. WITH TIES')
const RECURSIVE = /\bwith\s+recursive\b/i
const LACKS: Record<ExportTarget, Lack[]> = {
  pg_trickle: [],
  materialize: [
    lacks(RECURSIVE, 'WITH RECURSIVE: write it as WITH MUTUALLY RECURSIVE'),
    lacks(/\b(?:rollup|cube|grouping\s+sets)\b/i, 'GROUPING SETS, ROLLUP and CUBE'),
    lacks(/\bwithin\s+group\b/i, 'ordered-set aggregates'),
    lacks(/\b(?:json_table|xmltable|json_query|json_value|xmlelement|xmlagg)\b/i, 'SQL/JSON and XML functions'),
    lacks(/\btablesample\b/i, 'TABLESAMPLE'),
    lacks(/\bgroups\s+between\b/i, 'window frames with GROUPS'),
    LIMITED,
    AGES,
  ],
  risingwave: [
    lacks(RECURSIVE, 'WITH RECURSIVE'),
    lacks(/\b(?:json_table|xmltable|json_query|json_value|xmlelement|xmlagg)\b/i, 'SQL/JSON and XML functions'),
    lacks(/\btablesample\b/i, 'TABLESAMPLE'),
    lacks(/\bgroups\s+between\b/i, 'window frames with GROUPS'),
    AGES,
  ],
  feldera: [
    lacks(RECURSIVE, 'WITH RECURSIVE: declare a recursive view'),
    lacks(
      /\b(?:percentile_cont|percentile_disc|mode|corr|regr_\w+|string_agg|json_agg|jsonb_agg|json_object_agg)\s*\(/i,
      'aggregates that it lacks: percentiles, mode, corr, regr_*, string_agg, json_agg',
    ),
    lacks(/\b(?:ntile|nth_value|percent_rank|cume_dist)\s*\(/i, 'ntile, nth_value, percent_rank and cume_dist'),
    lacks(/\bexclude\s+(?:current|group|ties)\b/i, 'window frames with EXCLUDE'),
    lacks(/\b(?:json_table|xmltable|json_query|json_value|xmlelement|xmlagg)\b/i, 'SQL/JSON and XML functions'),
    lacks(/\bdistinct\s+on\b/i, 'DISTINCT ON'),
    lacks(/\btablesample\b/i, 'TABLESAMPLE'),
    lacks(/::/, 'casts with :: have to be CAST(.. AS ..) for some types'),
    LIMITED,
    AGES,
  ],
}

const STRINGS = /'(?:[^']|'')*'|\$(\w*)\$[^]*?\$\1\$|--[^\n]*|\/\*[^]*?\*\//g

/** The script for a target. */
export async function exportTo(to: ExportTarget, ask: Ask): Promise<StreamTableExport> {
  if (!TARGETS.includes(to)) {
    throw new TrickleError(`exportStreamTables: there is no target ${JSON.stringify(to)}`, {
      code: '22023',
      hint: `Give one of ${TARGETS.join(', ')}.`,
    })
  }
  const relations = await ask<Relation>(RELATIONS)
  const reads = await ask<Reads>(READS)
  const parts: string[] = []
  const streamTables: ExportedStreamTable[] = []
  for (const { relation, sources } of inOrder(relations, reads)) {
    const names = sources.map(({ schema, name }) => `${schema}.${name}`).sort()
    if (relation.kind === 'stream table') {
      const exported = streamTable(to, relation, names)
      streamTables.push(exported)
      const { schema, name, problems, sql } = exported
      parts.push([...problems.map((problem) => `-- ${plain(schema, name)}: ${problem}`), sql].join('\n'))
      // Tables and views of PostgreSQL come with pg_dump, whole.
    } else if (to !== 'pg_trickle') {
      parts.push(relation.kind === 'view' ? view(to, relation) : createTable(to, relation))
    }
  }
  return { to, sql: parts.map((part) => `${part}\n`).join('\n'), streamTables }
}

/** The stream tables and all that they read, each after what it reads itself. */
function inOrder(relations: Relation[], reads: Reads[]): { relation: Relation; sources: Relation[] }[] {
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]))
  const seen = new Set<number>()
  const ordered: { relation: Relation; sources: Relation[] }[] = []
  const visit = (relation: Relation): void => {
    if (seen.has(relation.oid)) return
    seen.add(relation.oid)
    const sources =
      relation.kind === 'table'
        ? []
        : reads.filter(({ reader }) => reader === relation.reader).flatMap(({ source }) => byOid.get(source) ?? [])
    sources.forEach(visit)
    ordered.push({ relation, sources })
  }
  relations.filter(({ kind }) => kind === 'stream table').forEach(visit)
  // All tables first: that is how people read a schema.
  const rank = ({ relation }: { relation: Relation }) => (relation.kind === 'table' ? 0 : 1)
  return ordered.sort((one, other) => rank(one) - rank(other))
}

/** The path of a session that has not set one. */
const USUAL_PATH = /^(?:"\$user", ?)?public$/

function streamTable(to: ExportTarget, relation: Relation, sources: string[]): ExportedStreamTable {
  const { name, schema, key, searchPath } = relation
  const query = relation.query.trim().replace(/;\s*$/, '')
  const problems: string[] = []
  if (to !== 'pg_trickle') {
    const bare = query.replace(STRINGS, "''")
    problems.push(...LACKS[to].filter(({ pattern }) => pattern.test(bare)).map(({ problem }) => problem))
    // An engine sorts when it is read, not what it stores; a query that takes the first rows sorts to find them.
    if (/\border\s+by\b(?![^]*\))/i.test(bare) && !/\b(?:limit|fetch)\b/i.test(bare)) {
      problems.push('its ORDER BY is not kept: sort where you read')
    }
    if (!USUAL_PATH.test(searchPath)) problems.push(`its names were found along the search_path ${searchPath}`)
    const elsewhere = [`${schema}.${name}`, ...sources].filter((source) => !source.startsWith('public.'))
    if (to === 'feldera' && elsewhere.length > 0)
      problems.push(`Feldera has one schema, not those of ${elsewhere.join(', ')}`)
  }
  return { name, schema, sources, key, problems, sql: definition(to, relation, query) }
}

function view(to: ExportTarget, { schema, name, query }: Relation): string {
  return `CREATE VIEW ${nameFor(to, schema, name)} AS\n${query.trim()}`
}

const nameFor = (to: ExportTarget, schema: string, name: string): string =>
  to === 'feldera' ? quoted(name) : quoted(schema, name)

function definition(to: ExportTarget, { schema, name, active, searchPath }: Relation, query: string): string {
  if (to === 'pg_trickle') {
    // The query means what it meant: its names were found along this path.
    const path = `SET search_path = ${searchPath === '' ? "''" : searchPath};`
    const call = [
      `  name => ${literal(quoted(schema, name))}`,
      `  query => ${dollars(query)}`,
      `  schedule => NULL`,
      `  refresh_mode => 'IMMEDIATE'`,
      `  initialize => ${active}`,
    ]
    return `${path}\nSELECT pgtrickle.create_stream_table(\n${call.join(',\n')}\n);\nRESET search_path;`
  }
  return `CREATE MATERIALIZED VIEW ${nameFor(to, schema, name)} AS\n${query};`
}

function createTable(to: ExportTarget, { schema, name, columns, key }: Relation): string {
  // Materialize keeps no keys of its own: the source that it reads knows them.
  const keyed = key.length > 0 && to !== 'materialize'
  const lines = columns.map(
    ({ name: column, type, notNull }) => `  ${quoted(column)} ${typeFor(to, type)}${notNull ? ' NOT NULL' : ''}`,
  )
  if (keyed) lines.push(`  PRIMARY KEY (${key.map((column) => quoted(column)).join(', ')})`)
  const computed = columns.filter(({ generated }) => generated).map((column) => column.name)
  const note =
    computed.length > 0 ? `-- ${plain(schema, name)}: generated there, plain here: ${computed.join(', ')}\n` : ''
  return `${note}CREATE TABLE ${nameFor(to, schema, name)} (\n${lines.join(',\n')}\n);`
}

/** Types that a target knows by another name, or without a length. */
function typeFor(to: ExportTarget, type: string): string {
  const array = type.endsWith('[]') ? '[]' : ''
  const base = array === '' ? type : type.slice(0, -2)
  if (to === 'risingwave') {
    return (
      base
        .replace(/^(?:character varying|character|varchar)(?:\(\d+\))?$|^text$/, 'varchar')
        .replace(/^numeric\(.*\)$/, 'numeric')
        .replace(/^(timestamp|time)(?:\(\d\))/, '$1')
        .replace(/^json$/, 'jsonb') + array
    )
  }
  if (to === 'feldera') {
    const known = base
      .replace(/^character varying/, 'varchar')
      .replace(/^text$/, 'varchar')
      .replace(/^(?:json|jsonb)$/, 'variant')
      .replace(/^numeric$/, 'decimal(28, 10)')
      .replace(/^numeric/, 'decimal')
      .replace(/^double precision$/, 'double')
      .replace(/^bytea$/, 'varbinary')
      .replace(/ with(?:out)? time zone$/, '')
    return array === '' ? known : `${known} array`
  }
  return type
}

const plain = (schema: string, name: string): string => (schema === 'public' ? name : `${schema}.${name}`)

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The text between dollar signs with a tag that it does not contain. */
function dollars(text: string): string {
  let tag = ''
  while (text.includes(`$${tag}$`) || text.endsWith('$')) tag = `q${tag}`
  return text.endsWith('$') ? literal(text) : `$${tag}$${text}$${tag}$`
}
