//! Another definition or another storage under a stream table that stays.

use super::{create, view};
use crate::error::{Result, SqlError};
use crate::session;
use crate::spi::{self, Values};
use crate::stages::{self, Compiled, StreamTable};
use crate::{flush, push, sql, triggers};
use std::rc::Rc;

/// Puts another definition view in place of the old one. Its rows are still those of the old query.
pub fn redefine(before: &StreamTable, definition: &str, query: &str) -> Result<Rc<StreamTable>> {
    let compiled = stages::compile(definition, &storage_of(before))?;
    check_cycle(before, &compiled)?;
    spi::catalog(&sql::give(definition, &owner(before)?), &[])?;
    unbind(&before.definition, before.relid)?;
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
pub fn refit(stage: &StreamTable) -> Result<Rc<StreamTable>> {
    let compiled = stages::compile(&stage.definition, &storage_of(stage))?;
    check_cycle(stage, &compiled)?;
    fit(stage, &stage.definition, compiled, true)
}

fn fit(before: &StreamTable, definition: &str, compiled: Compiled, bound: bool) -> Result<Rc<StreamTable>> {
    if compiled.layout() == before.stored_layout {
        view::show(before, definition, &compiled, bound)?;
        create::describe(before.id, &compiled)?;
        triggers::sync()?;
    } else {
        move_storage(before, definition, bound)?;
    }
    session::forget(before.id);
    spi::catalog(stages::ANNOUNCE, &[])?;
    let after = stages::load(before.id)?;
    if after.depth != before.depth {
        // What reads it, at whatever distance, has another depth too.
        session::relation_changed(0);
    }
    push::renewed(&after)?;
    Ok(after)
}

/// Makes and fills other storage tables, and lets everything refer to them.
fn move_storage(before: &StreamTable, definition: &str, bound: bool) -> Result<()> {
    let id = before.id;
    let compiled = stages::compile(definition, &sql::storage(create::next_id()?))?;
    let storage = compiled.top()?.storage.clone();
    let below = spi::catalog(
        "DELETE FROM pgtrickle.stage g USING pg_class c, pg_namespace n WHERE g.id = $1::int AND c.oid = g.storage \
         AND n.oid = c.relnamespace RETURNING format('%I.%I', n.nspname, c.relname)",
        &[Some(&id.to_string())],
    )?;
    create::make_storage(&compiled, &owner(before)?)?;
    view::show(before, definition, &compiled, bound)?;
    create::record_stages(id, &before.name, &compiled)?;
    create::describe(id, &compiled)?;
    spi::catalog(
        "UPDATE pgtrickle.stream_table SET storage = $2::regclass WHERE id = $1::int",
        &[Some(&id.to_string()), Some(&storage)],
    )?;
    session::forget(id);
    if before.populated {
        create::fill(&stages::load(id)?.stages)?;
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
    for row in below {
        let storage = Values::of(row).text()?;
        unbind(&storage, before.relid)?;
        spi::catalog(&sql::drop_storage(&storage), &[])?;
    }
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

/// Lets a relation that is a part of the user's view be dropped alone.
fn unbind(part: &str, view: u32) -> Result<()> {
    spi::catalog(
        "DELETE FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = to_regclass($1) \
         AND refclassid = 'pg_class'::regclass AND refobjid = $2::oid AND deptype = 'i'",
        &[Some(part), Some(&view.to_string())],
    )?;
    Ok(())
}

/// The name of the storage table without its schema.
fn storage_of(table: &StreamTable) -> String {
    let name = table.storage.rsplit('.').next();
    name.unwrap_or_default().to_owned()
}

fn owner(stage: &StreamTable) -> Result<String> {
    let name = spi::catalog_value("SELECT pg_get_userbyid($1::oid)", &[Some(&stage.role.to_string())])?;
    Ok(name.unwrap_or_default())
}

fn check_cycle(before: &StreamTable, compiled: &Compiled) -> Result<()> {
    let relids: Vec<String> = compiled
        .sources()
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
