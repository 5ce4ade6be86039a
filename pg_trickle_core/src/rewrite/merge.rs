//! Merges a subquery into the query that reads it, as PostgreSQL's planner does (`pull_up_subqueries` in
//! prepjointree.c).

use crate::error::Error;
use crate::facts::from_items::shift;
use crate::oids::RECORD;
use crate::query::{CoerceForm, Expr, FromItem, JoinExpr, JoinKind, Query, RowExpr, RteKind, Var, varno};

/// Merges the subquery `merged` into `query`. It must be linear, and not on the nullable side of an outer join. Its
/// output expressions replace its columns everywhere, and its FROM replaces the reference to it.
pub fn merge(query: &mut Query, merged: i32) -> Result<(), Error> {
    let position = query.position(merged)?;
    let lateral = query.rtable[position].lateral;
    let RteKind::Subquery(subquery) = std::mem::replace(&mut query.rtable[position].kind, RteKind::Result) else {
        return Ok(());
    };
    let mut subquery = *subquery;
    hoist(&mut subquery);
    let offset = varno(query.rtable.len())? - 1;
    subquery.replace_vars(&mut |var| {
        Some(Expr::Var(Var {
            varno: var.varno + offset,
            ..var.clone()
        }))
    });
    subquery.lower_outer();
    subquery.from.iter_mut().for_each(|item| shift(item, offset));
    let outputs: Vec<Expr> = subquery.visible_targets().map(|target| target.expr.clone()).collect();
    let names = query.rtable[position].columns.clone();
    let row = RowExpr {
        type_oid: RECORD,
        args: outputs.iter().take(names.len()).cloned().collect(),
        form: CoerceForm::Call,
        names,
    };
    query.replace_vars(&mut |var| {
        if var.varno != merged {
            return None;
        }
        if var.attno == 0 {
            // The row of a view has a type with a name.
            let type_oid = var.type_oid;
            return Some(Expr::Row(RowExpr {
                type_oid,
                ..row.clone()
            }));
        }
        let attno = usize::try_from(var.attno).ok()?.checked_sub(1)?;
        outputs.get(attno).cloned()
    });
    for mut rte in subquery.rtable {
        // What was a reference to tables of the enclosing query is now a reference to items of the same FROM.
        rte.lateral |= lateral
            && matches!(
                rte.kind,
                RteKind::Subquery(_) | RteKind::Function { .. } | RteKind::Values { .. } | RteKind::TableFunc(_)
            );
        query.rtable.push(rte);
    }
    if let Some(quals) = subquery.quals {
        query.add_qual(quals);
    }
    query.has_sublinks |= subquery.has_sublinks;
    if let Some(from) = joined(subquery.from) {
        query.from.iter_mut().for_each(|item| replace(item, merged, &from));
    }
    Ok(())
}

fn replace(item: &mut FromItem, varno: i32, by: &FromItem) {
    match item {
        FromItem::Rel(own) if *own == varno => item.clone_from(by),
        FromItem::Rel(_) => {}
        FromItem::Join(join) => {
            replace(&mut join.left, varno, by);
            replace(&mut join.right, varno, by);
        }
    }
}

/// Moves the conditions of inner joins on the preserved side to WHERE. A subquery's FROM becomes a join in parentheses
/// when it is merged, and conditions inside the parentheses cannot refer to items beside them.
pub fn hoist(query: &mut Query) {
    fn in_item(item: &mut FromItem, found: &mut Vec<Expr>) {
        let FromItem::Join(join) = item else { return };
        if join.kind == JoinKind::Inner {
            found.extend(join.quals.take());
        }
        if matches!(join.kind, JoinKind::Inner | JoinKind::Left) {
            in_item(&mut join.left, found);
        }
        if matches!(join.kind, JoinKind::Inner | JoinKind::Right) {
            in_item(&mut join.right, found);
        }
    }
    let mut found = Vec::new();
    query.from.iter_mut().for_each(|item| in_item(item, &mut found));
    found.into_iter().for_each(|qual| query.add_qual(qual));
}

/// True if the condition of a join refers to an enclosing query.
pub fn joins_look_outside(query: &Query) -> bool {
    fn in_item(item: &FromItem) -> bool {
        let FromItem::Join(join) = item else { return false };
        let looks = |qual: &Expr| qual.any(&mut |node| matches!(node, Expr::Var(var) if var.levels_up > 0));
        join.quals.as_ref().is_some_and(looks) || in_item(&join.left) || in_item(&join.right)
    }
    query.from.iter().any(in_item)
}

/// The items as one cross join.
fn joined(items: Vec<FromItem>) -> Option<FromItem> {
    items.into_iter().reduce(|left, right| {
        FromItem::Join(Box::new(JoinExpr {
            kind: JoinKind::Inner,
            natural: false,
            left,
            right,
            using: Vec::new(),
            using_alias: None,
            quals: None,
            alias: None,
            alias_columns: Vec::new(),
            rtindex: 0,
        }))
    })
}
