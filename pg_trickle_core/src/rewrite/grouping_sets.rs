//! GROUPING SETS, ROLLUP and CUBE as a UNION ALL of one grouping for each set. Columns that a set does not group by are
//! NULL, and GROUPING() is a constant.
//!
//! Rule: δ(R ⊎ S) = δR ⊎ δS, where each branch has its own rule. Cost: one stored row per changed group of each set.
//! Source: Gray et al., "Data cube", 1997.

use super::union_branches::{NullSql, null_like, union_all};
use crate::facts::fallback::{Fallback, reason};
use crate::oids::INT4;
use crate::query::{Expr, GroupingSet, Query, SqlLeaf};

/// The most grouping sets that are expanded. [`branches`] names this number in its reason.
const MAX_SETS: usize = 16;

/// One grouping for each grouping set. Targets that are not visible must be grouping expressions.
pub fn branches(query: &Query, null_sql: NullSql) -> Result<Query, Fallback> {
    let mut sets: Vec<Vec<u32>> = vec![Vec::new()];
    for item in &query.grouping_sets {
        let alternatives = expand(item);
        sets = sets
            .iter()
            .flat_map(|set| {
                alternatives.iter().map(|alternative| {
                    let mut both = set.clone();
                    both.extend(alternative.iter().filter(|own| !set.contains(own)));
                    both
                })
            })
            .collect();
        if sets.len() > MAX_SETS {
            return reason("more than 16 grouping sets");
        }
    }
    for set in &mut sets {
        set.sort_unstable();
    }
    if query.group_distinct {
        sets.sort();
        sets.dedup();
    }
    let mut visible = query.clone();
    visible.targets.retain(|target| !target.junk);
    let leaves = sets
        .iter()
        .map(|set| grouped_by(query, set, null_sql))
        .collect::<Result<Vec<_>, Fallback>>()?;
    if let [only] = leaves.as_slice() {
        return Ok(only.clone());
    }
    union_all(leaves, &visible)
}

/// The query with 0 for every GROUPING(): without grouping sets, all its arguments are grouped by.
pub fn without_calls(query: &Query) -> Query {
    let mut query = query.clone();
    query.for_each_expr_mut(&mut |expr| {
        *expr = expr.transform(&mut |node| match node {
            Expr::Grouping(call) if call.levels_up == 0 => Some(SqlLeaf::text("0".to_owned(), INT4, -1, 0)),
            _ => None,
        });
    });
    query
}

/// The grouping sets that one item of GROUP BY stands for.
fn expand(item: &GroupingSet) -> Vec<Vec<u32>> {
    match item {
        GroupingSet::Empty => vec![Vec::new()],
        GroupingSet::Simple(refs) => vec![refs.clone()],
        GroupingSet::Rollup(items) => (0..=items.len()).rev().map(|n| joined(&items[..n])).collect(),
        GroupingSet::Cube(items) => (0..1_usize << items.len().min(MAX_SETS))
            .rev()
            .map(|bits| {
                let chosen: Vec<GroupingSet> = items
                    .iter()
                    .enumerate()
                    .filter(|(n, _)| bits & (1 << (items.len() - 1 - n)) != 0)
                    .map(|(_, item)| item.clone())
                    .collect();
                joined(&chosen)
            })
            .collect(),
        GroupingSet::Sets(items) => items.iter().flat_map(expand).collect(),
    }
}

fn joined(items: &[GroupingSet]) -> Vec<u32> {
    items
        .iter()
        .flat_map(|item| expand(item).into_iter().flatten())
        .collect()
}

fn grouped_by(query: &Query, set: &[u32], null_sql: NullSql) -> Result<Query, Fallback> {
    let mut leaf = query.clone();
    leaf.grouping_sets.clear();
    leaf.group.retain(|group| set.contains(&group.target_ref));
    let of = |target_ref: u32| query.target(target_ref).map(|target| &target.expr);
    let kept: Vec<&Expr> = set.iter().filter_map(|target_ref| of(*target_ref)).collect();
    let mut gone = Vec::new();
    for group in &query.group {
        if let Some(expr) = of(group.target_ref)
            && !kept.contains(&expr)
        {
            gone.push((expr.clone(), null_like(expr, null_sql(expr)?)));
        }
    }
    let replaced = |expr: &Expr| {
        expr.transform(&mut |node| match node {
            Expr::Aggref(_) => Some(node.clone()),
            Expr::Grouping(call) => {
                let mask = call.refs.iter().fold(0_u64, |mask, target_ref| {
                    let is_gone = of(*target_ref).is_none_or(|expr| !kept.contains(&expr));
                    mask << 1 | u64::from(is_gone)
                });
                Some(SqlLeaf::text(mask.to_string(), INT4, -1, 0))
            }
            _ => gone.iter().find(|(expr, _)| expr == node).map(|(_, null)| null.clone()),
        })
    };
    leaf.targets
        .retain(|target| !target.junk || set.contains(&target.ressortgroupref));
    for target in &mut leaf.targets {
        if !set.contains(&target.ressortgroupref) {
            target.expr = replaced(&target.expr);
            target.ressortgroupref = 0;
        }
    }
    // HAVING keeps this a grouping query, which returns one row, even if no grouping expression is left.
    leaf.having = Some(match &query.having {
        Some(having) => replaced(having),
        None => SqlLeaf::condition(&["TRUE"], Vec::new()),
    });
    Ok(leaf)
}
