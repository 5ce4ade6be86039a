//! `alter_stream_table`: another query under the same name.

use super::find::{self, Found};
use super::{define, must_be_idle, replace};
use crate::error::Result;
use crate::session::Busy;
use crate::{flush, stages};

/// Gives a stream table another query.
pub fn run(name: &str, query: &str) -> Result<()> {
    must_be_idle("alter a stream table")?;
    change(&find::stream_table(name)?, query)
}

/// The same for one that has been found.
pub fn change(found: &Found, query: &str) -> Result<()> {
    find::must_own(found)?;
    change_query(found, query).map_err(|error| error.about(&found.name))
}

fn change_query(found: &Found, query: &str) -> Result<()> {
    define::check(query)?;
    let _busy = Busy::start();
    let definition_id = super::create::next_id()?;
    let definition = define::define(&found.schema, definition_id, query)?;
    let before = stages::load(found.id)?;
    let after = replace::redefine(&before, &definition, query)?;
    if after.populated {
        flush::rebuild(&after)?;
    }
    Ok(())
}
