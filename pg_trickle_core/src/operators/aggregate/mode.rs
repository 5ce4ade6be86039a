//! `mode() WITHIN GROUP (ORDER BY x)`: the values of each group are counted in a stage, and the first one by count is read.
//!
//! Rule: mode(x) by k is DISTINCT ON (k) x over (k, x, count(x)) in the order k, count DESC, x. NULLs have the count 0, so
//! they come last, and a group without other values has the mode NULL. Cost: one counted row, and the values of its group;
//! one of them, where an index can be on them.
//!
//! Source: counting, and top-k with k = 1.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::facts::value_identity::equal_is_same;
use crate::oids::{COUNT_ANY, INT8};
use crate::query::{Aggref, Expr, FromItem, Query, Rte, RteKind, SortGroup, Target, Var, attno};
use crate::stages::graph::StageGraph;
use crate::stages::order_index::is_descending;

/// DISTINCT ON over counted values, for a query that selects keys and one mode.
pub fn first_of_counted(query: &Query, graph: &StageGraph) -> Result<Option<Query>, Fallback> {
    let keys: Vec<Expr> = query.referred(&query.group).cloned().collect();
    let mut modes: Vec<&Aggref> = Vec::new();
    for target in query.visible_targets() {
        match &target.expr {
            Expr::Aggref(call) if !modes.contains(&&**call) => modes.push(call),
            expr if keys.contains(expr) || matches!(expr, Expr::Aggref(_)) => {}
            _ => return Ok(None),
        }
    }
    let is_plain = query.having.is_none() && query.sort.is_empty() && query.grouping_sets.is_empty();
    let ([call], true) = (modes.as_slice(), is_plain && !keys.is_empty()) else {
        return Ok(None);
    };
    let ([value], [item]) = (call.args.as_slice(), call.order.as_slice()) else {
        return Ok(None);
    };
    let function = graph.function(call.function)?;
    let is_mode = function.schema == "pg_catalog" && function.name == "mode" && call.filter.is_none();
    let value = &value.expr;
    if !is_mode || is_descending(item, value.type_oid(), graph)?.is_none() || !equal_is_same(value, graph)? {
        return Ok(None);
    }
    let Some(more) = graph.default_equality(INT8)?.and_then(|default| default.greater) else {
        return Ok(None);
    };
    let count = Expr::Aggref(Box::new(Aggref {
        function: COUNT_ANY,
        type_oid: INT8,
        collation: 0,
        arg_types: vec![value.type_oid()],
        order: Vec::new(),
        kind: 'n',
        args: call
            .args
            .iter()
            .cloned()
            .map(|arg| Target {
                ressortgroupref: 0,
                ..arg
            })
            .collect(),
        ..(**call).clone()
    }));
    let mut lower = query.clone();
    let mut upper = query.clone();
    lower.group.clear();
    lower.targets.clear();
    for (n, expr) in keys.iter().chain([value, &count]).enumerate() {
        let resno = attno(n)?;
        let is_grouped = *expr != count;
        let target_ref = if is_grouped { u32::from(resno.unsigned_abs()) } else { 0 };
        if is_grouped {
            lower.group.push(SortGroup::by(target_ref));
        }
        lower.targets.push(Target {
            expr: expr.clone(),
            name: Some(format!("c{resno}")),
            resno,
            ressortgroupref: target_ref,
            junk: false,
        });
    }
    let names = lower.targets.iter().filter_map(|target| target.name.clone()).collect();
    let counted = |n: usize, expr: &Expr| Ok::<_, Error>(Var::like(expr, 1, attno(n)?));
    let view = graph.cut(&lower)?;
    upper.rtable = vec![Rte::new(RteKind::Subquery(Box::new(view)), "lower", names)];
    upper.from = vec![FromItem::Rel(1)];
    upper.quals = None;
    upper.group.clear();
    upper.has_aggs = false;
    upper.has_sublinks = false;
    upper.targets.retain(|target| !target.junk);
    for target in &mut upper.targets {
        let key = keys.iter().position(|key| *key == target.expr);
        target.expr = counted(key.unwrap_or(keys.len()), &target.expr)?;
        target.ressortgroupref = 0;
    }
    for (n, (key, group)) in keys.iter().zip(&query.group).enumerate() {
        let target_ref = upper.refer(&counted(n, key)?)?;
        let by = SortGroup {
            target_ref,
            ..group.clone()
        };
        upper.sort.push(by.clone());
        upper.distinct.push(by);
    }
    let target_ref = upper.refer(&counted(keys.len() + 1, &count)?)?;
    upper.sort.push(SortGroup {
        sort_op: more.oid,
        nulls_first: true,
        ..SortGroup::by(target_ref)
    });
    let target_ref = upper.refer(&counted(keys.len(), value)?)?;
    upper.sort.push(SortGroup {
        target_ref,
        ..item.clone()
    });
    upper.distinct_on = true;
    Ok(Some(upper))
}
