//! Prepares a query, and each view it reads, for the planner.

use super::{ctes, inherited_order, join_names, table_oid};
use crate::catalog::Catalog;
use crate::facts::fallback::Fallback;
use crate::query::Query;

/// Inlines CTEs, removes the names of joins, replaces `tableoid` by a constant, and passes the order of subqueries on,
/// everywhere in the query.
pub fn prepare(query: &mut Query, catalog: &dyn Catalog) -> Result<(), Fallback> {
    ctes::inline(query)?;
    join_names::dissolve(query)?;
    table_oid::replace(query, catalog)?;
    inherited_order::pass_on(query, catalog)
}
