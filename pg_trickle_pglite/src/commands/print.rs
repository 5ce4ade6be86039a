//! `print_query`: the query of a view as SQL that means the same under every `search_path`.

use crate::edge::catalog::SpiCatalog;
use crate::edge::error::Result;
use crate::edge::spi;
use pg_trickle_core::catalog::Catalog;

/// The text of the query of the view with this OID.
pub fn run(view: &str) -> Result<String> {
    let oid = spi::number(view)?;
    let catalog = SpiCatalog::default();
    let text = catalog
        .view_tree(oid)
        .and_then(|tree| pg_trickle_core::print_query(&tree, &catalog));
    catalog.finish()?;
    Ok(text?)
}
