//! GROUP BY over a UNION ALL, with the joins and conditions beside it, as GROUP BY over its branches: joins and filters
//! distribute over it. So its rows need not be stored.

use super::split::rows_below;
use super::views;
use crate::facts::fallback::Fallback;
use crate::facts::from_items::preserved_entries;
use crate::query::{Query, RteKind, SetOp, SetOperation};
use crate::stages::graph::StageGraph;

/// The most branches. The change of a table beside them is joined to each.
const MOST: usize = 8;

/// The grouping, and the rows that each branch of the one UNION ALL in FROM contributes to it.
pub fn branches(query: &Query, graph: &StageGraph) -> Result<Option<(Query, Vec<Query>)>, Fallback> {
    let mut query = query.clone();
    let mut preserved = Vec::new();
    query
        .from
        .iter()
        .for_each(|item| preserved_entries(item, &mut preserved));
    let mut found = None;
    for varno in preserved {
        let position = query.position(varno)?;
        views::expand(&mut query, position, graph)?;
        let RteKind::Subquery(union) = &query.rtable[position].kind else {
            continue;
        };
        if union.set_operations.is_some() && found.replace((position, union.clone())).is_some() {
            return Ok(None);
        }
    }
    let Some((position, union)) = found else {
        return Ok(None);
    };
    let plain = union.ctes.is_empty()
        && union.row_marks.is_empty()
        && union.limit_count.is_none()
        && union.limit_offset.is_none()
        && !union.is_correlated();
    let mut leaves = Vec::new();
    if !plain
        || query.has_sublinks
        || !collect(&union, union.set_operations.as_ref(), &mut leaves)
        || leaves.len() > MOST
    {
        return Ok(None);
    }
    let (upper, lower) = rows_below(&query, graph)?;
    let branch = |leaf: Query| {
        let mut branch = lower.clone();
        branch.rtable[position].kind = RteKind::Subquery(Box::new(leaf));
        branch
    };
    Ok(Some((upper, leaves.into_iter().map(branch).collect())))
}

/// The branches of a tree of UNION ALL. False if it is something else, or converts a column of a branch.
fn collect(union: &Query, operand: Option<&SetOperation>, leaves: &mut Vec<Query>) -> bool {
    match operand {
        Some(SetOperation::Rel(varno)) => {
            let Some(RteKind::Subquery(leaf)) = union.rte(*varno).map(|rte| &rte.kind) else {
                return false;
            };
            let mut columns = leaf.visible_targets().zip(union.visible_targets());
            let is_alike = columns.all(|(own, all)| own.expr.type_oid() == all.expr.type_oid());
            leaves.push((**leaf).clone());
            is_alike
        }
        Some(SetOperation::Op {
            op: SetOp::Union,
            all: true,
            left,
            right,
            ..
        }) => collect(union, Some(left), leaves) && collect(union, Some(right), leaves),
        _ => false,
    }
}
