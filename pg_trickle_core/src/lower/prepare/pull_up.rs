//! Merges a subquery into the query that reads it (`pull_up_subqueries` in prepjointree.c is the planner's own).

use crate::query::{Bool, BoolOp, Expr, FromItem, JoinExpr, JoinKind, Query, RteKind, Var};

/// Merges the subquery at `varno` into `query`. It must be linear, and not on the nullable side of an outer join: what it
/// selects takes the place of its columns everywhere, and its FROM the place of the reference.
pub fn pull_up(query: &mut Query, varno: i32) {
    let position = usize::try_from(varno - 1).unwrap_or(usize::MAX);
    let lateral = query.rtable[position].lateral;
    let RteKind::Subquery(subquery) = std::mem::replace(&mut query.rtable[position].kind, RteKind::Result) else {
        return;
    };
    let mut subquery = *subquery;
    let offset = i32::try_from(query.rtable.len()).unwrap_or(i32::MAX);
    subquery.replace_vars(&mut |var| {
        Some(Expr::Var(Var {
            varno: var.varno + offset,
            ..var.clone()
        }))
    });
    subquery.lower_outer();
    subquery.from.iter_mut().for_each(|item| shift(item, offset));
    let outputs: Vec<Expr> = subquery
        .targets
        .iter()
        .filter(|target| !target.junk)
        .map(|target| target.expr.clone())
        .collect();
    query.replace_vars(&mut |var| {
        if var.varno != varno {
            return None;
        }
        let attno = usize::try_from(var.attno).ok()?.checked_sub(1)?;
        outputs.get(attno).cloned()
    });
    for mut rte in subquery.rtable {
        // A reference to tables of the containing query is one between neighbours now.
        rte.lateral |= lateral && matches!(rte.kind, RteKind::Subquery(_) | RteKind::Function { .. });
        query.rtable.push(rte);
    }
    add_qual(query, subquery.quals);
    query.has_sublinks |= subquery.has_sublinks;
    if let Some(from) = joined(subquery.from) {
        query.from.iter_mut().for_each(|item| replace(item, varno, &from));
    }
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

/// Items as one cross join.
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

/// Adds a conjunct to WHERE.
pub fn add_qual(query: &mut Query, qual: Option<Expr>) {
    let Some(qual) = qual else { return };
    query.quals = Some(match query.quals.take() {
        None => qual,
        Some(Expr::Bool(mut and)) if and.is_and() => {
            and.args.push(qual);
            Expr::Bool(and)
        }
        Some(first) => Expr::Bool(Bool {
            op: BoolOp::And,
            args: vec![first, qual],
        }),
    });
}

fn shift(item: &mut FromItem, offset: i32) {
    match item {
        FromItem::Rel(varno) => *varno += offset,
        FromItem::Join(join) => {
            shift(&mut join.left, offset);
            shift(&mut join.right, offset);
        }
    }
}
