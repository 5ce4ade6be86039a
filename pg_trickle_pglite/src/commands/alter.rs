//! `alter_stream_table`: another query under the same name.

use super::find::{self, Found};
use super::{fallback, must_be_idle, replace};
use crate::edge::error::Result;
use crate::edge::spi;
use crate::runtime::choices::Choices;
use crate::runtime::session::Busy;
use crate::runtime::{load, locks};
use crate::schema::definition::Query;
use crate::schema::storage;
use crate::subscribe::{feed, firing};

/// Gives a stream table another query. Returns its qualified name.
pub fn run(name: &str, query: &str, windows: Option<&str>, pre_aggregate: Option<&str>) -> Result<String> {
    must_be_idle("alter a stream table")?;
    let found = find::stream_table(name)?;
    let before = load::choices(&load::load(found.id)?.definition)?;
    let choices = Choices::of(windows, pre_aggregate, before).map_err(|error| error.about(&found.name))?;
    change(&found, query, choices)?;
    Ok(found.name)
}

/// The same for one that has been found.
pub fn change(found: &Found, query: &str, choices: Choices) -> Result<()> {
    find::must_own(found)?;
    change_query(found, query, choices).map_err(|error| error.about(&found.name))?;
    firing::forget();
    Ok(())
}

fn change_query(found: &Found, query: &str, choices: Choices) -> Result<()> {
    let temporaries = spi::catalog("SELECT 1 WHERE pg_my_temp_schema() <> 0", &[])?;
    let parsed = Query::read(query, !temporaries.is_empty())?;
    let _busy = Busy::start();
    locks::take_catalog()?;
    locks::take(std::iter::once(found.id))?;
    let definition = parsed.define(&found.schema, storage::next_id()?, choices)?;
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
