//! Another definition or another storage under a stream table that stays.

use super::{create, view};
use crate::error::{Result, SqlError};
use crate::session;
use crate::spi::{self, Values};
use crate::stages::{self, Compiled, Maintained};
use crate::{flush, sql, triggers};
use std::rc::Rc;

/// Puts another definition view in place of the old one. Its rows are still those of the old query.
pub fn redefine(before: &Maintained, definition: &str, query: &str) -> Result<Rc<Maintained>> {
    let compiled = stages::compile(definition, &before.storage)?;
    create::check_sources(&compiled)?;
    check_cycle(before, &compiled)?;
    spi::catalog(&sql::give(definition, &owner(before)?), &[])?;
    spi::catalog(
        "DELETE FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = $1::regclass \
         AND refclassid = 'pg_class'::regclass AND refobjid = $2::oid AND deptype = 'i'",
        &[Some(&before.definition), Some(&before.relid.to_string())],
    )?;
    spi::catalog(
        "UPDATE pgtrickle.stream_table SET definition = $2::regclass, query = $3, search_path = $4 WHERE id = $1::int",
        &[
            Some(&before.id.to_string()),
            Some(definition),
            Some(query),
            Some(&create::search_path()?),
        ],
    )?;
    spi::catalog(&sql::drop_view(&before.definition, false), &[])?;
    fit(before, definition, compiled, false)
}

/// Makes what is stored and written down fit a definition that compiles to something else than before.
pub fn refit(stage: &Maintained) -> Result<Rc<Maintained>> {
    let compiled = stages::compile(&stage.definition, &stage.storage)?;
    fit(stage, &stage.definition, compiled, true)
}

fn fit(before: &Maintained, definition: &str, compiled: Compiled, bound: bool) -> Result<Rc<Maintained>> {
    if compiled.stage.layout == before.stored_layout {
        view::show(before, definition, &compiled, bound)?;
        create::describe(before.id, &compiled)?;
        triggers::sync()?;
    } else {
        move_storage(before, definition, bound)?;
    }
    session::forget(before.id);
    spi::catalog(stages::ANNOUNCE, &[])?;
    stages::load(before.id)
}

/// Makes and fills another storage table, and lets everything refer to it.
fn move_storage(before: &Maintained, definition: &str, bound: bool) -> Result<()> {
    let id = before.id;
    let storage = sql::storage_name(create::next_id()?);
    let compiled = stages::compile(definition, &storage)?;
    create::make_storage(&compiled, &storage, &owner(before)?)?;
    view::show(before, definition, &compiled, bound)?;
    create::describe(id, &compiled)?;
    spi::catalog(
        "UPDATE pgtrickle.stream_table SET storage = $2::regclass WHERE id = $1::int",
        &[Some(&id.to_string()), Some(&storage)],
    )?;
    session::forget(id);
    if before.populated {
        create::fill(&*stages::load_compiled(id, compiled)?)?;
    }
    let readers = spi::catalog(
        "SELECT id FROM pgtrickle.source WHERE relid = $1::regclass AND id <> $2::int",
        &[Some(&before.storage), Some(&id.to_string())],
    )?;
    for row in readers {
        let reader = Values::of(row).number()?;
        session::forget(reader);
        let reader = refit(&*stages::load(reader)?)?;
        if reader.populated {
            flush::rebuild(&reader)?;
        }
    }
    let indexes = users_indexes(&before.storage, &storage)?;
    spi::catalog(&sql::drop_storage(&before.storage), &[])?;
    for index in indexes {
        let moved = sql::move_index(&index, &before.storage, &storage);
        spi::catalog(&moved, &[])?;
    }
    triggers::sync()
}

/// The definitions of indexes that users made, where their columns are still there.
fn users_indexes(old: &str, new: &str) -> Result<Vec<String>> {
    spi::catalog(
        "SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = $1::regclass \
         AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) \
         AND NOT EXISTS (SELECT FROM pg_depend d \
         JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
         LEFT JOIN pg_attribute n ON n.attrelid = $2::regclass AND n.attname = a.attname AND n.atttypid = a.atttypid \
         WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_class'::regclass \
         AND d.refobjid = i.indrelid AND (n.attname IS NULL OR a.attname LIKE '\\_\\_pgt\\_%')) ORDER BY 1",
        &[Some(old), Some(new)],
    )?
    .into_iter()
    .map(|row| Values::of(row).text())
    .collect()
}

fn owner(stage: &Maintained) -> Result<String> {
    let name = spi::catalog_value("SELECT pg_get_userbyid($1::oid)", &[Some(&stage.role.to_string())])?;
    Ok(name.unwrap_or_default())
}

fn check_cycle(before: &Maintained, compiled: &Compiled) -> Result<()> {
    let relids: Vec<String> = compiled
        .stage
        .sources
        .iter()
        .map(|source| source.relid.to_string())
        .collect();
    let row = spi::catalog(
        "WITH RECURSIVE below(id) AS (SELECT t.id FROM pgtrickle.stream_table t \
         WHERE t.storage = ANY (string_to_array($1, ' ')::oid[]) UNION \
         SELECT t.id FROM below b JOIN pgtrickle.source s ON s.id = b.id JOIN pgtrickle.stream_table t ON t.storage = s.relid) \
         SELECT 1 FROM below WHERE id = $2::int",
        &[Some(&relids.join(" ")), Some(&before.id.to_string())],
    )?;
    if row.is_empty() {
        return Ok(());
    }
    Err(
        SqlError::new("42P17", format!("stream table {} would depend on itself", before.name))
            .hint("Let its query read tables, or stream tables that do not read this one."),
    )
}
