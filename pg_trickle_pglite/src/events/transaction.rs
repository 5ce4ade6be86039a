//! Transactions and subtransactions begin and end.

use crate::commands::fallback;
use crate::edge::error::Result;
use crate::edge::ffi::Commits;
use crate::runtime::{behind, locks, memory, session};
use crate::subscribe::{firing, kept, outbox};

/// A transaction is about to commit. This is the last chance to fail it.
pub fn about_to_commit() -> Result<()> {
    session::check()?;
    let _commits = Commits::start();
    if session::end_statements() {
        fallback::flush(None)?;
        firing::fire()?;
    }
    kept::write()
}

/// A transaction has ended.
pub fn ended(committed: bool) {
    if locks::end_transaction() {
        session::void();
    }
    if session::end_transaction() {
        outbox::lose_all();
    } else {
        outbox::finish(committed);
    }
    if !committed {
        memory::note_abort();
    }
    // Other sessions of a server count, too.
    if !committed || !cfg!(target_family = "wasm") {
        behind::forget();
    }
}

/// The end of a transaction was missed, at least in part. Needs no memory.
pub fn end_was_lost() {
    let _ = locks::end_transaction();
    session::end_transaction();
    session::void();
    behind::forget();
    outbox::lose_all();
}

const SUBXACT_START: i32 = 0;
const SUBXACT_COMMIT: i32 = 1;
const SUBXACT_ABORT: i32 = 2;

/// A subtransaction starts, commits or aborts.
pub fn subtransaction(event: i32) {
    match event {
        SUBXACT_START => {
            session::start_subtransaction();
            locks::start_subtransaction();
            outbox::start_subtransaction();
        }
        SUBXACT_COMMIT => {
            session::commit_subtransaction();
            locks::commit_subtransaction();
            outbox::commit_subtransaction();
        }
        SUBXACT_ABORT => {
            session::abort_subtransaction();
            locks::abort_subtransaction();
            behind::forget();
            outbox::abort_subtransaction();
        }
        _ => {}
    }
}
