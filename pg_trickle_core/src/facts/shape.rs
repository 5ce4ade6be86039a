//! Which clauses a query has.

use super::fallback::{Fallback, reason};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::oids::{INT2, INT4, INT8};
use crate::query::{Const, Expr, FromItem, JoinKind, Query, Rte, RteKind, SubLinkKind};

/// Fails if the query has anything but scans, joins, filters and a projection.
pub fn only_linear(query: &Query) -> Result<(), Fallback> {
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
    if query.limit_count.is_some() || query.limit_offset.is_some() {
        return reason("LIMIT or OFFSET");
    }
    if !query.row_marks.is_empty() {
        return reason("FOR UPDATE or FOR SHARE");
    }
    if !query.ctes.is_empty() {
        return reason("WITH");
    }
    if is_grouped(query) {
        return reason("aggregate in a subquery");
    }
    if query.has_target_srfs {
        return reason("set-returning function in a subquery's select list");
    }
    Ok(())
}

/// The value of an integer constant, also where the parser casts it to bigint.
pub fn integer(expr: &Expr, catalog: &dyn Catalog) -> Result<Option<i64>, Error> {
    match expr {
        Expr::Const(Const {
            is_null: false,
            type_oid,
            node,
            ..
        }) if [INT2, INT4, INT8].contains(type_oid) => Ok(catalog.const_text(node)?.parse().ok()),
        Expr::Func(call) if call.args.len() == 1 && call.type_oid == INT8 => {
            let function = catalog.function(call.function)?;
            if function.schema == "pg_catalog" && function.name == "int8" {
                integer(&call.args[0], catalog)
            } else {
                Ok(None)
            }
        }
        _ => Ok(None),
    }
}

/// True if the query groups or aggregates.
pub fn is_grouped(query: &Query) -> bool {
    query.has_aggs || !query.group.is_empty() || !query.grouping_sets.is_empty() || query.having.is_some()
}

/// True if the query groups by keys, without grouping sets or subqueries, and no other operator but an order or a limit stands
/// above that.
pub fn only_groups(query: &Query) -> bool {
    !query.group.is_empty()
        && query.grouping_sets.is_empty()
        && query.distinct.is_empty()
        && !query.has_windows
        && !query.has_target_srfs
        && !query.has_sublinks
}

/// True if the query aggregates all rows of FROM and WHERE to one row, and no other operator stands above that.
pub fn aggregates_whole_input(query: &Query) -> bool {
    query.has_aggs
        && query.group.is_empty()
        && query.grouping_sets.is_empty()
        && query.having.is_none()
        && query.set_operations.is_none()
        && query.limit_count.is_none()
        && query.limit_offset.is_none()
        && query.distinct.is_empty()
        && !query.has_target_srfs
        && !query.has_windows
}

/// True if FROM holds more than tables and inner joins, or an expression holds a subquery.
pub fn is_complex(query: &Query) -> bool {
    fn item_is_complex(query: &Query, item: &FromItem) -> bool {
        match item {
            FromItem::Rel(varno) => usize::try_from(varno - 1)
                .ok()
                .and_then(|n| query.rtable.get(n))
                .is_some_and(|rte| matches!(rte.kind, RteKind::Subquery(_) | RteKind::TableFunc(_))),
            FromItem::Join(join) => {
                join.kind != JoinKind::Inner
                    || item_is_complex(query, &join.left)
                    || item_is_complex(query, &join.right)
            }
        }
    }
    if query.from.iter().any(|item| item_is_complex(query, item)) {
        return true;
    }
    let mut found = false;
    query.for_each_expr(&mut |expr| found |= has_sublink(expr));
    found
}

/// True if the expression holds a subquery.
pub fn has_sublink(expr: &Expr) -> bool {
    expr.any(&mut |node| matches!(node, Expr::SubLink(_)))
}

/// True if the expression holds a subquery outside the arguments of its aggregates.
pub fn has_sublink_outside_aggregates(expr: &Expr) -> bool {
    let mut found = false;
    let _ = expr.transform(&mut |node| match node {
        Expr::Aggref(_) => Some(node.clone()),
        Expr::SubLink(_) => {
            found = true;
            Some(node.clone())
        }
        _ => None,
    });
    found
}

/// True if a subquery holds an aggregate of an enclosing query.
pub fn has_outer_aggregate(query: &Query) -> bool {
    let mut found = false;
    query.for_each_query(&mut |inner| {
        inner.for_each_expr(&mut |expr| {
            found = found || expr.any(&mut |node| matches!(node, Expr::Aggref(call) if call.levels_up > 0));
        });
    });
    found
}

/// True if the expression calls a set-returning function.
pub fn gives_rows(expr: &Expr) -> bool {
    expr.any(&mut |node| matches!(node, Expr::Func(call) if call.returns_set))
}

/// True if GROUP BY has a subquery.
pub fn has_sublink_key(query: &Query) -> bool {
    query.referred(&query.group).any(has_sublink)
}

/// True if ORDER BY sorts by an expression that is not selected.
pub fn has_hidden_order(query: &Query) -> bool {
    let is_sorted = |target_ref| query.sort.iter().any(|sort| sort.target_ref == target_ref);
    query
        .targets
        .iter()
        .any(|target| target.junk && is_sorted(target.ressortgroupref))
}

/// True if GROUP BY has a set-returning function.
pub fn has_key_of_rows(query: &Query) -> bool {
    query.referred(&query.group).any(gives_rows)
}

/// True if the frame of a window has a subquery.
pub fn has_sublink_in_frame(query: &Query) -> bool {
    let mut bounds = query
        .windows
        .iter()
        .flat_map(|window| window.start_offset.iter().chain(&window.end_offset));
    bounds.any(has_sublink)
}

/// The topmost clause of a query.
pub fn top_clause(query: &Query) -> &'static str {
    if query.limit_count.is_some() || query.limit_offset.is_some() {
        "LIMIT or OFFSET"
    } else if query.set_operations.is_some() {
        "UNION, INTERSECT or EXCEPT"
    } else if !query.distinct.is_empty() {
        "DISTINCT"
    } else if query.has_windows {
        "window function"
    } else if !query.grouping_sets.is_empty() {
        "GROUPING SETS, ROLLUP or CUBE"
    } else if is_grouped(query) {
        "GROUP BY or aggregate"
    } else {
        "subquery"
    }
}

/// True if the query or one of its subqueries has a recursive CTE.
pub fn reads_recursion(query: &Query) -> bool {
    let mut found = false;
    query.for_each_query(&mut |query| found |= query.recursive);
    found
}

/// Is there a subquery in a direct argument of an ordered-set aggregate? It is evaluated once for each group.
pub fn has_sublink_in_direct_args(query: &Query) -> bool {
    let mut found = false;
    query.for_each_expr(&mut |expr| {
        found = found
            || expr.any(&mut |node| matches!(node, Expr::Aggref(call) if call.direct_args.iter().any(has_sublink)));
    });
    found
}

/// Does an uncorrelated EXISTS read WITH RECURSIVE? It may be what ends the recursion.
pub fn has_exists_over_recursion(query: &Query) -> bool {
    let reads = |query: &Query| {
        let mut found = false;
        let is_cte = |rte: &Rte| matches!(rte.kind, RteKind::Cte { .. });
        query.for_each_query(&mut |inner| found |= inner.recursive || inner.rtable.iter().any(is_cte));
        found
    };
    let mut found = false;
    query.for_each_expr(&mut |expr| {
        found = found
            || expr.any(&mut |node| {
                matches!(node, Expr::SubLink(sublink)
                    if sublink.kind == SubLinkKind::Exists && reads(&sublink.query) && !sublink.query.is_correlated())
            });
    });
    found
}

/// Is GROUPING() called for a grouping of this query?
pub fn has_grouping_call(query: &Query) -> bool {
    let mut found = false;
    query.for_each_expr(&mut |expr| {
        found = found || expr.any(&mut |node| matches!(node, Expr::Grouping(call) if call.levels_up == 0));
    });
    found
}

/// Does the query, or a subquery of it, read a table?
pub fn reads_tables(query: &Query) -> bool {
    let mut found = false;
    let is_table = |rte: &Rte| matches!(rte.kind, RteKind::Relation { .. } | RteKind::NamedTuplestore { .. });
    query.for_each_query(&mut |query| found |= query.rtable.iter().any(is_table));
    found
}
