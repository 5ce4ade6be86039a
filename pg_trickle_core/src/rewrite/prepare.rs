//! What is done to a query before the planner looks at it, and to each view that it reads.

use super::{ctes, inherited_order, join_names, table_oid};
use crate::catalog::Catalog;
use crate::facts::fallback::Fallback;
use crate::query::Query;

/// Dissolves CTEs and the names of joins, makes `tableoid` a constant, and passes the order of subqueries on, everywhere in the query.
pub fn prepare(query: &mut Query, catalog: &dyn Catalog) -> Result<(), Fallback> {
    ctes::inline(query)?;
    join_names::dissolve(query)?;
    table_oid::replace(query, catalog)?;
    inherited_order::pass_on(query, catalog)
}
