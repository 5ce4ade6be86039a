//! Simplifies what a query reads: views and linear subqueries are merged into it, other subqueries become stages.
//!
//! Cost: nothing for what is merged. A subquery with exactly one row costs a join with that row.
//! Source: unnesting after Kim, "On optimizing an SQL-like nested query", 1982, applied only where it keeps
//! multiplicities.

use super::{
    anti_join, inherited_order, merge, outer_to_inner, scalar_groups, single_rows, temporal, top, unread, views,
};
use crate::facts::fallback::Fallback;
use crate::facts::shape::only_linear;
use crate::query::{Expr, FromItem, JoinKind, Query, RteKind, SubLinkKind, Target};
use crate::stages::graph::StageGraph;

/// Simplifies FROM, and the FROM of subqueries in expressions.
pub fn simplify(query: &mut Query, graph: &StageGraph) -> Result<(), Fallback> {
    if query.set_operations.is_some() {
        for rte in &mut query.rtable {
            if let RteKind::Subquery(branch) = &mut rte.kind {
                sublink_query(branch, graph)?;
            }
        }
        return Ok(());
    }
    single_rows::join(query, graph)?;
    scalar_groups::join(query, graph)?;
    outer_to_inner::reduce(query, graph);
    let mut entries = Vec::new();
    for item in &query.from {
        collect(item, false, &mut entries);
    }
    for (varno, nullable) in entries {
        from_entry(query, varno, nullable, graph)?;
    }
    // Merged subqueries bring conditions of their own.
    outer_to_inner::reduce(query, graph);
    let mut result = Ok(());
    query.for_each_expr_mut(&mut |expr| sublinks(expr, graph, &mut result));
    result?;
    if query.has_sublinks {
        let around = query.clone();
        if let Some(quals) = &mut query.quals {
            anti_join::condition(&around, quals, graph)?;
        }
        for item in &mut query.from {
            join_conditions(&around, item, graph)?;
        }
    }
    Ok(())
}

fn join_conditions(query: &Query, item: &mut FromItem, graph: &StageGraph) -> Result<(), Fallback> {
    let FromItem::Join(join) = item else { return Ok(()) };
    if let Some(quals) = &mut join.quals {
        anti_join::condition(query, quals, graph)?;
    }
    join_conditions(query, &mut join.left, graph)?;
    join_conditions(query, &mut join.right, graph)
}

/// The entries of FROM, and whether each is on the nullable side of an outer join.
fn collect(item: &FromItem, nullable: bool, entries: &mut Vec<(i32, bool)>) {
    match item {
        FromItem::Rel(varno) => entries.push((*varno, nullable)),
        FromItem::Join(join) => {
            let left = nullable || matches!(join.kind, JoinKind::Right | JoinKind::Full);
            let right = nullable || matches!(join.kind, JoinKind::Left | JoinKind::Full);
            collect(&join.left, left, entries);
            collect(&join.right, right, entries);
        }
    }
}

fn from_entry(query: &mut Query, varno: i32, nullable: bool, graph: &StageGraph) -> Result<(), Fallback> {
    let position = query.position(varno)?;
    let is_view = views::expand(query, position, graph)?;
    let RteKind::Subquery(subquery) = &mut query.rtable[position].kind else {
        return Ok(());
    };
    if is_view {
        inherited_order::pass_on(subquery, graph)?;
    }
    let mut subquery = (**subquery).clone();
    unread::forget(query, varno, &mut subquery, graph)?;
    if !subquery.is_correlated() && only_linear(&subquery).is_err() {
        subquery.top = top::of(&subquery, query, varno, graph)?;
        subquery = graph.cut(&subquery)?;
    }
    simplify(&mut subquery, graph)?;
    merge::hoist(&mut subquery);
    // The columns in an aggregate decide which query it belongs to, so its arguments must keep a column of their own
    // query.
    let looks_outside = |target: &Target| {
        target
            .expr
            .any(&mut |node| matches!(node, Expr::Var(var) if var.levels_up > 0))
    };
    let keeps_aggregates = !query.has_aggs || !subquery.targets.iter().any(looks_outside);
    let sees_the_same = keeps_aggregates && !merge::joins_look_outside(&subquery);
    let plain = !subquery.from.is_empty() && only_linear(&subquery).is_ok();
    let is_merged = sees_the_same && plain && !nullable;
    let on_nullable_side = nullable && plain;
    if subquery.limit_count.is_none() && subquery.limit_offset.is_none() && !subquery.distinct_on {
        // Whatever depends on this order has received an order of its own ([`inherited_order`]).
        subquery.sort.clear();
    }
    if !is_merged && !on_nullable_side {
        temporal::push_down(&mut subquery, graph)?;
    }
    query.rtable[position].kind = RteKind::Subquery(Box::new(subquery));
    if is_merged {
        merge::merge(query, varno)?;
    } else if on_nullable_side && !(sees_the_same && merge::into_outer_join(query, varno)?) {
        store(query, varno, graph)?;
    }
    Ok(())
}

/// Makes a subquery on the nullable side a stage, so that a table takes its place.
fn store(query: &mut Query, varno: i32, graph: &StageGraph) -> Result<(), Fallback> {
    let position = query.position(varno)?;
    let RteKind::Subquery(subquery) = &mut query.rtable[position].kind else {
        return Ok(());
    };
    if subquery.is_correlated() {
        return temporal::push_down(subquery, graph);
    }
    let view = graph.cut(subquery)?;
    query.rtable[position].kind = RteKind::Subquery(Box::new(view));
    merge::into_outer_join(query, varno)?;
    Ok(())
}

fn sublinks(expr: &mut Expr, graph: &StageGraph, result: &mut Result<(), Fallback>) {
    if result.is_err() {
        return;
    }
    if let Expr::SubLink(sublink) = expr {
        *result = sublink_query(&mut sublink.query, graph);
        if result.is_ok() && sublink.kind == SubLinkKind::Exists {
            match anti_join::any_row(sublink.query.clone(), graph) {
                Ok(query) => sublink.query = query,
                Err(failure) => *result = Err(failure),
            }
        }
    }
    expr.for_each_child_mut(&mut |child| sublinks(child, graph, result));
}

fn sublink_query(query: &mut Query, graph: &StageGraph) -> Result<(), Fallback> {
    if !query.is_correlated() && only_linear(query).is_err() {
        *query = graph.cut(query)?;
    }
    simplify(query, graph)?;
    temporal::push_down(query, graph)
}
