//! Resolves PostgreSQL 18's grouping entry.
//!
//! In PostgreSQL 18, a query with GROUP BY has a range table entry for the grouping step, and everything above that
//! step refers to its columns. PostgreSQL 17 repeats the grouping expressions instead, and so does the typed query, which
//! has no such entry.

use super::Reader;
use crate::query::{Expr, Var};

/// The grouping entry of one query.
pub(super) struct Group {
    /// Its position in the range table.
    pub varno: i32,
    /// The grouping expressions, which are its columns.
    pub exprs: Vec<Expr>,
}

impl Reader {
    /// The expression behind a Var: the Var itself, or the grouping expression it stands for.
    pub(super) fn ungroup(&mut self, var: Var) -> Expr {
        let scope = usize::try_from(var.levels_up)
            .ok()
            .and_then(|levels| self.groups.len().checked_sub(1)?.checked_sub(levels));
        let group = scope.and_then(|scope| self.groups[scope].as_ref());
        let Some(group) = group.filter(|group| group.varno == var.varno) else {
            return Expr::Var(var);
        };
        let column = usize::try_from(var.attno)
            .ok()
            .and_then(|attno| group.exprs.get(attno.checked_sub(1)?));
        match column {
            Some(expr) if var.levels_up == 0 => expr.clone(),
            // In subqueries, the parser allows only those grouping expressions of an outer query that are plain
            // columns.
            Some(Expr::Var(column)) => Expr::Var(Var {
                levels_up: column.levels_up + var.levels_up,
                ..column.clone()
            }),
            Some(_) => self.no_expr("a subquery refers to a grouping expression of an outer query".to_owned()),
            None => {
                let why = format!(
                    "a VAR refers to grouping expression {} of {}",
                    var.attno,
                    group.exprs.len()
                );
                self.no_expr(why)
            }
        }
    }
}
