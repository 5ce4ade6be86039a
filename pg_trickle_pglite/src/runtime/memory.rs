//! The heap guard: what is given back and what is refused before memory runs out.
//!
//! Plans go first, those that have not run for longest (`edge/ffi/steps.rs`): they are made again when they are needed. If
//! that is not enough, compiled stream tables go too, and what PostgreSQL remembers of relations. Then no stream table is
//! made any more, and at last no source can be inserted into or updated, so that there is room for what gives memory
//! back: DELETE, DROP and ROLLBACK.

use super::session;
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi;
use crate::edge::ffi::memory::{self, Mark};
use crate::edge::spi;
use std::cell::Cell;

/// From where on no stream table is made. PostgreSQL's cache takes blocks of up to 8 MB (`ALLOCSET_DEFAULT_MAXSIZE`), which
/// nobody else can use: where the limit is low, a fifth of it would not hold one and leave room to work.
const FULL: Mark = Mark {
    percent: 80,
    free: 12 << 20,
};
/// From where on a command first makes room for itself.
const TIGHT: Mark = Mark::share(90);
/// From where on nothing is added to what stream tables read.
const FENCE: Mark = Mark::share(95);

thread_local! {
    /// Memory may have run out.
    static PRESSED: Cell<bool> = const { Cell::new(false) };
}

/// A transaction has failed: maybe for want of memory.
pub fn note_abort() {
    if memory::is_grown(FULL) {
        PRESSED.set(true);
    }
}

/// Gives back what can be made again, if memory may have run out since.
pub fn relieve() {
    memory::calibrate();
    if PRESSED.get() && !session::is_active() && !session::has_guests() {
        PRESSED.set(false);
        if memory::is_above(FULL) {
            give_back();
        }
    }
}

/// Makes room for a command on a stream table, where there is little. The cache of PostgreSQL keeps what it has free: it is
/// emptied before it takes more, which may be the next 8 MB.
pub fn make_room() {
    if session::is_active() || session::has_guests() || !memory::is_taken(FULL) {
        return;
    }
    if memory::is_taken(TIGHT) {
        give_back();
    }
    if memory::is_cache_full() {
        spi::empty_relation_cache();
    }
}

/// Gives back all that is made again when it is needed.
fn give_back() {
    ffi::give_back_plans(0);
    session::void();
    session::freshen();
}

/// Whether more than this is in use, also when everything has been given back that can be.
fn stays_above(mark: Mark) -> bool {
    memory::is_above(mark)
        && {
            give_back();
            memory::is_above(mark)
        }
        && {
            spi::empty_relation_cache();
            memory::is_above(mark)
        }
}

/// Fails where there is no room for another stream table.
pub fn must_have_room(name: &str) -> Result<()> {
    if !stays_above(FULL) {
        return Ok(());
    }
    Err(full(&format!("no memory for the stream table {name}"), FULL).about(name))
}

/// Fails where a statement that adds rows to a source would take what is kept for those that remove something.
pub fn must_be_below_fence() -> Result<()> {
    if !stays_above(FENCE) {
        return Ok(());
    }
    Err(full(
        "no memory for INSERT and UPDATE of what stream tables read",
        FENCE,
    ))
}

fn full(what: &str, mark: Mark) -> Box<SqlError> {
    let (used, limit) = (memory::used(), memory::limit());
    let [fixed, contexts, own] = memory::parts().map(megabytes);
    SqlError::new(
        "53200",
        format!(
            "{what}: {} of {} are in use, {}",
            megabytes(used),
            megabytes(limit),
            if mark.is_by_free() {
                format!("and {} have to stay free", megabytes(mark.free))
            } else {
                format!("more than {} %", mark.percent)
            }
        ),
    )
    .detail(format!(
        "PGlite itself, with shared_buffers, takes {fixed}; the caches and the current work of PostgreSQL {contexts}; \
         pg_trickle {own}. All plans of stream tables have been given back already."
    ))
    .hint(
        "Drop stream tables or tables that are not needed, or open the database again, which empties the caches, with a lower \
         shared_buffers or a higher memoryLimit (pgtrickle.memory_limit). SELECT * FROM pgtrickle.memory() shows what is in use.",
    )
}

fn megabytes(bytes: usize) -> String {
    let tenths = (bytes >> 10) * 10 / 1024;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
