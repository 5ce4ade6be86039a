//! From the analysed query to the operators of a stage, or to the reason why it is a Rebuild.
//!
//! Everything that Fold does not cover is named here and in [`linear`], construct by construct.

pub mod bag;
pub mod grouped;
pub mod linear;
pub mod order;
pub mod scans;
pub mod sources;
pub mod stop;
pub mod volatility;

use crate::query::Query;
use stop::{Stop, reason};

/// Fails unless scans, inner joins, filters and a projection are all there is.
pub fn only_linear(query: &Query) -> Result<(), Stop> {
    no_other_operators(query)?;
    if is_grouped(query) {
        return reason("aggregate in a subquery");
    }
    if query.has_target_srfs {
        return reason("set-returning function in a subquery's select list");
    }
    Ok(())
}

/// True where the query groups or aggregates.
#[must_use]
pub fn is_grouped(query: &Query) -> bool {
    query.has_aggs || !query.group.is_empty() || query.having.is_some()
}

/// Fails where the query has an operator beyond scan, join, filter, projection and plain grouping.
pub fn no_other_operators(query: &Query) -> Result<(), Stop> {
    if query.set_operations.is_some() {
        return reason("UNION, INTERSECT or EXCEPT");
    }
    if query.has_windows {
        return reason("window function");
    }
    if query.distinct_on {
        return reason("DISTINCT ON");
    }
    if !query.distinct.is_empty() {
        return reason("DISTINCT");
    }
    if !query.grouping_sets.is_empty() {
        return reason("GROUPING SETS, ROLLUP or CUBE");
    }
    if query.limit_count.is_some() || query.limit_offset.is_some() {
        return reason("LIMIT or OFFSET");
    }
    if !query.row_marks.is_empty() {
        return reason("FOR UPDATE or FOR SHARE");
    }
    Ok(())
}
