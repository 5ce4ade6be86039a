//! `refresh_stream_table`.

use super::{fallback, find, must_be_idle, replace};
use crate::edge::error::Result;
use crate::runtime::session::Busy;
use crate::runtime::{load, locks};
use crate::schema::{description, storage};
use crate::subscribe::firing;
use pg_trickle_core::json::Json;

/// Runs the query again, and says what had to be patched.
pub fn run(name: &str) -> Result<String> {
    must_be_idle("refresh a stream table")?;
    let found = find::stream_table(name)?;
    find::must_own(&found)?;
    let busy = Busy::start();
    locks::take(std::iter::once(found.id))?;
    let mut stage = load::load(found.id)?;
    if !stage.populated {
        locks::take_catalog()?;
        locks::stop_writers(stage.id, &stage.name)?;
    }
    if !stage.fits() {
        stage = fallback::attempt(|reason| replace::refit(&stage, reason.or(stage.fallback.as_deref())))?;
    }
    let [inserted, deleted, updated] = fallback::refresh(&stage)?;
    if !stage.populated {
        storage::activate(found.id)?;
        description::announce(&[found.id])?;
    }
    drop(busy);
    firing::fire()?;
    Ok(Json::Object(vec![
        ("inserted", Json::Number(inserted)),
        ("deleted", Json::Number(deleted)),
        ("updated", Json::Number(updated)),
    ])
    .write())
}
