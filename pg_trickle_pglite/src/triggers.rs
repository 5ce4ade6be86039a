//! Keeps the triggers of sources as they have to be: on every table that a stream table reads, on the children of
//! such a table, on what a stream table with subscribers is stored in, and nowhere else.

use crate::error::{Result, SqlError};
use crate::push;
use crate::spi::{self, Values};
use crate::sql;

/// Triggers of a session that ended without taking them away: subscribers go with it.
pub fn tidy() -> Result<()> {
    let left = spi::catalog(
        "SELECT 1 FROM pg_trigger g WHERE g.tgname = '__pgt_before' \
         AND NOT EXISTS (SELECT FROM pgtrickle.source s WHERE s.relid = g.tgrelid) LIMIT 1",
        &[],
    )?;
    if left.is_empty() { Ok(()) } else { sync() }
}

/// Makes the triggers that are missing and drops those that nobody needs any more.
pub fn sync() -> Result<()> {
    let rows = spi::catalog(
        "WITH wanted AS (SELECT s.relid, CASE WHEN bool_and(s.inherited) THEN 'child' ELSE 'source' END AS kind \
         FROM (SELECT s.relid::oid, s.inherited FROM pgtrickle.source s JOIN pgtrickle.stream_table t ON t.id = s.id \
         WHERE t.status = 'ACTIVE' UNION ALL SELECT t.storage::oid, false FROM pgtrickle.stream_table t \
         WHERE t.id = ANY ($1::int[])) AS s GROUP BY 1), \
         present AS (SELECT g.tgrelid AS relid, \
         CASE WHEN bool_or(g.tgname = '__pgt_insert') THEN 'source' ELSE 'child' END AS kind FROM pg_trigger g \
         WHERE g.tgfoid = 'pgtrickle.maintain()'::regprocedure AND g.tgname IN ('__pgt_before', '__pgt_insert', \
         '__pgt_update', '__pgt_delete', '__pgt_truncate', '__pgt_after') GROUP BY 1) \
         SELECT format('%I.%I', n.nspname, c.relname), coalesce(w.kind, ''), p.kind IS NOT NULL \
         FROM wanted w FULL JOIN present p ON p.relid = w.relid \
         JOIN pg_class c ON c.oid = coalesce(w.relid, p.relid) JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE w.kind IS DISTINCT FROM p.kind ORDER BY 1",
        &[Some(&push::read())],
    )?;
    for row in rows {
        let mut values = Values::of(row);
        let table = values.text()?;
        let wanted = values.text()?;
        let mut statements = Vec::new();
        if values.boolean()? {
            statements.extend(sql::drop_triggers(&table));
        }
        match wanted.as_str() {
            "source" => statements.extend(sql::source_triggers(&table)),
            "child" => statements.extend(sql::child_triggers(&table)),
            _ => {}
        }
        for statement in &statements {
            spi::catalog(statement, &[])?;
        }
        if !wanted.is_empty() && !table.starts_with(&sql::storage_name("")) {
            // A statement that is going on would not fire them. This fails when there is one; storage has none.
            spi::catalog(&sql::enable_trigger(&table), &[]).map_err(|error| {
                error.hint("Do it outside of statements that use the table, and of cursors over it.")
            })?;
        }
    }
    Ok(())
}

/// Writes down which tables a stream table reads, and their parents and children: a statement that names one of these
/// changes rows of the others.
pub fn record_sources(id: i32, relids: &[u32]) -> Result<()> {
    let list: Vec<String> = relids.iter().map(u32::to_string).collect();
    let (key, list) = (id.to_string(), format!("{{{}}}", list.join(",")));
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
         SELECT $1::int, relid, bool_and(inherited) FROM (TABLE below UNION ALL TABLE above) AS reads GROUP BY relid"
    } else {
        "INSERT INTO pgtrickle.source (id, relid, inherited) SELECT $1::int, unnest($2::oid[]), false"
    };
    spi::catalog(text, &[Some(&key), Some(&list)])?;
    check_sources(&key)
}

/// Only tables that can have triggers with transition tables, and only those whose rows change by statements.
fn check_sources(id: &str) -> Result<()> {
    let row = spi::catalog(
        "SELECT k.kind, format('%I.%I', n.nspname, c.relname) FROM pgtrickle.source s \
         JOIN pg_class c ON c.oid = s.relid JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL (SELECT \
         CASE WHEN n.nspname IN ('pg_catalog', 'information_schema') THEN 'system table' \
         WHEN c.relpersistence = 't' THEN 'temporary table' \
         ELSE CASE c.relkind WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' \
         WHEN 'S' THEN 'sequence' WHEN 't' THEN 'toast table' END END) k(kind) \
         WHERE s.id = $1::int AND k.kind IS NOT NULL ORDER BY 2",
        &[Some(id)],
    )?
    .into_iter()
    .next();
    let Some(row) = row else { return Ok(()) };
    let mut values = Values::of(row);
    let (kind, name) = (values.text()?, values.text()?);
    Err(
        SqlError::new("0A000", format!("a stream table cannot read the {kind} {name}"))
            .hint("Its changes fire no triggers. Read plain tables, views over them, or other stream tables.")
            .fragment(&name),
    )
}
