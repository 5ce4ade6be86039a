//! What roles may do with stream tables and with what these read.

use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::Oid;
use crate::edge::spi::{self, Values};
use crate::text::names;
use pg_trickle_core::sorted::Set;

/// Whether a role may read a relation, and could name it.
pub fn may_read(role: Oid, relid: Oid) -> Result<bool> {
    is_true(
        "SELECT has_table_privilege($1::oid, c.oid, 'SELECT') AND has_schema_privilege($1::oid, c.relnamespace, 'USAGE') \
         FROM pg_class c WHERE c.oid = $2::oid",
        role,
        relid,
    )
}

/// Whether a role may do what the owner of a relation may.
pub fn may_change(role: Oid, relid: Oid) -> Result<bool> {
    is_true(
        "SELECT pg_has_role($1::oid, c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = $2::oid",
        role,
        relid,
    )
}

fn is_true(question: &str, role: Oid, relid: Oid) -> Result<bool> {
    let answer = spi::catalog_value(question, &[Some(&role.to_string()), Some(&relid.to_string())])?;
    Ok(answer.as_deref() == Some("t"))
}

/// The first of these relations that a definition view, owned by this role, reads without the privilege: what PostgreSQL
/// checks when the query runs. Who reads a relation in a view is the view's owner, or the role that runs the query where
/// the view has security_invoker.
pub fn lost(definition: Oid, owner: Oid, relations: &Set<Oid>) -> Result<Option<Box<SqlError>>> {
    let row = spi::catalog(
        "WITH RECURSIVE reads(relid, attnum, reader, within) AS ( \
         SELECT $1::oid, 0, $2::oid, $2::oid UNION \
         SELECT c.oid, d.refobjsubid, r.within, CASE WHEN (SELECT bool_or(o.option_value::bool) \
         FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'security_invoker') THEN $2::oid ELSE c.relowner END \
         FROM reads r JOIN pg_rewrite w ON w.ev_class = r.relid AND w.rulename = '_RETURN' \
         JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid \
         AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.relid AND d.refobjid = ANY ($3::oid[]) \
         JOIN pg_class c ON c.oid = d.refobjid) \
         SELECT format('%I.%I', n.nspname, c.relname), quote_ident(pg_get_userbyid(r.reader)) FROM reads r \
         JOIN pg_class c ON c.oid = r.relid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE NOT has_table_privilege(r.reader, r.relid, 'SELECT') AND NOT CASE WHEN r.attnum = 0 \
         THEN has_any_column_privilege(r.reader, r.relid, 'SELECT') \
         ELSE has_column_privilege(r.reader, r.relid, r.attnum::int2, 'SELECT') END ORDER BY 1 LIMIT 1",
        &[
            Some(&definition.to_string()),
            Some(&owner.to_string()),
            Some(&names::array(relations.iter())),
        ],
    )?
    .pop();
    let Some(row) = row else { return Ok(None) };
    let mut values = Values::of(row);
    let (table, reader) = (values.text()?, values.text()?);
    Ok(Some(
        SqlError::new(
            "42501",
            format!("permission denied for table {table}: {reader} may no longer read it"),
        )
        .detail("A stream table is maintained as its owner, and a view is read as the view's.")
        .hint(format!(
            "GRANT SELECT ON {table} TO {reader}, or drop the stream table."
        )),
    ))
}

/// Fails unless the owner of a stream table may make triggers on these tables, which it is about to get: by itself, or by
/// the owner of a view over them that it may read. Whoever has triggers on a table can make its changes slow and fail.
pub fn may_follow(id: i32, tables: &[Oid]) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    let key = id.to_string();
    let owner = spi::catalog_number::<Oid>(
        "SELECT relowner FROM pg_class WHERE oid = (SELECT definition FROM pgtrickle.stream_table WHERE id = $1::int)",
        &[Some(&key)],
    )?
    .unwrap_or_default()
    .to_string();
    let is_superuser = spi::catalog_value("SELECT rolsuper FROM pg_authid WHERE oid = $1::oid", &[Some(&owner)])?;
    if is_superuser.as_deref() == Some("t") {
        return Ok(());
    }
    // A view with security_invoker is read as if it were not there: by the role that runs the query.
    let row = spi::catalog(
        "WITH RECURSIVE granted(relid, reader) AS ( \
         SELECT t.definition::oid, $2::oid FROM pgtrickle.stream_table t WHERE t.id = $1::int UNION \
         SELECT c.oid, CASE WHEN (SELECT bool_or(o.option_value::bool) FROM pg_options_to_table(c.reloptions) o \
         WHERE o.option_name = 'security_invoker') THEN $2::oid ELSE c.relowner END \
         FROM granted g JOIN pg_rewrite w ON w.ev_class = g.relid AND w.rulename = '_RETURN' \
         JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid \
         AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> g.relid \
         JOIN pg_class c ON c.oid = d.refobjid WHERE c.relkind = 'v' OR has_table_privilege(g.reader, c.oid, 'TRIGGER')) \
         SELECT format('%I.%I', n.nspname, v.relname), quote_ident(pg_get_userbyid($2::oid)) FROM pg_class v \
         JOIN pg_namespace n ON n.oid = v.relnamespace \
         WHERE v.oid IN (SELECT coalesce(t.relid::oid, s.relid) FROM unnest($3::oid[]) s(relid) \
         LEFT JOIN pgtrickle.stream_table t ON t.storage = s.relid \
         WHERE NOT has_table_privilege($2::oid, s.relid, 'TRIGGER') AND s.relid NOT IN (SELECT g.relid FROM granted g)) \
         ORDER BY 1 LIMIT 1",
        &[Some(&key), Some(&owner), Some(&names::array(tables))],
    )?
    .pop();
    let Some(row) = row else { return Ok(()) };
    let mut values = Values::of(row);
    let (table, owner) = (values.text()?, values.text()?);
    Err(SqlError::new(
        "42501",
        format!("permission denied for table {table}: a stream table over it needs TRIGGER"),
    )
    .detail("A stream table makes triggers on the tables that it reads. They run its query, which can fail.")
    .hint(format!(
        "GRANT TRIGGER ON {table} TO {owner}. If the query reads it through a view, it is enough that the view's owner has \
         the privilege."
    ))
    .fragment(&table))
}
