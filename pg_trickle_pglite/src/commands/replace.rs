//! Another definition or another storage under a stream table that stays.

use super::create;
use crate::error::{Result, SqlError};
use crate::session;
use crate::spi::{self, Values};
use crate::stages::{self, Compiled, StreamTable};
use crate::{flush, sql, triggers};
use std::rc::Rc;

/// Puts another definition view in place of the old one. Its rows are still those of the old query.
pub fn redefine(before: &StreamTable, definition: &str, query: &str) -> Result<Rc<StreamTable>> {
    let compiled = stages::compile(definition, &storage_of(before))?;
    create::check_sources(&compiled)?;
    check_cycle(before, &compiled)?;
    unbind(&before.definition, &before.name)?;
    create::bind(definition, &before.name)?;
    let path = spi::as_user("SELECT pg_catalog.current_setting('search_path')", &[])?
        .pop()
        .and_then(|mut row| row.pop().flatten())
        .unwrap_or_default();
    spi::catalog(
        "UPDATE pgtrickle.stream_table SET definition = $2::regclass, query = $3, search_path = $4 WHERE id = $1::int",
        &[Some(&before.id.to_string()), Some(definition), Some(query), Some(&path)],
    )?;
    spi::catalog(&sql::drop_view(&before.definition, false), &[])?;
    fit(before, definition, compiled)
}

/// Makes what is stored and written down fit a definition that compiles to something else than before.
pub fn refit(stage: &Rc<StreamTable>) -> Result<Rc<StreamTable>> {
    let compiled = stages::compile(&stage.definition, &storage_of(stage))?;
    fit(stage, &stage.definition, compiled)
}

fn fit(before: &StreamTable, definition: &str, compiled: Compiled) -> Result<Rc<StreamTable>> {
    let id = before.id;
    if compiled.layout() == before.stored_layout {
        show(before, &compiled)?;
        create::describe(id, &compiled)?;
        triggers::sync()?;
        session::forget(id);
        spi::catalog(stages::ANNOUNCE, &[])?;
        return stages::load(id);
    }
    let storage_id = create::next_id()?;
    let compiled = stages::compile(definition, &sql::storage(storage_id))?;
    let storage = compiled.top()?.storage.clone();
    let below = spi::catalog(
        "DELETE FROM pgtrickle.stage g USING pg_class c, pg_namespace n WHERE g.id = $1::int AND c.oid = g.storage \
         AND n.oid = c.relnamespace RETURNING format('%I.%I', n.nspname, c.relname)",
        &[Some(&id.to_string())],
    )?;
    create::make_storage(&compiled)?;
    show(before, &compiled)?;
    create::record_stages(id, &before.name, &compiled)?;
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
        "SELECT s.id FROM pgtrickle.source s JOIN pg_class c ON c.oid = s.relid \
         WHERE s.relid = $1::regclass AND s.id <> $2::int",
        &[Some(&before.storage), Some(&id.to_string())],
    )?;
    for row in readers {
        let reader = Values::of(row).number()?;
        session::forget(reader);
        let reader = refit(&stages::load(reader)?)?;
        if reader.populated {
            flush::rebuild(&reader)?;
        }
    }
    spi::catalog(&sql::drop_storage(&before.storage), &[])?;
    for row in below {
        let storage = Values::of(row).text()?;
        unbind(&storage, &before.name)?;
        spi::catalog(&sql::drop_storage(&storage), &[])?;
    }
    triggers::sync()?;
    session::forget(id);
    spi::catalog(stages::ANNOUNCE, &[])?;
    stages::load(id)
}

/// Lets a relation that is a part of the user's view be dropped alone.
fn unbind(part: &str, view: &str) -> Result<()> {
    spi::catalog(
        "DELETE FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = $1::regclass \
         AND refclassid = 'pg_class'::regclass AND refobjid = $2::regclass AND deptype = 'i'",
        &[Some(part), Some(view)],
    )?;
    Ok(())
}

/// The name of the storage table without its schema.
fn storage_of(table: &StreamTable) -> String {
    let name = table.storage.rsplit('.').next();
    name.unwrap_or_default().to_owned()
}

/// Lets the user's view show the storage; its columns can only grow.
fn show(before: &StreamTable, compiled: &Compiled) -> Result<()> {
    let text = sql::user_view(&before.name, &compiled.view, true);
    create::our_text(&text, before.role).map_err(|error| {
        if error.sqlstate != "42P16" {
            return error;
        }
        SqlError::new(
            error.sqlstate.as_str(),
            "the new query does not fit the columns of the stream table",
        )
        .detail(error.message.clone())
        .hint("Keep names, types and order of the columns, and add new ones at the end; or drop and create it.")
    })
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
