//! `alter_stream_table`: another query under the same name.

use super::find::{self, Found};
use super::{fallback, must_be_idle, replace};
use crate::edge::error::Result;
use crate::edge::spi;
use crate::runtime::session::Busy;
use crate::runtime::{load, locks};
use crate::schema::definition::{Query, Windows};
use crate::schema::storage;
use crate::subscribe::{feed, firing};

/// Gives a stream table another query. Returns its qualified name.
pub fn run(name: &str, query: &str, windows: Option<&str>) -> Result<String> {
    must_be_idle("alter a stream table")?;
    let found = find::stream_table(name)?;
    let windows = match windows {
        None if load::load(found.id)?.windows_on_read => Windows::OnRead,
        given => Windows::of(given).map_err(|error| error.about(&found.name))?,
    };
    change(&found, query, windows)?;
    Ok(found.name)
}

/// The same for one that has been found.
pub fn change(found: &Found, query: &str, windows: Windows) -> Result<()> {
    find::must_own(found)?;
    change_query(found, query, windows).map_err(|error| error.about(&found.name))?;
    firing::forget();
    Ok(())
}

fn change_query(found: &Found, query: &str, windows: Windows) -> Result<()> {
    let temporaries = spi::catalog("SELECT 1 WHERE pg_my_temp_schema() <> 0", &[])?;
    let parsed = Query::read(query, !temporaries.is_empty())?;
    let _busy = Busy::start();
    locks::take_catalog()?;
    locks::take(std::iter::once(found.id))?;
    let definition = parsed.define(&found.schema, storage::next_id()?, windows)?;
    fallback::attempt(|reason| {
        let before = load::load(found.id)?;
        let after = replace::redefine(&before, &definition, query, reason)?;
        if after.windows_on_read && (after.triggers != 0 || after.change_documents.is_some()) {
            return Err(feed::unstored("keep the changes of, or fire triggers on,", &after.name));
        }
        if after.populated {
            fallback::rebuild(&after)?;
        }
        reason.map_or(Ok(()), |reason| fallback::announce(&after.name, reason))
    })
}
