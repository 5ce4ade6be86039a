//! Passes the ORDER BY of a subquery on to the aggregates over it: `json_agg(s) FROM (SELECT .. ORDER BY k) s`.
//!
//! SQL promises no such order, but PostgreSQL feeds an aggregate in the order of its subquery ("Aggregate Functions" in
//! its documentation), and applications rely on it. Stored rows have no order, so each aggregate gets the subquery's
//! ORDER BY as its own.

use crate::error::Error;
use crate::query::{Aggref, Expr, FromItem, Query, SortGroup, Target, Var, attno};

/// Gives the order of `subquery` to the aggregates of `query`. `subquery` is all that `query` reads, and will be merged
/// into it.
pub fn pass_on(query: &mut Query, subquery: &mut Query) -> Result<(), Error> {
    let [FromItem::Rel(varno)] = query.from.as_slice() else {
        return Ok(());
    };
    let varno = *varno;
    let mut keys = Vec::new();
    for sort in std::mem::take(&mut subquery.sort) {
        let Some(expr) = subquery.target(sort.target_ref).map(|target| target.expr.clone()) else {
            continue;
        };
        let attno = column(subquery, &expr)?;
        keys.push((Var::like(&expr, varno, attno), sort));
    }
    query.for_each_expr_mut(&mut |expr| in_expr(expr, &keys));
    Ok(())
}

/// The column that holds the expression, added if there is none.
fn column(subquery: &mut Query, expr: &Expr) -> Result<i16, Error> {
    let shown = || subquery.targets.iter().filter(|target| !target.junk);
    if let Some(known) = shown().position(|target| target.expr == *expr) {
        return attno(known);
    }
    let resno = attno(shown().count())?;
    subquery.targets.push(Target {
        expr: expr.clone(),
        name: None,
        resno,
        ressortgroupref: 0,
        junk: false,
    });
    Ok(resno)
}

fn in_expr(expr: &mut Expr, keys: &[(Expr, SortGroup)]) {
    if let Expr::Aggref(call) = expr
        && takes_order(call)
    {
        for (n, (key, sort)) in (1..).zip(keys) {
            call.args.push(Target {
                expr: key.clone(),
                name: None,
                resno: 0,
                ressortgroupref: n,
                junk: true,
            });
            call.order.push(SortGroup {
                target_ref: n,
                ..sort.clone()
            });
        }
    }
    expr.for_each_child_mut(&mut |child| in_expr(child, keys));
}

/// True if the aggregate has no order of its own, and arguments whose order can matter.
fn takes_order(call: &Aggref) -> bool {
    call.kind == 'n' && call.levels_up == 0 && !call.star && call.order.is_empty() && call.distinct.is_empty()
}
