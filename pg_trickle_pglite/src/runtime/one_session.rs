//! In place of `locks.rs` in PGlite: it has one session, which waits for nobody. docs/STATEMENTS.md says why no lock is needed.

use crate::edge::error::{Result, SqlError};

/// Nobody else maintains stream tables.
pub fn take(_: impl Iterator<Item = i32>) -> Result<bool> {
    Ok(false)
}

/// There are no locks.
pub fn forget_gone() -> Result<()> {
    Ok(())
}

/// It is what it seems.
pub fn not_there(error: Box<SqlError>) -> Box<SqlError> {
    error
}

/// Nobody else changes the catalog.
pub fn take_catalog() -> Result<()> {
    Ok(())
}

/// Nobody else changes the catalog.
pub fn see_catalog() -> Result<()> {
    Ok(())
}

/// Every snapshot sees the catalog as it is.
pub fn note_compiled() {}

/// Nobody else writes.
pub fn stop_writers(_: i32, _: &str) -> Result<()> {
    Ok(())
}

/// Nothing is locked.
pub fn start_subtransaction() {}

/// Nothing is locked.
pub fn commit_subtransaction() {}

/// Nothing is locked.
pub fn abort_subtransaction() {}

/// Nothing is locked, nor outdated.
#[must_use]
pub fn end_transaction() -> bool {
    false
}
