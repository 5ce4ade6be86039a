//! Storage tables: creates and fills them, and makes them part of the view that users see.

use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{self, Oid};
use crate::edge::{settings, spi};
use crate::runtime::load::{Compiled, is_bound};
use crate::runtime::session;
use crate::runtime::stream_table::{StageRunner, StreamTable};
use crate::schema::{statements, triggers};
use std::rc::Rc;

/// A number that no stream table and no storage table has had, nor one that the session knew before the extension was
/// dropped: subscribers know a stream table by it.
pub fn next_id() -> Result<i32> {
    let none = || SqlError::internal("no number for the stream table");
    let next = spi::catalog_number("SELECT nextval('pgtrickle.stream_table_id_seq')", &[])?.ok_or_else(none)?;
    let known = session::note_id(0);
    let id = if next > known {
        next
    } else {
        let set = "SELECT setval('pgtrickle.stream_table_id_seq', $1::bigint)";
        spi::catalog_number(set, &[Some(&(known + 1).to_string())])?.ok_or_else(none)?
    };
    session::note_id(id);
    Ok(id)
}

/// Runs a statement of the core's, as a role (0 for the current user).
pub fn run(text: &str, role: Oid) -> Result<()> {
    let ran = ffi::query(text, &[], settings::MAKING, role, None);
    ran.map(|_| ()).map_err(|mut error| {
        error.statement = Some(text.to_owned());
        error
    })
}

/// Creates the storage tables and gives them to their owner.
pub fn make(compiled: &Compiled, owner: &str) -> Result<()> {
    for stage in &compiled.stages {
        for statement in &stage.ddl {
            run(statement, spi::SUPERUSER)?;
        }
        spi::catalog(&statements::give(&stage.storage, owner), &[])?;
    }
    Ok(())
}

/// Fills the empty storage tables.
pub fn fill(stages: &[Rc<StageRunner>]) -> Result<()> {
    for runner in stages {
        runner.run_once(&[runner.stage.fill_statement()])?;
    }
    Ok(())
}

/// Starts the maintenance of a stream table.
pub fn activate(id: i32) -> Result<()> {
    spi::catalog(
        "UPDATE pgtrickle.stream_table SET status = 'ACTIVE' WHERE id = $1::int",
        &[Some(&id.to_string())],
    )?;
    triggers::sync()
}

/// Records the storage tables of the stages below the top, and makes them part of the user's view.
pub fn record_stages(id: i32, view: &str, compiled: &Compiled) -> Result<()> {
    let below = compiled.stages.len().saturating_sub(1);
    compiled.stages[..below]
        .iter()
        .try_for_each(|stage| record(id, view, &stage.storage, stage.is_clock()))
}

fn record(id: i32, view: &str, table: &str, is_clock: bool) -> Result<()> {
    spi::catalog(
        "INSERT INTO pgtrickle.stage (id, storage, is_clock) VALUES ($1::int, $2::regclass, $3::boolean)",
        &[
            Some(&id.to_string()),
            Some(table),
            Some(if is_clock { "true" } else { "false" }),
        ],
    )?;
    bind(table, view)
}

/// Makes a relation part of the user's view: it is dropped with the view, and PostgreSQL's messages about dependencies name
/// the view.
pub fn bind(part: &str, view: &str) -> Result<()> {
    spi::catalog(
        "INSERT INTO pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype) \
         VALUES ('pg_class'::regclass, $1::regclass, 0, 'pg_class'::regclass, $2::regclass, 0, 'i')",
        &[Some(part), Some(view)],
    )?;
    Ok(())
}

/// Lets a relation that is part of the user's view be dropped by itself.
pub fn unbind(part: &str, view: Oid) -> Result<()> {
    spi::catalog(
        "DELETE FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = to_regclass($1) \
         AND refclassid = 'pg_class'::regclass AND refobjid = $2::oid AND deptype = 'i'",
        &[Some(part), Some(&view.to_string())],
    )?;
    Ok(())
}

/// Drops a storage table that is part of the user's view, or keeps it as such a part for now if the running statement or a
/// cursor reads it.
pub fn retire(of: &StreamTable, table: &str) -> Result<()> {
    unbind(table, of.relid)?;
    match ffi::nested(|| spi::catalog(&statements::drop_storage(table), &[])) {
        Err(error) if error.is_in_use() => record(of.id, &of.name, table, false),
        result => result.map(|_| ()),
    }
}

/// Refuses a trigger of a user that could not fire. `timing`: BEFORE or INSTEAD OF; `rows`: for each row, or with
/// transition tables.
pub fn check_trigger(relid: Oid, timing: bool, rows: bool) -> Result<()> {
    if !timing && !rows || !is_view(relid)? {
        return Ok(());
    }
    let name = spi::catalog_value(
        concat!(
            "SELECT format('%I.%I', n.nspname, v.relname) FROM pgtrickle.stream_table t JOIN pg_class v ON v.oid = t.relid \
             JOIN pg_namespace n ON n.oid = v.relnamespace WHERE t.relid = $1::oid AND ",
            is_bound!()
        ),
        &[Some(&relid.to_string())],
    )?;
    let Some(name) = name else { return Ok(()) };
    let (what, hint) = if timing {
        (
            "a BEFORE or INSTEAD OF trigger",
            "Nobody writes to a stream table. Create an AFTER .. FOR EACH STATEMENT trigger, or a trigger on a table that it reads.",
        )
    } else {
        (
            "a trigger for each row or with transition tables",
            "Create it FOR EACH STATEMENT without REFERENCING, and let its function read the stream table. \
             subscribe() of the plugin passes on the changed rows.",
        )
    };
    Err(
        SqlError::new("0A000", format!("cannot create {what} on {name}: it is a stream table"))
            .hint(hint)
            .about(&name),
    )
}

/// The library can be loaded without the extension being installed.
fn is_view(relid: Oid) -> Result<bool> {
    let found = spi::catalog(
        "SELECT 1 FROM pg_class WHERE oid = $1::oid AND relkind = 'v' AND to_regclass('pgtrickle.stream_table') IS NOT NULL",
        &[Some(&relid.to_string())],
    )?;
    Ok(!found.is_empty())
}

/// The storage table on which CREATE INDEX on a stream table creates its index, without its schema; nothing for any other
/// relation.
pub fn index_target(relid: Oid) -> Result<Option<String>> {
    if !is_view(relid)? {
        return Ok(None);
    }
    spi::catalog_value(
        "SELECT relname FROM pg_class WHERE oid = (SELECT storage FROM pgtrickle.stream_table WHERE relid = $1::oid)",
        &[Some(&relid.to_string())],
    )
}
