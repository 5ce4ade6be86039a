//! Merges a subquery into the query that reads it, as PostgreSQL's planner does (`pull_up_subqueries` in
//! prepjointree.c).

use crate::error::Error;
use crate::facts::from_items::{mentions_only, rels, shift};
use crate::oids::RECORD;
use crate::query::{CoerceForm, Expr, FromItem, JoinExpr, JoinKind, Query, RowExpr, RteKind, Target, Var, varno};

/// Merges the subquery `merged` into `query`. It must be linear, and not on the nullable side of an outer join. Its
/// output expressions replace its columns everywhere, and its FROM replaces the reference to it.
pub fn merge(query: &mut Query, merged: i32) -> Result<(), Error> {
    if let Some(quals) = pull_up(query, merged)? {
        query.add_qual(quals);
    }
    Ok(())
}

/// Replaces a subquery by its FROM, and returns its WHERE.
fn pull_up(query: &mut Query, merged: i32) -> Result<Option<Expr>, Error> {
    let position = query.position(merged)?;
    let lateral = query.rtable[position].lateral;
    let RteKind::Subquery(subquery) = std::mem::replace(&mut query.rtable[position].kind, RteKind::Result) else {
        return Ok(None);
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
    query.has_sublinks |= subquery.has_sublinks;
    if let Some(from) = joined(subquery.from) {
        query.from.iter_mut().for_each(|item| replace(item, merged, &from));
    }
    Ok(subquery.quals)
}

/// Merges the linear subquery `merged`, which is on the nullable side of an outer join, if its columns are plain columns of
/// its tables: only these are NULL where the outer join makes them so. Its conditions become part of the join's. Returns
/// false if it is not merged.
pub fn into_outer_join(query: &mut Query, merged: i32) -> Result<bool, Error> {
    let position = query.position(merged)?;
    let RteKind::Subquery(subquery) = &query.rtable[position].kind else {
        return Ok(false);
    };
    let is_column = |target: &Target| matches!(&target.expr, Expr::Var(var) if var.levels_up == 0 && var.attno > 0);
    if subquery.has_sublinks || subquery.from.is_empty() || !subquery.visible_targets().all(is_column) {
        return Ok(false);
    }
    let mut whole = false;
    query.replace_vars(&mut |var| {
        whole |= var.varno == merged && var.attno == 0;
        None
    });
    if whole {
        return Ok(false);
    }
    let before = query.clone();
    let first = varno(query.rtable.len())?;
    if let Some(condition) = pull_up(query, merged)?
        && !query.from.iter_mut().any(|item| put(item, first, &condition))
    {
        *query = before;
        return Ok(false);
    }
    Ok(true)
}

/// Adds a condition on the tables from `first` on to the join that decides which of their rows there are, if it mentions
/// only tables of that join.
fn put(item: &mut FromItem, first: i32, condition: &Expr) -> bool {
    let FromItem::Join(join) = item else { return false };
    let holds = |item: &FromItem| rels(item).iter().any(|varno| *varno >= first);
    let (left, right) = (holds(&join.left), holds(&join.right));
    let is_inside = match (left, right) {
        (true, false) => put(&mut join.left, first, condition),
        (false, true) => put(&mut join.right, first, condition),
        (false, false) => return false,
        (true, true) => false,
    };
    if is_inside {
        return true;
    }
    let decides = match join.kind {
        JoinKind::Inner => true,
        JoinKind::Left => !left,
        JoinKind::Right => !right,
        JoinKind::Full => false,
    };
    if !decides || !mentions_only(condition, &[rels(&join.left), rels(&join.right)].concat()) {
        return false;
    }
    join.quals = Some(match join.quals.take() {
        None => condition.clone(),
        Some(quals) => Expr::and(vec![quals, condition.clone()]),
    });
    true
}

/// Puts an item in the place of a range table entry.
pub fn replace(item: &mut FromItem, varno: i32, by: &FromItem) {
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
