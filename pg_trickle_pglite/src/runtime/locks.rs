//! What sessions of a server wait for, so that one stream table is maintained by one transaction at a time.
//!
//! Maintenance reads the new state of all sources and what is stored. Both are right if nobody else has changed a source
//! without having maintained the stream table: so each transaction takes the lock of the stream table before its first
//! statement on a source, and keeps it until its end. A statement of READ COMMITTED then sees what the others have done;
//! under REPEATABLE READ and SERIALIZABLE, whose snapshot is older, taking the lock fails (40001) where they did anything.
//!
//! A lock is a row of `pgtrickle.lock` that is updated: an advisory lock would leave no trace for these snapshots. PGlite has
//! one session, and nothing of this.

use super::session;
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi;
use crate::edge::spi;
use crate::text::names;
use std::cell::RefCell;

/// What stands for the catalog of stream tables among their numbers.
const CATALOG: i32 = 0;

#[derive(Default)]
struct Held {
    /// What the transaction has locked, in this order.
    ids: Vec<i32>,
    /// How many these were when each open subtransaction began.
    marks: Vec<usize>,
    /// The catalog cannot change, since this transaction reads it.
    sees_catalog: bool,
    /// Something was compiled by what the catalog was in an old snapshot.
    is_outdated: bool,
}

thread_local! {
    static HELD: RefCell<Held> = RefCell::default();
}

/// Locks stream tables, given in the order in which all transactions lock them. Returns whether one was not locked before:
/// then anything that was read of them may be outdated.
pub fn take(ids: impl Iterator<Item = i32>) -> Result<bool> {
    let mut wanted: Vec<i32> = Vec::new();
    HELD.with_borrow(|held| {
        for id in ids {
            if !held.ids.contains(&id) && !wanted.contains(&id) {
                wanted.push(id);
            }
        }
    });
    if wanted.is_empty() {
        return Ok(false);
    }
    // Nothing can be looked up after an error.
    lock(&wanted).map_err(|error| match session::stream_table(wanted[0]) {
        Some(table) => error.about(&table.name),
        None => error,
    })?;
    HELD.with_borrow_mut(|held| held.ids.append(&mut wanted));
    // PostgreSQL does so when it locks a table, but not for a row that it has waited for.
    ffi::accept_changes()?;
    Ok(true)
}

fn lock(ids: &[i32]) -> Result<()> {
    spi::catalog(
        "INSERT INTO pgtrickle.lock AS l (id) SELECT id FROM unnest($1::int[]) WITH ORDINALITY AS u(id, place) ORDER BY place \
         ON CONFLICT (id) DO UPDATE SET taken = l.taken + 1",
        &[Some(&names::array(ids.iter()))],
    )
    .map_err(|error| match error.sqlstate.as_str() {
        "40001" => error.hint("Another session has changed what the stream table reads. Retry the transaction."),
        "40P01" => error.hint("Two sessions wait for each other's changes of what stream tables read. Retry the transaction."),
        _ => error,
    })?;
    Ok(())
}

/// Removes the locks of stream tables that are gone.
pub fn forget_gone() -> Result<()> {
    spi::catalog(
        "DELETE FROM pgtrickle.lock l WHERE l.id <> 0 AND NOT EXISTS (SELECT FROM pgtrickle.stream_table t WHERE t.id = l.id)",
        &[],
    )?;
    Ok(())
}

/// What it means that a relation is not there: an old snapshot tells of parts that others have dropped since, or does not show
/// those that they have made.
pub fn not_there(error: Box<SqlError>) -> Box<SqlError> {
    if !ffi::has_one_snapshot() || error.sqlstate != "42P01" {
        return error;
    }
    SqlError::new(
        "40001",
        "could not serialize access: another session has changed a stream table",
    )
    .hint("Retry the transaction.")
}

/// Locks the catalog of stream tables: from now on, nobody else creates, alters or drops one.
pub fn take_catalog() -> Result<()> {
    take(std::iter::once(CATALOG)).map(|_| ())
}

/// Fails where the transaction does not see which stream tables there are. What it sees does not change from now on.
pub fn see_catalog() -> Result<()> {
    if !ffi::has_one_snapshot() || HELD.with_borrow(|held| held.sees_catalog || held.ids.contains(&CATALOG)) {
        return Ok(());
    }
    spi::catalog(
        "SELECT 1 FROM pgtrickle.lock WHERE id = $1::int FOR SHARE",
        &[Some("0")],
    )
    .map_err(|error| {
        error.hint("Another session has created, altered or dropped a stream table. Retry the transaction.")
    })?;
    // Not after a rollback to a savepoint, which gives the lock back.
    HELD.with_borrow_mut(|held| held.sees_catalog = held.marks.is_empty());
    Ok(())
}

/// A stream table is compiled by what the transaction sees.
pub fn note_compiled() {
    if ffi::has_one_snapshot() {
        HELD.with_borrow_mut(|held| held.is_outdated |= !held.sees_catalog);
    }
}

/// Waits for the transactions that change what a stream table reads, and lets no others do it, before its query is run over
/// all of it. They may not know yet that it exists.
pub fn stop_writers(id: i32, name: &str) -> Result<()> {
    if ffi::has_one_snapshot() {
        return Err(SqlError::new(
            "25001",
            "a stream table cannot be made under REPEATABLE READ or SERIALIZABLE: rows that others have committed since the transaction \
             began would be missing",
        )
        .hint("Do it in a transaction of its own, under READ COMMITTED.")
        .about(name));
    }
    let tables = spi::catalog(
        "SELECT (pg_identify_object('pg_class'::regclass, c.oid, 0)).identity FROM pgtrickle.source s \
         JOIN pg_class c ON c.oid = s.relid AND c.relkind IN ('r', 'p') WHERE s.id = $1::int \
         AND c.oid <> ALL (SELECT g.storage FROM pgtrickle.stage g WHERE g.id = s.id) ORDER BY c.oid",
        &[Some(&id.to_string())],
    )?;
    for table in tables.into_iter().flatten().flatten() {
        spi::catalog(&format!("LOCK TABLE ONLY {table} IN SHARE ROW EXCLUSIVE MODE"), &[])
            .map_err(|error| error.about(name))?;
    }
    Ok(())
}

/// A subtransaction begins.
pub fn start_subtransaction() {
    HELD.with_borrow_mut(|held| held.marks.push(held.ids.len()));
}

/// A subtransaction commits.
pub fn commit_subtransaction() {
    HELD.with_borrow_mut(|held| held.marks.pop());
}

/// A subtransaction aborts: its locks go.
pub fn abort_subtransaction() {
    HELD.with_borrow_mut(|held| {
        let mark = held.marks.pop().unwrap_or_default();
        held.ids.truncate(mark);
    });
}

/// The transaction ends. Returns whether what it has compiled may be outdated.
#[must_use]
pub fn end_transaction() -> bool {
    HELD.take().is_outdated
}
