//! Keeps the triggers of sources as they have to be: on every table that a stream table reads, on the children of
//! such a table, on what a stream table with subscribers is stored in, and nowhere else.

use crate::error::{Result, SqlError};
use crate::ffi::Oid;
use crate::push;
use crate::spi::{self, Values};
use crate::sql;
use pg_trickle_core::sorted::Map;

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
    // Matched here: a join of these would take longer to plan than all else that a new stream table needs.
    let rows = spi::catalog(
        "SELECT s.relid::oid, false, NOT bool_and(s.inherited) FROM pgtrickle.source s \
         JOIN pgtrickle.stream_table t ON t.id = s.id WHERE t.status = 'ACTIVE' GROUP BY 1 UNION ALL \
         SELECT storage::oid, false, true FROM pgtrickle.stream_table WHERE id = ANY ($1::int[]) UNION ALL \
         SELECT tgrelid, true, bool_or(tgname = '__pgt_insert') FROM pg_trigger \
         WHERE tgfoid = 'pgtrickle.maintain()'::regprocedure AND tgname IN ('__pgt_before', '__pgt_insert', \
         '__pgt_update', '__pgt_delete', '__pgt_truncate', '__pgt_after') GROUP BY 1",
        &[Some(&push::read())],
    )?;
    // What each table should have, and what it has.
    let mut tables: Map<Oid, [Option<Told>; 2]> = Map::new();
    for row in rows {
        let mut values = Values::of(row);
        let pair = tables.or_default(values.number()?);
        let is_present = values.boolean()?;
        let told = if values.boolean()? { Told::Rows } else { Told::Nothing };
        pair[usize::from(is_present)] = Some(told);
    }
    for (relid, [wanted, present]) in tables.iter() {
        if wanted == present {
            continue;
        }
        let Some(table) = spi::catalog_value(
            "SELECT (pg_identify_object('pg_class'::regclass, $1::oid, 0)).identity",
            &[Some(&relid.to_string())],
        )?
        else {
            continue;
        };
        let mut statements = Vec::new();
        if present.is_some() {
            statements.extend(sql::drop_triggers(&table));
        }
        match wanted {
            Some(Told::Rows) => statements.extend(sql::source_triggers(&table)),
            Some(Told::Nothing) => statements.extend(sql::child_triggers(&table)),
            None => {}
        }
        for statement in &statements {
            spi::catalog(statement, &[])?;
        }
        if wanted.is_some() && !table.starts_with(&sql::storage_name("")) {
            // A statement that is going on would not fire them. This fails when there is one; storage has none.
            spi::catalog(&sql::enable_trigger(&table), &[]).map_err(|error| {
                error.hint("Do it outside of statements that use the table, and of cursors over it.")
            })?;
        }
    }
    Ok(())
}

/// What the triggers of a table are told of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The rows: stream tables read the table itself.
    Rows,
    /// That there is one: they read a parent or a child of it.
    Nothing,
}

/// Writes down which tables a stream table reads, and their parents and children: a statement that names one of these
/// changes rows of the others.
pub fn record_sources(id: i32, relids: &[u32]) -> Result<()> {
    let list: Vec<String> = relids.iter().map(u32::to_string).collect();
    let (key, list) = (id.to_string(), sql::array(&list));
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
    let mut read = Vec::new();
    for row in spi::catalog(text, &[Some(&key), Some(&list)])? {
        read.push(Values::of(row).text()?);
    }
    check_sources(&sql::array(&read))
}

/// Only tables that can have triggers with transition tables, and only those whose rows change by statements.
fn check_sources(relids: &str) -> Result<()> {
    let row = spi::catalog(
        "SELECT CASE WHEN relnamespace::regnamespace::text IN ('pg_catalog', 'information_schema') THEN 'system table' \
         WHEN relpersistence = 't' THEN 'temporary table' \
         ELSE CASE relkind WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' \
         WHEN 'S' THEN 'sequence' ELSE 'toast table' END END, (pg_identify_object('pg_class'::regclass, oid, 0)).identity \
         FROM pg_class WHERE oid = ANY ($1::oid[]) AND (relkind IN ('m', 'f', 'S', 't') OR relpersistence = 't' \
         OR relnamespace::regnamespace::text IN ('pg_catalog', 'information_schema')) ORDER BY 2",
        &[Some(relids)],
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
