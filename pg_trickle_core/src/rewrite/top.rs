//! Top-k: a condition that keeps only the first rows of each partition of a subquery.
//!
//! SQL filters by the result of a window function only around a subquery: `SELECT .. FROM (SELECT .., row_number() OVER
//! (PARTITION BY p ORDER BY o) AS n ..) WHERE n <= 3`. Such a condition on `row_number`, `rank` or `dense_rank` moves
//! into the subquery, whose stage then holds and reads only these rows. The condition also stays where it is.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::from_items::rels;
use crate::facts::linear_block::conjuncts;
use crate::facts::shape::integer;
use crate::oids::{INT2, INT4, INT8};
use crate::query::{Expr, FromItem, JoinKind, OpExpr, Query, ScalarArrayOp, Top, Var};
use crate::sql::ident::is_one_of;

/// The window functions that number the rows of a partition in its order, without a gap below any number.
const NUMBERS: &str = "row_number rank dense_rank";

/// The first rows to which the conditions of `query` restrict its FROM entry `entry`, the given subquery.
pub fn of(subquery: &Query, query: &Query, entry: i32, catalog: &dyn Catalog) -> Result<Option<Top>, Error> {
    let is_plain = subquery.has_windows
        && subquery.distinct.is_empty()
        && subquery.limit_count.is_none()
        && subquery.limit_offset.is_none()
        && subquery.set_operations.is_none()
        && !subquery.has_target_srfs;
    if !is_plain {
        return Ok(None);
    }
    let mut conditions = conjuncts(query.quals.as_ref());
    query.from.iter().for_each(|item| filters(item, entry, &mut conditions));
    let mut best: Option<Top> = None;
    for condition in &conditions {
        if let Some((attno, count)) = bound(condition, entry, catalog)?
            && let Some(target) = usize::try_from(attno - 1).ok()
            && is_number(subquery, target, catalog)?
            && best.is_none_or(|best| count < best.count)
        {
            best = Some(Top { target, count });
        }
    }
    Ok(best)
}

/// The ON conditions that a row of this FROM entry must satisfy to be seen at all.
fn filters(item: &FromItem, entry: i32, conditions: &mut Vec<Expr>) {
    let FromItem::Join(join) = item else { return };
    let filtered = (rels(&join.left).contains(&entry) && matches!(join.kind, JoinKind::Inner | JoinKind::Right))
        || (rels(&join.right).contains(&entry) && matches!(join.kind, JoinKind::Inner | JoinKind::Left));
    if filtered {
        conditions.extend(conjuncts(join.quals.as_ref()));
    }
    filters(&join.left, entry, conditions);
    filters(&join.right, entry, conditions);
}

/// True if the visible target at a position numbers the rows of its partition.
fn is_number(query: &Query, target: usize, catalog: &dyn Catalog) -> Result<bool, Error> {
    let Some(Expr::Window(call)) = query.visible_targets().nth(target).map(|target| &target.expr) else {
        return Ok(false);
    };
    let function = catalog.function(call.function)?;
    let window = query.windows.iter().find(|window| window.winref == call.winref);
    Ok(function.schema == "pg_catalog"
        && is_one_of(&function.name, NUMBERS)
        && window.is_some_and(|window| !window.order.is_empty()))
}

/// The column of the FROM entry that a condition bounds from above by a constant, and the largest value it can have.
fn bound(condition: &Expr, entry: i32, catalog: &dyn Catalog) -> Result<Option<(i16, i64)>, Error> {
    match condition {
        Expr::Op(op) => compared(op, entry, catalog),
        Expr::ScalarArrayOp(op) if op.any => listed(op, entry, catalog),
        _ => Ok(None),
    }
}

fn compared(op: &OpExpr, entry: i32, catalog: &dyn Catalog) -> Result<Option<(i16, i64)>, Error> {
    let [left, right] = op.args.as_slice() else {
        return Ok(None);
    };
    let (attno, constant, mirrored) = match (column(left, entry), column(right, entry)) {
        (Some(attno), None) => (attno, right, false),
        (None, Some(attno)) => (attno, left, true),
        _ => return Ok(None),
    };
    let Some(value) = integer(constant, catalog)? else {
        return Ok(None);
    };
    let operator = catalog.operator(op.operator)?;
    let count = match (operator.name.as_str(), mirrored) {
        _ if operator.schema != "pg_catalog" => return Ok(None),
        ("=", _) | ("<=", false) | (">=", true) => value,
        ("<", false) | (">", true) => value.saturating_sub(1),
        _ => return Ok(None),
    };
    Ok(Some((attno, count)))
}

/// `n = ANY ('{1,2,3}')`, which is what `n IN (1, 2, 3)` becomes.
fn listed(op: &ScalarArrayOp, entry: i32, catalog: &dyn Catalog) -> Result<Option<(i16, i64)>, Error> {
    let [left, Expr::Const(list)] = op.args.as_slice() else {
        return Ok(None);
    };
    let operator = catalog.operator(op.operator)?;
    let is_equality = operator.schema == "pg_catalog" && operator.name == "=" && is_integer(operator.left);
    let Some(attno) = column(left, entry).filter(|_| is_equality && !list.is_null) else {
        return Ok(None);
    };
    let text = catalog.const_text(&list.node)?;
    let values = text.trim_start_matches('{').trim_end_matches('}').split(',');
    let largest = values
        .map(|value| value.parse::<i64>().ok())
        .collect::<Option<Vec<i64>>>();
    Ok(largest
        .and_then(|values| values.into_iter().max())
        .map(|count| (attno, count)))
}

fn column(expr: &Expr, entry: i32) -> Option<i16> {
    match expr {
        Expr::Var(Var {
            varno,
            attno,
            levels_up: 0,
            ..
        }) if *varno == entry && *attno > 0 => Some(*attno),
        _ => None,
    }
}

fn is_integer(type_oid: u32) -> bool {
    [INT2, INT4, INT8].contains(&type_oid)
}
