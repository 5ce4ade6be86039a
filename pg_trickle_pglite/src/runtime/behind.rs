//! Stream tables whose lower stages are behind: changes have reached the top stage without them.
//!
//! A change can touch so much of a large lower stage that storing all that it changes there, with its indexes, would cost
//! several times as much as running the query of the stream table. Then the rows of the top stage are computed at once, and
//! what the lower stages store stays as it is. The next small change needs it again, so after a few such changes in a row
//! the lower stages are filled anew. The catalog counts them; the session remembers the count.

use super::session;
use super::stream_table::StreamTable;
use crate::edge::error::Result;
use crate::edge::ffi::Oid;
use crate::edge::spi;
use pg_trickle_core::plan::{Returns, Statement, is_stage_relid};
use pg_trickle_core::sorted::Map;
use std::cell::RefCell;

thread_local! {
    static KNOWN: RefCell<Map<i32, i32>> = const { RefCell::new(Map::new()) };
}

/// Filling the lower stages costs two or three times as much as running the query at once. If it is done after this many
/// changes, neither a change after which only small ones follow, nor a series of large ones costs much more than it must.
const PATIENCE: i32 = 3;

/// How many changes have reached the top stage without the lower ones, since those were right.
pub fn count(id: i32) -> Result<i32> {
    if let Some(count) = KNOWN.with_borrow(|known| known.get(&id).copied()) {
        return Ok(count);
    }
    let count = spi::catalog_number(
        "SELECT behind FROM pgtrickle.stream_table WHERE id = $1::int",
        &[Some(&id.to_string())],
    )?;
    let count = count.unwrap_or(0);
    KNOWN.with_borrow_mut(|known| known.insert(id, count));
    Ok(count)
}

/// Whether the lower stages are to be filled before the next change is applied.
pub fn is_over(id: i32) -> Result<bool> {
    Ok(count(id)? >= PATIENCE)
}

/// One more change has reached the top stage only.
pub fn skip(id: i32) -> Result<()> {
    set(id, count(id)? + 1)
}

fn set(id: i32, count: i32) -> Result<()> {
    spi::catalog(
        "UPDATE pgtrickle.stream_table SET behind = $2::int WHERE id = $1::int",
        &[Some(&id.to_string()), Some(&count.to_string())],
    )?;
    KNOWN.with_borrow_mut(|known| known.insert(id, count));
    Ok(())
}

/// Forgets the counts, which something may have taken back or changed.
pub fn forget() {
    KNOWN.take();
}

/// Fills the lower stages anew, while a flush is running. What this changes is not told: the top stage has to run its query.
pub fn refill(table: &StreamTable) -> Result<()> {
    let below = table.stages.len().saturating_sub(1);
    for runner in &table.stages[..below] {
        let empty = Statement {
            sql: format!("{EMPTY} {}", runner.stage.storage),
            bulk: None,
            returns: Returns::Nothing,
        };
        runner.run_once(&[empty, runner.stage.fill_statement()])?;
    }
    let own: Vec<Oid> = table
        .stages
        .iter()
        .flat_map(|runner| &runner.sources)
        .filter(|source| is_stage_relid(source.core_relid))
        .map(|source| source.relid)
        .collect();
    for change in session::take_pending() {
        if own.contains(&change.relid) {
            change.free();
        } else {
            session::push(change);
        }
    }
    set(table.id, 0)
}

/// Other sessions of a server may read the table, and so would wait, or see nothing.
const EMPTY: &str = if cfg!(target_family = "wasm") {
    "TRUNCATE"
} else {
    "DELETE FROM"
};
