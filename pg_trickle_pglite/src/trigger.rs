//! A statement on a source begins or ends.

use crate::error::{Result, SqlError};
use crate::ffi::{self, Event, Operation, Store};
use crate::session::{self, Pending, When};
use crate::stages::{self, Table};
use crate::{flush, moved, push, spi};

/// The trigger function.
pub fn fired(event: &Event) -> Result<()> {
    if event.is_view() {
        return Err(refuse_write(event)?);
    }
    if event.is_before() {
        let first = session::begin_statement();
        if event.operation() == Operation::Update && event.is_partitioned() {
            return moved::note(event.relid(), first);
        }
        return Ok(());
    }
    let when = session::end_statement();
    let table = stages::table(event.relid())?;
    if let Some(id) = table.pushes {
        push::change(id, event)?;
    }
    let Some(change) = change(event, &table)? else {
        return if when == When::Last { flush::run(None) } else { Ok(()) };
    };
    match when {
        When::Alone => flush::run(Some(change)),
        When::Last => {
            session::push(copied(change)?);
            flush::run(None)
        }
        When::Later => {
            session::push(copied(change)?);
            Ok(())
        }
    }
}

/// The change, or nothing where nobody is concerned.
fn change(event: &Event, table: &Table) -> Result<Option<Pending>> {
    let (added, removed) = (event.added(), event.removed());
    if table.users.is_empty() {
        return Ok(None);
    }
    let mut opaque = event.operation() == Operation::Truncate || event.is_blind();
    if !opaque && event.operation() == Operation::Update && event.is_partitioned() {
        opaque = moved::is_hidden(event.relid(), removed.map_or(0, |(_, count)| count))?;
    }
    if !opaque && added.is_none() && removed.is_none() {
        return Ok(None);
    }
    let mut skips = Vec::new();
    if event.operation() == Operation::Update && !opaque {
        for user in &table.users {
            if user.follows && !user.physical && !event.updates(&user.columns)? {
                skips.push(user.stage.key);
            }
        }
        if skips.len() == table.users.len() {
            return Ok(None);
        }
    }
    Ok(Some(Pending {
        relid: event.relid(),
        added,
        removed,
        opaque,
        owned: false,
        skips,
    }))
}

/// The same change with copies of its rows, which outlive the statement.
fn copied(change: Pending) -> Result<Pending> {
    let copy = |rows: Option<(Store, usize)>| -> Result<Option<(Store, usize)>> {
        let Some((store, count)) = rows else {
            return Ok(None);
        };
        Ok(Some((ffi::append(change.relid, store, None)?, count)))
    };
    Ok(Pending {
        added: copy(change.added)?,
        removed: copy(change.removed)?,
        owned: true,
        ..change
    })
}

fn refuse_write(event: &Event) -> Result<Box<SqlError>> {
    let relid = event.relid().to_string();
    let name = spi::catalog_value(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid",
        &[Some(&relid)],
    )?
    .unwrap_or_default();
    let what = match event.operation() {
        Operation::Insert => "insert into",
        Operation::Delete => "delete from",
        Operation::Update => "update",
        Operation::Truncate => "truncate",
    };
    Ok(
        SqlError::new("0A000", format!("cannot {what} {name}: it is a stream table"))
            .hint("Change the tables that it reads; it follows by itself.")
            .about(&name),
    )
}
