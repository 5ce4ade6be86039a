//! `exportDefinition` of the plugin: a view's tree and all that compiling it asks of the catalog.

use crate::edge::catalog::{SpiCatalog, recorded};
use crate::edge::error::Result;
use crate::edge::spi;
use crate::runtime::load;
use pg_trickle_core::catalog::Catalog;

/// Compiles the query of a view as the definition of a stream table. Returns the questions and their answers as JSON; the
/// first answer is the tree.
pub fn run(definition: &str, storage: &str, fallback: Option<&str>) -> Result<String> {
    let oid = spi::catalog_number("SELECT $1::regclass::oid", &[Some(definition)])?.unwrap_or_default();
    let answers = recorded(|| {
        SpiCatalog::ask(0, |catalog| catalog.view_tree(oid))?;
        match load::compile_plainly(definition, storage, fallback) {
            // Whoever compiles what is exported gets the same error.
            Err(error) if error.sqlstate != "0A000" => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    })?;
    Ok(answers.write())
}
