//! FULL JOIN as a UNION ALL of the LEFT JOIN and the rows of the right side that have no match.
//!
//! Rule: δ(R ⊎ S) = δR ⊎ δS, where each branch has its own rule. Cost: the sum over the branches. Source: the
//! definition in the SQL standard.

use super::union_branches::{NullSql, null_like, union_all};
use crate::facts::fallback::{Fallback, reason};
use crate::facts::from_items::rels;
use crate::facts::linear_block::conjuncts;
use crate::oids::INT4;
use crate::query::{Expr, FromItem, JoinExpr, JoinKind, Query, SqlLeaf, Var};

/// True if FROM has a FULL JOIN with no outer join above it that could set its rows to NULL.
pub fn has_full_join(query: &Query) -> bool {
    query.from.iter().any(|item| find_full(item).is_some())
}

fn find_full(item: &FromItem) -> Option<&JoinExpr> {
    let FromItem::Join(join) = item else { return None };
    match join.kind {
        JoinKind::Full => Some(join),
        JoinKind::Inner => find_full(&join.left).or_else(|| find_full(&join.right)),
        JoinKind::Left => find_full(&join.left),
        JoinKind::Right => find_full(&join.right),
    }
}

fn replace_full(item: &mut FromItem, by: &mut dyn FnMut(&JoinExpr) -> FromItem) -> bool {
    let FromItem::Join(join) = item else { return false };
    match join.kind {
        JoinKind::Full => {
            *item = by(join);
            true
        }
        JoinKind::Inner => replace_full(&mut join.left, by) || replace_full(&mut join.right, by),
        JoinKind::Left => replace_full(&mut join.left, by),
        JoinKind::Right => replace_full(&mut join.right, by),
    }
}

/// The two branches of the first FULL JOIN. All targets must be visible.
pub fn full_join(query: &Query, null_sql: NullSql) -> Result<Query, Fallback> {
    let Some(join) = query.from.iter().find_map(find_full).cloned() else {
        return reason("FULL JOIN below another outer join");
    };
    if query.from.iter().any(|item| has_odd_full_join(item, &join)) {
        return reason("FULL JOIN beside another FULL JOIN that does not just compare columns");
    }
    let mut matched = query.clone();
    for item in &mut matched.from {
        let found = replace_full(item, &mut |join| {
            FromItem::Join(Box::new(JoinExpr {
                kind: JoinKind::Left,
                ..join.clone()
            }))
        });
        if found {
            break;
        }
    }
    let left = rels(&join.left);
    let mut partners = query.rows();
    partners.from = vec![join.left.clone()];
    partners.quals.clone_from(&join.quals);
    partners.has_sublinks = false;
    partners.push_column(SqlLeaf::text("1".to_owned(), INT4, -1, 0), 0)?;
    // Whatever is not on the left side is now one level up, including what LATERAL items refer to.
    partners.replace_vars(&mut |var| {
        (!left.contains(&var.varno)).then(|| {
            Expr::Var(Var {
                levels_up: 1,
                ..var.clone()
            })
        })
    });
    let mut alone = query.clone();
    for item in &mut alone.from {
        if replace_full(item, &mut |join| join.right.clone()) {
            break;
        }
    }
    let mut failed = None;
    alone.replace_vars(&mut |var| {
        let expr = Expr::Var(var.clone());
        left.contains(&var.varno).then(|| match null_sql(&expr) {
            Ok(null) => null_like(&expr, null),
            Err(failure) => {
                failed.get_or_insert(failure);
                expr
            }
        })
    });
    if let Some(failure) = failed {
        return Err(failure);
    }
    alone.add_qual(Expr::not_exists(partners));
    alone.has_sublinks = true;
    union_all(vec![matched, alone], query)
}

/// True if another FULL JOIN has a condition other than comparisons of columns. PostgreSQL accepts such a condition
/// only while the joins around it reduce the FULL JOIN to a LEFT JOIN, which they may no longer do within a branch.
fn has_odd_full_join(item: &FromItem, but: &JoinExpr) -> bool {
    let FromItem::Join(join) = item else { return false };
    let plain = |qual: &Expr| matches!(qual, Expr::Op(op) if op.args.iter().all(|arg| matches!(arg, Expr::Var(_))));
    let odd = join.kind == JoinKind::Full && **join != *but && !conjuncts(join.quals.as_ref()).iter().all(plain);
    odd || has_odd_full_join(&join.left, but) || has_odd_full_join(&join.right, but)
}
