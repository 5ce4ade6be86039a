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
    if has_relatives.is_none() {
        return Ok(());
    }
    let relids = recorded.into_iter().map(|row| Values::of(row).text());
    check_children(&names::array(relids.collect::<Result<Vec<_>>>()?))
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
