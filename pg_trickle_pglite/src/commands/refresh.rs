//! `refresh_stream_table`.

use super::{create, find, must_be_idle};
use crate::error::Result;
use crate::json::Json;
use crate::session::{self, Busy};
use crate::{flush, spi, stages};

/// Runs the query again, and says what had to be patched.
pub fn run(name: &str) -> Result<String> {
    must_be_idle("refresh a stream table")?;
    let found = find::stream_table(name)?;
    find::must_own(&found)?;
    let _busy = Busy::start();
    let stage = stages::load(found.id)?;
    let [inserted, deleted, updated] = flush::rebuild(&stage)?;
    if !stage.populated {
        create::activate(found.id)?;
        session::forget(found.id);
        spi::catalog(stages::ANNOUNCE, &[])?;
    }
    Ok(Json::Object(vec![
        ("inserted", Json::Number(inserted)),
        ("deleted", Json::Number(deleted)),
        ("updated", Json::Number(updated)),
    ])
    .write())
}
