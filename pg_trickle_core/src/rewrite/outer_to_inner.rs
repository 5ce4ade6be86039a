//! Outer joins that are none, because what is above them rejects the rows that they add, become inner joins: as
//! `reduce_outer_joins` of PostgreSQL's planner does.
//!
//! A condition that cannot be true where all columns of a table are NULL rejects the NULLs that an outer join puts in
//! place of the table's row. Such a condition in WHERE, in the ON of an inner join above, or in the ON of an outer join
//! of which the table is on the nullable side turns LEFT into INNER, and FULL into LEFT, RIGHT or INNER.

use crate::catalog::Catalog;
use crate::facts::from_items::rels;
use crate::query::{BoolOp, BooleanTestKind, Expr, FromItem, JoinKind, Query, SubLinkKind};

/// Reduces the outer joins of FROM.
pub fn reduce(query: &mut Query, catalog: &dyn Catalog) {
    let rejected = query
        .quals
        .as_ref()
        .map(|quals| never_null(quals, true, catalog))
        .unwrap_or_default();
    for item in &mut query.from {
        in_item(item, &rejected, catalog);
    }
}

/// Reduces the joins of an item, above which no row with NULLs for the `rejected` tables passes.
fn in_item(item: &mut FromItem, rejected: &[i32], catalog: &dyn Catalog) {
    let FromItem::Join(join) = item else { return };
    let rejects = |side: &FromItem| rels(side).iter().any(|varno| rejected.contains(varno));
    let (left, right) = (rejects(&join.left), rejects(&join.right));
    join.kind = match join.kind {
        JoinKind::Left if right => JoinKind::Inner,
        JoinKind::Right if left => JoinKind::Inner,
        JoinKind::Full if left && right => JoinKind::Inner,
        JoinKind::Full if left => JoinKind::Left,
        JoinKind::Full if right => JoinKind::Right,
        kind => kind,
    };
    let own = join
        .quals
        .as_ref()
        .map(|quals| never_null(quals, true, catalog))
        .unwrap_or_default();
    let both = [rejected, &own].concat();
    let (for_left, for_right): (&[i32], &[i32]) = match join.kind {
        JoinKind::Inner => (&both, &both),
        JoinKind::Left => (rejected, &own),
        JoinKind::Right => (&own, rejected),
        JoinKind::Full => (&[], &[]),
    };
    in_item(&mut join.left, for_left, catalog);
    in_item(&mut join.right, for_right, catalog);
}

/// The tables for which an expression is NULL (or false, if it is a condition) whenever all of their columns are NULL.
fn never_null(expr: &Expr, condition: bool, catalog: &dyn Catalog) -> Vec<i32> {
    let any = |args: &[Expr]| -> Vec<i32> { args.iter().flat_map(|arg| never_null(arg, false, catalog)).collect() };
    let is_strict = |function| catalog.function(function).is_ok_and(|function| function.strict);
    match expr {
        Expr::Var(var) if var.levels_up == 0 => vec![var.varno],
        Expr::Bool(boolean) => match boolean.op {
            BoolOp::And if condition => boolean
                .args
                .iter()
                .flat_map(|arg| never_null(arg, true, catalog))
                .collect(),
            BoolOp::Not => any(&boolean.args),
            // NULL AND false is false, which NOT above it would make true. So below the top, every operand must be NULL.
            BoolOp::And | BoolOp::Or => {
                let mut args = boolean.args.iter().map(|arg| never_null(arg, condition, catalog));
                let first = args.next().unwrap_or_default();
                args.fold(first, |all, own| {
                    all.into_iter().filter(|varno| own.contains(varno)).collect()
                })
            }
        },
        Expr::Op(op) if !op.returns_set => {
            let function = catalog.operator(op.operator).map(|operator| operator.function);
            match function {
                Ok(function) if is_strict(function) => any(&op.args),
                _ => Vec::new(),
            }
        }
        Expr::Func(call) if !call.returns_set && is_strict(call.function) => any(&call.args),
        Expr::Relabel(cast) => never_null(&cast.arg, condition, catalog),
        Expr::CoerceViaIo(cast) => never_null(&cast.arg, false, catalog),
        Expr::Collate(collate) => never_null(&collate.arg, condition, catalog),
        Expr::NullTest(test) if condition && test.negated && !test.is_row => never_null(&test.arg, false, catalog),
        Expr::BooleanTest(test)
            if condition
                && matches!(
                    test.kind,
                    BooleanTestKind::True | BooleanTestKind::False | BooleanTestKind::NotUnknown
                ) =>
        {
            never_null(&test.arg, false, catalog)
        }
        // `x = ANY (...)` is true only if a comparison is.
        Expr::SubLink(sublink) if condition && sublink.kind == SubLinkKind::Any => sublink
            .test
            .as_ref()
            .map(|test| never_null(test, true, catalog))
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}
