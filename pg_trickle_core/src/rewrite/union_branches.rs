//! An operator as a UNION ALL of simpler queries.

use crate::facts::fallback::{Fallback, reason};
use crate::query::{Expr, Query, Rte, RteKind, SetOp, SetOperation, SqlLeaf, Target, Var};

/// UNION ALL of queries that have the columns of `like`, sorted like it.
pub fn union_all(leaves: Vec<Query>, like: &Query) -> Result<Query, Fallback> {
    let mut operation: Option<SetOperation> = None;
    let types = like
        .targets
        .iter()
        .map(|target| target.expr.type_oid())
        .collect::<Vec<_>>();
    let typmods = like
        .targets
        .iter()
        .map(|target| target.expr.typmod())
        .collect::<Vec<_>>();
    let collations = like
        .targets
        .iter()
        .map(|target| target.expr.collation())
        .collect::<Vec<_>>();
    let names: Vec<String> = (1..=types.len()).map(|n| format!("c{n}")).collect();
    let mut rtable = Vec::new();
    for (varno, mut leaf) in (1..).zip(leaves) {
        leaf.sort.clear();
        let own = SetOperation::Rel(varno);
        operation = Some(match operation {
            None => own,
            Some(left) => SetOperation::Op {
                op: SetOp::Union,
                all: true,
                left: Box::new(left),
                right: Box::new(own),
                types: types.clone(),
                typmods: typmods.clone(),
                collations: collations.clone(),
                groups: Vec::new(),
            },
        });
        rtable.push(Rte::new(RteKind::Subquery(Box::new(leaf)), "branch", names.clone()));
    }
    if rtable.len() < 2 {
        return reason("UNION ALL of one branch");
    }
    let targets = like
        .targets
        .iter()
        .zip(1..)
        .map(|(target, attno)| Target {
            expr: Var::like(&target.expr, 1, attno),
            ..target.clone()
        })
        .collect();
    Ok(Query {
        rtable,
        targets,
        sort: like.sort.clone(),
        set_operations: operation,
        ..Query::default()
    })
}

/// A NULL in place of an expression. `null` is its SQL.
pub fn null_like(expr: &Expr, null: String) -> Expr {
    SqlLeaf::text(null, expr.type_oid(), expr.typmod(), expr.collation())
}

/// Gives a NULL of the type of an expression, as SQL.
pub type NullSql<'a> = &'a dyn Fn(&Expr) -> Result<String, Fallback>;
