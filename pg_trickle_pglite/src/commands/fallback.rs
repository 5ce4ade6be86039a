//! The last resort: a full refresh of the query, where PostgreSQL refuses the SQL that would maintain it otherwise, or that
//! SQL fails where the query does not.

use super::replace;
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi;
use crate::runtime::flush;
use crate::runtime::session::{self, Busy, PendingChange};
use crate::runtime::stream_table::{StageRunner, StreamTable};
use crate::runtime::{load, locks};
use crate::subscribe::feed;
use std::rc::Rc;

/// Makes a stream table, or makes it anew, and if that fails once more by a full refresh, for the reason that `body` is given.
/// This runs the query as it is: an error of its own is raised by it.
pub fn attempt<T>(body: impl Fn(Option<&str>) -> Result<T>) -> Result<T> {
    match ffi::nested(|| body(None)) {
        Err(error) if error.is_avoidable() => {
            session::void();
            body(Some(&error.reason()))
        }
        result => result,
    }
}

/// Applies pending changes, and one whose rows are still the trigger's own.
pub fn flush(first: Option<PendingChange>) -> Result<()> {
    flush::run(first, give_up)
}

/// Moves these clocks to the present, and applies what time has changed.
pub fn advance(clocks: &[Rc<StageRunner>]) -> Result<()> {
    flush::advance(clocks, give_up)
}

/// Runs the query of a stream table again. Returns how many rows it inserted, deleted and updated.
pub fn rebuild(table: &StreamTable) -> Result<[i64; 3]> {
    flush::rebuild(table, give_up)
}

/// The same, where the query runs although its stages fail: they are given up.
pub fn refresh(table: &StreamTable) -> Result<[i64; 3]> {
    match ffi::nested(|| rebuild(table)) {
        Err(error) if error.is_avoidable() && table.fallback.is_none() => {
            session::void();
            give_up(table.id, &error)?;
            rebuild(&*load::load(table.id)?)
        }
        result => result,
    }
}

/// Makes the storage of a stream table anew where it is not what its query compiles to, as after an upgrade.
pub fn fit(id: i32) -> Result<()> {
    if load::load(id)?.fits() {
        return Ok(());
    }
    locks::take_catalog()?;
    locks::take(std::iter::once(id))?;
    let table = load::load(id)?;
    if table.fits() {
        return Ok(());
    }
    let _busy = Busy::start();
    attempt(|reason| replace::refit(&table, reason.or(table.fallback.as_deref())))?;
    ffi::notice(
        &format!(
            "the storage of stream table {} was made anew: it was of another version",
            table.name
        ),
        None,
    )
}

/// Maintains a stream table by a full refresh from now on, while a statement changes what it reads.
fn give_up(id: i32, error: &SqlError) -> Result<()> {
    let table = load::load(id)?;
    // One that does not compile now does not fit either, but what it stores is right up to this change.
    if !table.fits() && table.stages.iter().all(|stage| stage.unfit.is_none()) {
        return fit(id);
    }
    let Some(top) = table.stages.last() else {
        return Ok(());
    };
    top.run_query(&table.definition)?;
    let _busy = Busy::start();
    let done = ffi::nested(|| {
        feed::note_all(&table, false)?;
        replace::fall_back(&table, &error.reason())?;
        feed::note_all(&*load::load(id)?, true)
    });
    if done.is_err() {
        session::void();
        return Err(Box::new(error.clone()));
    }
    announce(&table.name, &error.reason())
}

/// Says that a stream table runs its query again after every change.
pub fn announce(name: &str, reason: &str) -> Result<()> {
    ffi::notice(
        &format!("stream table {name} runs its query again after every change: {reason}"),
        Some(
            "The result is exact, but each statement that changes a source costs as much as the query. Please report it.",
        ),
    )
}
