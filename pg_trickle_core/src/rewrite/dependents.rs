//! The columns outside GROUP BY that a grouped primary key determines.
//!
//! PostgreSQL does not know this functional dependency of a stage, so they join GROUP BY. Where a column cannot be a key,
//! its value is an aggregate instead: `any_value(column)`, since it is the same in all rows of the group.

use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::facts::types::is_ordered;
use crate::oids::ANY_VALUE;
use crate::plan::Oid;
use crate::query::{Aggref, Expr, Query, SortGroup, Target};
use crate::stages::graph::StageGraph;

/// Adds the columns to GROUP BY.
pub fn group_by_dependents(query: &mut Query) -> Result<(), Error> {
    let mut found: Vec<Expr> = Vec::new();
    for expr in query.targets.iter().map(|target| &target.expr).chain(&query.having) {
        replaced(query, expr, &mut |column| {
            if !found.contains(column) {
                found.push(column.clone());
            }
            None
        });
    }
    for column in found {
        let target_ref = query.refer(&column)?;
        query.group.push(SortGroup::by(target_ref));
    }
    Ok(())
}

/// The query with `any_value` of each such column whose type has no order, such as json or point; `None` if there is
/// none.
pub fn by_any_value(query: &Query, graph: &StageGraph) -> Result<Option<Query>, Fallback> {
    if query.group.is_empty() || !query.grouping_sets.is_empty() {
        return Ok(None);
    }
    let mut changed = query.clone();
    let mut failure = None;
    let mut any_value = |column: &Expr| match is_ordered(column.type_oid(), graph) {
        Ok(true) => None,
        Ok(false) => Some(aggregate(ANY_VALUE, column.type_oid(), column)),
        Err(error) => {
            failure.get_or_insert(error);
            None
        }
    };
    for target in &mut changed.targets {
        target.expr = replaced(query, &target.expr, &mut any_value);
    }
    if let Some(having) = &mut changed.having {
        *having = replaced(query, having, &mut any_value);
    }
    changed.has_aggs = true;
    match failure {
        Some(error) => Err(error.into()),
        None => Ok((changed.targets != query.targets || changed.having != query.having).then_some(changed)),
    }
}

/// The expression with what `replace` makes of its columns that are neither keys nor in aggregates.
fn replaced(query: &Query, expr: &Expr, replace: &mut dyn FnMut(&Expr) -> Option<Expr>) -> Expr {
    let is_key = |node: &Expr| query.referred(&query.group).any(|key| key == node);
    expr.transform(&mut |node| match node {
        Expr::Aggref(_) => Some(node.clone()),
        _ if is_key(node) => Some(node.clone()),
        Expr::Var(var) if var.levels_up == 0 => replace(node),
        _ => None,
    })
}

/// An aggregate of one argument.
pub fn aggregate(function: Oid, type_oid: Oid, column: &Expr) -> Expr {
    Expr::Aggref(Box::new(Aggref {
        function,
        type_oid,
        collation: column.collation(),
        input_collation: column.collation(),
        arg_types: vec![column.type_oid()],
        direct_args: Vec::new(),
        args: vec![Target {
            expr: column.clone(),
            name: None,
            resno: 1,
            ressortgroupref: 0,
            junk: false,
        }],
        order: Vec::new(),
        distinct: Vec::new(),
        filter: None,
        star: false,
        variadic: false,
        kind: 'n',
        levels_up: 0,
    }))
}
