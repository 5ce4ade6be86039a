//! `mode() WITHIN GROUP (ORDER BY x)` as the first of the values of a group, ordered by how often each occurs.
//!
//! `SELECT k, mode() WITHIN GROUP (ORDER BY x) .. GROUP BY k` is `SELECT DISTINCT ON (k) k, x .. GROUP BY k, x ORDER BY k,
//! count(x) DESC, x`: of values that are equally frequent, `mode` returns the first one, and NULL only where there is no
//! other. The counts are a stage, so a changed row costs one stored value, and the mode is read through an index.

use super::dependents::aggregate;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::shape::only_groups;
use crate::facts::value_identity::equal_is_same;
use crate::oids::{COUNT, INT8, INT8_EQUAL, INT8_GREATER};
use crate::query::{Aggref, Expr, Query, SortGroup};
use crate::stages::graph::StageGraph;

/// The query as DISTINCT ON over groups, if modes in one order are all that it aggregates.
pub fn as_first(query: &Query, graph: &StageGraph) -> Result<Option<Query>, Error> {
    let is_plain = only_groups(query) && query.having.is_none() && query.sort.is_empty();
    if !is_plain || query.group.iter().any(|key| key.sort_op == 0) {
        return Ok(None);
    }
    let mut calls: Vec<Aggref> = query
        .targets
        .iter()
        .flat_map(|target| target.expr.aggregates())
        .collect();
    calls.dedup();
    let [call] = calls.as_slice() else { return Ok(None) };
    let ([value], [order]) = (call.args.as_slice(), call.order.as_slice()) else {
        return Ok(None);
    };
    let function = graph.function(call.function)?;
    if function.name != "mode" || function.schema != "pg_catalog" || call.filter.is_some() || call.levels_up > 0 {
        return Ok(None);
    }
    let is_key = query.referred(&query.group).any(|key| *key == value.expr);
    let is_constant = !value.expr.any(&mut |node| matches!(node, Expr::Var(_)));
    if is_key || is_constant || !equal_is_same(&value.expr, graph)? {
        return Ok(None);
    }
    let mut first = query.clone();
    for target in &mut first.targets {
        target.expr = target
            .expr
            .transform(&mut |node| matches!(node, Expr::Aggref(_)).then(|| value.expr.clone()));
    }
    let by_value = SortGroup {
        target_ref: first.refer(&value.expr)?,
        ..order.clone()
    };
    let by_count = SortGroup {
        target_ref: first.refer(&aggregate(COUNT, INT8, &value.expr))?,
        eq_op: INT8_EQUAL,
        sort_op: INT8_GREATER,
        reverse: true,
        nulls_first: true,
        hashable: true,
    };
    first.distinct.clone_from(&query.group);
    first.distinct_on = true;
    first.sort.clone_from(&query.group);
    first.sort.extend([by_count, by_value.clone()]);
    first.group.push(by_value);
    Ok(Some(first))
}
