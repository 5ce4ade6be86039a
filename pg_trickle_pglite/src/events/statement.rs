//! A statement on a source begins or ends.

use super::row_movement;
use crate::commands::fallback;
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{self, Event, Operation, Store};
use crate::edge::spi;
use crate::runtime::session::{self, PendingChange, When};
use crate::runtime::stream_table::SourceTable;
use crate::runtime::{memory, sources};
use crate::subscribe::{feed, firing};

/// The trigger function.
pub fn fired(event: &Event) -> Result<()> {
    must_be_ours(event)?;
    if event.is_view() {
        return if session::is_allowed(event.relid()) {
            Ok(())
        } else {
            Err(refuse_write(event)?)
        };
    }
    if event.is_before() {
        let table = sources::locked_table(event.relid())?;
        if matches!(event.operation(), Operation::Insert | Operation::Update) && !session::is_active() {
            memory::must_be_below_fence()?;
        }
        // Triggers that are left over, or that came with a dump of other tables, count nothing.
        if table.readers.is_empty() && table.followed.is_none() {
            return Ok(());
        }
        let first = session::begin_statement(event.relid());
        if event.operation() == Operation::Update && event.is_partitioned() {
            return row_movement::note(event.relid(), first);
        }
        return Ok(());
    }
    let table = sources::table(event.relid())?;
    let when = session::end_statement(event.relid());
    if let Some(id) = table.followed {
        feed::change(id, event)?;
    }
    let change = change(event, &table)?;
    match when {
        When::Alone => match change {
            None => return Ok(()),
            Some(change) => fallback::flush(Some(change))?,
        },
        When::Last => {
            push(change)?;
            fallback::flush(None)?;
        }
        When::Later => return push(change),
    }
    firing::fire()
}

fn push(change: Option<PendingChange>) -> Result<()> {
    if let Some(change) = change {
        session::push(copied(change)?);
    }
    Ok(())
}

/// Fails for a trigger that another one than this extension made: it would tell of a change twice, or at another time.
fn must_be_ours(event: &Event) -> Result<()> {
    let name = event.trigger();
    let kind = match (event.is_view(), event.is_before(), event.operation()) {
        (true, true, _) => "refuse",
        (true, false, _) => "instead",
        (false, true, _) => "before",
        (false, false, _) if event.is_blind() && name == "__pgt_after" => "after",
        (false, false, Operation::Insert) => "insert",
        (false, false, Operation::Update) => "update",
        (false, false, Operation::Delete) => "delete",
        (false, false, Operation::Truncate) => "truncate",
    };
    if name.strip_prefix("__pgt_") == Some(kind) {
        return Ok(());
    }
    let table = spi::name_of(event.relid())?.unwrap_or_default();
    Err(SqlError::new(
        "39P01",
        format!(
            "trigger {name} on {table} calls pgtrickle.maintain(), which is for the triggers of stream tables only"
        ),
    )
    .hint("Drop this trigger. pg_trickle creates the triggers that it needs."))
}

/// The change, or nothing if no stage is affected.
fn change(event: &Event, table: &SourceTable) -> Result<Option<PendingChange>> {
    let (added, removed) = (event.added(), event.removed());
    if table.readers.is_empty() {
        return Ok(None);
    }
    let mut opaque = event.operation() == Operation::Truncate || event.is_blind();
    if !opaque && event.operation() == Operation::Update && event.is_partitioned() {
        opaque = row_movement::is_hidden(event.relid(), removed.map_or(0, |(_, count)| count))?;
    }
    if !opaque && added.is_none() && removed.is_none() {
        return Ok(None);
    }
    let mut skips = Vec::new();
    if event.operation() == Operation::Update && !opaque && !table.is_virtual {
        for reader in &table.readers {
            if reader.sees_all && !reader.physical && !event.updates(&reader.columns)? {
                skips.push(reader.stage.key);
            }
        }
        if skips.len() == table.readers.len() {
            return Ok(None);
        }
    }
    Ok(Some(PendingChange {
        relid: event.relid(),
        added,
        removed,
        opaque,
        owned: false,
        skips,
    }))
}

/// The same change with copies of its rows, which outlive the statement.
fn copied(change: PendingChange) -> Result<PendingChange> {
    let copy = |rows: Option<(Store, usize)>| -> Result<Option<(Store, usize)>> {
        let Some((store, count)) = rows else {
            return Ok(None);
        };
        Ok(Some((ffi::append(store, None)?, count)))
    };
    Ok(PendingChange {
        added: copy(change.added)?,
        removed: copy(change.removed)?,
        owned: true,
        ..change
    })
}

fn refuse_write(event: &Event) -> Result<Box<SqlError>> {
    let name = spi::name_of(event.relid())?.unwrap_or_default();
    let what = match event.operation() {
        Operation::Insert => "insert into",
        Operation::Delete => "delete from",
        Operation::Update => "update",
        Operation::Truncate => "truncate",
    };
    Ok(
        SqlError::new("0A000", format!("cannot {what} {name}: it is a stream table"))
            .hint("Change the tables that it reads; it follows automatically.")
            .about(&name),
    )
}
