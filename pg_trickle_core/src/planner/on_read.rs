//! Windows that are computed when a stream table is read: the rows or groups below them are stored, and the view has the
//! windows. A change then costs what it costs these rows, however many results it moves.

use super::choose::choose;
use crate::facts::fallback::Fallback;
use crate::facts::from_items::shift;
use crate::maintain::operator_tree::OperatorTree;
use crate::query::{Expr, Query, RteKind, Var};
use crate::rewrite::merge::merge;
use crate::rewrite::split::windows_and_rows;
use crate::stages::graph::StageGraph;
use crate::stages::stage_plan::StagePlan;

/// Plans a prepared query whose windows are above everything but its order.
pub fn plan(query: &Query, graph: &StageGraph) -> Result<Option<StagePlan>, Fallback> {
    let is_topped = !query.has_windows
        || query.limit_count.is_some()
        || query.limit_offset.is_some()
        || !query.distinct.is_empty()
        || !query.ctes.is_empty()
        || !query.row_marks.is_empty()
        || !query.grouping_sets.is_empty()
        || query.has_target_srfs
        || query.has_sublinks;
    if is_topped {
        return Ok(None);
    }
    let (mut view, mut rows) = windows_and_rows(query, graph)?;
    for target in &mut rows.targets {
        target.name = target.name.take().map(|name| format!("__pgt_{name}"));
    }
    for target in view.targets.iter().filter(|target| !target.junk) {
        // A stored column has the name under which users see it.
        if let Expr::Var(var) = &target.expr
            && let Some(stored) = usize::try_from(var.attno - 1)
                .ok()
                .and_then(|n| rows.targets.get_mut(n))
        {
            stored.name.clone_from(&target.name);
        }
    }
    let mut plan = choose(&rows, &graph.top(), graph)?;
    let mut stored = plan.view;
    stored.sort.clear();
    view.rtable[0].kind = RteKind::Subquery(Box::new(stored));
    merge(&mut view, 1)?;
    // Whoever passes on changed rows expects the storage to come first.
    view.rtable.remove(0);
    view.from.iter_mut().for_each(|item| shift(item, -1));
    view.replace_vars(&mut |var| {
        Some(Expr::Var(Var {
            varno: var.varno - 1,
            ..var.clone()
        }))
    });
    plan.view = view;
    plan.operators = plan
        .operators
        .map(|rows| OperatorTree::new("windows, computed on read".to_owned(), vec![rows]));
    Ok(Some(plan))
}
