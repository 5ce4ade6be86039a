/** What a connection has in the one session of PGlite, and how it leaves it and comes back to it. */
import { quoted } from '../quoted.js'
import { literal } from './sql-text.js'

/** Somebody who uses the session: a connection, or the program that serves. */
export interface Occupant {
  readonly id: number
  /** What to bring back when it enters; undefined while it is inside, or has never been there. */
  saved: Saved | undefined
  /** What it has in the schema of temporary objects: out of the way under other names while it is outside. */
  parked: Parked[]
  /** Statements of SQL's PREPARE, by name: while it is outside, the texts that make them again. */
  prepared: Map<string, string>
  /** Names of settings that PostgreSQL does not list, because no library has defined them: `app.user`. */
  custom: Set<string>
  /** Cursors that outlive their transactions. They stay in the session. */
  cursors: Set<string>
}

/** As it is found when somebody leaves. */
export interface Saved {
  user: string
  role: string
  settings: Record<string, string> | null
}

export interface Found extends Saved {
  custom: Record<string, string> | null
  prepared: Record<string, string> | null
  cursors: string[] | null
  channels: string[] | null
  temporary: boolean
}

/** An object of the schema of temporary objects. */
export interface Parked {
  catalog: string
  oid: number
  name: string
}

export function newOccupant(id: number): Occupant {
  return { id, saved: undefined, parked: [], prepared: new Map(), custom: new Set(), cursors: new Set() }
}

/** How many names of settings are kept. */
const MOST_CUSTOM = 500

/** Gives a value to a setting with a point in its name. */
const SETS = /\bset\s+(?:session\s+|local\s+)?[a-z_][\w$]*\.|\bset_config\s*\(/i

/** Notes what could be the name of a setting, where a statement sets some. Its parameters may hold the name. */
export function noteSettings({ custom }: Occupant, sql: string, parameters?: string): void {
  if (!SETS.test(sql)) return
  const text = parameters ?? sql
  for (const [name] of text.matchAll(/\b[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)+/g)) {
    if (custom.size < MOST_CUSTOM) custom.add(name.toLowerCase())
  }
}

/** How the names of objects begin that are out of the way. */
const PARKED = 'pgtrickle-serve:'

/** The catalogs whose objects can be temporary: name, and the columns of the name and the schema. */
const CATALOGS = [
  ['pg_class', 'relname', 'relnamespace'],
  ['pg_type', 'typname', 'typnamespace'],
  ['pg_proc', 'proname', 'pronamespace'],
  ['pg_statistic_ext', 'stxname', 'stxnamespace'],
] as const

const isTemporary = (name: string, schema: string) =>
  `${schema} OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() AND NOT pg_catalog.starts_with(${name}::pg_catalog.text, '${PARKED}')`

/** What the one who is inside has, and which of the settings $1 it has. As hexadecimal digits, because any encoding of the client has those. */
export const LEAVE = `SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'user', session_user,
  'role', pg_catalog.current_setting('role'),
  'settings', (SELECT pg_catalog.json_object_agg(s.name, s.setting)
    FROM pg_catalog.pg_settings s WHERE s.source OPERATOR(pg_catalog.=) 'session'),
  'custom', (SELECT pg_catalog.json_object_agg(n.name, pg_catalog.current_setting(n.name, true))
    FROM pg_catalog.unnest($1::pg_catalog.text[]) AS n (name)
    WHERE pg_catalog.current_setting(n.name, true) OPERATOR(pg_catalog.<>) '' AND NOT EXISTS (
      SELECT 1 FROM pg_catalog.pg_settings s WHERE s.name OPERATOR(pg_catalog.=) n.name)),
  'prepared', (SELECT pg_catalog.json_object_agg(p.name, p.statement)
    FROM pg_catalog.pg_prepared_statements p WHERE p.from_sql),
  'cursors', (SELECT pg_catalog.json_agg(c.name) FROM pg_catalog.pg_cursors c WHERE c.is_holdable),
  'channels', (SELECT pg_catalog.json_agg(l.l) FROM pg_catalog.pg_listening_channels() l),
  'temporary', pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AND (${CATALOGS.map(
    ([catalog, name, schema]) =>
      `EXISTS (SELECT 1 FROM pg_catalog.${catalog} t WHERE ${isTemporary(`t.${name}`, `t.${schema}`)})`,
  ).join(' OR ')})
)::pg_catalog.text, 'UTF8'), 'hex')`

/**
 * Nothing of anybody is left, apart from temporary objects and prepared statements. In PGlite, RESET SESSION AUTHORIZATION
 * does nothing.
 */
export function resetting(superuser: string): string {
  return `SET SESSION AUTHORIZATION ${quoted(superuser)}; RESET ROLE; RESET ALL; DISCARD SEQUENCES`
}

export function readFound(hex: string): Found {
  return JSON.parse(Buffer.from(hex, 'hex').toString()) as Found
}

/** Renames the temporary objects of the occupant $1, and returns what they were called. */
export const PARK = CATALOGS.map(([catalog, name, schema]) => {
  const isOne = isTemporary(`t.${name}`, `t.${schema}`)
  const set = `${name} = pg_catalog.concat('${PARKED}', $1::pg_catalog.text, ':', t.oid)::pg_catalog.name`
  const old = 'old o'
  return `WITH old AS MATERIALIZED (
    SELECT t.oid, t.${name} AS name FROM pg_catalog.${catalog} t WHERE ${isOne}
  ), renamed AS (
    UPDATE pg_catalog.${catalog} t SET ${set} FROM ${old} WHERE o.oid OPERATOR(pg_catalog.=) t.oid
  )
  SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
    'catalog', '${catalog}', 'oid', o.oid::pg_catalog.int8, 'name', o.name)) FROM ${old}`
})

/** Gives the objects in the array $1 their names back. */
export const UNPARK = CATALOGS.map(([catalog, name]) => {
  const set = `${name} = v.name::pg_catalog.name`
  const columns = '(catalog pg_catalog.text, oid pg_catalog.oid, name pg_catalog.text)'
  return `UPDATE pg_catalog.${catalog} t SET ${set}
    FROM pg_catalog.json_to_recordset($1::pg_catalog.json) AS v ${columns}
    WHERE v.catalog OPERATOR(pg_catalog.=) '${catalog}' AND v.oid OPERATOR(pg_catalog.=) t.oid`
})

/** Returns the statements that drop the objects: each of them may have dropped what the next one names. */
export function dropping(parked: readonly Parked[]): string | undefined {
  if (parked.length === 0) return undefined
  const [routines, relations, types] = ['pg_proc', 'pg_class', 'pg_type'].map((catalog) => {
    const oids = parked.flatMap((object) => (object.catalog === catalog ? object.oid : []))
    return `OPERATOR(pg_catalog.=) ANY ('{${oids.join(',')}}'::pg_catalog.oid[])`
  })
  return `SELECT pg_catalog.json_agg(d.command ORDER BY d.place) FROM (
    SELECT 0, pg_catalog.format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::pg_catalog.regprocedure)
    FROM pg_catalog.pg_proc p WHERE p.oid ${routines}
    UNION ALL
    SELECT 1, pg_catalog.format('DROP %s IF EXISTS pg_temp.%I CASCADE', k.kind, c.relname)
    FROM pg_catalog.pg_class c,
      (VALUES ('r', 'TABLE'), ('p', 'TABLE'), ('v', 'VIEW'), ('S', 'SEQUENCE'), ('c', 'TYPE')) AS k (relkind, kind)
    WHERE c.oid ${relations} AND k.relkind OPERATOR(pg_catalog.=) c.relkind::pg_catalog.text
    UNION ALL
    SELECT 2, pg_catalog.format('DROP TYPE IF EXISTS pg_temp.%I CASCADE', t.typname)
    FROM pg_catalog.pg_type t
    WHERE t.oid ${types} AND t.typtype OPERATOR(pg_catalog.=) ANY ('{d,e,r}'::pg_catalog."char"[])
  ) AS d (place, command)`
}

/** Everything of `saved` as one text of statements. */
export function restoring({ user, role, settings }: Saved): string {
  const statements = Object.entries(settings ?? {}).map((setting) => {
    const [name, value] = setting.map((text) => literal(text))
    return `SELECT pg_catalog.set_config(${name},${value}, false)`
  })
  if (user !== '') statements.push(`SET SESSION AUTHORIZATION ${quoted(user)}`)
  if (role !== 'none') statements.push(`SET ROLE ${quoted(role)}`)
  return statements.join('; ')
}
