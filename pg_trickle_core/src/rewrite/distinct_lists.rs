//! `string_agg(DISTINCT x, ..)` and its like as lists of the distinct values of each group.
//!
//! `SELECT k, array_agg(DISTINCT x) .. GROUP BY k` is `SELECT k, array_agg(x ORDER BY x) FROM (SELECT DISTINCT k, x ..) GROUP
//! BY k`. The distinct values are a stage with counts. So a changed row whose value the group has anyway changes one count,
//! and any other reads the values of its group, not its rows.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::shape::only_groups;
use crate::facts::value_identity::equal_is_same;
use crate::query::{Aggref, Expr, FromItem, Query, Rte, RteKind, SortGroup, Target, Var, attno};
use crate::sql::ident::is_one_of;
use crate::stages::graph::StageGraph;

/// The aggregates for which this is a gain: others have states.
const LISTS: &str = "string_agg array_agg json_agg jsonb_agg";

/// The query over distinct values, if lists of the same ones are all that it aggregates.
pub fn over_values(query: &Query, graph: &StageGraph) -> Result<Option<Query>, Error> {
    if !only_groups(query) {
        return Ok(None);
    }
    let outputs = query.targets.iter().map(|target| &target.expr).chain(&query.having);
    let calls: Vec<Aggref> = outputs.flat_map(Expr::aggregates).collect();
    // The keys, and then the values of the lists.
    let mut columns: Vec<(Expr, SortGroup)> = Vec::new();
    for key in &query.group {
        let Some(target) = query.target(key.target_ref) else {
            return Ok(None);
        };
        columns.push((target.expr.clone(), key.clone()));
    }
    let keys = columns.len();
    for (n, call) in calls.iter().enumerate() {
        let function = graph.function(call.function)?;
        let is_list = function.schema == "pg_catalog" && is_one_of(&function.name, LISTS);
        if !is_list || call.distinct.is_empty() || call.filter.is_some() || call.levels_up > 0 {
            return Ok(None);
        }
        for target in values(call) {
            let order = call
                .distinct
                .iter()
                .find(|order| order.target_ref == target.ressortgroupref);
            let (Some(order), true) = (order, equal_is_same(&target.expr, graph)?) else {
                return Ok(None);
            };
            let is_known = columns.iter().any(|(known, _)| *known == target.expr);
            if n > 0 && !is_known {
                return Ok(None);
            }
            if !is_known {
                columns.push((target.expr.clone(), order.clone()));
            }
        }
        // Each list has all of them.
        let is_listed = |(value, _): &(Expr, SortGroup)| values(call).any(|target| target.expr == *value);
        if !columns[keys..].iter().all(is_listed) {
            return Ok(None);
        }
    }
    if columns.len() == keys || columns.iter().any(|(_, order)| order.sort_op == 0) {
        return Ok(None);
    }
    let mut lower = query.rows();
    for (target_ref, (expr, order)) in (1..).zip(&columns) {
        lower.push_column(expr.clone(), target_ref)?;
        lower.distinct.push(SortGroup {
            target_ref,
            ..order.clone()
        });
    }
    let mut is_left = false;
    let mut above = |expr: &Expr| {
        expr.transform(&mut |node| {
            if let Some(n) = columns.iter().position(|(known, _)| known == node) {
                return Some(Var::like(node, 1, attno(n).unwrap_or_default()));
            }
            is_left |= matches!(node, Expr::Var(_));
            None
        })
    };
    let mut upper = query.clone();
    let lists = upper.targets.iter_mut().map(|target| &mut target.expr);
    for expr in lists.chain(&mut upper.having) {
        *expr = above(expr).transform(&mut |node| match node {
            Expr::Aggref(call) => Some(Expr::Aggref(Box::new(Aggref {
                order: call.distinct.clone(),
                distinct: Vec::new(),
                ..(**call).clone()
            }))),
            _ => None,
        });
    }
    let names = lower.targets.iter().filter_map(|target| target.name.clone()).collect();
    upper.rtable = vec![Rte::new(RteKind::Subquery(Box::new(lower)), "lower", names)];
    upper.from = vec![FromItem::Rel(1)];
    upper.quals = None;
    Ok((!is_left).then_some(upper))
}

/// The arguments that are no constants.
fn values(call: &Aggref) -> impl Iterator<Item = &Target> {
    let is_value = |target: &&Target| target.expr.any(&mut |node| matches!(node, Expr::Var(_)));
    call.args.iter().filter(is_value)
}
