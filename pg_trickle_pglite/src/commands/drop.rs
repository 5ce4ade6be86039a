//! `drop_stream_table`.

use super::{find, must_be_idle};
use crate::error::Result;
use crate::{spi, sql};

/// Drops the user's view; the event trigger removes the rest, as it does for any other way of dropping it.
pub fn run(name: &str, cascade: bool) -> Result<()> {
    must_be_idle("drop a stream table")?;
    let found = find::stream_table(name)?;
    let dropped = spi::users_text(&sql::drop_view(&found.name, cascade));
    dropped.map_err(|mut error| {
        error.context = None;
        if error.sqlstate == "2BP01" {
            error.hint = Some("Drop what depends on it first, or pass cascade => true.".to_owned());
        }
        error.about(&found.name)
    })
}
