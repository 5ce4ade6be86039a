//! Chooses the operator at the top of a query.
//!
//! A query is taken apart from the top: LIMIT over DISTINCT over windows over grouping over the rows of FROM and WHERE.
//! If an operator needs the rows of the operator below it stored, that one becomes a stage of its own ([`split`]). So
//! do subqueries with operators of their own ([`crate::rewrite::simplify`]).

use crate::error::Error;
use crate::facts::clock;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::linear_block::conjuncts;
use crate::facts::shape::{
    has_exists_over_recursion, has_grouping_call, has_hidden_order, has_key_of_rows, has_outer_aggregate, has_sublink,
    has_sublink_in_direct_args, has_sublink_in_frame, has_sublink_key, has_sublink_outside_aggregates, is_complex,
    is_grouped, reads_tables,
};
use crate::facts::types::{null_sql, type_of};
#[cfg(feature = "changes")]
use crate::maintain::operator_tree::OperatorTree;
use crate::operators::partitioned::first::First;
use crate::operators::partitioned::plan::Split;
use crate::operators::{
    aggregate, constant, distinct, limit, linear, outer, partitioned, recursion, set_operation, temporal,
};
#[cfg(feature = "changes")]
use crate::plan::PreAggregate;
use crate::query::{Expr, Query, Target};
#[cfg(feature = "changes")]
use crate::rewrite::pre_aggregate;
use crate::rewrite::simplify::simplify;
use crate::rewrite::temporal::push_down;
use crate::rewrite::{dependents, distinct_lists, distinct_windows, full_join, grouping_sets, modes, split};
use crate::stages::graph::StageGraph;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::StorageTable;

/// Plans the topmost operator of a prepared query.
pub fn choose(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    graph.step(query)?;
    if !query.row_marks.is_empty() {
        return reason("FOR UPDATE or FOR SHARE");
    }
    if !reads_tables(query) {
        return constant::plan(query, storage, graph);
    }
    if has_sublink_in_frame(query) {
        return reason("subquery in the frame of a window");
    }
    if has_sublink_in_direct_args(query) {
        return reason("subquery in a direct argument of an ordered-set aggregate");
    }
    if has_exists_over_recursion(query) {
        return reason("EXISTS over WITH RECURSIVE");
    }
    if !query.ctes.is_empty() {
        return recursion::plan::plan(query, storage, graph);
    }
    if let Some(cte) = recursion::plan::shown(query) {
        return recursion::plan::show(query, cte, storage, graph);
    }
    if query.limit_count.is_some() || query.limit_offset.is_some() {
        return match split::above_first_rows(query, graph)? {
            Some(above) => choose(&above, storage, graph),
            None => limit::plan::plan(query, storage, graph),
        };
    }
    if query.set_operations.is_some() {
        return set_operation::plan::plan(query, storage, graph);
    }
    if query.grouping_sets.is_empty() && has_grouping_call(query) {
        return choose(&grouping_sets::without_calls(query), storage, graph);
    }
    if let Some(query) = dependents::by_any_value(query, graph)? {
        return choose(&query, storage, graph);
    }
    if let Some(query) = distinct_windows::as_groups(query, graph)? {
        return choose(&query, storage, graph);
    }
    if let Some(query) = modes::as_first(query, graph)? {
        return choose(&query, storage, graph);
    }
    if let Some(lists) = distinct_lists::over_values(query, graph)? {
        let before = graph.len();
        if let Some(plan) = graph.attempted(before, choose(&lists, storage, graph))? {
            return Ok(plan);
        }
    }
    let grouped = is_grouped(query);
    let stacked = grouped || query.has_windows || query.has_target_srfs;
    if !query.distinct.is_empty() && stacked {
        return choose(&split::above_select_list(query, graph)?, storage, graph);
    }
    let above_groups = query.has_windows
        || query.has_target_srfs
        || query.having.as_ref().is_some_and(has_sublink)
        || query
            .targets
            .iter()
            .any(|target| has_sublink_outside_aggregates(&target.expr));
    if grouped && has_key_of_rows(query) {
        return choose(&split::above_rows(query, graph)?, storage, graph);
    }
    if query.has_sublinks && has_outer_aggregate(query) {
        let above = (grouped && above_groups && !has_sublink_key(query)).then(|| split::above_grouping(query, graph));
        return match above.transpose()? {
            Some(above) if !has_outer_aggregate(&above) => choose(&above, storage, graph),
            _ => reason("aggregate in a subquery that belongs to an enclosing query"),
        };
    }
    if grouped && !query.has_target_srfs && has_sublink_key(query) {
        let above = split::above_from(query, false, graph)?;
        if has_sublink_key(&above) {
            return reason("subquery in a row expression in GROUP BY");
        }
        return choose(&above, storage, graph);
    }
    if grouped && above_groups {
        return choose(&split::above_grouping(query, graph)?, storage, graph);
    }
    let null = |expr: &Expr| Ok(null_sql(type_of(expr, graph)?, expr.typmod(), graph)?);
    if !query.grouping_sets.is_empty() {
        return if has_hidden_order(query) {
            choose(&split::above_select_list(query, graph)?, storage, graph)
        } else {
            choose(&grouping_sets::branches(query, &null)?, storage, graph)
        };
    }
    if grouped
        && query.distinct.is_empty()
        && let Some(plan) = aggregate::union::plan(query, storage, graph)?
    {
        return Ok(plan);
    }
    let mut query = query.clone();
    simplify(&mut query, graph)?;
    if !clock::compared(&query, graph)?.is_empty() {
        if !stacked && query.distinct.is_empty() && !is_complex(&query) && is_temporal(&query, graph)? {
            return temporal::plan(&query, storage, graph);
        }
        push_down(&mut query, graph)?;
    }
    let complex = is_complex(&query);
    if complex && let Some(plan) = folded(&query, storage, graph)? {
        return Ok(plan);
    }
    if complex && !query.distinct.is_empty() {
        return choose(&split::above_select_list(&query, graph)?, storage, graph);
    }
    if complex && stacked {
        return choose(&split::above_from(&query, true, graph)?, storage, graph);
    }
    if full_join::has_full_join(&query) {
        return if query.targets.iter().any(|target| target.junk) {
            choose(&split::above_select_list(&query, graph)?, storage, graph)
        } else {
            choose(&full_join::full_join(&query, &null)?, storage, graph)
        };
    }
    if query.distinct_on
        && let Some(above) = above_join(&query, Some(First::of_distinct_on(&query)), graph)?
    {
        return choose(&above, storage, graph);
    }
    if !query.distinct.is_empty() {
        return distinct::plan(&query, storage, graph);
    }
    #[cfg(feature = "changes")]
    if grouped && let Some((above, label)) = pre_aggregate::over_sums(&query, graph)? {
        let before = graph.len();
        if let Some(mut plan) = graph.attempted(before, choose(&above, storage, graph))? {
            graph.pre_aggregate.set(PreAggregate::Done);
            plan.operators = plan.operators.map(|joined| OperatorTree::new(label, vec![joined]));
            return Ok(plan);
        }
    }
    if query.has_windows {
        match partitioned::plan::split_windows(&query, graph)? {
            Split::Together(query, keys) => {
                let first = First::of_windows(&query, &keys, graph)?;
                match above_join(&query, first, graph)? {
                    Some(above) => choose(&above, storage, graph),
                    None => partitioned::plan::windows(&query, &keys, storage, graph),
                }
            }
            Split::Above(query) => choose(&query, storage, graph),
        }
    } else if grouped {
        match aggregate::percentile::above_values(&query, graph)? {
            Some(above) => choose(&above, storage, graph),
            None => aggregate::plan::plan(&query, storage, graph),
        }
    } else if complex {
        outer::plan::plan(&query, storage, graph)
    } else {
        linear::plan::plan(&query, storage, graph)
    }
}

/// The query above a stage of the joined rows of which it keeps the first ones.
fn above_join(query: &Query, first: Option<First>, graph: &StageGraph) -> Result<Option<Query>, Fallback> {
    let Some(first) = first else { return Ok(None) };
    if !first.wants_stored_join(query, graph)? {
        return Ok(None);
    }
    let before = graph.len();
    let sorted: Vec<Expr> = query.referred(&first.sort).cloned().collect();
    graph.attempted(before, split::above_rows_with(query, &sorted, graph))
}

/// Plans a query whose outer joins and subqueries can be folded.
fn folded(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<Option<StagePlan>, Fallback> {
    if query.has_windows || query.has_target_srfs {
        return Ok(None);
    }
    let before = graph.len();
    let mut stored = query.clone();
    if graph.attempted(before, constant::store(&mut stored, graph))?.is_none() {
        return Ok(None);
    }
    let query = &stored;
    let attempt = if query.distinct_on {
        return Ok(None);
    } else if !query.distinct.is_empty() {
        if is_grouped(query) {
            return Ok(None);
        }
        distinct::plan(query, storage, graph)
    } else if is_grouped(query) {
        aggregate::plan::fold(query, storage, graph)
    } else {
        linear::plan::plan(query, storage, graph)
    };
    graph.attempted(before, attempt)
}

/// True if all comparisons with the clock are conjuncts of WHERE or selected. Rows that wait for their time are stored,
/// so nothing that could raise an error may be computed of them.
fn is_temporal(query: &Query, graph: &StageGraph) -> Result<bool, Error> {
    let mut rest = query.clone();
    let mut conditions = Vec::new();
    let mut waits = false;
    for conjunct in conjuncts(query.quals.as_ref()) {
        match clock::comparisons(&conjunct, graph)? {
            None => conditions.push(conjunct),
            Some(found) => waits |= found.iter().any(|comparison| !comparison.order.is_lower()),
        }
    }
    rest.quals = clock::all(conditions);
    let mut targets = Vec::new();
    for target in rest.targets {
        if clock::comparisons(&target.expr, graph)?.is_none() {
            targets.push(target);
        }
    }
    rest.targets = targets;
    let is_plain = |target: &Target| matches!(target.expr, Expr::Var(_) | Expr::Const(_));
    Ok(clock::compared(&rest, graph)?.is_empty() && (!waits || rest.targets.iter().all(is_plain)))
}
