//! `print_query`: the query of a view as SQL that means the same under every `search_path`.

use crate::edge::catalog::SpiCatalog;
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::Oid;
use crate::edge::spi;
use pg_trickle_core::MOMENT;
use pg_trickle_core::catalog::Catalog;

/// The text of the query of the view with this OID.
pub fn run(view: &str) -> Result<String> {
    let oid = spi::number(view)?;
    let (text, _) = SpiCatalog::ask(0, |catalog| {
        pg_trickle_core::print_query(&catalog.view_tree(oid)?, catalog)
    })?;
    Ok(text)
}

/// The text of the query of a view, with the clock at the moment that a stream table's clock shows.
pub fn as_of(view: &str, clock: &str, owner: Oid) -> Result<String> {
    let oid = spi::catalog_number("SELECT $1::regclass::oid", &[Some(view)])?
        .ok_or_else(|| SqlError::internal(format_args!("{view} is no view")))?;
    let moment = format!("(SELECT c.{MOMENT} FROM {clock} AS c)");
    let (text, _) = SpiCatalog::ask(owner, |catalog| {
        pg_trickle_core::print_query_as_of(&catalog.view_tree(oid)?, &moment, catalog)
    })?;
    Ok(text)
}
