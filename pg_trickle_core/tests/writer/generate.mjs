// Writes down what the catalog says of everything that the fixtures of the reader mention:
//
//     node generate.mjs <directory of @electric-sql/pglite> <17 or 18>
//
// One line for each object: what it is, its OID (or what else was asked for), and the answer, with tabs between.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const [directory, major] = process.argv.slice(2)
const { PGlite } = await import(pathToFileURL(resolve(directory, 'dist/index.js')).href)
const here = fileURLToPath(new URL('.', import.meta.url))
const fixtures = `${here}/../fixtures`
const pg = await PGlite.create()
for (const statement of readFileSync(`${fixtures}/views.sql`, 'utf8').split(/;\n/)) await pg.exec(statement)

const rows = async (sql, parameters) =>
  (await pg.query(sql, parameters, { rowMode: 'array' })).rows.map((row) => row.map((value) => String(value ?? '')))

const trees = new Map(
  await rows(`SELECT c.relname, r.ev_action::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1`),
)
for (const file of readdirSync(`${fixtures}/${major}`)) {
  if (readFileSync(`${fixtures}/${major}/${file}`, 'utf8').trim() !== trees.get(file.replace('.txt', ''))) {
    throw new Error(`${file} is another tree: its OIDs would mean other objects`)
  }
}
const all = [...trees.values()].join(' ')

// Any number may be an OID; those that are none find nothing. Types bring those that they are made of.
const oids = `WITH RECURSIVE n(oid) AS (SELECT unnest($1::oid[]) UNION SELECT m.oid FROM n JOIN pg_type t ON t.oid = n.oid,
  unnest(array[t.typelem, t.typarray, t.typbasetype]) m(oid) WHERE m.oid <> 0)`
const numbers = [...new Set(all.match(/\b\d+\b/g))].map(Number).filter((number) => number < 2 ** 31)
// Modifiers stand in fields of their own, and as the second argument of length coercions.
const typmods = new Set(
  [...all.matchAll(/typmods? (?:\(i )?([-\d ]+)/g)].flatMap((match) => match[1].trim().split(' ')),
)
for (const [, datum] of all.matchAll(/:consttype 23 [^{}]*constvalue 4 \[ ([-\d ]+) \]/g)) {
  typmods.add(String(new DataView(Int8Array.from(datum.split(' '), Number).buffer).getInt32(0, true)))
}

await pg.exec('CREATE CAST (text AS pg_node_tree) WITHOUT FUNCTION')
await pg.exec("SET search_path = pg_catalog; SET IntervalStyle = iso_8601; SET TimeZone = 'UTC'")

const OPERATOR = `o.oid, n.nspname, o.oprname, o.oprleft::oid, o.oprright::oid, o.oprresult::oid, o.oprcode::oid,
  p.provolatile FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace JOIN pg_proc p ON p.oid = o.oprcode`
const lines = []
const note = (what, found) => lines.push(...found.map((row) => [what, ...row]))

note(
  'function',
  await rows(
    `SELECT p.oid, n.nspname, p.proname, p.provolatile, p.prokind, p.proretset, p.proisstrict, p.proargtypes,
      p.provariadic::oid, p.prorettype::oid, CASE WHEN p.prorettype = 'record'::regtype
      THEN (SELECT string_agg(coalesce(nullif(a.name, ''), 'column' || a.k), ' ' ORDER BY a.k)
        FROM (SELECT name, row_number() OVER (ORDER BY n) AS k FROM unnest(p.proargmodes, p.proargnames)
          WITH ORDINALITY x(mode, name, n) WHERE mode IN ('o', 'b', 't')) a) END
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = ANY ($1::oid[]) ORDER BY 1`,
    [numbers],
  ),
)
const operators = await rows(`SELECT ${OPERATOR} WHERE o.oid = ANY ($1::oid[])`, [numbers])
const types = await rows(
  `${oids} SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory,
    CASE WHEN t.typsubscript = 'array_subscript_handler'::regproc AND t.typlen = -1 THEN t.typelem ELSE 0 END::oid,
    t.typarray::oid, t.typbasetype::oid, t.typtypmod, t.typrelid::oid, t.typcollation::oid
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid IN (SELECT oid FROM n) ORDER BY 1`,
  [numbers],
)
note('type', types)

for (const [oid] of types) {
  for (const typmod of typmods) {
    const found = await rows(
      `SELECT n.nspname = 'pg_catalog' AND quote_ident(e.typname) = substring(format_type(e.oid, ${typmod}) FROM '^[^ (]+'),
        e.typmodin <> 0, format_type(t.oid, ${typmod}) FROM pg_type t
      JOIN pg_type e ON e.oid = CASE WHEN t.typsubscript = 'array_subscript_handler'::regproc AND t.typlen = -1
        THEN t.typelem ELSE t.oid END
      JOIN pg_namespace n ON n.oid = e.typnamespace WHERE t.oid = ${oid}`,
    ).catch(() => [])
    // A modifier of another type may be none of this one.
    if (found.length === 0) continue
    const [[isPlain, takesTypmod, text]] = found
    if (typmod !== '-1' && takesTypmod !== 'true') continue
    // Words of SQL are not quoted here and mean the same under every search_path; other names need their schema.
    note('type_sql', [[oid, typmod, isPlain === 'true' ? `pg_catalog.${text}` : text]])
  }
  const equality = await rows(
    `WITH RECURSIVE b AS (SELECT oid, typbasetype, typtype FROM pg_type WHERE oid = ${oid}
      UNION ALL SELECT t.oid, t.typbasetype, t.typtype FROM b JOIN pg_type t ON t.oid = b.typbasetype),
    base AS (SELECT t.* FROM b JOIN pg_type t USING (oid) WHERE b.typtype <> 'd'),
    class AS (SELECT c.opcfamily, c.opcintype FROM base t, pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
      WHERE c.opcdefault AND a.amname = 'btree' AND (c.opcintype = t.oid
        OR c.opcintype = 'anyarray'::regtype AND t.typsubscript = 'array_subscript_handler'::regproc
        OR c.opcintype = 'anyenum'::regtype AND t.typtype = 'e' OR c.opcintype = 'record'::regtype AND t.typtype = 'c'
        OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource = t.oid AND k.casttarget = c.opcintype
          AND k.castmethod = 'b' AND k.castcontext = 'i')) ORDER BY c.opcintype = t.oid DESC LIMIT 1)
    SELECT string_agg(m.amopopr::text, ' ' ORDER BY array_position('{3,1,5}', m.amopstrategy::int)) FROM class c
    JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
      AND m.amopstrategy IN (1, 3, 5)`,
  )
  const found = equality[0][0]
  note('equality', [[oid, found]])
  if (found) {
    operators.push(...(await rows(`SELECT ${OPERATOR} WHERE o.oid = ANY ('{${found.replaceAll(' ', ',')}}'::oid[])`)))
  }
}
note(
  'operator',
  [...new Map(operators.map((row) => [row[0], row])).values()].sort((a, b) => a[0] - b[0]),
)
note(
  'collation',
  await rows(
    `SELECT c.oid, n.nspname, c.collname FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
    WHERE c.oid = ANY ($1::oid[]) ORDER BY 1`,
    [numbers],
  ),
)
note(
  'relation',
  await rows(
    `${oids} SELECT c.oid, n.nspname, c.relname, c.relkind, (SELECT string_agg(concat_ws(' ', a.atttypid, a.atttypmod,
      a.attcollation, a.attisdropped, a.attname), ';' ORDER BY a.attnum) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind NOT IN ('i', 'I', 't', 'S')
      AND (c.oid = ANY ($1::oid[]) OR c.reltype IN (SELECT oid FROM n)) ORDER BY 1`,
    [numbers],
  ),
)
for (const node of new Set(all.match(/\{CONST [^{}]*\}/g))) {
  if (node.includes(':constisnull true')) continue
  const [[expression]] = await rows('SELECT pg_get_expr($1::text::pg_node_tree, 0)', [node])
  note('constant', [[node, ...(await rows(`SELECT format('%s', ${expression})`))[0]]])
}

const escape = (text) => text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n')
writeFileSync(`${here}/catalog-${major}.tsv`, lines.map((line) => `${line.map(escape).join('\t')}\n`).join(''))
console.log(`${lines.length} answers of PostgreSQL ${major}`)
await pg.close()
