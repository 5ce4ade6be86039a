//! Rows that MERGE moves from one partition to another: PostgreSQL puts them into the transition tables of INSERT and
//! DELETE, and fires these triggers only where the MERGE has such actions. That rows are missing shows in the counters of
//! the partitions: an UPDATE must have updated and deleted there as many rows as its old transition table holds.

use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::Oid;
use crate::edge::spi;
use std::cell::RefCell;

thread_local! {
    /// What the counters were when the statement, or one around it, began.
    static BEFORE: RefCell<Vec<(Oid, i64)>> = const { RefCell::new(Vec::new()) };
}

/// An UPDATE of a partitioned table begins; `first` when no other statement is open.
pub fn note(relid: Oid, first: bool) -> Result<()> {
    let count = counted(relid)?;
    BEFORE.with_borrow_mut(|before| {
        if first {
            before.clear();
        }
        // A statement inside of another one of the same table: at worst the query runs again.
        if !before.iter().any(|(known, _)| *known == relid) {
            before.push((relid, count));
        }
    });
    Ok(())
}

/// Did it do more than these rows tell?
pub fn is_hidden(relid: Oid, rows: usize) -> Result<bool> {
    let now = counted(relid)?;
    let told = i64::try_from(rows).map_err(SqlError::internal)?;
    let known = BEFORE.with_borrow(|before| before.contains(&(relid, now - told)));
    Ok(!known)
}

/// Rows updated and deleted in the partitions by this transaction so far, rolled back or not.
fn counted(relid: Oid) -> Result<i64> {
    let count = spi::catalog_number(
        "SELECT sum(pg_stat_get_xact_tuples_updated(relid) + pg_stat_get_xact_tuples_deleted(relid)) \
         FROM pg_partition_tree($1::oid)",
        &[Some(&relid.to_string())],
    )?;
    Ok(count.unwrap_or(0))
}
