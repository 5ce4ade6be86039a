//! Questions about FROM: its tables, the preserved sides of its outer joins, and its conditions.

use super::linear_block::flatten_and;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::query::{Expr, FromItem, JoinKind, ParamKind, Query};

/// The ON conditions of inner joins on the preserved side: every result row satisfies them.
pub fn inner_conditions(item: &FromItem, conditions: &mut Vec<Expr>) {
    if let FromItem::Join(join) = item {
        if join.kind == JoinKind::Inner
            && let Some(quals) = &join.quals
        {
            flatten_and(quals.clone(), conditions);
        }
        if matches!(join.kind, JoinKind::Inner | JoinKind::Left) {
            inner_conditions(&join.left, conditions);
        }
        if matches!(join.kind, JoinKind::Inner | JoinKind::Right) {
            inner_conditions(&join.right, conditions);
        }
    }
}

/// The tables of a comparison whose operands are all plain columns, so that a NULL in any of them makes it fail. Empty
/// for other conditions.
pub fn strictly_compared(condition: &Expr, catalog: &dyn Catalog) -> Result<Vec<i32>, Error> {
    let Expr::Op(op) = condition else {
        return Ok(Vec::new());
    };
    // All built-in comparisons are strict; those of extensions need not be.
    if catalog.operator(op.operator)?.schema != "pg_catalog" {
        return Ok(Vec::new());
    }
    let columns = op.args.iter().map(|arg| match arg {
        Expr::Var(var) if var.levels_up == 0 => Some(var.varno),
        _ => None,
    });
    Ok(columns.collect::<Option<Vec<i32>>>().unwrap_or_default())
}

/// All tables of a FROM item.
pub fn rels(item: &FromItem) -> Vec<i32> {
    match item {
        FromItem::Rel(varno) => vec![*varno],
        FromItem::Join(join) => {
            let mut found = rels(&join.left);
            found.extend(rels(&join.right));
            found
        }
    }
}

/// True if all columns of this query level belong to these tables.
pub fn mentions_only(condition: &Expr, tables: &[i32]) -> bool {
    !condition.any(&mut |node| matches!(node, Expr::Var(var) if var.levels_up == 0 && !tables.contains(&var.varno)))
}

/// The FROM entries on the preserved side: those whose columns no outer join sets to NULL.
pub fn preserved_entries(item: &FromItem, found: &mut Vec<i32>) {
    match item {
        FromItem::Rel(varno) => found.push(*varno),
        FromItem::Join(join) => {
            if matches!(join.kind, JoinKind::Inner | JoinKind::Left) {
                preserved_entries(&join.left, found);
            }
            if matches!(join.kind, JoinKind::Inner | JoinKind::Right) {
                preserved_entries(&join.right, found);
            }
        }
    }
}

/// The tables on the preserved side.
pub fn preserved(query: &Query, item: &FromItem, found: &mut Vec<i32>) {
    let mut entries = Vec::new();
    preserved_entries(item, &mut entries);
    found.extend(entries.into_iter().filter(|entry| query.table(*entry).is_some()));
}

/// Adds an offset to the range table numbers.
pub fn shift(item: &mut FromItem, offset: i32) {
    match item {
        FromItem::Rel(varno) => *varno += offset,
        FromItem::Join(join) => {
            shift(&mut join.left, offset);
            shift(&mut join.right, offset);
        }
    }
}

/// A subquery's test with the subquery's output columns in place of its parameters.
pub fn with_outputs(test: &Expr, outputs: &[Expr]) -> Expr {
    test.transform(&mut |node| match node {
        Expr::Param(param) if param.kind == ParamKind::Sublink => {
            outputs.get(usize::try_from(param.id).ok()?.checked_sub(1)?).cloned()
        }
        _ => None,
    })
}
