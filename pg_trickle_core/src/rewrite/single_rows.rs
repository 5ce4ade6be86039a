//! Subqueries that return exactly one row are joined, and a column of the join replaces them.
//!
//! Cost: a join with one row. Source: unnesting after Kim, "On optimizing an SQL-like nested query", 1982.

use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::facts::shape::is_grouped;
use crate::query::{Expr, FromItem, Query, Rte, RteKind, SubLinkKind, Var, varno};
use crate::stages::graph::StageGraph;

/// Joins the subqueries that always return exactly one row (uncorrelated aggregates without GROUP BY), if they are in
/// WHERE or in the select list of a query that does not group.
pub fn join(query: &mut Query, graph: &StageGraph) -> Result<(), Fallback> {
    let mut found: Vec<Query> = Vec::new();
    let offset = query.rtable.len();
    if let Some(quals) = &mut query.quals {
        take(quals, &mut found, offset)?;
    }
    if !is_grouped(query) {
        for target in &mut query.targets {
            take(&mut target.expr, &mut found, offset)?;
        }
    }
    for subquery in found {
        let view = graph.cut(&subquery)?;
        let names = view.targets.iter().filter_map(|target| target.name.clone()).collect();
        query.from.push(FromItem::Rel(varno(query.rtable.len())?));
        query
            .rtable
            .push(Rte::new(RteKind::Subquery(Box::new(view)), "single", names));
    }
    Ok(())
}

fn take(expr: &mut Expr, found: &mut Vec<Query>, offset: usize) -> Result<(), Error> {
    if let Expr::SubLink(sublink) = expr
        && sublink.kind == SubLinkKind::Expr
        && is_single_row(&sublink.query)
        && let Some(target) = sublink.query.targets.first()
    {
        let position = match found.iter().position(|known| *known == sublink.query) {
            Some(position) => position,
            None => {
                found.push(sublink.query.clone());
                found.len() - 1
            }
        };
        *expr = Var::like(&target.expr, varno(offset + position)?, 1);
        return Ok(());
    }
    let mut result = Ok(());
    expr.for_each_child_mut(&mut |child| {
        if result.is_ok() {
            result = take(child, found, offset);
        }
    });
    result
}

fn is_single_row(query: &Query) -> bool {
    query.has_aggs
        && query.group.is_empty()
        && query.grouping_sets.is_empty()
        && query.having.is_none()
        && query.set_operations.is_none()
        && query.limit_count.is_none()
        && query.limit_offset.is_none()
        && !query.has_target_srfs
        && !query.has_windows
        && query.distinct.is_empty()
        && !query.is_correlated()
        && query.visible_targets().count() == 1
}
