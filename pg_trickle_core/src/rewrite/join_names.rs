//! Replaces columns of joins by the columns they stand for. Without USING, NATURAL and aliases, a join is only its
//! condition.

use crate::facts::fallback::{Fallback, reason};
use crate::query::{Expr, FromItem, Query, RteKind, Var};

/// Removes the names of the joins of a query, and of all queries within it.
pub fn dissolve(query: &mut Query) -> Result<(), Fallback> {
    for rte in &mut query.rtable {
        if let RteKind::Subquery(subquery) = &mut rte.kind {
            dissolve(subquery)?;
        }
    }
    let mut result = Ok(());
    query.for_each_expr_mut(&mut |expr| dissolve_sublinks(expr, &mut result));
    result?;
    let columns: Vec<Option<Vec<Expr>>> = query
        .rtable
        .iter()
        .map(|rte| match &rte.kind {
            RteKind::Join { alias_vars, .. } => Some(alias_vars.clone()),
            _ => None,
        })
        .collect();
    if columns.iter().all(Option::is_none) {
        return Ok(());
    }
    let mut unknown = false;
    query.replace_vars(&mut |var| {
        let replaced = column(&columns, var)?;
        unknown |= replaced.is_none();
        replaced
    });
    if unknown {
        return reason("whole-row reference to a join");
    }
    query.from.iter_mut().for_each(strip);
    Ok(())
}

fn dissolve_sublinks(expr: &mut Expr, result: &mut Result<(), Fallback>) {
    if result.is_err() {
        return;
    }
    if let Expr::SubLink(sublink) = expr {
        *result = dissolve(&mut sublink.query);
    }
    expr.for_each_child_mut(&mut |child| dissolve_sublinks(child, result));
}

/// The expression that a column of a join stands for; `Some(None)` for the join's whole row.
fn column(columns: &[Option<Vec<Expr>>], var: &Var) -> Option<Option<Expr>> {
    let of = usize::try_from(var.varno).ok()?.checked_sub(1)?;
    let vars = columns.get(of)?.as_ref()?;
    let Some(position) = usize::try_from(var.attno).ok().and_then(|attno| attno.checked_sub(1)) else {
        return Some(None);
    };
    let mut expr = vars.get(position)?.clone();
    let mut whole = false;
    // A column of a join can stand for a column of a nested join.
    expr.replace_vars(&mut |inner| {
        let replaced = column(columns, inner)?;
        whole |= replaced.is_none();
        replaced
    });
    Some((!whole).then_some(expr))
}

fn strip(item: &mut FromItem) {
    if let FromItem::Join(join) = item {
        join.natural = false;
        join.using.clear();
        join.using_alias = None;
        join.alias = None;
        join.alias_columns.clear();
        join.rtindex = 0;
        strip(&mut join.left);
        strip(&mut join.right);
    }
}
