//! Makes what a query reads plain: views and linear subqueries are merged into it, other subqueries become stages.
//!
//! Cost: what is merged costs nothing of its own, a subquery with exactly one row what a join with it costs.
//! Source: unnesting as in Kim, "On optimizing an SQL-like nested query", 1982, where it changes no multiplicity.

use super::builder::Builder;
use super::prepare::{ctes, joins, order, pull_up};
use super::stop::Stop;
use super::{anti_join, is_grouped, only_linear};
use crate::catalog::Catalog;
use crate::query::{Expr, FromItem, JoinKind, Query, Rte, RteKind, SubLinkKind, Target, Var};

/// Dissolves CTEs and the names of joins, everywhere in the query.
pub fn prepare(query: &mut Query) -> Result<(), Stop> {
    ctes::inline(query)?;
    joins::dissolve(query)
}

/// Makes FROM, and the FROM of subqueries in expressions, plain.
pub fn simplify(query: &mut Query, builder: &Builder) -> Result<(), Stop> {
    single_rows(query, builder)?;
    let mut entries = Vec::new();
    for item in &query.from {
        collect(item, false, &mut entries);
    }
    for (varno, nullable) in entries {
        from_entry(query, varno, nullable, builder)?;
    }
    let mut result = Ok(());
    query.for_each_expr_mut(&mut |expr| sublinks(expr, builder, &mut result));
    result?;
    if query.has_sublinks {
        let around = query.clone();
        if let Some(quals) = &mut query.quals {
            anti_join::condition(&around, quals, builder)?;
        }
        for item in &mut query.from {
            join_conditions(&around, item, builder)?;
        }
    }
    Ok(())
}

fn join_conditions(query: &Query, item: &mut FromItem, builder: &Builder) -> Result<(), Stop> {
    let FromItem::Join(join) = item else { return Ok(()) };
    if let Some(quals) = &mut join.quals {
        anti_join::condition(query, quals, builder)?;
    }
    join_conditions(query, &mut join.left, builder)?;
    join_conditions(query, &mut join.right, builder)
}

/// The entries of FROM, and whether an outer join can make them NULL.
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

fn from_entry(query: &mut Query, varno: i32, nullable: bool, builder: &Builder) -> Result<(), Stop> {
    let Some(position) = usize::try_from(varno - 1).ok().filter(|n| *n < query.rtable.len()) else {
        return Ok(());
    };
    expand_view(query, position, builder)?;
    let RteKind::Subquery(subquery) = &query.rtable[position].kind else {
        return Ok(());
    };
    let mut subquery = (**subquery).clone();
    if !subquery.is_correlated() && only_linear(&subquery).is_err() {
        subquery = builder.cut(&subquery)?;
    }
    simplify(&mut subquery, builder)?;
    pull_up::hoist(&mut subquery);
    // What an aggregate is of follows from its columns: it must not lose those of its own query.
    let looks_outside = |target: &Target| {
        target
            .expr
            .any(&mut |node| matches!(node, Expr::Var(var) if var.levels_up > 0))
    };
    let keeps_aggregates = !query.has_aggs || !subquery.targets.iter().any(looks_outside);
    let sees_the_same = keeps_aggregates && !pull_up::joins_look_outside(&subquery);
    let plain = !subquery.from.is_empty() && only_linear(&subquery).is_ok();
    let merge = sees_the_same && plain && !nullable;
    if merge && query.has_aggs {
        order::pass_on(query, &mut subquery);
    } else if !query.has_aggs
        && subquery.limit_count.is_none()
        && subquery.limit_offset.is_none()
        && !subquery.distinct_on
    {
        // Without LIMIT, ORDER BY means nothing below the top but to aggregates.
        subquery.sort.clear();
    }
    query.rtable[position].kind = RteKind::Subquery(Box::new(subquery));
    if merge {
        pull_up::pull_up(query, varno);
    }
    Ok(())
}

fn expand_view(query: &mut Query, position: usize, builder: &Builder) -> Result<(), Stop> {
    if let RteKind::Relation {
        relid, relkind: 'v', ..
    } = query.rtable[position].kind
    {
        let mut view = crate::query::read_view(&builder.view_tree(relid)?)?;
        prepare(&mut view)?;
        query.rtable[position].kind = RteKind::Subquery(Box::new(view));
    }
    Ok(())
}

fn sublinks(expr: &mut Expr, builder: &Builder, result: &mut Result<(), Stop>) {
    if result.is_err() {
        return;
    }
    if let Expr::SubLink(sublink) = expr {
        *result = sublink_query(&mut sublink.query, builder);
        if result.is_ok() && sublink.kind == SubLinkKind::Exists {
            match anti_join::any_row(sublink.query.clone(), builder) {
                Ok(query) => sublink.query = query,
                Err(stop) => *result = Err(stop),
            }
        }
    }
    expr.for_each_child_mut(&mut |child| sublinks(child, builder, result));
}

fn sublink_query(query: &mut Query, builder: &Builder) -> Result<(), Stop> {
    if !query.is_correlated() && only_linear(query).is_err() {
        *query = builder.cut(query)?;
    }
    if query.set_operations.is_some() {
        return Ok(());
    }
    simplify(query, builder)
}

/// Subqueries in WHERE, or in the select list of a query that does not group, that give exactly one row whatever happens:
/// aggregates without GROUP BY that do not look outside. They are joined instead.
fn single_rows(query: &mut Query, builder: &Builder) -> Result<(), Stop> {
    let mut found: Vec<Query> = Vec::new();
    let offset = query.rtable.len();
    let mut take = |expr: &mut Expr| single_rows_in(expr, &mut found, offset);
    if let Some(quals) = &mut query.quals {
        take(quals);
    }
    if !is_grouped(query) {
        for target in &mut query.targets {
            take(&mut target.expr);
        }
    }
    for subquery in found {
        let view = builder.cut(&subquery)?;
        let names = view.targets.iter().filter_map(|target| target.name.clone()).collect();
        query
            .rtable
            .push(Rte::new(RteKind::Subquery(Box::new(view)), "single", names));
        let varno = i32::try_from(query.rtable.len()).unwrap_or(i32::MAX);
        query.from.push(FromItem::Rel(varno));
    }
    Ok(())
}

fn single_rows_in(expr: &mut Expr, found: &mut Vec<Query>, offset: usize) {
    if let Expr::SubLink(sublink) = expr
        && sublink.kind == SubLinkKind::Expr
        && is_single_row(&sublink.query)
        && let Some(target) = sublink.query.targets.first()
    {
        let var = Var {
            varno: 0,
            attno: 1,
            type_oid: target.expr.type_oid(),
            typmod: target.expr.typmod(),
            collation: target.expr.collation(),
            levels_up: 0,
        };
        let known = found.iter().position(|known| *known == sublink.query);
        let position = known.unwrap_or_else(|| {
            found.push(sublink.query.clone());
            found.len() - 1
        });
        let varno = i32::try_from(offset + position + 1).unwrap_or(i32::MAX);
        *expr = Expr::Var(Var { varno, ..var });
        return;
    }
    expr.for_each_child_mut(&mut |child| single_rows_in(child, found, offset));
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
        && query.targets.iter().filter(|target| !target.junk).count() == 1
}

/// True where FROM has more than tables and inner joins, or an expression has a subquery.
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

/// True where a subquery stands in the expression.
pub fn has_sublink(expr: &Expr) -> bool {
    expr.any(&mut |node| matches!(node, Expr::SubLink(_)))
}

/// True where a subquery stands in the expression, other than in an aggregate's arguments.
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

/// True where a subquery holds an aggregate of the query around it.
pub fn has_outer_aggregate(query: &Query) -> bool {
    let mut found = false;
    query.for_each_query(&mut |inner| {
        inner.for_each_expr(&mut |expr| {
            found = found || expr.any(&mut |node| matches!(node, Expr::Aggref(call) if call.levels_up > 0));
        });
    });
    found
}
