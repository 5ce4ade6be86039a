//! Turns the analysed tree of a query into the SQL that maintains its stream table.
//!
//! Pure: text in, data out. All questions to a database go through [`catalog::Catalog`]. docs/ARCHITECTURE.md describes
//! the path of a query through the crate.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
// The module is built without `{:?}`, which would print nothing (ci/build-wasm.sh).
#![cfg_attr(not(test), deny(clippy::use_debug))]

pub mod answers;
pub mod catalog;
pub mod error;
pub mod explain;
mod facts;
pub mod json;
mod maintain;
pub mod node;
pub mod oids;
mod operators;
pub mod plan;
mod planner;
pub mod query;
mod rewrite;
pub mod sorted;
pub mod sql;
mod stages;

use catalog::Catalog;
use error::Error;
pub use maintain::stage::{FEW_CHANGES, Stage};
pub use plan::Input;
pub use planner::compile::Plan;
pub use stages::clock::{MOMENT, ZONE};

/// Compiles a stream table.
///
/// # Errors
///
/// [`Error::Unsupported`] for a query that cannot be a stream table; [`Error::Tree`] and [`Error::Catalog`] if the tree
/// or the catalog is not as expected.
pub fn compile(input: &Input, catalog: &dyn Catalog) -> Result<Plan, Error> {
    let query = query::read_view(input.tree)?;
    planner::compile::compile(&query, input, catalog)
}

/// The statement that makes the stored rows of the final stage what its query returns, without reading what the stages below
/// it store; nothing if [`Plan::has_skippable`] is false. It costs what the query costs, and a comparison of each row.
///
/// # Errors
///
/// As for [`compile`].
pub fn compile_at_once(input: &Input, catalog: &dyn Catalog) -> Result<Option<plan::Statement>, Error> {
    let query = query::read_view(input.tree)?;
    planner::compile::compile_at_once(&query, input, catalog)
}

/// The SQL text of an analysed query, with the clock at a moment: a `timestamptz` as SQL.
///
/// # Errors
///
/// [`Error::Tree`] and [`Error::Catalog`] as for [`compile`].
pub fn print_query_as_of(tree: &str, moment: &str, catalog: &dyn Catalog) -> Result<String, Error> {
    let mut query = query::read_view(tree)?;
    facts::clock::replace(&mut query, moment, catalog)?;
    sql::query::print(&query, catalog)
}

/// The SQL text of an analysed query, independent of `search_path`.
///
/// # Errors
///
/// [`Error::Tree`] and [`Error::Catalog`] as for [`compile`].
pub fn print_query(tree: &str, catalog: &dyn Catalog) -> Result<String, Error> {
    sql::query::print(&query::read_view(tree)?, catalog)
}
