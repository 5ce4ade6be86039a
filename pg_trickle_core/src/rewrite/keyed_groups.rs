//! A correlated aggregate that compares with a row of the enclosing query in another way than by equality, as one that
//! compares keys.
//!
//! `(SELECT count(*) FROM o WHERE o.qty > c.region)` is `(SELECT count(*) FROM o, c AS r WHERE o.qty > r.region AND r.id =
//! c.id)`, with `id` the key of `c`. [`super::scalar_groups`] makes the rows of a key a group.
//!
//! The groups are folded, so a changed row of `o` is joined to `c` once, where each row of `c` that it matches would read all
//! of its other matches again. `min` and `max` stay as they are: one probe of an index may be all that they take.
//! Source: the magic sets of Mumick, Finkelstein, Pirahesh, Ramakrishnan, "Magic is relevant", 1990, as decorrelation.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::from_items::{mentions_only, preserved_entries};
use crate::facts::linear_block::conjuncts;
use crate::facts::shape::{aggregates_whole_input, has_sublink};
use crate::facts::volatility::is_immutable;
use crate::oids::BOOL;
use crate::query::{Expr, FromItem, OpExpr, Query, Rte, RteKind, Var, varno};
use crate::sql::ident::is_one_of;
use crate::stages::graph::StageGraph;

/// The aggregates that need no value again when one is deleted.
const FOLDED: &str = "count sum avg bool_and bool_or every stddev stddev_pop stddev_samp variance var_pop var_samp";

/// The subquery with a table of the query `around` it inside. `None` if that has no key, or if the query may leave out rows of
/// it for another reason than its own conditions: they would all be joined.
pub fn inside(subquery: &Query, table: i32, around: &Query, graph: &StageGraph) -> Result<Option<Query>, Error> {
    let mut rows = Vec::new();
    around.from.iter().for_each(|item| preserved_entries(item, &mut rows));
    // A lateral aggregate has a row for each.
    let is_single =
        |rte: &Rte| matches!(&rte.kind, RteKind::Subquery(lateral) if rte.lateral && aggregates_whole_input(lateral));
    rows.retain(|row| !around.rte(*row).is_some_and(is_single));
    let conditions = conjuncts(around.quals.as_ref());
    let is_own = |condition: &&Expr| mentions_only(condition, &[table]) && is_immutable(condition, graph);
    let (restricting, others): (Vec<&Expr>, Vec<&Expr>) =
        conditions.iter().partition(|one| !has_sublink(one) && is_own(one));
    let (Some(relid), [_]) = (around.table(table), rows.as_slice()) else {
        return Ok(None);
    };
    if rows[0] != table
        || others.len() > 1
        || !others.iter().all(|one| has_sublink(one))
        || around.limit_count.is_some()
    {
        return Ok(None);
    }
    let relation = graph.relation(relid)?;
    let Some(key) = relation.keys.first() else {
        return Ok(None);
    };
    for target in subquery.visible_targets() {
        if !is_folded(&target.expr, graph)? {
            return Ok(None);
        }
    }
    let mut inside = subquery.clone();
    let own = varno(inside.rtable.len())?;
    inside.rtable.extend(around.rte(table).cloned());
    inside.from.push(FromItem::Rel(own));
    inside.quals = None;
    let here = |expr: &Expr, levels: u32| {
        expr.transform(&mut |node| match node {
            Expr::Var(var) if var.levels_up == levels && var.varno == table => Some(Expr::Var(Var {
                varno: own,
                levels_up: 0,
                ..var.clone()
            })),
            _ => None,
        })
    };
    for condition in conjuncts(subquery.quals.as_ref()) {
        let tables = outer(&condition);
        let moves = !has_sublink(&condition) && !tables.is_empty() && tables.iter().all(|own| *own == table);
        inside.add_qual(if moves { here(&condition, 1) } else { condition });
    }
    restricting
        .into_iter()
        .for_each(|condition| inside.add_qual(here(condition, 0)));
    for target in &mut inside.targets {
        target.expr = target.expr.transform(&mut |node| match node {
            Expr::Aggref(_) => Some(here(node, 1)),
            _ => None,
        });
    }
    for attno in &key.columns {
        let Some(column) = relation.column(*attno) else {
            return Ok(None);
        };
        let Some(default) = graph.default_equality(column.type_oid)? else {
            return Ok(None);
        };
        let of = |varno: i32, levels_up: u32| {
            Expr::Var(Var {
                varno,
                attno: *attno,
                type_oid: column.type_oid,
                typmod: column.typmod,
                collation: column.collation,
                levels_up,
            })
        };
        inside.add_qual(Expr::Op(OpExpr {
            operator: default.equality.oid,
            function: 0,
            type_oid: BOOL,
            returns_set: false,
            collation: 0,
            input_collation: column.collation,
            args: vec![of(own, 0), of(table, 1)],
        }));
    }
    Ok(Some(inside))
}

/// True if all aggregates of an expression are folded.
fn is_folded(expr: &Expr, graph: &StageGraph) -> Result<bool, Error> {
    for call in expr.aggregates() {
        if !call.distinct.is_empty() || !is_one_of(&graph.function(call.function)?.name, FOLDED) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The tables of the enclosing query in an expression.
pub fn outer(expr: &Expr) -> Vec<i32> {
    let mut found = Vec::new();
    expr.for_each(&mut |node| match node {
        Expr::Var(var) if var.levels_up == 1 => found.push(var.varno),
        _ => {}
    });
    found
}
