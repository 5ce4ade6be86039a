//! Another definition or another storage under a stream table that stays.

use super::{create, fallback};
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::Oid;
use crate::edge::spi::{self, Values};
use crate::runtime::load::{self, Compiled};
use crate::runtime::session::{self, PendingChange};
use crate::runtime::stream_table::StreamTable;
use crate::runtime::{behind, locks};
use crate::schema::{description, statements, storage, triggers, view};
use crate::subscribe::{feed, kept};
use crate::text::{hidden, names};
use std::rc::Rc;

/// Puts another definition view in place of the old one. Its rows are still those of the old query.
pub fn redefine(before: &StreamTable, definition: &str, query: &str, reason: Option<&str>) -> Result<Rc<StreamTable>> {
    // What its owner may read decides how it is maintained.
    spi::catalog(&statements::give(definition, &owner(before)?), &[])?;
    let compiled = load::compile_new(definition, &before.storage, reason)?;
    check_cycle(before, &compiled)?;
    storage::unbind(&before.definition, before.relid)?;
    spi::catalog(
        "UPDATE pgtrickle.stream_table SET definition = $2::regclass, query = $3, search_path = $4, fallback = $5 \
         WHERE id = $1::int",
        &[
            Some(&before.id.to_string()),
            Some(definition),
            Some(query),
            Some(&create::search_path()?),
            reason,
        ],
    )?;
    spi::catalog(&statements::drop_view(&before.definition, false), &[])?;
    fit(before, definition, compiled, reason, false)
}

/// Makes what is stored and written down fit a definition that compiles to something else than before, or that is to be
/// compiled to a full refresh for this reason.
pub fn refit(stage: &StreamTable, reason: Option<&str>) -> Result<Rc<StreamTable>> {
    let compiled = load::compile(&stage.definition, &stage.storage, reason)?;
    check_cycle(stage, &compiled)?;
    if reason != stage.fallback.as_deref() {
        spi::catalog(
            "UPDATE pgtrickle.stream_table SET fallback = $2 WHERE id = $1::int",
            &[Some(&stage.id.to_string()), reason],
        )?;
    }
    fit(stage, &stage.definition, compiled, reason, true)
}

/// Keeps the result of the query in place of whatever is stored, and maintains it by a full refresh for this reason.
pub fn fall_back(stage: &StreamTable, reason: &str) -> Result<()> {
    let after = refit(stage, Some(reason))?;
    match after.stages.last() {
        // Both look the same, so the old rows are stored still.
        Some(top) if after.populated && after.storage == stage.storage => {
            top.run_once(&[top.stage.rebuild()])?;
        }
        Some(_) | None => {}
    }
    Ok(())
}

fn fit(
    before: &StreamTable,
    definition: &str,
    compiled: Compiled,
    reason: Option<&str>,
    bound: bool,
) -> Result<Rc<StreamTable>> {
    let is_stored = load::is_stored(before.id, &compiled)?;
    let is_same = is_stored && before.change_documents.as_ref() == Some(&compiled.change_documents);
    let told = if is_same { None } else { kept::leave(before)? };
    if is_stored {
        view::show(before, definition, &compiled, bound)?;
        description::update(before.id, &compiled)?;
        stop_writers(before)?;
        triggers::sync()?;
    } else {
        move_storage(before, definition, reason, bound)?;
    }
    description::announce(&[before.id])?;
    let after = load::load(before.id)?;
    if after.depth != before.depth {
        // What reads it, at whatever distance, has another depth too.
        session::relation_changed(0);
    }
    feed::renewed(&after)?;
    if let Some(told) = told {
        kept::enter(&after, told)?;
    }
    Ok(after)
}

/// Lets nobody else change what it reads while its query is run. A statement that is being maintained reads what is watched.
fn stop_writers(of: &StreamTable) -> Result<()> {
    if session::is_active() {
        return Ok(());
    }
    locks::stop_writers(of.id, &of.name)
}

/// Makes and fills other storage tables, and lets everything refer to them.
fn move_storage(before: &StreamTable, definition: &str, reason: Option<&str>, bound: bool) -> Result<()> {
    let id = before.id;
    let compiled = load::compile(definition, &hidden::storage(storage::next_id()?), reason)?;
    let (old, new) = (before.storage_name(), compiled.top()?.storage.clone());
    let below = spi::catalog(
        "DELETE FROM pgtrickle.stage g USING pg_class c, pg_namespace n WHERE g.id = $1::int AND c.oid = g.storage \
         AND n.oid = c.relnamespace RETURNING format('%I.%I', n.nspname, c.relname)",
        &[Some(&id.to_string())],
    )?;
    storage::make(&compiled, &owner(before)?)?;
    view::show(before, definition, &compiled, bound)?;
    storage::record_stages(id, &before.name, &compiled)?;
    description::update(id, &compiled)?;
    spi::catalog(
        "UPDATE pgtrickle.stream_table SET storage = $2::regclass, behind = 0 WHERE id = $1::int",
        &[Some(&id.to_string()), Some(&new)],
    )?;
    behind::forget();
    session::forget(id);
    if before.populated {
        stop_writers(before)?;
        storage::fill(&load::load(id)?.stages)?;
    }
    let readers = spi::catalog(
        "SELECT id FROM pgtrickle.source WHERE relid = $1::regclass AND id <> $2::int",
        &[Some(&old), Some(&id.to_string())],
    )?;
    for row in readers {
        let reader = Values::of(row).number()?;
        locks::take(std::iter::once(reader))?;
        session::forget(reader);
        let reader = load::load(reader)?;
        let reader = refit(&reader, reader.fallback.as_deref())?;
        if !reader.populated {
            continue;
        }
        if session::is_active() {
            session::push(PendingChange::opaque(storage_of(&new)?));
        } else {
            fallback::refresh(&reader)?;
        }
    }
    let indexes = users_indexes(&old, &new)?;
    storage::retire(before, &old)?;
    for row in below {
        storage::retire(before, &Values::of(row).text()?)?;
    }
    for index in indexes {
        let moved = statements::move_index(&index, &old, &new);
        spi::catalog(&moved, &[])?;
    }
    triggers::sync()
}

fn storage_of(table: &str) -> Result<Oid> {
    spi::catalog_number("SELECT $1::regclass::oid", &[Some(table)])?
        .ok_or_else(|| SqlError::internal("a storage table without an OID"))
}

/// The definitions of indexes that users made, where their columns are still there.
fn users_indexes(old: &str, new: &str) -> Result<Vec<String>> {
    let rows = spi::catalog(
        "SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = $1::regclass \
         AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) \
         AND NOT EXISTS (SELECT FROM pg_depend d \
         JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
         LEFT JOIN pg_attribute n ON n.attrelid = $2::regclass AND n.attname = a.attname AND n.atttypid = a.atttypid \
         WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_class'::regclass \
         AND d.refobjid = i.indrelid AND (n.attname IS NULL OR a.attname LIKE '\\_\\_pgt\\_%')) ORDER BY 1",
        &[Some(old), Some(new)],
    )?;
    spi::column(rows)
}

fn owner(stage: &StreamTable) -> Result<String> {
    let name = spi::catalog_value("SELECT pg_get_userbyid($1::oid)", &[Some(&stage.role.to_string())])?;
    Ok(name.unwrap_or_default())
}

fn check_cycle(before: &StreamTable, compiled: &Compiled) -> Result<()> {
    let relids = names::array(compiled.sources().iter().map(|source| source.relid));
    let row = spi::catalog(
        "WITH RECURSIVE below(id) AS (SELECT t.id FROM pgtrickle.stream_table t \
         WHERE t.storage = ANY ($1::oid[]) UNION \
         SELECT t.id FROM below b JOIN pgtrickle.source s ON s.id = b.id JOIN pgtrickle.stream_table t ON t.storage = s.relid) \
         SELECT 1 FROM below WHERE id = $2::int",
        &[Some(&relids), Some(&before.id.to_string())],
    )?;
    if row.is_empty() {
        return Ok(());
    }
    Err(
        SqlError::new("42P17", format!("stream table {} would depend on itself", before.name))
            .hint("Let its query read tables, or stream tables that do not read this one."),
    )
}
