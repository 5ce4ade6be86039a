//! The tables that a stream table reads, as our catalog records them.

use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::Oid;
use crate::edge::spi::{self, Values};
use crate::text::names;

/// Records which tables a stream table reads, and their parents and children: a statement that names one of these changes
/// rows of the others.
pub fn record(id: i32, relids: &[Oid]) -> Result<()> {
    let (key, list) = (id.to_string(), names::array(relids));
    let has_relatives = spi::catalog_value(
        "SELECT 1 FROM pg_inherits WHERE inhrelid = ANY ($1::oid[]) OR inhparent = ANY ($1::oid[]) LIMIT 1",
        &[Some(&list)],
    )?;
    let text = if has_relatives.is_some() {
        "WITH RECURSIVE below(relid, inherited) AS (SELECT unnest($2::oid[]), false \
         UNION SELECT i.inhrelid, true FROM below b JOIN pg_inherits i ON i.inhparent = b.relid), \
         above(relid, inherited) AS (SELECT unnest($2::oid[]), false \
         UNION SELECT i.inhparent, true FROM above a JOIN pg_inherits i ON i.inhrelid = a.relid) \
         INSERT INTO pgtrickle.source (id, relid, inherited) \
         SELECT $1::int, relid, bool_and(inherited) FROM (TABLE below UNION ALL TABLE above) AS reads GROUP BY relid \
         RETURNING relid::oid"
    } else {
        "INSERT INTO pgtrickle.source (id, relid, inherited) SELECT $1::int, unnest($2::oid[]), false \
         RETURNING relid::oid"
    };
    let recorded = spi::catalog(text, &[Some(&key), Some(&list)])?;
    record_policies(&key, &list)?;
    if has_relatives.is_none() {
        return Ok(());
    }
    check_children(&names::array(spi::column::<String>(recorded)?))
}

/// Records the tables that policies of these tables read, also in views and in policies of others.
fn record_policies(id: &str, relids: &str) -> Result<()> {
    let is_protected = spi::catalog_value(
        "SELECT 1 FROM pg_class WHERE oid = ANY ($1::oid[]) AND relrowsecurity LIMIT 1",
        &[Some(relids)],
    )?;
    if is_protected.is_none() {
        return Ok(());
    }
    let row = spi::catalog(
        "WITH RECURSIVE reads(relid) AS (SELECT unnest($2::oid[]) UNION \
         SELECT n.relid FROM reads r CROSS JOIN LATERAL ( \
         SELECT d.refobjid FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid \
         JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid \
         WHERE c.oid = r.relid AND c.relrowsecurity AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid \
         UNION ALL SELECT d.refobjid FROM pg_rewrite w \
         JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid \
         WHERE w.ev_class = r.relid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.relid) AS n(relid)), \
         added AS (INSERT INTO pgtrickle.source (id, relid, inherited) SELECT $1::int, c.oid, true FROM pg_class c \
         WHERE c.oid IN (SELECT relid FROM reads) AND c.relkind IN ('r', 'p') ON CONFLICT DO NOTHING) \
         SELECT (pg_identify_object('pg_class'::regclass, c.oid, 0)).identity FROM pg_class c \
         WHERE c.oid IN (SELECT relid FROM reads) AND (c.relkind IN ('f', 'm') OR c.relpersistence = 't' \
         OR c.relkind = 'r' AND c.oid < 16384) ORDER BY 1 LIMIT 1",
        &[Some(id), Some(relids)],
    )?
    .pop();
    let Some(row) = row else { return Ok(()) };
    let name = Values::of(row).text()?;
    Err(SqlError::new(
        "0A000",
        format!("a stream table cannot read a table with a policy that reads {name}"),
    )
    .hint("Its changes fire no triggers. Let the policy read plain tables, or functions of its own.")
    .fragment(&name))
}

/// Refuses children that cannot have the triggers of a source. The core checks the tables that the query names.
fn check_children(relids: &str) -> Result<()> {
    let row = spi::catalog(
        "SELECT CASE relkind WHEN 'f' THEN 'foreign' ELSE 'temporary' END, \
         (pg_identify_object('pg_class'::regclass, oid, 0)).identity FROM pg_class \
         WHERE oid = ANY ($1::oid[]) AND (relkind = 'f' OR relpersistence = 't') ORDER BY 2",
        &[Some(relids)],
    )?
    .into_iter()
    .next();
    let Some(row) = row else { return Ok(()) };
    let mut values = Values::of(row);
    let (kind, name) = (values.text()?, values.text()?);
    Err(
        SqlError::new("0A000", format!("a stream table cannot read the {kind} table {name}"))
            .hint("Its changes fire no triggers. Read plain tables, views over them, or other stream tables.")
            .fragment(&name),
    )
}
